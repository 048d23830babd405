"""Wilder's average true range, in price."""

import pandas as pd

from sptrader_desktop.sdk import main, true_range, wilder

__metadata_version__ = 2
__metadata__ = {
    "name": "atr",
    "title": "Average True Range (ATR)",
    "family": "volatility",
    "description": "The Wilder average of the true range; the first bar has none, so the first value stands on bar period + 1.",
    "parameters": {"period": {"type": "int", "default": 14, "min": 1, "max": 10000}},
    "outputs": ["atr"],
    "warm_up": "45 * period",
}


class ATR:
    def __init__(self, period: int = 14) -> None:
        self.period = period

    def calculate(self, data: pd.DataFrame) -> pd.Series:
        return wilder(true_range(data), self.period).rename("atr")


if __name__ == "__main__":
    main(ATR, __metadata__)
