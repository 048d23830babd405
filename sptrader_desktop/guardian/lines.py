"""JSON lines as everybody here speaks them. What cannot be understood in exactly one way is not a line: two readers must never differ."""

import json
from collections import deque
from typing import Any, TypeVar

LONGEST = 64 * 1024
LONGEST_OF_BROKER = 16 * 1024 * 1024  # a snapshot of thousands of orders is one line

Message = dict[str, Any]
Name = str | int
T = TypeVar("T")


class LineError(ValueError):
    """Whoever sent this does not speak the protocol."""


class LineBuffer:
    """Bytes as they come, lines as they were sent; what has no end yet is not a line."""

    def __init__(self, longest: int = LONGEST) -> None:
        self._longest = longest
        self._whole: deque[bytes] = deque()
        self._rest: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> None:
        first, *others = data.split(b"\n")
        self._hold(first)
        for part in others:
            self._whole.append(b"".join(self._rest) + b"\n")
            self._rest, self._size = [], 0
            self._hold(part)

    def _hold(self, part: bytes) -> None:
        self._rest.append(part)
        self._size += len(part)
        if self._size >= self._longest:
            raise LineError(f"a line is longer than {self._longest} bytes")

    def pop(self) -> bytes | None:
        return self._whole.popleft() if self._whole else None

    def __len__(self) -> int:
        return len(self._whole)


def parsed(line: bytes) -> Message:
    """No key twice, no NaN, UTF-8 only."""
    try:
        found = json.loads(line.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise LineError(f"not a line of the protocol ({type(error).__name__})") from None
    if not isinstance(found, dict):
        raise LineError("not a line of the protocol (no object)")
    return found


def written(message: Message) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def text_of(message: Message, key: str) -> str:
    return _typed(message, key, str)


def count_of(message: Message, key: str) -> int:
    return _typed(message, key, int)


def name_of(message: Message, key: str) -> Name:
    """Brokers number some things and name others."""
    value = message.get(key)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise LineError(f"{key} is missing or no name")
    return value


def list_of(message: Message, key: str) -> list[Message]:
    found = _typed(message, key, list)
    if not all(isinstance(item, dict) for item in found):
        raise LineError(f"{key}: not all of it are objects")
    return found


def _typed(message: Message, key: str, kind: type[T]) -> T:
    value = message.get(key)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise LineError(f"{key} is missing or no {kind.__name__}")
    return value


def _once(pairs: list[tuple[str, Any]]) -> Message:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise LineError("a key stands there twice")
    return found


def _no_number(name: str) -> None:
    raise LineError(f"{name} is not a number")
