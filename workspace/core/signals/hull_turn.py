"""The Hull average turns round: it is smooth enough that its direction alone is a signal."""

from collections.abc import Mapping

import pandas as pd

from sptrader_desktop.sdk import events_where, falls_below, main, rises_above

__metadata_version__ = 2
__metadata__ = {
    "name": "hull_turn",
    "description": "An event on the bar on which the Hull average begins to rise after it did not, or to fall.",
    "parameters": {"period": {"type": "int", "default": 21, "min": 2, "max": 5000}},
    "required_indicators": [{"name": "hma", "type": "hma", "params": {"period": "period"}}],
    "event_types": ["turns_up", "turns_down"],
    "outputs": ["hma", "slope", "current_price"],
    "warm_up": "2 * period + 2",
}

# Strength is how steep it is on the bar after the turn: two hundredths of a percent a bar is full.
FULL_STRENGTH_SLOPE = 0.0002


class HullTurn:
    def __init__(self, period: int = 21) -> None:
        self.period = period

    def evaluate(self, data: pd.DataFrame, indicators: Mapping[str, pd.Series]) -> pd.DataFrame:
        hma = indicators["hma"]
        slope = hma.diff()
        return events_where(
            data,
            {"turns_up": rises_above(slope, 0, hma), "turns_down": falls_below(slope, 0, hma)},
            slope.abs() / hma / FULL_STRENGTH_SLOPE,
            hma=hma,
            slope=slope,
            current_price=data["close"],
        )


if __name__ == "__main__":
    main(HullTurn, __metadata__)
