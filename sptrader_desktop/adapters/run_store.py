"""Stored runs: a folder of plain files for each, and one SQLite index that says which folders count.

The files are written and forced to disk under a temporary name; then, in one transaction of the index, the run gets its number,
the folder its name and the index its row. So a run is listed whole or not at all, and two processes may save at once.
"""

import json
import re
import shutil
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from sptrader_desktop.adapters.run_listing import LISTED, RUN_ID, hashed, kept_row, number_of, row_of_files, traded
from sptrader_desktop.adapters.run_tables import decode_table, encode_tables
from sptrader_desktop.adapters.sqlite_index import SqliteIndex
from sptrader_desktop.adapters.sqlite_run_notes import NO_FIGURES, RunFigures, RunNote, SqliteRunNotes
from sptrader_desktop.core.errors import RunError
from sptrader_desktop.core.money import fixed
from sptrader_desktop.ports import FinishedRun, RunSummary, StoredRun
from sptrader_desktop.present.document_parts import document_parts
from sptrader_desktop.present.numbers import counted
from sptrader_desktop.runtime.whole_files import flush_folder, write_through

VERSION = 1
INDEX, UNFINISHED = "index.sqlite3", ".unfinished-"
LATEST = "latest"
# A save takes seconds: what is older was left behind by a process that died.
LEFT_BEHIND_SECONDS = 3600
SCHEMA = """
CREATE TABLE runs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    saved_us INTEGER NOT NULL,
    strategy TEXT NOT NULL,
    symbols TEXT NOT NULL,
    timeframe TEXT NOT NULL,
    trades INTEGER NOT NULL,
    pnl INTEGER NOT NULL,
    currency TEXT NOT NULL,
    hashes TEXT NOT NULL
) STRICT
"""
ADD = "INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
ADD_MISSING = ADD.replace("INSERT", "INSERT OR IGNORE")


