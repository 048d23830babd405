"""Percentage price oscillator: MACD in percent of the slow average, comparable between symbols."""

import pandas as pd

from sptrader_desktop.sdk import above_ema, main

__metadata_version__ = 2
__metadata__ = {
    "name": "ppo",
    "title": "Percentage Price Oscillator (PPO)",
    "family": "momentum",
    "description": "100 (fast EMA - slow EMA) / slow EMA.",
    "parameters": {
        "fast_period": {"type": "int", "default": 12, "min": 1, "max": 10000},
        "slow_period": {"type": "int", "default": 26, "min": 2, "max": 10000},
        "source": {"type": "str", "default": "close", "choices": ["open", "high", "low", "close"]},
    },
    "outputs": ["ppo"],
    "levels": [0],
    "warm_up": "25 * slow_period",
}


class PPO:
    def __init__(self, fast_period: int = 12, slow_period: int = 26, source: str = "close") -> None:
        if fast_period >= slow_period:
            raise ValueError(f"fast_period {fast_period} must be below slow_period {slow_period}: shorten it")
        self.fast_period = fast_period
        self.slow_period = slow_period
        self.source = source

    def calculate(self, data: pd.DataFrame) -> pd.Series:
        prices = data[self.source]
        above_slow = above_ema(prices, self.slow_period)
        return (100 * (above_slow - above_ema(prices, self.fast_period)) / (prices - above_slow)).rename("ppo")


if __name__ == "__main__":
    main(PPO, __metadata__)
