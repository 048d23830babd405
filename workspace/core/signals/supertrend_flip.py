"""The Supertrend changes sides: the close went through the band that trailed it."""

from collections.abc import Mapping

import pandas as pd

from sptrader_desktop.sdk import events_where, falls_below, main, rises_above

__metadata_version__ = 2
__metadata__ = {
    "name": "supertrend_flip",
    "description": "An event on the bar on which the Supertrend turns from falling to rising, or back.",
    "parameters": {
        "period": {"type": "int", "default": 10, "min": 2, "max": 1000},
        "multiplier": {"type": "float", "default": 3, "min": 0.1, "max": 100},
    },
    "required_indicators": [{"name": "supertrend", "type": "supertrend", "params": {"period": "period", "multiplier": "multiplier"}}],
    "event_types": ["flip_up", "flip_down"],
    "outputs": ["supertrend", "current_price"],
    "warm_up": "all",
}

# Strength is the way from the close to the new band, the room the trade is given: one percent of the price is full.
FULL_STRENGTH_ROOM = 0.01


class SupertrendFlip:
    def __init__(self, period: int = 10, multiplier: float = 3) -> None:
        self.period, self.multiplier = period, multiplier

    def evaluate(self, data: pd.DataFrame, indicators: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        band, direction, close = indicators["supertrend"]["supertrend"], indicators["supertrend"]["direction"], data["close"]
        return events_where(
            data,
            {"flip_up": rises_above(direction, 0), "flip_down": falls_below(direction, 0)},
            (close - band).abs() / close / FULL_STRENGTH_ROOM,
            supertrend=band,
            current_price=close,
        )


if __name__ == "__main__":
    main(SupertrendFlip, __metadata__)
