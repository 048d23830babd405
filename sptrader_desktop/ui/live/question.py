"""A question before something that cannot be taken back: over whatever is in front, and answered by key or click."""

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QLineEdit, QPushButton, QWidget

from sptrader_desktop.ui.data.parts import button, column, label, row
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.roles import Tone, give
from sptrader_desktop.ui.theme.tokens import GRID

WIDTH = 130 * GRID


class Question(QDialog):
    """`answer` adds an answer; the first has the focus. Escape leaves everything as it is."""

    def __init__(self, name: str, title: str, words: str, window: QWidget) -> None:
        super().__init__(QApplication.activeModalWidget() or window)  # one that is in front would keep it from being answered
        self.setObjectName(name)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFixedWidth(look().pixels(WIDTH))
        heading, self.words = label(title, "title"), label(words)
        self.setAccessibleName(title)
        self.setAccessibleDescription(words)
        self.buttons, self._answers = row(1), list[QPushButton]()
        self._column = column(heading, self.words, self.buttons, margin=4)
        self._column.setSpacing(GRID * 3)
        self.setLayout(self._column)

    def answer(self, name: str, text: str, do: Callable[[], object], *, tip: str = "", role: str = "", tone: Tone = "") -> QPushButton:
        made = button(name, text, tip, role)
        give(made, tone=tone)
        made.setAutoDefault(True)
        made.clicked.connect(lambda _=False: self._act(do))
        self.buttons.addWidget(made)
        if not self._answers:
            made.setDefault(True)
            made.setFocus()
        self._answers.append(made)
        return made

    def sizeHint(self) -> QSize:
        """Qt asks how high the words are at the width it would like, and this one is fixed."""
        width = self.maximumWidth()
        return QSize(width, self._column.totalHeightForWidth(width))

    def leave(self, name: str, text: str) -> QPushButton:
        return self.answer(name, text, lambda: None)

    def ask_for(self, field: QLineEdit, problem: QLabel) -> None:
        """Something to write before an answer."""
        place = self._column.indexOf(self.buttons)
        self._column.insertWidget(place, problem)
        self._column.insertWidget(place, field)
        field.setFocus()

    def _act(self, do: Callable[[], object]) -> None:
        self.close()
        do()
