"""What the program needs from outside, as protocols: adapters implement them, tests bring fakes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.rules import EventTable
from sptrader_desktop.core.strategy import Scalar

if TYPE_CHECKING:
    from sptrader_desktop.core.simulation import Outcome


@dataclass(frozen=True, slots=True)
class SignalJob:
    """Evaluate one signal component over all candles of one symbol; `params` override the component's defaults."""

    component: str
    params: Mapping[str, Scalar]
    candles: Candles


class ComponentRunner(Protocol):
    """Runs users' components on whole arrays. A failure raises ComponentError: no values, no signal, no trade."""

    def events(self, job: SignalJob) -> EventTable: ...

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


@dataclass(frozen=True, slots=True, eq=False)
class StoredRun:
    """A kept run, unchanged to the byte since it was saved; `tables` by name as the store writes them."""

    id: str
    document: bytes
    strategy_text: str
    recipe: Mapping[str, Any]
    tables: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One line of a list of runs; `pnl` in 1e-8 of `currency`."""

    id: str
    saved_at: datetime
    strategy: str
    symbols: tuple[str, ...]
    timeframe: str
    trades: int
    pnl: int
    currency: str


class RunStore(Protocol):
    """Keeps finished runs. A run is wholly there or not at all; what was damaged since is refused with RunError."""

    def save(self, run: FinishedRun) -> str:
        """The id under which it is found again."""
        ...

    def load(self, asked: str) -> StoredRun:
        """By id, number, unique beginning of an id, or `latest`."""
        ...

    def list(self) -> tuple[RunSummary, ...]:
        """Oldest first."""
        ...

    def tables(self, run: FinishedRun) -> Mapping[str, bytes]:
        """What `save` would write of its tables."""
        ...

    def rows(self, table: bytes) -> Mapping[str, Sequence[int]]:
        """The columns of one written table."""
        ...
