"""What indicators and signals compute with: prices as ticks, averages of whole ticks, crossings, event tables."""

from typing import Any

import numpy as np
import pandas as pd

_IN_CACHE = 32_768  # rows: what is worked on in pieces of this size never leaves the processor's cache


def ticks(data: pd.DataFrame, column: str = "close") -> np.ndarray[Any, np.dtype[np.int64]]:
    """A price column as whole ticks of the instrument (`data.attrs["ticks_per_one"]`)."""
    prices, whole = data[column].to_numpy(), np.empty(len(data), np.int64)
    for start in range(0, len(prices), _IN_CACHE):
        part = slice(start, start + _IN_CACHE)
        whole[part] = np.rint(prices[part] * data.attrs["ticks_per_one"])
    return whole


def average(data: pd.DataFrame, column: str, period: int) -> pd.Series:
    """The mean of the last `period` prices from a sum of integer ticks, so that equal ones are equal; NaN before the first full window."""
    if len(data) < period:
        return pd.Series(np.nan, index=data.index)
    total = ticks(data, column)
    np.cumsum(total, out=total)
    values, one = np.full(len(data), np.nan), period * data.attrs["ticks_per_one"]
    values[period - 1] = total[period - 1] / one
    for start in range(period, len(total), _IN_CACHE):
        end = min(start + _IN_CACHE, len(total))
        np.divide(total[start:end] - total[start - period : end - period], one, out=values[start:end])
    return pd.Series(values, index=data.index, copy=False)


def crossed_above(first: pd.Series, second: pd.Series) -> pd.Series:
    """True where `first` is above `second` and was not on the bar before; false where any of the four is NaN."""
    a, b = first.to_numpy(), second.to_numpy()
    crossed = np.zeros(len(a), np.bool_)
    crossed[1:] = (a[:-1] <= b[:-1]) & (a[1:] > b[1:])
    return pd.Series(crossed, index=first.index, copy=False)


def crossed_below(first: pd.Series, second: pd.Series) -> pd.Series:
    return crossed_above(second, first)


def events(index: pd.Index, type_: Any, strength: Any, **metadata: Any) -> pd.DataFrame:
    """What `evaluate` returns: one row per event, indexed by the stamp of the bar it was computed from."""
    return pd.DataFrame({"type": type_, "strength": strength, **metadata}, index=index)
