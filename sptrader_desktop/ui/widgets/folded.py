"""A part of a form that most people need never: folded away under its heading until it is asked for."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolButton, QVBoxLayout, QWidget

from sptrader_desktop.ui.theme.roles import give
from sptrader_desktop.ui.theme.tokens import GRID


class Folded(QWidget):
    def __init__(self, title: str, name: str, content: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.button, self._content = QToolButton(), content
        self.button.setObjectName(name)
        self.button.setAccessibleName(title)
        self.button.setText(title)
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        give(self.button, role="flat")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(self.button)
        column.addWidget(content)
        self.button.clicked.connect(lambda: self.unfold(not self.is_open))
        self.unfold(False)

    def unfold(self, is_open: bool) -> None:
        self.is_open = is_open
        self.button.setAccessibleDescription("unfolded" if is_open else "folded")
        self.button.setArrowType(Qt.ArrowType.DownArrow if is_open else Qt.ArrowType.RightArrow)
        self._content.setVisible(is_open)
