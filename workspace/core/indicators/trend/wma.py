"""Weighted moving average: the last price counts `period` times, the one before it once less."""

import pandas as pd

from sptrader_desktop.sdk import main, ticks, weighted_average

__metadata_version__ = 2
__metadata__ = {
    "name": "wma",
    "title": "Weighted Moving Average (WMA)",
    "family": "trend",
    "description": "The average of the last `period` prices with weights that rise by one from bar to bar.",
    "parameters": {
        "period": {"type": "int", "default": 20, "min": 1, "max": 10000},
        "source": {"type": "str", "default": "close", "choices": ["open", "high", "low", "close"]},
    },
    "outputs": ["wma"],
    "warm_up": "period",
}


class WMA:
    def __init__(self, period: int = 20, source: str = "close") -> None:
        self.period = period
        self.source = source

    def calculate(self, data: pd.DataFrame) -> pd.Series:
        prices = pd.Series(ticks(data, self.source), index=data.index)
        return (weighted_average(prices, self.period) / data.attrs["ticks_per_one"]).rename("wma")


if __name__ == "__main__":
    main(WMA, __metadata__)
