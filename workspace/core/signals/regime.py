"""The regime of the market: trend, range or volatile, exactly one of them on every bar."""

from collections.abc import Mapping

import pandas as pd

from sptrader_desktop.sdk import events_where, main, ratio, ticks, window_sum

__metadata_version__ = 2
__metadata__ = {
    "name": "regime",
    "description": "Holds on every bar: volatile with the normalised ATR ranking high among those of `lookback` bars, else trend or range,"
    " by how direct the way of the last `period` closes was.",
    "parameters": {
        "period": {"type": "int", "default": 20, "min": 2, "max": 1000},
        "direct": {"type": "float", "default": 0.3, "min": 0.05, "max": 0.95, "description": "efficiency from which it is a trend"},
        "atr_period": {"type": "int", "default": 14, "min": 2, "max": 1000},
        "lookback": {"type": "int", "default": 250, "min": 10, "max": 5000},
        "volatile": {"type": "float", "default": 0.9, "min": 0.5, "max": 0.99, "description": "ranks over it are volatile"},
    },
    "required_indicators": [{"name": "natr", "type": "natr", "params": {"period": "atr_period"}}],
    "event_types": ["trend", "range", "volatile"],
    "outputs": ["efficiency", "rank", "natr"],
    "warm_up": "max(45 * atr_period + lookback, period + 1)",
}

# Of a percent: as ranks go, ranges that differ by less are the same, and a market that stands still does not become ever quieter.
STEP_DECIMALS = 5


class Regime:
    def __init__(self, period: int = 20, direct: float = 0.3, atr_period: int = 14, lookback: int = 250, volatile: float = 0.9) -> None:
        self.period, self.direct, self.lookback, self.volatile = period, direct, lookback, volatile

    def evaluate(self, data: pd.DataFrame, indicators: Mapping[str, pd.Series]) -> pd.DataFrame:
        close, natr = pd.Series(ticks(data, "close"), index=data.index), indicators["natr"]
        # In whole ticks, so that the same way is as direct wherever the data starts; a market that stands still has no regime.
        efficiency = ratio(close.diff(self.period).abs(), window_sum(close.diff().abs(), self.period))
        rank = natr.round(STEP_DECIMALS).rolling(self.lookback).rank(pct=True)
        is_volatile, is_direct = rank > self.volatile, efficiency >= self.direct
        # Strength is the efficiency: 1 is a straight line, 0 a way that ends where it began.
        return events_where(
            data,
            {"trend": ~is_volatile & is_direct, "range": ~is_volatile & ~is_direct, "volatile": is_volatile},
            efficiency,
            efficiency=efficiency,
            rank=rank,
            natr=natr,
        )


if __name__ == "__main__":
    main(Regime, __metadata__)
