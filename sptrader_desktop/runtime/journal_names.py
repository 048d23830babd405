"""What of a journal is found again by name, however long ago it was written: that a signal has its outcome, by the signal's id."""

import json
from collections.abc import Iterable, Sequence
from hashlib import blake2b

OUTCOME = "signal_judged"


def name_in(kind: str, body: bytes) -> str | None:
    return _named(body) if kind == OUTCOME else None


def names_in(entries: Sequence[tuple[str, bytes]]) -> list[str]:
    return [_named(body) for kind, body in entries if kind == OUTCOME]


def _named(outcome: bytes) -> str:
    _at, name, *_rest = json.loads(outcome)
    return str(name)


def number_of(name: str) -> int:
    """Of 64 bits with a sign. Two names may have the same one: it says where to look, and not what is there."""
    return int.from_bytes(blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big", signed=True)


def sums(numbers: Iterable[int], last: int) -> tuple[int, int, int, int]:
    """Of what an index is told with one commit: by these it is known to be what it was written as."""
    found = list(numbers)
    return len(found), sum(number >> 32 for number in found), sum(number & 0xFFFFFFFF for number in found), last * len(found)
