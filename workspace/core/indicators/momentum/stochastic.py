"""Stochastic oscillator: where the close stands in the range of the last bars."""

import pandas as pd

from sptrader_desktop.sdk import highest, lowest, main, mean, ratio

__metadata_version__ = 2
__metadata__ = {
    "name": "stochastic",
    "title": "Stochastic Oscillator",
    "family": "momentum",
    "description": "k is 0 at the lowest low and 100 at the highest high, averaged over `k_smooth` bars; d averages k.",
    "parameters": {
        "k_period": {"type": "int", "default": 14, "min": 1, "max": 10000},
        "k_smooth": {"type": "int", "default": 3, "min": 1, "max": 1000},
        "d_period": {"type": "int", "default": 3, "min": 1, "max": 1000},
    },
    "outputs": ["k", "d"],
    "levels": [20, 80],
    "warm_up": "k_period + k_smooth + d_period",
}


class Stochastic:
    def __init__(self, k_period: int = 14, k_smooth: int = 3, d_period: int = 3) -> None:
        self.k_period = k_period
        self.k_smooth = k_smooth
        self.d_period = d_period

    def calculate(self, data: pd.DataFrame) -> pd.DataFrame:
        low = lowest(data["low"], self.k_period)
        k = mean(100 * ratio(data["close"] - low, highest(data["high"], self.k_period) - low), self.k_smooth)
        return pd.DataFrame({"k": k, "d": mean(k, self.d_period)})


if __name__ == "__main__":
    main(Stochastic, __metadata__)
