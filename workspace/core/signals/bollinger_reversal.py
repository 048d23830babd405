"""The close comes back into the Bollinger bands: a move that went too far, for those who fade it."""

from collections.abc import Mapping

import pandas as pd

from sptrader_desktop.sdk import events_where, falls_below, main, rises_above

__metadata_version__ = 2
__metadata__ = {
    "name": "bollinger_reversal",
    "description": "An event on the bar whose close comes back above the lower band, or back below the upper one.",
    "parameters": {
        "period": {"type": "int", "default": 20, "min": 2, "max": 5000},
        "deviations": {"type": "float", "default": 2, "min": 0.1, "max": 10},
    },
    "required_indicators": [{"name": "bands", "type": "bollinger", "params": {"period": "period", "deviations": "deviations"}}],
    "event_types": ["bullish_reversal", "bearish_reversal"],
    "outputs": ["upper", "middle", "lower", "width", "percent_b", "current_price"],
    "warm_up": "period + 1",
}


class BollingerReversal:
    def __init__(self, period: int = 20, deviations: float = 2) -> None:
        self.period = period

    def evaluate(self, data: pd.DataFrame, indicators: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        bands, close = indicators["bands"], data["close"]
        # Strength is how far beyond its band the close before lay: half the distance between middle and band is full.
        beyond = (close - bands["middle"]).abs() / (bands["upper"] - bands["middle"]) - 1
        return events_where(
            data,
            {"bullish_reversal": rises_above(close, bands["lower"]), "bearish_reversal": falls_below(close, bands["upper"])},
            2 * beyond.shift(1),
            **{name: bands[name] for name in ("upper", "middle", "lower", "width", "percent_b")},
            current_price=close,
        )


if __name__ == "__main__":
    main(BollingerReversal, __metadata__)
