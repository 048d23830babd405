"""What the program needs from outside, as protocols: adapters implement them, tests bring fakes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.rules import EventTable
from sptrader_desktop.core.strategy import Scalar


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
