"""The classes of pyqtgraph that charts are made of. It ships no types, so it is imported and subclassed here and nowhere else.

Its scene delivers the mouse late, rounds drags off to half a second and prints the exceptions it catches; so the mouse is heard by the
view itself, where an exception goes the way of all others, and the scene never sees it.
"""

from typing import Any

from pyqtgraph import AxisItem, GraphicsObject, GraphicsView, ViewBox
from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QMouseEvent, QPainter, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QGraphicsView, QWidget

from sptrader_desktop.ui.theme.look import look

Range = tuple[float, float]


class Item(GraphicsObject):  # type: ignore[misc] # untyped library
    """Something painted over a part of the view, in the view's own logical pixels."""

    def __init__(self, box: QRectF) -> None:
        super().__init__()
        self._box = box
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    def lie_over(self, box: QRectF) -> None:
        if box != self._box:
            self.prepareGeometryChange()
            self._box = box

    def boundingRect(self) -> QRectF:
        return self._box

    def paint(self, painter: QPainter, option: object, widget: QWidget | None = None) -> None:
        raise NotImplementedError


class Box(ViewBox):  # type: ignore[misc] # untyped library
    """The ranges that are on screen: bars across, values upwards. It has no menu, moves by no mouse and never ranges by itself."""

    def __init__(self) -> None:
        super().__init__(enableMouse=False, enableMenu=False, defaultPadding=0)
        self.disableAutoRange()

    def ranges(self) -> tuple[Range, Range]:
        (first, last), (low, high) = self.viewRange()
        return (first, last), (low, high)

    def show_bars(self, first: float, last: float) -> None:
        self.setXRange(first, last, padding=0)

    def show_values(self, low: float, high: float) -> None:
        self.setYRange(low, high, padding=0)


class Axis(AxisItem):  # type: ignore[misc] # untyped library
    """A scale at the right edge, painted by who inherits it."""

    def __init__(self, box: Box) -> None:
        super().__init__("right")
        self.linkToView(box)

    def paint(self, painter: QPainter, option: object, widget: QWidget | None) -> None:
        raise NotImplementedError


class Canvas(GraphicsView):  # type: ignore[misc] # untyped library
    """A box with its axis to the right, edge to edge."""

    def __init__(self, box: Box, axis: Axis) -> None:
        super().__init__(background=None)
        self.setCacheMode(QGraphicsView.CacheModeFlag.CacheNone)
        layout = self.centralLayout
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addItem(box, 0, 0)
        layout.addItem(axis, 0, 1)
        # A child in the way of the pointer would hide where it is.
        self.viewport().setMouseTracking(True)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)  # its ground is painted once, below

    def add(self, item: Item) -> None:
        self.sceneObj.addItem(item)

    def drawBackground(self, painter: QPainter, rect: QRectF | QRect) -> None:
        painter.fillRect(rect, look().colour("field"))

    def plot_area(self) -> QRectF:
        """Where the box lies, in logical pixels."""
        return QRectF(self.centralLayout.itemAt(0, 0).geometry())

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        if event is not None:  # pyqtgraph calls this while it makes the view
            self.centralLayout.activate()
            self.settle()

    def settle(self) -> None:
        """After the room has changed."""

    # What the scene would hear is heard by who inherits this.

    def mousePressEvent(self, event: QMouseEvent) -> None: ...

    def mouseMoveEvent(self, event: QMouseEvent) -> None: ...

    def mouseReleaseEvent(self, event: QMouseEvent) -> None: ...

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None: ...

    def wheelEvent(self, event: QWheelEvent) -> None: ...

    def keyPressEvent(self, event: Any) -> None:
        """Keys belong to the chart around."""
        event.ignore()
