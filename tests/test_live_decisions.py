"""Each bar is decided once, on all signals that may be believed and no others; each order is handed on at most once, unless forbidden."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sptrader_desktop.adapters.yaml_strategy import parse_strategy
from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.errors import ComponentError, SptraderError
from sptrader_desktop.core.rules import rule_hits
from sptrader_desktop.core.rules_now import Event, rule_bits
from sptrader_desktop.core.strategy import Strategy
from sptrader_desktop.ports import CandleRequest, ComponentJob
from sptrader_desktop.runtime.honesty_candles import part
from sptrader_desktop.runtime.live.assembly import LiveSymbol, Parts, Traded, live_symbol, own_components, regime_component
from sptrader_desktop.runtime.live.clock import SECOND_US
from sptrader_desktop.runtime.live.event_bus import LocalEventBus
from sptrader_desktop.runtime.live.events import (
    IndicatorsUpdated,
    NewCandle,
    Row,
    SignalGenerated,
    SignalRejected,
    SignalValidated,
    TradeExecuted,
    TradeFailed,
)
from sptrader_desktop.runtime.live.parts import NO_EVENT, CloseOnly, EvaluatedSet, Order, PauseReason, Signal
from sptrader_desktop.runtime.live.services_config import (
    DataFetching,
    IndicatorCalculation,
    ServicesConfig,
    StrategyEvaluation,
    TradeExecution,
)
from sptrader_desktop.runtime.live.strategy_evaluation import Expected, StrategyEvaluationService, named_signals
from sptrader_desktop.runtime.live.symbol_orchestrator import SymbolOrchestrator
from sptrader_desktop.runtime.live.trade_execution import UNKNOWN, TradeExecutionService
from tests.indicator_markets import catalogue, runner
from tests.live_candles import MINUTE_US, minute_bar
from tests.live_session import NOON, FakeLatch, FakeMarket, HandClock, Heard, played, settled
from tests.strategy_texts import FULL, SMALL
from tests.test_live_components import sample

NAMED = frozenset({"fast", "slow"})
NUMBER = count()


@dataclass(frozen=True, slots=True)
class FakeOrder:
    id: str
    symbol: str = "EURUSD"
    opens: bool = True


def signal(name: str, minute: int, **given: Any) -> Signal:
    """Of a minute that is over when the next begins; valid for as long as its candle waits."""
    bar = minute_bar(minute)
    found = Signal(f"id{next(NUMBER)}", name, "EURUSD", "1m", bar.opens, "up", 0.5, bar.closes + MINUTE_US)
    return replace(found, **given)


class Evaluation:
    """A strategy service in its orchestrator, and what it had decided; the clock stands at the first minute's close."""

    def __init__(self, *, own: frozenset[str] = frozenset(), has_candles: bool = True, orders: bool = False, **config: Any) -> None:
        self.clock, self.bus, self.close_only = HandClock(NOON + MINUTE_US), LocalEventBus(), CloseOnly()
        self.heard, self.decided, self.gives_orders = Heard(self.bus), list[EvaluatedSet](), orders
        expected = Expected("EURUSD", "1m", NAMED, own, has_candles)
        given = StrategyEvaluation(**({"min_rows_required": 1} | config))
        self.service = StrategyEvaluationService(self.bus, self.clock, given, expected, self.decide, self.close_only)
        self.orchestrator = SymbolOrchestrator("EURUSD", [self.service], self.bus, self.clock)

    async def decide(self, found: EvaluatedSet) -> Sequence[Order]:
        self.decided.append(found)
        return [FakeOrder(f"o{len(self.decided)}")] if self.gives_orders else []

    async def candle(self, minute: int, *, is_late: bool = False) -> None:
        self.bus.publish(NewCandle("EURUSD", self.clock.now(), minute_bar(minute), is_late))
        await settled()

    async def indicators(self, minute: int, signals: Sequence[Signal], rows: int = 1, *, failed: Sequence[str] = ()) -> None:
        found = (*[Row(0, ())] * (rows - 1), Row(minute_bar(minute).opens, tuple(signals))) if rows else ()
        self.bus.publish(IndicatorsUpdated("EURUSD", self.clock.now(), minute_bar(minute).opens, found, tuple(failed), False))
        await settled()

    async def take(self, *signals: Signal) -> None:
        for found in signals:
            self.service.take(found)
        await settled()

    def why(self) -> list[str]:
        return [event.why for event in self.heard.of(SignalRejected)]

    def sets(self) -> list[tuple[int | None, dict[str, list[str]], list[str]]]:
        """Minute, kinds by signal, and what is missing."""
        return [
            (
                None if found.bar_time is None else (found.bar_time - NOON) // MINUTE_US,
                {name: [each.kind for each in signals] for name, signals in sorted(found.signals.items())},
                sorted(found.missing),
            )
            for found in self.decided
        ]


