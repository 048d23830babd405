"""A line or a histogram of values, one a bar, decimated as candles are: a column of the screen shows all that happened in it."""

from dataclasses import dataclass
from math import floor, log10
from typing import Literal

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPainter, QPen

from sptrader_desktop.present.chart_frame import Array, Frame
from sptrader_desktop.present.numbers import NONE
from sptrader_desktop.present.pyramid import Cells, Level, Pyramid
from sptrader_desktop.ui.charts.batches import fill_rects, polygon, runs_of
from sptrader_desktop.ui.charts.series import Said
from sptrader_desktop.ui.theme.look import look

Kind = Literal["line", "histogram"]
LINE_WIDTH = 1.4  # logical pixels
SAMPLE = 1000  # values that tell how large they usually are
COLUMN_INK = 150  # of 255: columns are so much ink that they would shout


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """`values` one a bar, NaN where there is none. Without a pane the line lies over the candles, in prices.

    `pyramid` may be made beforehand, on any thread. `places` are the decimals of a readout; without them as many as the values need.
    `levels` are guides of its pane.
    """

    name: str
    values: Array
    pane: str | None = None
    kind: Kind = "line"
    pyramid: Pyramid | None = None
    places: int | None = None
    levels: tuple[float, ...] = ()


class LineSeries:
    """`scale` turns the line's values into the pane's: prices into ticks."""

    def __init__(self, line: Line, colour: int, scale: float = 1.0, places: int | None = None) -> None:
        self.line = line
        self._places = line.places if line.places is not None else places if places is not None else places_for(line.values)
        self._colour = colour
        self._scale = scale
        self._pyramid = line.pyramid or Pyramid.of_line(line.values)
        self._asked: tuple[float, float, float] | None = None
        self._cells = self._pyramid.cells(0, 0, 1)

    @property
    def colour(self) -> QColor:
        return look().line_colour(self._colour)

    def cells(self, frame: Frame) -> Cells:
        asked = (frame.first, frame.last, frame.columns)
        if asked != self._asked:
            found = self._pyramid.cells(*asked)
            scaled = Level(*(np.multiply(column, self._scale) for column in found.values)) if self._scale != 1 else found.values
            self._asked, self._cells = asked, found._replace(values=scaled)
        return self._cells

    def reach(self, frame: Frame) -> tuple[float, float] | None:
        values = self.cells(frame).values
        low, high = (np.fmin.reduce(values.low, initial=np.inf), np.fmax.reduce(values.high, initial=-np.inf))
        if not np.isfinite(low):
            return None
        return (min(0.0, float(low)), max(0.0, float(high))) if self.line.kind == "histogram" else (float(low), float(high))

    def paint(self, painter: QPainter, frame: Frame) -> None:
        cells = self.cells(frame)
        if self.line.kind == "histogram":
            colour = self.colour
            colour.setAlpha(COLUMN_INK)
            paint_histogram(painter, frame, cells, colour)
        else:
            paint_line(painter, frame, cells, self.colour)

    def said(self, bar: int) -> list[Said]:
        value = float(self.line.values[bar]) if bar < len(self.line.values) else np.nan
        return [Said(self.line.name, NONE if np.isnan(value) else f"{value:,.{self._places}f}", self.colour)]


def places_for(values: Array) -> int:
    """Decimals that leave about four digits of the usual value."""
    known = np.abs(values[-SAMPLE:])
    known = known[np.isfinite(known) & (known > 0)]
    return min(8, max(0, 3 - floor(log10(float(np.median(known)))))) if len(known) else 2


def paint_line(painter: QPainter, frame: Frame, cells: Cells, colour: QColor) -> None:
    if not len(cells.bar):
        return
    if cells.column is None:
        x, y = frame.x(cells.bar + 0.5), frame.y(cells.values.last)
        for run in runs_of(~np.isnan(y)):
            stroke(painter, *_within(frame, x[run], y[run]), colour, frame.scale)
        return
    # Each column reaches to where the one before ended, so that a steep line has no holes.
    before = np.append(np.nan, cells.values.last[:-1].astype(np.float64))
    before[np.isnan(cells.values.first.astype(np.float64))] = np.nan
    high, low = np.fmax(cells.values.high, before), np.fmin(cells.values.low, before)
    is_there = ~np.isnan(high)
    thick = max(1, round(LINE_WIDTH * frame.scale))
    top, height = rows(frame, high[is_there], low[is_there])
    fill_rects(painter, colour, cells.column[is_there] * frame.line_px, top - thick // 2, frame.line_px, np.maximum(height, thick))


def _within(frame: Frame, x: Array, y: Array) -> tuple[Array, Array]:
    """A line that ends at the edges of the picture: Qt would cut it a little otherwise in a window than in a picture, and it would jump."""
    ends = [0, -1]
    inside = np.clip(x[ends], 0, frame.width)
    if len(x) > 1 and (inside != x[ends]).any():
        x, y, there = x.copy(), y.copy(), np.interp(inside, x, y)
        x[ends], y[ends] = inside, there
    return x, y


def rows(frame: Frame, high: Array, low: Array) -> tuple[Array, Array]:
    """The top row and the number of rows of what reaches from one value to another, at least one."""
    one, other = np.floor(frame.y(high)).astype(np.int64), np.floor(frame.y(low)).astype(np.int64)
    top = np.minimum(one, other)
    return top, np.maximum(one, other) - top + 1


def stroke(painter: QPainter, x: Array, y: Array, colour: QColor, scale: float) -> None:
    """Smooth and a little thicker than a pixel: hairlines, since those cost a twentieth of what a wider pen does."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(colour, 1))
    if len(x) == 1:
        painter.drawPoint(round(x[0]), round(y[0]))
    copies = max(2, round(LINE_WIDTH * scale))
    for copy in range(copies):
        painter.drawPolyline(polygon(x, y + 0.5 + (copy - (copies - 1) / 2) * 0.6))


def paint_histogram(painter: QPainter, frame: Frame, cells: Cells, colour: QColor) -> None:
    values = np.where(np.abs(cells.values.high) >= np.abs(cells.values.low), cells.values.high, cells.values.low)
    is_there = ~np.isnan(values)
    zero = round(frame.y_of(0.0))
    rows = np.round(frame.y(values[is_there])).astype(np.int64)
    top, height = np.minimum(rows, zero), np.maximum(np.abs(rows - zero), 1)
    if cells.column is not None:
        fill_rects(painter, colour, cells.column[is_there] * frame.line_px, top, frame.line_px, height)
        return
    width = max(1, int(frame.bar_px * 0.7))
    left = np.floor(frame.x(cells.bar[is_there] + 0.5) - width / 2).astype(np.int64)
    fill_rects(painter, colour, left, top, width, height)
