"""Momentum: the price less the one `period` bars ago."""

import pandas as pd

from sptrader_desktop.sdk import main

__metadata_version__ = 2
__metadata__ = {
    "name": "momentum",
    "title": "Momentum",
    "family": "momentum",
    "description": "price - price before, in price.",
    "parameters": {
        "period": {"type": "int", "default": 10, "min": 1, "max": 10000},
        "source": {"type": "str", "default": "close", "choices": ["open", "high", "low", "close"]},
    },
    "outputs": ["momentum"],
    "levels": [0],
    "warm_up": "period + 1",
}


class Momentum:
    def __init__(self, period: int = 10, source: str = "close") -> None:
        self.period = period
        self.source = source

    def calculate(self, data: pd.DataFrame) -> pd.Series:
        return data[self.source].diff(self.period).rename("momentum")


if __name__ == "__main__":
    main(Momentum, __metadata__)
