"""Shapes of bars that no market makes, on columns of any unit: spikes, runs without movement, repetitions.

Thresholds stand well above what years of real candles hold: an alarm that cries at every news bar is switched off.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sptrader_desktop.core.calendar import HOUR_US

Numbers = NDArray[np.int64] | NDArray[np.float64]
Mask = NDArray[np.bool_]

BLOCK = 64  # bars of which the typical range is taken; the liveliest of a block and its two neighbours counts
LONG_BAR_US = HOUR_US // 2
SPIKE_OF_LONG_BARS = 15.0  # typical ranges beyond both neighbours
SPIKE_OF_SHORT_BARS = 25.0  # minutes have wilder exceptions than hours
RUN_US, RUN_BARS = HOUR_US, 3  # so long, and so many bars at least, no market stands still or repeats itself


class Bars(NamedTuple):
    open: Numbers
    high: Numbers
    low: Numbers
    close: Numbers

    def rows(self, chosen: NDArray[np.intp]) -> "Bars":
        return Bars(*(column[chosen] for column in self))


def spike_threshold(bar_us: int) -> float:
    return SPIKE_OF_LONG_BARS if bar_us >= LONG_BAR_US else SPIKE_OF_SHORT_BARS


def spikes(bars: Bars, bar_us: int) -> Mask:
    """Bars whose high or low stands far beyond those of the bars on either side."""
    count = len(bars.high)
    if count < 3:
        return np.zeros(count, bool)
    beyond = np.empty(count)
    high, low = bars.high, bars.low
    beyond[1:-1] = np.maximum(high[1:-1] - np.maximum(high[:-2], high[2:]), np.minimum(low[:-2], low[2:]) - low[1:-1])
    for end, one, two in ((0, 1, 2), (-1, -2, -3)):  # at the ends the two on one side
        beyond[end] = max(high[end] - max(high[one], high[two]), min(low[one], low[two]) - low[end])
    return np.asarray(beyond > spike_threshold(bar_us) * typical_range(bars))


def typical_range(bars: Bars) -> NDArray[np.float64]:
    """For each bar: the median true range of the 64 bars about it, the liveliest of three such blocks, at least half the file's."""
    true = np.asarray(bars.high - bars.low, np.float64)
    np.maximum(true[1:], np.abs(bars.high[1:] - bars.close[:-1]), out=true[1:])
    np.maximum(true[1:], np.abs(bars.low[1:] - bars.close[:-1]), out=true[1:])
    count = len(true)
    blocks = max(1, count // BLOCK)
    medians = np.empty(blocks)
    medians[:-1] = np.median(true[: (blocks - 1) * BLOCK].reshape(blocks - 1, BLOCK), axis=1)
    medians[-1] = np.median(true[(blocks - 1) * BLOCK :])
    lively = medians.copy()
    np.maximum(lively[1:], medians[:-1], out=lively[1:])
    np.maximum(lively[:-1], medians[1:], out=lively[:-1])
    moving = medians[medians > 0]
    if len(moving):
        np.maximum(lively, np.median(moving) / 2, out=lively)
    else:
        lively += true.max() or 1
    return np.repeat(lively, np.append(np.full(blocks - 1, BLOCK), count - (blocks - 1) * BLOCK))


def long_run(bar_us: int) -> int:
    """Bars."""
    return max(RUN_BARS, -(-RUN_US // bar_us))


def zero_ranges(bars: Bars) -> Mask:
    return np.asarray(bars.high == bars.low)


def flat_runs(bars: Bars, bar_us: int) -> Mask:
    """All bars of long runs at one single price."""
    still = zero_ranges(bars)
    if not still.any():
        return still
    goes_on = np.zeros(len(still), bool)
    goes_on[1:] = still[1:] & still[:-1] & (bars.close[1:] == bars.close[:-1])
    return _runs(goes_on, long_run(bar_us))


def stale_runs(bars: Bars, bar_us: int) -> Mask:
    """The repetitions, from the second on, in long runs of one bar that did move."""
    same = np.zeros(len(bars.close), bool)
    same[1:] = bars.high[1:] > bars.low[1:]
    for column in bars:
        same[1:] &= column[1:] == column[:-1]
    return _runs(same, long_run(bar_us)) & same


def _runs(goes_on: Mask, least: int) -> Mask:
    """Rows of runs of `least` rows or more, where `goes_on` says that a row continues the run of the row before."""
    joined = np.flatnonzero(goes_on)
    found = np.zeros(len(goes_on), bool)
    if not len(joined):
        return found
    new = np.append(True, np.diff(joined) > 1)
    starts = joined[new]
    lengths = np.diff(np.append(np.flatnonzero(new), len(joined)))
    for start, length in zip(starts[lengths + 1 >= least].tolist(), lengths[lengths + 1 >= least].tolist(), strict=True):
        found[start - 1 : start + length] = True
    return found
