"""Correlation of two columns of the candles: do close and volume go together?"""

import pandas as pd

from sptrader_desktop.sdk import correlation, main

__metadata_version__ = 2
__metadata__ = {
    "name": "rolling_correlation",
    "title": "Rolling Correlation",
    "family": "statistics",
    "description": "Pearson's correlation of `first` and `second` over `period` bars, -1 to 1; no value where one of them stands still.",
    "parameters": {
        "period": {"type": "int", "default": 20, "min": 2, "max": 10000},
        "first": {"type": "str", "default": "close", "choices": ["open", "high", "low", "close", "volume"]},
        "second": {"type": "str", "default": "volume", "choices": ["open", "high", "low", "close", "volume"]},
    },
    "outputs": ["correlation"],
    "levels": [0],
    "warm_up": "period",
}


class RollingCorrelation:
    def __init__(self, period: int = 20, first: str = "close", second: str = "volume") -> None:
        self.period = period
        self.first = first
        self.second = second

    def calculate(self, data: pd.DataFrame) -> pd.Series:
        return correlation(data[self.first], data[self.second], self.period).rename("correlation")


if __name__ == "__main__":
    main(RollingCorrelation, __metadata__)
