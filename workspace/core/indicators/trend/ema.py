"""Exponential moving average: recent prices weigh more.

It starts from the mean of the first window, as TA-Lib's does.
"""

import pandas as pd

from sptrader_desktop.sdk import ema, main

__metadata_version__ = 2
__metadata__ = {
    "name": "ema",
    "title": "Exponential Moving Average (EMA)",
    "family": "trend",
    "description": "The average in which each price weighs 2 / (period + 1) and what came before the rest.",
    "parameters": {
        "period": {"type": "int", "default": 20, "min": 1, "max": 10000},
        "source": {"type": "str", "default": "close", "choices": ["open", "high", "low", "close"]},
    },
    "outputs": ["ema"],
    "warm_up": "20 * period",
}


class EMA:
    def __init__(self, period: int = 20, source: str = "close") -> None:
        self.period = period
        self.source = source

    def calculate(self, data: pd.DataFrame) -> pd.Series:
        return ema(data[self.source], self.period).rename("ema")


if __name__ == "__main__":
    main(EMA, __metadata__)