# Which signals are believed


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"symbol": "XAUUSD"}, "it is of XAUUSD, not of EURUSD"),
        ({"name": "fats"}, "no rule names fats: the rules name fast, slow"),
        ({"strength": float("nan")}, "its strength nan is no number"),
        ({"strength": float("inf")}, "its strength inf is no number"),
        ({"valid_until": NOON + MINUTE_US}, "it is stale: it was valid until a time that has passed"),
        ({"timeframe": "5m"}, "it is of 5m bars, not of 1m"),
        ({"bar_time": None}, "it has a timeframe and names no bar"),
        ({"bar_time": NOON + 1}, "no 1m bar opens at the time it names"),
        ({"bar_time": NOON + MINUTE_US}, "its bar is not over"),
        ({"bar_time": NOON - MINUTE_US}, "its bar was decided already, or is too old"),
        ({"part": 3, "parts": 2}, "it is part 3 of 2"),
        ({"part": 0}, "it is part 0 of 1"),
    ],
)
def test_a_signal_that_may_not_be_believed_is_rejected_with_the_reason(change: dict[str, Any], why: str) -> None:
    async def story() -> None:
        live = Evaluation()
        await live.orchestrator.start()
        await live.candle(-1, is_late=True)
        await live.take(replace(signal("fast", 0), **change))
        assert live.why() == [why]
        assert live.heard.of(SignalValidated) == []

    played(story())


def test_a_signal_is_taken_once_and_each_of_its_parts() -> None:
    async def story() -> None:
        live = Evaluation()
        await live.orchestrator.start()
        first = signal("fast", 0, part=1, parts=2)
        await live.take(first, first, replace(first, id="other"), signal("fast", 0), signal("fast", 0, part=2, parts=2))
        assert live.why() == ["it is a duplicate: one with this id was taken before", *["fast was heard on this bar already"] * 2]
        assert [event.signal.part for event in live.heard.of(SignalValidated)] == [1, 2]

    played(story())


# When a bar is decided


def test_a_bar_is_decided_when_its_candle_and_all_that_rules_name_are_there() -> None:
    async def story() -> None:
        live = Evaluation(orders=True)
        await live.orchestrator.start()
        await live.take(signal("fast", 0, part=2, parts=2, kind="strong"), signal("slow", 0, kind=NO_EVENT, strength=0.0))
        await live.candle(0)
        assert live.sets() == []
        await live.take(signal("fast", 0, part=1, parts=2))
        assert live.sets() == [(0, {"fast": ["strong", "up"], "slow": []}, [])]
        assert [(event.bar_time, event.orders) for event in live.heard.of(SignalGenerated)] == [(NOON, (FakeOrder("o1"),))]
        await live.take(signal("slow", 0))
        assert live.why() == ["its bar was decided already, or is too old"]
        assert len(live.heard.of(SignalValidated)) == 2  # `none` is no event

    played(story())


