"""A fast moving average crosses a slow one: upwards is a golden cross, downwards a death cross."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from sptrader_desktop.sdk import crossed_above, crossed_below, events, main

__metadata_version__ = 2
__metadata__ = {
    "name": "ma_crossover",
    "description": "An event on the bar whose close brings the fast average from at or beyond the slow one to its other side.",
    "parameters": {
        "fast_period": {"type": "int", "default": 20, "min": 1, "max": 10000},
        "slow_period": {"type": "int", "default": 50, "min": 2, "max": 10000},
    },
    "required_indicators": [
        {"name": "ma_fast", "type": "sma", "params": {"period": "fast_period"}},
        {"name": "ma_slow", "type": "sma", "params": {"period": "slow_period"}},
    ],
    "event_types": ["golden_cross", "death_cross"],
    "outputs": ["ma_fast", "ma_slow", "current_price"],
    "warm_up": "slow_period + 1",
}

# A gap between the averages of a tenth of a percent of the slow one is full strength; hourly EURUSD crosses at about 0.09.
FULL_STRENGTH_GAP = 0.001


class MACrossover:
    def __init__(self, fast_period: int = 20, slow_period: int = 50) -> None:
        if fast_period >= slow_period:
            raise ValueError(f"fast_period {fast_period} must be below slow_period {slow_period}: shorten it")
        self.fast_period = fast_period
        self.slow_period = slow_period

    def evaluate(self, data: pd.DataFrame, indicators: Mapping[str, pd.Series]) -> pd.DataFrame:
        fast, slow = indicators["ma_fast"], indicators["ma_slow"]
        golden, death = crossed_above(fast, slow), crossed_below(fast, slow)
        crossed = golden | death
        fast, slow = fast[crossed], slow[crossed]
        return events(
            fast.index,
            np.where(golden[crossed], "golden_cross", "death_cross"),
            ((fast - slow).abs() / slow / FULL_STRENGTH_GAP).clip(upper=1.0),
            ma_fast=fast,
            ma_slow=slow,
            current_price=data["close"][crossed],
        )


if __name__ == "__main__":
    main(MACrossover, __metadata__)
