"""A filter: is the market quiet, normal or volatile, against its own recent past?"""

from collections.abc import Mapping

import pandas as pd

from sptrader_desktop.sdk import events_where, main

__metadata_version__ = 2
__metadata__ = {
    "name": "volatility_filter",
    "description": "Holds on every bar: quiet, normal or volatile by the rank of the normalised ATR among those of `lookback` bars.",
    "parameters": {
        "period": {"type": "int", "default": 14, "min": 2, "max": 1000},
        "lookback": {"type": "int", "default": 250, "min": 10, "max": 5000},
        "quiet": {"type": "float", "default": 0.25, "min": 0.01, "max": 0.5, "description": "ranks under it are quiet"},
        "volatile": {"type": "float", "default": 0.75, "min": 0.5, "max": 0.99, "description": "ranks over it are volatile"},
    },
    "required_indicators": [
        {"name": "atr", "type": "atr", "params": {"period": "period"}},
        {"name": "natr", "type": "natr", "params": {"period": "period"}},
        {"name": "historical", "type": "historical_volatility", "params": {"period": "period"}},
    ],
    "event_types": ["quiet", "normal", "volatile"],
    "outputs": ["rank", "atr", "natr", "historical_volatility"],
    "warm_up": "45 * period + lookback",
}

# Of a percent: as ranks go, ranges that differ by less are the same, and a market that stands still does not become ever quieter.
STEP_DECIMALS = 5


class VolatilityFilter:
    def __init__(self, period: int = 14, lookback: int = 250, quiet: float = 0.25, volatile: float = 0.75) -> None:
        self.lookback, self.quiet, self.volatile = lookback, quiet, volatile

    def evaluate(self, data: pd.DataFrame, indicators: Mapping[str, pd.Series]) -> pd.DataFrame:
        natr = indicators["natr"]
        rank = natr.round(STEP_DECIMALS).rolling(self.lookback).rank(pct=True)
        # Strength is the rank itself: the share of the last bars that were not more volatile.
        return events_where(
            data,
            {"quiet": rank < self.quiet, "normal": rank.between(self.quiet, self.volatile), "volatile": rank > self.volatile},
            rank,
            rank=rank,
            atr=indicators["atr"],
            natr=natr,
            historical_volatility=indicators["historical"],
        )


if __name__ == "__main__":
    main(VolatilityFilter, __metadata__)