def test_what_has_not_come_in_time_is_missing() -> None:
    async def story() -> None:
        live = Evaluation()
        await live.orchestrator.start()
        await live.candle(0)
        await live.take(signal("fast", 0, valid_until=NOON + MINUTE_US + 20 * SECOND_US))
        await live.clock.turn(19.9)
        assert live.sets() == []
        await live.clock.turn(0.2)
        assert live.sets() == [(0, {"fast": ["up"]}, ["slow"])]
        await live.clock.turn(39.9)
        await live.candle(1)
        await live.clock.turn(59.0)
        assert len(live.sets()) == 1
        await live.clock.turn(2.0)
        assert live.sets()[1:] == [(1, {}, ["fast", "slow"])]

    played(story())


def test_a_signal_that_is_valid_for_ever_does_not_hold_up_the_bars_after_it() -> None:
    async def story() -> None:
        live = Evaluation()
        await live.orchestrator.start()
        await live.candle(0)
        await live.take(signal("fast", 0, valid_until=2**62))
        await live.clock.turn(61.0)
        await live.candle(1)
        await live.take(signal("fast", 1), signal("slow", 1))
        assert live.sets() == [(0, {"fast": ["up"]}, ["slow"]), (1, {"fast": ["up"], "slow": ["up"]}, [])]

    played(story())


def test_a_component_that_failed_is_not_waited_for_and_nothing_is_opened() -> None:
    async def story() -> None:
        live = Evaluation(own=frozenset({"fast"}))
        await live.orchestrator.start()
        await live.take(signal("slow", 0))
        await live.candle(0)
        live.close_only.set("components", "fast failed")
        await live.indicators(0, [], failed=["fast"])
        assert live.sets() == [(0, {"slow": ["up"]}, ["fast"])]
        assert live.decided[0].is_close_only

    played(story())


@pytest.mark.parametrize("reason", PauseReason)
def test_while_it_is_paused_exits_are_decided_and_nothing_is_opened(reason: PauseReason) -> None:
    async def story() -> None:
        live = Evaluation()
        await live.orchestrator.start()
        live.orchestrator.pause(reason)
        for minute in range(2):
            await live.candle(minute)
            await live.take(signal("fast", minute), signal("slow", minute))
            await live.clock.turn(60.0)
            live.orchestrator.resume(reason)
        assert [found.is_close_only for found in live.decided] == [True, False]

    played(story())


def test_nothing_is_decided_on_too_few_rows() -> None:
    async def story(own: frozenset[str]) -> None:
        live = Evaluation(own=own, min_rows_required=3)
        await live.orchestrator.start()
        for minute in range(4):
            await live.candle(minute)
            await live.take(signal("slow", minute))
            if own:
                await live.indicators(minute, [signal("fast", minute)], rows=minute + 1)
            else:
                await live.take(signal("fast", minute))
            await live.clock.turn(60.0)
        assert [found[0] for found in live.sets()] == [2, 3]
        assert live.why() == [f"{rows} of the 3 rows that min_rows_required asks for are there" for rows in (1, 1, 2, 2)]

    for own in (frozenset({"fast"}), frozenset[str]()):
        played(story(own))


def test_without_its_candle_a_bar_is_never_decided_and_without_candles_at_all_it_needs_none() -> None:
    async def story(has_candles: bool) -> None:
        live = Evaluation(has_candles=has_candles)
        await live.orchestrator.start()
        await live.take(signal("fast", 0), signal("slow", 0))
        await live.clock.turn(61.0)
        assert len(live.decided) == (0 if has_candles else 1)
        assert live.why() == (["the candle of its bar has not come"] * 2 if has_candles else [])

    for has_candles in (True, False):
        played(story(has_candles))


def test_a_day_that_ends_elsewhere_than_in_new_york_is_waited_for() -> None:
    async def story() -> None:
        live, decided = Evaluation(), list[EvaluatedSet]()
        day = NOON // (24 * 3_600 * SECOND_US) * 24 * 3_600 * SECOND_US  # midnight of UTC
        bar = replace(minute_bar(0), timeframe="1d", opens=day, closes=day + 24 * 3_600 * SECOND_US)

        async def decide(found: EvaluatedSet) -> Sequence[Order]:
            decided.append(found)
            return []

        expected = Expected("EURUSD", "1d", NAMED)
        service = StrategyEvaluationService(live.bus, live.clock, StrategyEvaluation(min_rows_required=1), expected, decide, CloseOnly())
        await service.start()
        await live.clock.turn((bar.closes - live.clock.now()) / SECOND_US + 1.0)
        live.bus.publish(NewCandle("EURUSD", live.clock.now(), bar))
        for name in NAMED:
            service.take(signal(name, 0, timeframe="1d", bar_time=day, valid_until=bar.closes + 60 * SECOND_US))
        await settled()
        assert [(found.bar_time, found.missing) for found in decided] == [(day, frozenset())]

    played(story())


