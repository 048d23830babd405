"""Rate of change of a triple exponential average, in percent a bar.

The rise of the average is the same average of the rises, which stays exact where it passes zero; the two start differently.
"""

import pandas as pd

from sptrader_desktop.sdk import ema, main

__metadata_version__ = 2
__metadata__ = {
    "name": "trix",
    "title": "Triple Smoothed Rate of Change (TRIX)",
    "family": "momentum",
    "description": "100 times the triple EMA of the changes over the triple EMA of the bar before.",
    "parameters": {
        "period": {"type": "int", "default": 15, "min": 1, "max": 10000},
        "source": {"type": "str", "default": "close", "choices": ["open", "high", "low", "close"]},
    },
    "outputs": ["trix"],
    "levels": [0],
    "warm_up": "40 * period",
}


class TRIX:
    def __init__(self, period: int = 15, source: str = "close") -> None:
        self.period = period
        self.source = source

    def calculate(self, data: pd.DataFrame) -> pd.Series:
        prices = data[self.source]
        return (100 * self._thrice(prices.diff()) / self._thrice(prices).shift(1)).rename("trix")

    def _thrice(self, values: pd.Series) -> pd.Series:
        return ema(ema(ema(values, self.period), self.period), self.period)


if __name__ == "__main__":
    main(TRIX, __metadata__)
