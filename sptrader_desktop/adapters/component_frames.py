"""Between our integer columns and the pandas objects components work on; what a component answers is checked before it is believed."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from sptrader_desktop.adapters.candle_layout import printable
from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.components import ComponentSpec
from sptrader_desktop.core.errors import ComponentError
from sptrader_desktop.core.rules import EventTable
from sptrader_desktop.core.strategy import Scalar
from sptrader_desktop.ports import Values


def candle_frame(candles: Candles) -> pd.DataFrame:
    """Prices as the nearest floats of their exact decimals, indexed by the open stamp in UTC."""
    prices, one = candles.prices, candles.instrument.ticks_per_one
    volume = candles.volume if candles.volume is not None else np.zeros(len(candles))
    columns = {name: getattr(prices, name) / one for name in ("open", "high", "low", "close")}
    index = pd.DatetimeIndex(candles.timestamp.view("M8[us]"), name="timestamp").tz_localize("UTC")
    frame = pd.DataFrame({**columns, "volume": volume}, index=index, copy=False)
    frame.attrs = {"symbol": candles.symbol, "timeframe": candles.timeframe, "ticks_per_one": one}
    return frame


def checked_indicator(spec: ComponentSpec, result: Any, data: pd.DataFrame) -> pd.Series | pd.DataFrame:
    if not isinstance(result, pd.Series | pd.DataFrame):
        raise ComponentError(f"{spec.source}: calculate returned {type(result).__name__}: return a Series or a DataFrame")
    if len(result) != len(data):
        raise ComponentError(f"{spec.source}: calculate returned {len(result)} values for {len(data)} candles: return one for each")
    if not result.index.equals(data.index):
        raise ComponentError(f"{spec.source}: calculate returned another index than the candles': keep data.index")
    absent = [name for name in spec.outputs if isinstance(result, pd.DataFrame) and name not in result]
    if absent:
        raise ComponentError(f"{spec.source}: calculate returned no column {absent[0]}: it is declared in outputs")
    strange = next(
        (kind for kind in (result.dtypes if isinstance(result, pd.DataFrame) else [result.dtype]) if kind.kind not in "biuf"), None
    )
    if strange is not None:
        raise ComponentError(f"{spec.source}: calculate returned values of type {strange}: return numbers, NaN where there is none")
    return result


def indicator_values(spec: ComponentSpec, checked: pd.Series | pd.DataFrame) -> Values:
    """The declared outputs as columns over bars; a Series is the only one there is."""
    columns = {spec.outputs[0]: checked} if isinstance(checked, pd.Series) else {name: checked[name] for name in spec.outputs}
    return {name: column.to_numpy(np.float64) for name, column in columns.items()}


def event_table(spec: ComponentSpec, result: Any, data: pd.DataFrame) -> EventTable:
    """A frame of events as columns over bar numbers, or a ComponentError that names the first bad event."""
    frame = _event_frame(spec, result)
    bars = _bars(spec, frame, data)
    types = frame["type"].to_numpy(dtype=object)
    unknown = next((row for row, kind in enumerate(types) if not isinstance(kind, str) or kind not in spec.event_types), None)
    if unknown is not None:
        raise ComponentError(
            f"{_event(spec, frame, unknown)}: type {types[unknown]!r} is not among its event_types {', '.join(spec.event_types)}"
        )
    metadata = {name: _column(spec, frame, name) for name in spec.outputs if name in frame}
    missing = [name for name in spec.outputs if name not in frame]
    if missing:
        raise ComponentError(f"{spec.source}: evaluate returned no column {missing[0]}: it is declared in outputs")
    return EventTable(bars, types, _strength(spec, frame), metadata)


def _event_frame(spec: ComponentSpec, result: Any) -> pd.DataFrame:
    if not isinstance(result, pd.DataFrame):
        raise ComponentError(f"{spec.source}: evaluate returned {type(result).__name__}: return a DataFrame with columns type and strength")
    for name in ("type", "strength"):
        if name not in result:
            raise ComponentError(f"{spec.source}: evaluate returned no column {name}: every event has a type and a strength")
    if result.columns.has_duplicates:
        twice = result.columns[result.columns.duplicated()][0]
        raise ComponentError(f"{spec.source}: evaluate returned column {twice} twice: give each column a name of its own")
    return result


def _bars(spec: ComponentSpec, frame: pd.DataFrame, data: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Events belong to bars that exist, in their order."""
    if not isinstance(frame.index, pd.DatetimeIndex) or frame.index.tz is None:
        raise ComponentError(f"{spec.source}: events must be indexed by the stamps of their bars in UTC: index them by data.index")
    stamps, known = frame.index.as_unit("us").asi8, data.index.as_unit("us").asi8  # type: ignore[attr-defined]  # both are DatetimeIndex
    bars = np.searchsorted(known, stamps)
    strange = (bars >= len(known)) | (known[np.minimum(bars, len(known) - 1)] != stamps) if len(known) else np.ones(len(stamps), np.bool_)
    if strange.any():
        raise ComponentError(f"{_event(spec, frame, int(np.argmax(strange)))}: there is no candle with that stamp")
    if (np.diff(bars) < 0).any():
        raise ComponentError(
            f"{_event(spec, frame, int(np.argmax(np.diff(bars) < 0)) + 1)}: it comes before the event above it: sort them by time"
        )
    return bars.astype(np.int64)


def _strength(spec: ComponentSpec, frame: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.float64]]:
    values = _column(spec, frame, "strength")
    if values.dtype.kind == "O":
        strange = next((row for row, value in enumerate(values) if not _is_number(value)), None)
        if strange is not None:
            raise ComponentError(f"{_event(spec, frame, strange)}: strength is {printable(repr(values[strange]))}, not a number")
    return values.astype(np.float64)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and bool(np.isfinite(value))


def _column(spec: ComponentSpec, frame: pd.DataFrame, name: str) -> np.ndarray[Any, Any]:
    values = frame[name].to_numpy()
    if values.dtype.kind not in "biuf":
        return frame[name].to_numpy(dtype=object)
    bad = ~np.isfinite(values.astype(np.float64))
    if bad.any():
        raise ComponentError(f"{_event(spec, frame, int(np.argmax(bad)))}: {name} is {values[np.argmax(bad)]}, not a number")
    return values


def _event(spec: ComponentSpec, frame: pd.DataFrame, row: int) -> str:
    return f"{spec.source}: event {row + 1} at {frame.index[row]}"


def python_params(params: Mapping[str, Scalar]) -> dict[str, Any]:
    """Exact values as the numbers a script expects."""
    return {name: _plain(value) for name, value in params.items()}


def _plain(value: Scalar) -> Any:
    if not isinstance(value, Decimal):
        return value
    return int(value) if value == value.to_integral_value() else float(value)
