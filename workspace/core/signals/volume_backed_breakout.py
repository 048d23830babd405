"""The close enters the top or the bottom of its recent closes while volume moves along with it. Needs candles with volume."""

from collections.abc import Mapping

import pandas as pd

from sptrader_desktop.sdk import above, below, events_where, falls_below, main, rises_above

__metadata_version__ = 2
__metadata__ = {
    "name": "volume_backed_breakout",
    "description": "An event on the bar whose close comes to rank among the highest, or lowest, of `period`, while volume grows that way.",
    "parameters": {
        "period": {"type": "int", "default": 50, "min": 3, "max": 5000},
        "outer": {
            "type": "float",
            "default": 10,
            "min": 1,
            "max": 50,
            "description": "percent of the closes that count as highest or lowest",
        },
        "correlation": {"type": "float", "default": 0.1, "min": 0, "max": 0.99, "description": "of close and volume, at least"},
    },
    "required_indicators": [
        {"name": "rank", "type": "percentile_rank", "params": {"period": "period"}},
        {"name": "correlation", "type": "rolling_correlation", "params": {"period": "period"}},
    ],
    "event_types": ["breakout_up", "breakout_down"],
    "outputs": ["rank", "correlation", "current_price"],
    "warm_up": "period + 2",
}


class VolumeBackedBreakout:
    def __init__(self, period: int = 50, outer: float = 10, correlation: float = 0.1) -> None:
        self.outer, self.correlation = outer, correlation

    def evaluate(self, data: pd.DataFrame, indicators: Mapping[str, pd.Series]) -> pd.DataFrame:
        rank, correlation = indicators["rank"], indicators["correlation"]
        # Strength is the size of the correlation.
        return events_where(
            data,
            {
                "breakout_up": rises_above(rank, 100 - self.outer, 100) & above(correlation, self.correlation, 1),
                "breakout_down": falls_below(rank, self.outer, 100) & below(correlation, -self.correlation, 1),
            },
            correlation.abs(),
            rank=rank,
            correlation=correlation,
            current_price=data["close"],
        )


if __name__ == "__main__":
    main(VolumeBackedBreakout, __metadata__)
