"""All four services over the sample, and each of them switched off."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sptrader_desktop.adapters.yaml_strategy import parse_strategy
from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.errors import ComponentError
from sptrader_desktop.core.rules import rule_hits
from sptrader_desktop.core.rules_now import Event, rule_bits
from sptrader_desktop.core.strategy import Strategy
from sptrader_desktop.ports import CandleRequest, ComponentJob
from sptrader_desktop.runtime.honesty_candles import part
from sptrader_desktop.runtime.live.assembly import LiveSymbol, Parts, Traded, live_symbol, own_components, regime_component
from sptrader_desktop.runtime.live.clock import SECOND_US
from sptrader_desktop.runtime.live.events import (
    SignalGenerated,
    SignalRejected,
    TradeExecuted,
    TradeFailed,
)
from sptrader_desktop.runtime.live.parts import EvaluatedSet, Order
from sptrader_desktop.runtime.live.services_config import (
    DataFetching,
    IndicatorCalculation,
    ServicesConfig,
    StrategyEvaluation,
    TradeExecution,
)
from tests.indicator_markets import catalogue, runner
from tests.live_candles import MINUTE_US
from tests.live_session import FakeLatch, FakeMarket, FakeOrder, HandClock, Heard, played
from tests.strategy_texts import SMALL
from tests.test_live_components import sample

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
        clock, decide = HandClock(int(candles.timestamp[-bars]) + 30 * MINUTE_US), Decider(strategy)

        async def execute(order: Order) -> str:
            return order.id

        async def at_once(run: Any) -> Any:
            return run()

        parts = Parts(clock, FakeMarket(ticking=clock), FakeLatch(), runner(), decide, execute, SampleFeed(clock, candles), offload=at_once)
        own = own_components(catalogue(), strategy.signals)
        live = live_symbol(Traded(candles.instrument, "1h", strategy, own), ServicesConfig(**given), parts)
        heard = Heard(live.bus)
        await live.orchestrator.start()
        while clock.now() < candles.timestamp[-1] + candles.bar_us + 2 * SECOND_US:
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
    live.bus.publish(SignalGenerated("EURUSD", 0, None, (FakeOrder("x"),)))
    failed = [(event.order, event.why) for event in heard.of(TradeFailed)]
    assert (failed[-1:] == [("x", "trade execution is not started")]) == (off == "trade_execution")
