"""A fast triple exponential average crosses a slow double one: both are built to lag less than the averages they are made of."""

from collections.abc import Mapping

import pandas as pd

from sptrader_desktop.sdk import events_where, falls_below, main, rises_above

__metadata_version__ = 2
__metadata__ = {
    "name": "low_lag_crossover",
    "description": "An event on the bar whose close brings the fast TEMA to the other side of the slow DEMA.",
    "parameters": {
        "fast_period": {"type": "int", "default": 9, "min": 1, "max": 2000},
        "slow_period": {"type": "int", "default": 26, "min": 2, "max": 2000},
    },
    "required_indicators": [
        {"name": "tema", "type": "tema", "params": {"period": "fast_period"}},
        {"name": "dema", "type": "dema", "params": {"period": "slow_period"}},
    ],
    "event_types": ["bullish_cross", "bearish_cross"],
    "outputs": ["tema", "dema", "current_price"],
    "warm_up": "25 * slow_period + 1",
}

# Strength is the gap between the averages: a tenth of a percent of the slow one is full.
FULL_STRENGTH_GAP = 0.001


class LowLagCrossover:
    def __init__(self, fast_period: int = 9, slow_period: int = 26) -> None:
        if fast_period >= slow_period:
            raise ValueError(f"fast_period {fast_period} must be below slow_period {slow_period}: shorten it")

    def evaluate(self, data: pd.DataFrame, indicators: Mapping[str, pd.Series]) -> pd.DataFrame:
        tema, dema = indicators["tema"], indicators["dema"]
        return events_where(
            data,
            {"bullish_cross": rises_above(tema, dema), "bearish_cross": falls_below(tema, dema)},
            (tema - dema).abs() / dema / FULL_STRENGTH_GAP,
            tema=tema,
            dema=dema,
            current_price=data["close"],
        )


if __name__ == "__main__":
    main(LowLagCrossover, __metadata__)
