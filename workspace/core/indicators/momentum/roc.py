"""Rate of change: the price against the one `period` bars ago, in percent."""

import pandas as pd

from sptrader_desktop.sdk import main

__metadata_version__ = 2
__metadata__ = {
    "name": "roc",
    "title": "Rate of Change (ROC)",
    "family": "momentum",
    "description": "100 (price - price before) / price before.",
    "parameters": {
        "period": {"type": "int", "default": 10, "min": 1, "max": 10000},
        "source": {"type": "str", "default": "close", "choices": ["open", "high", "low", "close"]},
    },
    "outputs": ["roc"],
    "levels": [0],
    "warm_up": "period + 1",
}


class ROC:
    def __init__(self, period: int = 10, source: str = "close") -> None:
        self.period = period
        self.source = source

    def calculate(self, data: pd.DataFrame) -> pd.Series:
        before = data[self.source].shift(self.period)
        return (100 * (data[self.source] - before) / before).rename("roc")


if __name__ == "__main__":
    main(ROC, __metadata__)
