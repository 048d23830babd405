"""The paper broker's own books in SQLite: transactions, which requests were carried out, and what it holds, in one commit.

What is told to anybody was committed first, so a broker that is killed takes nothing back and does nothing twice.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from sptrader_desktop.adapters.broker_lines import line_of
from sptrader_desktop.core.broker_messages import Transaction
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.runtime.file_lock import FileLock

VERSION = 1
SCHEMA = """
CREATE TABLE told (n INTEGER PRIMARY KEY, id TEXT NOT NULL, line BLOB NOT NULL) STRICT;
CREATE INDEX told_of ON told (id);
CREATE TABLE asked (id TEXT PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE books (one INTEGER PRIMARY KEY CHECK (one = 1), account TEXT NOT NULL, currency TEXT NOT NULL, n INTEGER NOT NULL,
                    kept TEXT NOT NULL) STRICT;
"""
KEEP = "INSERT INTO books VALUES (1, ?, ?, ?, ?) ON CONFLICT (one) DO UPDATE SET n = excluded.n, kept = excluded.kept"
PAGE = 500

Kept = Mapping[str, Any]
Answered = tuple[str, int, int]  # id of a request, numbers of the first and the last transaction that answered it at once


class LedgerTakenError(DataError):
    """Another process keeps these books already."""


class PaperLedger:
    """One program at a time. `n` is the number of the last transaction, `kept` what the broker held after it, if it ever held anything."""

    def __init__(self, path: Path, account: str, currency: str) -> None:
        self._path, self._account, self._currency = path, account, currency
        self._lock = FileLock(path.with_suffix(".lock"))
        if not self._lock.take():
            raise LedgerTakenError(f"{path}: another paper broker keeps these books: use that one, or end it first")
        with self._usable(), ExitStack() as refused:
            refused.callback(self._lock.give)
            self._database = refused.enter_context(closing(sqlite3.connect(path, isolation_level=None)))
            self._begin()
            self.n, self.kept = self._found()
            refused.pop_all()

    def _begin(self) -> None:
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "fullfsync = ON", "locking_mode = EXCLUSIVE"):
            self._database.execute(f"PRAGMA {pragma}")
        version = int(self._database.execute("PRAGMA user_version").fetchone()[0])
        if not version:
            self._database.executescript(f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
        elif version != VERSION:
            raise DataError(f"{self._path}: these books are of version {version}, this program knows {VERSION}: update sptrader")

    def _found(self) -> tuple[int, Kept | None]:
        count, last = self._database.execute("SELECT COUNT(*), COALESCE(MAX(n), 0) FROM told").fetchone()
        books = self._database.execute("SELECT account, currency, n, kept FROM books").fetchone()
        if books is None and not count:
            return 0, None
        if books is None or not count == last == books[2]:
            raise DataError(f"{self._path}: transactions are missing in these books: put the newest good copy back")
        if books[:2] != (self._account, self._currency):
            raise DataError(f"{self._path}: these are the books of {books[0]} in {books[1]}, not of {self._account} in {self._currency}")
        return last, json.loads(books[3])

    def commit(self, told: Sequence[Transaction], answered: Sequence[Answered], kept: Kept) -> None:
        """On the disk when it returns."""
        n = told[-1].n if told else self.n
        with self._usable():
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany("INSERT INTO told VALUES (?, ?, ?)", [(item.n, item.id, line_of(item)) for item in told])
            self._database.executemany("INSERT INTO asked VALUES (?, ?, ?)", answered)
            self._database.execute(KEEP, (self._account, self._currency, n, json.dumps(kept, separators=(",", ":"))))
            self._database.execute("COMMIT")
        self.n = n

    def lines_after(self, n: int) -> list[bytes]:
        """The next ones, in their order; not all of many."""
        with self._usable():
            return [line for (line,) in self._database.execute("SELECT line FROM told WHERE n > ? ORDER BY n LIMIT ?", (n, PAGE))]

    def became_of(self, name: str) -> list[bytes] | None:
        """Every transaction that a request led to; None where it was never made."""
        with self._usable():
            row = self._database.execute("SELECT first, last FROM asked WHERE id = ?", (name,)).fetchone()
            if row is None:
                return None
            found = self._database.execute("SELECT line FROM told WHERE id = ? OR n BETWEEN ? AND ? ORDER BY n", (name, *row))
            return [line for (line,) in found]

    def close(self) -> None:
        self._database.close()
        self._lock.give()

    @contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise DataError(
                f"{self._path}: the paper broker's books cannot be used ({error}): make room, or put the newest good copy back"
            ) from None
