"""Averages without an end: exponential ones and Wilder's.

They never quite forget, so two things are done that a plain recursion does not do. An exponential average is kept as its distance
from the value, which stays exact to its own size when it shrinks towards zero. And where nothing has changed for ten time constants
(what came before weighs less than 1/20000) it is forgotten: the distance is zero, not the echo of a past that another start of the
data would not know.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from sptrader_desktop.sdk.windows import ratio

Floats = np.ndarray[Any, np.dtype[np.float64]]
FORGOTTEN_AFTER = 10


def ema(values: pd.Series, period: int) -> pd.Series:
    """The exponential average with weight 2 / (period + 1), started with the mean of the first `period` values."""
    return values - above_ema(values, period)


def above_ema(values: pd.Series, period: int) -> pd.Series:
    """How far each value is above its exponential average; the difference of two of these is exact where that of two averages is not."""
    return _each_run(values, period, _gaps)


def wilder(values: pd.Series, period: int) -> pd.Series:
    """Wilder's average: the exponential one with weight 1 / period, started with the mean of the first `period` values."""
    return _each_run(values, period, _wilder)


def rsi(values: pd.Series, period: int) -> pd.Series:
    """Wilder's relative strength index: the average rise in percent of average rise and fall; no value where nothing moves."""
    change = values.diff()
    rises, falls = wilder(change.clip(lower=0.0), period), wilder(-change.clip(upper=0.0), period)
    return 100 * ratio(rises, rises + falls)


def _each_run(values: pd.Series, period: int, smooth: Callable[[Floats, int], Floats]) -> pd.Series:
    """An average starts anew after a hole."""
    column = values.to_numpy(np.float64)
    result = np.full(len(column), np.nan)
    edges = np.flatnonzero(np.diff(np.isfinite(column), prepend=False, append=False)).reshape(-1, 2)
    for start, end in edges[edges[:, 1] - edges[:, 0] >= period]:
        result[start + period - 1 : end] = smooth(column[start:end], period)
    return pd.Series(result, index=values.index, copy=False)


def _gaps(values: Floats, period: int) -> Floats:
    weight = 2 / (period + 1)
    moves = np.diff(values[period - 1 :], prepend=0.0) * ((1 - weight) / weight)
    moves[0] = values[period - 1] - _mean(values[:period])
    return _recursion(moves, weight)


def _wilder(values: Floats, period: int) -> Floats:
    following = values[period - 1 :].copy()
    following[0] = _mean(values[:period])
    return _recursion(following, 1 / period)


def _mean(values: Floats) -> float:
    """Of equal values exactly their value."""
    return float(values[0] + (values - values[0]).mean())


def _recursion(values: Floats, weight: float) -> Floats:
    smooth = pd.Series(values).ewm(alpha=weight, adjust=False).mean().to_numpy(copy=True)
    bars = np.arange(len(values))
    last_change = np.maximum.accumulate(np.where(values != 0, bars, 0))
    smooth[bars - last_change >= FORGOTTEN_AFTER / weight] = 0.0
    return smooth
