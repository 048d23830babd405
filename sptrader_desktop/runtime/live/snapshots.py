"""Snapshots of a session, so that a restart applies only the facts after the newest good one.

A snapshot is an abbreviation of its journal, and never believed against it: it counts for the entry and the hash at which it was taken and
for the rules by which it was made. Whatever is wrong with one, the one before it or all facts come to the same state.
"""

import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sptrader_desktop.core.live_book import Book
from sptrader_desktop.ports import Journal
from sptrader_desktop.runtime.live.memory import Memory

log = logging.getLogger("sptrader.live")
APART = 5_000  # entries
AT_LAST = 4  # times as many, if it never becomes quiet
PACKAGE = Path(__file__).resolve().parents[2]
RULES = ("core/*.py", "runtime/live/session.py", "runtime/live/memory.py", "runtime/live/kept_values.py", "present/live_feeds.py")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Of what all came to with the journal's entry `seq`, whose hash is `head`."""

    seq: int
    head: bytes
    present: bytes


class SnapshotStore(Protocol):
    def found(self) -> Iterator[Snapshot]:
        """Those that are as they were written, newest first; each may be gone on from until the next is asked for."""
        ...

    @property
    def refused(self) -> list[str]:
        """Why the others are not, in sentences."""
        ...

    def begin(self, base: Snapshot | None) -> None:
        """This one is good, and stays until there is another; None: none is."""
        ...

    def keep(self, seq: int, head: bytes, written: Callable[[], bytes]) -> None:
        """At once or soon."""
        ...

    @property
    def is_busy(self) -> bool: ...

    def close(self) -> None: ...


class Snapshots:
    def __init__(self, store: SnapshotStore, book: Book, owners: Mapping[str, object], apart: int = APART) -> None:
        self._store, self._memory, self._apart = store, Memory(book, owners), apart
        self._seq = 0
        self._is_impossible = False

    def restore(self, journal: Journal) -> int:
        """Up to which entry nothing need be applied any more."""
        base = next((snapshot for snapshot in self._store.found() if self._is_put_back(snapshot, journal)), None)
        for why in self._store.refused:
            log.warning("%s; %s", why, f"facts are applied from entry {base.seq + 1:,} on" if base else "all facts are applied instead")
        self._store.begin(base)
        self._seq = base.seq if base else 0
        return self._seq

    def _is_put_back(self, snapshot: Snapshot, journal: Journal) -> bool:
        if journal.hash_of(snapshot.seq) != snapshot.head:
            self._store.refused.append(f"the snapshot of entry {snapshot.seq:,} is of another journal")
            return False
        try:
            self._memory.put_back(snapshot.present)
        except ValueError as error:
            self._store.refused.append(f"the snapshot of entry {snapshot.seq:,} cannot be used ({error})")
            return False
        return True

    def keep_if_due(self, journal: Journal, *, is_quiet: bool) -> None:
        """Between two commits. It costs the loop a copy of what is remembered; the rest is done beside it."""
        seq, head = journal.head
        due = self._apart if is_quiet else AT_LAST * self._apart
        if seq - self._seq < due or self._is_impossible or self._store.is_busy or journal.is_full:
            return
        try:
            taken = self._memory.take()
        except (TypeError, ValueError) as error:
            self._is_impossible = True
            log.warning("there are no more snapshots (%s): a restart applies all facts since entry %d", error, self._seq)
            return
        self._seq = seq
        self._store.keep(seq, head, taken.written)

    def close(self) -> None:
        self._store.close()


def rules() -> str:
    """A hash of all by which facts become a state: by other rules they may come to another one."""
    digest = hashlib.blake2b(digest_size=16)
    for pattern in RULES:
        for source in sorted(PACKAGE.glob(pattern)):
            digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    return digest.hexdigest()
