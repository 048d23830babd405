"""Where two answers of one component differ in the bars that both should know: the first difference with both values, and all its bars."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sptrader_desktop.core.candles import Int64Array
from sptrader_desktop.core.components import EVENT_STRENGTH, EVENT_TYPE
from sptrader_desktop.core.rules import Bools, EventTable
from sptrader_desktop.ports import Values

EXACT = 0.0
# Sums over arrays that begin or end elsewhere are rounded in another order; what differs by more was computed from other numbers.
ROUNDING = 1e-9
NOTHING = "no event"
# So many must coincide before it is no accident.
FEWEST_EVENTS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """An answer, and the bar of the data that is its bar 0."""

    result: EventTable | Values
    first: int = 0


@dataclass(frozen=True, slots=True)
class Difference:
    """`bars` are all that differ, ascending; output and both values are those of the first."""

    bars: tuple[int, ...]
    output: str
    seen: str
    instead: str

    @property
    def bar(self) -> int:
        return self.bars[0]


def difference(one: Placed, other: Placed, low: int, high: int, tolerance: float, *, texts: bool = True) -> Difference | None:
    """In the bars [low, high) of the data; `texts=False` leaves out texts among the outputs."""
    if isinstance(one.result, EventTable) and isinstance(other.result, EventTable):
        return _of_events(_Rows.of(one, low, high), _Rows.of(other, low, high), tolerance, texts=texts)
    assert not isinstance(one.result, EventTable)
    assert not isinstance(other.result, EventTable)
    ours, theirs = (_columns(it.result, low - it.first, high - it.first) for it in (one, other) if not isinstance(it.result, EventTable))
    return _of_values(ours, theirs, low, tolerance)


def is_same_whatever_it_is_given(one: EventTable | Values, other: EventTable | Values) -> str | None:
    """The output that varies over bars and still is equal in both answers, which are to different candles."""
    if isinstance(one, EventTable) and isinstance(other, EventTable):
        if len(one) < FEWEST_EVENTS or len(one) != len(other) or _is_steady(one):
            return None
        bare = [EventTable(table.bar, table.type, table.strength) for table in (one, other)]
        last = int(max(one.bar[-1], other.bar[-1])) + 1
        return EVENT_TYPE if difference(Placed(bare[0]), Placed(bare[1]), 0, last, EXACT) is None else None
    assert not isinstance(one, EventTable)
    assert not isinstance(other, EventTable)
    for name, column in one.items():
        if len(np.unique(column[np.isfinite(column)])) > 1 and np.array_equal(column, other[name], equal_nan=True):
            return name
    return None


def _is_steady(table: EventTable) -> bool:
    """One and the same on every bar: a filter that always holds."""
    return bool((np.diff(table.bar) == 1).all()) and len(set(table.type.tolist())) == 1


# Indicators


def _columns(values: Values, first: int, last: int) -> dict[str, NDArray[np.float64]]:
    return {name: column[first:last] for name, column in values.items()}


def _of_values(one: Values, other: Values, low: int, tolerance: float) -> Difference | None:
    masks = {name: _differ(column, other[name], tolerance) for name, column in one.items()}
    any_of: Bools = np.logical_or.reduce([*masks.values()])
    if not any_of.any():
        return None
    rows = np.flatnonzero(any_of)
    row = int(rows[0])
    name = next(name for name, mask in masks.items() if mask[row])
    return Difference(tuple((rows + low).tolist()), name, *_shown(one[name][row], other[name][row]))


# Events


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """The events of some bars, by the bars of the data."""

    bar: Int64Array
    type: NDArray[np.object_]
    columns: Mapping[str, NDArray[Any]]

    @classmethod
    def of(cls, placed: Placed, low: int, high: int) -> "_Rows":
        table = placed.result
        assert isinstance(table, EventTable)
        first, last = np.searchsorted(table.bar, [low - placed.first, high - placed.first])
        columns = {EVENT_STRENGTH: table.strength, **table.metadata}
        return cls(table.bar[first:last] + placed.first, table.type[first:last], {name: it[first:last] for name, it in columns.items()})

    def by_bar(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for row, bar in enumerate(self.bar.tolist()):
            found.setdefault(bar, []).append(row)
        return found

    def types(self, rows: list[int]) -> list[str]:
        return [str(self.type[row]) for row in rows]


def _of_events(one: _Rows, other: _Rows, tolerance: float, *, texts: bool) -> Difference | None:
    found = _lonely(one, other)
    rows, others = _pairs(one, other, set(found))
    for name in sorted(one.columns.keys() & other.columns.keys(), key=[*one.columns].index):
        a, b = one.columns[name][rows], other.columns[name][others]
        if not texts and "O" in {a.dtype.kind, b.dtype.kind}:
            continue
        for pair in np.flatnonzero(_differ(a, b, tolerance)).tolist():
            found.setdefault(int(one.bar[rows[pair]]), (name, *_shown(a[pair], b[pair])))
    if not found:
        return None
    bars = sorted(found)
    return Difference(tuple(bars), *found[bars[0]])


def _lonely(one: _Rows, other: _Rows) -> dict[int, tuple[str, str, str]]:
    """The bars on which not the same events stand."""
    if np.array_equal(one.bar, other.bar) and np.array_equal(one.type, other.type):
        return {}
    ours, theirs = one.by_bar(), other.by_bar()
    found = {}
    for bar in ours.keys() | theirs.keys():
        seen, instead = one.types(ours.get(bar, [])), other.types(theirs.get(bar, []))
        if seen != instead:
            found[bar] = (EVENT_TYPE, " and ".join(seen) or NOTHING, " and ".join(instead) or NOTHING)
    return found


def _pairs(one: _Rows, other: _Rows, lonely: set[int]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Row numbers of the events that both have: without the lonely bars both hold the same, in the same order."""
    left_out = np.array(sorted(lonely), np.int64)
    return np.flatnonzero(~np.isin(one.bar, left_out)), np.flatnonzero(~np.isin(other.bar, left_out))


