"""How the services of a live session work: which `services.yaml` is valid, and what its keys mean. An adapter reads the text."""

from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Literal

from sptrader_desktop.core.errors import Problem
from sptrader_desktop.core.strategy_fields import Field, Findings, Plain, Section, Span
from sptrader_desktop.runtime.live.risk_config import RiskConfig, risk_of

EvaluationMode = Literal["on_new_candle", "on_signal"]
ExecutionMode = Literal["immediate", "observe"]
EVALUATION_MODES: tuple[EvaluationMode, ...] = ("on_new_candle", "on_signal")
EXECUTION_MODES: tuple[ExecutionMode, ...] = ("immediate", "observe")
SECONDS = Span(Decimal(0), Decimal(86_400))
SECONDS_OR_NONE, RATIO_OR_NONE = Span(Decimal(0), Decimal(86_400), has_low=True), Span(Decimal(0), Decimal(1_000), has_low=True)
MOST_RETRIES, MOST_BARS, MOST_ROWS = 20, 1_000, 10_000
OPEN_BAR = 1  # counted back from the newest; the one before it, 2, is the last that is over


@dataclass(frozen=True, slots=True)
class DataFetching:
    """Seconds between two questions for candles; `candle_index` counts back from the bar that is still open."""

    enabled: bool = True
    fetch_interval: float = 30.0
    retry_attempts: int = 3
    candle_index: int = 2
    nbr_bars: int = 2


@dataclass(frozen=True, slots=True)
class IndicatorCalculation:
    """`recent_rows_limit`: of so many of the last bars what the components said is kept. The regime is what `regime_component` says."""

    enabled: bool = True
    recent_rows_limit: int = 6
    track_regime_changes: bool = True
    regime_component: str = "signals.regime"


@dataclass(frozen=True, slots=True)
class StrategyEvaluation:
    enabled: bool = True
    evaluation_mode: EvaluationMode = "on_new_candle"
    min_rows_required: int = 3


@dataclass(frozen=True, slots=True)
class TradeExecution:
    """An entry needs a price that is no older than `max_price_age`, in seconds, and a spread of no more than `max_spread_ratio` times the
    usual one; 0 asks for neither."""

    enabled: bool = True
    execution_mode: ExecutionMode = "immediate"
    max_price_age: float = 2.0
    max_spread_ratio: float = 5.0


@dataclass(frozen=True, slots=True)
class OrchestratorConfig:
    """Intervals in seconds."""

    enable_auto_restart: bool = True
    health_check_interval: float = 60.0
    status_log_interval: float = 10.0


@dataclass(frozen=True, slots=True)
class ServicesConfig:
    data_fetching: DataFetching = field(default_factory=DataFetching)
    indicator_calculation: IndicatorCalculation = field(default_factory=IndicatorCalculation)
    strategy_evaluation: StrategyEvaluation = field(default_factory=StrategyEvaluation)
    trade_execution: TradeExecution = field(default_factory=TradeExecution)
    orchestrator: OrchestratorConfig = field(default_factory=OrchestratorConfig)
    risk: RiskConfig = field(default_factory=RiskConfig)


_Kind = type[DataFetching | IndicatorCalculation | StrategyEvaluation | TradeExecution | OrchestratorConfig]
_KINDS: dict[str, _Kind] = {
    "data_fetching": DataFetching,
    "indicator_calculation": IndicatorCalculation,
    "strategy_evaluation": StrategyEvaluation,
    "trade_execution": TradeExecution,
}


def resolve_services(data: Plain) -> ServicesConfig | tuple[Problem, ...]:
    """A key that is not written has the value of the classes above."""
    findings = Findings()
    root = Field((), data, findings).section("services", "orchestrator", "risk")
    services = root.or_empty("services").section(*_KINDS)
    config = ServicesConfig(
        _data(_section(services, "data_fetching", DataFetching)),
        _indicators(_section(services, "indicator_calculation", IndicatorCalculation)),
        _strategy(_section(services, "strategy_evaluation", StrategyEvaluation)),
        _execution(_section(services, "trade_execution", TradeExecution)),
        _orchestrator(_section(root, "orchestrator", OrchestratorConfig)),
        risk_of(root.or_empty("risk").section("account", "each_symbol", "symbols")),
    )
    if not findings.problems:
        _join(services, config)
    return tuple(findings.problems) or config


