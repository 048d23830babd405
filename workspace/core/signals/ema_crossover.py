"""A fast exponential average crosses a slow one: quicker to turn than plain averages, and more often wrong."""

from collections.abc import Mapping

import pandas as pd

from sptrader_desktop.sdk import events_where, falls_below, main, rises_above

__metadata_version__ = 2
__metadata__ = {
    "name": "ema_crossover",
    "description": "An event on the bar whose close brings the fast exponential average to the other side of the slow one.",
    "parameters": {
        "fast_period": {"type": "int", "default": 12, "min": 1, "max": 5000},
        "slow_period": {"type": "int", "default": 26, "min": 2, "max": 5000},
    },
    "required_indicators": [
        {"name": "ema_fast", "type": "ema", "params": {"period": "fast_period"}},
        {"name": "ema_slow", "type": "ema", "params": {"period": "slow_period"}},
    ],
    "event_types": ["golden_cross", "death_cross"],
    "outputs": ["ema_fast", "ema_slow", "current_price"],
    "warm_up": "20 * slow_period + 1",
}

# Strength is the gap between the averages: a tenth of a percent of the slow one is full.
FULL_STRENGTH_GAP = 0.001


class EMACrossover:
    def __init__(self, fast_period: int = 12, slow_period: int = 26) -> None:
        if fast_period >= slow_period:
            raise ValueError(f"fast_period {fast_period} must be below slow_period {slow_period}: shorten it")

    def evaluate(self, data: pd.DataFrame, indicators: Mapping[str, pd.Series]) -> pd.DataFrame:
        fast, slow = indicators["ema_fast"], indicators["ema_slow"]
        return events_where(
            data,
            {"golden_cross": rises_above(fast, slow), "death_cross": falls_below(fast, slow)},
            (fast - slow).abs() / slow / FULL_STRENGTH_GAP,
            ema_fast=fast,
            ema_slow=slow,
            current_price=data["close"],
        )


if __name__ == "__main__":
    main(EMACrossover, __metadata__)