def test_on_a_late_candle_nothing_is_decided() -> None:
    async def story() -> None:
        live = Evaluation()
        await live.orchestrator.start()
        await live.candle(0, is_late=True)
        await live.take(signal("fast", 0), signal("slow", 0))
        await live.clock.turn(61.0)
        assert live.decided == []
        assert live.why() == ["its bar was decided already, or is too old"] * 2

    played(story())


def test_a_signal_without_a_timeframe_is_decided_at_once_and_alone() -> None:
    async def story() -> None:
        live = Evaluation()
        await live.orchestrator.start()
        await live.take(signal("fast", 0, timeframe=None, bar_time=None))
        assert live.sets() == [(None, {"fast": ["up"]}, ["slow"])]

    played(story())


def test_on_signal_decides_on_each_as_it_comes_and_on_no_bar() -> None:
    async def story() -> None:
        live = Evaluation(evaluation_mode="on_signal")
        await live.orchestrator.start()
        await live.take(signal("fast", 0))
        await live.candle(0)
        await live.take(signal("slow", 0))
        await live.clock.turn(61.0)
        assert live.sets() == [(0, {"fast": ["up"]}, ["slow"]), (0, {"slow": ["up"]}, ["fast"])]

    played(story())


def test_a_decision_that_breaks_is_an_error_of_the_service_and_later_bars_are_decided() -> None:
    async def story() -> None:
        live = Evaluation()
        breaks = [True]

        async def decide(found: EvaluatedSet) -> Sequence[Order]:
            if breaks.pop() if breaks else False:
                raise ZeroDivisionError("a defect")
            return await live.decide(found)

        live.service._decide = decide
        await live.orchestrator.start()
        for minute in range(2):
            await live.candle(minute)
            await live.take(signal("fast", minute), signal("slow", minute))
            await live.clock.turn(60.0)
        assert [found[0] for found in live.sets()] == [1]
        assert (live.service.error_count, live.service.state) == (1, "running")
        assert live.why() == ["deciding on it failed: a defect"] * 2

    played(story())


def test_what_was_taken_and_not_decided_has_an_outcome_when_all_is_started_anew() -> None:
    async def story() -> None:
        live = Evaluation()
        await live.orchestrator.start()
        await live.take(signal("fast", 0), signal("slow", 0))
        await live.clock.until(asyncio.ensure_future(live.orchestrator.restart()))
        assert live.why() == ["strategy evaluation was started anew before its bar was decided"] * 2
        await live.candle(0)
        await live.clock.turn(61.0)
        assert live.sets() == [(0, {}, ["fast", "slow"])]

    played(story())


