"""Williams' %R: how far the close is below the highest high, in percent of the range."""

import pandas as pd

from sptrader_desktop.sdk import highest, lowest, main, ratio

__metadata_version__ = 2
__metadata__ = {
    "name": "williams_r",
    "title": "Williams %R",
    "family": "momentum",
    "description": "0 at the highest high and -100 at the lowest low of the last `period` bars.",
    "parameters": {"period": {"type": "int", "default": 14, "min": 1, "max": 10000}},
    "outputs": ["williams_r"],
    "levels": [-80, -20],
    "warm_up": "period",
}


class WilliamsR:
    def __init__(self, period: int = 14) -> None:
        self.period = period

    def calculate(self, data: pd.DataFrame) -> pd.Series:
        high = highest(data["high"], self.period)
        below = ratio(high - data["close"], high - lowest(data["low"], self.period))
        return (-100 * below).rename("williams_r")


if __name__ == "__main__":
    main(WilliamsR, __metadata__)
