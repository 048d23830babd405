"""What happens within one symbol and among its services, as facts that never change; `at` is microseconds UTC, when we learned of it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from sptrader_desktop.runtime.live.bars_from_prices import Bar
from sptrader_desktop.runtime.live.parts import Order, Regime, Signal


class EventKind(StrEnum):
    NEW_CANDLE = "NEW_CANDLE"
    DATA_FETCH_FAILED = "DATA_FETCH_FAILED"
    INDICATORS_UPDATED = "INDICATORS_UPDATED"
    REGIME_CHANGED = "REGIME_CHANGED"
    SIGNAL_GENERATED = "SIGNAL_GENERATED"
    SIGNAL_VALIDATED = "SIGNAL_VALIDATED"
    SIGNAL_REJECTED = "SIGNAL_REJECTED"
    TRADE_EXECUTED = "TRADE_EXECUTED"
    TRADE_FAILED = "TRADE_FAILED"
    SERVICE_STARTED = "SERVICE_STARTED"
    SERVICE_STOPPED = "SERVICE_STOPPED"
    SERVICE_ERROR = "SERVICE_ERROR"
    ORCHESTRATOR_STARTED = "ORCHESTRATOR_STARTED"
    ORCHESTRATOR_STOPPED = "ORCHESTRATOR_STOPPED"
    ORCHESTRATOR_PAUSED = "ORCHESTRATOR_PAUSED"


@dataclass(frozen=True, slots=True)
class Event:
    kind: ClassVar[EventKind]
    symbol: str
    at: int


@dataclass(frozen=True, slots=True)
class NewCandle(Event):
    """A bar is over. One that is `late` fills a gap or the past: another is over already, and nothing is decided on it."""

    kind = EventKind.NEW_CANDLE
    bar: Bar
    is_late: bool = False


@dataclass(frozen=True, slots=True)
class DataFetchFailed(Event):
    kind = EventKind.DATA_FETCH_FAILED
    why: str


@dataclass(frozen=True, slots=True)
class Row:
    """What the components said on one bar: the events of each that was asked."""

    bar_time: int
    signals: tuple[Signal, ...]


@dataclass(frozen=True, slots=True)
class IndicatorsUpdated(Event):
    """`rows` are the last bars, this one last. Signals that went out to the stream (`is_published`) come back from there.

    `failed` names the components that gave no answer.
    """

    kind = EventKind.INDICATORS_UPDATED
    bar_time: int
    rows: tuple[Row, ...]
    failed: tuple[str, ...]
    is_published: bool


@dataclass(frozen=True, slots=True)
class RegimeChanged(Event):
    """`before` is None at the first."""

    kind = EventKind.REGIME_CHANGED
    bar_time: int
    before: Regime | None
    regime: Regime


@dataclass(frozen=True, slots=True)
class SignalGenerated(Event):
    """The strategy wants something: these orders."""

    kind = EventKind.SIGNAL_GENERATED
    bar_time: int | None
    orders: tuple[Order, ...]


@dataclass(frozen=True, slots=True)
class SignalValidated(Event):
    kind = EventKind.SIGNAL_VALIDATED
    signal: Signal


@dataclass(frozen=True, slots=True)
class SignalRejected(Event):
    kind = EventKind.SIGNAL_REJECTED
    signal: Signal
    why: str


@dataclass(frozen=True, slots=True)
class TradeExecuted(Event):
    kind = EventKind.TRADE_EXECUTED
    order: str
    detail: str


@dataclass(frozen=True, slots=True)
class TradeFailed(Event):
    kind = EventKind.TRADE_FAILED
    order: str
    why: str


@dataclass(frozen=True, slots=True)
class ServiceStarted(Event):
    kind = EventKind.SERVICE_STARTED
    service: str


@dataclass(frozen=True, slots=True)
class ServiceStopped(Event):
    kind = EventKind.SERVICE_STOPPED
    service: str


@dataclass(frozen=True, slots=True)
class ServiceError(Event):
    kind = EventKind.SERVICE_ERROR
    service: str
    why: str


@dataclass(frozen=True, slots=True)
class OrchestratorStarted(Event):
    kind = EventKind.ORCHESTRATOR_STARTED
    why: str = ""


@dataclass(frozen=True, slots=True)
class OrchestratorStopped(Event):
    kind = EventKind.ORCHESTRATOR_STOPPED
    why: str = ""


@dataclass(frozen=True, slots=True)
class OrchestratorPaused(Event):
    kind = EventKind.ORCHESTRATOR_PAUSED
    why: str
