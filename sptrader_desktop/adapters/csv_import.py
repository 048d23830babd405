"""A vendor's CSV file into candles, and what was recognised on the way; whatever the file does not settle is asked, never guessed."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sptrader_desktop.adapters.candle_checks import Columns, FloatArray, RawBatch, RawCandles, checked_columns, stamp_text, ticks_into
from sptrader_desktop.adapters.candle_files import known_instrument
from sptrader_desktop.adapters.candle_layout import ASK_PRICES, PRICES, Layout, printable
from sptrader_desktop.adapters.candle_series import begun, candles_of
from sptrader_desktop.adapters.csv_import_bars import BarQuestion, StampOf, holes
from sptrader_desktop.adapters.csv_import_layouts import METATRADER, Recognised, is_any_header, is_header, mapped, recognise
from sptrader_desktop.adapters.csv_import_numbers import WORDS, Mark, decimal_mark, numbers
from sptrader_desktop.adapters.csv_import_stamps import DateOrder, Stamps, read_stamps, times_of_day
from sptrader_desktop.adapters.csv_import_table import Table, read_table
from sptrader_desktop.adapters.csv_import_zone import ClockQuestion, Zoned
from sptrader_desktop.adapters.parquet_import_table import read_parquet_table
from sptrader_desktop.adapters.zoneinfo_clocks import ClockError
from sptrader_desktop.core.candles import Candles, Int64Array, PriceSide
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.instruments import CATALOGUE, Instrument
from sptrader_desktop.core.resample import Ticks, candles_of_ticks
from sptrader_desktop.core.timeframes import parse_timeframe
from sptrader_desktop.present.market_hours import MINUTE_US
from sptrader_desktop.present.numbers import clock

Notes = tuple[tuple[str, str], ...]
_DELIMITERS = {"\t": "tabs", ";": "semicolons", "|": "bars", ",": "commas"}
# Where a price of 1 is a thousand points or more no price is as high as this, and points of a coarser broker stay below that.
_NO_PRICE, _SURELY_POINTS = 1_000, 30_000


@dataclass(frozen=True, slots=True)
class ImportAsked:
    """What a person says about a file; what is not said is found out or asked for. `columns` are places by role, when said by hand."""

    symbol: str = ""
    timeframe: str = ""
    zone: str = ""
    stamp: StampOf | None = None
    layout: str = ""
    dates: DateOrder | None = None
    decimal: Mark | None = None
    side: PriceSide | None = None
    day: str = ""
    points: bool | None = None
    force: bool = False
    columns: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class _Quoted:
    ticks: Ticks
    zoned: Zoned
    stamps: Stamps
    prices_told: str
    remarks: list[tuple[str, str]]


@dataclass(frozen=True, slots=True, eq=False)
class Imported:
    """`notes` say what was recognised, each with its subject."""

    candles: Candles
    notes: Notes


def import_csv(path: Path, asked: ImportAsked, instruments: Mapping[str, Instrument] = CATALOGUE) -> Imported:
    return import_table(path, import_file(path, asked), asked, instruments)


def import_file(path: Path, asked: ImportAsked) -> Table:
    """Parquet of any columns too, as if each cell were text."""
    if path.suffix.lower() == ".parquet":
        return read_parquet_table(path)
    return read_table(path, is_any_header if asked.columns else is_header)


def import_table(
    path: Path,
    table: Table,
    asked: ImportAsked,
    instruments: Mapping[str, Instrument] = CATALOGUE,
    report: Callable[[float], object] = lambda _: None,
) -> Imported:
    """`report` hears how far it is and may raise to stop it."""
    file = _opened(path, table, asked, instruments, report)
    return file.ticks() if file.known.is_ticks else file.bars()


def import_quotes(path: Path, asked: ImportAsked, instruments: Mapping[str, Instrument] = CATALOGUE) -> tuple[Ticks, str]:
    """The ticks of a file as they are, in UTC, and the clock by which it was written."""
    file = _opened(path, import_file(path, asked), asked, instruments, lambda _: None)
    if not file.known.is_ticks:
        raise DataError(f"{file.table.source}: these are bars, not ticks: give a file of ticks")
    quoted = file.quoted()
    return quoted.ticks, quoted.zoned.clock


def _opened(
    path: Path, table: Table, asked: ImportAsked, instruments: Mapping[str, Instrument], report: Callable[[float], object]
) -> "_File":
    known = mapped(table, asked.columns, asked.layout) if asked.columns else recognise(table, asked.layout)
    return _File(path, table, known, asked, report, *_symbol(path, table, known, asked, instruments))


@dataclass(frozen=True, slots=True, eq=False)
class _File:
    path: Path
    table: Table
    known: Recognised
    asked: ImportAsked
    report: Callable[[float], object]
    instrument: Instrument
    symbol_why: str

    def bars(self) -> Imported:
        stamps, rows, remarks = self._stamps()
        self.report(0.4)
        columns, how = self._prices([role for role in (*PRICES, *ASK_PRICES) if role in self.known.columns])
        question = BarQuestion(self.table.source, stamps.wall[rows], self.asked.timeframe, self.asked.stamp, self.asked.force)
        timeframe, stamp = question.timeframe(), question.stamp()
        bar_us = parse_timeframe(timeframe)
        self.report(0.6)
        zoned = self._zoned(stamps, rows, bar_us, bar_us if stamp == "close" else 0)
        volume, without = self._volume()
        batch = RawBatch(zoned.utc, {name: values[rows] for name, values in (columns | volume).items()})
        layout = Layout("timestamp", {name: name for name in batch.prices}, self.known.side is not None)
        raw = RawCandles(
            self.table.source, layout, len(rows), "us", iter([batch]), lambda row: f"line {self.table.lines.of(int(rows[row]))}"
        )
        self.report(0.8)
        checked = checked_columns(raw, self.instrument, timeframe, bar_us)
        side, side_why = self._side()
        candles = candles_of(checked, self.instrument, timeframe, side, self.table.source)
        told = f"{timeframe}, stamped with their {stamp}" + (", so that a bar was put back to its open" if stamp == "close" else "")
        return Imported(
            candles, self._notes(candles, zoned, stamps, [("candles", told), ("prices", f"{side_why}, {how}"), *without, *remarks])
        )

    def ticks(self) -> Imported:
        if not self.asked.timeframe:
            raise DataError(f"{self.table.source}: these are ticks: say which candles are to be built from them, such as --timeframe 1m")
        found = self.quoted()
        quotes = found.ticks
        assert quotes.ask is not None, "ticks come with both sides"
        made = begun(candles_of_ticks(quotes, self.asked.timeframe), int(quotes.stamp[0]), MINUTE_US)
        if not len(made):
            raise DataError(f"{self.table.source}: its ticks do not fill one bar of {self.asked.timeframe}: build shorter ones")
        columns_made = Columns(made.timestamp, made.prices, made.ask, made.volume)
        candles = candles_of(columns_made, self.instrument, made.timeframe, "bid", self.table.source)
        crossed = int(np.count_nonzero(quotes.ask < quotes.price))
        quoted = f"{len(quotes.stamp):,} ticks, {crossed:,} of them with the ask below the bid"
        told = f"{made.timeframe}, built from {quoted}; bars that begin before them or end after them left out"
        notes = [("candles", told), ("prices", found.prices_told), *found.remarks]
        return Imported(candles, self._notes(candles, found.zoned, found.stamps, notes))

    def quoted(self) -> _Quoted:
        stamps, rows, remarks = self._stamps()
        self.report(0.4)
        columns, how = self._prices(["bid", "ask"])
        bid, ask = (columns[role][rows] for role in ("bid", "ask"))
        begin = 0
        if self.known.layout.name == METATRADER.name:
            bid, ask = _carried(bid), _carried(ask)
            begin = int(np.argmax(~np.isnan(bid + ask)))
        if begin:
            remarks.append(("left out", f"{begin} quotes at the beginning, until both sides are known"))
        rows, bid, ask = rows[begin:], bid[begin:], ask[begin:]
        self.report(0.6)
        zoned = self._zoned(stamps, rows, 0, 0)
        quotes = Ticks(self.instrument, zoned.utc, self._whole("bid", bid, rows), self._whole("ask", ask, rows))
        return _Quoted(quotes, zoned, stamps, f"bid with ask, {how}", remarks)

    def _line(self, rows: Int64Array, row: int) -> str:
        return f"line {self.table.lines.of(int(rows[row]))}"

    # Stamps

    def _stamps(self) -> tuple[Stamps, Int64Array, list[tuple[str, str]]]:
        """And the rows that count, oldest first."""
        stamps = self._read_stamps()
        rows, remarks = np.arange(self.table.rows), []
        unfinished = self._unfinished()
        if unfinished is not None:
            rows = np.delete(rows, unfinished)
            remarks.append(("left out", f"line {self.table.lines.of(unfinished)}: the bar was not complete"))
        if not len(rows):
            raise DataError(f"{self.table.source}: it holds no complete bar: export it again")
        steps = np.diff(stamps.wall[rows])
        if len(steps) and (steps <= 0).all() and (steps < 0).any():
            rows = rows[::-1]
            remarks.append(("order", "newest first, turned round"))
        return stamps, rows, remarks

    def _read_stamps(self) -> Stamps:
        if "since_midnight" not in self.known.columns:
            return read_stamps(self.table, self.known.stamps, self.asked.dates)
        return times_of_day(self.table, self.known.columns["since_midnight"], self._day())

    def _day(self) -> date:
        found = re.findall(r"(?<!\d)(?:19|20)\d{6}(?!\d)", self.path.name)
        text = self.asked.day or (found[0] if len(set(found)) == 1 else "")
        try:
            return date.fromisoformat(text)
        except ValueError:
            rule = "its stamps are milliseconds since midnight of a day it does not name"
            raise DataError(f"{self.table.source}: {rule}: say it, such as --day 2014-05-01") from None

    def _unfinished(self) -> int | None:
        at = self.known.columns.get("complete")
        if at is None:
            return None
        found = pc.not_equal(pc.utf8_lower(self.table.columns[at]), "true").to_numpy(zero_copy_only=False)
        open_rows = np.flatnonzero(found)
        if len(open_rows) > 1 or (len(open_rows) and int(open_rows[0]) not in (0, self.table.rows - 1)):
            raise self.table.refusal(int(open_rows[0]), at, "is not true: only the newest bar may be incomplete, fetch the others again")
        return int(open_rows[0]) if len(open_rows) else None

    def _zoned(self, stamps: Stamps, rows: Int64Array, bar_us: int, shift_us: int) -> Zoned:
        """`shift_us` puts bars that are stamped with their close back to their open."""
        layout = self.known.layout
        question = ClockQuestion(
            self.table.source, stamps.wall[rows], bar_us, self.instrument, shift_us, layout.zone, layout.also, self.asked.force
        )
        try:
            if stamps.is_utc:
                if self.asked.zone:
                    raise DataError(f"{self.table.source}: its stamps say themselves how far they are from UTC: leave --zone out")
                return question.in_stamps()
            return question.told(self.asked.zone) if self.asked.zone else question.found()
        except ClockError as fault:
            at = stamp_text(int(stamps.wall[rows][fault.row])).removesuffix("Z").replace("T", " ")
            raise DataError(f"{self.table.source}: {self._line(rows, fault.row)}: {at} {fault.rule}") from None

    # Prices

    def _prices(self, roles: list[str]) -> tuple[dict[str, FloatArray], str]:
        places = [self.known.columns[role] for role in roles]
        mark = self.asked.decimal or decimal_mark(self.table, places)
        columns = {role: numbers(self.table, at, mark) for role, at in zip(roles, places, strict=True)}
        if not self._are_points(columns):
            return columns, f"decimal {WORDS[mark]}"
        one = self.instrument.ticks_per_one
        return {role: values / one for role, values in columns.items()}, f"in points of {self.instrument.tick:f}"

    def _are_points(self, columns: Mapping[str, FloatArray]) -> bool:
        if self.asked.points is not None:
            return self.asked.points
        known = np.concatenate([values[~np.isnan(values)] for values in columns.values()])
        if not len(known) or float(known.min()) < _NO_PRICE:
            return False
        # Vendors multiply in floating point: 130990.99999999999 is a whole number of points.
        is_whole = bool((np.abs(known - np.rint(known)) < 1e-6).all())
        is_fine = self.instrument.ticks_per_one >= _NO_PRICE
        if is_whole and is_fine and float(known.min()) >= _SURELY_POINTS:
            return True
        if not is_whole and not is_fine:
            return False
        shown = self.table.columns[self.known.columns[next(iter(columns))]][0].as_py()
        doubt = f"prices like {printable(shown)} may be prices or points of {self.instrument.tick:f}"
        raise DataError(f"{self.table.source}: {doubt}: say --points yes or --points no")

    def _volume(self) -> tuple[dict[str, FloatArray], list[tuple[str, str]]]:
        at = self.known.columns.get("volume")
        if at is None:
            return {}, []
        if pc.all(pc.is_in(self.table.columns[at], pa.array(["", "-"]))).as_py():
            return {}, [("left out", f"the volume, {self.table.title(at)} is empty")]
        return {"volume": numbers(self.table, at, self.asked.decimal or decimal_mark(self.table, self._price_columns()))}, []

    def _price_columns(self) -> list[int]:
        return [at for role, at in self.known.columns.items() if role in (*PRICES, *ASK_PRICES)]

    def _whole(self, name: str, values: FloatArray, rows: Int64Array) -> Int64Array:
        out = np.empty(len(values), np.int64)
        fault = ticks_into(out, name, values, self.instrument)
        if fault:
            raise DataError(f"{self.table.source}: {self._line(rows, fault.row)}: {fault.sentence}")
        return out

    def _side(self) -> tuple[PriceSide, str]:
        if self.known.side:
            with_ask = " with ask" if "ask_open" in self.known.columns else ""
            if self.asked.side not in (None, self.known.side):
                raise DataError(f"{self.table.source}: its columns are {self.known.side} prices, not {self.asked.side}: leave --side out")
            return self.known.side, f"{self.known.side}{with_ask}, by the columns"
        if self.asked.side:
            return self.asked.side, f"{self.asked.side}, as told"
        words = re.split(r"[^a-z]+", self.path.stem.lower())
        sides: tuple[PriceSide, ...] = get_args(PriceSide)
        named = next((side for side in sides if side in words), None)
        return (named, f"{named}, by the file's name") if named else ("bid", "taken as bid, since nothing says otherwise")

    # What was recognised

    def _notes(self, candles: Candles, zoned: Zoned, stamps: Stamps, more: list[tuple[str, str]]) -> Notes:
        table, known = self.table, self.known
        header = "a header" if table.names else "no header"
        first, last = (clock(int(candles.timestamp[at])) for at in (0, -1))
        written = stamps.how + (f", {stamps.order}" if stamps.order else "")
        notes = [
            ("layout", f"{known.layout.name}: {_DELIMITERS[table.delimiter]} between columns, {header}, {written}"),
            ("symbol", f"{candles.symbol}, {self.symbol_why}"),
            ("clock", zoned.why),
            *more,
            ("rows", f"{table.rows:,}, {len(candles):,} bars from {first} to {last} UTC"),
        ]
        if known.unused:
            notes.append(("unused", ", ".join(known.unused)))
        found = holes(candles.timestamp, candles.bar_us)
        return (*notes, ("holes", found)) if found else tuple(notes)


def _symbol(
    path: Path, table: Table, known: Recognised, asked: ImportAsked, instruments: Mapping[str, Instrument]
) -> tuple[Instrument, str]:
    if asked.symbol:
        return known_instrument(path, asked.symbol, instruments), "as told"
    if "symbol" in known.columns:
        named = pc.unique(table.columns[known.columns["symbol"]]).to_pylist()
        if len(named) > 1:
            row = pc.index(table.columns[known.columns["symbol"]], named[1]).as_py()
            raise table.refusal(
                row, known.columns["symbol"], f"is another symbol than {printable(named[0])}: split the file, one symbol in each"
            )
        return known_instrument(path, re.sub(r"[/_-]", "", named[0]).upper(), instruments), "as each row says"
    found = set(_names(path)) & instruments.keys()
    if len(found) == 1:
        return instruments[found.pop()], "by the file's name"
    what = f"{' and '.join(sorted(found))} are" if found else "no known symbol is"
    raise DataError(f"{path}: {what} in its name, and its rows name none: say which it is, such as --symbol EURUSD")


def _names(path: Path) -> Iterator[str]:
    """`EURUSD`, `EUR_USD` and `EUR-USD` in a file's name."""
    words = [word for word in re.split(r"[^A-Z0-9]+", path.stem.upper()) if word]
    yield from words
    yield from (first + second for first, second in pairwise(words))


def _carried(values: FloatArray) -> FloatArray:
    """A tick that changes one side leaves the other as it was."""
    known = np.where(np.isnan(values), -1, np.arange(len(values)))
    last = np.maximum.accumulate(known)
    carried: FloatArray = np.where(last < 0, np.nan, values[last])
    return carried
