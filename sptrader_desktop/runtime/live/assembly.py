"""One symbol's orchestrator and services, put together from a strategy, the configuration and the parts that the session brings."""

from collections.abc import Callable
from dataclasses import dataclass

from sptrader_desktop.core.components import Catalogue
from sptrader_desktop.core.errors import ComponentError
from sptrader_desktop.core.instruments import Instrument
from sptrader_desktop.core.strategy import SignalUse, Strategy
from sptrader_desktop.ports import ComponentRunner, LivePrice
from sptrader_desktop.runtime.live.bars_from_prices import Bar, BarsFromPrices
from sptrader_desktop.runtime.live.clock import Clock
from sptrader_desktop.runtime.live.data_fetching import DataFetchingService, believed
from sptrader_desktop.runtime.live.event_bus import LocalEventBus
from sptrader_desktop.runtime.live.events import SignalGenerated
from sptrader_desktop.runtime.live.indicator_calculation import IndicatorCalculationService, Offload, on_a_thread
from sptrader_desktop.runtime.live.own_signals import OwnComponent, window_size
from sptrader_desktop.runtime.live.parts import CandleFeed, CloseOnly, Decide, Execute, Latch, Market, Order, Regime, Signal, SignalStream
from sptrader_desktop.runtime.live.service import Service
from sptrader_desktop.runtime.live.services_config import IndicatorCalculation, ServicesConfig
from sptrader_desktop.runtime.live.strategy_evaluation import Expected, StrategyEvaluationService, named_signals
from sptrader_desktop.runtime.live.symbol_bars import SymbolBars
from sptrader_desktop.runtime.live.symbol_orchestrator import SymbolOrchestrator
from sptrader_desktop.runtime.live.trade_execution import TradeExecutionService


@dataclass(frozen=True, slots=True)
class Traded:
    """One strategy on one symbol. `own`: the signals of it that the program calculates itself; the others come from elsewhere."""

    instrument: Instrument
    timeframe: str
    strategy: Strategy
    own: tuple[OwnComponent, ...]
    regime: OwnComponent | None = None


@dataclass(frozen=True, slots=True)
class Parts:
    """What the session brings. Candles are asked of `feed`, or built from prices with `builds_bars`, or both: past and gaps of the feed.
    `doubt` says why one of the feed is not believed."""

    clock: Clock
    market: Market
    latch: Latch
    runner: ComponentRunner
    decide: Decide
    execute: Execute
    feed: CandleFeed | None = None
    builds_bars: bool = False
    stream: SignalStream | None = None
    offload: Offload = on_a_thread
    doubt: Callable[[Bar], str] = believed


@dataclass(frozen=True, slots=True)
class LiveSymbol:
    """What the session needs of a symbol: where prices, signals and a person's orders go, and what it may look at."""

    orchestrator: SymbolOrchestrator
    bus: LocalEventBus
    bars: SymbolBars
    forming: Callable[[], Bar | None]
    close_only: CloseOnly
    price: Callable[[LivePrice], None]
    prices_lost: Callable[[], None]
    signal: Callable[[Signal], None]
    submit: Callable[[Order], None]


def own_components(catalogue: Catalogue, uses: tuple[SignalUse, ...]) -> tuple[OwnComponent, ...]:
    """With the warm-ups that their metadata declares for these parameters."""
    return tuple(OwnComponent(use, catalogue.signal(use.component).bars_needed(use.params)) for use in uses)


def regime_component(catalogue: Catalogue, config: IndicatorCalculation) -> OwnComponent | None:
    """The named one, which must speak of nothing but regimes; none where changes of regime are not tracked."""
    if not (config.enabled and config.track_regime_changes):
        return None
    spec = catalogue.signal(config.regime_component)
    strange = [kind for kind in spec.event_types if kind not in list(Regime)]
    if strange:
        raise ComponentError(f"{spec.dotted} is no regime: its events are {', '.join(Regime)}, and not {', '.join(strange)}")
    return own_components(catalogue, (SignalUse(spec.dotted),))[0]


def live_symbol(traded: Traded, config: ServicesConfig, parts: Parts) -> LiveSymbol:
    """A service that is switched off is not there."""
    symbol, bus, close_only = traded.instrument.symbol, LocalEventBus(), CloseOnly()
    asked = [*traded.own, *(() if traded.regime is None else (traded.regime,))]
    bars = SymbolBars(traded.instrument, traded.timeframe, window_size(asked, config.indicator_calculation.recent_rows_limit))
    builder = BarsFromPrices(symbol, traded.timeframe) if parts.builds_bars else None
    data = DataFetchingService(bus, parts.clock, config.data_fetching, bars, parts.feed, builder, parts.doubt)
    indicators = IndicatorCalculationService(
        bus,
        parts.clock,
        config.indicator_calculation,
        bars,
        traded.own,
        parts.runner,
        close_only,
        traded.regime,
        parts.stream,
        parts.offload,
    )
    own = frozenset(component.name for component in traded.own) if config.indicator_calculation.enabled else frozenset()
    expected = Expected(symbol, traded.timeframe, named_signals(traded.strategy), own, config.data_fetching.enabled)
    strategy = StrategyEvaluationService(bus, parts.clock, config.strategy_evaluation, expected, parts.decide, close_only)
    execution = TradeExecutionService(
        symbol, bus, parts.clock, config.trade_execution, parts.execute, parts.market, parts.latch, close_only
    )
    switched: tuple[tuple[Service, bool], ...] = (
        (data, config.data_fetching.enabled),
        (indicators, config.indicator_calculation.enabled),
        (strategy, config.strategy_evaluation.enabled),
        (execution, config.trade_execution.enabled),
    )
    services = [service for service, is_on in switched if is_on]
    if not config.trade_execution.enabled:  # else what was decided would be waited for as if it had been sent
        bus.subscribe(SignalGenerated, execution.heard_orders, execution.fail)
    orchestrator = SymbolOrchestrator(symbol, services, bus, parts.clock, is_restarting=config.orchestrator.enable_auto_restart)
    return LiveSymbol(
        orchestrator, bus, bars, lambda: data.forming, close_only, data.price, data.prices_lost, strategy.take, execution.submit
    )
