"""One pane of a chart: series over one scale of values.

What it has drawn is kept as a picture when it is asked for again, so that a moving crosshair redraws none of it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import floor, log10
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPen, QTransform, QWheelEvent
from PySide6.QtWidgets import QWidget

from sptrader_desktop.present.chart_frame import Frame, to_scale
from sptrader_desktop.present.time_marks import TIME, TimeMark
from sptrader_desktop.ui.charts.crosshair import Crosshair
from sptrader_desktop.ui.charts.price_axis import PriceAxis, Scale
from sptrader_desktop.ui.charts.pyqtgraph_base import Box, Canvas, Item
from sptrader_desktop.ui.charts.series import Series
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.tokens import GRID

AIR = 0.06  # of the height, free above and below what is fitted
NOTCH = 120  # what a wheel reports for one notch
ZOOM = 1.25  # a notch
DRAG = GRID  # logical pixels a click may wander
NEAREST = 1e-6  # of a power of ten: as near as a hand brings values on a logarithmic scale


def mixed(one: QColor, other: QColor) -> QColor:
    """Halfway between: what half-transparent ink on a plain ground looks like, at a tenth of its cost."""
    return QColor.fromRgb((one.red() + other.red()) // 2, (one.green() + other.green()) // 2, (one.blue() + other.blue()) // 2)


class Spot(NamedTuple):
    """A place in a pane: which bar (bar i covers i to i + 1), which value, the logical pixels, and the frame they were read in."""

    bar: float
    value: float
    at: QPointF
    frame: Frame


@dataclass(slots=True)
class Press:
    at: QPointF
    spot: Spot
    is_axis: bool
    is_grabbed: bool = False
    moved: bool = False
    last: QPointF = field(default_factory=QPointF)


class Plot(Item):
    """All series. What has changed is painted straight away, what is asked for again is copied from a picture: at 13 MB a frame each pass
    over the pixels counts.
    """

    def __init__(self, pane: "Pane") -> None:
        super().__init__(QRectF())
        self._pane = pane
        self._picture = QImage()
        self._is_new, self._is_kept = True, False
        self.drawn = 0  # times the series were painted

    def redraw(self) -> None:
        self._is_new, self._is_kept = True, False
        self.update()

    def paint(self, painter: QPainter, option: object, widget: QWidget | None = None) -> None:
        frame = self._pane.frame()
        painter.save()
        try:
            _to_device_pixels(painter, frame.scale)
            if self._is_new:
                painter.setClipRect(0, 0, frame.width, frame.height)
                self._draw(painter, frame)
                self._is_new = False
            else:
                painter.drawImage(0, 0, self._picture_of(frame))
        finally:
            painter.restore()

    def _picture_of(self, frame: Frame) -> QImage:
        size = QSize(frame.width, frame.height)
        if not self._is_kept or self._picture.size() != size:
            if self._picture.size() != size:
                self._picture = QImage(size, QImage.Format.Format_RGB32)
            self._picture.fill(look().colour("field"))
            with QPainter(self._picture) as painter:
                self._draw(painter, frame)
            self._is_kept = True
        return self._picture

    def _draw(self, painter: QPainter, frame: Frame) -> None:
        self._pane.paint_series(painter, frame)
        self.drawn += 1


def _to_device_pixels(painter: QPainter, scale: float) -> None:
    """Whole ones, wherever the view lies in its window: a chart looks the same in any place."""
    painter.setWorldTransform(QTransform.fromScale(1 / scale, 1 / scale))
    placed = painter.deviceTransform()
    painter.translate(floor(placed.dx() + 0.5) - placed.dx(), floor(placed.dy() + 0.5) - placed.dy())


class Pane(Canvas):
    """`takes_drag` is asked when a button goes down: whoever takes the drag that may follow gets `dragged` and `dropped`."""

    panned = Signal(float)  # bars
    zoomed = Signal(float, float)  # factor, and the bar that stays where it is
    pointed = Signal(object)  # Spot, or None when the pointer left
    clicked = Signal(object)  # Spot
    dragged = Signal(object)
    dropped = Signal(object)
    fitted = Signal()

    def __init__(self, scale: Scale, name: str = "") -> None:
        self.box = Box()
        self.axis = PriceAxis(self.box, scale)
        super().__init__(self.box, self.axis)
        self.name = name
        self.backdrop: list[Series] = []
        self.series: list[Series] = []
        self.marks: list[TimeMark] = []
        self.guides: list[float] = []  # values that the series are read against: in sight and labelled, quietly
        self.is_fitting = True
        self.is_log = False
        self.is_inverted = False
        self.keeps_zero = False
        self.takes_drag: Callable[[Spot, Qt.KeyboardModifier], bool] = lambda _spot, _keys: False
        self.plot = Plot(self)
        self.crosshair = Crosshair(self)
        self._press: Press | None = None
        self.add(self.plot)
        self.add(self.crosshair)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAcceptDrops(False)  # whatever is around it may
        self.setMinimumHeight(12 * GRID)
        self.setObjectName(f"{name or 'price'}Pane")
        self.setAccessibleName(f"{name or 'Price'} pane")

    def frame(self) -> Frame:
        (first, last), (low, high) = self.box.ranges()
        area, scale = self.plot_area(), self.devicePixelRatioF()
        width, height = max(1, round(area.width() * scale)), max(1, round(area.height() * scale))
        return Frame(width, height, first, last, low, high, self.is_log, self.is_inverted, scale)

    # What is shown

    def show_bars(self, first: float, last: float, marks: list[TimeMark]) -> None:
        self.box.show_bars(first, last)
        self.marks = marks
        self.refresh()

    def refresh(self) -> None:
        if self.is_fitting:
            self.fit()
        self.axis.show(self.frame(), self.guides)
        self.plot.redraw()
        self.crosshair.update()

    def fit(self) -> None:
        """The values of the visible bars fill the height below the readout."""
        frame = self.frame()
        reached = [reach for series in (*self.series, *self.backdrop) if (reach := series.reach(frame)) is not None]
        if not reached:
            return
        reached += [(level, level) for level in self.guides]
        reached = [reach for reach in reached if reach[0] > 0] or reached if self.is_log else reached  # what has no place there
        low, high = to_scale(np.array([min(low for low, _ in reached), max(high for _, high in reached)]), self.is_log).tolist()
        air = (high - low) * AIR or max(abs(high) * AIR, self.axis.scale_of_values.least)
        least, most = low if self.keeps_zero and low == 0 else low - air, high if self.keeps_zero and high == 0 else high + air
        taken = self.crosshair.readout_height() / max(1.0, self.plot_area().height())
        if self.is_inverted:
            least = min(least, low - (most - low) * taken / (1 - taken))
        else:
            most = max(most, high + (high - least) * taken / (1 - taken))
        self.box.show_values(least, most)

    def fit_again(self) -> None:
        self.is_fitting = True
        self.refresh()
        self.fitted.emit()

    def paint_series(self, painter: QPainter, frame: Frame) -> None:
        for series in self.backdrop:
            series.paint(painter, frame)
        self._paint_grid(painter, frame)
        for series in self.series:
            painter.save()
            series.paint(painter, frame)
            painter.restore()

    def _paint_grid(self, painter: QPainter, frame: Frame) -> None:
        clear = look().colour("line")
        quiet = mixed(clear, look().colour("field"))
        for mark in self.marks:
            painter.fillRect(round(frame.x_of(mark.bar)), 0, frame.line_px, frame.height, quiet if mark.rank == TIME else clear)
        for value in self.axis.marks:
            if value not in self.guides:
                painter.fillRect(0, round(frame.y_of(value)), frame.width, frame.line_px, quiet)
        painter.setPen(QPen(mixed(look().colour("edge"), look().colour("field")), frame.line_px, Qt.PenStyle.DashLine))
        for value in self.guides:
            painter.drawLine(0, round(frame.y_of(value)), frame.width, round(frame.y_of(value)))

    # What the mouse does

    def spot(self, at: QPointF) -> Spot:
        frame = self.frame()
        inside = (at - self.plot_area().topLeft()) * frame.scale
        return Spot(frame.bar_at(inside.x()), frame.value_at(inside.y()), at, frame)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
            return
        at, spot = event.position(), self.spot(event.position())
        is_axis = at.x() >= self.plot_area().right()
        is_grabbed = not is_axis and self.takes_drag(spot, event.modifiers())
        self._press = Press(at, spot, is_axis, is_grabbed, last=at)
        event.ignore()  # the chart around takes the focus

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at, press = event.position(), self._press
        if press is None:
            is_axis = at.x() >= self.plot_area().right()
            self.viewport().setCursor(Qt.CursorShape.SizeVerCursor if is_axis else Qt.CursorShape.CrossCursor)
            self.pointed.emit(None if is_axis else self.spot(at))
            return
        press.moved = press.moved or (at - press.at).manhattanLength() > DRAG
        if press.is_grabbed:
            self.dragged.emit(self.spot(at))
        elif press.moved:
            self._pull(press, at)
        press.last = at

    def _pull(self, press: Press, at: QPointF) -> None:
        frame = self.frame()
        step = (at - press.last) * frame.scale
        if press.is_axis:
            self.stretch(1.0 + step.y() / frame.height * 2)
            return
        self.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)
        if not self.is_fitting:
            self.shift(step.y() / frame.height * (-1 if self.is_inverted else 1))
        self.panned.emit(-step.x() / frame.bar_px)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        press, self._press = self._press, None
        if press is None or event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
            return
        self.viewport().setCursor(Qt.CursorShape.CrossCursor)
        if press.is_grabbed:
            self.dropped.emit(self.spot(event.position()))
        elif not press.moved and not press.is_axis:
            self.clicked.emit(press.spot)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and event.position().x() >= self.plot_area().right():
            self.fit_again()
        else:
            self.mousePressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        turned, frame = event.angleDelta(), self.frame()
        sideways = turned.x() or (turned.y() if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 0)
        if sideways:
            self.panned.emit(-sideways / NOTCH * frame.width / frame.bar_px / 10)
        elif event.position().x() >= self.plot_area().right():
            self.stretch(ZOOM ** (-turned.y() / NOTCH))
        elif turned.y():
            self.zoomed.emit(ZOOM ** (-turned.y() / NOTCH), self.spot(event.position()).bar)
        event.accept()

    def leaveEvent(self, event: QEvent) -> None:
        self.pointed.emit(None)

    def stretch(self, factor: float) -> None:
        """By hand: from now on the values stay where they are put, until the axis is double-clicked."""
        _, (low, high) = self.box.ranges()
        middle, half = (low + high) / 2, (high - low) / 2 * min(max(factor, 0.1), 10.0)
        self.is_fitting = False
        self._put(middle - half, middle + half)
        self.refresh()

    def shift(self, share: float) -> None:
        _, (low, high) = self.box.ranges()
        self._put(low + share * (high - low), high + share * (high - low))

    def _put(self, low: float, high: float) -> None:
        """By hand, as far as values go and as near as they can be told apart: beyond that a hand is not followed."""
        scale, (_, now) = self.axis.scale_of_values, self.box.ranges()
        most, least = (log10(scale.most), NEAREST) if self.is_log else (scale.most, scale.least)
        if max(-low, high) <= max(most, -now[0], now[1]) and high - low >= min(least, now[1] - now[0]):
            self.box.show_values(low, high)

    def settle(self) -> None:
        self.plot.lie_over(self.plot_area())
        self.crosshair.lie_over(QRectF(self.rect()))
        self.refresh()
