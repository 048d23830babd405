"""Work of a pane that would hold up the window: done on a thread of its own, and its result handed over on the window's.

The host's jobs are for what people start, see and cancel; this is for tables that take half a second to put in order.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Qt, Signal

T = TypeVar("T")


class Background(QObject):
    """`owner` is the widget that waits; when it is gone nothing is handed over any more. One thing at a time, in the order asked."""

    _done = Signal(object, int, object)

    def __init__(self, owner: QObject) -> None:
        super().__init__()
        self._generation = 0
        self._pool: ThreadPoolExecutor | None = None
        self._done.connect(self._hand_over, Qt.ConnectionType.QueuedConnection)
        owner.destroyed.connect(self.close)

    def run(self, work: Callable[[], T], done: Callable[[T], None]) -> None:
        """What `work` raises is raised where `done` would have been called."""
        self._pool = self._pool or ThreadPoolExecutor(1, "background")
        generation = self._generation
        self._pool.submit(work).add_done_callback(lambda future: self._done.emit(future, generation, done))

    def forget(self) -> None:
        """What is under way is no longer wanted."""
        self._generation += 1

    def close(self) -> None:
        self.forget()
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    def _hand_over(self, future: "Future[Any]", generation: int, done: Callable[[Any], None]) -> None:
        if generation == self._generation and not future.cancelled():
            done(future.result())
