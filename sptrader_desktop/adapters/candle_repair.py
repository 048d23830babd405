"""Mends a candle table as told and writes down every change: a row that went, a cell that changed, a row that moved, a clock that was set.

The ledger names rows and stamps as they were in the old file, so that applied backwards it gives the old rows again.
What needs judgement is mended only when a person names it.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

import numpy as np

from sptrader_desktop.adapters.candle_checks import FloatArray
from sptrader_desktop.adapters.candle_inspection import Examined, examined
from sptrader_desktop.adapters.candle_layout import ASK_PRICES, PRICES
from sptrader_desktop.adapters.candle_order import out_of_place
from sptrader_desktop.adapters.candle_raw_table import RawTable, Rows
from sptrader_desktop.adapters.zoneinfo_clocks import ClockError
from sptrader_desktop.core.candles import Int64Array
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.instruments import Instrument
from sptrader_desktop.present.data_findings import KINDS
from sptrader_desktop.present.numbers import iso_time

MECHANICAL = ("unordered", "duplicate", "missing_price", "weekend")
DROPPED = (
    "no_time duplicate conflict overlap missing_price infinite not_positive range bad_volume weekend spike flat stale filled "
    "crossed wide_spread"
).split()
CHANGED = ("nanoseconds", "decimal_shift", "off_tick", "swapped")
FIXES = tuple(kind for kind in KINDS if kind in {"unordered", *DROPPED, *CHANGED})
MOST_PASSES = 50
SetClock = Callable[[Int64Array], Int64Array]
_NO_STAMP = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True)
class Change:
    """`column` is a column, `row` for a row that went, `position` for one that moved; rows count from 1 in the old file."""

    row: int
    stamp: str | None
    column: str
    before: Any
    after: Any
    rule: str
    to_row: int | None = None

    def line(self) -> str:
        said = {"row": self.row, "stamp": self.stamp, "column": self.column, "before": self.before, "after": self.after, "rule": self.rule}
        if self.to_row is not None:
            said["to_row"] = self.to_row
        return json.dumps(said, allow_nan=False, ensure_ascii=False)


@dataclass(frozen=True, slots=True, eq=False)
class Mended:
    table: RawTable
    changes: tuple[Change, ...]
    examined: Examined


def wanted_fixes(named: Sequence[str]) -> tuple[str, ...]:
    """In the order in which they are told."""
    for kind in named:
        if kind in FIXES:
            continue
        if kind in KINDS:
            raise DataError(f"--fix {kind}: no rule could mend this: {KINDS[kind].advice}")
        nearest = get_close_matches(kind, FIXES, n=1)
        hint = f"did you mean {nearest[0]}? " if nearest else ""
        raise DataError(f"--fix {kind}: {hint}give some of {', '.join(FIXES)}")
    return tuple(kind for kind in FIXES if kind in named)


def mend(old: RawTable, instrument: Instrument, timeframe: str, source: str, fixes: Sequence[str], clock: SetClock | None = None) -> Mended:
    """Again and again until nothing that is to be mended is left: a row that went may leave its neighbours to be judged anew."""
    work = _Work(old, instrument)
    if clock is not None:
        work.set_clock(clock, source)
    for _ in range(MOST_PASSES):
        found = examined(work.table, instrument, timeframe, source)
        if not any(len(found.marks.get(kind, ())) for kind in fixes):
            return Mended(work.table, work.ledger(), found)
        work.mend(found, fixes)
    raise DataError(f"{source}: mending {', '.join(fixes)} uncovers more of it each time: ask for fewer kinds at once")


class _Work:
    """A table on its way, the old row of each of its rows, and what was done to them."""

    def __init__(self, old: RawTable, instrument: Instrument) -> None:
        self.old, self.table = old, old
        self._instrument = instrument
        self._origin: Rows = np.arange(len(old))
        self._changes: list[Change] = []

    def set_clock(self, clock: SetClock, source: str) -> None:
        """One change for each run of rows that move by the same."""
        timed = np.flatnonzero(self.old.has_time)
        stamps = self.old.stamps.copy()
        try:
            stamps[timed] = clock(stamps[timed])
        except ClockError as fault:
            row = int(timed[fault.row])
            raise DataError(f"{source}: row {row + 1}: {_stamp(self.old, row)} {fault.rule}") from None
        by = stamps - self.old.stamps
        starts = np.flatnonzero(np.append(True, np.diff(by) != 0)) if len(by) else timed
        for start, end in zip(starts.tolist(), [*(starts[1:] - 1).tolist(), len(by) - 1], strict=True):
            if by[start]:
                before, after = _stamp(self.old, start), iso_time(int(stamps[start]))
                self._changes.append(Change(start + 1, before, "timestamp", before, after, "clock", end + 1))
        self.table = replace(self.table, stamps=stamps)

    def mend(self, found: Examined, fixes: Sequence[str]) -> None:
        for kind in fixes:
            if kind in CHANGED:
                _CELLS[kind](self, found)
        gone = np.zeros(len(self.table), bool)
        for kind in fixes:
            if kind in DROPPED:
                rows = found.marks.get(kind, np.empty(0, np.intp))
                self._dropped(rows[~gone[rows]], kind)
                gone[rows] = True
        self._keep(np.flatnonzero(~gone))
        if "unordered" in fixes:
            self._keep(np.argsort(np.where(self.table.has_time, self.table.stamps, np.iinfo(np.int64).max), kind="stable"))

    def ledger(self) -> tuple[Change, ...]:
        moved = np.flatnonzero(out_of_place(self._origin))
        positions = [
            Change(row + 1, _stamp(self.old, row), "position", row + 1, place + 1, "unordered")
            for place, row in zip(moved.tolist(), self._origin[moved].tolist(), strict=True)
        ]
        return (*self._changes, *positions)

    def cut_nanoseconds(self, found: Examined) -> None:
        for row in found.marks["nanoseconds"].tolist():
            self._cell(row, "timestamp", _stamp(self.table, row), iso_time(int(self.table.stamps[row])), "nanoseconds")
        self.table = replace(self.table, is_finer=np.zeros(len(self.table), bool))

    def move_points(self, found: Examined) -> None:
        shifts = found.shifts
        for name in self.table.prices:
            here = shifts.column == name
            rows = shifts.row[here]
            self._set(name, rows, self._on_tick(self.table.prices[name][rows] / 10.0 ** shifts.power[here]), "decimal_shift")

    def round_to_tick(self, found: Examined) -> None:
        rows = found.marks["off_tick"]
        for name, column in self.table.prices.items():
            self._set(name, rows, self._on_tick(column[rows]), "off_tick")

    def exchange(self, found: Examined) -> None:
        rows = found.marks["swapped"]
        for high, low in ((names[1], names[2]) for names in (PRICES, ASK_PRICES) if names[0] in self.table.prices):
            wrong = rows[self.table.prices[high][rows] < self.table.prices[low][rows]]
            highs, lows = self.table.prices[high][wrong], self.table.prices[low][wrong]
            self._set(high, wrong, lows, "swapped")
            self._set(low, wrong, highs, "swapped")

    def _on_tick(self, prices: FloatArray) -> FloatArray:
        return np.asarray(np.rint(prices * self._instrument.ticks_per_one) / self._instrument.ticks_per_one)

    def _set(self, name: str, rows: Rows, values: FloatArray, rule: str) -> None:
        column = self.table.prices[name]
        changed = values != column[rows]
        for row, value in zip(rows[changed].tolist(), values[changed].tolist(), strict=True):
            self._cell(row, name, _number(float(column[row])), _number(value), rule)
        new = column.copy()
        new[rows] = values
        self.table = replace(self.table, prices=self.table.prices | {name: new})

    def _cell(self, row: int, column: str, before: Any, after: Any, rule: str) -> None:
        origin = int(self._origin[row])
        self._changes.append(Change(origin + 1, _stamp(self.old, origin), column, before, after, rule))

    def _dropped(self, rows: Rows, rule: str) -> None:
        """With all that was in them when they went."""
        for row in rows.tolist():
            cells = {name: _number(float(column[row])) for name, column in self.table.columns.items()}
            self._cell(row, "row", {"timestamp": _stamp(self.table, row)} | cells, None, rule)

    def _keep(self, rows: Rows) -> None:
        self.table, self._origin = self.table.taken(rows), self._origin[rows]


_CELLS: Mapping[str, Callable[[_Work, Examined], None]] = {
    "nanoseconds": _Work.cut_nanoseconds,
    "decimal_shift": _Work.move_points,
    "off_tick": _Work.round_to_tick,
    "swapped": _Work.exchange,
}


def _stamp(table: RawTable, row: int) -> str | None:
    """ISO-8601; what cannot be said so as the file has it, with its unit."""
    if table.has_time[row] and not table.is_finer[row]:
        return iso_time(int(table.stamps[row]))
    as_read = int(table.as_read[row])
    return None if as_read == _NO_STAMP else f"{as_read} {table.unit}"


def _number(value: float) -> float | str:
    """JSON has no words for what is no number; `float` reads these again."""
    return value if abs(value) < float("inf") else str(value)


def counts(changes: Sequence[Change]) -> dict[str, int]:
    """Rows by rule, however many of their cells changed; of a clock those of its runs."""
    rows = {(change.rule, change.row): (change.to_row or change.row) - change.row + 1 for change in changes}
    found: dict[str, int] = {}
    for (rule, _), count in rows.items():
        found[rule] = found.get(rule, 0) + count
    return found


def ledger_text(changes: Sequence[Change]) -> str:
    return "".join(f"{change.line()}\n" for change in changes)
