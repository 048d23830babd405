"""One SQLite file that says which files beside it count: whole transactions, two processes at once, one sentence for every refusal."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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
            index = sqlite3.connect(self.path, timeout=WAIT_SECONDS, isolation_level=None)
            try:
                index.execute("PRAGMA synchronous = FULL")
                self._begin(index, writing)
                yield index
                index.execute("COMMIT")
            finally:
                index.close()
        except sqlite3.Error as error:
            if _is_busy(error):
                raise self.error(
                    f"{self.path} has been in use by another process for {WAIT_SECONDS} s: try again when it is done"
                ) from None
            if _code(error) == sqlite3.SQLITE_FULL:
                raise self.error(f"{self.path} could not be written: its disk is full: make room there, then do it again") from None
            raise self.error(f"{self.path} cannot be used ({error}): {self.remedy}") from None

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
        if self._version_of(index) == self.version:
            return
        index.execute("PRAGMA journal_mode = WAL")
        index.execute("BEGIN IMMEDIATE")
        found = self._version_of(index)
        for statement in self.upgrades[found - 1 :] if found else (self.schema,):
            index.execute(statement)
        index.execute(f"PRAGMA user_version = {self.version}")
        index.execute("COMMIT")

    def _version_of(self, index: sqlite3.Connection) -> int:
        found = int(index.execute("PRAGMA user_version").fetchone()[0])
        if found > self.version:
            raise self.error(
                f"{self.path} was written by a newer sptrader (version {found}, this one knows {self.version}): update sptrader"
            )
        return found


def _is_busy(error: sqlite3.Error) -> bool:
    return _code(error) == sqlite3.SQLITE_BUSY


def _code(error: sqlite3.Error) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF
