"""Simple moving average of the close."""

import pandas as pd

from sptrader_desktop.sdk import average, main

__metadata_version__ = 2
__metadata__ = {
    "name": "sma",
    "title": "Simple Moving Average (SMA)",
    "family": "trend",
    "description": "The mean of the last `period` closes.",
    "parameters": {"period": {"type": "int", "default": 20, "min": 1, "max": 10000}},
    "outputs": ["sma"],
    "warm_up": "period",
}


class SMA:
    def __init__(self, period: int = 20) -> None:
        self.period = period

    def calculate(self, data: pd.DataFrame) -> pd.Series:
        return average(data, "close", self.period).rename("sma")


if __name__ == "__main__":
    main(SMA, __metadata__)
