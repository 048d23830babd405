"""Checks a text while it is typed: when the hands rest, away from the window's thread, and only the newest text counts."""

from collections.abc import Callable
from typing import Generic, TypeVar

from PySide6.QtCore import QObject, QThreadPool, QTimer, Signal

REST_MS = 150
Found = TypeVar("Found")


class _Answer(QObject):
    """Lives as long as the thread that speaks through it; what it says arrives on the window's thread or, without a listener, nowhere."""

    given = Signal(int, object)
    broke = Signal()


class Checker(QObject, Generic[Found]):
    """`check` must not raise, and must not touch a widget."""

    checked = Signal(object)

    def __init__(self, check: Callable[[str], Found], parent: QObject) -> None:
        super().__init__(parent)
        self._check = check
        self._text, self._asked, self._answered, self._is_busy = "", 0, 0, False
        self._rest = QTimer(self, interval=REST_MS, singleShot=True)
        self._rest.timeout.connect(self._start)

    def ask(self, text: str) -> None:
        self._text = text
        self._asked += 1
        self._rest.start()

    def ask_now(self, text: str) -> None:
        """Without waiting for hands that rest, as for a file just opened."""
        self.ask(text)
        self._rest.stop()
        self._start()

    @property
    def is_settled(self) -> bool:
        return self._answered == self._asked

    def _start(self) -> None:
        if self._is_busy:
            return
        self._is_busy = True
        text, number, check, answer = self._text, self._asked, self._check, _Answer()
        answer.given.connect(self._take)
        answer.broke.connect(self._forget)

        def ask() -> None:
            is_whole = False
            try:
                found = check(text)
                is_whole = True
            finally:
                if not is_whole:
                    answer.broke.emit()  # the error itself is told by the thread's own end
            answer.given.emit(number, found)

        QThreadPool.globalInstance().start(ask)

    def _forget(self) -> None:
        """A check that broke is a defect, and no reason never to check again."""
        self._is_busy = False

    def _take(self, number: int, found: object) -> None:
        self._is_busy = False
        if number == self._asked:
            self._answered = number
            self.checked.emit(found)
        elif not self._rest.isActive():
            self._start()
