"""Z-score: how many standard deviations the price is above its average."""

import pandas as pd

from sptrader_desktop.sdk import average, deviation, main, ratio

__metadata_version__ = 2
__metadata__ = {
    "name": "zscore",
    "title": "Z-Score",
    "family": "statistics",
    "description": "(price - average) / standard deviation (of the population) over `period` bars; no value where prices stand still.",
    "parameters": {
        "period": {"type": "int", "default": 20, "min": 2, "max": 10000},
        "source": {"type": "str", "default": "close", "choices": ["open", "high", "low", "close"]},
    },
    "outputs": ["zscore"],
    "levels": [-2, 2],
    "warm_up": "period",
}


class ZScore:
    def __init__(self, period: int = 20, source: str = "close") -> None:
        self.period = period
        self.source = source

    def calculate(self, data: pd.DataFrame) -> pd.Series:
        above = data[self.source] - average(data, self.source, self.period)
        return ratio(above, deviation(data[self.source], self.period)).rename("zscore")


if __name__ == "__main__":
    main(ZScore, __metadata__)
