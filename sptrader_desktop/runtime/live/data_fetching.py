"""Gets the candles of one symbol: asked of a source or built from prices as they come. Gaps are filled, each closed bar is told once."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from sptrader_desktop.core.candles import Candles, Prices
from sptrader_desktop.core.errors import DataError, SptraderError
from sptrader_desktop.core.resample import bar_closes
from sptrader_desktop.ports import CandleRequest, LivePrice
from sptrader_desktop.runtime.live.bars_from_prices import GRACE_US, INCOMPLETE, Bar, BarsFromPrices, Four, bar_span
from sptrader_desktop.runtime.live.clock import SECOND_US, Clock, within
from sptrader_desktop.runtime.live.event_bus import LocalEventBus
from sptrader_desktop.runtime.live.events import DataFetchFailed, NewCandle
from sptrader_desktop.runtime.live.parts import CandleFeed, PauseReason
from sptrader_desktop.runtime.live.service import Service
from sptrader_desktop.runtime.live.services_config import DataFetching
from sptrader_desktop.runtime.live.symbol_bars import SymbolBars

FETCH_S = 10.0
SOON_S = 0.1
# A window of bars spans more time than its bars last: nights of a source, weekends, days off.
SPARSE = 2
REACH_US = 4 * 24 * 3_600 * SECOND_US
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def believed(_: Bar) -> str:
    return ""


class DataFetchingService(Service):
    """With a feed it asks it, with a builder it is told prices, with both the feed gives what the builder cannot have: past and gaps.

    A bar that was told never changes: where the feed says otherwise later this is an error, and all bars are fetched anew. One of the feed
    of which `doubt` says why it is not believed is told to nobody.
    """

    def __init__(
        self,
        bus: LocalEventBus,
        clock: Clock,
        config: DataFetching,
        bars: SymbolBars,
        feed: CandleFeed | None = None,
        builder: BarsFromPrices | None = None,
        doubt: Callable[[Bar], str] = believed,
    ) -> None:
        super().__init__(bars.instrument.symbol, bus, clock)
        self._config, self._bars, self._feed, self._builder = config, bars, feed, builder
        self._doubt = doubt
        self._doubted = set[int]()  # opens of those of the feed that are not believed
        self._judged = -1  # the open of the last one that was looked at
        self._told = -1  # the open of the last bar that was told
        self._is_side_told = False
        self._waiting: list[Bar] = []  # built from prices, and left out by `candle_index` so far
        self._came = asyncio.Event()

    def price(self, price: LivePrice) -> None:
        """The next price of the symbol."""
        if self._builder is not None and not self.is_at_rest:
            self._heed_clock(self._builder)
            self._builder.add(price, self._clock.now())
            self._came.set()
            self._worked()

    @property
    def forming(self) -> Bar | None:
        """The bar that is not over yet, as far as its prices have come."""
        return None if self._builder is None else self._builder.forming

    def prices_lost(self) -> None:
        """Some may be missing up to now."""
        if self._builder is not None:
            self._builder.lost(self._clock.now())

    def _heed_clock(self, builder: BarsFromPrices) -> None:
        """A clock that was ahead and is right again holds up no bar: those that it made in what is now to come are forgotten."""
        now = self._clock.now()
        if not builder.is_ahead(now):
            return
        builder.begin_again(now)
        self._bars.forget_since(now - self._bars.length_us)
        self._waiting = [bar for bar in self._waiting if bar.closes <= now]
        self._told, self._judged = (min(last, now - self._bars.length_us) for last in (self._told, self._judged))
        why = "the clock was ahead and is set right: bars of the time to come are forgotten, and the first whole one from now on is told"
        self._bus.publish(DataFetchFailed(self.symbol, now, why))

    def _reset(self) -> None:
        self._told = -1

    async def _open(self) -> None:
        self._bars.clear()
        self._waiting.clear()
        self._doubted.clear()
        self._judged = -1
        self._is_side_told = False
        if self._builder is not None:
            self._heed_clock(self._builder)
            self._builder.lost(self._clock.now())
        if self._feed is not None:
            self._take(await self._asked(self._feed, self._window_start()))
        self._spawn(self._follow_feed(self._feed) if self._builder is None and self._feed is not None else self._follow_prices())

    # From a source

    async def _follow_feed(self, feed: CandleFeed) -> None:
        while True:
            await self._clock.sleep(self._pause_s())
            if PauseReason.MARKET_CLOSED not in self.pauses:
                await self._fetch(feed, self._recent_start())

    def _pause_s(self) -> float:
        """Until the next bar is due, or the interval is over."""
        now = self._clock.now()
        due = (bar_span(now - GRACE_US, self._bars.timeframe)[1] + GRACE_US - now) / SECOND_US
        return max(SOON_S, min(self._config.fetch_interval, due))

    async def _fetch(self, feed: CandleFeed, start: int, end: int | None = None) -> None:
        """What cannot be had now is told, and asked again the next time: a source that is away is no defect of the service."""
        why, times = "", self._config.retry_attempts + 1
        for attempt in range(times):
            if attempt:
                await self._clock.sleep(2.0 ** (attempt - 1))
            try:
                found = await self._asked(feed, start, end)
            except SptraderError as error:
                why = str(error)
            else:
                self._take(found)
                return
        self._bus.publish(DataFetchFailed(self.symbol, self._clock.now(), f"{why} (asked {times} time{'' if times == 1 else 's'})"))

    async def _asked(self, feed: CandleFeed, start: int | None, end: int | None = None) -> Candles:
        last = _moment(self._clock.now() if end is None else end)
        asked = CandleRequest(self.symbol, self._bars.timeframe, None if start is None else _moment(start), last)
        try:
            return await within(self._clock, FETCH_S, feed.candles(asked))
        except TimeoutError:
            raise DataError(f"candles of {self.symbol} {self._bars.timeframe}: no answer within {FETCH_S:g} s") from None

    def _window_start(self) -> int | None:
        keep = self._bars.keep
        return None if keep is None else self._clock.now() - SPARSE * keep * self._bars.length_us - REACH_US

    def _recent_start(self) -> int:
        """So far back that `nbr_bars` come, and all that were missed."""
        current = bar_span(self._clock.now() - GRACE_US, self._bars.timeframe)[0]
        recent = current - self._config.nbr_bars * self._bars.length_us
        return recent if self._bars.last is None else min(recent, self._bars.last.opens)

    def _take(self, candles: Candles) -> None:
        """The bars that are over."""
        over = [bar for bar in bars_of(candles) if bar.closes + GRACE_US <= self._clock.now() and self._is_believed(bar)]
        acted_on = self._acted_on(over)
        if self._builder is None:  # else another vendor's bars, or ours of other prices
            self._check_again(acted_on)
        self._tell(acted_on)

    def _is_believed(self, bar: Bar) -> bool:
        """Each is judged once, for a feed gives the last ones again and again; of a row of doubtful ones the first is told."""
        if bar.opens > self._judged:
            was_doubtful, why = self._judged in self._doubted, self._doubt(bar)
            self._judged = bar.opens
            if why:
                self._doubted.add(bar.opens)
            if why and not was_doubtful:
                words = f"the candle of {_moment(bar.opens):%Y-%m-%d %H:%M:%S}Z is not believed and left out: {why}"
                self._bus.publish(DataFetchFailed(self.symbol, self._clock.now(), words))
        return bar.opens not in self._doubted

    def _check_again(self, found: Sequence[Bar]) -> None:
        held = {bar.opens: bar for bar in bars_of(self._bars.candles(found[0].opens))} if found else {}
        changed = next((bar for bar in found if held.get(bar.opens, bar) != bar), None)
        if changed is not None:
            what = f"{self.symbol} {self._bars.timeframe}: the bar of {_moment(changed.opens):%Y-%m-%d %H:%M:%S}Z"
            raise DataError(f"{what} came otherwise than before: all bars are fetched anew")

    # From prices

    async def _follow_prices(self) -> None:
        builder = self._builder
        while builder is not None:
            due = builder.due()
            if due is None:
                self._came.clear()
                await self._came.wait()
                continue
            await self._clock.sleep(max(0.0, (due + GRACE_US - self._clock.now()) / SECOND_US))
            incomplete = builder.skipped[INCOMPLETE]
            made = builder.take(self._clock.now())
            last = self._bars.last
            has_gap = builder.skipped[INCOMPLETE] > incomplete or bool(made and last is not None and last.closes < made[0].opens)
            if self._feed is not None and has_gap:
                start = self._recent_start() if last is None else last.closes
                await self._fetch(self._feed, start, made[0].opens if made else None)
            self._waiting += made
            self._tell(self._acted_on(self._waiting))

    # Either way

    def _acted_on(self, over: list[Bar]) -> list[Bar]:
        """The newest that `candle_index` leaves out come later."""
        return over[: max(0, len(over) - (self._config.candle_index - 2))]

    def _tell(self, found: Sequence[Bar]) -> None:
        """Each once. At the beginning the past is not told bar by bar: its last bar stands for it."""
        is_first = self._told < 0
        for bar in found:
            if self._bars.last is not None and bar.opens <= self._bars.last.opens:
                continue
            self._tell_other_side(bar)
            self._bars.append(bar)
            self._worked()
            self._waiting = [other for other in self._waiting if other.opens > bar.opens]
            if self._builder is not None:
                self._builder.told_until(bar.closes)
            if bar.opens > self._told and not (is_first and bar is not found[-1] and self._feed is not None):
                self._told = bar.opens
                patience = (self._config.candle_index - 1) * self._bars.length_us
                is_late = (is_first and self._feed is not None) or bar.closes + patience <= self._clock.now()
                self._bus.publish(NewCandle(self.symbol, self._clock.now(), bar, is_late))

    def _tell_other_side(self, bar: Bar) -> None:
        """Bars of two sides are never held together (`SymbolBars`). Once, for a source of another side is so at every gap."""
        last = self._bars.last
        if last is None or last.side == bar.side or self._is_side_told:
            return
        self._is_side_told = True
        like = "name a --source whose candles are of the side of live prices (bid where these have bid and ask, else mid), or none"
        alike = "let whoever sends prices always give bid and ask, or never"
        words = (
            f"its {last.side} candles are given up, since one of {bar.side} prices follows and the two are never mixed; components "
            f"say nothing until there are enough again: {alike if self._feed is None else like}"
        )
        self._bus.publish(DataFetchFailed(self.symbol, self._clock.now(), words))


def bars_of(candles: Candles) -> Iterator[Bar]:
    closes = bar_closes(candles.timestamp, candles.timeframe).tolist()
    prices, ask = _fours(candles.prices), [None] * len(candles) if candles.ask is None else _fours(candles.ask)
    volume = np.zeros(len(candles)) if candles.volume is None else candles.volume
    columns = zip(candles.timestamp.tolist(), closes, prices, ask, volume.tolist(), strict=True)
    return (Bar(candles.symbol, candles.timeframe, *row, candles.side) for row in columns)


def _fours(prices: Prices) -> list[Four]:
    return [Four(*row) for row in zip(*(column.tolist() for column in (prices.open, prices.high, prices.low, prices.close)), strict=True)]


def _moment(stamp: int) -> datetime:
    return _EPOCH + timedelta(microseconds=stamp)
