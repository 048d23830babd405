"""The journal of live trading in SQLite: a commit is on the disk before anything follows from it, and opening finds what was altered since.

One row is one commit. docs/journal.md says what it promises and what it cannot. Which signals have their outcome is found by an index.
"""

import errno
import os
import shutil
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import blake2b
from itertools import takewhile
from pathlib import Path
from typing import Any, NoReturn

from sptrader_desktop.adapters.sqlite_outcomes import BEGIN as OUTCOMES
from sptrader_desktop.adapters.sqlite_outcomes import SCHEMA as OUTCOMES_SCHEMA
from sptrader_desktop.adapters.sqlite_outcomes import SqliteOutcomes
from sptrader_desktop.core.errors import JournalBroken, JournalError
from sptrader_desktop.ports import JournalEntry
from sptrader_desktop.runtime.disk_reserve import DiskReserve
from sptrader_desktop.runtime.file_lock import FileLock
from sptrader_desktop.runtime.journal_chain import BLOCK, GENESIS, Chain, Commit, decode, encode
from sptrader_desktop.runtime.journal_head import Head, HeadFile
from sptrader_desktop.runtime.journal_names import names_in
from sptrader_desktop.runtime.whole_files import flush_folder

VERSION = 2
FIRST = 1  # without the index of outcomes
SCHEMA = """CREATE TABLE commits (
    last INTEGER PRIMARY KEY,
    entries BLOB NOT NULL,
    hash BLOB NOT NULL
) STRICT"""
SCHEMAS = {FIRST: SCHEMA, VERSION: ",".join((SCHEMA, *OUTCOMES_SCHEMA))}
COMMITS = "SELECT CAST(last AS BLOB), entries, hash FROM commits WHERE last > ? ORDER BY last"
LOWEST = -(1 << 63)

# What the log of SQLite may hold before it is copied into the file: when nothing waits, and at the latest.
# The least that a commit takes there is a page.
QUIET_BYTES, MOST_BYTES, PAGE_BYTES = 4 << 20, 64 << 20, 4096
RESERVE_BYTES = 64 << 20
WAIT_SECONDS = 1.0

# In this order: the log's index is in memory and in no file of its own only where the lock comes first.
PRAGMAS: tuple[tuple[str, str, Any], ...] = (
    ("locking_mode", "EXCLUSIVE", "exclusive"),
    ("journal_mode", "WAL", "wal"),
    ("synchronous", "FULL", 2),
    ("fullfsync", "ON", 1),
    ("checkpoint_fullfsync", "ON", 1),
    ("wal_autocheckpoint", "0", 0),
    ("cell_size_check", "ON", 1),
    ("trusted_schema", "OFF", 0),
)
STOP = "do not trade on: put the newest good copy of the whole folder back, or move the folder away and begin anew from the broker's books"


