"""What a valid strategy is: frozen records, parameters already resolved. Which values are legal is `core.strategy_rules`' to say."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

Scalar = Decimal | str | bool
MOST_RULES = 60  # entries, and exits: each is one bit of an integer
Side = Literal["long", "short"]
LevelKind = Literal["percentage", "pips", "atr", "price"]
SizeMode = Literal["fraction", "units", "lots", "risk"]
OrderKind = Literal["market", "limit", "stop"]
ExitAction = Literal["close_all", "close_long", "close_short", "close_partial"]
Operator = Literal[">", ">=", "<", "<=", "==", "!=", "in", "range"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """`range` is inclusive at both ends; `in` holds any number of operands, all others one."""

    operator: Operator
    operands: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class OutputTest:
    """`crossover_type` and `signal_strength` are the event's type and strength; other names are looked up in its metadata."""

    output: str
    comparison: Comparison


@dataclass(frozen=True, slots=True)
class SignalMatch:
    """Holds on a bar when one event of the signal at that bar passes every test."""

    signal: str
    tests: tuple[OutputTest, ...] = ()


@dataclass(frozen=True, slots=True)
class AllOf:
    conditions: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    conditions: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Not:
    condition: "Condition"


Condition = SignalMatch | AllOf | AnyOf | Not


@dataclass(frozen=True, slots=True)
class Level:
    """A distance from a price (or, for `price`, the level itself); `period` matters to `atr` only."""

    kind: LevelKind
    value: Decimal
    period: int = 14


@dataclass(frozen=True, slots=True)
class Size:
    mode: SizeMode
    value: Decimal


@dataclass(frozen=True, slots=True)
class EntryOrder:
    kind: OrderKind = "market"
    offset: Level | None = None
    expiry: int | None = None


@dataclass(frozen=True, slots=True)
class EntryRule:
    when: Condition
    side: Side
    size: Size
    order: EntryOrder = EntryOrder()
    scale_in: bool = False
    max_positions: int = 1
    reverse: bool = False


@dataclass(frozen=True, slots=True)
class ExitRule:
    when: Condition
    action: ExitAction


@dataclass(frozen=True, slots=True)
class TrailingStop:
    activation: Decimal
    trail: Decimal


@dataclass(frozen=True, slots=True)
class Exits:
    """`stop_loss` and `take_profit` already fall back to the risk section's."""

    rules: tuple[ExitRule, ...] = ()
    stop_loss: Level | None = None
    take_profit: Level | None = None
    trailing_stop: TrailingStop | None = None
    scale_out: bool = False
    partial_close_pct: Decimal | None = None
    time_exit: int | None = None


@dataclass(frozen=True, slots=True)
class RiskLimits:
    max_drawdown: Decimal | None = None
    daily_loss_limit: Decimal | None = None
    position_limit: Decimal | None = None
    max_positions: int | None = None


@dataclass(frozen=True, slots=True)
class SignalUse:
    """A signal component by its dotted name (`signals.ma_crossover`) and the parameters the strategy gives it."""

    component: str
    params: dict[str, Scalar] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.component.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Strategy:
    name: str
    version: str
    entries: tuple[EntryRule, ...]
    exits: Exits = Exits()
    risk: RiskLimits = RiskLimits()
    signals: tuple[SignalUse, ...] = ()
    indicators: tuple[str, ...] = ()
    parameters: dict[str, Scalar] = field(default_factory=dict)
    author: str = ""
    description: str = ""
