"""HistData's free history: zipped minutes of bid prices, a year in a file, of the year under way a month; and ticks, a month in a file.
A form with a token gives them out.

Which clock it was written by is found as for every imported file, in each year of minutes and month of ticks by itself: it was not the
same in all.
"""

import io
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from html.parser import HTMLParser
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import numpy as np

from sptrader_desktop.adapters.candle_checks import Columns
from sptrader_desktop.adapters.candle_files import known_instrument
from sptrader_desktop.adapters.candle_range import cut, past_midnight, span_of
from sptrader_desktop.adapters.candle_series import candles_of, joined
from sptrader_desktop.adapters.csv_import import ImportAsked, import_csv, import_quotes
from sptrader_desktop.adapters.http_fetch import HttpFetcher, Reply
from sptrader_desktop.core.calendar import HOUR_US
from sptrader_desktop.core.candles import Candles, Int64Array
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.instruments import CATALOGUE, Instrument
from sptrader_desktop.core.resample import Ticks, candles_of_ticks, finished, made_length, resample
from sptrader_desktop.ports import CandleRequest, Piece
from sptrader_desktop.present.market_hours import MINUTE_US

ADDRESS = "https://www.histdata.com"
_PAGE = "download-free-forex-historical-data/?/ascii"
_TICKS = "ticks"  # in the name of a piece
_FIELDS = ("tk", "date", "datemonth", "platform", "timeframe", "fxpair")
_FIRST_YEAR = 2000
_MOST = 512 * 1024**2
# The clock of a file is up to five hours behind UTC: a year of it begins and ends as much later.
_BEHIND_US = 5 * HOUR_US
T = TypeVar("T")


class HistdataHistory:
    name = "histdata"

    def __init__(
        self, fetcher: HttpFetcher, instruments: Mapping[str, Instrument] = CATALOGUE, address: str = "", now: datetime | None = None
    ) -> None:
        self._fetcher, self._instruments, self._address = fetcher, instruments, (address or ADDRESS).rstrip("/")
        self._now = now or datetime.now(UTC)

    def pieces(self, asked: CandleRequest) -> Sequence[Piece]:
        known_instrument(self.name, asked.symbol, self._instruments)
        earliest = datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC)
        start, end = span_of(max(asked.start or earliest, earliest), min(asked.end or self._now, self._now))
        if _is_of_ticks(asked.timeframe):
            made = [Piece(f"{asked.symbol}/{_TICKS}/{period}.zip", *_span(period)) for period in self._months()]
        else:
            made = [Piece(f"{asked.symbol}/{period}.zip", *_span(period)) for period in self._periods()]
        late = 0 if _is_of_ticks(asked.timeframe) else past_midnight(asked.timeframe)
        return [piece for piece in made if piece.end > (start or 0) and piece.start < (end or 0) + late]

    def _periods(self) -> Iterator[str]:
        yield from (str(year) for year in range(_FIRST_YEAR, self._now.year))
        yield from (f"{self._now.year}/{month}" for month in range(1, self._now.month + 1))

    def _months(self) -> Iterator[str]:
        now = 12 * self._now.year + self._now.month
        yield from (f"{month // 12}/{month % 12 + 1}" for month in range(12 * _FIRST_YEAR, now))

    def fetch(self, piece: Piece) -> bytes:
        symbol, _, period = piece.name.removesuffix(".zip").partition("/")
        quotes = "tick-data-quotes" if period.startswith(_TICKS) else "1-minute-bar-quotes"
        page = f"{self._address}/{_PAGE}/{quotes}/{symbol.lower()}/{period.removeprefix(f'{_TICKS}/')}"
        reply = self._fetcher.get(page, wanted=(200, 404))
        if reply.status == 404:
            return b""
        form = _Form.fields(reply.content.decode("utf-8", "replace"))
        if not form.get("tk"):
            raise DataError(f"{page}: it has no form with a token: if its history begins later ask from then on, else try again later")
        return self._fetcher.post(f"{self._address}/get.php", {name: form.get(name, "") for name in _FIELDS}, page, _refuse_damaged).content

    def candles(self, asked: CandleRequest, pieces: Sequence[Piece], read: Callable[[Piece], bytes], until: int) -> Candles:
        instrument, source = known_instrument(self.name, asked.symbol, self._instruments), f"{self.name} {asked.symbol}"
        fine: Candles | None = None
        for part in self._from_ticks(asked, pieces, read) if _is_of_ticks(asked.timeframe) else self._from_minutes(asked, pieces, read):
            fine = part if fine is None else joined(fine, part)
        if fine is None:
            raise DataError(f"{source}: it has nothing in this range: ask for another range, or another vendor")
        # A file of a time that is over is whole, also where it ends with the week; how far one of a time under way reaches only it can say.
        known = pieces[-1].end if pieces[-1].end <= until else None
        made = resample(finished(fine, until), asked.timeframe, until=known)
        wanted = Columns(made.timestamp, made.prices, made.ask, made.volume)
        if not len(made):
            raise DataError(f"{source}: no bar of {asked.timeframe} is over in this range: ask for a longer one")
        return candles_of(cut(source, wanted, span_of(asked.start, asked.end))[0], instrument, asked.timeframe, "bid", source)

    def ticks(
        self, asked: CandleRequest, pieces: Sequence[Piece], read: Callable[[Piece], bytes]
    ) -> Iterator[tuple[Int64Array, Int64Array, Int64Array]]:
        """Stamps, bids and asks in the range, month by month."""
        start, end = span_of(asked.start, asked.end)
        for quotes in self._quotes(asked, pieces, read):
            assert quotes.ask is not None, "its layout has both"
            low = 0 if start is None else int(np.searchsorted(quotes.stamp, start))
            high = len(quotes.stamp) if end is None else int(np.searchsorted(quotes.stamp, end))
            yield quotes.stamp[low:high], quotes.price[low:high], quotes.ask[low:high]

    def _quotes(self, asked: CandleRequest, pieces: Sequence[Piece], read: Callable[[Piece], bytes]) -> Iterator[Ticks]:
        latest, clock = 0, ""
        for piece in pieces:
            content = read(piece)
            if not content:
                continue
            quotes, clock = self._with_clock(piece.name, _csv_of(piece.name, content), asked.symbol, clock)
            if int(quotes.stamp[0]) < latest:
                raise DataError(f"{self.name} {piece.name}: it begins before the month before it ends: look at both among the downloads")
            latest = int(quotes.stamp[-1])
            yield quotes

    def _with_clock(self, name: str, text: bytes, symbol: str, before: str) -> tuple[Ticks, str]:
        """Of a month under way the first days hold no weekend: they go on by the clock of the month before."""
        told = ImportAsked(symbol=symbol, layout="histdata")
        try:
            return self._imported(name, text, partial(import_quotes, asked=told, instruments=self._instruments))
        except DataError:
            if not before:
                raise
            told = replace(told, zone=before)
            return self._imported(name, text, partial(import_quotes, asked=told, instruments=self._instruments))

    def _from_ticks(self, asked: CandleRequest, pieces: Sequence[Piece], read: Callable[[Piece], bytes]) -> Iterator[Candles]:
        for quotes in self._quotes(asked, pieces, read):
            made = candles_of_ticks(quotes, asked.timeframe, unfinished=True)
            columns = Columns(made.timestamp, made.prices, made.ask, made.volume)
            yield candles_of(columns, quotes.instrument, asked.timeframe, "bid", f"{self.name} {asked.symbol}")

    def _from_minutes(self, asked: CandleRequest, pieces: Sequence[Piece], read: Callable[[Piece], bytes]) -> Iterator[Candles]:
        told = ImportAsked(symbol=asked.symbol, timeframe="1m", layout="histdata")
        for year, text in self._years(pieces, read):
            yield self._imported(f"{asked.symbol}/{year}", text, partial(import_csv, asked=told, instruments=self._instruments)).candles

    def _years(self, pieces: Sequence[Piece], read: Callable[[Piece], bytes]) -> Iterator[tuple[str, bytes]]:
        """The months of a year together: the first days of one have no weekend by which to tell the clock."""
        for year, files in groupby(pieces, lambda piece: piece.name.removesuffix(".zip").split("/")[1]):
            texts = [_csv_of(piece.name, content).rstrip() + b"\n" for piece in files if (content := read(piece))]
            if texts:
                yield year, b"".join(texts)

    def _imported(self, name: str, text: bytes, read: Callable[[Path], T]) -> T:
        with TemporaryDirectory() as folder:
            path = Path(folder, f"{name.replace('/', '_')}.csv")
            path.write_bytes(text)
            try:
                return read(path)
            except DataError as error:
                sentence = str(error).replace(str(path), f"{self.name} {name}")
                raise DataError(f"{sentence} (the file is kept among the downloads and can be imported by itself)") from None


