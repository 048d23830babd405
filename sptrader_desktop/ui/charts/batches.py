"""Thousands of rectangles, or the corners of a line, in one call: numpy writes them into memory that Qt reads."""

from typing import Any

import numpy as np
import shiboken6
from numpy.typing import NDArray
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPolygonF

Array = NDArray[Any]

_pointer: Any = shiboken6.VoidPtr  # its declared types know less than it takes


def fill_rects(painter: QPainter, colour: QColor, left: Array, top: Array, width: Array | int, height: Array | int) -> None:
    """In device pixels, without smoothing: every edge is sharp."""
    count = len(left)
    if not count:
        return
    corners = np.empty((count, 4), np.int32)  # as QRect holds them: left, top, right and bottom, the last two inclusive
    corners[:, 0] = left
    corners[:, 1] = top
    corners[:, 2] = left + width - 1
    corners[:, 3] = top + height - 1
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    first: Any = shiboken6.wrapInstance(corners.ctypes.data, QRect)
    painter.drawRects(first, count)


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
