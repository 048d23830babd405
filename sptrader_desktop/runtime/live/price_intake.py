"""Prices as they come, and candles of a source: those that can be are the account's and the bars', the others are told and do nothing.

What is a hundred times off, or would make money that cannot be told exactly, is no price; whoever keeps to it is believed in the end.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from sptrader_desktop.core.live_book import Book
from sptrader_desktop.core.live_worth import Seen, is_too_far
from sptrader_desktop.core.tables import STEPS
from sptrader_desktop.ports import LivePrice, PriceFeed
from sptrader_desktop.runtime.live.alarms import Seldom
from sptrader_desktop.runtime.live.assembly import LiveSymbol
from sptrader_desktop.runtime.live.bars_from_prices import Bar
from sptrader_desktop.runtime.live.engine import Engine

FAR_OFF, NEARBY = 100, 50
CONVINCING = 10  # so many in a row that are alike, and none of the others between


class _Streak(NamedTuple):
    """Of prices that were not believed."""

    price: int
    length: int


class PriceDoubts:
    """Why a price is not believed; what was believed last is what the next one is held against."""

    def __init__(self, book: Book, series: Mapping[str, int]) -> None:
        self._book, self._series = book, series
        self._last: dict[str, int] = {}
        self._streaks: dict[str, _Streak] = {}
        entries = book.plan.entries
        self._most = [max(1, *rules["size"][rules["size_mode"] == STEPS].tolist(), 1) for rules in entries]
        self._told_exactly: dict[str, tuple[int, tuple[int, ...]]] = {}

    def why(self, price: LivePrice) -> str:
        """Nothing where it is believed."""
        if price.ask is not None and price.ask < price.price:
            return f"its ask, {price.ask}, is lower"
        last = self._last.get(price.symbol)
        high = price.price if price.ask is None else price.ask
        if price.price <= 0:
            return "nothing costs that"
        if not self._is_exact(price.symbol, price.price, high):
            return "with it money could not be told exactly"
        if last is not None and not _alike(last, price.price, high) and not self._is_convinced(price.symbol, price.price, high):
            return f"the one before it was {last}, and it stands alone"
        self._last[price.symbol] = price.price
        self._streaks.pop(price.symbol, None)
        return ""

    def why_bar(self, bar: Bar) -> str:
        """As of a price that goes from the lowest to the highest of it."""
        prices = (*bar.prices, *(bar.ask or bar.prices))
        return self.why(LivePrice(bar.symbol, bar.closes, min(prices), max(prices)))

    def _is_exact(self, symbol: str, low: int, high: int) -> bool:
        """It takes longer than all the rest, and leaves room enough for a price nearby while nothing new is open or ordered."""
        account, s = self._book.account[0], self._series[symbol]
        key = tuple(int(account[name]) for name in ("positions", "pending", "opened", "orders"))
        known, known_key = self._told_exactly.get(symbol, (0, ()))
        if key == known_key and abs(low - known) * NEARBY <= known and abs(high - known) * NEARBY <= known:
            return True
        wanted = self._most[s] if s < len(self._most) else 0
        if is_too_far(self._book.plan, self._book.state, Seen(s, low, high), wanted):
            return False
        self._told_exactly[symbol] = low, key
        return True

    def _is_convinced(self, symbol: str, low: int, high: int) -> bool:
        before = self._streaks.get(symbol)
        length = before.length + 1 if before is not None and _alike(before.price, low, high) else 1
        self._streaks[symbol] = _Streak(low, length)
        return length >= CONVINCING


def _alike(known: int, low: int, high: int) -> bool:
    return high <= known * FAR_OFF and known <= low * FAR_OFF


class PriceIntake:
    """`written` is called where a price was written at once; `alarm` hears of what is not believed, once of as many as come in a row."""

    def __init__(self, engine: Engine, written: Callable[[], None], alarm: Callable[[str], None]) -> None:
        self._engine, self._written, self._alarm = engine, written, alarm
        self.doubts = PriceDoubts(engine.account.book, {symbol: s for s, symbol in enumerate(engine.account.symbols)})
        self._doubted, self._seldom = set[str](), Seldom(engine.clock)

    async def run(self, feed: PriceFeed, symbols: Mapping[str, LiveSymbol]) -> None:
        was_connected = True
        while True:
            for record in await feed.read():
                for price in record.prices:
                    if self.take(price) and price.symbol in symbols:  # others are rates
                        symbols[price.symbol].price(price)
            if was_connected and not feed.status.connected:
                self._alarm(f"prices are not heard: {feed.status.error}")
                for live in symbols.values():
                    live.prices_lost()
            was_connected = feed.status.connected

    def take(self, price: LivePrice) -> bool:
        """Whether it is one."""
        why = self._engine.ahead(price) or self.doubts.why(price)
        if why:
            self._doubt(price, why)
            return False
        self._doubted.discard(price.symbol)
        if self._engine.price(price):
            self._written()
        return True

    def _doubt(self, price: LivePrice, why: str) -> None:
        """A feed may send bad prices for hours, or a good one and a bad one by turns: neither may push what else was told out of sight."""
        if price.symbol not in self._doubted and self._seldom.may(price.symbol):
            self._doubted.add(price.symbol)
            self._alarm(f"{price.symbol}: a price of {price.price} ticks is not believed: {why}")
