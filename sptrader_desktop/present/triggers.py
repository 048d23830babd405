"""Which events made a condition hold on a bar: what a decision names as its cause."""

from collections.abc import Mapping, Sequence

import numpy as np

from sptrader_desktop.core.candles import Int64Array
from sptrader_desktop.core.rules import EventTable, passing
from sptrader_desktop.core.strategy import AllOf, AnyOf, Condition, SignalMatch

# A signal's name and the row of the event in its table.
Event = tuple[str, int]
Found = list[Event] | None


def triggers(condition: Condition, events: Mapping[str, EventTable], bars: Int64Array) -> Sequence[Found]:
    """For each bar the events that count, None where the condition does not hold. What must be absent has no event to name."""
    if isinstance(condition, SignalMatch):
        return _matches(condition, events[condition.signal], bars)
    if isinstance(condition, AllOf | AnyOf):
        parts = [triggers(part, events, bars) for part in condition.conditions]
        join = _all if isinstance(condition, AllOf) else _any
        return [join([part[i] for part in parts]) for i in range(len(bars))]
    return [[] if found is None else None for found in triggers(condition.condition, events, bars)]


def _matches(match: SignalMatch, table: EventTable, bars: Int64Array) -> Sequence[Found]:
    rows = np.flatnonzero(passing(match, table))
    first, past = np.searchsorted(table.bar[rows], [bars, bars + 1])
    spans = zip(first.tolist(), past.tolist(), strict=True)
    return [[(match.signal, row) for row in rows[begin:end].tolist()] if end > begin else None for begin, end in spans]


def _all(parts: Sequence[Found]) -> Found:
    held = [part for part in parts if part is not None]
    return _joined(held) if len(held) == len(parts) else None


def _any(parts: Sequence[Found]) -> Found:
    held = [part for part in parts if part is not None]
    return _joined(held) if held else None


def _joined(parts: Sequence[list[Event]]) -> list[Event]:
    """Each event once, in the order in which the conditions name it."""
    return list(dict.fromkeys(event for part in parts for event in part))
