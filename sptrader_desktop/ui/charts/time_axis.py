"""The time below all panes of a chart: marks that adapt, the clock's zone, the moment under the crosshair. Dragging it zooms."""

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from sptrader_desktop.present.chart_frame import Frame
from sptrader_desktop.present.time_marks import TIME, TimeMark
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.tokens import GRID, SMALL

HEIGHT = 6 * GRID
LABEL_ROOM = 18 * GRID  # between labels


class TimeAxis(QWidget):
    """`frame` is that of the panes above."""

    zoomed = Signal(float)
    reset = Signal()

    def __init__(self, frame: Callable[[], Frame]) -> None:
        super().__init__()
        self._frame = frame
        self._marks: list[TimeMark] = []
        self._zone = ""
        self._right = 0.0
        self._tag: tuple[float, str] | None = None
        self._dragged: QPointF | None = None
        self._is_focused = False
        self.setObjectName("timeAxis")
        self.setAccessibleName("Time axis")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.SizeHorCursor)

    @property
    def zone_text(self) -> str:
        return self._zone

    @property
    def tag_text(self) -> str:
        return self._tag[1] if self._tag else ""

    def sizeHint(self) -> QSize:
        return QSize(100 * GRID, HEIGHT)

    def show_marks(self, marks: list[TimeMark], zone: str, right: float) -> None:
        """`right` is where the panes end and their price axes begin."""
        self._marks, self._zone, self._right = marks, zone, right
        self.update()

    def show_focus(self, is_focused: bool) -> None:
        """That keys are heard by this chart."""
        self._is_focused = is_focused
        self.update()

    def tag(self, bar: float | None, text: str = "") -> None:
        tag = None if bar is None else (bar, text)
        if tag != self._tag:
            self._tag = tag
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            area = QRectF(self.rect())
            painter.fillRect(area, look().colour("field"))
            height, role = (GRID / 2, "accent") if self._is_focused else (1, "line")
            painter.fillRect(QRectF(0, 0, area.width(), height), look().colour(role))
            self._paint_zone(painter, area)
            painter.setClipRect(QRectF(0, 0, self._right, area.height()))
            if self._marks or self._tag is not None:
                self._paint_times(painter, self._frame())

    def _paint_times(self, painter: QPainter, frame: Frame) -> None:
        for mark in self._marks:
            is_quiet = mark.rank == TIME
            self._paint_text(painter, _place(frame, mark.bar), mark.text, "muted" if is_quiet else "text", is_bold=not is_quiet)
        if self._tag is not None:
            self._paint_tag(painter, frame, *self._tag)

    def _paint_text(self, painter: QPainter, x: float, text: str, role: str, *, is_bold: bool) -> None:
        painter.setFont(look().font(SMALL, bold=is_bold))
        painter.setPen(look().colour(role))
        half = painter.fontMetrics().horizontalAdvance(text) / 2
        if half <= x <= self._right - half:
            painter.drawText(QRectF(x - LABEL_ROOM, 0, 2 * LABEL_ROOM, HEIGHT), Qt.AlignmentFlag.AlignCenter, text)

    def _paint_zone(self, painter: QPainter, area: QRectF) -> None:
        painter.setFont(look().font(SMALL))
        painter.setPen(look().colour("muted"))
        painter.drawText(area.adjusted(0, 0, -2 * GRID, 0), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self._zone)

    def _paint_tag(self, painter: QPainter, frame: Frame, bar: float, text: str) -> None:
        width = look().width(text, SMALL, bold=True) + 4 * GRID
        x = min(max(_place(frame, bar) - width / 2, 0.0), self._right - width)
        box = QRectF(x, 1, width, HEIGHT - GRID)
        painter.fillRect(box, look().colour("text"))
        painter.setFont(look().font(SMALL, bold=True))
        painter.setPen(look().colour("field"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._dragged = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._dragged is not None:
            step = event.position().x() - self._dragged.x()
            self._dragged = event.position()
            self.zoomed.emit(2.0 ** (-step / max(self._right, 1) * 4))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._dragged = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.reset.emit()


def _place(frame: Frame, bar: float) -> float:
    """The middle of a bar, in logical pixels from the left edge."""
    return frame.x_of(bar + 0.5) / frame.scale
