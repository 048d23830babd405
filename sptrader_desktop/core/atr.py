"""Wilder's average true range of raw candles in ticks; the first value is the mean of the true ranges of bars 1 to `period`."""

import numpy as np

from sptrader_desktop.core.compiled import compiled
from sptrader_desktop.core.tables import Floats, Ints


@compiled
def true_range(high: Ints, low: Ints, close: Ints, bar: int) -> int:
    before = close[bar - 1]
    return int(max(high[bar], before) - min(low[bar], before))


@compiled
def wilder_atr(high: Ints, low: Ints, close: Ints, period: int) -> Floats:
    """Not a number until bar index `period`: bar 0 has no true range."""
    values = np.full(len(close), np.nan)
    if len(close) <= period:
        return values
    total = 0
    for bar in range(1, period + 1):
        total += true_range(high, low, close, bar)
    atr = total / period
    values[period] = atr
    for bar in range(period + 1, len(close)):
        atr = (atr * (period - 1) + true_range(high, low, close, bar)) / period
        values[bar] = atr
    return values
