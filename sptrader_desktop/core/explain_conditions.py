"""Conditions taken apart: what every test saw on one bar, and which single change would have turned the whole.

A change is only named after it was made and the condition, evaluated again by the rules themselves, held.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sptrader_desktop.core.candles import Int64Array
from sptrader_desktop.core.explained import ConditionSeen, EventNeed, GroupSeen, MatchSeen, ValueSeen
from sptrader_desktop.core.rules import STRENGTH_OUTPUT, TYPE_OUTPUT, EventTable, holds, passing, test_passes
from sptrader_desktop.core.strategy import AllOf, AnyOf, Comparison, Condition, Not, OutputTest, Scalar, SignalMatch

Events = Mapping[str, EventTable]


def look(condition: Condition, events: Events, bar: int, opened: Int64Array) -> ConditionSeen:
    if isinstance(condition, SignalMatch):
        return _look_at_match(condition, events[condition.signal], bar, opened)
    if isinstance(condition, Not):
        part = look(condition.condition, events, bar, opened)
        return GroupSeen("not", (part,), not part.passed)
    parts = tuple(look(part, events, bar, opened) for part in condition.conditions)
    if isinstance(condition, AllOf):
        return GroupSeen("all", parts, all(part.passed for part in parts))
    return GroupSeen("any", parts, any(part.passed for part in parts))


def _look_at_match(match: SignalMatch, table: EventTable, bar: int, opened: Int64Array) -> MatchSeen:
    now, earlier = table.at(bar), int(np.searchsorted(table.bar, bar))
    last = int(opened[table.bar[earlier - 1]]) if earlier > 0 else None
    outcomes = [(test, now.output(test.output), test_passes(test, now)) for test in match.tests]
    events = tuple(
        tuple(ValueSeen(test, None if column is None else _plain(column[i]), bool(passed[i])) for test, column, passed in outcomes)
        for i in range(len(now))
    )
    return MatchSeen(match.signal, match.tests, events, last, bool(passing(match, now).any()))


def _plain(value: Any) -> object:
    return value.item() if isinstance(value, np.generic) else value


def first_failing(seen: ConditionSeen) -> ConditionSeen:
    """Where a failed condition failed first: inside an `all` its first failing part, otherwise the node itself."""
    if isinstance(seen, GroupSeen) and seen.joined == "all":
        return first_failing(next(part for part in seen.parts if not part.passed))
    return seen


# What would have had to differ


def event_needs(condition: Condition, events: Events, bar: int) -> tuple[EventNeed, ...]:
    """Every single change of the bar's events after which the condition, false now, holds."""
    now = {name: _alone(table.at(bar)) for name, table in events.items()}
    found = []
    for need, match in _candidates(condition, now, True):
        changed = _changed(now[need.signal], need, match)
        if changed is not None and need not in found and holds(condition, {**now, need.signal: changed}, 1)[0]:
            found.append(need)
    return tuple(found)


def _alone(table: EventTable) -> EventTable:
    """The events of one bar, as a history of that bar only."""
    return replace(table, bar=np.zeros(len(table), np.int64))


def _candidates(condition: Condition, now: Events, wanted: bool) -> Iterator[tuple[EventNeed, SignalMatch]]:
    if isinstance(condition, Not):
        yield from _candidates(condition.condition, now, not wanted)
    elif isinstance(condition, AllOf | AnyOf):
        for part in condition.conditions:
            yield from _candidates(part, now, wanted)
    elif bool(passing(condition, now[condition.signal]).any()) != wanted:
        for need in _match_needs(condition, now[condition.signal], wanted):
            yield need, condition


def _match_needs(match: SignalMatch, table: EventTable, wanted: bool) -> Iterator[EventNeed]:
    if not wanted:
        yield EventNeed(match.signal, "no_event", match.tests)
    elif len(table) == 0:
        yield EventNeed(match.signal, "event", match.tests)
    for i in range(len(table) if wanted else 0):
        failed = [test for test in match.tests if not test_passes(test, table)[i]]
        column = table.output(failed[0].output)
        if len(failed) == 1 and column is not None:
            yield EventNeed(match.signal, "value", (failed[0],), i, _plain(column[i]))


def _changed(table: EventTable, need: EventNeed, match: SignalMatch) -> EventTable | None:
    """The events with the need met; None when no value of that output could."""
    if need.change == "no_event":
        return _kept(table, ~passing(match, table))
    if need.change == "event":
        blanks = {name: np.zeros(1, column.dtype) for name, column in table.metadata.items()}
        table = EventTable(np.zeros(1, np.int64), np.array([""], np.object_), np.zeros(1), blanks)
    for test in need.tests:
        met = _with_value(table, need.event, test)
        if met is None:
            return None
        table = met
    return table


def _kept(table: EventTable, which: NDArray[np.bool_]) -> EventTable:
    metadata = {name: column[which] for name, column in table.metadata.items()}
    return EventTable(table.bar[which], table.type[which], table.strength[which], metadata)


def _with_value(table: EventTable, row: int, test: OutputTest) -> EventTable | None:
    column, value = table.output(test.output), witness(test.comparison)
    if column is None:
        return None
    if column.dtype.kind in "if":
        if not isinstance(value, float):
            return None
        column = column.astype(np.float64)
    else:
        column = column.copy()
    column[row] = value
    if test.output == TYPE_OUTPUT:
        return replace(table, type=column)
    if test.output == STRENGTH_OUTPUT:
        return replace(table, strength=column)
    return replace(table, metadata={**table.metadata, test.output: column})


def witness(comparison: Comparison) -> float | str | bool:
    """A value that passes, as near to the threshold as there is one."""
    first: Scalar = comparison.operands[0]
    if isinstance(first, Decimal):
        number = float(first)
        beyond = {">": math.nextafter(number, math.inf), "<": math.nextafter(number, -math.inf), "!=": number + 1}
        return beyond.get(comparison.operator, number)
    if comparison.operator != "!=":
        return first
    return not first if isinstance(first, bool) else f"not {first}"
