"""Orders are handed on one after another, each at most once, unless something forbids it: what opens risk more easily than what ends it."""

import asyncio
from typing import Any

import pytest

from sptrader_desktop.core.errors import SptraderError
from sptrader_desktop.runtime.live.event_bus import LocalEventBus
from sptrader_desktop.runtime.live.events import (
    SignalGenerated,
    TradeExecuted,
    TradeFailed,
)
from sptrader_desktop.runtime.live.parts import CloseOnly, Order, PauseReason
from sptrader_desktop.runtime.live.services_config import (
    TradeExecution,
)
from sptrader_desktop.runtime.live.spreads import Spread, Spreads
from sptrader_desktop.runtime.live.symbol_orchestrator import SymbolOrchestrator
from sptrader_desktop.runtime.live.trade_execution import UNKNOWN, TradeExecutionService
from tests.live_session import NOON, FakeLatch, FakeMarket, FakeOrder, HandClock, Heard, played, settled

# Which orders are handed on


class Execution:
    """A trade service in its orchestrator, with a fresh price; `answers` are what executing comes to, one after another."""

    def __init__(self, **config: Any) -> None:
        self.clock, self.bus, self.close_only = HandClock(), LocalEventBus(), CloseOnly()
        self.heard, self.latch, self.market = Heard(self.bus), FakeLatch(), FakeMarket()
        self.market.quotes["EURUSD"] = self.clock.now()
        self.handed: list[str] = []
        self.answers: list[Exception] = []
        self.hangs: asyncio.Event | None = None
        self.service = TradeExecutionService(
            "EURUSD", self.bus, self.clock, TradeExecution(**config), self.execute, self.market, self.latch, self.close_only
        )
        self.orchestrator = SymbolOrchestrator("EURUSD", [self.service], self.bus, self.clock)

    async def execute(self, order: Order) -> str:
        self.handed.append(order.id)
        if self.hangs is not None:
            await self.hangs.wait()
        if self.answers:
            raise self.answers.pop(0)
        return f"{order.id} is open"

    async def order(self, *orders: Order) -> None:
        self.bus.publish(SignalGenerated("EURUSD", self.clock.now(), NOON, orders))
        await settled()

    def told(self) -> list[tuple[str, str]]:
        return [
            (event.order, event.detail if isinstance(event, TradeExecuted) else event.why)
            for event in self.heard
            if isinstance(event, TradeExecuted | TradeFailed)
        ]


def halted(live: Execution) -> None:
    live.latch.reason = "by Ann"


def shut(live: Execution) -> None:
    live.market.closed = {"EURUSD"}


def silent(live: Execution) -> None:
    live.market.quotes.clear()


def stale(live: Execution) -> None:
    live.market.quotes["EURUSD"] -= 2_100_000


def set_back(live: Execution) -> None:
    live.market.quotes["EURUSD"] += 1


def wide(live: Execution) -> None:
    live.market.spreads["EURUSD"] = Spread(51, 10)


def paused(live: Execution) -> None:
    live.orchestrator.pause()
    live.orchestrator.pause(PauseReason.RISK_BREACH)


def close_only(live: Execution) -> None:
    live.close_only.set("components", "fast failed")


@pytest.mark.parametrize(
    ("forbid", "why", "closes_too"),
    [
        (halted, "trading is halted: by Ann", True),
        (shut, "the market is closed", True),
        (silent, "there is no price yet", False),
        (stale, "the last price is 2.1 s old, and max_price_age is 2 s", False),
        (set_back, "the last price is of a time to come: the clock was set back, and how old it is cannot be known", False),
        (wide, "the spread is 5.1 times the usual one, 10 ticks, and max_spread_ratio is 5", False),
        (paused, "the symbol is paused: a person, risk breach", False),
        (close_only, "the symbol may only close: fast failed", False),
    ],
)
def test_what_opens_risk_is_forbidden_by_more_than_what_ends_it(forbid: Any, why: str, closes_too: bool) -> None:
    async def story() -> None:
        live = Execution()
        await live.orchestrator.start()
        await live.order(FakeOrder("before"))
        forbid(live)
        await live.order(FakeOrder("opens"), FakeOrder("closes", opens=False))
        assert live.told()[1:] == [("opens", why), ("closes", why if closes_too else "closes is open")]
        assert live.handed == ["before", *([] if closes_too else ["closes"])]

    played(story())


@pytest.mark.parametrize("forbid", [stale, set_back, wide])
def test_what_is_asked_of_a_price_may_be_switched_off(forbid: Any) -> None:
    async def story() -> None:
        live = Execution(max_price_age=0.0, max_spread_ratio=0.0)
        await live.orchestrator.start()
        forbid(live)
        await live.order(FakeOrder("opens"))
        assert live.handed == ["opens"]

    played(story())


class Quoted:
    """Spreads of one symbol as they come."""

    def __init__(self) -> None:
        self.spreads, self.now = Spreads(), 0

    def __call__(self, spread: int, seconds: int, a_second: int = 10) -> Spread | None:
        for _ in range(seconds * a_second):
            self.spreads.add("EURUSD", spread, self.now)
            self.now += 1_000_000 // a_second
        return self.spreads.of("EURUSD")


