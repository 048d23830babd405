"""What the program needs from outside, as protocols: adapters implement them, tests bring fakes."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from sptrader_desktop.core.candles import Candles, PriceSide
from sptrader_desktop.core.errors import ComponentError
from sptrader_desktop.core.rules import EventTable
from sptrader_desktop.core.signals import Said, Signal
from sptrader_desktop.core.strategy import Scalar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sptrader_desktop.core.broker_messages import Answer as BrokerAnswer
    from sptrader_desktop.core.broker_messages import Asked as BrokerAsked
    from sptrader_desktop.core.simulation import Outcome


@dataclass(frozen=True, slots=True)
class CandleRequest:
    """Bars of one symbol whose open lies in [start, end); None: from the first, to the last."""

    symbol: str
    timeframe: str
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Dataset:
    """One series that a source holds; `first` and `last` are opens. Not every source knows what is synthetic."""

    symbol: str
    timeframe: str
    side: PriceSide
    has_ask: bool
    rows: int
    first: datetime
    last: datetime
    is_synthetic: bool = False


class CandleSource(Protocol):
    """Where candles come from. They are checked before they are handed out; what is missing or doubtful raises DataError."""

    def candles(self, asked: CandleRequest) -> Candles: ...

    def datasets(self) -> Sequence[Dataset]: ...


class CandleStore(CandleSource, Protocol):
    """A source that can be filled."""

    def keep(self, candles: Candles) -> int:
        """All or nothing; a bar that is there already is replaced. The number of rows written."""
        ...


@dataclass(frozen=True, slots=True)
class LivePrice:
    """In ticks of the symbol's instrument; without `ask` the price is a mid. `stamp` is in microseconds UTC."""

    symbol: str
    stamp: int
    price: int
    ask: int | None = None


class LivePrices(Protocol):
    """Prices as they come, in their order; used from one thread."""

    @property
    def shown(self) -> str:
        """Where they come from, for people."""
        ...

    def read(self, symbols: Collection[str]) -> Sequence[LivePrice]:
        """What came since the last time, at first the last that is known of each; waits a moment where there is nothing. DataError where
        the connection is lost: asking again goes on where it was."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class SignalRead:
    """`is_stale`: a later one of its publisher is known already. Without `seq` nobody can tell whether one before it was lost."""

    stream_id: str
    signal: Signal
    is_stale: bool = False

    @property
    def loss_is_detectable(self) -> bool:
        return self.signal.seq is not None


@dataclass(frozen=True, slots=True)
class PoisonRead:
    """A message that is no signal: which rule it breaks, why in a sentence, and what it held, cut to a bound."""

    stream_id: str
    rule: str
    reason: str
    content: bytes


@dataclass(frozen=True, slots=True)
class LossSeen:
    """Messages that will not be read. `gap`: numbers of a publisher are missing; `trimmed`: the server threw them away unread; `forgotten`:
    it went back behind what it had handed out; `emptied`: the stream was removed. `count` where it can be known. With `stream_id` it is
    the entry whose content is gone, which is acknowledged like any other."""

    kind: Literal["gap", "trimmed", "forgotten", "emptied"]
    count: int | None
    text: str
    publisher: str | None = None
    stream_id: str | None = None


@dataclass(frozen=True, slots=True)
class FeedAlarm:
    """Something a person should know. `group`: the group was gone or moved and is as it was; `memory`: the server takes nothing more, or
    soon; `policy`: it is not set up so that what it took is safe."""

    kind: Literal["group", "memory", "policy"]
    text: str


@dataclass(frozen=True, slots=True)
class PriceRead:
    stream_id: str
    prices: tuple[LivePrice, ...]


FeedRecord = SignalRead | PoisonRead | LossSeen | FeedAlarm


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """`since` is when it became so, in microseconds UTC; `error` is the last one, also when all is well again."""

    connected: bool
    since: int
    error: str = ""


class FeedPosition(NamedTuple):
    """All up to `stream_id` has been handed out; `entries` is how many the stream had taken by then, where that is known, and `content`
    tells what had that id from what a server that went back gives it to."""

    stream_id: str
    entries: int | None = None
    content: str = ""


class SignalFeed(Protocol):
    """Signals as they come. What was read is handed out again after a restart until it was acknowledged, so it may come twice."""

    @property
    def status(self) -> FeedStatus: ...

    @property
    def position(self) -> FeedPosition | None:
        """To be kept together with what was read, and given back after a restart; none before the first reading."""
        ...

    @property
    def sequences(self) -> Mapping[str, int]:
        """The last number of each publisher."""
        ...

    @property
    def read_to(self) -> str:
        """All up to here was handed out once, in this life or one before: to be kept with the publishers' numbers; empty as above."""
        ...

    async def read(self) -> Sequence[FeedRecord]:
        """A batch, or nothing after a moment. A server that is away is waited for, a moment at a time, and `status` tells it."""
        ...

    def believe_only_signed(self) -> None:
        """From now on what no known publisher has signed is poison."""
        ...

    async def ack(self, stream_ids: Collection[str]) -> None:
        """Last of all, when what became of them is kept. Where the server is away it is done later."""
        ...

    async def close(self) -> None: ...


