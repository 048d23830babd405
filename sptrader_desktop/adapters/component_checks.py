"""What a component answered is believed only after this: the one home of every rule about length, stamps, order, types and numbers.

It knows numpy and no pandas: the same checks hold for a frame in this process and for a file that a worker wrote.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sptrader_desktop.adapters.candle_layout import printable
from sptrader_desktop.core.candles import Int64Array
from sptrader_desktop.core.components import ComponentSpec
from sptrader_desktop.core.errors import ComponentError
from sptrader_desktop.core.rules import EventTable
from sptrader_desktop.ports import Values

NUMBERS = "biuf"
EVENT_COLUMNS = ("type", "strength")


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """An answer as it came: `stamps` in microseconds UTC, None when not indexed by them; an array for each name, numbers or objects."""

    rows: int
    stamps: Int64Array | None
    names: tuple[str, ...]
    arrays: tuple[NDArray[Any], ...]

    def column(self, name: str) -> NDArray[Any]:
        return self.arrays[self.names.index(name)]

    def only(self, names: Sequence[str]) -> "Columns":
        return Columns(self.rows, self.stamps, tuple(names), tuple(self.column(name) for name in names))


@dataclass(frozen=True, slots=True, eq=False)
class Believed:
    """An answer that passed: `columns` with what was declared and no more, `result` as the engine reads it."""

    columns: Columns
    result: EventTable | Values


def believed(spec: ComponentSpec, answer: Columns, stamps: Int64Array) -> Believed:
    """`stamps` are those of the candles. Raises a ComponentError that names the first thing wrong."""
    return _believed_events(spec, answer, stamps) if spec.is_signal else _believed_values(spec, answer, stamps)


def _believed_values(spec: ComponentSpec, answer: Columns, stamps: Int64Array) -> Believed:
    if answer.rows != len(stamps):
        raise ComponentError(f"{spec.source}: calculate returned {answer.rows} values for {len(stamps)} candles: return one for each")
    if answer.stamps is None or not np.array_equal(answer.stamps, stamps):
        raise ComponentError(f"{spec.source}: calculate returned another index than the candles': keep data.index")
    _refuse_names(spec, answer, spec.outputs)
    kept = answer.only(spec.outputs)
    for name, column in zip(kept.names, kept.arrays, strict=True):
        if column.dtype.kind not in NUMBERS:
            raise ComponentError(
                f"{spec.source}: calculate returned values of type {_type_of(column)}: return numbers, NaN where there is none"
            )
        endless = np.isinf(column) if column.dtype.kind == "f" else np.zeros(0, np.bool_)
        if endless.any():
            row = int(np.argmax(endless))
            raise ComponentError(f"{spec.source}: {name} at {moment(stamps[row])} is {column[row]}: return NaN where there is no value")
    return Believed(kept, {name: column.astype(np.float64, copy=False) for name, column in zip(kept.names, kept.arrays, strict=True)})


def _believed_events(spec: ComponentSpec, answer: Columns, stamps: Int64Array) -> Believed:
    for name in EVENT_COLUMNS:
        if name not in answer.names:
            raise ComponentError(f"{spec.source}: evaluate returned no column {name}: every event has a type and a strength")
    _refuse_names(spec, answer, ())
    bars = _bars(spec, answer, stamps)
    types = _types(spec, answer)
    metadata = {name: _metadata(spec, answer, name) for name in spec.outputs if name in answer.names}
    _refuse_names(spec, answer, spec.outputs)
    strength = _strength(spec, answer)
    kept = Columns(answer.rows, answer.stamps, (*EVENT_COLUMNS, *metadata), (types, strength, *metadata.values()))
    return Believed(kept, EventTable(bars, types, strength, metadata))


def _refuse_names(spec: ComponentSpec, answer: Columns, declared: Sequence[str]) -> None:
    method = "evaluate" if spec.is_signal else "calculate"
    twice = next((name for at, name in enumerate(answer.names) if name in answer.names[:at]), None)
    if twice is not None:
        raise ComponentError(f"{spec.source}: {method} returned column {twice} twice: give each column a name of its own")
    absent = next((name for name in declared if name not in answer.names), None)
    if absent is not None:
        raise ComponentError(f"{spec.source}: {method} returned no column {absent}: it is declared in outputs")


def _bars(spec: ComponentSpec, answer: Columns, stamps: Int64Array) -> Int64Array:
    """Events belong to bars that exist, in their order."""
    if answer.stamps is None:
        raise ComponentError(f"{spec.source}: events must be indexed by the stamps of their bars in UTC: index them by data.index")
    bars = np.searchsorted(stamps, answer.stamps)
    if len(stamps):
        strange = (bars >= len(stamps)) | (stamps[np.minimum(bars, len(stamps) - 1)] != answer.stamps)
    else:
        strange = np.ones(answer.rows, np.bool_)
    if strange.any():
        raise ComponentError(f"{_event(spec, answer, int(np.argmax(strange)))}: there is no candle with that stamp")
    backwards = np.diff(bars) < 0
    if backwards.any():
        row = int(np.argmax(backwards)) + 1
        raise ComponentError(f"{_event(spec, answer, row)}: it comes before the event above it: sort them by time")
    return bars.astype(np.int64)


def _types(spec: ComponentSpec, answer: Columns) -> NDArray[np.object_]:
    types = answer.column("type").astype(object)
    known = frozenset(spec.event_types)
    unknown = next((row for row, kind in enumerate(types.tolist()) if not isinstance(kind, str) or kind not in known), None)
    if unknown is not None:
        raise ComponentError(
            f"{_event(spec, answer, unknown)}: type {types[unknown]!r} is not among its event_types {', '.join(spec.event_types)}"
        )
    return types


def _strength(spec: ComponentSpec, answer: Columns) -> NDArray[np.float64]:
    values = _finite(spec, answer, "strength")
    if values.dtype.kind not in NUMBERS:
        strange = next((row for row, value in enumerate(values) if not _is_number(value)), None)
        if strange is not None:
            raise ComponentError(f"{_event(spec, answer, strange)}: strength is {printable(repr(values[strange]))}, not a number")
    return values.astype(np.float64)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and bool(np.isfinite(value))


def _finite(spec: ComponentSpec, answer: Columns, name: str) -> NDArray[Any]:
    values = answer.column(name)
    if values.dtype.kind not in NUMBERS:
        return values.astype(object)
    bad = ~np.isfinite(values.astype(np.float64))
    if bad.any():
        row = int(np.argmax(bad))
        raise ComponentError(f"{_event(spec, answer, row)}: {name} is {values[row]}, not a number")
    return values


def _metadata(spec: ComponentSpec, answer: Columns, name: str) -> NDArray[Any]:
    """Numbers, or texts, truths and numbers among each other; a text that is missing is None."""
    values = _finite(spec, answer, name)
    if values.dtype.kind in NUMBERS:
        return values
    plain = np.empty(len(values), dtype=object)
    for row, value in enumerate(values):
        found = value.item() if isinstance(value, np.generic) else value
        if isinstance(found, str | bool) or found is None or _is_number(found):
            plain[row] = found
        elif not _is_missing(found):
            raise ComponentError(f"{_event(spec, answer, row)}: {name} is {printable(repr(found))}, neither a text nor a number")
    return plain


def _is_missing(value: object) -> bool:
    """What pandas puts where there is nothing is the only thing that differs from itself or refuses to be compared."""
    return type(value).__name__ in {"NAType", "NaTType"} or (isinstance(value, float) and np.isnan(value))


def _type_of(column: NDArray[Any]) -> str:
    """As a person wrote it: an array of objects is named for its first one."""
    return type(column[0]).__name__ if column.dtype.kind == "O" and len(column) else str(column.dtype)


def _event(spec: ComponentSpec, answer: Columns, row: int) -> str:
    assert answer.stamps is not None, "events without stamps are refused first"
    return f"{spec.source}: event {row + 1} at {moment(answer.stamps[row])}"


def moment(stamp: np.int64 | int) -> str:
    shown = str(np.datetime64(int(stamp), "us"))
    return shown if shown == "NaT" else shown.replace("T", " ").removesuffix(".000000") + "+00:00"
