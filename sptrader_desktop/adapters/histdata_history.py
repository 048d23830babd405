"""HistData's free history: zipped minutes of bid prices, a year in a file, of the year under way a month; a form with a token
gives them out.

Which clock it was written by is found as for every imported file, in each year by itself: it was not the same in all.
"""

import io
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from html.parser import HTMLParser
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from sptrader_desktop.adapters.candle_checks import Columns
from sptrader_desktop.adapters.candle_files import known_instrument
from sptrader_desktop.adapters.candle_range import cut, past_midnight, span_of
from sptrader_desktop.adapters.candle_series import candles_of, joined
from sptrader_desktop.adapters.csv_import import ImportAsked, import_csv
from sptrader_desktop.adapters.http_fetch import HttpFetcher, Reply
from sptrader_desktop.core.calendar import HOUR_US
from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.instruments import CATALOGUE, Instrument
from sptrader_desktop.core.resample import finished, made_length, resample
from sptrader_desktop.ports import CandleRequest, Piece

ADDRESS = "https://www.histdata.com"
_PAGE = "download-free-forex-historical-data/?/ascii/1-minute-bar-quotes"
_FIELDS = ("tk", "date", "datemonth", "platform", "timeframe", "fxpair")
_FIRST_YEAR = 2000
_MOST = 512 * 1024**2
# The clock of a file is up to five hours behind UTC: a year of it begins and ends as much later.
_BEHIND_US = 5 * HOUR_US


class HistdataHistory:
    name = "histdata"

    def __init__(
        self, fetcher: HttpFetcher, instruments: Mapping[str, Instrument] = CATALOGUE, address: str = "", now: datetime | None = None
    ) -> None:
        self._fetcher, self._instruments, self._address = fetcher, instruments, (address or ADDRESS).rstrip("/")
        self._now = now or datetime.now(UTC)

    def pieces(self, asked: CandleRequest) -> Sequence[Piece]:
        known_instrument(self.name, asked.symbol, self._instruments)
        if made_length(asked.timeframe) % 60_000_000:
            raise DataError(f"{self.name}: its minutes make no candles of {asked.timeframe}: choose 1m or longer")
        earliest = datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC)
        start, end = span_of(max(asked.start or earliest, earliest), min(asked.end or self._now, self._now))
        made = [Piece(f"{asked.symbol}/{period}.zip", *_span(period)) for period in self._periods()]
        return [piece for piece in made if piece.end > (start or 0) and piece.start < (end or 0) + past_midnight(asked.timeframe)]

    def _periods(self) -> Iterator[str]:
        yield from (str(year) for year in range(_FIRST_YEAR, self._now.year))
        yield from (f"{self._now.year}/{month}" for month in range(1, self._now.month + 1))

    def fetch(self, piece: Piece) -> bytes:
        symbol, _, period = piece.name.removesuffix(".zip").partition("/")
        page = f"{self._address}/{_PAGE}/{symbol.lower()}/{period}"
        reply = self._fetcher.get(page, wanted=(200, 404))
        if reply.status == 404:
            return b""
        form = _Form.fields(reply.content.decode("utf-8", "replace"))
        if not form.get("tk"):
            raise DataError(f"{page}: it has no form with a token: if its history begins later ask from then on, else try again later")
        return self._fetcher.post(f"{self._address}/get.php", {name: form.get(name, "") for name in _FIELDS}, page, _refuse_damaged).content

    def candles(self, asked: CandleRequest, pieces: Sequence[Piece], read: Callable[[Piece], bytes], until: int) -> Candles:
        instrument, source = known_instrument(self.name, asked.symbol, self._instruments), f"{self.name} {asked.symbol}"
        minutes: Candles | None = None
        for year, text in self._years(pieces, read):
            part = self._minutes(f"{asked.symbol}/{year}", text, asked.symbol)
            minutes = part if minutes is None else joined(minutes, part)
        if minutes is None:
            raise DataError(f"{source}: it has nothing in this range: ask for another range, or another vendor")
        made = resample(finished(minutes, until), asked.timeframe)
        wanted = Columns(made.timestamp, made.prices, made.ask, made.volume)
        if not len(made):
            raise DataError(f"{source}: no bar of {asked.timeframe} is over in this range: ask for a longer one")
        return candles_of(cut(source, wanted, span_of(asked.start, asked.end))[0], instrument, asked.timeframe, "bid", source)

    def _years(self, pieces: Sequence[Piece], read: Callable[[Piece], bytes]) -> Iterator[tuple[str, bytes]]:
        """The months of a year together: the first days of one have no weekend by which to tell the clock."""
        for year, files in groupby(pieces, lambda piece: piece.name.removesuffix(".zip").split("/")[1]):
            texts = [_csv_of(piece.name, content).rstrip() + b"\n" for piece in files if (content := read(piece))]
            if texts:
                yield year, b"".join(texts)

    def _minutes(self, name: str, text: bytes, symbol: str) -> Candles:
        with TemporaryDirectory() as folder:
            path = Path(folder, f"{name.replace('/', '_')}.csv")
            path.write_bytes(text)
            try:
                return import_csv(path, ImportAsked(symbol=symbol, timeframe="1m", layout="histdata"), self._instruments).candles
            except DataError as error:
                sentence = str(error).replace(str(path), f"{self.name} {name}")
                raise DataError(f"{sentence} (the file is kept among the downloads and can be imported by itself)") from None


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
