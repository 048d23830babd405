"""Aroon up and down cross: the newer extreme of the last bars has changed sides."""

from collections.abc import Mapping

import pandas as pd

from sptrader_desktop.sdk import events_where, falls_below, main, rises_above

__metadata_version__ = 2
__metadata__ = {
    "name": "aroon_crossover",
    "description": "An event on the bar on which Aroon up comes above Aroon down, or below it.",
    "parameters": {"period": {"type": "int", "default": 25, "min": 2, "max": 5000}},
    "required_indicators": [{"name": "aroon", "type": "aroon", "params": {"period": "period"}}],
    "event_types": ["bullish_cross", "bearish_cross"],
    "outputs": ["up", "down", "oscillator", "current_price"],
    "warm_up": "period + 2",
}


class AroonCrossover:
    def __init__(self, period: int = 25) -> None:
        self.period = period

    def evaluate(self, data: pd.DataFrame, indicators: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        lines = indicators["aroon"]
        up, down, oscillator = lines["up"], lines["down"], lines["oscillator"]
        # Strength is the distance of the two, of 100: full when one extreme is new and the other about to be forgotten.
        return events_where(
            data,
            {"bullish_cross": rises_above(up, down, 100), "bearish_cross": falls_below(up, down, 100)},
            oscillator.abs() / 100,
            up=up,
            down=down,
            oscillator=oscillator,
            current_price=data["close"],
        )


if __name__ == "__main__":
    main(AroonCrossover, __metadata__)
