"""One SQLite file that says which files beside it count: whole transactions, two processes at once, one sentence for every refusal."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sptrader_desktop.core.errors import SptraderError

WAIT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class SqliteIndex:
    """`error` is what its owner raises, `remedy` what a person can do with a file that SQLite refuses.

    `upgrades` lead from each version to the next, beginning with the first.
    """

    path: Path
    schema: str
    version: int
    error: type[SptraderError]
    remedy: str
    upgrades: tuple[str, ...] = ()

    @contextmanager
    def transaction(self, *, writing: bool = False) -> Iterator[sqlite3.Connection]:
        """Whoever writes is alone; whatever is raised inside undoes all of it."""
        try:
            with closing(self._opened(writing)) as index:
                yield index
                index.execute("COMMIT")
        except sqlite3.Error as error:
            if _is_busy(error):
                raise self.error(
                    f"{self.path} has been in use by another process for {WAIT_SECONDS} s: try again when it is done"
                ) from None
            if _code(error) in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
                raise self.error(
                    f"{self.path} cannot be used ({error}): its disk is full or fails: make room there, then do it again"
                ) from None
            raise self.error(f"{self.path} cannot be used ({error}): {self.remedy}") from None

    def is_damaged(self) -> bool:
        """SQLite finds that it is broken, or none of its files."""
        try:
            with closing(sqlite3.connect(self.path, timeout=WAIT_SECONDS)) as index:
                return bool(index.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok")
        except sqlite3.DatabaseError as error:
            return _code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

    def set_aside_if_damaged(self) -> Path | None:
        """As it was, under a name beside its own, with its log, which may hold what can be saved of it."""
        if not self.path.exists() or not self.is_damaged():
            return None
        aside = self.path.with_name(f"{self.path.name}.broken-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
        try:
            for more in ("-wal", "-shm", ""):
                part = self.path.with_name(self.path.name + more)
                if part.exists():
                    part.rename(aside.with_name(aside.name + more))
        except OSError as error:
            raise self.error(f"{self.path} is damaged and could not be set aside ({error.strerror}): {self.remedy}") from None
        return aside

    def _opened(self, writing: bool) -> sqlite3.Connection:
        try:
            with _closed_on_error(sqlite3.connect(self.path, timeout=WAIT_SECONDS, isolation_level=None)) as index:
                index.execute("PRAGMA synchronous = FULL")
                self._begin(index, writing)
                return index
        except sqlite3.Error as error:
            if writing or _code(error) != sqlite3.SQLITE_IOERR:
                raise
            return self._as_it_stands(error)

    def _as_it_stands(self, error: sqlite3.Error) -> sqlite3.Connection:
        """To read beside its log SQLite must write, which no full disk allows. Without a log all there is stands in the file itself."""
        log = self.path.with_name(f"{self.path.name}-wal")
        if log.exists() and log.stat().st_size:
            raise error
        address = f"{self.path.absolute().as_uri()}?mode=ro&immutable=1"
        with _closed_on_error(sqlite3.connect(address, uri=True, isolation_level=None)) as index:
            if self._version_of(index) != self.version:
                raise error
            index.execute("BEGIN")
            return index

    def _begin(self, index: sqlite3.Connection, writing: bool) -> None:
        """SQLite waits for locks by itself, but not when two processes turn a new index to WAL at once."""
        until = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                self._bring_up(index)
                index.execute("BEGIN IMMEDIATE" if writing else "BEGIN")
            except sqlite3.OperationalError as error:
                if not _is_busy(error) or time.monotonic() > until:
                    raise
                time.sleep(0.02)
            else:
                return

    def _bring_up(self, index: sqlite3.Connection) -> None:
        if (found := self._version_of(index)) == self.version:
            return
        if found:
            self._keep_aside(index, found)
        index.execute("PRAGMA journal_mode = WAL")
        index.execute("BEGIN IMMEDIATE")
        found = self._version_of(index)
        for statement in self.upgrades[found - 1 :] if found else (self.schema,):
            index.execute(statement)
        index.execute(f"PRAGMA user_version = {self.version}")
        index.execute("COMMIT")

    def _keep_aside(self, index: sqlite3.Connection, found: int) -> None:
        """As it was before the upgrade, whole and in one file."""
        aside = self.path.with_name(f"{self.path.name}.before-version-{found + 1}")
        if not aside.exists():
            index.execute("VACUUM INTO ?", (str(aside),))

    def _version_of(self, index: sqlite3.Connection) -> int:
        found = int(index.execute("PRAGMA user_version").fetchone()[0])
        if found > self.version:
            raise self.error(
                f"{self.path} was written by a newer sptrader (version {found}, this one knows {self.version}): update sptrader"
            )
        return found


@contextmanager
def _closed_on_error(index: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    with ExitStack() as undo:
        undo.callback(index.close)
        yield index
        undo.pop_all()


def _is_busy(error: sqlite3.Error) -> bool:
    return _code(error) == sqlite3.SQLITE_BUSY


def _code(error: sqlite3.Error) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF
