"""What is said to a broker and what it answers: requests are imperative, transactions are past and numbered without a gap.

Prices are ticks, quantities steps, money 1e-8 of the account currency, times microseconds UTC. A request's `id` is chosen by who asks,
once and for ever; every transaction that follows from it carries it.
"""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Place:
    """An entry. `level` is −1 for a market order, `expiry` −1 for until cancelled, else bars. The distances are those of ATR exits."""

    id: str
    symbol: str
    rule: int
    side: int
    kind: str
    quantity: int
    level: int
    expiry: int
    stop_distance: int
    target_distance: int


@dataclass(frozen=True, slots=True)
class Close:
    """Reduce only. `at_close`: at the price of the close that decided it."""

    id: str
    position: int
    quantity: int
    reason: str
    at_close: bool


@dataclass(frozen=True, slots=True)
class Cancel:
    """`order` is the id of what was placed."""

    id: str
    order: str


@dataclass(frozen=True, slots=True)
class Protect:
    """The levels from now on; None leaves one as it is, and `core.tables.FAR` on its side is none."""

    id: str
    position: int
    trail: int | None
    stop: int | None = None
    target: int | None = None


Request = Place | Close | Cancel | Protect


@dataclass(frozen=True, slots=True)
class Hello:
    """Tell me every transaction after `since`, in order, and then those that come."""

    account: str
    since: int


@dataclass(frozen=True, slots=True)
class AskSnapshot:
    id: str


@dataclass(frozen=True, slots=True)
class Ping:
    id: str


Asked = Request | Hello | AskSnapshot | Ping


class What(StrEnum):
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    FILLED = "filled"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    CANCEL_REJECTED = "cancel_rejected"
    EXPIRED = "expired"
    PROTECTED = "protected"
    FINANCED = "financed"


@dataclass(frozen=True, slots=True)
class Transaction:
    """`at` is the open of the bar in which it happened, `opened` how the position came to be (`core.tables.AT_OPEN` …); `cash` is what
    the account held after it. `reason` is an exit reason, or why something was rejected."""

    n: int
    what: What
    id: str
    at: int
    symbol: str = ""
    position: int = -1
    side: int = 0
    quantity: int = 0
    price: int = 0
    commission: int = 0
    amount: int = 0
    reason: str = ""
    opened: int = 0
    ambiguous: int = 0
    resolved: int = 0
    stop: int = 0
    target: int = 0
    trail: int = 0
    cash: int = 0


@dataclass(frozen=True, slots=True)
class Welcome:
    """`n` is the number of the last transaction there is. A broker that does not hold stops fills and closes only what it is asked."""

    account: str
    environment: str
    currency: str
    n: int
    holds_stops: bool = True


@dataclass(frozen=True, slots=True)
class HeldPosition:
    """A level that is not there is None."""

    position: int
    symbol: str
    side: int
    quantity: int
    price: int
    stop: int | None
    target: int | None
    trail: int | None


@dataclass(frozen=True, slots=True)
class WorkingOrder:
    """`quantity` is what is left of it; `level` is −1 for a market order."""

    id: str
    symbol: str
    side: int
    kind: str
    quantity: int
    level: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the broker holds after transaction `n`."""

    id: str
    n: int
    cash: int
    positions: tuple[HeldPosition, ...]
    orders: tuple[WorkingOrder, ...]


@dataclass(frozen=True, slots=True)
class Pong:
    """Everything that was said before the ping has been read. `n` is the number of the last transaction there is, 0 where nobody says."""

    n: int = 0


@dataclass(frozen=True, slots=True)
class Refused:
    """It went nowhere. Without an id it was not understood."""

    id: str | None
    why: str


@dataclass(frozen=True, slots=True)
class Lost:
    """The guardian lost `what`; this connection ends."""

    what: str


Answer = Transaction | Welcome | Snapshot | Pong | Refused | Lost