def test_the_usual_spread_is_that_of_the_last_hour_however_fast_quotes_come_and_not_known_before_twenty() -> None:
    quoted = Quoted()
    assert quoted(10, 19, a_second=1) is None
    assert quoted(10, 1_200) == (10, 10)
    assert quoted(300, 900, a_second=50) == (300, 10), "a quarter of an hour of the night's turn, and many more quotes than before"
    assert quoted(12, 5) == (12, 10)
    assert quoted(300, 3_600) == (300, 300), "for an hour it is so"
    assert quoted(0, 3_600) == (0, 1), "one tick is no multiple of none"
    assert quoted.spreads.of("GBPUSD") is None


def test_a_session_that_begins_in_a_wide_market_learns_soon_and_one_that_runs_into_it_keeps_to_what_it_knows() -> None:
    begun_wide, run_into_it = Quoted(), Quoted()
    assert begun_wide(300, 3) == (300, 300)
    assert begun_wide(10, 2) == (10, 10)
    assert begun_wide(300, 60) == (300, 10)
    assert run_into_it(10, 3) == (10, 10)
    assert run_into_it(300, 240) == (300, 10)


@pytest.mark.parametrize("known_s", [0, 3_600])
@pytest.mark.parametrize("back_s", [1, 14, 3 * 3_600, 2 * 86_400])
def test_a_clock_that_is_set_back_or_ahead_keeps_no_spread_from_being_usual(known_s: int, back_s: int) -> None:
    quoted = Quoted()
    quoted.now = 3 * 86_400_000_000
    quoted(10, known_s + 1, a_second=1)
    quoted.now -= back_s * 1_000_000
    assert quoted(60, 7_200, a_second=1) == (60, 60)
    quoted.now += 86_400_000_000
    assert quoted(10, 7_200, a_second=1) == (10, 10)


def test_an_order_of_another_symbol_goes_nowhere_and_observing_opens_nothing() -> None:
    async def story() -> None:
        live = Execution(execution_mode="observe")
        await live.orchestrator.start()
        await live.order(FakeOrder("a", "XAUUSD"), FakeOrder("b"), FakeOrder("c", opens=False))
        assert live.told() == [("a", "it is of XAUUSD, not of EURUSD"), ("b", "execution_mode is observe"), ("c", "c is open")]

    played(story())


def test_an_order_that_is_refused_is_told_and_the_next_one_goes_on() -> None:
    async def story() -> None:
        live = Execution()
        live.answers = [SptraderError("the margin does not suffice")]
        await live.orchestrator.start()
        await live.order(FakeOrder("a"), FakeOrder("b"))
        assert live.told() == [("a", "the margin does not suffice"), ("b", "b is open")]
        assert live.service.error_count == 0

    played(story())


def test_what_broke_in_handing_on_is_not_known_and_is_not_handed_on_again() -> None:
    async def story() -> None:
        live = Execution()
        live.answers = [ConnectionResetError("no answer")]
        await live.orchestrator.start()
        await live.order(FakeOrder("a"), FakeOrder("b"))
        await live.order(FakeOrder("c"))
        assert live.handed == ["a", "b", "c"]
        assert live.told() == [("a", UNKNOWN), ("b", "b is open"), ("c", "c is open")]
        assert (live.service.error_count, live.service.state) == (1, "running")

    played(story())


def test_a_stop_lets_the_order_under_way_end_and_drops_the_others_by_name() -> None:
    async def story(answers: bool) -> None:
        live = Execution()
        live.hangs = asyncio.Event()
        await live.orchestrator.start()
        await live.order(FakeOrder("a"), FakeOrder("b"))
        stopping = asyncio.ensure_future(live.orchestrator.stop(3.0))
        await live.clock.turn(0.2)
        if answers:
            live.hangs.set()
        left = await live.clock.until(stopping)
        dropped = ("b", "trade execution ended before it was handed on")
        assert live.told() == ([("a", "a is open"), dropped] if answers else [])
        assert left == (() if answers else ("TradeExecutionService",))
        if not answers:  # it is named, and whoever ends the process ends it
            assert live.service.state == "stopping"

    for answers in (True, False):
        played(story(answers))


def test_an_order_that_comes_while_the_service_recovers_is_handed_on_after_that() -> None:
    async def story() -> None:
        live = Execution()
        await live.orchestrator.start()
        live.hangs = asyncio.Event()
        await live.order(FakeOrder("a"))
        live.service.fail(ValueError("a listener's defect"))  # while an order is under way
        live.service.submit(FakeOrder("close", opens=False))
        await live.clock.turn(0.2)
        assert (live.service.state, live.handed) == ("recovering", ["a"])
        live.hangs.set()
        await live.clock.turn(0.2)
        assert live.told() == [("a", "a is open"), ("close", "close is open")]
        assert live.handed == ["a", "close"]

    played(story())


def test_a_person_may_close_by_hand_and_a_stopped_service_says_that_it_is() -> None:
    async def story() -> None:
        live = Execution()
        live.service.submit(FakeOrder("early"))
        await live.orchestrator.start()
        live.orchestrator.pause()
        live.service.submit(FakeOrder("close", opens=False))
        await settled()
        assert live.told() == [("early", "trade execution is not started"), ("close", "close is open")]

    played(story())
