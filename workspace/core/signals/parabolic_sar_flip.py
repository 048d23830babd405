"""Wilder's stop and reverse: the price went through the dots, and they begin anew on its other side."""

from collections.abc import Mapping

import pandas as pd

from sptrader_desktop.sdk import events_where, falls_below, main, rises_above

__metadata_version__ = 2
__metadata__ = {
    "name": "parabolic_sar_flip",
    "description": "An event on the bar on which the parabolic SAR turns from falling to rising, or back.",
    "parameters": {
        "step": {"type": "float", "default": 0.02, "min": 0.001, "max": 0.5},
        "maximum": {"type": "float", "default": 0.2, "min": 0.001, "max": 1},
    },
    "required_indicators": [{"name": "sar", "type": "parabolic_sar", "params": {"step": "step", "maximum": "maximum"}}],
    "event_types": ["flip_up", "flip_down"],
    "outputs": ["sar", "current_price"],
    "warm_up": "all",
}

# Strength is the way from the close to the first dot, the room the trade is given: one percent of the price is full.
FULL_STRENGTH_ROOM = 0.01


class ParabolicSARFlip:
    def __init__(self, step: float = 0.02, maximum: float = 0.2) -> None:
        self.step, self.maximum = step, maximum

    def evaluate(self, data: pd.DataFrame, indicators: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        sar, direction, close = indicators["sar"]["sar"], indicators["sar"]["direction"], data["close"]
        return events_where(
            data,
            {"flip_up": rises_above(direction, 0), "flip_down": falls_below(direction, 0)},
            (close - sar).abs() / close / FULL_STRENGTH_ROOM,
            sar=sar,
            current_price=close,
        )


if __name__ == "__main__":
    main(ParabolicSARFlip, __metadata__)
