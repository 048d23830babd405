"""The realtime window: the last closed candles of one symbol and timeframe, built from the stream of prices and kept up to date.

It reads back as much of the stream as the window needs and then only what is new. Bars close by the clock it is given; a bar that was
handed out as closed never changes. A bar of which prices may be missing is never handed out, nor are bars of two kinds of prices together.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from redis.exceptions import ConnectionError as ConnectionLostError
from redis.exceptions import RedisError, ResponseError

from sptrader_desktop.adapters.candle_checks import Columns, stamp_text
from sptrader_desktop.adapters.candle_files import known_instrument
from sptrader_desktop.adapters.candle_layout import PRICES
from sptrader_desktop.adapters.candle_range import cut, span_of
from sptrader_desktop.adapters.candle_series import candles_of
from sptrader_desktop.adapters.price_messages import STREAM, MalformedError, Quote, entry_order, quote_in
from sptrader_desktop.adapters.redis_server import RedisServer
from sptrader_desktop.core.candles import Candles, Prices
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.instruments import CATALOGUE, Instrument
from sptrader_desktop.core.resample import Ticks, buckets, candles_of_ticks, finished, resample
from sptrader_desktop.ports import CandleRequest, Dataset
from sptrader_desktop.runtime.live.bars_from_prices import AHEAD_US, CONVINCING

PAGE = 1_000
LARGEST_WINDOW = 100_000
LOST = "lost in the stream, which was read again"
OTHER_KIND = "of another kind than the prices before it"
NOTICES_KEPT = 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONG_AGO = 0

_Entry = tuple[bytes, Mapping[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a person who looks at the window should know; `at` is the time of the price that told it, in microseconds UTC."""

    at: int
    text: str


