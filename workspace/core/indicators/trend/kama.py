"""Kaufman's adaptive moving average: quick when prices go straight, slow when they go to and fro.

A Python loop, since each bar's pace is its own. In the worst case, prices that come back every `period` bars, it follows at the slow pace
alone: the warm-up is for that.
"""

import pandas as pd

from sptrader_desktop.sdk import main, window_sum

__metadata_version__ = 2
__metadata__ = {
    "name": "kama",
    "title": "Kaufman Adaptive Moving Average (KAMA)",
    "family": "trend",
    "description": "Moves towards the price at a pace between those of two EMAs, by how direct the way of the last `period` bars was.",
    "parameters": {
        "period": {"type": "int", "default": 10, "min": 1, "max": 10000},
        "fast_period": {"type": "int", "default": 2, "min": 1, "max": 1000},
        "slow_period": {"type": "int", "default": 30, "min": 2, "max": 1000},
        "source": {"type": "str", "default": "close", "choices": ["open", "high", "low", "close"]},
    },
    "outputs": ["kama"],
    "warm_up": "period + 6 * (slow_period + 1) * (slow_period + 1)",
}


class KAMA:
    def __init__(self, period: int = 10, fast_period: int = 2, slow_period: int = 30, source: str = "close") -> None:
        if fast_period >= slow_period:
            raise ValueError(f"fast_period {fast_period} must be below slow_period {slow_period}: shorten it")
        self.period = period
        self.fast_period = fast_period
        self.slow_period = slow_period
        self.source = source

    def calculate(self, data: pd.DataFrame) -> pd.Series:
        prices = data[self.source]
        way = window_sum(prices.diff().abs(), self.period)
        straight = (prices.diff(self.period).abs() / way).where(way != 0, 1.0).clip(upper=1.0)
        fast, slow = 2 / (self.fast_period + 1), 2 / (self.slow_period + 1)
        paces = (straight * (fast - slow) + slow) ** 2
        values = [float("nan")] * len(prices)
        if len(prices) > self.period:
            kama = float(prices.iloc[self.period - 1])
            following = zip(prices.iloc[self.period :].to_list(), paces.iloc[self.period :].to_list(), strict=True)
            for bar, (price, pace) in enumerate(following, self.period):
                kama += pace * (price - kama)
                values[bar] = kama
        return pd.Series(values, index=data.index, name="kama")


if __name__ == "__main__":
    main(KAMA, __metadata__)
