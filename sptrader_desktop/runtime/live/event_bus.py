"""The local event bus of one symbol: in-process, synchronous, in one order for all who listen; who listens badly harms nobody else."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sptrader_desktop.core.errors import SptraderError
from sptrader_desktop.runtime.live.events import Event

E = TypeVar("E", bound=Event)
MOST_CHAINED = 10_000


@dataclass(frozen=True, slots=True, eq=False)
class _Listener:
    hear: Callable[[Any], object]
    failed: Callable[[Exception], object]


class LocalEventBus:
    """An event that is published while another is delivered waits until everybody has heard that one."""

    def __init__(self) -> None:
        self._listeners: dict[type[Event], tuple[_Listener, ...]] = {}
        self._waiting: deque[Event] = deque()
        self._chained = 0
        self._is_failing = False

    def subscribe(self, event: type[E], hear: Callable[[E], object], failed: Callable[[Exception], object]) -> Callable[[], None]:
        """`Event` itself means all. `failed` gets what `hear` raises. The answer ends it."""
        listener = _Listener(hear, failed)
        self._listeners[event] = (*self._listeners.get(event, ()), listener)

        def end() -> None:
            self._listeners[event] = tuple(other for other in self._listeners[event] if other is not listener)

        return end

    def publish(self, event: Event) -> None:
        if self._chained >= MOST_CHAINED and not self._is_failing:
            raise SptraderError(f"more than {MOST_CHAINED} events follow from one, the last a {event.kind}: a listener answers itself")
        self._waiting.append(event)
        if self._chained:
            self._chained += 1
            return
        self._chained = 1
        try:
            while self._waiting:
                self._deliver(self._waiting.popleft())
        finally:
            self._chained = 0

    def _deliver(self, event: Event) -> None:
        for listener in (*self._listeners.get(type(event), ()), *self._listeners.get(Event, ())):
            try:
                listener.hear(event)
            except Exception as error:  # noqa: BLE001 - the edge between services: it goes to the error path of the one that listens
                self._tell(listener, error)

    def _tell(self, listener: _Listener, error: Exception) -> None:
        was, self._is_failing = self._is_failing, True
        try:
            listener.failed(error)
        finally:
            self._is_failing = was
