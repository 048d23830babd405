"""What happened, as it is written into the journal: past, complete, and enough to come to the same state again.

Bars and transactions are records of their own modules; these are the rest. Times are microseconds UTC. Those of every bar are tuples, which
are made in half the time.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple

from sptrader_desktop.core.broker_messages import Snapshot, Transaction
from sptrader_desktop.core.live_book import BarOpen, BarRange, Hits
from sptrader_desktop.core.risk_tree import NodeLimits


@dataclass(frozen=True, slots=True)
class SessionBegan:
    """What everything after it was decided by. `inputs` is a hash of strategy text, components, terms and symbols."""

    at: int
    account: str
    inputs: str
    strategy: str
    symbols: tuple[str, ...]
    timeframe: str


class BarsOpened(NamedTuple):
    at: int
    bars: tuple[BarOpen, ...]


class BarsClosed(NamedTuple):
    """The ranges, before what the broker did inside them is booked and before anything is decided."""

    at: int
    bars: tuple[BarRange, ...]


class Decided(NamedTuple):
    """At the close told last: which rules held, by which signals."""

    at: int
    hits: tuple[Hits, ...]
    signals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CloseFilled:
    """With fills at the close: the broker has done what was asked of it there."""

    at: int
    filled: bool


@dataclass(frozen=True, slots=True)
class PriceSeen:
    at: int
    series: int
    raw: int
    ask: int


@dataclass(frozen=True, slots=True)
class Acted:
    """A signal without a bar: it acts where it arrives."""

    at: int
    hits: Hits
    signals: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SignalJudged:
    """One outcome for every signal that was consumed: `taken`, or why it was not. `place` is where in its stream it stood."""

    at: int
    id: str
    place: str
    outcome: str
    name: str = ""
    symbol: str = ""
    publisher: str = ""
    number: int = -1  # its publisher's; negative where it gives none


@dataclass(frozen=True, slots=True)
class SignalsRead:
    """So far the stream of signals was read: what stands before `read` and comes again is not counted again. `place` is that of
    `SignalJudged`; `numbers` are the last of each publisher who spoke."""

    at: int
    read: str
    place: str
    numbers: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class TransactionSeen:
    transaction: Transaction


@dataclass(frozen=True, slots=True)
class BrokerDiffers:
    """Its books and ours, at the same transaction; a person decides."""

    at: int
    why: str


@dataclass(frozen=True, slots=True)
class TakenOver:
    """A person let the broker's books be ours."""

    at: int
    by: str
    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class RequestUnsettled:
    """It never came to the broker, for the reason `why`; without one the broker's log was read without a gap past the quarantine, and
    does not have it."""

    at: int
    id: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class AskedAgain:
    """The broker hears us: what lessens risk and did not come about is asked of it once more, under new ids."""

    at: int


@dataclass(frozen=True, slots=True)
class Commanded:
    """What a person asked for: pause, resume, halt, rearm (`about` a symbol, or nothing for all), cancel (an order's id), close (a
    position's number), flatten."""

    at: int
    what: str
    by: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class LimitsSet:
    """In place of all before: the tree of limits as a person wrote it. What was breached stays so."""

    at: int
    limits: tuple[NodeLimits, ...]


@dataclass(frozen=True, slots=True)
class BrokerMet:
    """Whom this account belongs to: another is never traded with. Stops, targets and trailing levels it does not hold are watched here.
    With a `tag` it knew this account before the journal did, and may know ids without one."""

    at: int
    environment: str
    currency: str
    holds_stops: bool
    tag: str = ""


@dataclass(frozen=True, slots=True)
class ReplayEnded:
    """No candle is left, and the broker closed everything at the last prices."""

    at: int = 0


Fact = (
    SessionBegan
    | BarsOpened
    | BarsClosed
    | Decided
    | CloseFilled
    | PriceSeen
    | Acted
    | SignalJudged
    | SignalsRead
    | TransactionSeen
    | BrokerMet
    | BrokerDiffers
    | TakenOver
    | RequestUnsettled
    | AskedAgain
    | Commanded
    | LimitsSet
    | BrokerMet
    | ReplayEnded
)

# How each is called in the journal.
KINDS: dict[str, type] = {re.sub("(?<!^)([A-Z])", r"_\1", kind.__name__).lower(): kind for kind in Fact.__args__}
