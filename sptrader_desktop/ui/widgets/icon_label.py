"""A drawing that is no button: it follows the theme and takes the room of a few letters."""

from PySide6.QtCore import QSize
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from sptrader_desktop.ui.theme.icons import icon
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.tokens import ICON


class IconLabel(QWidget):
    """What it says is said in words beside it, so screen readers pass it by."""

    def __init__(self, name: str, role: str = "muted", size: int = ICON, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._size = size
        self._icon = icon(name, role)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def show_icon(self, name: str, role: str = "muted") -> None:
        self._icon = icon(name, role)
        self.update()

    def sizeHint(self) -> QSize:
        side = look().pixels(self._size)
        return QSize(side, side)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self._icon.paint(painter, self.rect())
        painter.end()
