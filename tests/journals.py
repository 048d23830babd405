"""Where journals are kept in tests, the real and the simulated one alike, and what is written into them."""

import random
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from itertools import count
from pathlib import Path
from typing import Protocol

from sptrader_desktop.adapters.sqlite_journal import SqliteJournal
from sptrader_desktop.ports import Journal, JournalEntry
from sptrader_desktop.runtime.journal_names import OUTCOME, names_in
from sptrader_desktop.runtime.scratch import IN_MEMORY
from tests.simulated_disk import SimulatedDisk, SimulatedJournal

NAME = "journal.sqlite3"
RESERVE = 1 << 16
Entries = list[tuple[str, bytes]]


def batch(seq: int, most: int = 12) -> Entries:
    """What a test's writer commits behind this entry."""
    dice = random.Random(seq)
    kinds = ("bar", "signal", "intent", "transaction")
    entries = [(dice.choice(kinds), dice.randbytes(dice.choice((0, 7, 90, 300, 3000)))) for _ in range(dice.randint(1, most))]
    return [(OUTCOME, b'[1,"%d.%d"]' % (seq, number)) if kind == "signal" else (kind, body) for number, (kind, body) in enumerate(entries)]


def batches(until: int, seq: int = 0) -> Iterator[Entries]:
    """Whole ones, up to this entry."""
    while seq < until:
        yield (entries := batch(seq))
        seq += len(entries)
    assert seq == until, f"entry {until} is in the middle of a commit"


def fill(journal: Journal, commits: int) -> int:
    for _ in range(commits):
        journal.append(batch(journal.head[0]))
    return journal.head[0]


def numbered(entries: Entries) -> list[JournalEntry]:
    return [JournalEntry(seq, kind, body) for seq, (kind, body) in enumerate(entries, 1)]


def check_content(journal: Journal, least: int = 0) -> None:
    """Every commit is there wholly, to the end, and as it was written; at least up to an entry. Every outcome is found by its name."""
    end, _ = journal.head
    assert end >= least
    written = [entry for entries in batches(end) for entry in entries]
    assert list(journal.read()) == numbered(written)
    assert all(map(journal.knows, names_in(written)))
    assert not journal.knows("0.999")


class Place(Protocol):
    """One journal, wherever it is kept."""

    def open(self) -> Journal: ...

    def die(self, journal: Journal) -> None:
        """The program that has it open is killed."""
        ...

    def copy(self) -> "Place": ...

    def put_back(self, older: "Place") -> None:
        """The journal of an older copy in this one's place; what stands beside it stays."""
        ...

    def lose(self) -> None:
        """The journal, but not what stands beside it."""
        ...

    def size(self) -> int: ...

    def vulnerable(self, dice: random.Random) -> int:
        """A byte, and more often one on which others depend."""
        ...

    def flip(self, byte: int, bit: int) -> None: ...

    def cut(self, size: int) -> None: ...


class SqlitePlace:
    names = count()

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def path(self) -> Path:
        return self.folder / NAME

    @property
    def files(self) -> list[Path]:
        """Those that say something."""
        return sorted(path for path in self.folder.iterdir() if path.suffix not in {".lock", ".reserve"} and path.stat().st_size)

    def open(self) -> SqliteJournal:
        return SqliteJournal(self.path, reserve=RESERVE)

    def die(self, journal: Journal) -> None:
        """What a killed process leaves is what stands in its files at that moment; its own end then changes others."""
        left = self.copy()
        journal.close()
        self.folder = left.folder

    def copy(self) -> "SqlitePlace":
        folder = self.folder.with_name(f"copy-{next(self.names)}")
        folder.mkdir()
        for path in self.files:
            shutil.copyfile(path, folder / path.name)
        return SqlitePlace(folder)

    def put_back(self, older: Place) -> None:
        assert isinstance(older, SqlitePlace)
        self.lose()
        for path in older.files:
            if path.suffix != ".head":
                shutil.copyfile(path, self.folder / path.name)

    def lose(self) -> None:
        for path in self.files:
            if path.suffix != ".head":
                path.unlink()

    def remove(self) -> None:
        shutil.rmtree(self.folder)

    def size(self) -> int:
        return sum(path.stat().st_size for path in self.files)

    def vulnerable(self, dice: random.Random) -> int:
        """Anywhere; at the beginning of a page or of a frame of the log; where a row says the types of its values."""
        content = b"".join(path.read_bytes() for path in self.files)
        sizes = [path.stat().st_size for path in self.files]
        starts = [*range(sizes[0], sum(sizes[:2]), 4096), *range(sum(sizes[:2]), len(content), 4120)]
        rows = [found.start() for found in re.finditer(rb"\x05\x00", content)]
        begins: list[tuple[int, int]] = [(dice.randrange(len(content)), 1), (dice.choice(starts), 100), (dice.choice(rows), 6)]
        begin, span = dice.choice(begins)
        return min(begin + dice.randrange(span), len(content) - 1)

    def flip(self, byte: int, bit: int) -> None:
        path, at = self._at(byte)
        content = bytearray(path.read_bytes())
        content[at] ^= 1 << bit
        path.write_bytes(content)

    def cut(self, size: int) -> None:
        """All files end to end, the journal itself first."""
        path, at = self._at(size)
        with path.open("r+b") as file:
            file.truncate(at)

    def _at(self, byte: int) -> tuple[Path, int]:
        for path in self.files:
            if byte < path.stat().st_size:
                return path, byte
            byte -= path.stat().st_size
        raise ValueError(byte)


class SimulatedPlace:
    def __init__(self) -> None:
        self.disk = SimulatedDisk(reserve=RESERVE)

    def open(self) -> SimulatedJournal:
        return SimulatedJournal(self.disk)

    def die(self, journal: Journal) -> None:  # noqa: ARG002
        self.disk.crash()

    def copy(self) -> "SimulatedPlace":
        copied = SimulatedPlace()
        copied.disk = deepcopy(self.disk)
        return copied

    def put_back(self, older: Place) -> None:
        assert isinstance(older, SimulatedPlace)
        self.disk.kept = bytearray(older.disk.kept)

    def lose(self) -> None:
        self.disk.kept.clear()

    def size(self) -> int:
        return len(self.disk.kept)

    def vulnerable(self, dice: random.Random) -> int:
        return dice.randrange(self.size())

    def flip(self, byte: int, bit: int) -> None:
        self.disk.flip(byte, bit)

    def cut(self, size: int) -> None:
        del self.disk.kept[size:]


@contextmanager
def new_place(kind: str) -> Iterator[Place]:
    if kind == "simulated":
        yield SimulatedPlace()
        return
    with tempfile.TemporaryDirectory(prefix="sptrader-journal-", dir=IN_MEMORY if IN_MEMORY.is_dir() else None) as name:
        folder = Path(name, "journal")
        folder.mkdir()
        yield SqlitePlace(folder)
