"""The Data page's desk: what `compose_data` can do, with what was counted of each dataset kept at hand until the dataset changes."""

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sptrader_desktop import compose_candles, compose_components, compose_data, compose_servers
from sptrader_desktop.core.errors import DataError, SptraderError
from sptrader_desktop.core.instruments import CATALOGUE as INSTRUMENTS
from sptrader_desktop.ports import CandleRequest, Dataset
from sptrader_desktop.present.database_address import ServerTold, in_window_words
from sptrader_desktop.present.datasets import TICKS, DatasetRow, Where
from sptrader_desktop.present.doctor import Doctored, RepairDone, repair_words
from sptrader_desktop.present.import_form import ImportAnswers, ImportPreview, refusal_of
from sptrader_desktop.present.numbers import clock, counted
from sptrader_desktop.runtime.recipe import Recipe
from sptrader_desktop.runtime.recipe_values import moment
from sptrader_desktop.settings import Settings
from sptrader_desktop.ui.data.data_desk import CATALOGUE, FOLDER, POSTGRES, DownloadAsked, Report

if TYPE_CHECKING:
    from sptrader_desktop.core.candles import Candles

SUFFIXES = {".parquet", ".csv"}
LEDGER_SHOWN = 200
LISTENING_S = 0.1  # so often a wait for a vendor looks whether somebody asked for the stop


