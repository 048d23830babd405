"""The money flow index comes back from an extreme; Chaikin's money flow beside it says who closed the bars."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from sptrader_desktop.sdk import events_where, falls_below, main, rises_above

__metadata_version__ = 2
__metadata__ = {
    "name": "money_flow_reversal",
    "description": "An event on the bar on which the money flow index rises above the oversold level, or falls below the overbought one.",
    "parameters": {
        "period": {"type": "int", "default": 14, "min": 2, "max": 5000},
        "oversold": {"type": "float", "default": 20, "min": 1, "max": 50},
        "overbought": {"type": "float", "default": 80, "min": 50, "max": 99},
    },
    "required_indicators": [
        {"name": "mfi", "type": "mfi", "params": {"period": "period"}},
        {"name": "cmf", "type": "chaikin_money_flow", "params": {"period": "period"}},
    ],
    "event_types": ["bullish_reversal", "bearish_reversal"],
    "outputs": ["mfi", "cmf", "current_price"],
    "warm_up": "period + 2",
}


class MoneyFlowReversal:
    def __init__(self, period: int = 14, oversold: float = 20, overbought: float = 80) -> None:
        self.oversold, self.overbought = oversold, overbought

    def evaluate(self, data: pd.DataFrame, indicators: Mapping[str, pd.Series]) -> pd.DataFrame:
        mfi = indicators["mfi"]
        before = mfi.shift(1)
        up, down = rises_above(mfi, self.oversold), falls_below(mfi, self.overbought)
        # Strength is how far into the extreme the bar before was: 0 at the level, 1 at the end of the scale.
        depth = np.where(up, (self.oversold - before) / self.oversold, (before - self.overbought) / (100 - self.overbought))
        return events_where(
            data,
            {"bullish_reversal": up, "bearish_reversal": down},
            depth,
            mfi=mfi,
            cmf=indicators["cmf"],
            current_price=data["close"],
        )


if __name__ == "__main__":
    main(MoneyFlowReversal, __metadata__)
