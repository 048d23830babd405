"""The close comes back from far off its mean, counted in standard deviations."""

from collections.abc import Mapping

import pandas as pd

from sptrader_desktop.sdk import events_where, falls_below, main, rises_above

__metadata_version__ = 2
__metadata__ = {
    "name": "zscore_reversion",
    "description": "An event on the bar on which the z-score of the close rises above minus the threshold, or falls below the threshold.",
    "parameters": {
        "period": {"type": "int", "default": 50, "min": 2, "max": 5000},
        "threshold": {"type": "float", "default": 2, "min": 0.1, "max": 10},
    },
    "required_indicators": [{"name": "zscore", "type": "zscore", "params": {"period": "period"}}],
    "event_types": ["bullish_reversal", "bearish_reversal"],
    "outputs": ["zscore", "current_price"],
    "warm_up": "period + 1",
}


class ZScoreReversion:
    def __init__(self, period: int = 50, threshold: float = 2) -> None:
        self.threshold = threshold

    def evaluate(self, data: pd.DataFrame, indicators: Mapping[str, pd.Series]) -> pd.DataFrame:
        zscore = indicators["zscore"]
        # Strength is how far beyond the threshold the bar before was: one and a half times the threshold is full.
        return events_where(
            data,
            {"bullish_reversal": rises_above(zscore, -self.threshold), "bearish_reversal": falls_below(zscore, self.threshold)},
            2 * (zscore.shift(1).abs() / self.threshold - 1),
            zscore=zscore,
            current_price=data["close"],
        )


if __name__ == "__main__":
    main(ZScoreReversion, __metadata__)
