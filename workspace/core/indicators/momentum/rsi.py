"""Wilder's relative strength index."""

import pandas as pd

from sptrader_desktop.sdk import main, rsi

__metadata_version__ = 2
__metadata__ = {
    "name": "rsi",
    "title": "Relative Strength Index (RSI)",
    "family": "momentum",
    "description": "Average rise in percent of average rise and fall (Wilder's), 0 to 100; no value where prices stand still.",
    "parameters": {
        "period": {"type": "int", "default": 14, "min": 1, "max": 10000},
        "source": {"type": "str", "default": "close", "choices": ["open", "high", "low", "close"]},
    },
    "outputs": ["rsi"],
    "levels": [30, 70],
    "warm_up": "45 * period",
}


class RSI:
    def __init__(self, period: int = 14, source: str = "close") -> None:
        self.period = period
        self.source = source

    def calculate(self, data: pd.DataFrame) -> pd.Series:
        return rsi(data[self.source], self.period).rename("rsi")


if __name__ == "__main__":
    main(RSI, __metadata__)
