"""One figure with its name and unit. What the figure means is a hover or a Tab away."""

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolTip, QVBoxLayout, QWidget

from sptrader_desktop.present.numbers import NONE
from sptrader_desktop.ui.theme.roles import Tone, give
from sptrader_desktop.ui.theme.tokens import GRID

BY_KEYBOARD = {Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason}


class Defined(QFrame):
    def define(self, definition: str) -> None:
        """What the figure means. With a definition it takes the focus, so that the keyboard reaches it too."""
        self.setToolTip(definition)
        self.setAccessibleDescription(definition)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus if definition else Qt.FocusPolicy.NoFocus)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if event.reason() in BY_KEYBOARD:
            QToolTip.showText(self.mapToGlobal(QPoint(0, self.height())), self.toolTip(), self)


class Tile(Defined):
    def __init__(self, name: str, definition: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        give(self, role="tile")
        self._name = name
        self._figure, self._unit = QLabel(), QLabel()
        give(self._figure, role="value")
        give(self._unit, role="muted")
        caption = QLabel(name)
        give(caption, role="small")
        line = QHBoxLayout()
        line.setSpacing(GRID)
        line.addWidget(self._figure, 0, Qt.AlignmentFlag.AlignBaseline)
        line.addWidget(self._unit, 1, Qt.AlignmentFlag.AlignBaseline)
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID * 2, GRID, GRID * 2, GRID)
        column.setSpacing(0)
        column.addWidget(caption)
        column.addLayout(line)
        self.define(definition)
        self.show_value(NONE)

    def show_value(self, value: str, unit: str = "", tone: Tone = "") -> None:
        """`value` carries its sign: the tone only repeats it."""
        self._figure.setText(value)
        self._unit.setText(unit)
        give(self._figure, tone=tone)
        self.setAccessibleName(f"{self._name}: {value} {unit}".rstrip())
