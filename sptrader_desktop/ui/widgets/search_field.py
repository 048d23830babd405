"""Where one types what one looks for: Esc clears it, Down goes on to what was found."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from sptrader_desktop.ui.theme.icons import icon
from sptrader_desktop.ui.theme.roles import give


class SearchField(QLineEdit):
    """`textChanged` says what is looked for. The found are in `target`, which gets the focus with Down."""

    def __init__(self, prompt: str, name: str, target: QWidget | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._target = target
        self.setObjectName(name)
        self.setAccessibleName(prompt)
        self.setPlaceholderText(prompt)
        self.setClearButtonEnabled(True)
        give(self, role="search")
        self.addAction(icon("search", "muted"), QLineEdit.ActionPosition.LeadingPosition)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
        elif event.key() == Qt.Key.Key_Down and self._target is not None:
            self._target.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            super().keyPressEvent(event)
