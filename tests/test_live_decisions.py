"""Each bar is decided once, on all signals that may be believed and no others."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sptrader_desktop.adapters.yaml_strategy import parse_strategy
from sptrader_desktop.runtime.live.clock import SECOND_US
from sptrader_desktop.runtime.live.event_bus import LocalEventBus
from sptrader_desktop.runtime.live.events import (
    IndicatorsUpdated,
    NewCandle,
    Row,
    SignalGenerated,
    SignalRejected,
    SignalValidated,
)
from sptrader_desktop.runtime.live.parts import NO_EVENT, CloseOnly, EvaluatedSet, Order, PauseReason, Signal
from sptrader_desktop.runtime.live.services_config import (
    StrategyEvaluation,
)
from sptrader_desktop.runtime.live.strategy_evaluation import Expected, StrategyEvaluationService, named_signals
from sptrader_desktop.runtime.live.symbol_orchestrator import SymbolOrchestrator
from tests.live_candles import MINUTE_US, minute_bar
from tests.live_session import NOON, FakeOrder, HandClock, Heard, played, settled
from tests.strategy_texts import FULL, SMALL

NAMED = frozenset({"fast", "slow"})
NUMBER = count()


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


def test_a_later_bar_waits_for_an_earlier_one() -> None:
    """Bars of a second wait longer than they last."""

    async def story() -> None:
        live, decided = Evaluation(), list[EvaluatedSet]()

        async def decide(found: EvaluatedSet) -> Sequence[Order]:
            decided.append(found)
            return []

        expected = Expected("EURUSD", "1s", NAMED)
        service = StrategyEvaluationService(live.bus, live.clock, StrategyEvaluation(min_rows_required=1), expected, decide, CloseOnly())
        await service.start()
        opens = [live.clock.now() + number * SECOND_US for number in range(2)]
        await live.clock.turn(3.0)
        for at in opens:
            live.bus.publish(NewCandle("EURUSD", live.clock.now(), replace(minute_bar(0), timeframe="1s", opens=at, closes=at + SECOND_US)))
        for name in NAMED:
            service.take(signal(name, 0, timeframe="1s", bar_time=opens[1], valid_until=opens[1] + 9 * SECOND_US))
        await settled()
        assert decided == []
        await live.clock.turn(3.0)
        assert [(found.bar_time, sorted(found.missing)) for found in decided] == [(opens[0], ["fast", "slow"]), (opens[1], [])]

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


def test_what_was_taken_and_not_decided_has_an_outcome_when_the_service_ends() -> None:
    async def story() -> None:
        live = Evaluation()
        await live.orchestrator.start()
        await live.take(signal("fast", 0), signal("slow", 0))
        await live.clock.until(asyncio.ensure_future(live.orchestrator.restart()))
        assert live.why() == ["strategy evaluation ended before its bar was decided"] * 2
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
