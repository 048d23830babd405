"""Facts as bytes and back, for the journal. Nothing is rounded: integers stay integers and floats are written by repr."""

import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from operator import attrgetter
from typing import Any

from sptrader_desktop.core import facts
from sptrader_desktop.core.broker_messages import HeldPosition, Snapshot, Transaction, What, WorkingOrder
from sptrader_desktop.core.errors import JournalError
from sptrader_desktop.core.facts import KINDS, Fact
from sptrader_desktop.core.live_book import BarOpen, BarRange, Hits
from sptrader_desktop.core.risk_tree import NodeLimits

_RECORDS = [kind for kind in (*KINDS.values(), Transaction, Snapshot, HeldPosition, WorkingOrder) if is_dataclass(kind)]
BARS: dict[type, type[BarOpen | BarRange]] = {facts.BarsOpened: BarOpen, facts.BarsClosed: BarRange}


def fact_entry(fact: Fact) -> tuple[str, bytes]:
    name, body_of = _WRITERS[type(fact)]
    return name, body_of(fact)


def _plain(value: object) -> list[Any]:
    if isinstance(value, Transaction | Snapshot | HeldPosition | WorkingOrder):
        return list(_VALUES[type(value)](value))
    raise TypeError(f"{type(value).__name__} is not written into the journal")


def _writer() -> Callable[[Any], str]:
    """One for all: `encode` makes another for each text, which takes longer than writing it."""
    make = getattr(json.encoder, "c_make_encoder", None)  # what `encode` itself calls, where there is one
    if make is None:
        return json.JSONEncoder(separators=(",", ":"), default=_plain, check_circular=False).encode
    write = make(None, _plain, json.encoder.encode_basestring_ascii, None, ":", ",", False, False, True)
    return lambda values: "".join(write(values, 0))


def _getter(names: tuple[str, ...]) -> Callable[[Any], Any]:
    if len(names) > 1:
        return attrgetter(*names)
    return lambda record: [getattr(record, name) for name in names]


_write = _writer()
_VALUES = {kind: _getter(tuple(item.name for item in fields(kind))) for kind in _RECORDS}


def _json(kind: type) -> Callable[[Any], bytes]:
    values = _VALUES.get(kind)
    if values is None:  # a tuple is its own values
        return lambda fact: _write(fact).encode()
    return lambda fact: _write(values(fact)).encode()


def _bars_json(kind: type[BarOpen | BarRange]) -> Callable[[Any], bytes]:
    """The same of whole numbers alone, which most facts are, in a third of the time."""
    row = b"[" + b",".join([b"%d"] * len(kind._fields)) + b"]"
    return lambda fact: b"[%a,[%b]]" % (fact.at, b",".join(map(row.__mod__, fact.bars)))


_WRITERS = {kind: (name, _bars_json(BARS[kind]) if kind in BARS else _json(kind)) for name, kind in KINDS.items()}


def read_fact(kind: str, body: bytes) -> Fact:
    try:
        fact = KINDS[kind]
        made: Fact = _READERS.get(fact, fact)(*json.loads(body))
    except (KeyError, TypeError, ValueError) as error:
        raise JournalError(f"a journal entry of kind {kind} cannot be read ({error}): it was written by another version") from None
    return made


def _bars(kind: type, row: Callable[..., Any]) -> Callable[..., Any]:
    return lambda at, bars: kind(at, tuple(row(*values) for values in bars))


_READERS: dict[type, Callable[..., Any]] = {
    facts.SessionBegan: lambda at, account, inputs, strategy, symbols, timeframe: facts.SessionBegan(
        at, account, inputs, strategy, tuple(symbols), timeframe
    ),
    **{kind: _bars(kind, row) for kind, row in BARS.items()},
    facts.Decided: lambda at, hits, signals: facts.Decided(at, tuple(_hits(row) for row in hits), tuple(signals)),
    facts.Acted: lambda at, hits, signals: facts.Acted(at, _hits(hits), tuple(signals)),
    facts.LimitsSet: lambda at, limits: facts.LimitsSet(at, tuple(NodeLimits(*row) for row in limits)),
    facts.SignalsRead: lambda at, read, place, numbers: facts.SignalsRead(at, read, place, tuple((name, n) for name, n in numbers)),
    facts.TransactionSeen: lambda values: facts.TransactionSeen(_transaction(values)),
    facts.TakenOver: lambda at, by, values: facts.TakenOver(at, by, _snapshot(values)),
}


def _hits(row: list[Any]) -> Hits:
    return Hits(row[0], row[1], row[2], tuple(row[3]))


def _transaction(values: list[Any]) -> Transaction:
    n, what, *rest = values
    return Transaction(n, What(what), *rest)


def _snapshot(values: list[Any]) -> Snapshot:
    name, n, cash, positions, orders = values
    return Snapshot(name, n, cash, tuple(HeldPosition(*row) for row in positions), tuple(WorkingOrder(*row) for row in orders))
