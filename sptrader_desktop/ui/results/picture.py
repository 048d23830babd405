"""What every small picture of results shares: a title, words for all of it, and spots that tell their values to pointer and arrow keys."""

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.tokens import GRID, RADIUS, SMALL

RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
CENTRE = Qt.AlignmentFlag.AlignCenter
LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


class Spot(NamedTuple):
    """A place in the picture, what is said of it, and the number that a click tells."""

    area: QRectF
    text: str
    number: int = -1


class Picture(QWidget):
    """Heirs paint in `draw` and say in `spots` what lies where. The line under the title tells the spot pointed at, else the summary."""

    spotChosen = Signal(int)

    def __init__(self, name: str, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._title, self._summary = title, ""
        self._spots: Sequence[Spot] = ()
        self._at: int | None = None
        self.setAccessibleName(title)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def describe(self, summary: str) -> None:
        self._summary, self._at, self._spots = summary, None, self.spots(self.area)
        self.setAccessibleDescription(summary)
        self.update()

    @property
    def said(self) -> str:
        return self._summary if self._at is None or self._at >= len(self._spots) else self._spots[self._at].text

    # For heirs

    def draw(self, painter: QPainter, area: QRectF) -> None:
        """Everything below the title."""
        raise NotImplementedError

    def spots(self, area: QRectF) -> Sequence[Spot]:
        raise NotImplementedError

    def nearest(self, place: QPointF) -> int | None:
        return next((number for number, spot in enumerate(self._spots) if spot.area.contains(place)), None)

    # Painting

    @property
    def area(self) -> QRectF:
        top = 2 * self._line_height() + 2 * GRID
        return QRectF(self.rect()).adjusted(2 * GRID, top, -2 * GRID, -2 * GRID)

    def minimumSizeHint(self) -> QSize:
        return QSize(50 * GRID, 36 * GRID)

    def sizeHint(self) -> QSize:
        return QSize(90 * GRID, 48 * GRID)

    def paintEvent(self, _event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.fillRect(self.rect(), look().colour("field"))
            self._spots = self.spots(self.area)
            self._write_head(painter)
            if self._spots:
                self.draw(painter, self.area)
            if self._at is not None and self._at < len(self._spots):
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.setPen(QPen(look().colour("text"), 1.5))
                painter.drawRect(self._spots[self._at].area)
            if self.hasFocus():
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.setPen(QPen(look().colour("accent"), 2))
                painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), RADIUS, RADIUS)

    def _write_head(self, painter: QPainter) -> None:
        height, width = self._line_height(), self.width() - 4 * GRID
        painter.setFont(look().font(bold=True))
        painter.setPen(look().colour("text"))
        painter.drawText(QRectF(2 * GRID, GRID, width, height), LEFT, self._title)
        painter.setFont(look().font(SMALL))
        painter.setPen(look().colour("text" if self._at is not None else "muted"))
        shown = QFontMetricsF(painter.font()).elidedText(self.said, Qt.TextElideMode.ElideRight, width)
        painter.drawText(QRectF(2 * GRID, GRID + height, width, height), LEFT, shown)

    def _line_height(self) -> float:
        return QFontMetricsF(look().font()).height()

    # Asking

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._point_at(self.nearest(event.position()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._point_at(self.nearest(event.position()))
        if event.button() is Qt.MouseButton.LeftButton:
            self._choose()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._point_at(None)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._point_at(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Right: 1, Qt.Key.Key_Down: 1, Qt.Key.Key_Left: -1, Qt.Key.Key_Up: -1}
        step = steps.get(Qt.Key(event.key()))
        if step is not None and self._spots:
            start = -1 if step > 0 else len(self._spots)
            self._point_at(min(max((start if self._at is None else self._at) + step, 0), len(self._spots) - 1))
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._choose()
        else:
            super().keyPressEvent(event)

    def _point_at(self, number: int | None) -> None:
        if number != self._at:
            self._at = number
            self.setAccessibleDescription(self.said)
            self.update()

    def _choose(self) -> None:
        if self._at is not None and self._at < len(self._spots) and self._spots[self._at].number >= 0:
            self.spotChosen.emit(self._spots[self._at].number)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self.update()


def draw_levels(painter: QPainter, area: QRectF, plot: QRectF, levels: Sequence[tuple[float, str]]) -> None:
    """Lines across the plot with their values left of it, the first of them strongest; a value that would lie on another is left out."""
    painter.setFont(look().font(SMALL))
    height = QFontMetricsF(painter.font()).height()
    written: list[float] = []
    for place, (y, text) in enumerate(levels):
        painter.setPen(QPen(look().colour("line" if place else "edge"), 1))
        painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y))
        if all(abs(y - other) >= height for other in written):
            painter.setPen(look().colour("muted"))
            painter.drawText(QRectF(area.left(), y - height / 2, plot.left() - area.left() - GRID, height), RIGHT, text)
            written.append(y)


def tone(value: float) -> QColor:
    return look().colour("up") if value > 0 else look().colour("down") if value < 0 else look().colour("muted")
