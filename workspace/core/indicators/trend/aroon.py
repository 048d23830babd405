"""Aroon: how fresh the last extremes are."""

import pandas as pd

from sptrader_desktop.sdk import bars_since_highest, bars_since_lowest, main

__metadata_version__ = 2
__metadata__ = {
    "name": "aroon",
    "title": "Aroon",
    "family": "trend",
    "description": "100 when the highest high (up) or lowest low (down) of period + 1 bars is this bar's, 0 when it is the oldest.",
    "parameters": {"period": {"type": "int", "default": 14, "min": 1, "max": 10000}},
    "outputs": ["up", "down", "oscillator"],
    "warm_up": "period + 1",
}


class Aroon:
    def __init__(self, period: int = 14) -> None:
        self.period = period

    def calculate(self, data: pd.DataFrame) -> pd.DataFrame:
        up = 100 * (self.period - bars_since_highest(data["high"], self.period + 1)) / self.period
        down = 100 * (self.period - bars_since_lowest(data["low"], self.period + 1)) / self.period
        return pd.DataFrame({"up": up, "down": down, "oscillator": up - down})


if __name__ == "__main__":
    main(Aroon, __metadata__)