class WindowDataDesk:
    """`use_elsewhere` hears of the database that is in use, for whoever reads candles of it."""

    def __init__(self, settings: Settings, use_elsewhere: Callable[[str], object] = lambda _: None) -> None:
        self._settings, self._use_elsewhere = settings, use_elsewhere
        self._database = "the server that DATABASE_URL names" if settings.database_url else ""
        self._guard = threading.Lock()
        self._counted: dict[object, DatasetRow] = {}

    def folder(self) -> Path:
        return compose_components.ready_workspace(self._settings) / "data"

    def symbols(self) -> Sequence[str]:
        return sorted(INSTRUMENTS)

    def database(self) -> str:
        return self._database

    # The list

    def datasets(self, report: Report) -> Sequence[DatasetRow]:
        files = [path for path in sorted(self.folder().iterdir()) if path.suffix.lower() in SUFFIXES and path.is_file()]
        found: list[DatasetRow] = []
        for done, path in enumerate(files):
            report(done / (len(files) + 1), path.name)
            with suppress(FileNotFoundError):  # gone since the folder was read
                found.append(self._known(("file", str(path), *_state(path)), partial(_of_file, path)))
        report(len(files) / (len(files) + 1), "catalogue")
        return [*found, *_told("catalogue", self._of_catalogue), *_told("postgres", self._of_database)]

    def _known(self, key: object, count: Callable[[], DatasetRow]) -> DatasetRow:
        with self._guard:
            known = self._counted.get(key)
        row = known or count()
        with self._guard:
            self._counted[key] = row
        return row

    def _of_catalogue(self) -> Iterator[DatasetRow]:
        kept = self._settings.candles
        for item in compose_data.catalogue(self._settings).datasets():
            files = sorted((kept / item.symbol / item.timeframe / item.side).glob("*.parquet"))
            states = tuple(_state(path) for path in files)
            size = sum(state[1] for state in states)
            yield self._known(("catalogue", item, tuple(map(str, files)), states), partial(self._counted_row, item, size))

    def _counted_row(self, item: Dataset, size: int) -> DatasetRow:
        row = _row(item, "catalogue", size)
        try:
            present, expected = compose_data.count_bars(self._candles(row))
        except SptraderError as error:
            return replace(row, problem=str(error))
        return replace(row, present=present, expected=expected)

    def _of_database(self) -> list[DatasetRow]:
        if not self._database:
            return []
        with compose_servers.open_postgres(self._settings) as store:
            return [_row(item, "postgres", None) for item in store.datasets()]

    def _candles(self, row: DatasetRow) -> "Candles":
        if row.where == "catalogue":
            return compose_data.kept_series(self._settings, row.symbol, row.timeframe, row.side)
        recipe = Recipe("", data=(row.path,)) if row.path else Recipe("", source=row.where, symbols=(row.symbol,), timeframe=row.timeframe)
        candles = compose_candles.one_series(self._settings, recipe)
        if candles.side != row.side:
            raise DataError(f"{row.name}: {row.place} hands out its {candles.side} candles in place of these: choose those")
        return candles

    # Import

    def preview(self, path: Path, answers: ImportAnswers, report: Report) -> ImportPreview:
        def hear(fraction: float) -> None:
            report(fraction, path.name)

        return compose_data.preview_import(path, answers, hear)

    def keep(self, preview: ImportPreview, place: str, replace: bool) -> str:
        return self._kept(preview.candles, place, replace=replace, made_of=Path(preview.path))

    def _kept(self, candles: "Candles", place: str, *, replace: bool, made_of: Path | None = None) -> str:
        try:
            return self._kept_in(candles, place, replace=replace, made_of=made_of)
        except DataError as error:
            raise DataError(refusal_of(str(error), candles.source).sentence) from None

    def _kept_in(self, candles: "Candles", place: str, *, replace: bool, made_of: Path | None) -> str:
        if place == POSTGRES:
            if not self._database:
                raise DataError("No database is in use: connect to one under PostgreSQL, or keep the candles elsewhere")
            with compose_servers.open_postgres(self._settings) as store:
                store.keep(candles)
                where = store.shown
        else:
            out = self.folder() if place == FOLDER else None
            label_of = made_of if made_of and made_of.suffix.lower() == ".parquet" else None
            path = compose_data.keep_candles(self._settings, candles, out=out, replace=replace, made_of=label_of)
            where = "the catalogue" if place == CATALOGUE else path.name
        first, last = (clock(int(candles.timestamp[at])) for at in (0, -1))
        return f"{counted(len(candles), 'bar')} of {candles.symbol} {candles.timeframe}, {first} to {last} UTC, kept in {where}"

    # The doctor

    def inspect(self, row: DatasetRow) -> Doctored:
        if row.path:
            return compose_data.doctored_file(Path(row.path))
        return compose_data.doctored_candles(self._candles(row))

    def repair(self, path: str, out: str, fixes: Sequence[str], zone: str, shift: str) -> RepairDone:
        asked: dict[str, Any] = {"fixes": list(fixes), "zone": zone, "shift": shift}
        try:
            done = compose_data.repair_data(Path(path), Path(out), symbol="", timeframe="", instruments="", **asked)
        except DataError as error:
            raise DataError(repair_words(str(error), out)) from None
        verdict = compose_data.inspection_text(done.inspection).splitlines()[-1].removeprefix("Verdict").strip()
        ledger = _ledger(done.ledger)
        return RepairDone(str(done.out), str(done.ledger), done.rows_before, done.rows_after, done.changes, ledger, verdict)

    def remove(self, row: DatasetRow) -> str:
        gone = compose_data.forget_candles(self._settings, row.symbol, row.timeframe, row.side)
        return f"Deleted from the catalogue: {row.name}, {counted(gone, 'bar')}"

    def resample(self, row: DatasetRow, timeframe: str, place: str, replace: bool) -> str:
        source = Path(row.path) if row.path else None
        made = compose_data.resampled(source, timeframe) if source else compose_data.resampled_candles(self._candles(row), timeframe)
        return self._kept(made, place, replace=replace, made_of=source)

    # Vendors

    def download(self, asked: DownloadAsked, report: Report) -> str:
        wanted = CandleRequest(asked.symbol, asked.timeframe, _day(asked.start, "From"), _day(asked.end, "To"))
        if not wanted.start or not wanted.end or wanted.start >= wanted.end:
            raise DataError("The range is empty: From must lie before To")

        def hear(at: Any) -> None:
            report(at.fraction, f"{at.done:,} of {at.total:,} files, {at.bytes / 1e6:,.1f} MB")

        def sleep(seconds: float) -> None:
            until = time.monotonic() + seconds
            while (left := until - time.monotonic()) > 0:
                report(0.0, "waiting for the vendor")
                time.sleep(min(left, LISTENING_S))

        more: dict[str, Any] = {"address": asked.address, "report": hear, "sleep": sleep}
        if asked.timeframe == TICKS:
            path, quotes, got = compose_data.download_ticks(self._settings, asked.vendor, wanted, self.folder(), **more)
            told = f"{counted(quotes, 'quote')} of {asked.symbol} kept in {path.name}"
        else:
            candles, got = compose_data.download_history(self._settings, asked.vendor, wanted, **more)
            report(1.0, "keeping the candles")
            told = self._kept(candles, asked.place, replace=asked.replace)
        return (
            f"{told}; {counted(len(got.pieces), 'file')} of {asked.vendor}, {got.new:,} fetched now, {got.empty:,} in which it has nothing"
        )

    # PostgreSQL

    def test_database(self, address: str) -> ServerTold:
        return compose_servers.postgres_answer(replace(self._settings, database_url=address))

    def use_database(self, address: str) -> str:
        settings = replace(self._settings, database_url=address)
        with closing(compose_servers.open_postgres(settings)) as store:
            shown = store.shown
        self._settings, self._database = settings, shown
        self._use_elsewhere(address)
        return shown

    def load(self, paths: Sequence[Path], report: Report) -> Sequence[str]:
        told = []
        for candles, shown in compose_candles.load_into_postgres(self._settings, [str(path) for path in paths], [], ""):
            told.append(f"{counted(len(candles), 'bar')} of {candles.symbol} {candles.timeframe} kept in {shown}")
            report(len(told) / len(paths), Path(candles.source).name)
        return told


