"""Between columns and the pandas objects that components work on."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sptrader_desktop.adapters.component_checks import NUMBERS, Columns
from sptrader_desktop.adapters.component_columns import candle_attrs, candle_columns
from sptrader_desktop.core.candles import Candles, Int64Array
from sptrader_desktop.core.components import ComponentSpec
from sptrader_desktop.core.errors import ComponentError

Frame = pd.DataFrame


def candle_frame(candles: Candles) -> pd.DataFrame:
    """Indexed by the open stamp in UTC."""
    return frame_of(candle_columns(candles), candles.timestamp, candle_attrs(candles))


def frame_of(columns: Mapping[str, NDArray[Any]], stamps: Int64Array, attrs: Mapping[str, Any] | None = None) -> pd.DataFrame:
    frame = pd.DataFrame(dict(columns), index=stamp_index(stamps), copy=False)
    frame.attrs.update(attrs or {})
    return frame


def stamp_index(stamps: Int64Array) -> pd.DatetimeIndex:
    """A copy, which costs 80 MB for ten million candles: share it where one is there."""
    return pd.DatetimeIndex(stamps.view("M8[us]"), name="timestamp", dtype="datetime64[us, UTC]")


def indicator_of(columns: Columns, index: pd.Index) -> "pd.Series | pd.DataFrame":
    """What a signal gets of an indicator: a Series when it has one output, a DataFrame when it has several."""
    frame = pd.DataFrame(dict(zip(columns.names, columns.arrays, strict=True)), index=index, copy=False)
    return frame[columns.names[0]] if len(columns.names) == 1 else frame


def table_of(columns: Columns) -> pd.DataFrame:
    """Any checked answer, to be shown."""
    assert columns.stamps is not None, "answers without stamps are refused"
    return frame_of(dict(zip(columns.names, columns.arrays, strict=True)), columns.stamps)


def value_columns(spec: ComponentSpec, result: Any) -> Columns:
    if not isinstance(result, pd.Series | pd.DataFrame):
        raise ComponentError(f"{spec.source}: calculate returned {type(result).__name__}: return a Series or a DataFrame")
    return _columns(result.to_frame(spec.outputs[0]) if isinstance(result, pd.Series) else result)


def event_columns(spec: ComponentSpec, result: Any) -> Columns:
    if not isinstance(result, pd.DataFrame):
        raise ComponentError(f"{spec.source}: evaluate returned {type(result).__name__}: return a DataFrame with columns type and strength")
    return _columns(result)


def _columns(frame: pd.DataFrame) -> Columns:
    index = frame.index
    stamps = index.as_unit("us").asi8 if isinstance(index, pd.DatetimeIndex) and index.tz is not None else None
    arrays = tuple(_array(frame.iloc[:, place]) for place in range(frame.shape[1]))
    return Columns(len(frame), stamps, tuple(str(name) for name in frame.columns), arrays)


def _array(column: "pd.Series[Any]") -> NDArray[Any]:
    """Numbers as they are, an own NA of pandas among them as NaN; all else as objects."""
    if column.dtype.kind not in NUMBERS:
        return column.to_numpy(dtype=object)
    if isinstance(column.dtype, np.dtype):
        return column.to_numpy()
    return column.to_numpy(dtype=np.float64, na_value=np.nan)
