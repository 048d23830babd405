"""A filter: is there a trend at all, and which way? On every bar one of uptrend, downtrend and range."""

from collections.abc import Mapping

import pandas as pd

from sptrader_desktop.sdk import above, below, events_where, main

__metadata_version__ = 2
__metadata__ = {
    "name": "adx_trend",
    "description": "Holds on every bar: range with the ADX under the threshold, else uptrend or downtrend by the larger directional index.",
    "parameters": {
        "period": {"type": "int", "default": 14, "min": 2, "max": 1000},
        "threshold": {"type": "float", "default": 25, "min": 1, "max": 99},
    },
    "required_indicators": [{"name": "adx", "type": "adx", "params": {"period": "period"}}],
    "event_types": ["uptrend", "downtrend", "range"],
    "outputs": ["adx", "plus_di", "minus_di"],
    "warm_up": "65 * period",
}

# Strength is the ADX: 50 is full, few markets trend harder.
FULL_STRENGTH_ADX = 50


class ADXTrend:
    def __init__(self, period: int = 14, threshold: float = 25) -> None:
        self.threshold = threshold

    def evaluate(self, data: pd.DataFrame, indicators: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        lines = indicators["adx"]
        adx, plus, minus = lines["adx"], lines["plus_di"], lines["minus_di"]
        is_range = below(adx, self.threshold)
        return events_where(
            data,
            {"uptrend": ~is_range & above(plus, minus, 100), "downtrend": ~is_range & below(plus, minus, 100), "range": is_range},
            adx / FULL_STRENGTH_ADX,
            adx=adx,
            plus_di=plus,
            minus_di=minus,
        )


if __name__ == "__main__":
    main(ADXTrend, __metadata__)
