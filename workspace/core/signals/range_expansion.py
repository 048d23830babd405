"""One bar travels much further than bars did before it, and closes near where it was going."""

from collections.abc import Mapping

import pandas as pd

from sptrader_desktop.sdk import above, events_where, main

__metadata_version__ = 2
__metadata__ = {
    "name": "range_expansion",
    "description": "An event on the bar whose true range is `multiple` times the ATR before it, closing in the outer quarter of its range.",
    "parameters": {
        "period": {"type": "int", "default": 14, "min": 1, "max": 1000},
        "multiple": {"type": "float", "default": 2, "min": 1, "max": 20},
    },
    "required_indicators": [
        {"name": "true_range", "type": "true_range"},
        {"name": "atr", "type": "atr", "params": {"period": "period"}},
    ],
    "event_types": ["breakout_up", "breakout_down"],
    "outputs": ["true_range", "atr_before", "ratio", "current_price"],
    "warm_up": "45 * period + 1",
}

OUTER = 0.25


class RangeExpansion:
    def __init__(self, period: int = 14, multiple: float = 2) -> None:
        self.multiple = multiple

    def evaluate(self, data: pd.DataFrame, indicators: Mapping[str, pd.Series]) -> pd.DataFrame:
        true_range, before = indicators["true_range"], indicators["atr"].shift(1)
        is_wide = ~above(self.multiple * before, true_range, data["close"]) & above(true_range, 0, data["close"])
        place = (data["close"] - data["low"]) / (data["high"] - data["low"])
        ratio = true_range / before
        # Strength is what the ratio has above the multiple: twice the multiple is full.
        return events_where(
            data,
            {"breakout_up": is_wide & (place > 1 - OUTER), "breakout_down": is_wide & (place < OUTER)},
            ratio / self.multiple - 1,
            true_range=true_range,
            atr_before=before,
            ratio=ratio,
            current_price=data["close"],
        )


if __name__ == "__main__":
    main(RangeExpansion, __metadata__)
