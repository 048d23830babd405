"""The RSI comes back from an extreme: what was sold, or bought, too far begins to turn."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from sptrader_desktop.sdk import events_where, falls_below, main, rises_above

__metadata_version__ = 2
__metadata__ = {
    "name": "rsi_reversal",
    "description": "An event on the bar on which the RSI rises above the oversold level, or falls below the overbought one.",
    "parameters": {
        "period": {"type": "int", "default": 14, "min": 2, "max": 1000},
        "oversold": {"type": "float", "default": 30, "min": 1, "max": 50},
        "overbought": {"type": "float", "default": 70, "min": 50, "max": 99},
    },
    "required_indicators": [{"name": "rsi", "type": "rsi", "params": {"period": "period"}}],
    "event_types": ["bullish_reversal", "bearish_reversal"],
    "outputs": ["rsi", "current_price"],
    "warm_up": "45 * period + 1",
}


class RSIReversal:
    def __init__(self, period: int = 14, oversold: float = 30, overbought: float = 70) -> None:
        self.oversold, self.overbought = oversold, overbought

    def evaluate(self, data: pd.DataFrame, indicators: Mapping[str, pd.Series]) -> pd.DataFrame:
        rsi = indicators["rsi"]
        before = rsi.shift(1)
        up, down = rises_above(rsi, self.oversold), falls_below(rsi, self.overbought)
        # Strength is how far into the extreme the bar before was: 0 at the level, 1 at the end of the scale.
        depth = np.where(up, (self.oversold - before) / self.oversold, (before - self.overbought) / (100 - self.overbought))
        return events_where(
            data,
            {"bullish_reversal": up, "bearish_reversal": down},
            depth,
            rsi=rsi,
            current_price=data["close"],
        )


if __name__ == "__main__":
    main(RSIReversal, __metadata__)