class RealtimeWindow:
    """`clock` tells microseconds UTC. `skipped` counts by reason the prices that were not believed.

    `notices` are the latest things to be shown to a person, who may remove them.
    """

    def __init__(
        self,
        server: RedisServer,
        symbol: str,
        timeframe: str,
        window: int,
        clock: Callable[[], int],
        instruments: Mapping[str, Instrument] = CATALOGUE,
    ) -> None:
        if not 1 <= window <= LARGEST_WINDOW:
            raise DataError(f"a window of {window} candles: give a number from 1 to {LARGEST_WINDOW}")
        self._instrument = known_instrument(STREAM, symbol, instruments)
        self._ticks_per_one = self._instrument.ticks_per_one
        self._server, self._symbol, self._timeframe, self._window, self._clock = server, symbol, timeframe, window, clock
        self.skipped: Counter[str] = Counter()
        self.notices: deque[Notice] = deque(maxlen=NOTICES_KEPT)
        self._held: Candles | None = None  # the window, and the bar that is still open
        self._last = b""  # id of the entry read last; none before the stream was read back
        self._counted = 0  # entries ever added to the stream, as far as we have seen
        self._previous: Quote | None = None
        self._others, self._other_bar = 0, 0  # prices of another kind since the last of ours, and the bar of the latest
        self._floor = _LONG_AGO  # what is earlier comes too late
        self._bar_open(0)  # refuses a timeframe that no bars can be made of

    def close(self) -> None:
        self._server.close()

    def candles(self, asked: CandleRequest) -> Candles:
        if (asked.symbol, asked.timeframe) != (self._symbol, self._timeframe):
            raise DataError(f"{STREAM}: this window is of {self._symbol} {self._timeframe}, not of {asked.symbol} {asked.timeframe}")
        closed = self._closed()
        source = f"{STREAM} {self._symbol} {self._timeframe}"
        columns, _ = cut(source, Columns(closed.timestamp, closed.prices, closed.ask, closed.volume), span_of(asked.start, asked.end))
        return candles_of(columns, self._instrument, self._timeframe, closed.side, source)

    def datasets(self) -> Sequence[Dataset]:
        closed = self._closed()
        first, last = (_EPOCH + timedelta(microseconds=int(closed.timestamp[at])) for at in (0, -1))
        return [Dataset(self._symbol, self._timeframe, closed.side, closed.ask is not None, len(closed), first, last)]

    def _closed(self) -> Candles:
        with _redis_errors(self._server.shown):
            try:
                self._refresh()
            except ConnectionLostError:
                if self._server.in_use is None:
                    raise
                self._server.in_use.revive()
                self._refresh()
        now = self._clock()
        closed = None if self._held is None else finished(self._held, now)
        self._floor = max(self._floor, self._bar_open(now))
        if closed is None or not len(closed):
            told = ", ".join(f"{count} {reason}" for reason, count in self.skipped.items())
            raise DataError(
                f"{STREAM}: no {self._timeframe} candle of {self._symbol} has closed yet{f' (skipped: {told})' if told else ''}: "
                "wait for one, or see whether prices are published"
            )
        return _part(closed, slice(-self._window, None))

    # Following the stream

    def _refresh(self) -> None:
        if not self._last:
            self._read_back()
        while True:
            if self._held is not None:
                self._held = _part(self._held, slice(-self._window - 1, None))
            page, info = self._next()
            if page:
                self._take(page)
            elif info is not None and self._is_missing_some(info):
                self._start_over()
            else:
                return

    def _start_over(self) -> None:
        lost, floor = self.skipped[LOST] + 1, self._floor
        self.skipped.clear()
        self.skipped[LOST] = lost
        self._held, self._last, self._previous, self._floor, self._others = None, b"", None, _LONG_AGO, 0
        try:
            self._read_back()
        finally:
            self._floor = floor

    def _next(self) -> tuple[list[_Entry], Mapping[str, Any] | None]:
        """The page after the last entry, and the stream's own account of itself at the same instant; none where there is no stream."""
        client: Any = self._server.client
        with client.pipeline(transaction=True) as both:
            both.xrange(STREAM, min=b"(" + self._last if self._last else "-", count=PAGE)
            both.xinfo_stream(STREAM)
            page, info = both.execute(raise_on_error=False)
        if isinstance(page, ResponseError):
            raise page
        return page, None if isinstance(info, ResponseError) else info

    def _is_missing_some(self, info: Mapping[str, Any]) -> bool:
        """Entries trimmed or deleted before we read them; or the stream began anew with earlier ids. Before Redis 7 it does not count."""
        added = int(info.get("entries-added", self._counted))
        restarted = entry_order(info["last-generated-id"]) < entry_order(self._last or b"0-0")
        lost = added > self._counted
        self._counted = added
        return restarted or lost

    def _read_back(self) -> None:
        """So far that the window is full of whole bars; of the first bar read, earlier prices may be gone."""
        client: Any = self._server.client
        opens: set[int] = set()
        start = b""
        while len(opens) < self._window + 2:
            page: list[_Entry] = client.xrevrange(STREAM, max=b"(" + start if start else "+", count=PAGE)
            if not page:
                break
            start = page[-1][0]
            stamps = sorted(quote.stamp for entry in page if (quote := self._quote(entry, Counter())) is not None)
            opens.update(buckets(np.array(stamps, np.int64), self._timeframe).opens.tolist() if stamps else ())
        if not start:
            return
        self._take(client.xrange(STREAM, min=start, count=1))
        is_whole = self._is_beginning(start)
        while True:
            page, info = self._next()
            if not page:
                break
            self._take(page)
        self._counted = int(info.get("entries-added", 0)) if info else 0
        if self._held is not None and not is_whole:
            self._held = _part(self._held, slice(1, None))

    def _is_beginning(self, start: bytes) -> bool:
        """Whether the stream holds every entry it ever had, and this is the first."""
        client: Any = self._server.client
        info = client.xinfo_stream(STREAM)
        return info.get("entries-added") == info["length"] and info["first-entry"] is not None and info["first-entry"][0] == start

    # Prices into bars

    def _take(self, page: list[_Entry]) -> None:
        quotes: list[Quote] = []
        for entry in page:
            quote = self._quote(entry, self.skipped)
            if quote is not None and self._believed(quote):
                if quotes and quotes[0].kind != quote.kind:
                    quotes.clear()
                quotes.append(quote)
        if page:
            self._last, self._counted = page[-1][0], self._counted + len(page)
        if not quotes:
            return
        stamps, prices = (np.array(column, np.int64) for column in zip(*((quote.stamp, quote.price) for quote in quotes), strict=True))
        asks = None if quotes[0].ask is None else np.array([quote.ask for quote in quotes], np.int64)
        ticks = Ticks(self._instrument, stamps, prices, asks, "mid" if asks is None else "bid")
        made = candles_of_ticks(ticks, self._timeframe, unfinished=True)
        if self._held is not None and self._held.side == made.side:
            made = resample(_after(self._held, made), self._timeframe, unfinished=True)
        self._held = made

    def _quote(self, entry: _Entry, skipped: Counter[str]) -> Quote | None:
        name, fields = entry
        try:
            return quote_in(fields, entry_order(name)[0] * 1_000, self._symbol, self._ticks_per_one)
        except MalformedError as error:
            skipped[str(error)] += 1
            return None

    def _believed(self, quote: Quote) -> bool:
        reason, before = "", self._previous
        if quote.stamp > self._clock() + AHEAD_US:
            reason = "from the future"
        elif quote.stamp < self._floor:
            reason = "too late, its candle has closed"
        elif before and quote.stamp < before.stamp:
            reason = "out of order"
        elif quote == before:
            reason = "repeated"
        elif before and quote.kind != before.kind and not self._has_changed(quote, before):
            reason = OTHER_KIND
        if reason:
            self.skipped[reason] += 1
            return False
        self._previous, self._others = quote, 0
        return True

    def _has_changed(self, quote: Quote, before: Quote) -> bool:
        """One stray price changes nothing; a publisher that keeps to the other kind is followed from the next bar on, which is whole."""
        inside, others = self._bar_open(quote.stamp), self._others
        is_first, self._other_bar, self._others = inside != self._other_bar, inside, others + 1
        if not others:
            what = f"{self._symbol} came as {quote.kind} at {stamp_text(quote.stamp)}, before that as {before.kind}"
            self._notice(quote.stamp, f"{what}: these prices are skipped; if no others follow, the candles begin anew with them")
        has_changed = is_first and others >= CONVINCING
        if has_changed:
            self._notice(quote.stamp, f"{self._symbol} comes as {quote.kind} now: the candles begin anew at {stamp_text(inside)}")
        return has_changed

    def _notice(self, at: int, text: str) -> None:
        self.notices.append(Notice(at, f"{STREAM}: {text}"))

    def _bar_open(self, stamp: int) -> int:
        return int(buckets(np.array([stamp], np.int64), self._timeframe).opens[0])


