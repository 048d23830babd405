"""What a pane shows while it has nothing: what will be there, and the step that fills it."""

from collections.abc import Callable
from typing import NamedTuple

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from sptrader_desktop.ui.theme.roles import give
from sptrader_desktop.ui.theme.tokens import GRID, ICON
from sptrader_desktop.ui.widgets.icon_label import IconLabel
from sptrader_desktop.ui.widgets.words import Words


class EmptyWords(NamedTuple):
    icon: str
    title: str
    text: str
    button: str


class EmptyState(QWidget):
    def __init__(
        self,
        icon_name: str,
        title: str,
        text: str,
        button: str = "",
        step: Callable[[], object] | None = None,
        parent: QWidget | None = None,
        *,
        is_first_step: bool = False,
    ) -> None:
        super().__init__(parent)
        self._title, self._text = Words(title), Words(text)
        give(self._title, role="title")
        give(self._text, role="muted")
        column = self._column = QVBoxLayout(self)
        column.setContentsMargins(GRID * 4, GRID * 4, GRID * 4, GRID * 4)
        column.setSpacing(GRID * 2)
        column.addStretch(2)
        self._icon = IconLabel(icon_name, "muted", ICON * 2)
        column.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignHCenter)
        for label in (self._title, self._text):
            label.setWordWrap(True)
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            column.addWidget(label)
        self.button = QPushButton(button)
        self.button.setObjectName("emptyStateButton")
        self.button.setAccessibleName(button)
        self.button.setAccessibleDescription(text)
        if is_first_step:
            give(self.button, role="primary")
        self._has_step = step is not None and bool(button)
        if self._has_step:
            column.addSpacing(GRID)
            column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(3)
        self._step = step
        self.button.clicked.connect(self._take_step)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a low pane the words matter more than the drawing."""
        super().resizeEvent(event)
        hidden = self._icon.sizeHint().height() + self._column.spacing() if self._icon.isHidden() else 0
        self._icon.setHidden(self._column.totalHeightForWidth(self.width()) + hidden > self.height())

    def say(self, title: str, text: str = "", *, offers_step: bool = True) -> None:
        self._title.setText(title)
        self._text.setText(text)
        self.button.setAccessibleDescription(text)
        self.button.setVisible(offers_step and self._has_step)

    def _take_step(self) -> None:
        if self._step is not None:
            self._step()
