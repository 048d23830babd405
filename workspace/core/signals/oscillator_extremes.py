"""A filter: Williams %R and the stochastic RSI agree that the price has gone far; one looks at the range, the other at its momentum."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from sptrader_desktop.sdk import above, below, events_where, main

__metadata_version__ = 2
__metadata__ = {
    "name": "oscillator_extremes",
    "description": "Holds on every bar on which Williams %R and the stochastic RSI both lie in the same outer zone of their scales.",
    "parameters": {
        "period": {"type": "int", "default": 14, "min": 2, "max": 1000},
        "zone": {"type": "float", "default": 20, "min": 1, "max": 50},
    },
    "required_indicators": [
        {"name": "williams_r", "type": "williams_r", "params": {"period": "period"}},
        {"name": "stochastic_rsi", "type": "stochastic_rsi", "params": {"period": "period", "stochastic_period": "period"}},
    ],
    "event_types": ["oversold", "overbought"],
    "outputs": ["williams_r", "stochastic_rsi"],
    "warm_up": "61 * period + 6",
}


class OscillatorExtremes:
    def __init__(self, period: int = 14, zone: float = 20) -> None:
        self.zone = zone

    def evaluate(self, data: pd.DataFrame, indicators: Mapping[str, pd.Series | pd.DataFrame]) -> pd.DataFrame:
        # Both from 0 to 100.
        williams, stochastic = indicators["williams_r"] + 100, indicators["stochastic_rsi"]["k"]
        # Strength is how deep in the zone the shallower of the two lies: 0 at its border, 1 at the end of the scale.
        low, high = np.maximum(williams, stochastic), np.minimum(williams, stochastic)
        oversold, overbought = below(low, self.zone, 100), above(high, 100 - self.zone, 100)
        return events_where(
            data,
            {"oversold": oversold, "overbought": overbought},
            np.where(oversold, self.zone - low, high - (100 - self.zone)) / self.zone,
            williams_r=indicators["williams_r"],
            stochastic_rsi=stochastic,
        )


if __name__ == "__main__":
    main(OscillatorExtremes, __metadata__)
