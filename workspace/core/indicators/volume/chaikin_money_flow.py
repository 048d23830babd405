"""Chaikin money flow: accumulation and distribution of a window against its volume."""

import pandas as pd

from sptrader_desktop.sdk import main, ratio, window_sum

__metadata_version__ = 2
__metadata__ = {
    "name": "chaikin_money_flow",
    "title": "Chaikin Money Flow (CMF)",
    "family": "volume",
    "description": "Volumes counted by where in its bar the close stands, over all volume of `period` bars, -1 to 1.",
    "parameters": {"period": {"type": "int", "default": 20, "min": 1, "max": 10000}},
    "outputs": ["cmf"],
    "levels": [0],
    "warm_up": "period",
}


class ChaikinMoneyFlow:
    def __init__(self, period: int = 20) -> None:
        self.period = period

    def calculate(self, data: pd.DataFrame) -> pd.Series:
        high, low, close, volume = data["high"], data["low"], data["close"], data["volume"]
        stands = ratio((close - low) - (high - close), high - low).fillna(0.0)
        return ratio(window_sum(stands * volume, self.period), window_sum(volume, self.period)).rename("cmf")


if __name__ == "__main__":
    main(ChaikinMoneyFlow, __metadata__)