def _told(where: Where, held: Callable[[], Iterable[DatasetRow]]) -> list[DatasetRow]:
    """A source that cannot be asked is told in the list, and hides no other."""
    try:
        return list(held())
    except SptraderError as error:
        return [DatasetRow("", "", where, problem=in_window_words(str(error)))]


def _of_file(path: Path) -> DatasetRow:
    symbol, _, rest = path.stem.partition("_")
    size = path.stat().st_size
    try:
        found = compose_data.survey_file(path)
    except SptraderError as error:
        said = str(error).removeprefix(f"{path}: ")
        return DatasetRow(symbol.upper() if rest else "", rest.partition("_")[0], "file", path=str(path), bytes=size, problem=said)
    parts = path.stem.lower().split("_")[2:]
    side = next((word for word in ("bid", "mid", "ask") if word in parts), "bid")
    return DatasetRow(
        *(found.symbol, found.timeframe, "file", side, found.has_ask, str(path), found.rows, found.first, found.last),
        *(found.present, found.expected, found.is_synthetic, size),
    )


def _row(item: Dataset, where: Where, size: int | None) -> DatasetRow:
    first, last = (int(at.timestamp()) * 1_000_000 for at in (item.first, item.last))
    return DatasetRow(
        *(item.symbol, item.timeframe, where, item.side, item.has_ask, "", item.rows, first, last),
        is_synthetic=item.is_synthetic,
        bytes=size,
    )


def _state(path: Path) -> tuple[int, int]:
    state = path.stat()
    return state.st_mtime_ns, state.st_size


def _ledger(path: Path) -> tuple[tuple[str, ...], ...]:
    with path.open(encoding="utf-8") as file:
        lines = [json.loads(line) for line in islice(file, LEDGER_SHOWN)]
    return tuple(tuple(_said(line[name]) for name in ("row", "stamp", "column", "before", "after", "rule")) for line in lines)


def _said(value: object) -> str:
    if isinstance(value, dict):
        return " ".join(f"{name} {inside}" for name, inside in value.items())
    return "" if value is None else str(value)


def _day(text: str, label: str) -> datetime | None:
    try:
        return moment(text, label)
    except SptraderError as error:
        raise DataError(str(error)) from None
