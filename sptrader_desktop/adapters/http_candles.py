"""Candles from a server that answers `GET /candles` in pages of JSON (the format is in the guide).

Nothing the server says is believed: symbol, timeframe, range and order are compared with what was asked, and every bar goes through the
checks of a file.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import httpx
import numpy as np

from sptrader_desktop.adapters.candle_checks import Columns, RawBatch, RawCandles, checked_columns, stamp_text
from sptrader_desktop.adapters.candle_files import known_instrument
from sptrader_desktop.adapters.candle_layout import ASK_PRICES, PRICES, Layout, find_layout, printable
from sptrader_desktop.adapters.candle_range import cut
from sptrader_desktop.adapters.candle_series import candles_of
from sptrader_desktop.adapters.csv_candles import microseconds, number
from sptrader_desktop.adapters.http_fetch import HttpFetcher, Patience, shown_url
from sptrader_desktop.core.candles import Candles, PriceSide
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.instruments import CATALOGUE, Instrument
from sptrader_desktop.core.resample import bar_closes
from sptrader_desktop.core.timeframes import parse_timeframe
from sptrader_desktop.ports import CandleRequest, Dataset
from sptrader_desktop.settings import Settings

MOST_ROWS, MOST_PAGES = 50_000_000, 20_000
_FIRST, _LAST = -(2**62), 2**62
_SIDES = ("bid", "mid", "ask")
_COLUMNS = {*PRICES, *ASK_PRICES, *(f"bid_{name}" for name in PRICES), "volume"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FETCH_AGAIN = "the server must be mended, or name another one"


@dataclass(frozen=True, slots=True, eq=False)
class _Page:
    side: PriceSide
    layout: Layout
    batch: RawBatch
    next: int | None

    def __len__(self) -> int:
        return len(self.batch.timestamp)


class HttpCandles:
    """`address` is what `/candles` is put after."""

    def __init__(self, address: str, instruments: Mapping[str, Instrument] = CATALOGUE, patience: Patience | None = None) -> None:
        self._address, self._instruments, self._patience = address.rstrip("/"), instruments, patience or Patience()

    def candles(self, asked: CandleRequest) -> Candles:
        instrument = known_instrument(self._shown(), asked.symbol, self._instruments)
        bar_us, source = parse_timeframe(asked.timeframe), f"{self._shown()} {asked.symbol} {asked.timeframe}"
        pages = self._pages(source, asked)
        rows = sum(len(page) for page in pages)
        if not rows:
            raise DataError(f"{source}: the server has no bar in this range: ask for another one")
        filled = [page for page in pages if len(page)]
        first = filled[0]
        if any((page.side, page.layout) != (first.side, first.layout) for page in filled):
            raise DataError(f"{source}: its pages have different sides or columns: {_FETCH_AGAIN}")
        raw = RawCandles(source, first.layout, rows, "us", (page.batch for page in filled))
        columns = _over(source, checked_columns(raw, instrument, asked.timeframe, bar_us), asked.timeframe)
        return candles_of(columns, instrument, asked.timeframe, first.side, source)

    def datasets(self) -> Sequence[Dataset]:
        source = f"{self._shown()}/datasets"
        with HttpFetcher(self._patience) as fetcher:
            content = fetcher.get(f"{self._address}/datasets").content
        listed = _tree(source, content).get("datasets")
        if not isinstance(listed, list):
            raise DataError(f"{source}: its answer has no list 'datasets': {_FETCH_AGAIN}")
        return [_dataset(source, row, item) for row, item in enumerate(listed, start=1)]

    def _shown(self) -> str:
        try:
            return shown_url(httpx.URL(self._address)).rstrip("/")
        except httpx.InvalidURL:
            return "the server of candles"

    def _pages(self, source: str, asked: CandleRequest) -> list[_Page]:
        pages: list[_Page] = []
        rows, start, end = 0, _stamp(asked.start), _stamp(asked.end)
        with HttpFetcher(self._patience) as fetcher:
            while True:
                page = self._page(fetcher, source, asked, start, end)
                pages.append(page)
                rows += len(page)
                if rows > MOST_ROWS or len(pages) > MOST_PAGES:
                    raise DataError(f"{source}: it sends more than {MOST_ROWS:,} bars or {MOST_PAGES:,} pages: ask for a shorter range")
                if page.next is None or (end is not None and page.next >= end):
                    return pages
                latest = int(page.batch.timestamp[-1]) if len(page) else start
                if latest is not None and page.next <= latest:
                    at = stamp_text(page.next)
                    raise DataError(f"{source}: the next page it names, from {at}, does not come after this one: {_FETCH_AGAIN}")
                start = page.next

    def _page(self, fetcher: HttpFetcher, source: str, asked: CandleRequest, start: int | None, end: int | None) -> _Page:
        params = {"symbol": asked.symbol, "timeframe": asked.timeframe}
        params |= {name: stamp_text(at) for name, at in (("from", start), ("to", end)) if at is not None}
        tree = _tree(source, fetcher.get(f"{self._address}/candles", params).content)
        for name, wanted in (("symbol", asked.symbol), ("timeframe", asked.timeframe)):
            if tree.get(name) != wanted:
                raise DataError(f"{source}: its {name} is {printable(repr(tree.get(name)))}, asked was {wanted}: {_FETCH_AGAIN}")
        page = _page_of(source, tree)
        stamps = page.batch.timestamp
        outside = (stamps < (_FIRST if start is None else start)) | (stamps >= (_LAST if end is None else end))
        if outside.any():
            at = stamp_text(int(stamps[np.argmax(outside)]))
            raise DataError(f"{source}: it sent the bar of {at}, which lies outside the range asked for: {_FETCH_AGAIN}")
        return page


def open_http(settings: Settings, instruments: Mapping[str, Instrument] = CATALOGUE) -> HttpCandles:
    if not settings.market_data:
        raise DataError("WS_MARKET_DATA_URL is not set: give it the address of a server of candles, such as http://localhost:8000")
    if "?" in settings.market_data or "#" in settings.market_data:
        raise DataError("WS_MARKET_DATA_URL has a ? or #, after which no /candles can be put: give the address without")
    return HttpCandles(settings.market_data, instruments)


def _tree(source: str, content: bytes) -> dict[str, Any]:
    try:
        tree = json.loads(content, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{source}: its answer is not JSON ({printable(str(error), 120)}): {_FETCH_AGAIN}") from None
    if not isinstance(tree, dict):
        raise DataError(f"{source}: its answer is not a JSON object: {_FETCH_AGAIN}")
    return tree


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is not a number")


def _page_of(source: str, tree: Mapping[str, Any]) -> _Page:
    candles, side, after = tree.get("candles"), tree.get("side", "bid"), tree.get("next")
    if not isinstance(candles, list) or not all(isinstance(candle, dict) for candle in candles):
        raise DataError(f"{source}: its answer has no list 'candles' of objects: {_FETCH_AGAIN}")
    if side not in _SIDES:
        raise DataError(f"{source}: its side is {printable(repr(side))}, not bid, mid or ask: {_FETCH_AGAIN}")
    following = None if after is None else _moment(source, 0, after)
    if not candles:
        return _Page(side, Layout("", {}, False), RawBatch(np.empty(0, np.int64), {}), following)
    layout = find_layout(source, list(candles[0]))
    if layout.is_sided and side != "bid":
        raise DataError(f"{source}: its columns are bid and ask prices, so its side cannot be {side}: {_FETCH_AGAIN}")
    stamps, prices = np.empty(len(candles), np.int64), {name: np.empty(len(candles), np.float64) for name in layout.prices}
    for row, candle in enumerate(candles):
        if candle.keys() != candles[0].keys():
            _refuse_more(source, row + 1, candle, layout)
        stamps[row] = _moment(source, row + 1, candle.get(layout.timestamp))
        for name, column in layout.prices.items():
            prices[name][row] = _price(source, row + 1, name, candle.get(column))
    return _Page(side, layout, RawBatch(stamps, prices), following)


def _refuse_more(source: str, row: int, candle: Mapping[str, Any], layout: Layout) -> None:
    """Prices that only some bars have would be left out without a word; what is missing is refused where it is read."""
    more = [name for name in candle if name.lower() in _COLUMNS and name not in layout.prices.values()]
    if more:
        raise DataError(f"{source}: row {row}: it has {printable(', '.join(more), 80)}, which the first bar has not: {_FETCH_AGAIN}")


def _moment(source: str, row: int, value: object) -> int:
    """ISO-8601 text with a zone, or whole milliseconds since 1970 UTC."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53:
        return value * 1_000
    if isinstance(value, str):
        return microseconds(source, row, value)
    raise DataError(f"{source}: row {row}: timestamp {printable(repr(value))} is not a time: {_FETCH_AGAIN}")


