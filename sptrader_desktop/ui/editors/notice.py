"""A line above an editor that says what happened to its file and offers what can be done; it never takes the focus by itself."""

from collections.abc import Callable, Sequence

from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from sptrader_desktop.ui.theme.tokens import GRID

Choice = tuple[str, str, Callable[[], None]]  # text, object name, what it does


class Notice(QWidget):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("editorNotice")
        self.label = QLabel(self, wordWrap=True)
        self.label.setObjectName("editorNoticeText")
        self.label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        self._row.setSpacing(2 * GRID)
        self._row.addWidget(self.label)
        self._buttons: list[QPushButton] = []
        self.hide()

    def say(self, text: str, choices: Sequence[Choice] = ()) -> None:
        """In place of what was said before. Every choice also ends the notice, and so does the last button."""
        for button in self._buttons:
            self._row.removeWidget(button)
            button.deleteLater()
        self._buttons = [self._button(*choice) for choice in (*choices, ("Dismiss", "dismissNoticeButton", self.hide))]
        self.label.setText(text)
        self.show()

    def text(self) -> str:
        return "" if self.isHidden() else self.label.text()

    def press(self, name: str) -> None:
        """As a click on the button with that object name."""
        next(button for button in self._buttons if button.objectName() == name).click()

    def _button(self, text: str, name: str, act: Callable[[], None]) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName(name)
        button.setAccessibleName(text)
        button.clicked.connect(lambda: self._done(act))
        self._row.addWidget(button)
        return button

    def _done(self, act: Callable[[], None]) -> None:
        self.hide()
        act()
