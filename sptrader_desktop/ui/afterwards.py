"""What may come after a picture: one thing a turn of the loop, so that Qt paints and hears in between."""

from collections import deque
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer

BREATH_MS = 1  # between two things: what waited longer than they is heard first, which with 0 it would not be
AFTER_PAINTING = Qt.EventPriority.LowEventPriority.value - 1  # of an event that comes when Qt has painted what is to be painted anew


def in_another_turn(context: QObject, step: Callable[[], object]) -> None:
    """Unless `context` is gone by then."""
    QTimer.singleShot(BREATH_MS, context, step)


class Afterwards(QObject):
    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._left: deque[Callable[[], object]] = deque()
        self._turn = QTimer(self, interval=BREATH_MS)
        self._turn.timeout.connect(self._take)

    def do(self, *steps: Callable[[], object]) -> None:
        """After those that are left; one that fails is no reason to leave out the others."""
        self._left.extend(steps)
        self._turn.start()

    @property
    def is_over(self) -> bool:
        return not self._left

    def stop(self) -> None:
        """What is left is not wanted any more."""
        self._left.clear()
        self._turn.stop()

    def _take(self) -> None:
        if self._left:
            self._left.popleft()()
        else:
            self._turn.stop()