DELAYS = st.sampled_from([-0.5, 0.0, 0.5, 10.0, 59.0, 60.5, 130.0])


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["fast", "slow"]), DELAYS, st.integers(0, 2)), max_size=24),
    st.lists(st.floats(0.5, 20.0).map(lambda value: round(value, 1)), min_size=4, max_size=4),
)
def test_each_bar_is_decided_once_in_order_on_what_came_before(messages: list[tuple[int, str, float, int]], delays: list[float]) -> None:
    """Signals of four minutes come in any order, some of them twice or far too late; so do the candles."""

    async def story() -> None:
        live = Evaluation()
        await live.orchestrator.start()
        plan: list[tuple[float, int, Signal | None]] = [(60.0 * minute + delay, minute, None) for minute, delay in enumerate(delays)]
        for minute, name, delay, copies in messages:
            message = signal(name, minute)
            plan += [(60.0 * minute + delay + copy * 0.3, minute, message) for copy in range(copies + 1)]
        for at, minute, sent in sorted(plan, key=lambda step: step[0]):
            await live.clock.turn(max(0.0, at - live.clock.monotonic()))
            await (live.candle(minute) if sent is None else live.take(sent))
        await live.clock.turn(400.0)
        taken = [event.signal for event in live.heard.of(SignalValidated)]
        assert [found[0] for found in live.sets()] == [0, 1, 2, 3]
        assert len(taken) == len({found.id for found in taken})
        assert len(taken) + len(live.why()) == sum(copies + 1 for _, _, _, copies in messages)
        used = [found for decided in live.decided for signals in decided.signals.values() for found in signals]
        assert Counter(found.id for found in used) == Counter(found.id for found in taken)
        for decided in live.decided:
            assert decided.missing == NAMED - decided.signals.keys()
            assert {found.bar_time for signals in decided.signals.values() for found in signals} <= {decided.bar_time}

    played(story())


def test_all_that_the_rules_name_is_waited_for_however_deep() -> None:
    assert named_signals(parse_strategy(FULL, "x")) == {"ma_crossover", "session_filter"}
    assert named_signals(parse_strategy(SMALL, "x")) == {"ma_crossover"}


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
    live.market.quotes["EURUSD"] -= 31 * SECOND_US


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
        (silent, "there is no price yet", True),
        (stale, "the last price is 31 s old, and 30 s is the most", True),
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
        assert live.handed == ["a", "c"]
        assert live.told() == [("a", UNKNOWN), ("b", "trade execution ended before it was handed on"), ("c", "c is open")]
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
        assert live.told() == ([dropped, ("a", "a is open")] if answers else [dropped])
        assert left == (() if answers else ("TradeExecutionService",))
        if not answers:  # it is named, and whoever ends the process ends it
            assert live.service.state == "stopping"

    for answers in (True, False):
        played(story(answers))


def test_a_person_may_close_by_hand_and_a_stopped_service_says_that_it_is() -> None:
    async def story() -> None:
        live = Execution()
        live.service.submit(FakeOrder("early"))
        await live.orchestrator.start()
        live.orchestrator.pause()
        live.service.submit(FakeOrder("close", opens=False))
        await settled()
        assert live.told() == [("early", "trade execution is created"), ("close", "close is open")]

    played(story())


# All four, over the sample


def test_a_regime_is_named_by_a_component_that_speaks_of_nothing_else() -> None:
    config = IndicatorCalculation()
    found = regime_component(catalogue(), config)
    assert found is not None
    assert (found.use.component, found.warm_up) == ("signals.regime", 880)
    assert regime_component(catalogue(), replace(config, track_regime_changes=False)) is None
    with pytest.raises(ComponentError, match="is no regime: its events are trend, range, volatile, and not golden_cross, death_cross"):
        regime_component(catalogue(), replace(config, regime_component="signals.ma_crossover"))


class SampleFeed:
    def __init__(self, clock: HandClock, candles: Candles) -> None:
        self.clock, self.all = clock, candles

    async def candles(self, asked: CandleRequest) -> Candles:
        first = 0 if asked.start is None else int(np.searchsorted(self.all.timestamp, round(asked.start.timestamp() * SECOND_US)))
        last = int(np.searchsorted(self.all.timestamp + self.all.bar_us, self.clock.now(), side="right"))
        return part(self.all, first, max(first, last))


class Decider:
    """A session that buys and sells by the strategy's own rules, on one bar at a time."""

    def __init__(self, strategy: Strategy) -> None:
        self.strategy, self.sets = strategy, list[EvaluatedSet]()

    async def __call__(self, found: EvaluatedSet) -> Sequence[Order]:
        self.sets.append(found)
        events = {name: [Event(each.kind, each.strength, each.metadata) for each in signals] for name, signals in found.signals.items()}
        entries, exits = rule_bits(self.strategy, events)
        asked = [("enter", rule) for rule in range(8) if entries >> rule & 1] + [("exit", rule) for rule in range(8) if exits >> rule & 1]
        return [FakeOrder(f"{word} {rule} {found.bar_time}", opens=word == "enter") for word, rule in asked]


