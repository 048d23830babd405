"""Facts as bytes and back, for the journal. Nothing is rounded: integers stay integers and floats are written by repr."""

import json
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from sptrader_desktop.core import facts
from sptrader_desktop.core.broker_messages import Transaction, What
from sptrader_desktop.core.errors import JournalError
from sptrader_desktop.core.facts import KINDS, Fact
from sptrader_desktop.core.live_book import BarOpen, BarRange, Hits
from sptrader_desktop.core.risk_tree import NodeLimits

_FIELDS = {kind: tuple(item.name for item in fields(kind)) for kind in (*KINDS.values(), Transaction)}
_TRANSACTION = _FIELDS[Transaction]
_NAMES = {kind: name for name, kind in KINDS.items()}


def fact_entry(fact: Fact) -> tuple[str, bytes]:
    values = [getattr(fact, name) for name in _FIELDS[type(fact)]]
    return _NAMES[type(fact)], _WRITER.encode(values).encode()


def _plain(value: object) -> list[Any]:
    if isinstance(value, Transaction):
        return [getattr(value, name) for name in _TRANSACTION]
    raise TypeError(f"{type(value).__name__} is not written into the journal")


_WRITER = json.JSONEncoder(separators=(",", ":"), default=_plain, check_circular=False)  # one for all: making it takes as long as writing


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
    facts.BarsOpened: _bars(facts.BarsOpened, BarOpen),
    facts.BarsClosed: _bars(facts.BarsClosed, BarRange),
    facts.Decided: lambda at, hits, signals: facts.Decided(at, tuple(_hits(row) for row in hits), tuple(signals)),
    facts.Acted: lambda at, hits, signals: facts.Acted(at, _hits(hits), tuple(signals)),
    facts.LimitsSet: lambda at, limits: facts.LimitsSet(at, tuple(NodeLimits(*row) for row in limits)),
    facts.SignalsRead: lambda at, read, place, numbers: facts.SignalsRead(at, read, place, tuple((name, n) for name, n in numbers)),
    facts.TransactionSeen: lambda values: facts.TransactionSeen(_transaction(values)),
}


def _hits(row: list[Any]) -> Hits:
    return Hits(row[0], row[1], row[2], tuple(row[3]))


def _transaction(values: list[Any]) -> Transaction:
    n, what, *rest = values
    return Transaction(n, What(what), *rest)
