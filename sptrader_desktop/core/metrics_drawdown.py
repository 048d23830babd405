"""How far and for how long equity was under its peak.

The peak starts at the capital: a run that only loses is under water from its first bar.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sptrader_desktop.core.calendar import HOUR_US
from sptrader_desktop.core.candles import Int64Array
from sptrader_desktop.core.compiled import compiled


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
    depth, longest, peak_at, trough_at = _scan(times, equity, capital, began)
    if longest < 0:
        return Drawdown(0.0, 0.0)
    return Drawdown(float(depth), int(longest) / HOUR_US, int(peak_at), int(trough_at))


@compiled
def _scan(times: Int64Array, equity: Int64Array, capital: int, began: int) -> tuple[float, int, int, int]:
    """(depth, longest, last instant on the peak, first at the bottom) in one pass; longest is −1 if equity never fell."""
    peak, bottom, at_peak = capital, capital, began
    depth, longest, peak_at, trough_at = 0.0, -1, began, began
    for i in range(len(equity)):
        now = equity[i]
        if now >= peak:
            if bottom < peak:
                longest = max(longest, times[i] - at_peak)
            peak, bottom, at_peak = now, now, times[i]
        elif now < bottom:
            bottom = now
            fall = float(peak - now) / float(peak)
            if fall > depth:
                depth, peak_at, trough_at = fall, at_peak, times[i]
    if bottom < peak:
        longest = max(longest, times[-1] - at_peak)
    return depth, longest, peak_at, trough_at


def _peaks(equity: Int64Array, capital: int) -> Int64Array:
    peaks = np.maximum.accumulate(equity)
    peaks[: np.searchsorted(peaks, capital)] = capital
    return peaks
