"""What the services say to each other, and what they need of the session around them, as small protocols."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.signals import NONE
from sptrader_desktop.ports import CandleRequest
from sptrader_desktop.runtime.live.spreads import Spread

NO_EVENT = NONE


class PauseReason(StrEnum):
    MARKET_CLOSED = "market closed"
    RISK_BREACH = "risk breach"
    PERSON = "a person"


class Regime(StrEnum):
    TREND = "trend"
    RANGE = "range"
    VOLATILE = "volatile"


@dataclass(frozen=True, slots=True)
class Signal:
    """One message: an event of a signal on one bar, named by the bar's open, or `none`: it was asked and has nothing to say.

    Times are microseconds UTC. Without a timeframe it acts on arrival and belongs to no bar. A bar on which a signal has several events
    has as many messages, `part` of `parts`.
    """

    id: str
    name: str
    symbol: str
    timeframe: str | None
    bar_time: int | None
    kind: str
    strength: float
    valid_until: int
    metadata: Mapping[str, float | str] = field(default_factory=dict)
    part: int = 1
    parts: int = 1

    @property
    def is_event(self) -> bool:
        return self.kind != NO_EVENT


@dataclass(frozen=True, slots=True)
class EvaluatedSet:
    """All that is known of the signals of one bar, judged once. A rule that names a signal in `missing` must not hold, nor its `not`.

    `signals` has an entry for each signal that was heard, empty where it said `none`. With `is_close_only` nothing may be opened.
    """

    symbol: str
    bar_time: int | None
    signals: Mapping[str, tuple[Signal, ...]]
    missing: frozenset[str]
    is_close_only: bool


class Order(Protocol):
    """An order of the session's; what it is in detail is nothing to a service."""

    @property
    def id(self) -> str: ...

    @property
    def symbol(self) -> str: ...

    @property
    def opens(self) -> bool:
        """Whether it adds risk; what closes, cancels or protects does not."""
        ...


# The session decides: it journals the set, applies it, and answers the orders that follow.
Decide = Callable[[EvaluatedSet], Awaitable[Sequence[Order]]]
# Hands one order on, once; answers what to tell. SptraderError: refused, for the reason it gives. Nothing is handed on twice.
Execute = Callable[[Order], Awaitable[str]]


class CandleFeed(Protocol):
    """A source of candles that does not hold the loop up. SptraderError: it cannot be had now."""

    async def candles(self, asked: CandleRequest) -> Candles: ...


class SignalStream(Protocol):
    """Where own signals go, to be consumed from it like any others."""

    async def publish(self, signals: Sequence[Signal]) -> None: ...


class Market(Protocol):
    """What is known of markets and quotes."""

    def is_open(self, symbol: str, at: int) -> bool: ...

    def quoted_at(self, symbol: str) -> int | None:
        """When its last price was made; None before the first."""
        ...

    def spread(self, symbol: str) -> Spread | None:
        """None while it is not known what is usual."""
        ...


class Latch(Protocol):
    """The halt that outlives the program, until a person re-arms."""

    @property
    def reason(self) -> str:
        """Empty while it is armed."""
        ...

    def shut(self, reason: str) -> None: ...


class TradeEvents(Protocol):
    """Others may hear of trades; nobody waits for them."""

    @property
    def is_connected(self) -> bool: ...

    def publish(self, event: object) -> None: ...


class CloseOnly:
    """Why a symbol may not open positions, by who says so."""

    def __init__(self) -> None:
        self._reasons: dict[str, str] = {}

    def set(self, who: str, why: str) -> None:
        self._reasons[who] = why

    def clear(self, who: str) -> None:
        self._reasons.pop(who, None)

    @property
    def reason(self) -> str:
        """Empty where it may."""
        return "; ".join(self._reasons.values())
