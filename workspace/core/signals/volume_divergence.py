"""The close makes a new extreme and volume does not go with it: neither on-balance volume nor accumulation/distribution does."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from sptrader_desktop.sdk import above, below, events_where, main

__metadata_version__ = 2
__metadata__ = {
    "name": "volume_divergence",
    "description": "An event on the bar whose close is the highest of the last `period`, or the lowest, while the volume lines are not.",
    "parameters": {"period": {"type": "int", "default": 20, "min": 3, "max": 5000}},
    "required_indicators": [
        {"name": "obv", "type": "obv"},
        {"name": "accumulation", "type": "accumulation_distribution"},
    ],
    "event_types": ["bullish_divergence", "bearish_divergence"],
    "outputs": ["obv_place", "accumulation_place", "current_price"],
    "warm_up": "all",
}


class VolumeDivergence:
    """A line's place is 0 at the lowest of its last `period` values and 1 at the highest."""

    def __init__(self, period: int = 20) -> None:
        self.period = period

    def evaluate(self, data: pd.DataFrame, indicators: Mapping[str, pd.Series]) -> pd.DataFrame:
        close = data["close"]
        high, low = close.rolling(self.period).max(), close.rolling(self.period).min()
        obv, accumulation = self._place(indicators["obv"]), self._place(indicators["accumulation"])
        falls, rises = (close == low) & (low < high), (close == high) & (low < high)
        bullish, bearish = falls & above(np.minimum(obv, accumulation), 0, 1), rises & below(np.maximum(obv, accumulation), 1, 1)
        # Strength is how far the line that went along better stays from its own extreme.
        return events_where(
            data,
            {"bullish_divergence": bullish, "bearish_divergence": bearish},
            np.where(bullish, np.minimum(obv, accumulation), 1 - np.maximum(obv, accumulation)),
            obv_place=obv,
            accumulation_place=accumulation,
            current_price=close,
        )

    def _place(self, line: pd.Series) -> pd.Series:
        low, high = line.rolling(self.period).min(), line.rolling(self.period).max()
        return (line - low) / (high - low).where(high > low)


if __name__ == "__main__":
    main(VolumeDivergence, __metadata__)
