"""What an explanation of one bar consists of: facts as the engine keeps them, integers and codes, for whoever words them.

Times are microseconds UTC, prices ticks, quantities steps, money and fractions 1e-8; `unit` says which of them a number is.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from sptrader_desktop.core.instruments import Instrument
from sptrader_desktop.core.strategy import ExitAction, OutputTest, Side

Unit = Literal["count", "fraction", "money", "steps", "bars", "switch", "hundredths"]
FillStage = Literal["open", "inside", "close"]
Reading = Literal["gap", "level", "stop_first", "target_first", "finer"]
CheckName = Literal[
    "opposite",
    "already_in",
    "no_atr",
    "halted",
    "max_positions",
    "max_drawdown",
    "daily_loss",
    "margin",
    "position_limit",
    "zero_size",
]
Setting = Literal[
    "reverse", "entry max_positions", "max_positions", "max_drawdown", "daily_loss_limit", "leverage", "position_limit", "size"
]

# Conditions


@dataclass(frozen=True, slots=True)
class ValueSeen:
    """One test of one event; `value` is None when the signal has no such output."""

    test: OutputTest
    value: object
    passed: bool


@dataclass(frozen=True, slots=True)
class MatchSeen:
    """`events` holds the values of each event of the bar; without any, `last_event` is when the bar of the latest earlier one opened."""

    signal: str
    tests: tuple[OutputTest, ...]
    events: tuple[tuple[ValueSeen, ...], ...]
    last_event: int | None
    passed: bool


@dataclass(frozen=True, slots=True)
class GroupSeen:
    joined: Literal["all", "any", "not"]
    parts: tuple["ConditionSeen", ...]
    passed: bool


ConditionSeen = MatchSeen | GroupSeen


# Checks, and what would have had to differ


@dataclass(frozen=True, slots=True)
class Check:
    """`passed` is None where an earlier failure left nothing to compare; `limit` None where there is none; `causes` name halting limits."""

    name: CheckName
    passed: bool | None
    figure: int | None
    limit: int | None
    unit: Unit
    causes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EventNeed:
    """A value of event `event` that passes the one test, an event that passes all tests, or no event that does."""

    signal: str
    change: Literal["value", "event", "no_event"]
    tests: tuple[OutputTest, ...]
    event: int = 0
    seen: object = None


@dataclass(frozen=True, slots=True)
class LimitNeed:
    """The smallest value of one setting with which this entry would have passed at this bar."""

    setting: Setting
    at_least: int
    unit: Unit


Need = EventNeed | LimitNeed


# What happened


class SidePrices(NamedTuple):
    open: int
    high: int
    low: int
    close: int


@dataclass(frozen=True, slots=True)
class FillSeen:
    """`reason` is an exit reason, None for an entry; `level` and `reading` belong to orders and protective exits, `profit` to exits."""

    stage: FillStage
    side: int
    quantity: int
    price: int
    commission: int
    reason: str | None = None
    order_kind: str | None = None
    level: int | None = None
    reading: Reading | None = None
    profit: int | None = None


@dataclass(frozen=True, slots=True)
class OrderSeen:
    """`settled_at` is the open stamp of the bar in which it left the `working` state."""

    number: int
    kind: str
    side: int
    quantity: int
    level: int | None
    decided_at: int
    state: str
    settled_at: int | None = None
    fill_price: int | None = None


@dataclass(frozen=True, slots=True)
class PositionSeen:
    """As it was when the rules decided; `closing` steps were then ordered closed, or had been before, for `closing_reason`."""

    side: int
    quantity: int
    entry_price: int
    entry_time: int
    stop: int | None
    trailing: int | None
    target: int | None
    open_profit: int
    closes: int
    closing: int
    closing_reason: str | None


@dataclass(frozen=True, slots=True)
class Marks:
    """The account at the close; a fraction is None where its base is gone."""

    equity: int
    drawdown: int
    drawdown_fraction: int | None
    day_loss: int
    day_loss_fraction: int | None


@dataclass(frozen=True, slots=True)
class ExitSeen:
    action: ExitAction
    condition: ConditionSeen


@dataclass(frozen=True, slots=True)
class EntrySeen:
    """`verdict` is the run's when the conditions held, else what the checks would have said had they held."""

    side: Side
    reverse: bool
    condition: ConditionSeen
    checks: tuple[Check, ...]
    verdict: str
    quantity: int
    order: OrderSeen | None
    blocker: ConditionSeen | Check | None
    would_need: tuple[Need, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """`positions` and `orders` are those of this symbol; `orders` were working while the bar ran."""

    instrument: Instrument
    currency: str
    timeframe: str
    bar: int
    opened_at: int
    closed_at: int
    bid: SidePrices
    ask: SidePrices
    fills: tuple[FillSeen, ...]
    orders: tuple[OrderSeen, ...]
    marks: Marks
    positions: tuple[PositionSeen, ...]
    time_exit: int | None
    exits: tuple[ExitSeen, ...]
    entries: tuple[EntrySeen, ...]