def _price(source: str, row: int, name: str, value: object) -> float:
    if isinstance(value, str):
        return number(source, row, name, value)
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**53:
        return float(value)
    if value is None:
        return float("nan")
    raise DataError(f"{source}: row {row}: {name} {printable(repr(value))} is not a number: {_FETCH_AGAIN}")


def _over(source: str, columns: Columns, timeframe: str) -> Columns:
    """A server of live candles sends the one that is still open too, whose prices are not its last."""
    over = bar_closes(columns.timestamp, timeframe) <= time.time_ns() // 1_000
    if not over[0]:
        raise DataError(f"{source}: none of its bars is over yet: ask for an earlier range")
    return columns if over[-1] else cut(source, columns, (None, int(columns.timestamp[np.argmin(over)])))[0]


def _dataset(source: str, row: int, item: object) -> Dataset:
    if not isinstance(item, dict) or not all(isinstance(item.get(name), str) for name in ("symbol", "timeframe")):
        raise DataError(f"{source}: dataset {row} names no symbol and timeframe: {_FETCH_AGAIN}")
    side, rows = item.get("side", "bid"), item.get("rows")
    if side not in _SIDES or not isinstance(rows, int) or isinstance(rows, bool):
        raise DataError(f"{source}: dataset {row} has no side or number of rows: {_FETCH_AGAIN}")
    first, last = (_EPOCH + timedelta(microseconds=_moment(source, row, item.get(name))) for name in ("first", "last"))
    return Dataset(item["symbol"], item["timeframe"], cast(PriceSide, side), item.get("has_ask") is True, rows, first, last)


def _stamp(at: datetime | None) -> int | None:
    if at is None:
        return None
    if at.tzinfo is None:
        raise DataError(f"{at.isoformat()} has no time zone: give it one, such as {at.isoformat()}+00:00")
    return (at - _EPOCH) // timedelta(microseconds=1)
