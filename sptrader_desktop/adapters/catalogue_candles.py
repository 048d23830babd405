"""Candles kept in a folder, one Parquet file for each symbol, timeframe, side and month, and one SQLite index that says which count.

A file is named by its month and its hash and is never changed. Keeping writes new files beside the old ones; then one transaction of the
index makes all of them count at once. So a reader, a second writer or a crash at any point meets the old candles or the new ones.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from sptrader_desktop.adapters.candle_checks import Columns, RawBatch, RawCandles, checked_columns, first, stamp_text
from sptrader_desktop.adapters.candle_files import known_instrument
from sptrader_desktop.adapters.candle_layout import ASK_PRICES, PRICES, Layout
from sptrader_desktop.adapters.candle_range import Span, cut, no_bar, span_of
from sptrader_desktop.adapters.candle_series import candles_of, joined, with_ask
from sptrader_desktop.adapters.parquet_candles import open_parquet
from sptrader_desktop.adapters.parquet_writer import STAMP, parquet_bytes
from sptrader_desktop.adapters.sqlite_index import SqliteIndex
from sptrader_desktop.core.candles import Candles, Int64Array, PriceSide
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.instruments import CATALOGUE, Instrument
from sptrader_desktop.core.resample import too_close
from sptrader_desktop.core.timeframes import parse_timeframe
from sptrader_desktop.ports import CandleRequest, Dataset
from sptrader_desktop.runtime.whole_files import flush_folder, write_through

VERSION = 2
INDEX = "index.sqlite3"
SCHEMA = """
CREATE TABLE months (
    symbol TEXT NOT NULL,
    timeframe TEXT NOT NULL,
    side TEXT NOT NULL,
    month TEXT NOT NULL,
    hash TEXT NOT NULL,
    rows INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    has_ask INTEGER NOT NULL,
    has_volume INTEGER NOT NULL,
    is_synthetic INTEGER NOT NULL,
    PRIMARY KEY (symbol, timeframe, side, month)
) STRICT
"""
UPGRADES = ("ALTER TABLE months ADD COLUMN is_synthetic INTEGER NOT NULL DEFAULT 0",)
REMEDY = "move the folder away and import the candles again; the Parquet files in it are whole"
# A run trades bid prices unless it says otherwise, so of several sides this is the one that is meant.
_ORDER: tuple[PriceSide, ...] = ("bid", "mid", "ask")
_READS = 5  # so often a reader may be overtaken by writers that replace the files it was about to open
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Month:
    """A row of the index."""

    symbol: str
    timeframe: str
    side: PriceSide
    month: str
    hash: str
    rows: int
    first: int
    last: int
    has_ask: int
    has_volume: int
    is_synthetic: int

    @property
    def path(self) -> Path:
        return Path(self.symbol, self.timeframe, self.side, f"{self.month}.{self.hash[:16]}.parquet")


class _OvertakenError(Exception):
    """A file that counted a moment ago is gone, because somebody has kept newer candles."""


class CandleCatalogue:
    """`folder` may not exist yet; looking into it creates nothing."""

    def __init__(self, folder: Path, instruments: Mapping[str, Instrument] = CATALOGUE) -> None:
        self._folder, self._instruments = folder, instruments
        self._index = SqliteIndex(folder / INDEX, SCHEMA, VERSION, DataError, REMEDY, UPGRADES)

    def datasets(self) -> Sequence[Dataset]:
        series: dict[tuple[str, str, PriceSide], list[_Month]] = {}
        for month in self._months():
            series.setdefault((month.symbol, month.timeframe, month.side), []).append(month)
        return [
            Dataset(
                *(*key, bool(found[0].has_ask), sum(month.rows for month in found), _moment(found[0].first), _moment(found[-1].last)),
                is_synthetic=bool(found[0].is_synthetic),
            )
            for key, found in series.items()
        ]

    def candles(self, asked: CandleRequest, side: str = "") -> Candles:
        """Of one side alone, or of the side that is meant with the asks that were kept for it."""
        overtaken: _OvertakenError | None = None
        for _ in range(_READS):
            try:
                held = self._held(asked, side)
                return self._candles(asked, held) if side else self._with_other_side(asked, held)
            except _OvertakenError as missing:
                overtaken = missing
        raise DataError(f"{overtaken}: the index names this file, but it is missing: import these candles again")

    def keep(self, candles: Candles, *, replace: bool = True) -> int:
        """Without `replace`, bars that are there already must be the same."""
        if not len(candles):
            raise DataError(f"{candles.source or candles.symbol}: it holds no candles to keep")
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._index.transaction(writing=True) as index:
            held = [month for month in _read(index, candles.symbol, candles.timeframe) if month.side == candles.side]
            self._refuse_other_columns(held, candles)
            self._refuse_mixture(held, candles)
            written = [self._write(part, held, replace=replace) for part in _by_month(candles)]
            now = sorted({month.month: month for month in (*held, *written)}.values(), key=lambda month: month.month)
            _refuse_overlap(now, candles)
            for month in written:
                index.execute("INSERT OR REPLACE INTO months VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", _row(month))
        self._remove_replaced(candles.symbol, candles.timeframe, candles.side, held)
        return len(candles)

    def remove(self, symbol: str, timeframe: str, side: str) -> int:
        """The whole series; the number of bars that are gone. A reader who has begun meets it whole or not at all."""
        with self._index.transaction(writing=True) as index:
            gone = [month for month in _read(index, symbol, timeframe) if month.side == side]
            if not gone:
                raise DataError(f"{self._folder}: it holds no {side} candles of {symbol} {timeframe} any more: look at the list again")
            index.execute("DELETE FROM months WHERE symbol = ? AND timeframe = ? AND side = ?", (symbol, timeframe, side))
        self._remove_replaced(symbol, timeframe, side, gone)
        return sum(month.rows for month in gone)

    # Reading

    def _months(self, symbol: str = "", timeframe: str = "") -> list[_Month]:
        if not (self._folder / INDEX).exists():
            return []
        with self._index.transaction() as index:
            return _read(index, symbol, timeframe)

    def _held(self, asked: CandleRequest, side: str) -> list[_Month]:
        months = [month for month in self._months(asked.symbol, asked.timeframe) if side in ("", month.side)]
        if not months:
            held = ", ".join(dict.fromkeys(f"{month.symbol} {month.timeframe}" for month in self._months())) or "nothing yet"
            what = f"{asked.timeframe} {side} candles" if side else f"{asked.timeframe} candles"
            where = f"{self._folder}: it holds no {what} of {asked.symbol}"
            raise DataError(f"{where} (it holds {held}): import them with `sptrader data import`")
        return months

    def _with_other_side(self, asked: CandleRequest, months: list[_Month]) -> Candles:
        """Bid and ask that were kept one after the other belong together wherever both were kept."""
        side = next(side for side in _ORDER if any(month.side == side for month in months))
        found = self._candles(asked, [month for month in months if month.side == side])
        asks = [month for month in months if month.side == "ask"]
        alone = side != "bid" or found.ask is not None or not any(_touches(month, span_of(asked.start, asked.end)) for month in asks)
        return found if alone else with_ask(found, self._candles(asked, asks))

    def _candles(self, asked: CandleRequest, months: list[_Month]) -> Candles:
        instrument = known_instrument(self._folder, asked.symbol, self._instruments)
        span = span_of(asked.start, asked.end)
        wanted = [month for month in months if _touches(month, span)]
        source = str(self._folder / months[0].path.parent)
        if not wanted:
            raise no_bar(source, months[0].first, months[-1].last, span)
        columns = checked_columns(self._raw(source, wanted), instrument, asked.timeframe, parse_timeframe(asked.timeframe), is_part=True)
        shown = f"catalogue {asked.symbol} {asked.timeframe} {months[0].side}"
        part, label = cut(source, columns, span)[0], bool(months[0].is_synthetic)
        return candles_of(part, instrument, asked.timeframe, months[0].side, shown, is_synthetic=label)

    def _raw(self, source: str, months: list[_Month]) -> RawCandles:
        names = [*PRICES, *(ASK_PRICES if months[0].has_ask else ()), *(["volume"] if months[0].has_volume else [])]
        layout = Layout(STAMP, {name: name for name in names}, is_sided=bool(months[0].has_ask))
        return RawCandles(source, layout, sum(month.rows for month in months), "us", self._batches(months))

    def _batches(self, months: list[_Month]) -> Iterator[RawBatch]:
        for month in months:
            path = self._folder / month.path
            try:
                content = path.read_bytes()
            except FileNotFoundError:
                raise _OvertakenError(path) from None
            if hashlib.sha256(content).hexdigest() != month.hash:
                raise DataError(f"{path}: it was changed since it was kept: remove it and import its month again")
            with open_parquet(path, content) as raw:
                yield from raw.batches

    # Keeping

    def _refuse_other_columns(self, held: list[_Month], candles: Candles) -> None:
        """Half a column cannot be stored, and neither can a whole one be dropped."""
        columns = (("ask prices", "has_ask", candles.ask), ("volume", "has_volume", candles.volume))
        for what, name, ours in columns:
            if held and bool(getattr(held[0], name)) != (ours is not None):
                theirs = "without" if ours is not None else "with"
                series = f"{candles.symbol} {candles.timeframe} {candles.side} {theirs} {what}"
                raise DataError(
                    f"{candles.source or candles.symbol}: the catalogue {self._folder} holds {series}, and these candles are not: "
                    "import them into another catalogue, or all of them again"
                )

    def _refuse_mixture(self, held: list[_Month], candles: Candles) -> None:
        """Nobody could tell afterwards which bars were quotes."""
        if held and bool(held[0].is_synthetic) != candles.is_synthetic:
            theirs, ours = ("synthetic candles", "market data") if held[0].is_synthetic else ("market data", "synthetic")
            series = f"{candles.symbol} {candles.timeframe} {candles.side}"
            raise DataError(
                f"{candles.source or candles.symbol}: the catalogue {self._folder} holds {theirs} as {series}, and these are {ours}: "
                "keep them in a file with --out, or in another catalogue (SPTRADER_CANDLES)"
            )

    def _write(self, candles: Candles, held: list[_Month], *, replace: bool) -> _Month:
        """One month, with the bars that are there already and not replaced."""
        name = _month_of(int(candles.timestamp[0]))
        old = [month for month in held if month.month == name]
        if old:
            there = self._old(old, candles)
            if not replace:
                _refuse_changes(there, candles)
            candles = joined(there, candles)
        stamps, content = candles.timestamp, parquet_bytes(candles)
        month = _Month(
            *(candles.symbol, candles.timeframe, candles.side, name, hashlib.sha256(content).hexdigest()),
            *(len(candles), int(stamps[0]), int(stamps[-1]), candles.ask is not None, candles.volume is not None),
            candles.is_synthetic,
        )
        path = self._folder / month.path
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".tmp")
        write_through(unfinished, content)
        unfinished.replace(path)
        flush_folder(path.parent)
        return month

    def _old(self, months: list[_Month], candles: Candles) -> Candles:
        source = str(self._folder / months[0].path)
        columns = checked_columns(self._raw(source, months), candles.instrument, candles.timeframe, candles.bar_us, is_part=True)
        return candles_of(columns, candles.instrument, candles.timeframe, candles.side, source)

    def _remove_replaced(self, symbol: str, timeframe: str, side: str, held: list[_Month]) -> None:
        """Files that counted before, unless somebody made them count again, and halves of writers that died. No other file is ours."""
        with self._index.transaction(writing=True) as index:
            counted = {month.path for month in _read(index, symbol, timeframe)}
            for path in {month.path for month in held} - counted:
                (self._folder / path).unlink(missing_ok=True)
            for unfinished in (self._folder / symbol / timeframe / side).glob("????-??.*.tmp"):
                unfinished.unlink(missing_ok=True)


def _read(index: Any, symbol: str, timeframe: str) -> list[_Month]:
    """In order of symbol, timeframe, side and time; an empty text stands for any."""
    chosen = "(:symbol = '' OR symbol = :symbol) AND (:timeframe = '' OR timeframe = :timeframe)"
    asked = {"symbol": symbol, "timeframe": timeframe}
    rows = index.execute(f"SELECT * FROM months WHERE {chosen} ORDER BY symbol, timeframe, side, month", asked)
    return [_Month(*row) for row in rows]


def _row(month: _Month) -> tuple[Any, ...]:
    return tuple(getattr(month, name) for name in _Month.__slots__)


def _by_month(candles: Candles) -> Iterator[Candles]:
    first, last = candles.timestamp[[0, -1]].astype("M8[us]").astype("M8[M]")
    starts = np.arange(first, last + np.timedelta64(1, "M")).astype("M8[us]").astype(np.int64)
    bounds = {*np.searchsorted(candles.timestamp, starts).tolist(), len(candles)}
    for low, high in pairwise(sorted(bounds)):
        first_us, after_us = int(candles.timestamp[low]), int(candles.timestamp[high - 1]) + 1
        columns = Columns(candles.timestamp, candles.prices, candles.ask, candles.volume)
        part, _ = cut(candles.source, columns, (first_us, after_us))
        yield candles_of(*(part, candles.instrument, candles.timeframe, candles.side, candles.source), is_synthetic=candles.is_synthetic)


def _refuse_changes(there: Candles, candles: Candles) -> None:
    both, at, new = np.intersect1d(there.timestamp, candles.timestamp, assume_unique=True, return_indices=True)
    columns = [(side, getattr(candles, side), name) for side in ("prices", "ask") for name in PRICES]
    same = np.ones(len(both), np.bool_)
    for side, prices, name in columns:
        if prices is not None:
            same &= getattr(getattr(there, side), name)[at] == getattr(prices, name)[new]
    if candles.volume is not None and there.volume is not None:
        same &= there.volume[at] == candles.volume[new]
    row = first(~same)
    if row is not None:
        count, when = int(np.count_nonzero(~same)), stamp_text(int(both[row]))
        raise DataError(
            f"{candles.source}: {count:,} of its bars in {when[:7]} differ from those the catalogue holds, first that of {when}: "
            "--replace lets them take their place"
        )


def _refuse_overlap(months: list[_Month], candles: Candles) -> None:
    """Bars of one month are checked when they are joined; here the last of one against the first of the next."""
    steps: Int64Array = np.array([after.first - before.last for before, after in pairwise(months)], np.int64)
    at = first(too_close(steps, candles.bar_us))
    if at is not None:
        late, early = stamp_text(months[at + 1].first), stamp_text(months[at].last)
        raise DataError(f"{candles.source}: the {candles.timeframe} bar of {late} opens inside that of {early}: remove one of the two")


def _touches(month: _Month, span: Span) -> bool:
    start, end = span
    return (start is None or month.last >= start) and (end is None or month.first < end)


def _month_of(stamp_us: int) -> str:
    return str(np.datetime64(stamp_us, "us").astype("M8[M]"))


def _moment(stamp_us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=stamp_us)
