"""The commodity channel index comes back from beyond its level."""

from collections.abc import Mapping

import pandas as pd

from sptrader_desktop.sdk import events_where, falls_below, main, rises_above

__metadata_version__ = 2
__metadata__ = {
    "name": "cci_reversal",
    "description": "An event on the bar on which the CCI rises above minus the level, or falls below the level.",
    "parameters": {
        "period": {"type": "int", "default": 20, "min": 2, "max": 5000},
        "level": {"type": "float", "default": 100, "min": 1, "max": 1000},
    },
    "required_indicators": [{"name": "cci", "type": "cci", "params": {"period": "period"}}],
    "event_types": ["bullish_reversal", "bearish_reversal"],
    "outputs": ["cci", "current_price"],
    "warm_up": "2 * period + 1",
}


class CCIReversal:
    def __init__(self, period: int = 20, level: float = 100) -> None:
        self.level = level

    def evaluate(self, data: pd.DataFrame, indicators: Mapping[str, pd.Series]) -> pd.DataFrame:
        cci = indicators["cci"]
        # Strength is how far beyond the level the bar before was: twice the level is full.
        return events_where(
            data,
            {"bullish_reversal": rises_above(cci, -self.level), "bearish_reversal": falls_below(cci, self.level)},
            cci.shift(1).abs() / self.level - 1,
            cci=cci,
            current_price=data["close"],
        )


if __name__ == "__main__":
    main(CCIReversal, __metadata__)
