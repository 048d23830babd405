"""Candles kept in PostgreSQL: what goes in comes out to the bit, and a program that dies while writing leaves nothing half written.

A series is a symbol, a timeframe and a side; its prices are whole ticks. Every call has a connection and a transaction of its own.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import psycopg

from sptrader_desktop.adapters.candle_checks import RawBatch, RawCandles, checked_columns, first, stamp_text
from sptrader_desktop.adapters.candle_files import known_instrument
from sptrader_desktop.adapters.candle_layout import Layout
from sptrader_desktop.adapters.candle_range import Span, no_bar, span_of
from sptrader_desktop.adapters.candle_series import candles_of
from sptrader_desktop.adapters.postgres_rows import BEGIN, END, aggregated, columns_of, copied, numbers, stamps, whole_numbers
from sptrader_desktop.adapters.postgres_schema import migrate
from sptrader_desktop.adapters.postgres_server import PostgresServer, postgres_errors
from sptrader_desktop.core.candles import Candles, Int64Array, PriceSide
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.instruments import CATALOGUE, Instrument
from sptrader_desktop.core.resample import too_close
from sptrader_desktop.core.timeframes import parse_timeframe
from sptrader_desktop.ports import CandleRequest, Dataset

PAGE = 200_000  # bars: 25 MB of arrays at most
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_US, _AFTER_US = -2_208_988_800_000_000, 7_258_118_400_000_000  # the years 1900 and 2200, outside which no candle is kept
# A run trades bid prices unless it says otherwise, so of several sides this is the one that is meant.
_BY_SIDE = "array_position(ARRAY['bid', 'mid', 'ask'], side)"
_SERIES = "id, side, tick, has_ask, has_volume, is_synthetic"


@dataclass(frozen=True, slots=True)
class _Series:
    id: int
    side: PriceSide
    tick: Decimal
    has_ask: bool
    has_volume: bool
    is_synthetic: bool

    @property
    def columns(self) -> tuple[str, ...]:
        return columns_of(self.has_ask, self.has_volume)


class PostgresCandles:
    """Opening it makes or completes the tables; `close` gives the server back."""

    def __init__(self, server: PostgresServer, instruments: Mapping[str, Instrument] = CATALOGUE) -> None:
        self._server, self._instruments = server, instruments
        with self._connected() as connection:
            migrate(connection, server.shown)

    @property
    def shown(self) -> str:
        return self._server.shown

    def __enter__(self) -> "PostgresCandles":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._server.close()

    def datasets(self) -> Sequence[Dataset]:
        counted = "SELECT series, count(*) AS rows, min(stamp) AS first, max(stamp) AS last FROM sptrader.candles GROUP BY series"
        told = "symbol, timeframe, side, has_ask, rows, first, last, is_synthetic"
        asked = f"SELECT {told} FROM sptrader.series JOIN ({counted}) AS c ON c.series = id"
        with self._connected() as connection:
            found = connection.execute(f"{asked} ORDER BY symbol, timeframe, {_BY_SIDE}".encode()).fetchall()
        return [Dataset(*(*row[:5], *(at.astimezone(UTC) for at in row[5:7]), row[7])) for row in found]

    def candles(self, asked: CandleRequest) -> Candles:
        instrument = known_instrument(self.shown, asked.symbol, self._instruments)
        bar_us, span = parse_timeframe(asked.timeframe), span_of(asked.start, asked.end)
        with self._connected() as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            connection.execute("SET LOCAL enable_sort = off")  # the primary key has the order, whatever a fresh table's statistics say
            series = self._asked(connection, asked)
            source = f"postgres {asked.symbol} {asked.timeframe} {series.side}"
            pages = _pages(connection, series, series.columns, span)
            raw = RawCandles(source, _layout(series), _count(connection, source, series, span), "us", pages)
            columns = checked_columns(raw, instrument, asked.timeframe, bar_us, is_part=True)
        return candles_of(columns, instrument, asked.timeframe, series.side, source, is_synthetic=series.is_synthetic)

    def keep(self, candles: Candles) -> int:
        if not len(candles):
            raise DataError(f"{candles.source or candles.symbol}: it holds no candles to keep")
        with self._connected() as connection, connection.transaction():
            series = self._claimed(connection, candles)
            held = _held(connection, series, candles)
            _refuse_overlap(held, candles)
            _remove(connection, series, held, candles)
            _copy(connection, series, candles)
        return len(candles)

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection]:
        with postgres_errors(self.shown), self._server.connect() as connection:
            yield connection

    def _asked(self, connection: psycopg.Connection, asked: CandleRequest) -> _Series:
        chosen = f"SELECT {_SERIES} FROM sptrader.series WHERE symbol = %s AND timeframe = %s"
        found = connection.execute(f"{chosen} ORDER BY {_BY_SIDE} LIMIT 1".encode(), [asked.symbol, asked.timeframe]).fetchone()
        if found:
            return _Series(*found)
        rows = connection.execute("SELECT DISTINCT symbol || ' ' || timeframe FROM sptrader.series ORDER BY 1").fetchall()
        held = ", ".join(row[0] for row in rows) or "nothing yet"
        raise DataError(f"{self.shown} holds no {asked.timeframe} candles of {asked.symbol} (it holds {held}): load them there first")

    def _claimed(self, connection: psycopg.Connection, candles: Candles) -> _Series:
        """The series, which nobody else changes until the transaction ends."""
        key = [candles.symbol, candles.timeframe, candles.side]
        ours = [candles.instrument.tick, candles.ask is not None, candles.volume is not None, candles.is_synthetic]
        connection.execute(
            "INSERT INTO sptrader.series (symbol, timeframe, side, tick, has_ask, has_volume, is_synthetic) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (symbol, timeframe, side) DO NOTHING",
            [*key, *ours],
        )
        chosen = f"SELECT {_SERIES} FROM sptrader.series WHERE symbol = %s AND timeframe = %s AND side = %s FOR UPDATE"
        found = connection.execute(chosen.encode(), key).fetchone()
        series = _Series(*found) if found else None
        if series is None:
            raise DataError(f"{self.shown}: {' '.join(key)} was removed a moment ago: do it again")
        theirs = [series.tick, series.has_ask, series.has_volume, series.is_synthetic]
        for what, mine, other in zip(("tick", "ask prices", "volume", "synthetic bars"), ours, theirs, strict=True):
            if mine != other:
                kept = f"a tick of {other}" if what == "tick" else what if other else f"no {what}"
                raise DataError(
                    f"{candles.source or candles.symbol}: {self.shown} keeps {' '.join(key)} with {kept}, unlike these candles: "
                    "load them into another database, or delete its row of sptrader.series and load all of it again"
                )
        return series


_IN_SPAN = "series = %s AND stamp >= %s AND stamp < %s"


def _spanned(series: _Series, span: Span) -> list[Any]:
    start, end = span
    return [series.id, _moment(_FIRST_US if start is None else start), _moment(_AFTER_US if end is None else end)]


def _count(connection: psycopg.Connection, source: str, series: _Series, span: Span) -> int:
    found = connection.execute(f"SELECT count(*) FROM sptrader.candles WHERE {_IN_SPAN}".encode(), _spanned(series, span)).fetchone()
    if found and found[0]:
        return int(found[0])
    held = connection.execute("SELECT min(stamp), max(stamp) FROM sptrader.candles WHERE series = %s", [series.id]).fetchone()
    if held and held[0]:
        raise no_bar(source, _microseconds(held[0]), _microseconds(held[1]), span)
    raise DataError(f"{source}: all its candles were removed: load them again")


def _layout(series: _Series) -> Layout:
    return Layout("stamp", {name: name for name in series.columns[1:]}, is_sided=series.has_ask)


def _pages(connection: psycopg.Connection, series: _Series, names: Sequence[str], span: Span) -> Iterator[RawBatch]:
    """In order of time; `names` begin with the stamp."""
    per_one, (start, end) = float(1 / series.tick), span
    page = f"SELECT {', '.join(names)} FROM sptrader.candles WHERE {_IN_SPAN} ORDER BY stamp LIMIT {PAGE}"
    while True:
        cursor = connection.cursor(binary=True)
        cursor.execute(f"SELECT {aggregated(names)} FROM ({page}) AS page".encode(), _spanned(series, (start, end)))
        assert cursor.pgresult is not None
        values = [value for column in range(len(names)) if (value := cursor.pgresult.get_value(0, column)) is not None]
        if not values:
            return
        opens, rest = stamps(values[0]), zip(names[1:], values[1:], strict=True)
        yield RawBatch(opens, {name: numbers(value) if name == "volume" else whole_numbers(value) / per_one for name, value in rest})
        start = int(opens[-1]) + 1


def _held(connection: psycopg.Connection, series: _Series, candles: Candles) -> Int64Array:
    """Opens of the bars that are there already between the candles and beside them."""
    span = (int(candles.timestamp[0]) - candles.bar_us, int(candles.timestamp[-1]) + candles.bar_us)
    parts = [batch.timestamp for batch in _pages(connection, series, ("stamp",), span)]
    return np.concatenate(parts) if parts else np.empty(0, np.int64)


def _refuse_overlap(held: Int64Array, candles: Candles) -> None:
    both = np.union1d(held, candles.timestamp)
    row = first(too_close(np.diff(both), candles.bar_us))
    if row is not None:
        early, late = (stamp_text(int(both[at])) for at in (row, row + 1))
        raise DataError(f"{candles.source}: the {candles.timeframe} bar of {late} opens inside that of {early}: remove one of the two")


def _remove(connection: psycopg.Connection, series: _Series, held: Int64Array, candles: Candles) -> None:
    """Of the bars that are there those that come anew: a whole range where it has no others, which is much faster."""
    begin, end = int(candles.timestamp[0]), int(candles.timestamp[-1]) + 1
    again = np.intersect1d(held, candles.timestamp, assume_unique=True)
    if not len(again):
        return
    removed, chosen = f"DELETE FROM sptrader.candles WHERE {_IN_SPAN}", _spanned(series, (begin, end))
    if len(again) < np.count_nonzero((held >= begin) & (held < end)):
        removed, chosen = f"{removed} AND stamp = ANY(%s)", [*chosen, [_moment(stamp) for stamp in again.tolist()]]
    connection.execute(removed.encode(), chosen)


def _copy(connection: psycopg.Connection, series: _Series, candles: Candles) -> None:
    into = f"COPY sptrader.candles (series, {', '.join(series.columns)}) FROM STDIN (FORMAT binary)"
    with connection.cursor().copy(into.encode()) as copy:
        copy.write(BEGIN)
        for rows in copied(candles, series.id):
            copy.write(rows)
        copy.write(END)


def _moment(stamp_us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=stamp_us)


def _microseconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)
