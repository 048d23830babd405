"""Chande's momentum oscillator, from plain sums as he defined it; TA-Lib takes Wilder's averages instead."""

import pandas as pd

from sptrader_desktop.sdk import main, ratio, ticks, window_sum

__metadata_version__ = 2
__metadata__ = {
    "name": "cmo",
    "title": "Chande Momentum Oscillator (CMO)",
    "family": "momentum",
    "description": "100 (rises - falls) / (rises + falls) over `period` changes, -100 to 100; no value where prices stand still.",
    "parameters": {
        "period": {"type": "int", "default": 14, "min": 1, "max": 10000},
        "source": {"type": "str", "default": "close", "choices": ["open", "high", "low", "close"]},
    },
    "outputs": ["cmo"],
    "levels": [-50, 50],
    "warm_up": "period + 1",
}


class CMO:
    def __init__(self, period: int = 14, source: str = "close") -> None:
        self.period = period
        self.source = source

    def calculate(self, data: pd.DataFrame) -> pd.Series:
        change = pd.Series(ticks(data, self.source), index=data.index).diff()
        return (100 * ratio(window_sum(change, self.period), window_sum(change.abs(), self.period))).rename("cmo")


if __name__ == "__main__":
    main(CMO, __metadata__)
