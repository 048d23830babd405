"""Candles and prices as a live session gets them: a source that has what is over by a clock, and fails when it is told to."""

from collections.abc import Sequence
from dataclasses import dataclass

from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.instruments import CATALOGUE
from sptrader_desktop.ports import CandleRequest
from sptrader_desktop.runtime.live.bars_from_prices import Bar, Four
from sptrader_desktop.runtime.live.clock import SECOND_US
from sptrader_desktop.runtime.live.symbol_bars import SymbolBars
from tests.live_session import NOON, HandClock

EURUSD = CATALOGUE["EURUSD"]
MINUTE_US = 60 * SECOND_US


def minute_bars(first: int, count: int, start: int = NOON) -> list[Bar]:
    """Minutes number `first` and on, from `start`; the number shows in the prices."""
    return [minute_bar(at, start) for at in range(first, first + count)]


def minute_bar(at: int, start: int = NOON) -> Bar:
    opens, price = start + at * MINUTE_US, 100_000 + at
    return Bar("EURUSD", "1m", opens, opens + MINUTE_US, Four(price, price + 3, price - 3, price + 1), None, 5.0)


def candles_of(bars: Sequence[Bar], timeframe: str = "1m") -> Candles:
    found = SymbolBars(EURUSD, timeframe)
    for bar in bars:
        found.append(bar)
    return found.candles()


@dataclass(slots=True)
class FakeFeed:
    """`bars` there are, by the clock; each of `fails` is raised once; `lags` bars of those that are over are not there yet."""

    clock: HandClock
    bars: list[Bar]
    fails: list[Exception]
    asked: list[CandleRequest]
    lags: int = 0
    shows_open: bool = True
    seconds: float = 0.0

    async def candles(self, asked: CandleRequest) -> Candles:
        self.asked.append(asked)
        if self.seconds:
            await self.clock.sleep(self.seconds)
        if self.fails:
            raise self.fails.pop(0)
        start = 0 if asked.start is None else round(asked.start.timestamp() * SECOND_US)
        end = self.clock.now() if asked.end is None else round(asked.end.timestamp() * SECOND_US)
        over = [bar for bar in self.bars if bar.closes <= self.clock.now()]
        shown = over[: len(over) - self.lags]
        if self.shows_open:
            shown += [bar for bar in self.bars if bar.opens <= self.clock.now() < bar.closes]
        return candles_of([bar for bar in shown if start <= bar.opens < end])


def feed(clock: HandClock, bars: list[Bar]) -> FakeFeed:
    return FakeFeed(clock, bars, [], [])


def away(times: int) -> list[Exception]:
    return [DataError("the source is away")] * times
