"""What people write about kept runs, and figures of them that a list shows, beside the index and never in a run's own files.

Losing this file loses words and no result; figures are read from the runs again.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sptrader_desktop.adapters.sqlite_index import SqliteIndex
from sptrader_desktop.core.errors import RunError

NOTES, VERSION = "notes.sqlite3", 1
MOST_TAGS, LONGEST_TAG, LONGEST_NOTE = 20, 40, 4000
SCHEMA = """
CREATE TABLE notes (
    run TEXT PRIMARY KEY,
    tags TEXT NOT NULL DEFAULT '[]',
    note TEXT NOT NULL DEFAULT '',
    first_us INTEGER,
    last_us INTEGER,
    drawdown REAL
) STRICT
"""


@dataclass(frozen=True, slots=True)
class RunFigures:
    """The first and last open of the candles in microseconds UTC, and the largest drawdown as a fraction."""

    first_us: int | None
    last_us: int | None
    drawdown: float | None


NO_FIGURES = RunFigures(None, None, None)


@dataclass(frozen=True, slots=True)
class RunNote:
    tags: tuple[str, ...] = ()
    note: str = ""
    figures: RunFigures | None = None


class SqliteRunNotes:
    def __init__(self, folder: Path) -> None:
        self._path = folder / NOTES
        remedy = "tags and notes are not shown; the next that is written begins a new file, and this one stays beside it"
        self._index = SqliteIndex(self._path, SCHEMA, VERSION, RunError, remedy)

    def all(self) -> dict[str, RunNote]:
        if not self._path.exists():
            return {}
        with self._index.transaction() as index:
            rows = index.execute("SELECT run, tags, note, first_us, last_us, drawdown FROM notes").fetchall()
        return {run: RunNote(_tags(tags), note, _figures(first, last, drawdown)) for run, tags, note, first, last, drawdown in rows}

    def fault(self) -> str:
        """Why they cannot be read; nothing where they can."""
        try:
            self.all()
        except RunError as error:
            return str(error)
        return ""

    def write(self, run: str, tags: Iterable[str], note: str) -> None:
        cleaned = clean_tags(tags)
        if len(note) > LONGEST_NOTE:
            raise RunError(f"the note on {run} has {len(note):,} letters: keep it to {LONGEST_NOTE:,}")
        self._index.set_aside_if_damaged()
        with self._index.transaction(writing=True) as index:
            index.execute(
                "INSERT INTO notes (run, tags, note) VALUES (?, ?, ?) "
                "ON CONFLICT (run) DO UPDATE SET tags = excluded.tags, note = excluded.note",
                (run, json.dumps(cleaned, ensure_ascii=False), note),
            )

    def keep_figures(self, found: Mapping[str, RunFigures]) -> None:
        with self._index.transaction(writing=True) as index:
            index.executemany(
                "INSERT INTO notes (run, first_us, last_us, drawdown) VALUES (?, ?, ?, ?) ON CONFLICT (run) DO UPDATE SET "
                "first_us = excluded.first_us, last_us = excluded.last_us, drawdown = excluded.drawdown",
                [(run, item.first_us, item.last_us, item.drawdown) for run, item in found.items()],
            )


def clean_tags(tags: Iterable[str]) -> list[str]:
    """Each once, in order, without blanks around them."""
    cleaned = list(dict.fromkeys(" ".join(tag.split()) for tag in tags if tag.strip()))
    long = next((tag for tag in cleaned if len(tag) > LONGEST_TAG or "," in tag), None)
    if long:
        raise RunError(f"the tag {long[:LONGEST_TAG]}: give at most {LONGEST_TAG} letters and no comma")
    if len(cleaned) > MOST_TAGS:
        raise RunError(f"{len(cleaned)} tags are given: a run has at most {MOST_TAGS}")
    return cleaned


def _tags(stored: str) -> tuple[str, ...]:
    try:
        read = json.loads(stored)
    except ValueError:
        return ()
    return tuple(str(tag) for tag in read) if isinstance(read, list) else ()


def _figures(first: int | None, last: int | None, drawdown: float | None) -> RunFigures | None:
    return None if drawdown is None else RunFigures(first, last, drawdown)
