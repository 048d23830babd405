"""Dukascopy's free history: LZMA files of big-endian records, hours of ticks, days of minutes and months of hours, bid and ask.

Months count from zero. Candle files come one for each side and hold every bar of their time, those in which nothing was traded
with volume zero: these are left out.
"""

import lzma
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sptrader_desktop.adapters.candle_checks import Columns, RawBatch, RawCandles, checked_columns, stamp_text
from sptrader_desktop.adapters.candle_files import known_instrument
from sptrader_desktop.adapters.candle_layout import ASK_PRICES, PRICES, Layout
from sptrader_desktop.adapters.candle_range import cut, past_midnight, span_of
from sptrader_desktop.adapters.candle_series import candles_of
from sptrader_desktop.adapters.http_fetch import HttpFetcher, Reply
from sptrader_desktop.core.calendar import DAY_US, HOUR_US, trading_day, weekday
from sptrader_desktop.core.candles import Candles, Int64Array
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.instruments import CATALOGUE, Instrument
from sptrader_desktop.core.resample import Ticks, candles_of_ticks, finished, made_length, resample
from sptrader_desktop.core.timeframes import parse_timeframe
from sptrader_desktop.ports import CandleRequest, Piece

ADDRESS = "https://datafeed.dukascopy.com/datafeed"
_TICK = np.dtype([("ms", ">u4"), ("ask", ">u4"), ("bid", ">u4"), ("ask_volume", ">f4"), ("bid_volume", ">f4")])
_CANDLE = np.dtype([("s", ">u4"), *((name, ">u4") for name in ("open", "close", "low", "high")), ("volume", ">f4")])
_POINTS_BY_QUOTE = {"JPY": 1_000, "HUF": 1_000}
_POINTS = {"XAUUSD": 1_000, "XAGUSD": 1_000}
# How many points make a price of 1 is not said in the files; of these it is not known.
_UNKNOWN_POINTS = {"BTCUSD", "USDCZK"}
_MINUTE_US, _SECOND_US = 60_000_000, 1_000_000
_EARLIEST = datetime(2003, 1, 1, tzinfo=UTC)
_BOTH_SIDES = Layout("timestamp", {name: name for name in (*PRICES, *ASK_PRICES, "volume")}, is_sided=True)

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Files:
    """Candles of `timeframe`, a file for each side and `unit` of the calendar; of ticks one for both."""

    timeframe: str
    unit: str
    names: tuple[str, ...]
    record: np.dtype[np.void]


_TICKS = _Files("tick", "h", ("h_ticks.bi5",), _TICK)
_MINUTES = _Files("1m", "D", ("/BID_candles_min_1.bi5", "/ASK_candles_min_1.bi5"), _CANDLE)
_HOURS = _Files("1h", "M", ("/BID_candles_hour_1.bi5", "/ASK_candles_hour_1.bi5"), _CANDLE)