def _is_of_ticks(timeframe: str) -> bool:
    return timeframe == "tick" or made_length(timeframe) % MINUTE_US != 0


class _Form(HTMLParser):
    """The hidden fields of the form `file_down`."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self._inside = False

    @classmethod
    def fields(cls, page: str) -> dict[str, str]:
        form = cls()
        form.feed(page)
        return form.found

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag == "form":
            self._inside = "file_down" in (told.get("id"), told.get("name"))
        elif tag == "input" and self._inside:
            self.found[told.get("name") or told.get("id") or ""] = told.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "form"


def _refuse_damaged(reply: Reply) -> None:
    _unpacked(reply.content)


def _csv_of(name: str, content: bytes) -> bytes:
    try:
        return _unpacked(content)
    except ValueError as error:
        raise DataError(f"{name}: {error}: remove it from the downloads and fetch it again") from None


def _unpacked(content: bytes) -> bytes:
    """Zip has a checksum for each file; a page that apologises is no zip."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            inside = [item for item in archive.infolist() if item.filename.lower().endswith(".csv")]
            if len(inside) != 1 or inside[0].file_size > _MOST:
                raise ValueError("the archive does not hold one CSV file of a believable size")
            return archive.read(inside[0])
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError, zlib.error) as error:
        raise ValueError(f"the archive is damaged ({error})") from None


def _span(period: str) -> tuple[int, int]:
    year, _, month = period.partition("/")
    first, unit = (np.datetime64(f"{year}-{int(month):02d}", "M"), "M8[M]") if month else (np.datetime64(year, "Y"), "M8[Y]")
    number = int(first.astype(np.int64))
    begin, end = np.array([number, number + 1]).astype(unit).astype("M8[us]").astype(np.int64).tolist()
    return begin, end + _BEHIND_US
