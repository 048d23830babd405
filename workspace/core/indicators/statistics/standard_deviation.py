"""Standard deviation of prices, in price."""

import pandas as pd

from sptrader_desktop.sdk import deviation, main

__metadata_version__ = 2
__metadata__ = {
    "name": "standard_deviation",
    "title": "Standard Deviation",
    "family": "statistics",
    "description": "Of the last `period` prices as a population (divided by `period`), as Bollinger bands and TA-Lib take it.",
    "parameters": {
        "period": {"type": "int", "default": 20, "min": 2, "max": 10000},
        "source": {"type": "str", "default": "close", "choices": ["open", "high", "low", "close"]},
    },
    "outputs": ["standard_deviation"],
    "warm_up": "period",
}


class StandardDeviation:
    def __init__(self, period: int = 20, source: str = "close") -> None:
        self.period = period
        self.source = source

    def calculate(self, data: pd.DataFrame) -> pd.Series:
        return deviation(data[self.source], self.period).rename("standard_deviation")


if __name__ == "__main__":
    main(StandardDeviation, __metadata__)
