"""A journal on a disk that is only simulated: crashes, failed syncs, full disks and flipped bits where a test wants them, at once.

It keeps the same promises as the real one, and `tests/test_journal.py` holds both to them.
"""

import struct
from collections.abc import Callable, Iterator, Sequence
from enum import Enum

from sptrader_desktop.core.errors import JournalBroken, JournalError
from sptrader_desktop.ports import JournalEntry
from sptrader_desktop.runtime.journal_chain import GENESIS, HASH_BYTES, Chain, decode, encode
from sptrader_desktop.runtime.journal_names import names_in

FRAME = struct.Struct(">QI")


class Moment(Enum):
    """Of a commit, in this order: nothing is written, it is written and not synced, it is on the disk and nobody was told."""

    BEFORE = 0
    WRITTEN = 1
    SYNCED = 2


class Fault(Enum):
    CRASH = 0
    FAILED_SYNC = 1


class Crashed(BaseException):
    """The simulated process is dead; only its disk is left."""


def no_fault(_: Moment) -> Fault | None:
    return None


class SimulatedDisk:
    """`fault` is asked at each moment of each commit. `room` is what is free beside the reserve; None: as much as one likes."""

    def __init__(self, fault: Callable[[Moment], Fault | None] = no_fault, *, room: int | None = None, reserve: int = 1 << 16) -> None:
        self.fault = fault
        self.room = room
        self.reserve = self.wanted = reserve
        self.kept = bytearray()
        self.unsynced = b""
        self.told: tuple[int, bytes] = (0, GENESIS)
        self.in_use = False

    def crash(self, survivors: int = 1 << 62) -> None:
        """A process that is killed loses nothing that it wrote; where power is lost, only some of the unsynced bytes survive."""
        self.kept += self.unsynced[:survivors]
        self.unsynced = b""
        self.in_use = False

    def write(self, content: bytes) -> bool:
        if self.room is not None:
            if len(content) > self.room:
                return False
            self.room -= len(content)
        self.unsynced = content
        return True

    def sync(self) -> None:
        self.kept += self.unsynced
        self.unsynced = b""

    def give_reserve(self) -> bool:
        given, self.reserve = self.reserve, 0
        if self.room is not None:
            self.room += given
        return given > 0

    def take_reserve(self) -> None:
        """Once there is room for it again."""
        if not self.reserve and (self.room is None or self.room >= self.wanted):
            self.reserve = self.wanted
            if self.room is not None:
                self.room -= self.wanted

    def flip(self, byte: int, bit: int) -> None:
        self.kept[byte] ^= 1 << bit


class SimulatedJournal:
    def __init__(self, disk: SimulatedDisk) -> None:
        if disk.in_use:
            raise JournalError("another program trades with this journal: end that one first")
        self._disk = disk
        self._chain = Chain()
        self._commits: list[tuple[int, bytes]] = []
        self._hashes = {0: GENESIS}
        self._names = set[str]()
        self._seq = 0
        self._is_broken = False
        self._follow()
        disk.in_use = True

    @property
    def head(self) -> tuple[int, bytes]:
        return self._seq, self._chain.hash

    def hash_of(self, seq: int) -> bytes | None:
        return self._hashes.get(seq)

    def knows(self, name: str) -> bool:
        self._demand_whole()
        return name in self._names

    @property
    def is_full(self) -> bool:
        return not self._disk.reserve

    def append(self, entries: Sequence[tuple[str, bytes]]) -> int:
        self._demand_whole()
        if not entries:
            return self._seq
        last, encoded = self._seq + len(entries), encode(entries)
        grown = self._chain.with_commit(last, encoded)
        frame = FRAME.pack(last, len(encoded)) + encoded + grown.hash
        self._meet(Moment.BEFORE)
        if not self._disk.write(frame) and not (self._disk.give_reserve() and self._disk.write(frame)):
            self._break("the disk is full, and so is the room that was kept free for the end")
        self._meet(Moment.WRITTEN)
        self._disk.sync()
        self._meet(Moment.SYNCED)
        self._grow(last, encoded, grown, entries)
        self._disk.told = self.head
        return last

    def read(self, after: int = 0) -> Iterator[JournalEntry]:
        self._demand_whole()
        for last, encoded in tuple(self._commits):
            if last > after:
                yield from (entry for entry in decode(last, encoded) if entry.seq > after)

    def tidy(self) -> None:
        self._demand_whole()
        self._disk.take_reserve()

    def close(self) -> None:
        self._disk.in_use = False

    def _grow(self, last: int, encoded: bytes, chain: Chain, entries: Sequence[tuple[str, bytes]]) -> None:
        self._commits.append((last, encoded))
        self._hashes[last] = chain.hash
        self._names.update(names_in(entries))
        self._seq, self._chain = last, chain

    def _follow(self) -> None:
        """A commit that is not whole at the end was never answered, unless the head says so."""
        kept, at = bytes(self._disk.kept), 0
        while at + FRAME.size <= len(kept):
            last, size = FRAME.unpack_from(kept, at)
            encoded = kept[at + FRAME.size : at + FRAME.size + size]
            end = at + FRAME.size + size + HASH_BYTES
            grown = self._chain.with_commit(last, encoded)
            if end > len(kept) or kept[end - HASH_BYTES : end] != grown.hash:
                break
            self._grow(last, encoded, grown, [(entry.kind, entry.body) for entry in decode(last, encoded)])
            if last == self._disk.told[0] and grown.hash != self._disk.told[1]:
                raise JournalError(f"entry {last:,} is not the one that was written: do not trade on")
            at = end
        if self._seq < self._disk.told[0]:
            raise JournalError(f"the journal is damaged behind entry {self._seq:,}, but there were {self._disk.told[0]:,}: do not trade on")
        del self._disk.kept[at:]

    def _meet(self, moment: Moment) -> None:
        fault = self._disk.fault(moment)
        if fault is Fault.CRASH:
            raise Crashed
        if fault is Fault.FAILED_SYNC and moment is Moment.WRITTEN:
            self._break("a sync failed")

    def _demand_whole(self) -> None:
        if self._is_broken:
            raise JournalBroken("the journal could not be written: this process ends")

    def _break(self, why: str) -> None:
        self._is_broken = True
        raise JournalBroken(f"the journal could not be written ({why}): this process ends")
