"""How far and for how long equity was under its peak.

The peak starts at the capital: a run that only loses is under water from its first bar.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sptrader_desktop.core.calendar import HOUR_US
from sptrader_desktop.core.candles import Int64Array


@dataclass(frozen=True, slots=True)
class Drawdown:
    """`depth` is the greatest fall as a positive fraction of the peak before it (over 1 if equity fell below zero), `peak_at` the last
    instant on that peak and `trough_at` the first at the bottom.

    `longest_hours` is the longest time under water, whichever fall it was: from the last instant on a peak to the first back on it or
    above, or to the end (as backtesting.py; ffn counts whole days).
    """

    depth: float
    longest_hours: float
    peak_at: int | None = None
    trough_at: int | None = None


def drawdown_series(equity: Int64Array, capital: int) -> NDArray[np.float64]:
    """The fall from the peak so far, as a positive fraction of it, at every instant."""
    peak = _peaks(equity, capital)
    return (peak - equity) / peak


def deepest_drawdown(times: Int64Array, equity: Int64Array, capital: int, began: int) -> Drawdown:
    """`began` is the instant at which the capital was still whole, in case the first equity is already under it."""
    peak = _peaks(equity, capital)
    is_under = equity < peak
    changes = np.flatnonzero(is_under[1:] != is_under[:-1]) + 1
    if len(equity) and is_under[0]:
        changes = np.append(0, changes)
    if not len(changes):
        return Drawdown(0.0, 0.0)
    # Every other change goes under and the one after it comes back; while under water the peak stays.
    starts, returns = changes[0::2], changes[1::2]
    at_peak = np.where(starts > 0, times[starts - 1], began)
    until = np.append(times[returns], times[-1:] if len(returns) < len(starts) else [])
    bottoms = np.minimum.reduceat(equity, starts)
    depths = (peak[starts] - bottoms) / peak[starts]
    worst = int(np.argmax(depths))
    trough = int(starts[worst]) + int(np.argmax(equity[starts[worst] :] == bottoms[worst]))
    return Drawdown(float(depths[worst]), int((until - at_peak).max()) / HOUR_US, int(at_peak[worst]), int(times[trough]))


def _peaks(equity: Int64Array, capital: int) -> Int64Array:
    peaks = np.maximum.accumulate(equity)
    peaks[: np.searchsorted(peaks, capital)] = capital
    return peaks