class SqliteRunStore:
    """`folder` may not exist yet; looking into it creates nothing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        remedy = "move it away, and the list is made anew from the folders beside it"
        self._index = SqliteIndex(folder / INDEX, SCHEMA, VERSION, RunError, remedy)
        self._notes = SqliteRunNotes(folder)
        self._listing = threading.Lock()  # of two threads that meet a damaged list, one sets it aside
        self._aside = self._mended = ""

    def save(self, run: FinishedRun) -> str:
        files = _files(run, self.tables(run))
        try:
            self._list_folders()
            run_id = self._written(run, files)
        except OSError as error:
            why = error.strerror or str(error)
            raise RunError(
                f"{self._folder}: the run is not kept ({why}): make room there or get the right to write, then run it again"
            ) from None
        with suppress(RunError):  # the run is kept; what is wrong with the notes is told to whoever lists them
            self._notes.keep_figures({run_id: figures_in(files["document.json"])})
        return run_id

    def _written(self, run: FinishedRun, files: Mapping[str, bytes]) -> str:
        self._folder.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=self._folder))
        try:
            for name, content in files.items():
                write_through(unfinished / name, content)
            flush_folder(unfinished)
            return self._publish(run, unfinished, {name: hashed(content) for name, content in files.items()})
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)

    def load(self, asked: str) -> StoredRun:
        run_id, hashes = self._find(asked)
        files = {name: self._read(run_id, name, expected) for name, expected in hashes.items()}
        tables = {name.removesuffix(".arrow"): content for name, content in files.items() if name.endswith(".arrow")}
        return StoredRun(run_id, files["document.json"], files["strategy.yaml"].decode(), json.loads(files["recipe.json"]), tables)

    def list(self) -> tuple[RunSummary, ...]:
        if not self._list_folders():
            return ()
        with self._index.transaction() as index:
            rows = index.execute("SELECT id, saved_us, strategy, symbols, timeframe, trades, pnl, currency FROM runs ORDER BY number")
            kept = [_summary(*row) for row in rows]
        notes: dict[str, RunNote] = {}
        with suppress(RunError):  # `fault` says it; the runs are there all the same
            notes = self._notes.all()
        missing = [run.id for run in kept if notes.get(run.id, RunNote()).figures is None]
        figures = {run_id: self._figures(run_id) for run_id in missing}
        if figures:
            with suppress(RunError):  # they are read again the next time; a full disk hides no run
                self._notes.keep_figures(figures)
        return tuple(_annotated(run, notes.get(run.id, RunNote()), figures.get(run.id)) for run in kept)

    def fault(self) -> str:
        return " ".join(filter(None, (self._mended, self._notes.fault())))

    def _figures(self, run_id: str) -> RunFigures:
        try:
            return figures_in((self._folder / run_id / "document.json").read_bytes())
        except OSError:
            return NO_FIGURES

    def annotate(self, run_id: str, tags: Sequence[str], note: str) -> None:
        self._find(run_id)
        self._notes.write(run_id, tags, note)

    def folder_of(self, run_id: str) -> Path:
        folder = self._folder / run_id
        if not RUN_ID.fullmatch(run_id) or not folder.is_dir():
            raise RunError(f"the folder of {run_id} is not in {self._folder} any more: it was moved or deleted meanwhile")
        return folder

    def throw_away(self, run_id: str, trash: Callable[[Path], bool]) -> bool:
        """Row and folder go together. What is written about it stays, for when it comes back."""
        self._list_folders()
        with self._index.transaction(writing=True) as index:
            row = index.execute("SELECT * FROM runs WHERE id = ?", (run_id,)).fetchone()
            if row is None or not RUN_ID.fullmatch(run_id):
                raise RunError(f"there is no run {run_id} any more: it was thrown away meanwhile")
            index.execute("DELETE FROM runs WHERE id = ?", (run_id,))
            folder = self._folder / run_id
            if not folder.exists():
                return False
            try:
                write_through(folder / LISTED, json.dumps(row).encode())
            except OSError as error:
                raise RunError(
                    f"{run_id} was not moved to the trash ({error.strerror}): make room there or get the right to write"
                ) from None
            if not trash(folder):
                raise RunError(f"{run_id} was not moved to the trash, and nothing was deleted: the disk of {self._folder} may have none")
        return True

    def tables(self, run: FinishedRun) -> Mapping[str, bytes]:
        return encode_tables(run.outcome, run.manifest)

    def rows(self, table: bytes) -> Mapping[str, Sequence[int]]:
        return decode_table(table)

    # Saving

    def _publish(self, run: FinishedRun, unfinished: Path, hashes: Mapping[str, str]) -> str:
        with self._index.transaction(writing=True) as index:
            number = self._next_number(index)
            self._remove_left_behind(number)
            run_id = f"r{number:04d}-{_slug(run.manifest['strategy']['name'])}"
            row = (number, run_id, time.time_ns() // 1000, *_listed(run), json.dumps(hashes, sort_keys=True))
            write_through(unfinished / LISTED, json.dumps(row).encode())
            flush_folder(unfinished)
            unfinished.rename(self._folder / run_id)
            flush_folder(self._folder)
            index.execute(ADD, row)
        return run_id

    def _next_number(self, index: sqlite3.Connection) -> int:
        """A number is given once. A new list begins behind the folders of the one before, which somebody moved away."""
        given = index.execute("SELECT seq FROM sqlite_sequence WHERE name = 'runs'").fetchone()
        if given is not None:
            return int(given[0]) + 1
        return 1 + max((number_of(folder.name) for folder in self._folder.iterdir() if RUN_ID.fullmatch(folder.name)), default=0)

    def _remove_left_behind(self, number: int) -> None:
        """Whoever holds the index for writing sees no folder between its name and its row: one with the number to be given next
        was left by a crash. Any other without a row was kept once, and is not ours to delete."""
        for folder in self._folder.iterdir():
            is_stale = folder.name.startswith(UNFINISHED) and time.time() - folder.stat().st_mtime > LEFT_BEHIND_SECONDS
            if is_stale or (RUN_ID.fullmatch(folder.name) and number_of(folder.name) == number):
                shutil.rmtree(folder, ignore_errors=True)

    def _list_folders(self) -> bool:
        """Whether there is a list. Folders that were put back from the trash are listed again, under their own number; where the list is
        damaged or gone, all that are whole."""
        with self._listing:
            if not self._folder.is_dir():
                return False
            if aside := self._index.set_aside_if_damaged():
                self._aside = aside.name
            folders = sorted(folder for folder in self._folder.iterdir() if RUN_ID.fullmatch(folder.name))
            if not folders and not (self._folder / INDEX).exists():
                return False
            with self._index.transaction() as index:
                listed = {row[0] for row in index.execute("SELECT id FROM runs")}
                is_new = index.execute("SELECT count(*) FROM sqlite_sequence").fetchone()[0] == 0
            self._list_again([folder for folder in folders if folder.name not in listed], is_new)
            return True

    def _list_again(self, folders: Sequence[Path], is_new: bool) -> None:
        known = {folder.name: row for folder in folders if (row := kept_row(folder))}
        found = {folder.name: row for folder in folders if folder.name not in known and (row := row_of_files(folder))} if is_new else {}
        added = 0
        if known or found:
            # What cannot come back hides no other run; but a list that cannot be made is not shown as an empty one.
            with suppress(*(() if is_new else (RunError,))), self._index.transaction(writing=True) as index:
                number = self._next_number(index)
                added = index.executemany(ADD_MISSING, [*known.values(), *found.values()]).rowcount
                index.execute("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'runs'", (number - 1,))
        if is_new and folders and (self._aside or added):  # else another process has listed its first run meanwhile
            self._mended = _mended(self._aside, len(found), [folder.name for folder in folders if folder.name not in known | found])

    # Finding

    def _find(self, asked: str) -> tuple[str, dict[str, str]]:
        if not self._list_folders():
            raise RunError(f"there is no run {asked}: nothing is stored yet, run a backtest first")
        with self._index.transaction() as index:
            known = [row[0] for row in index.execute("SELECT id FROM runs ORDER BY number")]
            run_id = _choose(asked, known)
            hashes = index.execute("SELECT hashes FROM runs WHERE id = ?", (run_id,)).fetchone()[0]
        try:
            found: dict[str, str] = json.loads(hashes)
        except ValueError:
            raise RunError(f"{self._folder / INDEX} is damaged at run {run_id}: run its backtest again") from None
        if not RUN_ID.fullmatch(run_id) or any(Path(name).name != name for name in found):
            raise RunError(f"{self._folder / INDEX} names {run_id}, which no run is called: the index was changed by something else")
        return run_id, found

    def _read(self, run_id: str, name: str, expected: str) -> bytes:
        path = self._folder / run_id / name
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            raise RunError(f"{path} is missing: run {run_id} cannot be trusted any more, run its backtest again") from None
        if hashed(content) != expected:
            raise RunError(f"{path} was changed since it was stored: run {run_id} cannot be trusted any more, run its backtest again")
        return content


def _choose(asked: str, known: list[str]) -> str:
    text = asked.strip().lower()
    if text == LATEST and known:
        return known[-1]
    number = re.fullmatch(r"r?(\d{1,18})", text)
    wanted = f"r{int(number[1]):04d}-" if number else text
    for found in ([run for run in known if run == text], [run for run in known if text and run.startswith(wanted)]):
        if len(found) == 1:
            return found[0]
    fitting = [run for run in known if text and run.startswith(text)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise RunError(f"run {asked} could be {', '.join(fitting[:5])}{' or others' if len(fitting) > 5 else ''}: write more of it")
    nearest = get_close_matches(text, known, 1, 0.4) or known[-1:]
    hint = f"did you mean {nearest[0]}?" if nearest else "nothing is stored yet, run a backtest first"
    raise RunError(f"there is no run {asked}: {hint}")


def _mended(aside: str, unchecked: int, left_out: Sequence[str]) -> str:
    """What a person is told of a list that was made anew."""
    told = [f"{INDEX} was damaged and is kept as {aside}:" if aside else f"{INDEX} was missing:"]
    told.append("the list of runs was made anew from their folders.")
    if unchecked:
        told.append(f"Whether files of {counted(unchecked, 'run')} were changed before that cannot be told any more.")
    if left_out:
        told.append(f"Not listed, because files in their folders are missing or damaged: {', '.join(left_out)}.")
    return " ".join(told)


def _files(run: FinishedRun, tables: Mapping[str, bytes]) -> dict[str, bytes]:
    recipe = json.dumps(run.recipe, indent=1, sort_keys=True, ensure_ascii=False)
    texts = {"document.json": run.document, "strategy.yaml": run.strategy_text.encode(), "recipe.json": recipe.encode()}
    return texts | {f"{name}.arrow": content for name, content in tables.items()}


def _listed(run: FinishedRun) -> tuple[Any, ...]:
    manifest, outcome = run.manifest, run.outcome
    pnl = outcome.final_cash - fixed(Decimal(manifest["terms"]["capital"]))
    return manifest["strategy"]["name"], *traded(manifest), len(outcome.trades), pnl, manifest["terms"]["currency"]


def _summary(run_id: str, saved_us: int, strategy: str, symbols: str, timeframe: str, trades: int, pnl: int, currency: str) -> RunSummary:
    saved_at = datetime.fromtimestamp(saved_us / 1_000_000, UTC)
    return RunSummary(run_id, saved_at, strategy, tuple(symbols.split()), timeframe, trades, pnl, currency)


def _annotated(run: RunSummary, note: RunNote, found: RunFigures | None) -> RunSummary:
    figures = found or note.figures or NO_FIGURES
    first, last = (
        None if stamp is None else datetime.fromtimestamp(stamp / 1_000_000, UTC) for stamp in (figures.first_us, figures.last_us)
    )
    return replace(run, first=first, last=last, drawdown=figures.drawdown, tags=note.tags, note=note.note)


def figures_in(document: bytes) -> RunFigures:
    """Of its two lines that say them: a result of 100,000 trades has ten megabytes more."""
    try:
        parts = document_parts(document, ("max_drawdown", "manifest"))
        data = parts["manifest"]["data"]
        firsts, lasts = ([item[name] for item in data if item[name]] for name in ("first", "last"))
        drawdown = float(parts["max_drawdown"])
    except (ValueError, KeyError, TypeError):
        return NO_FIGURES  # a damaged run is told when it is opened
    return RunFigures(_microseconds(min(firsts, default="")), _microseconds(max(lasts, default="")), drawdown)


def _microseconds(text: str) -> int | None:
    return int(datetime.fromisoformat(text).timestamp()) * 1_000_000 if text else None


def _slug(name: str) -> str:
    """Typable on any keyboard and safe as the name of a folder."""
    return re.sub(r"[^a-z0-9_]+", "-", name.lower()).strip("-")[:40] or "run"
