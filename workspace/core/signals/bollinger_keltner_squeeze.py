"""The Bollinger bands shrink into the Keltner channel and come out again: quiet markets do not stay quiet."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from sptrader_desktop.sdk import above, below, events_where, main

__metadata_version__ = 2
__metadata__ = {
    "name": "bollinger_keltner_squeeze",
    "description": "squeeze on every bar with the Bollinger bands inside the Keltner channel; on the first bar after it released_up or"
    " released_down, by the side of the middle on which the close lies.",
    "parameters": {
        "period": {"type": "int", "default": 20, "min": 2, "max": 1000},
        "deviations": {"type": "float", "default": 2, "min": 0.1, "max": 10},
        "multiplier": {"type": "float", "default": 1.5, "min": 0.1, "max": 20},
    },
    "required_indicators": [
        {"name": "bollinger", "type": "bollinger", "params": {"period": "period", "deviations": "deviations"}},
        {"name": "keltner", "type": "keltner", "params": {"period": "period", "atr_period": "period", "multiplier": "multiplier"}},
    ],
    "event_types": ["squeeze", "released_up", "released_down"],
    "outputs": ["squeezed_bars", "bollinger_middle", "current_price"],
    "warm_up": "46 * period",
}


class BollingerKeltnerSqueeze:
    def __init__(self, period: int = 20, deviations: float = 2, multiplier: float = 1.5) -> None:
        self.period = period

    def evaluate(self, data: pd.DataFrame, indicators: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        bands, channel, close = indicators["bollinger"], indicators["keltner"], data["close"]
        known = (bands["upper"] - channel["upper"]).notna()
        squeezed = below(bands["upper"], channel["upper"]) & above(bands["lower"], channel["lower"])
        is_released = ~squeezed & np.append(False, squeezed[:-1])
        squeezed_bars = pd.Series(squeezed, data.index).where(known).rolling(self.period).sum()
        # Strength is the share of the last `period` bars that were squeezed.
        return events_where(
            data,
            {
                "squeeze": squeezed,
                "released_up": is_released & above(close, bands["middle"]),
                "released_down": is_released & below(close, bands["middle"]),
            },
            squeezed_bars / self.period,
            squeezed_bars=squeezed_bars,
            bollinger_middle=bands["middle"],
            current_price=close,
        )


if __name__ == "__main__":
    main(BollingerKeltnerSqueeze, __metadata__)
