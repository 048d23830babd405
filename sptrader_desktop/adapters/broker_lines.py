"""The broker's protocol as JSON lines, for the core and the paper broker alike: one object a line, integers and texts, nothing else.

What is not exactly one message of the protocol is a `BrokerLineError`. A position's number is text on the line, since other brokers'
are; a level or an order's price that is not there is null.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from sptrader_desktop.adapters import broker_line_values as values
from sptrader_desktop.adapters.broker_line_values import MOST_DIGITS, BrokerLineError
from sptrader_desktop.core.broker_messages import (
    Answer,
    Asked,
    AskSnapshot,
    Cancel,
    Close,
    HeldPosition,
    Hello,
    Lost,
    Ping,
    Place,
    Pong,
    Protect,
    Refused,
    Snapshot,
    Transaction,
    Welcome,
    WorkingOrder,
)
from sptrader_desktop.core.records import EXIT_REASONS, ORDER_KINDS

LONGEST_ASKED = 64 * 1024
LONGEST_ANSWER = 16 * 1024 * 1024  # a snapshot of thousands of orders is one line


@dataclass(frozen=True, slots=True)
class Price:
    """For tests and replays: what the broker would else read from `prices:live`. Without `ask` a mid."""

    symbol: str
    at: int
    raw: int
    ask: int | None


@dataclass(frozen=True, slots=True)
class Fault:
    """For tests: what goes wrong next. `figures` are integers and texts."""

    fault: str
    figures: Mapping[str, int | str]


# Messages


@dataclass(frozen=True, slots=True)
class _Shape:
    """The fields of a message and how each is read; those of `optional` may be left out where they say nothing."""

    kind: type[Any]
    reads: Mapping[str, values.Read]
    optional: Mapping[str, Any]

    def made(self, found: Mapping[str, Any]) -> Any:
        unknown, missing = found.keys() - self.reads.keys(), self.reads.keys() - found.keys() - self.optional.keys()
        if unknown or missing:
            raise BrokerLineError(f"{', '.join(sorted(unknown | missing))}: {'unknown' if unknown else 'missing'}")
        return self.kind(**({**self.optional} | {name: _read(name, self.reads[name], value) for name, value in found.items()}))

    def plain(self, message: Any) -> dict[str, Any]:
        """In the order of the fields; what may be left out is."""
        said = [name for name in self.reads if name not in self.optional or getattr(message, name) != self.optional[name]]
        return {name: _write(name, getattr(message, name)) for name in said}


def _read(name: str, read: values.Read, value: Any) -> Any:
    try:
        return read(value)
    except BrokerLineError as error:
        raise BrokerLineError(f"{name}: {error}") from None


def _write(name: str, value: Any) -> Any:
    if name == "position":
        return str(value)
    if name == "level" and value == -1:
        return None
    if name in _PARTS:
        return [_PARTS[name].plain(item) for item in value]
    return value


def _shape(of: type[Any], optional: Mapping[str, Any] | None = None, /, **reads: values.Read) -> _Shape:
    assert [item.name for item in fields(of)] == list(reads)
    return _Shape(of, reads, optional or {})


_SIDE, _KIND = values.one_of(1, -1), values.one_of(*ORDER_KINDS)
_MAYBE = values.or_none(values.whole)
_FIGURES = "side quantity price commission amount opened ambiguous resolved stop target trail".split()

_HELD = _shape(
    HeldPosition,
    position=values.number,
    symbol=values.name,
    side=_SIDE,
    quantity=values.some,
    price=values.some,
    stop=_MAYBE,
    target=_MAYBE,
    trail=_MAYBE,
)
_WORKING = _shape(
    WorkingOrder, id=values.name, symbol=values.name, side=_SIDE, kind=_KIND, quantity=values.some, level=values.level_or_null
)
_PARTS = {"positions": _HELD, "orders": _WORKING}


def _part(shape: _Shape) -> values.Read:
    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            raise BrokerLineError("not an object")
        return shape.made(value)

    return read


_TRANSACTION = _shape(
    Transaction,
    {"symbol": "", "position": -1, "reason": "", **dict.fromkeys(_FIGURES, 0)},
    n=values.some,
    what=values.what_of,
    id=values.text,
    at=values.count,
    symbol=values.text,
    position=values.number,
    side=values.one_of(0, 1, -1),
    quantity=values.count,
    price=values.count,
    commission=values.whole,
    amount=values.whole,
    reason=values.text,
    opened=values.one_of(0, 1, 2),
    ambiguous=values.one_of(0, 1),
    resolved=values.one_of(0, 1),
    stop=values.whole,
    target=values.whole,
    trail=values.whole,
    cash=values.whole,
)
_ASKED = {
    "hello": _shape(Hello, account=values.name, since=values.count),
    "place": _shape(
        Place,
        id=values.name,
        symbol=values.name,
        rule=values.count,
        side=_SIDE,
        kind=_KIND,
        quantity=values.some,
        level=values.level_or_null,
        expiry=values.expiry,
        stop_distance=values.whole,
        target_distance=values.whole,
    ),
    "close": _shape(
        Close,
        {"at_close": False},
        id=values.name,
        position=values.number,
        quantity=values.some,
        reason=values.one_of(*EXIT_REASONS),
        at_close=values.flag,
    ),
    "cancel": _shape(Cancel, id=values.name, order=values.name),
    "protect": _shape(
        Protect, {"stop": None, "target": None}, id=values.name, position=values.number, trail=_MAYBE, stop=_MAYBE, target=_MAYBE
    ),
    "snapshot": _shape(AskSnapshot, id=values.name),
    "ping": _shape(Ping, id=values.name),
    "price": _shape(Price, symbol=values.name, at=values.count, raw=values.some, ask=values.or_none(values.some)),
}
_ANSWERS = {
    "transaction": _TRANSACTION,
    "hello": _shape(
        Welcome,
        {"holds_stops": True},
        account=values.name,
        environment=values.name,
        currency=values.name,
        n=values.count,
        holds_stops=values.flag,
    ),
    "snapshot": _shape(
        Snapshot,
        id=values.name,
        n=values.count,
        cash=values.whole,
        positions=values.list_of(_part(_HELD)),
        orders=values.list_of(_part(_WORKING)),
    ),
    "pong": _shape(Pong, {"n": 0}, n=values.count),
    "refused": _shape(Refused, id=values.or_none(values.text), why=values.text),
    "lost": _shape(Lost, what=values.text),
}
_NAMES = {shape.kind: ("do", name) for name, shape in _ASKED.items()} | {shape.kind: ("is", name) for name, shape in _ANSWERS.items()}


# Lines


def asked_in(line: bytes) -> Asked | Price | Fault:
    """What is said to a broker."""
    found = _object(line, LONGEST_ASKED)
    name = found.pop("do", None)
    if name == "fault":
        return _fault(found)
    if not isinstance(name, str) or name not in _ASKED:
        raise BrokerLineError("do: nothing that a broker is asked")
    asked: Asked | Price = _ASKED[name].made(found)
    _check_level(asked)
    return asked


def answer_in(line: bytes) -> Answer:
    """What a broker, or the guardian before it, says."""
    found = _object(line, LONGEST_ANSWER)
    name = found.pop("is", None)
    if not isinstance(name, str) or name not in _ANSWERS:
        raise BrokerLineError("is: nothing that a broker says")
    answer: Answer = _ANSWERS[name].made(found)
    return answer


def line_of(message: Asked | Answer | Price | Fault) -> bytes:
    """With its end."""
    if isinstance(message, Fault):
        return _line({"do": "fault", "fault": message.fault, **message.figures})
    word, name = _NAMES[type(message)]
    shape = (_ASKED if word == "do" else _ANSWERS)[name]
    return _line({word: name, **shape.plain(message)})


def _line(found: Mapping[str, Any]) -> bytes:
    return json.dumps(found, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def _check_level(asked: Asked | Price) -> None:
    if isinstance(asked, Place) and (asked.kind == "market") != (asked.level == -1):
        raise BrokerLineError("level: a market order has none, and every other has one")


def _fault(found: dict[str, Any]) -> Fault:
    fault = _read("fault", values.name, found.pop("fault", None))
    for name, value in found.items():
        _read(name, values.text if isinstance(value, str) else values.whole, value)
    return Fault(fault, found)


def _object(line: bytes, longest: int) -> dict[str, Any]:
    if len(line) > longest:
        raise BrokerLineError(f"longer than {longest} bytes")
    try:
        found = json.loads(line.decode(), object_pairs_hook=_once, parse_float=_no_float, parse_int=_small, parse_constant=_no_float)
    except BrokerLineError:
        raise
    except (ValueError, RecursionError):
        raise BrokerLineError("not JSON") from None
    if not isinstance(found, dict):
        raise BrokerLineError("not an object")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BrokerLineError("a key stands there twice")
    return found


def _no_float(text: str) -> int:
    raise BrokerLineError(f"{text[:20]} is not an integer")


def _small(text: str) -> int:
    if len(text) > MOST_DIGITS + 1:
        raise BrokerLineError("not an integer of 64 bits")
    return int(text)
