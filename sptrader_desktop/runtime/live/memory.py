"""What a live session has come to, as bytes and back: the same to the last bit, so that a restart need not apply every fact again.

Nothing is listed that could be forgotten: every attribute of an object is remembered, but functions and what its class says it was `MADE`
with. It is as large as what the session itself remembers, which does not grow.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from sptrader_desktop.core.live_book import LOGS, Book
from sptrader_desktop.core.tables import Log, Plan, Table
from sptrader_desktop.runtime.live.kept_values import PACKAGE, Inside, copied, plain, revived

Blobs = dict[str, bytes]
_Change = tuple[object, str, Any]


@dataclass(frozen=True, slots=True)
class Taken:
    """A moment of a session, copied so far that nothing of it changes any more."""

    objects: Inside
    tables: Blobs

    def written(self) -> bytes:
        """In no hurry, on any thread."""
        return _packed(plain(self.objects), self.tables)


class Memory:
    """Of a book and the objects that live on it, by the names under which they are remembered."""

    def __init__(self, book: Book, owners: Mapping[str, object]) -> None:
        self._book, self._owners = book, owners
        self._elsewhere = {id(book), *map(id, owners.values())}

    # Taking

    def take(self) -> Taken:
        seen = set[int]()
        objects = Inside({name: self._attributes(owner, name, seen) for name, owner in self._owners.items()})
        objects["log"] = {name: len(getattr(self._book.log, name)) for name in LOGS}
        tables = {name: _used(table).tobytes() for name, table in self._book.tables().items()}
        account = self._book.account
        return Taken(objects, tables | {f"log {name}": getattr(self._book.log, name)[: account[name][0]].tobytes() for name in LOGS})

    def _attributes(self, owner: object, path: str, seen: set[int]) -> Inside:
        found = Inside()
        for name, value in self._remembered(owner):
            if isinstance(value, dict | list | set) or _is_object(value):
                if id(value) in seen:
                    raise TypeError(f"{path}.{name} stands in two places and would be two things afterwards")
                seen.add(id(value))
            found[name] = self._attributes(value, f"{path}.{name}", seen) if _is_object(value) else copied(value)
        return found

    def _remembered(self, owner: object) -> Iterator[tuple[str, Any]]:
        made = getattr(owner, "MADE", ())
        for name, value in vars(owner).items():
            if not (name in made or callable(value) or isinstance(value, Plan | Book) or id(value) in self._elsewhere):
                yield name, value

    # Putting back

    def put_back(self, content: bytes) -> None:
        """Into what has lived through nothing yet. ValueError where it does not fit, and then nothing was changed."""
        known, tables = _unpacked(content)
        present = self._book.tables()
        if not isinstance(known, Inside) or known.keys() != {*self._owners, "log"} or tables.keys() != {*present, *_LOG_NAMES}:
            raise ValueError("it remembers other things")
        changes = [change for name, owner in self._owners.items() for change in self._changes(owner, known[name], name)]
        places = [(table, _rows_of(table, tables[name])) for name, table in present.items()]
        log = _log(self._book.log, known["log"], tables)
        for table, rows in places:
            table[...] = 0
            table[: len(rows)] = rows
        self._book.put_log(log)
        for owner, name, value in changes:
            setattr(owner, name, value)

    def _changes(self, owner: object, known: Any, path: str) -> Iterator[_Change]:
        values = dict(self._remembered(owner))
        if not isinstance(known, Inside) or known.keys() != values.keys():
            raise ValueError(f"{path} was something else")
        for name, value in values.items():
            if _is_object(value):
                yield from self._changes(value, known[name], f"{path}.{name}")
            else:
                yield owner, name, known[name]


def _is_object(value: object) -> bool:
    """Of ours, and no record: it is there already when it is put back."""
    return type(value).__module__.startswith(PACKAGE) and hasattr(value, "__dict__") and not hasattr(value, "__dataclass_fields__")


# Tables

_LOG_NAMES = tuple(f"log {name}" for name in LOGS)


def _used(table: Table) -> Table:
    """Without the rows at its end that are empty still."""
    bits = table.view(np.uint64).reshape(len(table), -1)
    filled = np.flatnonzero(bits.any(axis=1))
    return table[: int(filled[-1]) + 1 if len(filled) else 0]


def _rows_of(table: Table, content: bytes) -> Table:
    width = table.dtype.itemsize * int(np.prod(table.shape[1:]))
    if len(content) % width:
        raise ValueError("a table has other columns")
    rows = np.frombuffer(content, table.dtype).reshape(-1, *table.shape[1:])
    if len(rows) > len(table):
        raise ValueError("a table has more rows than there is room for")
    return rows


def _log(empty: Log, lengths: Mapping[str, int], tables: Blobs) -> Log:
    found: dict[str, Table] = {}
    for name in LOGS:
        table = getattr(empty, name)
        found[name] = table = np.zeros((lengths[name], *table.shape[1:]), table.dtype)
        rows = _rows_of(table, tables[f"log {name}"])
        table[: len(rows)] = rows
    return empty._replace(**found)


# Bytes


def _packed(document: Any, blobs: Blobs) -> bytes:
    head = json.dumps([document, [[name, len(blob)] for name, blob in blobs.items()]], separators=(",", ":")).encode()
    return b"%d\n%b%b" % (len(head), head, b"".join(blobs.values()))


def _unpacked(content: bytes) -> tuple[Any, Blobs]:
    size, _, rest = content.partition(b"\n")
    try:
        document, sizes = json.loads(rest[: int(size)])
        ends = np.cumsum([int(size), *(length for _, length in sizes)]).tolist()
        blobs = {name: rest[start:end] for (name, _), (start, end) in zip(sizes, pairwise(ends), strict=True)}
    except (TypeError, RecursionError) as error:
        raise ValueError(f"what was remembered cannot be understood ({error})") from None
    return revived(document), blobs
