"""A line for an amount of money: it has separators of thousands while nobody types in it, and takes them or leaves them."""

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QLineEdit

from sptrader_desktop.present.numbers import grouped, ungrouped

STAYS = {Qt.FocusReason.PopupFocusReason, Qt.FocusReason.ActiveWindowFocusReason}  # a person comes back to the same letters


class AmountField(QLineEdit):
    """How it is written is no change of what it says: nobody is told."""

    def __init__(self, text: str = "") -> None:
        super().__init__(grouped(text))

    @property
    def amount(self) -> str:
        return ungrouped(self.text().strip())

    def setText(self, text: str | None) -> None:
        super().setText((ungrouped if self.hasFocus() else grouped)(text or ""))

    def focusInEvent(self, event: QFocusEvent) -> None:
        if event.reason() not in STAYS:
            self._write(ungrouped(self.text()))
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() not in STAYS:
            self._write(grouped(self.text()))

    def _write(self, text: str) -> None:
        if text != self.text():
            blocker = QSignalBlocker(self)
            super().setText(text)
            blocker.unblock()