class DukascopyHistory:
    name = "dukascopy"

    def __init__(self, fetcher: HttpFetcher, instruments: Mapping[str, Instrument] = CATALOGUE, address: str = "") -> None:
        self._fetcher, self._instruments, self._address = fetcher, instruments, (address or ADDRESS).rstrip("/")

    def pieces(self, asked: CandleRequest) -> Sequence[Piece]:
        instrument, files = self._instrument(asked), _files(asked.timeframe)
        start, end = span_of(max(asked.start or _EARLIEST, _EARLIEST), asked.end or datetime.now(UTC))
        assert start is not None
        assert end is not None
        if files is _HOURS:
            end += past_midnight(asked.timeframe)
        first, last = (int(np.datetime64(at, "us").astype(f"M8[{files.unit}]").astype(np.int64)) for at in (start, end - 1))
        bounds = np.arange(first, last + 2).astype(f"M8[{files.unit}]").astype("M8[us]").astype(np.int64)
        wanted = _have_open_hours(bounds) | instrument.charged_every_day
        spans = [span for span, is_wanted in zip(pairwise(bounds.tolist()), wanted, strict=True) if is_wanted]
        return [Piece(_place(asked.symbol, span[0], files) + name, *span) for span in spans for name in files.names]

    def fetch(self, piece: Piece) -> bytes:
        record = _TICK if piece.name.endswith(_TICKS.names) else _CANDLE

        def check(reply: Reply) -> None:
            if reply.status == 200:
                _records(reply.content, record)

        reply = self._fetcher.get(f"{self._address}/{piece.name}", wanted=(200, 404), check=check)
        return reply.content if reply.status == 200 else b""

    def candles(self, asked: CandleRequest, pieces: Sequence[Piece], read: Callable[[Piece], bytes], until: int) -> Candles:
        instrument, files, source = self._instrument(asked), _files(asked.timeframe), f"{self.name} {asked.symbol}"
        decoder = _Decoder(instrument, _points(instrument), asked.timeframe, read)
        batches = list(decoder.from_ticks(pieces) if files is _TICKS else decoder.from_candles(pieces))
        rows = sum(len(batch.timestamp) for batch in batches)
        if not rows:
            raise DataError(f"{source}: there are no quotes in this range: ask for another range")
        timeframe = asked.timeframe if files is _TICKS else files.timeframe
        raw = RawCandles(source, _BOTH_SIDES, rows, "us", iter(batches))
        columns = checked_columns(raw, instrument, timeframe, parse_timeframe(timeframe), is_part=True)
        known = min(until, pieces[-1].end)
        fine = finished(candles_of(columns, instrument, timeframe, "bid", source), known)
        made = resample(fine, asked.timeframe, until=known)
        wanted = Columns(made.timestamp, made.prices, made.ask, made.volume)
        if not len(made):
            raise DataError(f"{source}: no bar of {asked.timeframe} is over in this range: ask for a longer one")
        return candles_of(cut(source, wanted, span_of(asked.start, asked.end))[0], instrument, asked.timeframe, "bid", source)

    def ticks(
        self, asked: CandleRequest, pieces: Sequence[Piece], read: Callable[[Piece], bytes]
    ) -> Iterator[tuple[Int64Array, Int64Array, Int64Array]]:
        """Stamps, bids and asks in the range, hour by hour."""
        instrument, (start, end) = self._instrument(asked), span_of(asked.start, asked.end)
        decoder = _Decoder(instrument, _points(instrument), asked.timeframe, read)
        for piece in pieces:
            stamps, bids, asks = decoder.ticks(piece)
            low, high = np.searchsorted(stamps, [start or piece.start, end or piece.end])
            yield stamps[low:high], bids[low:high], asks[low:high]

    def _instrument(self, asked: CandleRequest) -> Instrument:
        instrument = known_instrument(self.name, asked.symbol, self._instruments)
        _points(instrument)
        return instrument