class RealtimePrices:
    """Any symbol and timeframe of the stream, as it is now: all closed candles it can still give. `told` hears the notices."""

    def __init__(
        self, server: RedisServer, clock: Callable[[], int], instruments: Mapping[str, Instrument], told: Callable[[str], object]
    ) -> None:
        self._server, self._clock, self._instruments, self._told = server, clock, instruments, told

    def candles(self, asked: CandleRequest) -> Candles:
        window = RealtimeWindow(self._server, asked.symbol, asked.timeframe, LARGEST_WINDOW, self._clock, self._instruments)
        try:
            return window.candles(asked)
        finally:
            for notice in window.notices:
                self._told(notice.text)

    def datasets(self) -> Sequence[Dataset]:
        """A stream does not say what it holds."""
        return ()


@contextmanager
def _redis_errors(shown: str) -> Iterator[None]:
    try:
        yield
    except ResponseError as error:
        raise DataError(f"{STREAM} at {shown} cannot be read ({error}): see what holds that name and which rights this user has") from None
    except RedisError as error:
        raise DataError(
            f"Redis at {shown} does not answer ({type(error).__name__}): start it again; the window continues where it was"
        ) from None


def _after(old: Candles, new: Candles) -> Candles:
    """One after the other; the first new bar may continue the last old one."""

    def four(before: Prices, then: Prices) -> Prices:
        return Prices(*(np.concatenate([getattr(before, name), getattr(then, name)]) for name in PRICES))

    return replace(
        new,
        timestamp=np.concatenate([old.timestamp, new.timestamp]),
        prices=four(old.prices, new.prices),
        ask=None if old.ask is None or new.ask is None else four(old.ask, new.ask),
        volume=None if old.volume is None or new.volume is None else np.concatenate([old.volume, new.volume]),
    )


def _part(candles: Candles, rows: slice) -> Candles:
    """Copies, so that what is left behind gives its memory back."""

    def cut_of(prices: Prices) -> Prices:
        return Prices(*(getattr(prices, name)[rows].copy() for name in PRICES))

    return replace(
        candles,
        timestamp=candles.timestamp[rows].copy(),
        prices=cut_of(candles.prices),
        ask=None if candles.ask is None else cut_of(candles.ask),
        volume=None if candles.volume is None else candles.volume[rows].copy(),
    )
