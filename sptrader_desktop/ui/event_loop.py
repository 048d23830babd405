"""asyncio on Qt's loop without qasync's three traps: timers never fire early, cancelled ones leave nothing behind, and a dialog that runs
a loop of its own inside a callback loses no wake-up.

One deque holds what is to run now, one heap what is to run later, one precise timer wakes us for both. Callbacks never nest: while one
waits in a dialog of its own the others wait with it, so dialogs are opened, not executed.
"""

import asyncio
import heapq
import math
from collections import deque
from collections.abc import Callable
from contextvars import Context
from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QApplication
from qasync import QEventLoop  # after PySide6: it takes the binding that is there

MOST_CANCELLED = 100  # in the heap, before it is asked whether they are most of it


class _Bell(QObject):
    """Rung from any thread, heard in the one that made it."""

    rung = Signal()


class WindowLoop(QEventLoop):  # type: ignore[misc] # untyped library
    """Where callbacks run. `sys.exit` and Ctrl-C in one of them end the loop and are raised by whoever runs it."""

    def __init__(self, app: QApplication) -> None:
        self._soon: deque[asyncio.Handle] = deque()
        self._later: list[asyncio.TimerHandle] = []
        self._cancelled = 0
        self._is_turning = False
        self._end: BaseException | None = None
        self._alarm = QTimer(app, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._alarm.timeout.connect(self._turn)
        self._bell = _Bell(app)
        self._bell.rung.connect(self._arm, Qt.ConnectionType.QueuedConnection)
        super().__init__(app)

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Context | None = None) -> asyncio.Handle:
        handle = self._new_handle(callback, args, context)
        self._add_callback(handle)
        return handle

    def call_soon_threadsafe(self, callback: Callable[..., object], *args: Any, context: Context | None = None) -> asyncio.Handle:
        handle = self._new_handle(callback, args, context)
        self._soon.append(handle)
        self._bell.rung.emit()
        return handle

    def call_later(self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None) -> asyncio.TimerHandle:
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None) -> asyncio.TimerHandle:
        self._check_closed()
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._later, handle)
        if self._later[0] is handle:
            self._arm()
        return handle

    def close(self) -> None:
        super().close()
        self._alarm.stop()
        self._soon.clear()
        self._later.clear()

    def run_forever(self) -> None:
        super().run_forever()
        if self._end is not None:
            end, self._end = self._end, None
            raise end

    def _new_handle(self, callback: Callable[..., object], args: tuple[Any, ...], context: Context | None) -> asyncio.Handle:
        self._check_closed()
        return asyncio.Handle(callback, args, self, context)

    # What qasync and asyncio call on their loop

    def _add_callback(self, handle: asyncio.Handle, delay: float = 0) -> asyncio.Handle:
        assert not delay, "what is to run later goes through call_at"
        self._soon.append(handle)
        if not self._is_turning and not (self._alarm.isActive() and self._alarm.interval() == 0):
            self._alarm.start(0)
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Most time-outs are cancelled, and what they would have called must not be kept until then."""
        self._cancelled += 1
        if self._cancelled > MOST_CANCELLED and 2 * self._cancelled > len(self._later):
            self._later = [kept for kept in self._later if not kept.cancelled()]
            heapq.heapify(self._later)
            self._cancelled = 0

    def _before_run_forever(self) -> None:
        super()._before_run_forever()
        self._arm()

    # Turning

    def _turn(self) -> None:
        """Run what is due; what that adds runs in the next turn, so that Qt's own events get theirs."""
        if not self.is_running():
            return
        self._is_turning = True
        try:
            self._take_due()
            for _ in range(len(self._soon)):
                handle = self._soon.popleft()
                if not handle.cancelled():
                    handle._run()
        except (SystemExit, KeyboardInterrupt) as end:
            self._end = end
            self.stop()
        finally:
            self._is_turning = False
            self._arm()

    def _take_due(self) -> None:
        now = self.time()
        while self._later and (self._later[0].cancelled() or self._later[0].when() <= now):
            self._soon.append(heapq.heappop(self._later))

    def _arm(self) -> None:
        """Nothing while callbacks run, so that they never nest. A millisecond begun is waited for: to wake early is for nothing."""
        if self._is_turning:
            return
        if self._soon:
            self._alarm.start(0)
        elif self._later:
            wait = math.ceil(1000 * (self._later[0].when() - self.time()))
            self._alarm.start(min(max(0, wait), 1 << 30))