@dataclass(frozen=True, slots=True)
class _Decoder:
    instrument: Instrument
    points: int
    timeframe: str
    read: Callable[[Piece], bytes]

    def from_candles(self, pieces: Sequence[Piece]) -> Iterator[RawBatch]:
        for bid_piece, ask_piece in zip(pieces[::2], pieces[1::2], strict=True):
            bid, ask = self._records(bid_piece, _CANDLE), self._records(ask_piece, _CANDLE)
            if not np.array_equal(bid["s"], ask["s"]):
                raise DataError(f"{ask_piece.name}: its bars are not those of {bid_piece.name}: remove both and fetch them again")
            traded = (bid["volume"] > 0) | (ask["volume"] > 0)
            bid, ask = bid[traded], ask[traded]
            stamps = bid_piece.start + bid["s"].astype(np.int64) * _SECOND_US
            _refuse_outside(bid_piece, stamps)
            prices = {name: bid[name] / self.points for name in PRICES}
            prices |= {name: ask[name.removeprefix("ask_")] / self.points for name in ASK_PRICES}
            yield RawBatch(stamps, prices | {"volume": bid["volume"].astype(np.float64)})

    def from_ticks(self, pieces: Sequence[Piece]) -> Iterator[RawBatch]:
        """A day at a time: bars shorter than a day end with it."""
        days: dict[int, list[Piece]] = {}
        for piece in pieces:
            days.setdefault(piece.start // DAY_US, []).append(piece)
        for day in days.values():
            ticks = [self.ticks(piece) for piece in day]
            stamps, bids, asks = (np.concatenate(column) for column in zip(*ticks, strict=True))
            made = candles_of_ticks(Ticks(self.instrument, stamps, bids, asks), self.timeframe, unfinished=True)
            assert made.ask is not None
            assert made.volume is not None
            one = self.instrument.ticks_per_one
            prices = {name: getattr(made.prices, name) / one for name in PRICES}
            prices |= {name: getattr(made.ask, name.removeprefix("ask_")) / one for name in ASK_PRICES}
            yield RawBatch(made.timestamp, prices | {"volume": made.volume})

    def ticks(self, piece: Piece) -> tuple[Int64Array, Int64Array, Int64Array]:
        """Stamps, bids and asks of an hour."""
        records = self._records(piece, _TICK)
        stamps = piece.start + records["ms"].astype(np.int64) * 1_000
        _refuse_outside(piece, stamps)
        return stamps, self._whole(piece, records["bid"]), self._whole(piece, records["ask"])

    def _whole(self, piece: Piece, prices: NDArray[np.uint32]) -> Int64Array:
        ticks, rest = np.divmod(prices.astype(np.int64) * self.instrument.ticks_per_one, self.points)
        if rest.any():
            price, symbol = int(prices[np.argmax(rest != 0)]) / self.points, self.instrument.symbol
            rule = f"is not a multiple of the tick {self.instrument.tick:f} of {symbol}: define a finer tick in an instruments file"
            raise DataError(f"{piece.name}: price {price!r} {rule}")
        return ticks

    def _records(self, piece: Piece, record: np.dtype[np.void]) -> NDArray[np.void]:
        try:
            return _records(self.read(piece), record)
        except ValueError as error:
            raise DataError(f"{piece.name}: {error}: remove it from the downloads and fetch it again") from None


def _records(content: bytes, record: np.dtype[np.void]) -> NDArray[np.void]:
    """Raises ValueError about a file that is damaged or cut short. An empty one is an hour without quotes.

    The packing has no checksum, so what comes out of it must also make sense.
    """
    if not content:
        return np.empty(0, record)
    try:
        unpacked = lzma.decompress(content, lzma.FORMAT_ALONE, memlimit=256 * 1024**2)
    except (lzma.LZMAError, EOFError) as error:
        raise ValueError(f"the file is damaged ({error})") from None
    if len(unpacked) % record.itemsize:
        raise ValueError(f"the file is cut short: {len(unpacked)} bytes are no whole number of records of {record.itemsize}")
    records = np.frombuffer(unpacked, record)
    steps = np.diff(records[record.names[0] if record.names else ""].astype(np.int64))
    if record is _TICK:
        makes_sense = (steps >= 0).all() and (records["bid"] > 0).all() and (records["ask"] > 0).all()
    else:
        low, high = (pick(records["open"], records["close"]) for pick in (np.minimum, np.maximum))
        makes_sense = (steps > 0).all() and ((records["low"] > 0) & (records["low"] <= low) & (records["high"] >= high)).all()
    if not makes_sense:
        raise ValueError("the file is damaged (prices or times that cannot be)")
    return records


def _files(timeframe: str) -> _Files:
    """The coarsest that bars of this timeframe can be made of."""
    if timeframe == _TICKS.timeframe:
        return _TICKS
    length = made_length(timeframe)
    return _TICKS if length % _MINUTE_US else _MINUTES if length % HOUR_US else _HOURS


def _points(instrument: Instrument) -> int:
    if instrument.symbol in _UNKNOWN_POINTS:
        raise DataError(f"{instrument.symbol}: how Dukascopy scales its prices is not known: take another vendor")
    return _POINTS.get(instrument.symbol) or _POINTS_BY_QUOTE.get(instrument.quote, 100_000)


def _place(symbol: str, start: int, files: _Files) -> str:
    at = datetime.fromtimestamp(start // _SECOND_US, UTC)
    parts = [symbol, f"{at.year}", f"{at.month - 1:02d}"]
    if files.unit != "M":
        parts.append(f"{at.day:02d}")
    if files.unit == "h":
        parts.append(f"{at.hour:02d}")
    return "/".join(parts)


def _have_open_hours(bounds: Int64Array) -> NDArray[np.bool_]:
    """For the times between bounds: does any hour belong to a trading day from Monday to Friday?"""
    is_open = weekday(trading_day(np.arange(bounds[0], bounds[-1], HOUR_US))) < 5
    return np.logical_or.reduceat(is_open, (bounds[:-1] - bounds[0]) // HOUR_US)


def _refuse_outside(piece: Piece, stamps: Int64Array) -> None:
    if len(stamps) and not piece.start <= stamps[0] <= stamps[-1] < piece.end:
        span = f"{stamp_text(piece.start)} to {stamp_text(piece.end)}"
        raise DataError(f"{piece.name}: its stamps leave its time, {span}: remove it from the downloads and fetch it again")
