"""Stochastic oscillator of the relative strength index: where the RSI stands in its own range."""

import pandas as pd

from sptrader_desktop.sdk import highest, lowest, main, mean, ratio, rsi

__metadata_version__ = 2
__metadata__ = {
    "name": "stochastic_rsi",
    "title": "Stochastic RSI",
    "family": "momentum",
    "description": "k is 0 where the RSI is at its lowest and 100 at its highest, averaged over `k_smooth` bars; d averages k.",
    "parameters": {
        "period": {"type": "int", "default": 14, "min": 1, "max": 10000},
        "stochastic_period": {"type": "int", "default": 14, "min": 2, "max": 10000},
        "k_smooth": {"type": "int", "default": 3, "min": 1, "max": 1000},
        "d_period": {"type": "int", "default": 3, "min": 1, "max": 1000},
        "source": {"type": "str", "default": "close", "choices": ["open", "high", "low", "close"]},
    },
    "outputs": ["k", "d"],
    "levels": [20, 80],
    "warm_up": "60 * period + stochastic_period + k_smooth + d_period",
}

# An RSI that moved by less than a thousandth of a point has no range to stand in.
STANDS_STILL = 0.001


class StochasticRSI:
    def __init__(self, period: int = 14, stochastic_period: int = 14, k_smooth: int = 3, d_period: int = 3, source: str = "close") -> None:
        self.period = period
        self.stochastic_period = stochastic_period
        self.k_smooth = k_smooth
        self.d_period = d_period
        self.source = source

    def calculate(self, data: pd.DataFrame) -> pd.DataFrame:
        strength = rsi(data[self.source], self.period)
        low = lowest(strength, self.stochastic_period)
        wide = highest(strength, self.stochastic_period) - low
        k = mean(100 * ratio(strength - low, wide.where(wide > STANDS_STILL)), self.k_smooth)
        return pd.DataFrame({"k": k, "d": mean(k, self.d_period)})


if __name__ == "__main__":
    main(StochasticRSI, __metadata__)
