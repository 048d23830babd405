"""Bars of a longer timeframe as a component may see them: a row knows only those that were over by its own close."""

from typing import Any

import numpy as np
import pandas as pd

from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.resample import bar_closes, buckets, refuse_straddling
from sptrader_desktop.core.timeframes import parse_timeframe

_Stamps = np.ndarray[Any, np.dtype[np.int64]]


def higher_timeframe(data: pd.DataFrame, timeframe: str) -> pd.DataFrame:
    """On each row of `data`: open, high, low, close and volume of the last longer bar that was over; NaN before the first."""
    aligned: pd.DataFrame = last_closed(data, higher_bars(data, timeframe), timeframe)
    return aligned


def higher_bars(data: pd.DataFrame, timeframe: str) -> pd.DataFrame:
    """The longer bars themselves, by their opens, to compute an indicator on; the last is there only if `data` reaches its close."""
    own, stamps = _own_timeframe(data, timeframe), _stamps(data)
    found, over = buckets(stamps, timeframe), bar_closes(stamps, own)
    refuse_straddling(f"data of {own}", timeframe, stamps, over, found)
    columns = found.four(*(data[name].to_numpy(np.float64) for name in ("open", "high", "low", "close")))
    names = dict(zip(("open", "high", "low", "close"), columns, strict=True))
    index = pd.DatetimeIndex(found.opens.view("M8[us]"), name=data.index.name).tz_localize("UTC")
    bars = pd.DataFrame({**names, "volume": found.total(data["volume"].to_numpy(np.float64))}, index=index)
    known = int(np.searchsorted(bar_closes(found.opens, timeframe), over[-1:].max(initial=0), side="right"))
    bars = bars.iloc[:known]
    bars.attrs = {**data.attrs, "timeframe": timeframe}
    return bars


def last_closed(data: pd.DataFrame, values: Any, timeframe: str) -> Any:
    """Values by the opens of longer bars (a Series or a DataFrame), on the rows of `data`: on each those of the last bar that was over."""
    over = bar_closes(_stamps(data), _own_timeframe(data, timeframe))
    at = np.searchsorted(bar_closes(_stamps(values), timeframe), over, side="right") - 1
    # Row 0 stands for "no bar yet".
    numbers = values.to_numpy(np.float64)
    padded = np.concatenate([np.full((1, *numbers.shape[1:]), np.nan), numbers])[at + 1]
    if isinstance(values, pd.Series):
        return pd.Series(padded, index=data.index, name=values.name, copy=False)
    return pd.DataFrame(padded, index=data.index, columns=values.columns, copy=False)


def _own_timeframe(data: pd.DataFrame, timeframe: str) -> str:
    own = data.attrs.get("timeframe")
    if not isinstance(own, str):
        raise DataError("data.attrs has no timeframe: pass the candles as they were handed to the component, or copy their attrs")
    if parse_timeframe(timeframe) < parse_timeframe(own):
        raise DataError(f"{timeframe} is finer than the candles, which are {own}: ask for a longer timeframe, or run on finer candles")
    return own


def _stamps(data: Any) -> _Stamps:
    stamps: _Stamps = data.index.as_unit("us").asi8
    return stamps