class Publisher(Protocol):
    """Puts signals and prices where the feeds read them; used from one thread, which it may hold up for seconds."""

    def signal(self, said: Said) -> Signal:
        """What was published. DataError where it is no signal, or where the server took nothing."""
        ...

    def prices(self, prices: Mapping[str, Any]) -> None: ...

    def close(self) -> None: ...


class PriceFeed(Protocol):
    """Prices as they come, at first the last that is known of each symbol."""

    @property
    def status(self) -> FeedStatus: ...

    async def read(self) -> Sequence[PriceRead]: ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Piece:
    """One file of a vendor's history: its place below the vendor's address, and the time [start, end) it covers, in microseconds UTC."""

    name: str
    start: int
    end: int


class HistoryVendor(Protocol):
    """Free history in files that are fetched once. `name` is one word, fit for a folder."""

    name: str

    def pieces(self, asked: CandleRequest) -> Sequence[Piece]:
        """What covers the range, in order; hours in which the market is closed are not among them."""
        ...

    def fetch(self, piece: Piece) -> bytes:
        """As the vendor sent it, known to be readable; nothing where the vendor has nothing."""
        ...

    def candles(self, asked: CandleRequest, pieces: Sequence[Piece], read: Callable[[Piece], bytes], until: int) -> Candles:
        """Bars whose open lies in the range and that were over at `until`, checked like a file's."""
        ...


@dataclass(frozen=True, slots=True)
class ComponentJob:
    """One component, by its dotted name, over all candles of one symbol; `params` override the component's defaults.

    `attempt` asks the same again for comparison: anything but 0 is really computed, and another number in another process.
    """

    component: str
    params: Mapping[str, Scalar]
    candles: Candles
    attempt: int = 0


# What an indicator gives: one column over bars for each output, NaN where it has no value.
Values = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What one job came to. An error stands in the result's place: no values, no signal, no trade."""

    result: EventTable | Values | ComponentError
    stdout: str = ""
    stderr: str = ""

    def events(self) -> EventTable:
        result = self._good()
        assert isinstance(result, EventTable), "an indicator gives no events"
        return result

    def values(self) -> Values:
        result = self._good()
        assert not isinstance(result, EventTable), "a signal gives events"
        return result

    def _good(self) -> EventTable | Values:
        if isinstance(self.result, ComponentError):
            raise self.result
        return self.result


