"""Facts as bytes and back, for the journal. Nothing is rounded: integers stay integers and floats are written by repr."""

import json
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from sptrader_desktop.core.broker_messages import Transaction, What
from sptrader_desktop.core.errors import JournalError
from sptrader_desktop.core.facts import KINDS, Fact
from sptrader_desktop.core.live_book import BarOpen, BarRange, Hits

_FIELDS = {kind: tuple(item.name for item in fields(kind)) for kind in (*KINDS.values(), Transaction)}
_TRANSACTION = _FIELDS[Transaction]


def fact_entry(fact: Fact) -> tuple[str, bytes]:
    values = [getattr(fact, name) for name in _FIELDS[type(fact)]]
    return type(fact).__name__, json.dumps(values, separators=(",", ":"), default=_plain).encode()


def _plain(value: object) -> list[Any]:
    if isinstance(value, Transaction):
        return [getattr(value, name) for name in _TRANSACTION]
    raise TypeError(f"{type(value).__name__} is not written into the journal")


def read_fact(kind: str, body: bytes) -> Fact:
    try:
        values = json.loads(body)
        made: Fact = _READERS.get(kind, KINDS[kind])(*values)
    except (KeyError, TypeError, ValueError) as error:
        raise JournalError(f"a journal entry of kind {kind} cannot be read ({error}): it was written by another version") from None
    return made


def _bars(kind: type, row: Callable[..., Any]) -> Callable[..., Any]:
    return lambda at, bars: kind(at, tuple(row(*values) for values in bars))


_READERS: dict[str, Callable[..., Any]] = {
    "SessionBegan": lambda at, account, inputs, strategy, symbols, timeframe: KINDS["SessionBegan"](
        at, account, inputs, strategy, tuple(symbols), timeframe
    ),
    "BarsOpened": _bars(KINDS["BarsOpened"], BarOpen),
    "BarsClosed": _bars(KINDS["BarsClosed"], BarRange),
    "Decided": lambda at, hits, signals: KINDS["Decided"](at, tuple(_hits(row) for row in hits), tuple(signals)),
    "Acted": lambda at, hits, signals: KINDS["Acted"](at, _hits(hits), tuple(signals)),
    "TransactionSeen": lambda values: KINDS["TransactionSeen"](_transaction(values)),
}


def _hits(row: list[Any]) -> Hits:
    return Hits(row[0], row[1], row[2], tuple(row[3]))


def _transaction(values: list[Any]) -> Transaction:
    n, what, *rest = values
    return Transaction(n, What(what), *rest)
