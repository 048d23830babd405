"""Bars of any timeframe from prices as they come, closed by a clock that is handed in: pure, and never of fewer prices than there were.

It agrees with `core.resample.candles_of_ticks` over the same prices in order of their stamps. A bar is over one second after its close, so
that the last prices may still come; an interval without a price makes no bar; a bar that was handed out never changes.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sptrader_desktop.core.candles import PriceSide
from sptrader_desktop.core.resample import bar_closes, buckets
from sptrader_desktop.ports import LivePrice

GRACE_US = 1_000_000
AHEAD_US = 5_000_000  # clocks of publishers may run ahead of ours by so much
CONVINCING = 10  # so many prices of the other kind in a row are no stray ones
LATE, FUTURE, OTHER_KIND, INCOMPLETE = (
    "too late, its bar has closed",
    "from the future",
    "of another kind",
    "in a bar that began before we did",
)


class Four(NamedTuple):
    """In ticks."""

    open: int
    high: int
    low: int
    close: int


@dataclass(frozen=True, slots=True)
class Bar:
    """A closed bar; `opens` and `closes` in microseconds UTC. Where it was built from prices, `volume` counts them."""

    symbol: str
    timeframe: str
    opens: int
    closes: int
    prices: Four
    ask: Four | None
    volume: float
    side: PriceSide = "bid"


@dataclass(slots=True)
class _Side:
    open: int
    high: int
    low: int
    close: int

    def take(self, price: int, is_first: bool, is_last: bool) -> None:
        self.high, self.low = max(self.high, price), min(self.low, price)
        if is_first:
            self.open = price
        if is_last:
            self.close = price

    def four(self) -> Four:
        return Four(self.open, self.high, self.low, self.close)


@dataclass(slots=True)
class _Growing:
    """Prices of an open bar may come in any order: `first` and `last` are the stamps that its open and close have."""

    opens: int
    closes: int
    first: int
    last: int
    prices: _Side
    ask: _Side | None
    is_whole: bool
    count: int = 0

    def take(self, price: LivePrice) -> None:
        # Of equal stamps the one that came first opens and the one that came last closes, as in a stable sort.
        is_first, is_last = price.stamp < self.first, price.stamp >= self.last
        self.first, self.last = min(self.first, price.stamp), max(self.last, price.stamp)
        self.prices.take(price.price, is_first, is_last)
        if self.ask is not None and price.ask is not None:
            self.ask.take(price.ask, is_first, is_last)
        self.count += 1


class BarsFromPrices:
    """`since`: from when on no price is missing; a bar that opened earlier is not handed out. `skipped` counts what was not believed."""

    def __init__(self, symbol: str, timeframe: str, since: int = 0) -> None:
        self.symbol, self.timeframe = symbol, timeframe
        self.skipped: Counter[str] = Counter()
        self._since, self._floor, self._last = since, 0, 0
        self._open: dict[int, _Growing] = {}
        self._span = bar_span(0, timeframe)  # refuses a timeframe that no bars can be made of
        self._has_ask: bool | None = None
        self._others = 0  # prices of the other kind since the last of ours

    def add(self, price: LivePrice, now: int) -> None:
        opens, closes = self._span_of(price.stamp)
        reason = self._disbelief(price, closes, now)
        if not reason and not self._is_our_kind(price, closes):
            reason = OTHER_KIND
        if reason:
            self.skipped[reason] += 1
            return
        growing = self._open.get(opens)
        if growing is None:
            ask = None if price.ask is None else _Side(*[price.ask] * 4)
            growing = _Growing(opens, closes, price.stamp, price.stamp, _Side(*[price.price] * 4), ask, opens >= self._since)
            self._open[opens] = growing
        growing.take(price)
        self._last = max(self._last, price.stamp)

    @property
    def forming(self) -> Bar | None:
        """The newest that is not over, as far as its prices have come."""
        growing = self._open[max(self._open)] if self._open else None
        return None if growing is None else self._bar(growing)

    def due(self) -> int | None:
        """When the next bar is to be taken."""
        return min((growing.closes for growing in self._open.values()), default=None)

    def take(self, now: int) -> list[Bar]:
        """The bars that are over, in order."""
        over = sorted(opens for opens, growing in self._open.items() if growing.closes + GRACE_US <= now)
        return list(self._whole(over))

    def lost(self, until: int) -> None:
        """Prices between the last one and `until` may be missing: no bar of that time is handed out."""
        self._void(self._last, until)

    def told_until(self, closes: int) -> None:
        """Bars up to this close were had from elsewhere."""
        self._floor = max(self._floor, closes)
        for opens in [opens for opens, growing in self._open.items() if growing.closes <= closes]:
            self.skipped[LATE] += self._open.pop(opens).count

    def is_ahead(self, now: int) -> bool:
        """Whether it holds back what comes now for what was made by a clock that was ahead."""
        return max(self._floor, self._since) > now + AHEAD_US

    def begin_again(self, now: int) -> None:
        """Of what that clock made nothing counts any more. The first bar that is whole from now on is handed out."""
        self._floor, self._since, self._last, self._open = min(self._floor, now), now, 0, {}

    def _void(self, after: int, until: int) -> None:
        self._since = max(self._since, until)
        for growing in self._open.values():
            if growing.closes > after:
                growing.is_whole = False

    def _whole(self, over: list[int]) -> Iterator[Bar]:
        for opens in over:
            growing = self._open.pop(opens)
            self._floor = max(self._floor, growing.closes)
            if not growing.is_whole:
                self.skipped[INCOMPLETE] += growing.count
                continue
            yield self._bar(growing)

    def _bar(self, growing: _Growing) -> Bar:
        ask = None if growing.ask is None else growing.ask.four()
        side: PriceSide = "mid" if ask is None else "bid"
        prices = growing.prices.four()
        return Bar(self.symbol, self.timeframe, growing.opens, growing.closes, prices, ask, float(growing.count), side)

    def _disbelief(self, price: LivePrice, closes: int, now: int) -> str:
        if price.stamp > now + AHEAD_US:
            return FUTURE
        # By the clock, whenever `take` is called; and never into what was handed out, should the clock be set back.
        return LATE if closes + GRACE_US <= now or price.stamp < self._floor else ""

    def _is_our_kind(self, price: LivePrice, closes: int) -> bool:
        """One stray price changes nothing; a publisher that keeps to the other kind is followed from the next bar on, which is whole."""
        has_ask = price.ask is not None
        if self._has_ask in {None, has_ask}:
            self._has_ask, self._others = has_ask, 0
            return True
        self._others += 1
        if self._others == CONVINCING:
            self._has_ask, self._others = has_ask, 0
            self._void(price.stamp, closes)
        return False

    def _span_of(self, stamp: int) -> tuple[int, int]:
        """Open and close of the bar in which it lies."""
        if not self._span[0] <= stamp < self._span[1]:
            self._span = bar_span(stamp, self.timeframe)
        return self._span


def bar_span(stamp: int, timeframe: str) -> tuple[int, int]:
    """Open and close of the bar in which an instant lies."""
    opens = buckets(np.array([stamp], np.int64), timeframe).opens
    return int(opens[0]), int(bar_closes(opens, timeframe)[0])