def _section(parent: Section, key: str, kind: _Kind) -> Section:
    return parent.or_empty(key).section(*(of.name for of in fields(kind)))


def _data(at: Section) -> DataFetching:
    given = DataFetching()
    return DataFetching(
        _flag(at, "enabled"),
        _seconds(at, "fetch_interval", given.fetch_interval),
        _whole(at, "retry_attempts", given.retry_attempts, 0, MOST_RETRIES),
        _candle_index(at, given.candle_index),
        _whole(at, "nbr_bars", given.nbr_bars, 1, MOST_BARS),
    )


def _candle_index(at: Section, given: int) -> int:
    found = at.get("candle_index")
    if found is not None and found.value == OPEN_BAR:
        found.refuse("is the bar that is still open, which may change: write 2 for the last one that is over")
        return given
    return _whole(at, "candle_index", given, OPEN_BAR + 1, MOST_BARS)


def _indicators(at: Section) -> IndicatorCalculation:
    given, regime = IndicatorCalculation(), at.get("regime_component")
    named = given.regime_component if regime is None else regime.text()
    if regime is not None and named and not named.startswith("signals."):
        regime.refuse("must be a signal by its full name, such as signals.regime")
    return IndicatorCalculation(
        _flag(at, "enabled"),
        _whole(at, "recent_rows_limit", given.recent_rows_limit, 1, MOST_ROWS),
        _flag(at, "track_regime_changes"),
        named,
    )


def _strategy(at: Section) -> StrategyEvaluation:
    given, mode = StrategyEvaluation(), at.get("evaluation_mode")
    return StrategyEvaluation(
        _flag(at, "enabled"),
        given.evaluation_mode if mode is None else mode.word(EVALUATION_MODES),
        _whole(at, "min_rows_required", given.min_rows_required, 1, MOST_ROWS),
    )


def _execution(at: Section) -> TradeExecution:
    given, mode = TradeExecution(), at.get("execution_mode")
    return TradeExecution(
        _flag(at, "enabled"),
        given.execution_mode if mode is None else mode.word(EXECUTION_MODES),
        _number(at, "max_price_age", given.max_price_age, SECONDS_OR_NONE),
        _number(at, "max_spread_ratio", given.max_spread_ratio, RATIO_OR_NONE),
    )


def _orchestrator(at: Section) -> OrchestratorConfig:
    given = OrchestratorConfig()
    return OrchestratorConfig(
        _flag(at, "enable_auto_restart"),
        _seconds(at, "health_check_interval", given.health_check_interval),
        _seconds(at, "status_log_interval", given.status_log_interval),
    )


def _join(services: Section, config: ServicesConfig) -> None:
    """What is right in itself and does not go together."""
    data, indicators, strategy = config.data_fetching, config.indicator_calculation, config.strategy_evaluation
    if data.nbr_bars < data.candle_index - 1:
        _blame(services, "data_fetching", "nbr_bars").refuse(
            f"does not reach back to the bar that candle_index {data.candle_index} names: write {data.candle_index - 1} or more"
        )
    if not indicators.enabled:
        return
    if not data.enabled:
        _blame(services, "data_fetching", "enabled").refuse("leaves indicator_calculation without candles: switch that off too")
    if strategy.enabled and strategy.min_rows_required > indicators.recent_rows_limit:
        _blame(services, "strategy_evaluation", "min_rows_required").refuse(
            f"is more than recent_rows_limit of indicator_calculation, {indicators.recent_rows_limit}: nothing would ever be evaluated"
        )


def _blame(services: Section, service: str, key: str) -> Field:
    """The key, or where it would stand: its value is then the one that is not written."""
    section = _section(services, service, _KINDS[service])
    return section.get(key) or section.at.child(key, _plain(getattr(_KINDS[service](), key)))


def _plain(value: bool | int) -> Plain:
    return value if isinstance(value, bool) else Decimal(value)


def _flag(at: Section, key: str) -> bool:
    """All flags of this file are true unless written otherwise."""
    found = at.get(key)
    return True if found is None else found.flag()


def _whole(at: Section, key: str, given: int, low: int, high: int) -> int:
    found = at.get(key)
    return given if found is None else found.integer(low, high)


def _seconds(at: Section, key: str, given: float) -> float:
    return _number(at, key, given, SECONDS)


def _number(at: Section, key: str, given: float, span: Span) -> float:
    found = at.get(key)
    return given if found is None else float(found.number(span))
