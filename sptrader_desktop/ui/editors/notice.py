"""A line above an editor that says what happened to its file and offers what can be done; it never takes the focus by itself."""

from collections.abc import Callable, Sequence

from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QWidget

from sptrader_desktop.ui.theme.roles import give
from sptrader_desktop.ui.theme.tokens import GRID
from sptrader_desktop.ui.widgets.icon_label import IconLabel
from sptrader_desktop.ui.widgets.words import Words

Choice = tuple[str, str, Callable[[], object]]  # text, object name, what it does


class Notice(QFrame):
    """One at a time, with any number of choices; a choice ends it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("editorNotice")
        give(self, role="notice", tone="warning")
        self.label = Words(parent=self, wraps=True)
        self.label.setObjectName("editorNoticeText")
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        self._row.setSpacing(2 * GRID)
        self._row.addWidget(IconLabel("triangle-alert", "warning"))
        self._row.addWidget(self.label, 1)
        self._buttons: list[QPushButton] = []
        self.hide()

    def say(self, text: str, choices: Sequence[Choice] = ()) -> None:
        """In place of what was said before; there is always a way to send it away."""
        for button in self._buttons:
            self._row.removeWidget(button)
            button.deleteLater()
        self._buttons = [self._button(*choice) for choice in (*choices, ("Dismiss", "dismissNoticeButton", lambda: None))]
        self.label.setText(text)
        self.setAccessibleName(text)
        self.show()

    def text(self) -> str:
        return "" if self.isHidden() else self.label.text()

    def button(self, name: str) -> QPushButton:
        return next(button for button in self._buttons if button.objectName() == name)

    def _button(self, text: str, name: str, act: Callable[[], object]) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName(name)
        button.setAccessibleName(text)
        button.clicked.connect(lambda: self._done(act))
        self._row.addWidget(button)
        return button

    def _done(self, act: Callable[[], object]) -> None:
        self.hide()
        act()