# Columns


def _differ(a: NDArray[Any], b: NDArray[Any], tolerance: float) -> Bools:
    """Measured by the larger of the two, and by what is usual in the column where values pass through zero."""
    if "O" in {a.dtype.kind, b.dtype.kind}:
        if np.array_equal(a, b):
            return np.zeros(len(a), np.bool_)
        return np.fromiter((not _is_same(x, y, tolerance) for x, y in zip(a.tolist(), b.tolist(), strict=True)), np.bool_, len(a))
    x, y = a.astype(np.float64), b.astype(np.float64)
    same = (x == y) | (np.isnan(x) & np.isnan(y))
    if tolerance > 0:
        finite = np.abs(x[np.isfinite(x)])
        usual = float(np.median(finite)) if len(finite) else 0.0
        with np.errstate(invalid="ignore"):
            same |= np.abs(x - y) <= tolerance * np.maximum(np.maximum(np.abs(x), np.abs(y)), usual)
            # An infinity is within any share of itself.
            same &= np.isfinite(x) == np.isfinite(y)
    return np.asarray(~same, np.bool_)


def _is_same(x: object, y: object, tolerance: float) -> bool:
    numbers = [value for value in (x, y) if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(numbers) == 2:
        return not _differ(np.array([x]), np.array([y]), tolerance)[0]
    return type(x) is type(y) and x == y


def _shown(a: Any, b: Any) -> tuple[str, str]:
    """As short as tells them apart."""
    if isinstance(a, np.floating | float) and isinstance(b, np.floating | float):
        x, y = f"{a:.8g}", f"{b:.8g}"
        return (x, y) if x != y else (repr(float(a)), repr(float(b)))
    return str(a)[:60], str(b)[:60]
