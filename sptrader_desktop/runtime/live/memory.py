"""What a live session has come to, as bytes and back: the same to the last bit, so that a restart need not apply every fact again.

Nothing is listed that could be forgotten: every attribute of an object is remembered, but functions and what its class says it was `MADE`
with. What only `GROWS` is told once, and later what was added; where its values may change too, a second attribute names those that did.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Any

import numpy as np

from sptrader_desktop.core.live_book import LOGS, Book
from sptrader_desktop.core.tables import Ints, Log, Plan, Table
from sptrader_desktop.runtime.live.kept_values import PACKAGE, Inside, copied, plain, revived

Blobs = dict[str, bytes]
_Change = tuple[object, str, Any]


@dataclass(frozen=True, slots=True)
class Taken:
    """A moment of a session, copied so far that nothing of it changes any more."""

    present: Inside
    past: dict[str, list[Any]]
    tables: Blobs
    rows: Blobs

    def written(self) -> tuple[bytes, bytes]:
        """The present, whole, and what was added to the past; in no hurry, on any thread."""
        return _packed(plain(self.present), self.tables), _packed(plain(self.past), self.rows)


class Memory:
    """Of a book and the objects that live on it, by the names under which they are remembered."""

    def __init__(self, book: Book, owners: Mapping[str, object]) -> None:
        self._book, self._owners = book, owners
        self._elsewhere = {id(book), *map(id, owners.values())}
        self._told: dict[str, tuple[int, Any]] = {}  # of what grows: how much was told, and its last key
        self._rows: dict[str, int] = {}
        self._orders: Table = book.log.orders[:0]

    # Taking

    def take(self) -> Taken:
        """The past only since the last time."""
        past, seen = dict[str, list[Any]](), set[int]()
        present = Inside({name: self._attributes(owner, name, past, seen) for name, owner in self._owners.items()})
        present["log"] = {name: len(getattr(self._book.log, name)) for name in LOGS}
        tables = {name: _used(table).tobytes() for name, table in self._book.tables().items()}
        taken = Taken(present, past, tables, dict(self._new_rows()))
        self._follow()
        return taken

    def _attributes(self, owner: object, path: str, past: dict[str, list[Any]], seen: set[int]) -> Inside:
        found, grows = Inside(), _grows(owner)
        for name, value in self._remembered(owner):
            at = f"{path}.{name}"
            if isinstance(value, dict | list | set) or _is_object(value):
                if id(value) in seen:
                    raise TypeError(f"{at} stands in two places and would be two things afterwards")
                seen.add(id(value))
            if name in grows:
                past[at] = self._grown(at, value, getattr(owner, grows[name]) if grows[name] else None)
            else:
                found[name] = self._attributes(value, at, past, seen) if _is_object(value) else copied(value)
        return found

    def _remembered(self, owner: object) -> Iterator[tuple[str, Any]]:
        left_out = {*getattr(owner, "MADE", ()), *_grows(owner).values()}
        for name, value in vars(owner).items():
            if not (name in left_out or callable(value) or isinstance(value, Plan | Book) or id(value) in self._elsewhere):
                yield name, value

    def _grown(self, at: str, value: Any, changed: Iterable[str] | None) -> list[Any]:
        """Items of a list, or pairs."""
        count, last = self._told.get(at, (0, None))
        added = len(value) - count
        if added < 0 or (count and isinstance(value, dict) and next(islice(reversed(value), added, None)) != last):
            raise ValueError(f"{at} grew otherwise than at its end")
        if isinstance(value, list):
            return [copied(each) for each in value[count:]]
        names = changed if changed is not None and count else reversed([*islice(reversed(value), added)])
        return [[name, copied(value[name])] for name in names]

    def _new_rows(self) -> Iterator[tuple[str, bytes]]:
        """Of the log, and orders that are no longer what they were."""
        for name in LOGS:
            table, count = getattr(self._book.log, name), int(self._book.account[name][0])
            yield name, table[self._rows.get(name, 0) : count].tobytes()
        known = self._orders
        orders = self._book.log.orders[: len(known)]
        changed = np.flatnonzero((_numbers(orders) != _numbers(known)).any(axis=1)).astype(np.int64)
        yield "changed", changed.tobytes()
        yield "changed orders", orders[changed].tobytes()

    def _follow(self) -> None:
        """What is there was told."""
        for name, owner in self._owners.items():
            self._mark(owner, name)
        self._rows = {name: int(self._book.account[name][0]) for name in LOGS}
        self._orders = self._book.log.orders[: self._rows["orders"]].copy()

    def _mark(self, owner: object, path: str) -> None:
        grows = _grows(owner)
        for name, value in self._remembered(owner):
            if name in grows:
                self._told[f"{path}.{name}"] = len(value), next(reversed(value), None) if isinstance(value, dict) else None
                if grows[name]:
                    getattr(owner, grows[name]).clear()
            elif _is_object(value):
                self._mark(value, f"{path}.{name}")

    # Putting back

    def put_back(self, present: bytes, past: Sequence[bytes]) -> None:
        """Into what has lived through nothing yet. ValueError where it does not fit, and then nothing was changed."""
        known, tables = _unpacked(present)
        grown = [_unpacked(each) for each in past]
        if not isinstance(known, Inside) or known.keys() != {*self._owners, "log"} or tables.keys() != self._book.tables().keys():
            raise ValueError("it remembers other things")
        added = _joined(document for document, _ in grown)
        changes = [change for name, owner in self._owners.items() for change in self._changes(owner, known[name], name, added)]
        if added:
            raise ValueError(f"nothing grows here that is called {', '.join(added)}")
        places = [(table, _rows_of(table, tables[name])) for name, table in self._book.tables().items()]
        log = _log(self._book.log, known["log"], [blobs for _, blobs in grown])
        for table, rows in places:
            table[...] = 0
            table[: len(rows)] = rows
        self._book.put_log(log)
        for owner, name, value in changes:
            setattr(owner, name, value)
        self._follow()

    def _changes(self, owner: object, known: Any, path: str, added: dict[str, list[Any]]) -> Iterator[_Change]:
        values, grows = dict(self._remembered(owner)), _grows(owner)
        if not isinstance(known, Inside) or known.keys() != values.keys() - grows.keys():
            raise ValueError(f"{path} was something else")
        for name, value in values.items():
            if name in grows:
                rows = added.pop(f"{path}.{name}", [])
                yield owner, name, rows if isinstance(value, list) else dict(rows)
            elif _is_object(value):
                yield from self._changes(value, known[name], f"{path}.{name}", added)
            else:
                yield owner, name, known[name]


def _grows(owner: object) -> Mapping[str, str]:
    found: Mapping[str, str] = getattr(owner, "GROWS", {})
    return found


def _is_object(value: object) -> bool:
    """Of ours, and no record: it is there already when it is put back."""
    return type(value).__module__.startswith(PACKAGE) and hasattr(value, "__dict__") and not hasattr(value, "__dataclass_fields__")


def _joined(documents: Iterable[Any]) -> dict[str, list[Any]]:
    joined: dict[str, list[Any]] = {}
    for document in documents:
        for name, rows in document.items():
            joined.setdefault(name, []).extend(rows)
    return joined


# Tables


def _numbers(table: Table) -> Ints:
    return table.view(np.int64).reshape(len(table), table.dtype.itemsize // 8)


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


def _log(empty: Log, lengths: Mapping[str, int], parts: Sequence[Blobs]) -> Log:
    found: dict[str, Table] = {}
    for name in LOGS:
        table = getattr(empty, name)
        found[name] = table = np.zeros((lengths[name], *table.shape[1:]), table.dtype)
        count = 0
        for blobs in parts:
            rows = _rows_of(table[count:], blobs[name])
            table[count : count + len(rows)] = rows
            count += len(rows)
            if name == "orders":
                table[np.frombuffer(blobs["changed"], np.int64)] = _rows_of(table, blobs["changed orders"])
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
