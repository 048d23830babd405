"""Hands what has come to the panes that show it, one a turn of the loop, so that Qt paints and hears in between; a pane that nobody sees
has to wait, and so costs nothing, until it is looked at.
"""

import time
from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QTimer, Signal
from PySide6.QtWidgets import QDockWidget, QWidget

Show = Callable[..., object]
DEEPEST = 16  # widgets, from what changed out to the window


class Turns(QObject):
    """For panes that live as long as this. With `at_once_s` a turn goes on with the next pane for so long: what is shown quickly is painted
    together, once."""

    settled = Signal()  # every pane in sight shows what it was handed

    def __init__(self, parent: QObject | None = None, at_once_s: float = 0.0) -> None:
        super().__init__(parent)
        self._at_once_s = at_once_s
        self._known: set[QWidget] = set()
        self._waiting: dict[tuple[QWidget, Show], Callable[[], object]] = {}
        self._turn = QTimer(self, interval=0, singleShot=True)
        self._turn.timeout.connect(self._take)

    def hand(self, pane: QWidget, show: Show, *what: object) -> None:
        """`show(*what)` when it is its turn, instead of what the same `show` waits with for that pane."""
        if pane not in self._known:
            self._watch(pane)
        self._waiting[pane, show] = partial(show, *what)
        self._turn.start()

    @property
    def is_settled(self) -> bool:
        return not self._turn.isActive()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Show:
            self._turn.start()
        return False

    def _watch(self, pane: QWidget) -> None:
        """Qt does not tell a pane that its dock came to the front of others, only the dock."""
        self._known.add(pane)
        pane.installEventFilter(self)
        around = pane.parentWidget()
        while around is not None and not isinstance(around, QDockWidget):
            around = around.parentWidget()
        if around is not None:
            around.visibilityChanged.connect(self._turn.start)

    def _take(self) -> None:
        until = time.perf_counter() + self._at_once_s
        while (key := next((key for key in self._waiting if _is_seen(key[0])), None)) is not None:
            self._turn.start()  # first, as what one pane cannot show is no reason to keep it from the others
            self._waiting.pop(key)()
            if time.perf_counter() >= until:
                break
        else:
            self._turn.stop()
            self.settled.emit()
        for _ in range(DEEPEST):  # each tells the one around it, and Qt would paint in between
            QCoreApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest.value)


def _is_seen(pane: QWidget) -> bool:
    """Qt takes a dock behind others for visible."""
    return pane.isVisible() and not pane.visibleRegion().isEmpty()
