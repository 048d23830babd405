"""The close leaves the Bollinger bands: a move larger than the recent ones, for those who follow it."""

from collections.abc import Mapping

import pandas as pd

from sptrader_desktop.sdk import events_where, falls_below, main, rises_above

__metadata_version__ = 2
__metadata__ = {
    "name": "bollinger_breakout",
    "description": "An event on the bar whose close comes above the upper band, or below the lower one.",
    "parameters": {
        "period": {"type": "int", "default": 20, "min": 2, "max": 5000},
        "deviations": {"type": "float", "default": 2, "min": 0.1, "max": 10},
    },
    "required_indicators": [{"name": "bands", "type": "bollinger", "params": {"period": "period", "deviations": "deviations"}}],
    "event_types": ["breakout_up", "breakout_down"],
    "outputs": ["upper", "middle", "lower", "width", "percent_b", "current_price"],
    "warm_up": "period + 1",
}


class BollingerBreakout:
    def __init__(self, period: int = 20, deviations: float = 2) -> None:
        self.period = period

    def evaluate(self, data: pd.DataFrame, indicators: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        bands, close = indicators["bands"], data["close"]
        # Strength is how far beyond the band the close lies: half the distance between middle and band is full.
        beyond = (close - bands["middle"]).abs() / (bands["upper"] - bands["middle"]) - 1
        return events_where(
            data,
            {"breakout_up": rises_above(close, bands["upper"]), "breakout_down": falls_below(close, bands["lower"])},
            2 * beyond,
            **{name: bands[name] for name in ("upper", "middle", "lower", "width", "percent_b")},
            current_price=close,
        )


if __name__ == "__main__":
    main(BollingerBreakout, __metadata__)