class ComponentRunner(Protocol):
    """Runs users' components on whole arrays."""

    def run(self, jobs: Sequence[ComponentJob]) -> Sequence[Answer]:
        """One answer to each job, in their order; a component that fails fails alone. MachineError if the computer could not run them."""
        ...

    def fingerprint(self, component: str) -> str:
        """A hash of the component's source and of every indicator it requires."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class FinishedRun:
    """A run as it is to be kept: `recipe` is how to ask for it again, as JSON; `manifest` what went into it."""

    outcome: "Outcome"
    document: bytes
    manifest: Mapping[str, Any]
    strategy_text: str
    recipe: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class StoredRun:
    """A kept run, unchanged to the byte since it was saved; `tables` by name as the store writes them."""

    id: str
    document: bytes
    strategy_text: str
    recipe: Mapping[str, Any]
    tables: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One line of a list of runs; `pnl` in 1e-8 of `currency`, `first` and `last` are opens of candles.

    `tags` and `note` are what people wrote about it.
    """

    id: str
    saved_at: datetime
    strategy: str
    symbols: tuple[str, ...]
    timeframe: str
    trades: int
    pnl: int
    currency: str
    first: datetime | None = None
    last: datetime | None = None
    drawdown: float | None = None
    tags: tuple[str, ...] = ()
    note: str = ""


class RunReader(Protocol):
    """Where a finished run is found again. What was damaged since is refused with RunError."""

    def load(self, asked: str) -> StoredRun:
        """By id, number, unique beginning of an id, or `latest`."""
        ...

    def tables(self, run: FinishedRun) -> Mapping[str, bytes]:
        """What keeping it would write of its tables."""
        ...

    def rows(self, table: bytes) -> Mapping[str, Sequence[int]]:
        """The columns of one written table."""
        ...


class RunStore(RunReader, Protocol):
    """Keeps finished runs. A run is wholly there or not at all."""

    def save(self, run: FinishedRun) -> str:
        """The id under which it is found again."""
        ...

    def list(self) -> tuple[RunSummary, ...]:
        """Oldest first."""
        ...

    def fault(self) -> str:
        """What happened to the list, and why it is without tags and notes; nothing where all is well."""
        ...

    def annotate(self, run_id: str, tags: Sequence[str], note: str) -> None:
        """In place of what was written about a run before; the run itself stays as it is."""
        ...

    def folder_of(self, run_id: str) -> Path:
        """Where its files are."""
        ...

    def throw_away(self, run_id: str, trash: Callable[[Path], bool]) -> bool:
        """`trash` takes the folder, or says that it did not and the run stays. Back in its place the run is listed again.

        False: there was no folder any more, and the run is no longer listed.
        """
        ...


class BrokerLine(Protocol):
    """One connection to a broker, with hello said."""

    def send(self, asked: "BrokerAsked") -> bool:
        """Whether it was handed to the system; if not, it went nowhere. Nothing is ever sent twice but a cancel, which its id makes one."""
        ...

    def received(self) -> "AsyncIterator[BrokerAnswer]":
        """What the broker says, until the line ends, for whatever reason."""
        ...

    def cut(self) -> None:
        """At once, whatever is still to be read or written."""
        ...


class BrokerSide(Protocol):
    async def open(self, account: str, since: int) -> BrokerLine:
        """Every transaction after `since` comes first. MachineError where there is no way to the broker now."""
        ...


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """`seq` counts from 1 without a gap."""

    seq: int
    kind: str
    body: bytes


class Journal(Protocol):
    """What live trading knows, in the order in which it learned it; only ever added to. Any thread, but one call at a time.

    Opening one proves that it is what was written, or raises JournalError. JournalBroken ends the process.
    """

    def append(self, entries: Sequence[tuple[str, bytes]]) -> int:
        """One commit of kinds and bodies, all or nothing, on the disk when it returns the last seq; JournalBroken where that is unsure."""
        ...

    def read(self, after: int = 0) -> Iterator[JournalEntry]:
        """What is there at the first step, beginning behind `after`; entries may be appended meanwhile."""
        ...

    @property
    def head(self) -> tuple[int, bytes]:
        """The last seq and the hash of all there is."""
        ...

    def hash_of(self, seq: int) -> bytes | None:
        """What `head` said when that was the last; None where no commit ended there."""
        ...

    def knows(self, name: str) -> bool:
        """Whether a signal of this id has its outcome here, of however long ago."""
        ...

    @property
    def is_full(self) -> bool:
        """The disk is: entries are written into a reserve, and only such as lessen risk may follow."""
        ...

    def tidy(self) -> None:
        """What need not delay a commit; called between batches when nothing waits, as often as one likes."""
        ...

    def close(self) -> None: ...
