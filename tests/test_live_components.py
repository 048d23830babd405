"""Live, components say of each bar what they say of it over all of history, and where they say nothing, nothing is opened."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest

from sptrader_desktop.adapters.candle_files import load_candles
from sptrader_desktop.compose_components import component_runner
from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.errors import ComponentError, MachineError
from sptrader_desktop.core.rules import EventTable
from sptrader_desktop.core.strategy import SignalUse
from sptrader_desktop.ports import Answer, ComponentJob
from sptrader_desktop.runtime.live.assembly import own_components
from sptrader_desktop.runtime.live.clock import SystemClock
from sptrader_desktop.runtime.live.data_fetching import bars_of
from sptrader_desktop.runtime.live.event_bus import LocalEventBus
from sptrader_desktop.runtime.live.events import IndicatorsUpdated, NewCandle, RegimeChanged
from sptrader_desktop.runtime.live.indicator_calculation import DEADLINE_S, IndicatorCalculationService, Offload, on_a_thread
from sptrader_desktop.runtime.live.own_signals import OwnComponent, window_size
from sptrader_desktop.runtime.live.parts import CloseOnly, Regime, Signal
from sptrader_desktop.runtime.live.services_config import IndicatorCalculation
from sptrader_desktop.runtime.live.symbol_bars import SymbolBars
from sptrader_desktop.runtime.live.symbol_orchestrator import SymbolOrchestrator
from sptrader_desktop.settings import load_settings
from tests.command_line import SAMPLE
from tests.indicator_markets import catalogue, runner
from tests.live_candles import EURUSD, minute_bars
from tests.live_session import HandClock, Heard, played, settled

FAST, SLOW = SignalUse("signals.fast"), SignalUse("signals.slow")
REGIME = OwnComponent(SignalUse("signals.regime"), 3)


def events(*rows: tuple[int, str, float]) -> EventTable:
    bars, kinds, strengths = ([row[at] for row in rows] for at in range(3))
    return EventTable(np.array(bars, np.int64), np.array(kinds, object), np.array(strengths, float), {"x": np.arange(len(rows)) / 2})


class FakeRunner:
    """Answers of components by name: a function of how many bars there are, or what it raises."""

    def __init__(self, **answers: Callable[[int], EventTable | ComponentError]) -> None:
        self.answers, self.asked = answers, list[list[str]]()

    def run(self, jobs: Sequence[ComponentJob]) -> list[Answer]:
        self.asked.append([job.component for job in jobs])
        return [Answer(self.answers[job.component.rpartition(".")[2]](len(job.candles))) for job in jobs]

    def fingerprint(self, component: str) -> str:
        return component


class FakeStream:
    def __init__(self) -> None:
        self.published: list[Signal] = []

    async def publish(self, signals: Sequence[Signal]) -> None:
        self.published += signals


async def at_once(run: Callable[[], Sequence[Answer]]) -> Sequence[Answer]:
    return run()


class Components:
    """An indicator service in its orchestrator; candles come when they are told."""

    def __init__(
        self,
        own: Sequence[OwnComponent],
        by: Any,
        *,
        bars: SymbolBars | None = None,
        regime: OwnComponent | None = None,
        stream: FakeStream | None = None,
        offload: Offload = at_once,
        **config: Any,
    ) -> None:
        self.clock, self.bus, self.close_only = HandClock(), LocalEventBus(), CloseOnly()
        self.bars, self.heard = SymbolBars(EURUSD, "1m", 50) if bars is None else bars, Heard(self.bus)
        self.service = IndicatorCalculationService(
            self.bus, self.clock, IndicatorCalculation(**config), self.bars, own, by, self.close_only, regime, stream, offload
        )
        self.orchestrator = SymbolOrchestrator("EURUSD", [self.service], self.bus, self.clock)

    async def tell(self, bars: Sequence[Any], *, is_late: bool = False) -> None:
        for bar in bars:
            self.bars.append(bar)
            self.bus.publish(NewCandle("EURUSD", self.clock.now(), bar, is_late))
            await settled()

    def updates(self) -> list[IndicatorsUpdated]:
        return self.heard.of(IndicatorsUpdated)


@cache
def sample() -> Candles:
    return load_candles(SAMPLE)


@pytest.mark.parametrize("name", ["ma_crossover", "regime", "supertrend_flip", "session_filter", "momentum_vote"])
def test_what_is_said_live_is_what_is_said_over_all_of_history(name: str) -> None:
    async def story() -> None:
        own = own_components(catalogue(), (SignalUse(f"signals.{name}"),))
        keep, candles = window_size(own, 4), sample()
        assert (keep is None) == (own[0].warm_up is None)
        live = Components(own, runner(), bars=SymbolBars(candles.instrument, "1h", keep), recent_rows_limit=4)
        await live.orchestrator.start()
        bars, first = list(bars_of(candles)), len(candles) - 30
        for bar in bars[:first]:
            live.bars.append(bar)
        await live.tell(bars[first:])
        (answer,) = runner().run([ComponentJob(own[0].use.component, {}, candles)])
        whole = answer.events()
        for number, update in enumerate(live.updates()):
            assert len(update.rows) == 4
            for back, row in enumerate(reversed(update.rows)):
                at = first + number - back
                assert row.bar_time == candles.timestamp[at]
                assert_same(row.signals, whole, at)
        assert live.close_only.reason == ""
        assert len(live.updates()) == 30

    played(story())


def assert_same(said: Sequence[Signal], whole: EventTable, at: int) -> None:
    right = whole.at(at)
    if not len(right):
        assert [(signal.kind, signal.is_event) for signal in said] == [("none", False)]
        return
    assert [signal.kind for signal in said] == right.type.tolist()
    assert [(signal.part, signal.parts) for signal in said] == [(part + 1, len(right)) for part in range(len(right))]
    np.testing.assert_allclose([signal.strength for signal in said], right.strength, atol=1e-5)
    for name, column in right.metadata.items():
        np.testing.assert_allclose([float(signal.metadata[name]) for signal in said], column.astype(float), rtol=1e-9)


def test_the_same_signal_has_the_same_id_wherever_it_is_calculated_and_another_has_another() -> None:
    async def said(params: dict[str, Any], count: int) -> set[str]:
        live = Components([OwnComponent(SignalUse("signals.fast", params), 1)], FakeRunner(fast=lambda bars: events((bars - 1, "up", 0.5))))
        await live.orchestrator.start()
        await live.tell(minute_bars(0, count))
        return {signal.id for update in live.updates() for row in update.rows for signal in row.signals}

    one, again, longer, other = (played(said(*given)) for given in (({}, 5), ({}, 5), ({}, 6), ({"x": True}, 5)))
    assert one == again < longer
    assert not other & longer


# Warm-up


def test_nothing_is_believed_before_the_warm_up_and_nothing_is_opened() -> None:
    async def story() -> None:
        own = OwnComponent(FAST, 4)
        live = Components([own], FakeRunner(fast=lambda bars: events((bars - 1, "up", 0.5))), recent_rows_limit=3)
        await live.orchestrator.start()
        await live.tell(minute_bars(0, 3))
        assert [(update.rows, update.failed) for update in live.updates()] == [((), ("fast",))] * 3
        assert live.close_only.reason == "signals.fast needs 4 bars, and there are 3 so far"
        await live.tell(minute_bars(3, 4))
        assert [len(update.rows) for update in live.updates()[3:]] == [1, 2, 3, 3]
        assert live.close_only.reason == ""

    played(story())


def test_the_window_is_as_long_as_the_longest_warm_up_and_all_where_one_needs_all() -> None:
    assert window_size([OwnComponent(FAST, 10), OwnComponent(SLOW, 300)], 6) == 400
    assert window_size([OwnComponent(FAST, 10)], 1_000) == 1_010
    assert window_size([OwnComponent(FAST, 10), OwnComponent(SLOW, None)], 6) is None


def test_of_bars_that_are_late_only_the_last_is_asked_about() -> None:
    async def story() -> None:
        fake, stream = FakeRunner(fast=lambda bars: events((bars - 1, "up", 0.5))), FakeStream()
        live = Components([OwnComponent(FAST, 1)], fake, stream=stream, recent_rows_limit=6)
        await live.orchestrator.start()
        for bar in minute_bars(0, 20):
            live.bars.append(bar)
            live.bus.publish(NewCandle("EURUSD", live.clock.now(), bar, True))
        await settled()
        assert len(fake.asked) == 1
        assert [row.bar_time for row in live.updates()[0].rows] == [bar.opens for bar in minute_bars(14, 6)]
        assert stream.published == []

    played(story())


def test_a_bar_is_judged_as_it_was_when_it_closed_also_when_the_next_has_come() -> None:
    async def story() -> None:
        fake = FakeRunner(fast=lambda bars: events((bars - 1, f"at_{bars}", 0.5)))
        live = Components([OwnComponent(FAST, 1)], fake)
        await live.orchestrator.start()
        for bar in minute_bars(0, 3):  # nobody has had time to calculate between them
            live.bars.append(bar)
            live.bus.publish(NewCandle("EURUSD", live.clock.now(), bar))
        await settled()
        assert [update.rows[-1].signals[0].kind for update in live.updates()] == ["at_1", "at_2", "at_3"]

    played(story())


# Who fails


def test_a_component_that_fails_says_nothing_and_the_others_are_heard() -> None:
    async def story() -> None:
        fails: list[ComponentError] = []
        fake = FakeRunner(
            fast=lambda bars: fails[0] if fails else events((bars - 1, "up", 0.5)), slow=lambda bars: events((bars - 1, "down", 1.0))
        )
        live = Components([OwnComponent(FAST, 1), OwnComponent(SLOW, 1)], fake)
        await live.orchestrator.start()
        for at, fault in enumerate(["", "fast: no memory", ""]):
            fails[:] = [ComponentError(fault)] if fault else []
            await live.tell(minute_bars(at, 1))
            update = live.updates()[-1]
            assert (update.failed, live.close_only.reason) == ((("fast",), fault) if fault else ((), ""))
            assert [signal.name for signal in update.rows[-1].signals] == (["slow"] if fault else ["fast", "slow"])
        assert live.service.error_count == 0

    played(story())


@pytest.mark.parametrize("error", [MachineError("no processes are left"), ComponentError("nobody answers")])
def test_where_nobody_could_be_asked_all_have_failed(error: Exception) -> None:
    async def story() -> None:
        def refuses(_: int) -> EventTable:
            raise error

        live = Components([OwnComponent(FAST, 1), OwnComponent(SLOW, 1)], FakeRunner(fast=refuses))
        await live.orchestrator.start()
        await live.tell(minute_bars(0, 1))
        assert [(update.rows, update.failed) for update in live.updates()] == [((), ("fast", "slow"))]
        assert live.close_only.reason == f"{error}; {error}"

    played(story())


def test_an_answer_that_comes_after_its_deadline_is_heard_by_nobody() -> None:
    async def story() -> None:
        answered, offloaded = asyncio.Event(), list[asyncio.Event]()

        async def slow(run: Callable[[], Sequence[Answer]]) -> Sequence[Answer]:
            if not offloaded:
                offloaded.append(answered)
                await answered.wait()
            return run()

        live = Components([OwnComponent(FAST, 1)], FakeRunner(fast=lambda bars: events((bars - 1, "up", 0.5))), offload=slow)
        await live.orchestrator.start()
        await live.tell(minute_bars(0, 2))
        assert live.updates() == []
        await live.clock.turn(DEADLINE_S)
        answered.set()
        await settled()
        assert [(update.failed, len(update.rows)) for update in live.updates()] == [(("fast",), 0), ((), 2)]

    played(story())


def test_a_defect_of_the_runner_is_an_error_of_the_service_which_recovers() -> None:
    async def story() -> None:
        def breaks(bars: int) -> EventTable:
            if bars == 2:
                raise KeyError("a defect")
            return events((bars - 1, "up", 0.5))

        live = Components([OwnComponent(FAST, 1)], FakeRunner(fast=breaks))
        await live.orchestrator.start()
        await live.tell(minute_bars(0, 4))
        assert [update.bar_time for update in live.updates()] == [bar.opens for bar in minute_bars(0, 4) if bar != minute_bars(1, 1)[0]]
        assert (live.service.error_count, live.service.state) == (1, "running")

    played(story())


def test_the_loop_goes_on_while_components_calculate() -> None:
    async def story() -> None:
        may_answer, loop_went_on = threading.Event(), False

        def waits(bars: int) -> EventTable:
            assert may_answer.wait(20)
            return events((bars - 1, "up", 0.5))

        live = Components([OwnComponent(FAST, 1)], FakeRunner(fast=waits), offload=on_a_thread)
        await live.orchestrator.start()
        await live.tell(minute_bars(0, 1))
        loop_went_on = live.updates() == []
        may_answer.set()
        while not live.updates():
            await asyncio.sleep(0.001)
        assert loop_went_on
        assert live.updates()[0].rows[-1].signals[0].kind == "up"

    played(story())


def test_a_bar_that_is_no_longer_held_is_not_asked_about() -> None:
    async def story() -> None:
        fake = FakeRunner(fast=lambda bars: events((bars - 1, "up", 0.5)))
        live = Components([OwnComponent(FAST, 1)], fake)
        await live.orchestrator.start()
        (bar,) = minute_bars(0, 1)
        live.bus.publish(NewCandle("EURUSD", live.clock.now(), bar))
        await settled()
        await live.tell(minute_bars(1, 1))
        assert [update.bar_time for update in live.updates()] == [minute_bars(1, 1)[0].opens]
        assert len(fake.asked) == 1

    played(story())


def test_real_workers_answer_while_the_loop_goes_on() -> None:
    async def story() -> None:
        workers, turns = component_runner(load_settings(), catalogue()), 0
        own, candles = own_components(catalogue(), (SignalUse("signals.ma_crossover"),)), sample()
        live = Components(own, workers, bars=SymbolBars(candles.instrument, "1h", window_size(own, 6)), offload=on_a_thread)
        live.service._clock = SystemClock()
        await live.orchestrator.start()
        bars = list(bars_of(candles))
        for bar in bars[:-1]:
            live.bars.append(bar)
        await live.tell(bars[-1:])
        while not live.updates():
            await asyncio.sleep(0.001)
            turns += 1
        assert turns > 1
        (answer,) = runner().run([ComponentJob(own[0].use.component, {}, candles)])
        assert_same(live.updates()[0].rows[-1].signals, answer.events(), len(candles) - 1)
        assert len(live.updates()[0].rows) == 6

    played(story())


# What follows


def test_signals_go_to_the_stream_where_there_is_one_none_included() -> None:
    async def story() -> None:
        stream = FakeStream()
        fake = FakeRunner(fast=lambda bars: events((bars - 1, "up", 0.5), (bars - 1, "strong", 1.0)), slow=lambda _: events())
        live = Components([OwnComponent(FAST, 1), OwnComponent(SLOW, 1)], fake, stream=stream)
        await live.orchestrator.start()
        await live.tell(minute_bars(0, 1))
        (bar,) = minute_bars(0, 1)
        assert [(found.name, found.kind, found.strength, found.part, found.parts) for found in stream.published] == [
            ("fast", "up", 0.5, 1, 2),
            ("fast", "strong", 1.0, 2, 2),
            ("slow", "none", 0.0, 1, 1),
        ]
        assert {(found.bar_time, found.valid_until, found.symbol, found.timeframe) for found in stream.published} == {
            (bar.opens, bar.closes + 60_000_000, "EURUSD", "1m")
        }
        assert stream.published[1].metadata == {"x": 0.5}
        assert [update.is_published for update in live.updates()] == [True]

    played(story())


def test_a_change_of_regime_is_told_once_and_only_where_it_is_tracked() -> None:
    async def story(is_tracked: bool) -> None:
        said = [None, None, "trend", "trend", "range", None, "range", "volatile", "sideways", "volatile", "trend"]
        fake = FakeRunner(regime=lambda bars: events((bars - 1, kind, 1.0)) if (kind := said[bars - 1]) else events())
        live = Components([], fake, regime=REGIME, track_regime_changes=is_tracked)
        await live.orchestrator.start()
        await live.tell(minute_bars(0, len(said)))
        changes = [(event.before, event.regime) for event in live.heard.of(RegimeChanged)]
        right = [(None, "trend"), ("trend", "range"), ("range", "volatile"), ("volatile", "trend")]
        assert changes == (right if is_tracked else [])
        assert bool(fake.asked) == is_tracked
        assert live.service.regime == (Regime.TREND if is_tracked else None)
        assert live.close_only.reason == ""  # a regime that is not known yet closes nothing

    for is_tracked in (True, False):
        played(story(is_tracked))


def test_the_regime_that_a_strategy_asks_with_its_own_parameters_is_another_one() -> None:
    async def story() -> None:
        own = OwnComponent(SignalUse("signals.regime", {"lookback": True}), 1)
        seen: list[Any] = []

        class Two(FakeRunner):
            def run(self, jobs: Sequence[ComponentJob]) -> list[Answer]:
                seen.append([dict(job.params) for job in jobs])
                return [Answer(events((len(job.candles) - 1, "range" if job.params else "trend", 1.0))) for job in jobs]

        live = Components([own], Two(), regime=OwnComponent(SignalUse("signals.regime"), 1))
        await live.orchestrator.start()
        await live.tell(minute_bars(0, 1))
        assert seen == [[{"lookback": True}, {}]]
        assert live.updates()[0].rows[-1].signals[0].kind == "range"
        assert live.service.regime is Regime.TREND

    played(story())
