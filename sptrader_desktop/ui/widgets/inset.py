"""Room around a label. Margins of its own a label loses where the style sheet changes before it has a size: Qt counts them as its frame."""

from PySide6.QtWidgets import QHBoxLayout, QWidget

from sptrader_desktop.ui.theme.tokens import GRID


def inset(widget: QWidget, sides: int, ends: int = 0) -> QHBoxLayout:
    """In steps of the grid. A hidden widget takes no room at all."""
    made = QHBoxLayout()
    made.setContentsMargins(GRID * sides, GRID * ends, GRID * sides, GRID * ends)
    made.addWidget(widget)
    return made