def over_the_sample(strategy: Strategy, bars: int, **given: Any) -> tuple[LiveSymbol, Heard, Decider]:
    """The last bars of the sample through all four services, an hour after another."""

    async def story() -> tuple[LiveSymbol, Heard, Decider]:
        candles = sample()
        clock, decide, market = HandClock(int(candles.timestamp[-bars]) + 30 * MINUTE_US), Decider(strategy), FakeMarket()

        async def execute(order: Order) -> str:
            return order.id

        async def at_once(run: Any) -> Any:
            return run()

        parts = Parts(clock, market, FakeLatch(), runner(), decide, execute, SampleFeed(clock, candles), offload=at_once)
        own = own_components(catalogue(), strategy.signals)
        live = live_symbol(Traded(candles.instrument, "1h", strategy, own), ServicesConfig(**given), parts)
        heard = Heard(live.bus)
        await live.orchestrator.start()
        while clock.now() < candles.timestamp[-1] + candles.bar_us + 2 * SECOND_US:
            market.quotes["EURUSD"] = clock.now() + 30 * MINUTE_US
            await clock.turn(1800.0)
        assert live.orchestrator.check_health()["is_healthy"]
        await clock.until(asyncio.ensure_future(live.orchestrator.stop()))
        return live, heard, decide

    return played(story())


def test_all_services_together_order_on_the_bars_on_which_the_backtest_would() -> None:
    often = "[{use: signals.ma_crossover, params: {fast_period: 4, slow_period: 9}}]"
    leave = "exit: {signal_exit: {when: [{signal: ma_crossover, outputs: {crossover_type: death_cross}}], action: close_all}}"
    text = f"{SMALL.replace('[signals.ma_crossover]', often)}{leave}"
    strategy, bars, candles = parse_strategy(text, "x"), 120, sample()
    # Long pauses between questions: every bar is asked for when it is due.
    _, heard, decide = over_the_sample(strategy, bars, data_fetching=DataFetching(fetch_interval=86_400.0))
    (answer,) = runner().run([ComponentJob("signals.ma_crossover", strategy.signals[0].params, candles)])
    hits = rule_hits(strategy, {"ma_crossover": answer.events()}, len(candles))
    right = [
        f"{word} {rule} {candles.timestamp[bar]}"
        for bar in range(len(candles) - bars, len(candles))
        for word, rows in (("enter", hits.entries), ("exit", hits.exits))
        for rule in np.flatnonzero(rows[:, bar])
    ]
    assert len(right) > 5
    assert [event.order for event in heard.of(TradeExecuted)] == right
    assert not heard.of(TradeFailed)
    assert not heard.of(SignalRejected)
    assert [found.bar_time for found in decide.sets] == candles.timestamp[-bars:].tolist()
    assert all(not found.missing and not found.is_close_only for found in decide.sets)


@pytest.mark.parametrize("off", ["data_fetching", "indicator_calculation", "strategy_evaluation", "trade_execution"])
def test_a_service_that_is_switched_off_is_not_there_and_what_needs_it_does_nothing(off: str) -> None:
    kinds = {
        "data_fetching": DataFetching,
        "indicator_calculation": IndicatorCalculation,
        "strategy_evaluation": StrategyEvaluation,
        "trade_execution": TradeExecution,
    }
    strategy = parse_strategy(SMALL, "x")
    live, heard, decide = over_the_sample(strategy, 5, **{off: kinds[off](enabled=False)})
    assert len(live.orchestrator.services) == 3
    found = {str(event.kind) for event in heard}
    assert ("NEW_CANDLE" in found) == (off != "data_fetching")
    assert ("INDICATORS_UPDATED" in found) == (off not in {"data_fetching", "indicator_calculation"})
    assert bool(decide.sets) == (off in {"indicator_calculation", "trade_execution"})
