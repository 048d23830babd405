"""Thousands of rectangles, or the corners of a line, in one call: numpy writes them into memory that Qt reads.

Qt's own rectangle objects are laid over one array and reused, since making them anew costs more than painting them.
"""

from itertools import repeat
from typing import Any

import numpy as np
import shiboken6
from numpy.typing import NDArray
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPolygonF

Array = NDArray[Any]

_pointer: Any = shiboken6.VoidPtr  # its declared types know less than it takes


class _Rects:
    """QRect holds its corners as four 32-bit integers: left, top, right and bottom, the last two inclusive."""

    def __init__(self) -> None:
        self.corners = np.empty((0, 4), np.int32)
        self.wrapped: list[Any] = []

    def room(self, count: int) -> NDArray[np.int32]:
        if count > len(self.corners):
            self.corners = np.zeros((count + count // 2 + 64, 4), np.int32)
            start, size = self.corners.ctypes.data, self.corners.strides[0]
            addresses = range(start, start + self.corners.nbytes, size)
            self.wrapped = list(map(shiboken6.wrapInstance, addresses, repeat(QRect)))
        return self.corners[:count]


_RECTS = _Rects()


def fill_rects(painter: QPainter, colour: QColor, left: Array, top: Array, width: Array | int, height: Array | int) -> None:
    """In device pixels, without smoothing: every edge is sharp."""
    count = len(left)
    if not count:
        return
    corners = _RECTS.room(count)
    corners[:, 0] = left
    corners[:, 1] = top
    corners[:, 2] = left + width - 1
    corners[:, 3] = top + height - 1
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawRects(_RECTS.wrapped[:count])


def polygon(x: Array, y: Array) -> QPolygonF:
    """The corners of a line."""
    shape = QPolygonF()
    shape.resize(len(x))
    if len(x):
        points = np.frombuffer(_pointer(shape.data(), 16 * len(x), True), np.float64).reshape(-1, 2)
        points[:, 0] = x
        points[:, 1] = y
    return shape


def runs_of(is_there: NDArray[np.bool_]) -> list[slice]:
    """Where a line is without a gap."""
    edges = np.flatnonzero(np.diff(is_there.astype(np.int8), prepend=0, append=0))
    return [slice(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]
