"""Donchian channel: the range of the last bars, this one included."""

import pandas as pd

from sptrader_desktop.sdk import highest, lowest, main

__metadata_version__ = 2
__metadata__ = {
    "name": "donchian",
    "title": "Donchian Channels",
    "family": "volatility",
    "description": "Highest high and lowest low of the last `period` bars and their middle; shift by one bar to look for a breakout.",
    "parameters": {"period": {"type": "int", "default": 20, "min": 1, "max": 10000}},
    "outputs": ["upper", "middle", "lower"],
    "warm_up": "period",
}


class Donchian:
    def __init__(self, period: int = 20) -> None:
        self.period = period

    def calculate(self, data: pd.DataFrame) -> pd.DataFrame:
        upper, lower = highest(data["high"], self.period), lowest(data["low"], self.period)
        return pd.DataFrame({"upper": upper, "middle": (upper + lower) / 2, "lower": lower})


if __name__ == "__main__":
    main(Donchian, __metadata__)
