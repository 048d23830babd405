"""What a window of bars holds: sums, extremes, weighted averages, deviations, correlations, lines.

Every window is put together from its own bars alone, in an order that only its length decides. So the same bars give the same bits
wherever the data starts, nothing of a wild past lingers in a running sum, and a window of equal prices deviates by exactly zero.
Windows of twice the length are merged from two halves: a period of 1000 costs some fifteen passes.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

Array = np.ndarray[Any, np.dtype[Any]]
Columns = tuple[Array, ...]
# Two neighbouring stretches and their lengths, the older one first, become one.
Merge = Callable[[Columns, Columns, int, int], Columns]


def fold(columns: Columns, period: int, merge: Merge) -> Columns:
    """All windows of `period` rows, the first one first: single rows are merged to blocks of 2, 4, 8 …, and these to the window."""
    block, size = columns, 1
    found, length = columns, 0
    while length < period:
        if period & size:
            found = _joined(found, block, length, size, merge) if length else block
            length += size
        if length < period:
            block = _joined(block, block, size, size, merge)
            size *= 2
    return found


def _joined(older: Columns, newer: Columns, before: int, after: int, merge: Merge) -> Columns:
    rows = len(newer[0]) - before
    return merge(tuple(column[:rows] for column in older), tuple(column[before:] for column in newer), before, after)


def _windows(series: Sequence[pd.Series], columns: Columns, period: int, merge: Merge, results: int) -> list[Array]:
    """`results` columns of the folded windows over the bars, NaN until the first window is full."""
    rows = len(series[0])
    spread = [np.full(rows, np.nan) for _ in range(results)]
    if period <= rows:
        for values, window in zip(spread, fold(columns, period, merge), strict=False):
            values[period - 1 :] = window
    return spread


def _like(values: pd.Series, array: Array) -> pd.Series:
    return pd.Series(array, index=values.index, copy=False)


def _single(values: pd.Series, period: int, merge: Merge) -> pd.Series:
    return _like(values, _windows([values], (values.to_numpy(),), period, merge, 1)[0])


def window_sum(values: pd.Series, period: int) -> pd.Series:
    """The sum of the last `period` values; exact for whole numbers."""
    return _single(values, period, lambda older, newer, _before, _after: (older[0] + newer[0],))


def mean(values: pd.Series, period: int) -> pd.Series:
    """For prices take `average`, which knows when two averages are equal."""
    return window_sum(values, period) / period


def highest(values: pd.Series, period: int) -> pd.Series:
    return _single(values, period, lambda older, newer, _before, _after: (np.maximum(older[0], newer[0]),))


def lowest(values: pd.Series, period: int) -> pd.Series:
    return _single(values, period, lambda older, newer, _before, _after: (np.minimum(older[0], newer[0]),))


def bars_since_highest(values: pd.Series, period: int) -> pd.Series:
    """How many bars ago the highest of the last `period` values was, 0 to `period - 1`; of equal ones the latest counts."""

    def merge(older: Columns, newer: Columns, _before: int, after: int) -> Columns:
        is_newer = newer[0] >= older[0]
        return np.where(is_newer, newer[0], older[0]), np.where(is_newer, newer[1], older[1] + after)

    start = (values.to_numpy(), np.zeros(len(values), np.int64))
    return _like(values, _windows([values], start, period, merge, 2)[1])


def bars_since_lowest(values: pd.Series, period: int) -> pd.Series:
    return bars_since_highest(-values, period)


def weighted_average(values: pd.Series, period: int) -> pd.Series:
    """The last value counts `period` times, the one before it once less, and so on; exact up to the division for whole numbers."""

    def merge(older: Columns, newer: Columns, before: int, _after: int) -> Columns:
        return older[0] + newer[0] + before * newer[1], older[1] + newer[1]

    column = values.to_numpy()
    weighted = _windows([values], (column, column), period, merge, 1)[0]
    return _like(values, weighted / (period * (period + 1) // 2))


def deviation(values: pd.Series, period: int, ddof: int = 0) -> pd.Series:
    """The standard deviation of the last `period` values: of a population, or with `ddof=1` of a sample."""

    def merge(older: Columns, newer: Columns, before: int, after: int) -> Columns:
        apart = newer[0] - older[0]
        return older[0] + apart * (after / (before + after)), older[1] + newer[1] + apart * apart * (before * after / (before + after))

    column = values.to_numpy(np.float64)
    squares = _windows([values], (column, np.zeros(len(column))), period, merge, 2)[1]
    return _like(values, np.sqrt(squares / (period - ddof)) if period > ddof else np.full(len(column), np.nan))


def correlation(first: pd.Series, second: pd.Series, period: int) -> pd.Series:
    """Pearson's, between -1 and 1; NaN where one of the two stood still."""

    def merge(older: Columns, newer: Columns, before: int, after: int) -> Columns:
        x, y = newer[0] - older[0], newer[1] - older[1]
        share, weight = after / (before + after), before * after / (before + after)
        return (
            older[0] + x * share,
            older[1] + y * share,
            older[2] + newer[2] + x * x * weight,
            older[3] + newer[3] + x * y * weight,
            older[4] + newer[4] + y * y * weight,
        )

    nothing = np.zeros(len(first))
    start = (first.to_numpy(np.float64), second.to_numpy(np.float64), nothing, nothing, nothing)
    _, _, xx, xy, yy = (_like(first, column) for column in _windows([first, second], start, period, merge, 5))
    return ratio(xy, np.sqrt(xx) * np.sqrt(yy)).clip(-1.0, 1.0)


def regression(values: pd.Series, period: int) -> pd.DataFrame:
    """The straight line through the last `period` values: its rise per bar, where it stands at this bar, and the share it explains."""

    def merge(older: Columns, newer: Columns, before: int, after: int) -> Columns:
        y, weight = newer[0] - older[0], before * after / (before + after)
        rise = older[1] + newer[1] + y * (before + after) / 2 * weight
        return older[0] + y * (after / (before + after)), rise, older[2] + newer[2] + y * y * weight

    nothing = np.zeros(len(values))
    start = (values.to_numpy(np.float64), nothing, nothing)
    middle, together, spread = (_like(values, column) for column in _windows([values], start, period, merge, 3))
    time = period * (period * period - 1) / 12
    slope = together / time
    return pd.DataFrame(
        {"slope": slope, "value": middle + slope * ((period - 1) / 2), "r2": ratio(slope * together, spread).clip(upper=1.0)}
    )


def ratio(above: pd.Series, below: pd.Series) -> pd.Series:
    """`above / below`, and no value where that is not a number: never infinite."""
    share = above / below
    return share.where(np.isfinite(share))
