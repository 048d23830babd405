"""The close leaves the Ichimoku cloud, as the cloud stands on that bar."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from sptrader_desktop.sdk import above, below, events_where, falls_below, main, rises_above

__metadata_version__ = 2
__metadata__ = {
    "name": "ichimoku_breakout",
    "description": "An event on the bar whose close comes out above both spans of the cloud, or below both.",
    "parameters": {
        "tenkan_period": {"type": "int", "default": 9, "min": 1, "max": 1000},
        "kijun_period": {"type": "int", "default": 26, "min": 1, "max": 1000},
        "senkou_period": {"type": "int", "default": 52, "min": 1, "max": 1000},
        "displacement": {"type": "int", "default": 26, "min": 0, "max": 1000},
    },
    "required_indicators": [
        {
            "name": "ichimoku",
            "type": "ichimoku",
            "params": {
                "tenkan_period": "tenkan_period",
                "kijun_period": "kijun_period",
                "senkou_period": "senkou_period",
                "displacement": "displacement",
            },
        }
    ],
    "event_types": ["breakout_up", "breakout_down"],
    "outputs": ["tenkan", "kijun", "senkou_a", "senkou_b", "current_price"],
    "warm_up": "max(tenkan_period, kijun_period, senkou_period) + displacement + 1",
}


class IchimokuBreakout:
    def __init__(self, tenkan_period: int = 9, kijun_period: int = 26, senkou_period: int = 52, displacement: int = 26) -> None:
        self.senkou_period = senkou_period

    def evaluate(self, data: pd.DataFrame, indicators: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        lines, close = indicators["ichimoku"], data["close"]
        first, second = lines["senkou_a"], lines["senkou_b"]
        up = rises_above(close, np.maximum(first, second))
        down = falls_below(close, np.minimum(first, second))
        confirmed = np.where(up, above(lines["tenkan"], lines["kijun"]), below(lines["tenkan"], lines["kijun"]))
        # Strength is 1 when tenkan already stands on the breakout's side of kijun, else a half.
        return events_where(
            data,
            {"breakout_up": up, "breakout_down": down},
            np.where(confirmed, 1.0, 0.5),
            tenkan=lines["tenkan"],
            kijun=lines["kijun"],
            senkou_a=first,
            senkou_b=second,
            current_price=close,
        )


if __name__ == "__main__":
    main(IchimokuBreakout, __metadata__)
