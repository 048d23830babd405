"""The one place where other threads and processes reach the window: what they send is delivered in the window's thread, once a frame.

The first value after a pause is delivered at once, later ones together: the newest only, or all of them up to a bound. A delivery that
fails is told as a failure and keeps nobody else from theirs.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QObject, Qt, QTimer, Signal

T = TypeVar("T")
FRAME_S = 0.016
MOST = 10_000


class Channel(Generic[T]):
    """`send` may be called from any thread; after `close` nothing is delivered any more."""

    def __init__(self, bridge: "Bridge", name: str, deliver: Callable[[list[T], int], object], most: int) -> None:
        self.name = name
        self._bridge, self._deliver = bridge, deliver
        self._values: deque[T] = deque(maxlen=most)
        self._lost = 0

    def send(self, value: T) -> None:
        bridge = self._bridge
        with bridge.guard:
            if self not in bridge.channels:
                return
            self._lost += len(self._values) == self._values.maxlen
            self._values.append(value)
            bridge.wanting[self] = None
            bridge.ask()

    def close(self) -> None:
        with self._bridge.guard:
            self._bridge.channels.discard(self)
            self._bridge.wanting.pop(self, None)

    def take(self) -> Callable[[], object]:
        """What is to be called with all that has come until now; to be taken under the bridge's lock."""
        values, lost = list(self._values), self._lost
        self._values.clear()
        self._lost = 0
        return lambda: self._deliver(values, lost)


class Bridge(QObject):
    """`tell` hears of deliveries that failed. `guard`, `channels`, `wanting` and `ask` are for the channels."""

    _asked = Signal()

    def __init__(self, tell: Callable[[BaseException, str], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tell = tell
        self.guard = threading.RLock()  # whoever is collected while it is held may log, and logging sends
        self.channels: set[Channel[Any]] = set()
        self.wanting: dict[Channel[Any], None] = {}
        self._is_asked = False
        self._not_before = 0.0
        self._pause = QTimer(self, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._pause.timeout.connect(self._deliver)
        self._asked.connect(self._deliver_in_time, Qt.ConnectionType.QueuedConnection)

    def latest(self, name: str, deliver: Callable[[T], object]) -> Channel[T]:
        """For states, of which only the newest counts: prices, progress."""
        return self._open(Channel(self, name, lambda values, _lost: deliver(values[-1]), 1))

    def every(self, name: str, deliver: Callable[[list[T], int], object], most: int = MOST) -> Channel[T]:
        """For events, of which each counts, in order; beyond `most` in one frame the oldest are lost, and how many is said."""
        return self._open(Channel(self, name, deliver, most))

    def close(self) -> None:
        """What is sent from now on is dropped."""
        with self.guard:
            self.channels.clear()
            self.wanting.clear()

    def ask(self) -> None:
        if not self._is_asked:
            self._is_asked = True
            self._asked.emit()

    def _open(self, channel: Channel[T]) -> Channel[T]:
        with self.guard:
            self.channels.add(channel)
        return channel

    def _deliver_in_time(self) -> None:
        wait = self._not_before - time.monotonic()
        if wait > 0:
            self._pause.start(int(wait * 1000) + 1)
        else:
            self._deliver()

    def _deliver(self) -> None:
        with self.guard:
            parcels = [(channel, channel.take()) for channel in self.wanting]
            self.wanting.clear()
            self._is_asked = False
        for channel, deliver in parcels:
            if channel not in self.channels:
                continue
            try:
                deliver()
            except Exception as error:  # noqa: BLE001 - the edge between threads: whoever listens badly must not deafen the others
                self._tell(error, f"showing {channel.name}")
        self._not_before = time.monotonic() + FRAME_S