class SqliteJournal:
    """A path such as `journal.sqlite3`; its lock, its head and its reserve stand beside it."""

    def __init__(self, path: Path, *, reserve: int = RESERVE_BYTES) -> None:
        self._path = path
        self._lock = FileLock(path.with_suffix(".lock"))
        self._told = HeadFile(path.with_suffix(".head"))
        self._reserve = DiskReserve(path.with_suffix(".reserve"), reserve)
        self._turn = threading.Lock()
        self._chain = Chain()
        self._seq = 0
        self._unmoved = 0
        self._why_broken = ""
        try:
            self._begin()
        except BaseException:
            self._told.close()
            self._lock.give()
            raise

    @property
    def head(self) -> Head:
        return self._seq, self._chain.hash

    @property
    def is_full(self) -> bool:
        return not self._reserve.is_there

    def hash_of(self, seq: int) -> bytes | None:
        with self._alone():
            found: bytes | None = self._one(f"SELECT hash FROM commits WHERE last = {seq:d}") if seq else GENESIS
            return found

    def append(self, entries: Sequence[tuple[str, bytes]]) -> int:
        with self._alone():
            if not entries:
                return self._seq
            last, encoded = self._seq + len(entries), encode(entries)
            grown = self._chain.with_commit(last, encoded)
            row, names = (last, encoded, grown.hash), names_in(entries)
            if not self._committed(row, names) and not (self._reserve.give() and self._committed(row, names)):
                self._break("the disk is full, and so is the room that was kept free for the end")
            self._seq, self._chain = last, grown
            self._tell()
            self._unmoved += PAGE_BYTES * (1 + len(names) + bool(names)) + len(encoded)
            if self._unmoved > MOST_BYTES:
                self._move()
            return last

    def read(self, after: int = 0) -> Iterator[JournalEntry]:
        end = self._seq
        while after < end:
            found = self._some(after, end)
            if not found or [entry.seq for entry in found] != list(range(after + 1, after + 1 + len(found))):
                raise JournalError(f"{self._path}: entry {after + 1:,} is not where it belongs; {STOP}")
            yield from found
            after = found[-1].seq

    def _some(self, after: int, end: int) -> list[JournalEntry]:
        with self._alone():
            try:
                rows = self._database.execute("SELECT last, entries FROM commits WHERE last > ? ORDER BY last LIMIT 64", (after,))
                return [entry for last, encoded in rows.fetchall() for entry in decode(last, encoded) if after < entry.seq <= end]
            except (sqlite3.Error, ValueError) as error:
                raise JournalError(f"{self._path}: what follows entry {after:,} cannot be read ({error}); {STOP}") from None

    def knows(self, name: str) -> bool:
        with self._alone():
            try:
                return self._outcomes.knows(name)
            except (sqlite3.Error, ValueError) as error:
                raise JournalError(f"{self._path}: whether {name} has its outcome cannot be read ({error}); {STOP}") from None

    def tidy(self) -> None:
        with self._alone():
            if self._unmoved > QUIET_BYTES:
                self._move()
            if self.is_full:
                self._reserve.take()

    def close(self) -> None:
        """What is in the log of SQLite is moved into the file, where there is room for it."""
        if not self._lock.is_held:
            return
        if not self._why_broken:
            with self._alone():
                self._move()
        self._database.close()
        self._told.close()
        self._lock.give()

    # Opening

    def _begin(self) -> None:
        try:
            if not self._lock.take():
                raise JournalError(f"{self._path}: another program trades with this journal: end that one first")
            told = self._told.read()
            log = self._path.with_name(f"{self._path.name}-wal")
            if not self._path.exists():
                self._begin_anew(told, log)
            self._open(told, log)
            try:
                self._told.open(self.head)
                flush_folder(self._path.parent)
                self._reserve.take()
            except BaseException as error:
                self._close_refused(log, error)
                raise
        except OSError as error:
            raise JournalError(
                f"{self._path}: the journal cannot be kept here ({error.strerror}): make room, or name a folder you may write in"
            ) from None

    def _begin_anew(self, told: Head | None, log: Path) -> None:
        if told not in {None, (0, GENESIS)} or log.exists():
            raise JournalError(f"{self._path} is missing, but what stands beside it tells of a journal{_length(told)}; {STOP}")
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))

    def _open(self, told: Head | None, log: Path) -> None:
        self._database = sqlite3.connect(self._path, timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False)
        self._outcomes = SqliteOutcomes(self._database)
        try:
            self._verify(told)
        except BaseException as error:
            self._close_refused(log, error)
            if isinstance(error, sqlite3.Error):
                raise self._refused(error) from None
            raise

    def _close_refused(self, log: Path, error: BaseException) -> None:
        """Closing deletes the log, and with it the only trace of a commit in it that SQLite cannot read any more."""
        if not isinstance(error, sqlite3.Error) or _code(error) != sqlite3.SQLITE_BUSY:
            with suppress(OSError):
                if content := log.read_bytes():
                    log.with_name(f"{log.name}.{blake2b(content, digest_size=6).hexdigest()}").write_bytes(content)
        self._database.close()

    def _refused(self, error: sqlite3.Error) -> JournalError:
        if _code(error) == sqlite3.SQLITE_BUSY:
            return JournalError(f"{self._path}: another program has the journal open: end that one first")
        if _code(error) == sqlite3.SQLITE_READONLY:
            return JournalError(f"{self._path} cannot be written: get the right to; where you have it, the file is damaged: {STOP}")
        if _is_full(error):
            return JournalError(f"{self._path}: there is no room on the disk to begin a journal: make room")
        return self._damaged(error)

    def _verify(self, told: Head | None) -> None:
        for name, wanted, meant in PRAGMAS:
            self._database.execute(f"PRAGMA {name} = {wanted}")
            if self._one(f"PRAGMA {name}") != meant:
                raise JournalError(f"{self._path}: SQLite does not keep to {name} = {wanted} here: place the journal on a local disk")
        version = self._bring_up(told)
        self._follow()
        if (found := self._one("PRAGMA quick_check(1)")) != "ok":
            raise self._damaged(found)
        if self._one(f"SELECT last FROM commits WHERE last <= {self._seq + 1} ORDER BY last DESC LIMIT 1", 0) != self._seq:
            raise self._damaged("its last entry is not where it belongs")
        self._database.executescript(f"BEGIN; PRAGMA user_version = {version}; ROLLBACK")  # a flipped bit can make a file that is only read
        self._compare(told)
        if version == FIRST or not self._outcomes.are_whole:
            self._index(version)

    def _index(self, version: int) -> None:
        self._database.executescript(f"BEGIN; {f'{OUTCOMES}; PRAGMA user_version = {VERSION}' if version == FIRST else ''}")
        try:
            self._outcomes.make_again(self._database.execute("SELECT last, entries FROM commits ORDER BY last"))
        except ValueError as error:
            raise self._damaged(error) from None
        self._database.execute("COMMIT")

    def _bring_up(self, told: Head | None) -> int:
        """The format that it has."""
        version, schema = self._one("PRAGMA user_version"), self._one("SELECT group_concat(sql) FROM sqlite_schema")
        if version > VERSION:
            raise JournalError(
                f"{self._path} was written by a newer sptrader (format {version}, this one knows {VERSION}): update sptrader"
            )
        if not version and schema is None and (told is None or not told[0]):
            self._database.executescript(f"BEGIN; {SCHEMA}; {OUTCOMES}; PRAGMA user_version = {VERSION}; COMMIT; PRAGMA wal_checkpoint;")
            return VERSION
        if schema is None or schema != SCHEMAS.get(version):
            raise self._damaged("it has not the tables of a journal")
        return int(version)

    def _follow(self) -> None:
        """The whole chain from its first commit, a block at a time."""
        for block in self._blocks():
            fitting = self._fitting(block)
            self._seq = _last(block[:fitting], self._seq)
            if fitting < len(block):
                raise self._damaged(f"the commit of entries {self._seq + 1:,} to {_last(block[: fitting + 1], 0):,} was altered")

    def _fitting(self, block: list[Commit]) -> int:
        try:
            return self._chain.follow_block(block)
        except TypeError:  # a flipped bit can make a number, a text or nothing out of bytes
            return self._chain.follow_block(list(takewhile(lambda row: set(map(type, row)) == {bytes}, block)))

    def _blocks(self) -> Iterator[list[Commit]]:
        """Where SQLite cannot go on, what comes before that place is told first."""
        rows = self._database.execute(COMMITS, (LOWEST,))
        try:
            while block := rows.fetchmany(BLOCK):
                yield block
        except sqlite3.Error:
            readable: list[Commit] = []
            with suppress(sqlite3.Error):
                for row in self._database.execute(COMMITS, (self._seq or LOWEST,)):
                    readable.append(row)  # noqa: PERF402  # what can be read before the damage is kept
            yield readable
            raise

    def _compare(self, told: Head | None) -> None:
        if told is None and self._seq:
            raise JournalError(
                f"{self._path} ends with entry {self._seq:,}, but its head file is gone, so nobody can tell if that is all; {STOP}"
            )
        if told is None:
            return
        if told[0] > self._seq:
            raise JournalError(
                f"{self._path} ends with entry {self._seq:,}, but there were {told[0]:,}: it lost its end, or it is an older copy; {STOP}"
            )
        if told[0] and self._one(f"SELECT hash FROM commits WHERE last = {told[0]}") != told[1]:
            raise JournalError(f"{self._path}: entry {told[0]:,} is not the one that was written: it is another journal's; {STOP}")

    def _damaged(self, why: object) -> JournalError:
        return JournalError(f"{self._path} is damaged ({why}); its first {self._seq:,} entries are as they were written; {STOP}")

    def _one(self, query: str, missing: object = None) -> Any:
        row = self._database.execute(query).fetchone()
        return missing if row is None else row[0]

    # Writing

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if self._why_broken:
            raise JournalBroken(self._why_broken)
        if not self._turn.acquire(blocking=False):
            raise RuntimeError("a journal is asked by two threads at once")
        try:
            yield
        finally:
            self._turn.release()

    def _committed(self, row: tuple[int, bytes, bytes], names: Sequence[str]) -> bool:
        """One transaction; False where there is no room for it."""
        try:
            if names:
                self._database.execute("BEGIN")
                self._outcomes.add(row[0], names)
            self._database.execute("INSERT INTO commits VALUES (?, ?, ?)", row)
            if names:
                self._database.execute("COMMIT")
        except sqlite3.Error as error:
            if not (_is_full(error) and self._taken_back()):
                self._break(str(error))
            return False
        return True

    def _taken_back(self) -> bool:
        """SQLite may have done so itself."""
        try:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
        except sqlite3.Error:
            return False
        return True

    def _tell(self) -> None:
        try:
            self._told.write(self.head)
        except OSError as error:
            if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
                self._break(str(error))

    def _move(self) -> None:
        """From the log into the file; a log for which there is no room stays."""
        self._unmoved = 0
        try:
            self._database.execute("PRAGMA wal_checkpoint").fetchone()
            self._told.sync()
        except sqlite3.Error as error:
            if not _is_full(error):
                self._break(str(error))
            self._reserve.give()
        except OSError as error:
            self._break(str(error))

    def _break(self, why: str) -> NoReturn:
        self._why_broken = f"{self._path} could not be written ({why}): this process ends, and the next one reads what is there"
        raise JournalBroken(self._why_broken) from None


def copy_journal(path: Path, folder: Path) -> Path:
    """With its snapshots, to look into: the journal stays as it is, and may be traded with. Its head first: it may grow."""
    for file in sorted(path.parent.glob(f"{path.stem}.*")):
        if file.suffix not in {".lock", ".reserve"}:
            shutil.copy(file, folder)
    return folder / path.name


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _is_full(error: sqlite3.Error) -> bool:
    """A write that failed counts: a quota tells itself so, and nothing of it was believed to be on the disk."""
    return getattr(error, "sqlite_errorcode", 0) in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE}


def _last(commits: Sequence[Commit], otherwise: int) -> int:
    return int(commits[-1][0]) if commits else otherwise


def _length(told: Head | None) -> str:
    return f" of {told[0]:,} entries" if told else ""
