"""A job at work, in one line: what it does, how far it is, how long it will take, and the way to stop it."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QWidget

from sptrader_desktop.present.waiting import time_left
from sptrader_desktop.ui.theme.roles import give
from sptrader_desktop.ui.theme.tokens import GRID
from sptrader_desktop.ui.widgets.elided_label import ElidedLabel

STEPS = 1000


class ProgressLine(QWidget):
    cancelAsked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words, self._left, self._bar = ElidedLabel(), QLabel(), QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setObjectName("jobProgress")
        give(self._left, role="small")
        self.button = QPushButton("Cancel")
        self.button.setObjectName("cancelJobButton")
        self.button.clicked.connect(self._ask)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(GRID * 2)
        for widget, stretch in ((self._words, 2), (self._bar, 3), (self._left, 0), (self.button, 0)):
            line.addWidget(widget, stretch)
        self.start("")

    def start(self, words: str) -> None:
        """A new job, of which it is not known yet how long it takes."""
        self.button.setEnabled(True)
        self.button.setText("Cancel")
        self.button.setAccessibleName(f"Cancel: {words}" if words else "Cancel")
        self.show_progress(None, words)

    def show_progress(self, fraction: float | None, words: str, seconds_left: float | None = None) -> None:
        """Without a fraction the bar says that it is at work, not how far."""
        self._bar.setRange(0, 0 if fraction is None else STEPS)
        if fraction is not None:
            self._bar.setValue(round(min(1.0, max(0.0, fraction)) * STEPS))
        self._words.show_text(words)
        self._left.setText(time_left(seconds_left))
        self._bar.setAccessibleName(words)

    def _ask(self) -> None:
        self.button.setEnabled(False)
        self.button.setText("Stopping…")
        self.cancelAsked.emit()
