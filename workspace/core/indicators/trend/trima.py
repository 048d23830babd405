"""Triangular moving average: the middle of the window weighs most."""

import pandas as pd

from sptrader_desktop.sdk import main, ticks, window_sum

__metadata_version__ = 2
__metadata__ = {
    "name": "trima",
    "title": "Triangular Moving Average (TRIMA)",
    "family": "trend",
    "description": "The average of averages; together they span the last `period` prices.",
    "parameters": {
        "period": {"type": "int", "default": 20, "min": 1, "max": 10000},
        "source": {"type": "str", "default": "close", "choices": ["open", "high", "low", "close"]},
    },
    "outputs": ["trima"],
    "warm_up": "period",
}


class TRIMA:
    def __init__(self, period: int = 20, source: str = "close") -> None:
        self.period = period
        self.source = source

    def calculate(self, data: pd.DataFrame) -> pd.Series:
        first, second = (self.period + 2) // 2, (self.period + 1) // 2
        prices = pd.Series(ticks(data, self.source), index=data.index)
        summed = window_sum(window_sum(prices, first), second)
        return (summed / (first * second * data.attrs["ticks_per_one"])).rename("trima")


if __name__ == "__main__":
    main(TRIMA, __metadata__)
