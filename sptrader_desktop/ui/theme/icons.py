"""Icons in the colours of the look: one drawing each, painted afresh in whatever colour, size and density is asked for."""

from functools import cache

from PySide6.QtCore import QByteArray, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QIconEngine, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from sptrader_desktop.ui.theme.asset_files import coloured, icon_source
from sptrader_desktop.ui.theme.look import look


@cache
def icon(name: str, role: str = "text") -> QIcon:
    """`role` is the colour of the look it is drawn in; what is disabled is drawn in `edge`."""
    icon_source(name)
    return QIcon(LookIcon(name, role))


def beside(words: str) -> str:
    """The words of a button that has an icon too: Qt leaves so little between the two that they touch."""
    return f"\u2005{words}"


# WORKAROUND: PySide6 frees what `clone` returns though Qt keeps it, unless somebody here holds it too.
COPIES: list[QIconEngine] = []


class LookIcon(QIconEngine):
    """Asks for the look each time it paints: an icon once set follows every change of theme."""

    def __init__(self, name: str, role: str) -> None:
        super().__init__()
        self._name = name
        self._role = role

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        role = "edge" if mode is QIcon.Mode.Disabled else self._role
        side = min(rect.width(), rect.height())
        square = QRectF(rect.x() + (rect.width() - side) / 2, rect.y() + (rect.height() - side) / 2, side, side)
        drawing(self._name, getattr(look().colours, role)).render(painter, square)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        pixmap = QPixmap(size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        self.paint(painter, pixmap.rect(), mode, state)
        painter.end()
        return pixmap

    def clone(self) -> QIconEngine:
        """Asked for where an icon is changed, which nobody does."""
        copy = LookIcon(self._name, self._role)
        COPIES.append(copy)
        return copy


@cache
def drawing(name: str, colour: str) -> QSvgRenderer:
    return QSvgRenderer(QByteArray(coloured(name, colour)))
