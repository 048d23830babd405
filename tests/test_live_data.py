"""The data service tells each closed bar once and in order, whatever the source does; what it holds equals what the source has."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sptrader_desktop.core.errors import DataError
from sptrader_desktop.ports import LivePrice
from sptrader_desktop.runtime.live.bars_from_prices import INCOMPLETE, Bar, BarsFromPrices, Four
from sptrader_desktop.runtime.live.clock import SECOND_US
from sptrader_desktop.runtime.live.data_fetching import DataFetchingService, bars_of, believed
from sptrader_desktop.runtime.live.event_bus import LocalEventBus
from sptrader_desktop.runtime.live.events import DataFetchFailed, NewCandle
from sptrader_desktop.runtime.live.parts import PauseReason
from sptrader_desktop.runtime.live.price_intake import CONVINCING, PriceIntake
from sptrader_desktop.runtime.live.services_config import DataFetching
from sptrader_desktop.runtime.live.symbol_bars import SymbolBars
from sptrader_desktop.runtime.live.symbol_orchestrator import SymbolOrchestrator
from tests.account_desk import Desk
from tests.live_candles import EURUSD, MINUTE_US, away, candles_of, feed, minute_bar, minute_bars
from tests.live_session import NOON, HandClock, Heard, played

PAST = 30


class Data:
    """A data service in its orchestrator, over minutes of which 30 are past."""

    def __init__(
        self,
        *,
        with_feed: bool = True,
        with_prices: bool = False,
        keep: int | None = 20,
        doubt: Callable[[Bar], str] = believed,
        **config: Any,
    ) -> None:
        self.clock, self.bus = HandClock(NOON + PAST * MINUTE_US + 10 * SECOND_US), LocalEventBus()
        self.bars, self.heard = SymbolBars(EURUSD, "1m", keep), Heard(self.bus)
        self.feed = feed(self.clock, minute_bars(0, 300))
        self.builder = BarsFromPrices("EURUSD", "1m") if with_prices else None
        self.service = DataFetchingService(
            self.bus, self.clock, DataFetching(**config), self.bars, self.feed if with_feed else None, self.builder, doubt
        )
        self.orchestrator = SymbolOrchestrator("EURUSD", [self.service], self.bus, self.clock)

    async def start(self) -> "Data":
        await self.orchestrator.start()
        assert self.orchestrator.state == "running", self.orchestrator.halt_reason
        return self

    async def minutes(self, count: float) -> None:
        await self.clock.turn(60.0 * count)

    def told(self) -> list[int]:
        """The numbers of the minutes that were told."""
        return [(event.bar.opens - NOON) // MINUTE_US for event in self.heard.of(NewCandle)]

    def late(self) -> list[bool]:
        return [event.is_late for event in self.heard.of(NewCandle)]

    async def prices(self, first: float, last: float, every: float = 10.0, *, spread: int | None = 2) -> None:
        """From one minute to another, a price every few seconds."""
        at = NOON + round(first * MINUTE_US)
        while at < NOON + round(last * MINUTE_US):
            await self.clock.turn((at - self.clock.now()) / SECOND_US)
            number = at // SECOND_US % 7
            self.service.price(LivePrice("EURUSD", at, 100_000 + number, None if spread is None else 100_000 + number + spread))
            at += round(every * SECOND_US)


def test_it_starts_with_the_past_and_tells_each_bar_a_second_after_its_close() -> None:
    async def story() -> None:
        data = await Data().start()
        assert (data.told(), data.late(), len(data.bars)) == ([PAST - 1], [True], 20)
        await data.clock.turn(50.9)
        assert data.told() == [29]
        await data.clock.turn(0.1)
        assert data.told() == [29, 30]
        await data.minutes(5)
        assert (data.told(), data.late()) == ([29, 30, 31, 32, 33, 34, 35], [True] + [False] * 6)
        assert [bar.opens for bar in bars_of(data.bars.candles())] == [bar.opens for bar in minute_bars(16, 20)]

    played(story())


@settings(max_examples=40)
@given(st.lists(st.sampled_from(["well", "away", "slow", "lag", "paused", "crash"]), min_size=1, max_size=12), st.integers(2, 4))
def test_every_bar_is_told_once_and_in_order_whatever_the_source_does(minutes: list[str], index: int) -> None:
    async def story() -> None:
        data = await Data(candle_index=index, nbr_bars=index, retry_attempts=1).start()
        for how in minutes:
            data.feed.fails = away(3) if how == "away" else [KeyError("a defect")] if how == "crash" else []
            data.feed.lags, data.feed.seconds = int(how == "lag"), 3.0 if how == "slow" else 0.0
            if how == "paused":
                data.orchestrator.pause(PauseReason.MARKET_CLOSED)
            await data.minutes(1)
            data.orchestrator.resume(PauseReason.MARKET_CLOSED)
        data.feed.fails, data.feed.lags, data.feed.seconds = [], 0, 0.0
        await data.minutes(2)
        newest = PAST + len(minutes) + 2 - 1 - (index - 2)
        assert data.told() == list(range(PAST - 1 - (index - 2), newest + 1))
        assert [bar.opens for bar in bars_of(data.bars.candles())] == [bar.opens for bar in minute_bars(newest - 19, 20)]
        assert data.service.error_count == minutes.count("crash")

    played(story())


def test_a_candle_that_is_no_price_is_told_once_and_trades_nothing_until_the_market_stays_there() -> None:
    async def story() -> None:
        desk = Desk()
        data = await Data(nbr_bars=4, doubt=PriceIntake(desk.engine, desk.send, list[str]().append).doubts.why_bar).start()
        for number in (PAST + 1, PAST + 2, *range(PAST + 5, PAST + 5 + CONVINCING + 2)):
            bar = data.feed.bars[number]
            data.feed.bars[number] = replace(bar, prices=Four(*(1_000 * price for price in bar.prices)))
        await data.minutes(5 + CONVINCING + 1)
        believed = [PAST - 1, PAST, PAST + 3, PAST + 4, *range(PAST + 5 + CONVINCING - 1, PAST + 5 + CONVINCING + 1)]
        assert data.told() == believed
        assert {bar.opens for bar in bars_of(data.bars.candles())}.isdisjoint({minute_bar(PAST + 1).opens, minute_bar(PAST + 5).opens})
        told = [event.why for event in data.heard.of(DataFetchFailed)]
        assert [text.partition(" is not")[0] for text in told] == [
            "the candle of 2024-01-29 12:31:00Z",
            "the candle of 2024-01-29 12:35:00Z",
        ]

    played(story())


def test_a_question_that_fails_is_asked_again_after_growing_pauses_and_then_told() -> None:
    async def story() -> None:
        data = await Data(retry_attempts=3).start()
        data.feed.asked.clear()
        data.feed.fails = away(4)
        await data.clock.turn(51.0 + 7.0)
        asked = [round(request.end.timestamp() - NOON / SECOND_US - 60 * PAST) for request in data.feed.asked if request.end]
        assert asked == [40, 41, 43, 47, 61]
        (failed,) = data.heard.of(DataFetchFailed)
        assert failed.why == "the source is away (asked 4 times)"
        assert data.told() == [29, 30]
        assert data.service.error_count == 0

    played(story())


def test_a_source_that_does_not_answer_is_given_up_and_asked_again_later() -> None:
    async def story() -> None:
        data = await Data(retry_attempts=0).start()
        data.feed.seconds = 1e6
        await data.minutes(1)
        assert data.heard.of(DataFetchFailed)[0].why == "candles of EURUSD 1m: no answer within 10 s (asked 1 time)"
        data.feed.seconds = 0.0
        await data.minutes(2)
        assert data.told() == [29, 30, 31, 32]

    played(story())


def test_a_gap_is_filled_and_its_bars_are_late() -> None:
    async def story() -> None:
        data = await Data().start()
        data.feed.fails = away(1_000)
        await data.minutes(10)
        data.feed.fails = []
        await data.minutes(1)
        assert data.told() == list(range(29, 41))
        assert data.late() == [True] * 10 + [False] * 2  # the last of the gap had no other after it

    played(story())


def test_without_a_source_at_the_start_nothing_starts() -> None:
    async def story() -> None:
        data = Data()
        data.feed.fails = away(100)
        await data.orchestrator.start()
        assert data.orchestrator.halt_reason == "EURUSD DataFetchingService did not start: the source is away"

    played(story())


def test_a_bar_that_comes_otherwise_than_before_is_an_error_and_all_are_fetched_anew() -> None:
    async def story() -> None:
        data = await Data().start()
        await data.minutes(3)
        data.feed.bars[32] = replace(data.feed.bars[32], volume=6.0)
        await data.minutes(3)
        assert data.service.last_error.endswith("the bar of 2024-01-29 12:32:00Z came otherwise than before: all bars are fetched anew")
        assert (data.service.error_count, data.service.state) == (1, "running")
        assert data.told() == [29, 30, 31, 32, 33, 34, 35]
        assert list(bars_of(data.bars.candles())) == data.feed.bars[16:36]

    played(story())


def test_started_anew_it_begins_with_the_past_again() -> None:
    async def story() -> None:
        data = await Data().start()
        await data.minutes(2)
        await data.clock.until(asyncio.ensure_future(data.orchestrator.restart()))
        await data.minutes(1)
        assert (data.told(), data.late()) == ([29, 30, 31, 31, 32], [True, False, False, True, False])

    played(story())


def test_an_interval_is_kept_between_questions() -> None:
    async def story() -> None:
        data = await Data(fetch_interval=12.0).start()
        data.feed.asked.clear()
        await data.minutes(1)
        asked = [round(request.end.timestamp() - NOON / SECOND_US - 60 * PAST) for request in data.feed.asked if request.end]
        assert asked == [22, 34, 46, 58, 61]
        (start,) = {request.start for request in data.feed.asked[:4]}
        assert start
        assert round(start.timestamp() * SECOND_US) == NOON + 28 * MINUTE_US  # nbr_bars of them

    played(story())


# From prices


def test_bars_are_built_from_prices_where_there_is_no_source() -> None:
    async def story() -> None:
        data = await Data(with_feed=False, with_prices=True).start()
        await data.prices(PAST + 0.5, PAST + 4.2)
        assert (data.told(), data.late()) == ([31, 32, 33], [False] * 3)  # the first minute had begun before
        assert data.builder
        assert data.builder.skipped == {INCOMPLETE: 3}
        await data.minutes(3)
        assert data.told() == [31, 32, 33, 34]  # and minutes without a price have none
        bar = data.heard.of(NewCandle)[0].bar
        assert (bar.volume, bar.side, bar.ask and bar.ask.low - bar.prices.low) == (6.0, "bid", 2)

    played(story())


def test_what_prices_cannot_tell_is_had_from_the_source() -> None:
    async def story() -> None:
        data = await Data(with_prices=True).start()
        await data.prices(PAST + 0.5, PAST + 2.5)
        await data.clock.turn(180.0)  # silence: what was in it only the source knows
        data.service.prices_lost()
        await data.prices(PAST + 6, PAST + 8.5)
        assert data.told() == [29, *range(30, 38)]
        volumes = {event.bar.opens: event.bar.volume for event in data.heard.of(NewCandle)}
        built = [at for at in range(30, 38) if volumes[NOON + at * MINUTE_US] == 6.0]
        assert built == [31, 36, 37]
        assert len(data.bars) == 20  # with those from before, of which the source knows no ask
        assert not data.heard.of(DataFetchFailed)

    played(story())


def test_a_source_of_another_side_than_prices_is_told_once_and_what_to_do() -> None:
    async def story() -> None:
        data = await Data(with_prices=True).start()
        assert len(data.bars) == 20
        for first in (PAST + 0.5, PAST + 6):
            await data.prices(first, first + 2.5, spread=None)
            await data.clock.turn(180.0)
            data.service.prices_lost()
        (told,) = data.heard.of(DataFetchFailed)
        assert told.why.startswith("its bid candles are given up, since one of mid prices follows")
        assert "name a --source whose candles are of the side of live prices" in told.why
        assert len(data.bars) < 10

    played(story())


def test_a_bar_is_acted_on_later_where_the_configuration_says_so() -> None:
    async def story() -> None:
        data = await Data(with_feed=False, with_prices=True, candle_index=4, nbr_bars=3).start()
        await data.prices(PAST + 1, PAST + 6.5)
        assert (data.told(), data.late()) == ([31, 32, 33], [False] * 3)

    played(story())


# The bars that are held


@settings(max_examples=60)
@given(st.integers(1, 200), st.integers(1, 80) | st.none(), st.data())
def test_the_last_bars_are_held_as_they_came(count: int, keep: int | None, data: st.DataObject) -> None:
    bars, held = minute_bars(0, count), SymbolBars(EURUSD, "1m", keep)
    for bar in bars:
        held.append(bar)
    kept = bars if keep is None else bars[-keep:]
    assert list(bars_of(held.candles())) == kept
    first, last = (data.draw(st.integers(0, count)) for _ in range(2))
    part = [bar for bar in kept if bars[0].opens + first * MINUTE_US <= bar.opens <= bars[0].opens + last * MINUTE_US]
    assert list(bars_of(held.candles(bars[0].opens + first * MINUTE_US, bars[0].opens + last * MINUTE_US))) == part
    assert len(held) == len(kept)


def test_what_is_read_is_a_copy_and_bars_only_move_forward() -> None:
    held = SymbolBars(EURUSD, "1m", 5)
    for bar in minute_bars(0, 5):
        held.append(bar)
    read = held.candles()
    read.prices.close[:] = 0
    assert list(bars_of(held.candles())) == minute_bars(0, 5)
    with pytest.raises(DataError, match="comes after one of"):
        held.append(minute_bar(4))


def test_bars_of_two_sides_are_never_held_together_and_an_ask_takes_no_history_away() -> None:
    held, past = SymbolBars(EURUSD, "1m"), minute_bars(0, 5)
    both = [replace(minute_bar(at), ask=minute_bar(at + 1).prices) for at in (5, 6)]
    for bar in [*past, *both]:
        held.append(bar)
    assert list(bars_of(held.candles())) == [*past, *(replace(bar, ask=None) for bar in both)]
    assert list(bars_of(held.candles(both[0].opens))) == both
    held.forget_since(both[1].opens)
    assert held.last == both[0]
    held.forget_since(both[0].opens)
    assert held.last == past[-1]
    other = replace(minute_bar(7), side="mid")
    held.append(other)
    assert list(bars_of(held.candles())) == [other]


def test_volumes_and_asks_survive_the_way_into_columns_and_out() -> None:
    bars: list[Bar] = [replace(bar, ask=minute_bar(9).prices, volume=float(at)) for at, bar in enumerate(minute_bars(0, 100))]
    candles = candles_of(bars)
    assert list(bars_of(candles)) == bars
    assert candles.ask is not None
    assert candles.volume is not None
    assert (str(candles.prices.open.dtype), str(candles.volume.dtype), np.unique(candles.ask.open).tolist()) == (
        "int64",
        "float64",
        [100_009],
    )
