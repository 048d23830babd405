"""The stochastic's %K crosses %D; at the ends of the scale that is a turn, in its middle it is noise."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from sptrader_desktop.sdk import events_where, falls_below, main, rises_above

__metadata_version__ = 2
__metadata__ = {
    "name": "stochastic_crossover",
    "description": "An event on the bar on which %K comes above %D, or below it.",
    "parameters": {
        "k_period": {"type": "int", "default": 14, "min": 1, "max": 5000},
        "k_smooth": {"type": "int", "default": 3, "min": 1, "max": 500},
        "d_period": {"type": "int", "default": 3, "min": 1, "max": 500},
    },
    "required_indicators": [
        {"name": "stochastic", "type": "stochastic", "params": {"k_period": "k_period", "k_smooth": "k_smooth", "d_period": "d_period"}}
    ],
    "event_types": ["bullish_cross", "bearish_cross"],
    "outputs": ["k", "d", "current_price"],
    "warm_up": "k_period + k_smooth + d_period + 1",
}


class StochasticCrossover:
    def __init__(self, k_period: int = 14, k_smooth: int = 3, d_period: int = 3) -> None:
        self.k_period = k_period

    def evaluate(self, data: pd.DataFrame, indicators: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        k, d = indicators["stochastic"]["k"], indicators["stochastic"]["d"]
        up, down = rises_above(k, d, 100), falls_below(k, d, 100)
        # Strength is how far %D lies on the side that is turned away from: 1 at that end of the scale, 0 from its middle on.
        return events_where(
            data,
            {"bullish_cross": up, "bearish_cross": down},
            np.where(up, 50 - d, d - 50) / 50,
            k=k,
            d=d,
            current_price=data["close"],
        )


if __name__ == "__main__":
    main(StochasticCrossover, __metadata__)
