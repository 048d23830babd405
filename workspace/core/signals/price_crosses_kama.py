"""The close crosses Kaufman's adaptive average, which hurries in trends and stands still in noise: it is crossed less often for nothing."""

from collections.abc import Mapping

import pandas as pd

from sptrader_desktop.sdk import events_where, falls_below, main, rises_above

__metadata_version__ = 2
__metadata__ = {
    "name": "price_crosses_kama",
    "description": "An event on the bar whose close comes to the other side of Kaufman's adaptive average.",
    "parameters": {
        "period": {"type": "int", "default": 10, "min": 2, "max": 1000},
        "fast_period": {"type": "int", "default": 2, "min": 1, "max": 100, "description": "of the average when the price runs straight"},
        "slow_period": {"type": "int", "default": 30, "min": 2, "max": 300, "description": "of the average when it goes nowhere"},
    },
    "required_indicators": [
        {"name": "kama", "type": "kama", "params": {"period": "period", "fast_period": "fast_period", "slow_period": "slow_period"}}
    ],
    "event_types": ["crosses_above", "crosses_below"],
    "outputs": ["kama", "current_price"],
    "warm_up": "period + 6 * (slow_period + 1) * (slow_period + 1) + 1",
}

# Strength is the way from average to close: half a percent of the average is full.
FULL_STRENGTH_DISTANCE = 0.005


class PriceCrossesKAMA:
    def __init__(self, period: int = 10, fast_period: int = 2, slow_period: int = 30) -> None:
        if fast_period >= slow_period:
            raise ValueError(f"fast_period {fast_period} must be below slow_period {slow_period}: shorten it")

    def evaluate(self, data: pd.DataFrame, indicators: Mapping[str, pd.Series]) -> pd.DataFrame:
        close, kama = data["close"], indicators["kama"]
        return events_where(
            data,
            {"crosses_above": rises_above(close, kama), "crosses_below": falls_below(close, kama)},
            (close - kama).abs() / kama / FULL_STRENGTH_DISTANCE,
            kama=kama,
            current_price=close,
        )


if __name__ == "__main__":
    main(PriceCrossesKAMA, __metadata__)
