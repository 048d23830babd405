"""Convergence and divergence of two exponential averages.

Each average starts from the mean of its own first window; TA-Lib starts both at the slow one, which no longer shows after the warm-up.
"""

import pandas as pd

from sptrader_desktop.sdk import above_ema, main

__metadata_version__ = 2
__metadata__ = {
    "name": "macd",
    "title": "Moving Average Convergence/Divergence (MACD)",
    "family": "trend",
    "description": "The fast EMA less the slow one, the EMA of that as signal line, and the distance between the two.",
    "parameters": {
        "fast_period": {"type": "int", "default": 12, "min": 1, "max": 10000},
        "slow_period": {"type": "int", "default": 26, "min": 2, "max": 10000},
        "signal_period": {"type": "int", "default": 9, "min": 1, "max": 10000},
        "source": {"type": "str", "default": "close", "choices": ["open", "high", "low", "close"]},
    },
    "outputs": ["macd", "signal", "histogram"],
    "levels": [0],
    "warm_up": "25 * slow_period + 25 * signal_period",
}


class MACD:
    def __init__(self, fast_period: int = 12, slow_period: int = 26, signal_period: int = 9, source: str = "close") -> None:
        if fast_period >= slow_period:
            raise ValueError(f"fast_period {fast_period} must be below slow_period {slow_period}: shorten it")
        self.fast_period = fast_period
        self.slow_period = slow_period
        self.signal_period = signal_period
        self.source = source

    def calculate(self, data: pd.DataFrame) -> pd.DataFrame:
        prices = data[self.source]
        macd = above_ema(prices, self.slow_period) - above_ema(prices, self.fast_period)
        histogram = above_ema(macd, self.signal_period)
        return pd.DataFrame({"macd": macd, "signal": macd - histogram, "histogram": histogram})


if __name__ == "__main__":
    main(MACD, __metadata__)
