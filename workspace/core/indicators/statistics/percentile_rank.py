"""Percentile rank: how many of the prices before this one were at or below it."""

import pandas as pd

from sptrader_desktop.sdk import main

__metadata_version__ = 2
__metadata__ = {
    "name": "percentile_rank",
    "title": "Percentile Rank",
    "family": "statistics",
    "description": "The share of the `period` prices before this one that are not above it, in percent.",
    "parameters": {
        "period": {"type": "int", "default": 100, "min": 1, "max": 10000},
        "source": {"type": "str", "default": "close", "choices": ["open", "high", "low", "close"]},
    },
    "outputs": ["rank"],
    "warm_up": "period + 1",
}


class PercentileRank:
    def __init__(self, period: int = 100, source: str = "close") -> None:
        self.period = period
        self.source = source

    def calculate(self, data: pd.DataFrame) -> pd.Series:
        not_above = data[self.source].rolling(self.period + 1).rank(method="max") - 1
        return (100 * not_above / self.period).rename("rank")


if __name__ == "__main__":
    main(PercentileRank, __metadata__)
