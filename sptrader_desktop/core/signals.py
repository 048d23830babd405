"""What a signal is, and which messages are believed to be one: each rule has a name, and neither clock nor file nor network is asked.

A message is one JSON object, in a stream entry under a name of ENVELOPES; publishers of old may also give each of its fields a field
of the entry.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import isfinite
from typing import Any

from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.timeframes import parse_timeframe

ENVELOPES = (b"data", b"signal", b"payload", b"message")
SIGNATURE = b"signature"
NONE = "none"  # the type of a message that says: this signal was computed for that bar and does not hold
LONGEST_MESSAGE = 64 * 1024
LONGEST_NAME, LONGEST_TEXT, DEEPEST, MOST_DIGITS = 100, 4_000, 8, 19
LARGEST = 2**63 - 1
LIFE_US = 60_000_000  # of a message that names no bar

RULES = {
    "size": f"a message has at most {LONGEST_MESSAGE} bytes",
    "fields": "the message is one JSON object in the field data, or has its fields in the entry",
    "utf8": "text is UTF-8",
    "json": "the message is JSON, and an object",
    "twice": "a name stands once in an object",
    "depth": f"lists and objects lie at most {DEEPEST} deep",
    "number": "numbers are finite, and whole ones fit 64 bits",
    "missing": "timestamp, signal_name, signal_type and strength are there",
    "type": "names and times are texts, strength is a number, seq a whole number that is not negative, metadata an object",
    "text": f"names are printable, with 1 to {LONGEST_NAME} characters; other texts have at most {LONGEST_TEXT}",
    "time": "times are like 2024-01-02T17:00:00Z, with a zone, in the years 1900 to 2199",
    "timeframe": "a timeframe is a whole number and s, m, h, d or w",
    "bar": f"a message of type {NONE} names its timeframe, since it is about a bar",
    "unsigned": "the message names its publisher and is signed",
    "stranger": "the publisher's key is known here",
    "forged": "the signature is that of the message",
}

_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
_YEARS = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_FORMED = ("strength", "seq", "metadata")  # among the fields of an entry those that are JSON
_JSON_TYPES = {
    dict: "an object",
    list: "a list",
    str: "a text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    type(None): "null",
}


class BadSignalError(DataError):
    """The message is no signal; `rule` is the name of the one of RULES that it breaks."""

    def __init__(self, rule: str, what: str) -> None:
        self.rule = rule
        super().__init__(f"{what}: {RULES[rule]}")


@dataclass(frozen=True, slots=True)
class Signal:
    """Times in microseconds UTC. With a timeframe it is about the bar that opened at `bar_time`; without, it acts when it arrives.

    `sent_at` is by the publisher's clock, and `bar_time` where a message does not tell.
    """

    id: str
    name: str
    type: str
    strength: float
    sent_at: int
    metadata: Mapping[str, Any] = field(default_factory=dict)
    symbol: str | None = None
    timeframe: str | None = None
    bar_time: int | None = None
    seq: int | None = None
    publisher: str | None = None
    valid_until: int | None = None

    @property
    def holds(self) -> bool:
        return self.type != NONE


@dataclass(frozen=True, slots=True)
class Said:
    """A signal as its author says it; times in microseconds UTC. With a timeframe and no `bar_time` it is about the last closed bar."""

    name: str
    type: str
    strength: float
    metadata: Mapping[str, Any]
    symbol: str | None = None
    timeframe: str | None = None
    bar_time: int | None = None
    valid_until: int | None = None


def read_signal(message: Mapping[bytes, bytes] | bytes, key_of: Callable[[str], bytes | None] | None = None) -> Signal:
    """Of a stream entry's fields, or of the JSON alone. With `key_of` only what the publisher's key has signed is believed."""
    fields = message if isinstance(message, Mapping) else {ENVELOPES[0]: message}
    if sum(len(name) + len(value) for name, value in fields.items()) > LONGEST_MESSAGE:
        raise BadSignalError("size", "the message is too long")
    envelope = next((name for name in ENVELOPES if name in fields), None)
    if envelope is None and b"signal_name" not in fields:
        raise BadSignalError("fields", f"the entry has no field {ENVELOPES[0].decode()}")
    found = _flat(fields) if envelope is None else _parsed(fields[envelope], "the message")
    if not isinstance(found, dict):
        raise BadSignalError("json", f"the message is {_kind(found)}")
    _refuse_depth(found)
    signal = _signal(found)
    if key_of is not None:
        _refuse_unsigned(signal, fields, envelope, key_of)
    return signal


def write_signal(signal: Signal) -> bytes:
    """As it is published; `read_signal` gives the same signal again."""
    at = signal.sent_at if signal.bar_time is None else signal.bar_time
    told = {
        "timestamp": iso(at),
        "signal_name": signal.name,
        "signal_type": signal.type,
        "strength": signal.strength,
        "metadata": dict(signal.metadata),
        "signal_id": signal.id,
        "symbol": signal.symbol,
        "timeframe": signal.timeframe,
        "seq": signal.seq,
        "publisher": signal.publisher,
        "valid_until": None if signal.valid_until is None else iso(signal.valid_until),
        "sent_at": None if signal.bar_time is None else iso(signal.sent_at),
    }
    return _canonical({name: value for name, value in told.items() if value is not None})


def content_id(signal: Signal) -> str:
    """The same for a signal that is published again, another for every other. Its number does not count, nor for a bar when it is sent."""
    sent_at = signal.sent_at if signal.bar_time is None else signal.bar_time
    return _hashed(write_signal(replace(signal, id="", seq=None, valid_until=None, sent_at=sent_at)))


def sign(key: bytes, text: bytes) -> bytes:
    """Of the bytes of the JSON as they are published."""
    return hmac.new(key, text, hashlib.sha256).hexdigest().encode()


def iso(stamp: int) -> str:
    return (_EPOCH + stamp * _MICROSECOND).isoformat().replace("+00:00", "Z")


# The message as a whole


def _flat(fields: Mapping[bytes, bytes]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in fields.items():
        shown = name.decode("utf-8", "replace")
        found[_text(name, "a field's name")] = _parsed(value, shown) if shown in _FORMED else _text(value, shown)
    return found


def _text(raw: bytes, what: str) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadSignalError("utf8", f"{what} cannot be read at byte {error.start}") from None


def _parsed(raw: bytes, what: str) -> Any:
    text = _text(raw, what)
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_refuse_number, parse_float=_float, parse_int=_int)
    except RecursionError:
        raise BadSignalError("depth", f"{what} lies too deep") from None
    except ValueError as error:
        raise BadSignalError("json", f"{what} cannot be read ({error})") from None


def _once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    made = list(pairs)
    found = dict(made)
    if len(found) < len(made):
        twice = next(name for name, after in pairwise(sorted(name for name, _ in made)) if name == after)
        raise BadSignalError("twice", f"{_shown(twice)} is there more than once")
    return found


def _float(text: str) -> float:
    value = float(text)
    return value if isfinite(value) else _refuse_number(text)


def _int(text: str) -> int:
    return int(text) if len(text.lstrip("-")) <= MOST_DIGITS and -LARGEST <= int(text) <= LARGEST else _refuse_number(text)


def _refuse_number(text: str) -> Any:
    raise BadSignalError("number", f"{_shown(text)} is no number that can be used")


def _refuse_depth(message: dict[str, Any]) -> None:
    """Level by level: recursion is what depth would break."""
    level: list[Any] = [message]
    for _ in range(DEEPEST):
        level = [inner for outer in level for inner in _inside(outer)]
    if any(isinstance(value, dict | list) for value in level):
        raise BadSignalError("depth", "the message lies too deep")


def _inside(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _refuse_texts(value: Any) -> None:
    """Those of metadata, its names included."""
    if isinstance(value, str):
        _refuse_text(value, LONGEST_TEXT)
    elif isinstance(value, dict):
        for name in value:
            _refuse_text(name, LONGEST_NAME)
    for inner in _inside(value):
        _refuse_texts(inner)


def _refuse_text(text: str, longest: int) -> None:
    if len(text) > longest:
        raise BadSignalError("text", f"{_shown(text)} is too long")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadSignalError("utf8", f"{text[:40]!a} holds half a character") from None


# Its fields


def _signal(found: Mapping[str, Any]) -> Signal:
    for name in ("timestamp", "signal_name", "signal_type", "strength"):
        if found.get(name) is None:
            raise BadSignalError("missing", f"{name} is not there")
    at, timeframe, kind = _time(found, "timestamp"), _name(found, "timeframe"), _name(found, "signal_type")
    if timeframe is not None:
        _refuse_timeframe(timeframe)
    elif kind == NONE:
        raise BadSignalError("bar", "timeframe is not there")
    valid_until, sent_at = _time(found, "valid_until"), _time(found, "sent_at")
    assert at is not None, "it was there"
    metadata = _typed(found, "metadata", (dict,)) or {}
    _refuse_texts(metadata)
    return Signal(
        id=_name(found, "signal_id") or _hashed(_canonical(found)),
        name=_name(found, "signal_name") or "",
        type=kind or "",
        strength=float(_typed(found, "strength", (int, float))),
        sent_at=at if sent_at is None or timeframe is None else sent_at,
        metadata=metadata,
        symbol=_name(found, "symbol"),
        timeframe=timeframe,
        bar_time=None if timeframe is None else at,
        seq=_number(found, "seq"),
        publisher=_name(found, "publisher"),
        valid_until=at + LIFE_US if valid_until is None and timeframe is None else valid_until,
    )


def _typed(found: Mapping[str, Any], name: str, types: tuple[type, ...]) -> Any:
    """None where it is missing or null."""
    value = found.get(name)
    if value is not None and type(value) not in types:
        raise BadSignalError("type", f"{name} is {_kind(value)}")
    return value


def _name(found: Mapping[str, Any], name: str) -> str | None:
    value: str | None = _typed(found, name, (str,))
    if value is not None and not (0 < len(value) <= LONGEST_NAME and value.isprintable() and value == value.strip()):
        raise BadSignalError("text", f"{name} {_shown(value)} is no name")
    return value


def _number(found: Mapping[str, Any], name: str) -> int | None:
    value: int | None = _typed(found, name, (int,))
    if value is not None and value < 0:
        raise BadSignalError("type", f"{name} is {value}")
    return value


def _time(found: Mapping[str, Any], name: str) -> int | None:
    text = _typed(found, name, (str,))
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
        within = at.tzinfo is not None and _YEARS[0] <= at < _YEARS[1]
    except (ValueError, OverflowError):
        raise BadSignalError("time", f"{name} {_shown(text)} cannot be read") from None
    if not within:
        raise BadSignalError("time", f"{name} {_shown(text)} has no zone or lies elsewhere")
    return (at - _EPOCH) // _MICROSECOND


def _refuse_timeframe(text: str) -> None:
    try:
        parse_timeframe(text)
    except DataError:
        raise BadSignalError("timeframe", f"timeframe {_shown(text)}") from None


def _refuse_unsigned(signal: Signal, fields: Mapping[bytes, bytes], envelope: bytes | None, key_of: Callable[[str], bytes | None]) -> None:
    given = fields.get(SIGNATURE)
    if envelope is None or given is None or signal.publisher is None:
        raise BadSignalError("unsigned", "the message is not signed")
    key = key_of(signal.publisher)
    if key is None:
        raise BadSignalError("stranger", f"the publisher {signal.publisher} is not known")
    if not hmac.compare_digest(given, sign(key, fields[envelope])):
        raise BadSignalError("forged", f"the signature of {signal.publisher} is not right")


def _canonical(message: Mapping[str, Any]) -> bytes:
    return json.dumps(message, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _hashed(text: bytes) -> str:
    return hashlib.blake2b(text, digest_size=16).hexdigest()


def _kind(value: Any) -> str:
    return _JSON_TYPES[type(value)]


def _shown(text: str) -> str:
    """Short, and harmless on a terminal."""
    return ascii(text if len(text) <= 40 else f"{text[:40]}…")
