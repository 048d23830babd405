"""Growth of several runs over time, laid over each other from the same start: each line has a colour, a dash and its name."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPen, QPolygonF

from sptrader_desktop.present.numbers import share
from sptrader_desktop.present.selection import Zone
from sptrader_desktop.present.thinned_curve import thinned
from sptrader_desktop.present.zone_clock import clock_in
from sptrader_desktop.ui.results.picture import LEFT, RIGHT, Picture, Spot, draw_levels
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.tokens import GRID, SMALL

DASHES = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine, Qt.PenStyle.DashDotLine, Qt.PenStyle.DashDotDotLine)
MOST_SPOTS = 120
DASH_WIDTH = 7 * GRID


class Curve(NamedTuple):
    """`growth` is a fraction; both ascend in time."""

    name: str
    instants: NDArray[np.int64]
    growth: NDArray[np.float64]

    def at(self, stamp: float) -> float | None:
        """The last value known then; nothing before the first."""
        place = int(np.searchsorted(self.instants, stamp, side="right")) - 1
        return float(self.growth[place]) if place >= 0 else None


class CurvePicture(Picture):
    def __init__(self, name: str, title: str) -> None:
        super().__init__(name, title)
        self._curves: Sequence[Curve] = ()
        self._zone = Zone.UTC

    def put(self, curves: Sequence[Curve], zone: Zone) -> None:
        self._curves = [curve for curve in curves if len(curve.instants)]
        self._zone = zone
        self.describe("; ".join(f"{curve.name} {share(float(curve.growth[-1]), signed=True)}" for curve in self._curves) or "No bars")

    def spots(self, area: QRectF) -> Sequence[Spot]:
        if not self._curves or area.width() <= 0:
            return ()
        plot, (first, last) = self._plot(area), self._span()
        count = max(1, min(MOST_SPOTS, int(plot.width() // GRID)))
        width = plot.width() / count
        return [
            Spot(
                QRectF(plot.left() + place * width, plot.top(), width, plot.height()),
                self._said(first + (place + 1) * (last - first) / count),
            )
            for place in range(count)
        ]

    def draw(self, painter: QPainter, area: QRectF) -> None:
        plot = self._plot(area)
        self._draw_scale(painter, area, plot)
        for number, curve in enumerate(self._curves):
            painter.setPen(QPen(look().line_colour(number), 1.5, DASHES[number % len(DASHES)]))
            painter.drawPolyline(self._line(curve, plot))
        self._draw_names(painter, area)

    def _draw_scale(self, painter: QPainter, area: QRectF, plot: QRectF) -> None:
        metrics, (first, last) = QFontMetricsF(look().font(SMALL)), self._span()
        levels = [(self._y(value, plot), share(value, signed=True, places=1)) for value in (0.0, *self._ends())]
        draw_levels(painter, area, plot, levels)
        below = QRectF(plot.left(), plot.bottom() + GRID, plot.width(), metrics.height())
        painter.drawText(below, LEFT, clock_in(first, self._zone))
        painter.drawText(below, RIGHT, f"{clock_in(last, self._zone)} {self._zone.value}")

    def _draw_names(self, painter: QPainter, area: QRectF) -> None:
        for number, (curve, place) in enumerate(zip(self._curves, self._names(area), strict=True)):
            y = place.center().y()
            painter.setPen(QPen(look().line_colour(number), 2, DASHES[number % len(DASHES)]))
            painter.drawLine(QPointF(place.left(), y), QPointF(place.left() + DASH_WIDTH, y))
            painter.setPen(look().colour("text"))
            painter.drawText(place.adjusted(DASH_WIDTH + GRID, 0, 0, 0), LEFT, curve.name)

    def _names(self, area: QRectF) -> list[QRectF]:
        """Above the plot, as many in a row as there is room for."""
        metrics, places = QFontMetricsF(look().font(SMALL)), list[QRectF]()
        x, y = area.left(), area.top()
        for curve in self._curves:
            width = DASH_WIDTH + GRID + metrics.horizontalAdvance(curve.name)
            if x > area.left() and x + width > area.right():
                x, y = area.left(), y + metrics.height()
            places.append(QRectF(x, y, width, metrics.height()))
            x += width + 4 * GRID
        return places

    def _line(self, curve: Curve, plot: QRectF) -> QPolygonF:
        points = thinned(curve.instants, curve.growth, self._span(), max(1, int(plot.width())))
        return QPolygonF([QPointF(plot.left() + column, self._y(value, plot)) for column, value in points])

    def _said(self, stamp: float) -> str:
        values = [(curve.name, curve.at(stamp)) for curve in self._curves]
        told = ", ".join(f"{name} {share(value, signed=True)}" for name, value in values if value is not None)
        minute = 60_000_000
        return f"{clock_in(int(stamp) // minute * minute, self._zone)} {self._zone.value}: {told}"

    def _span(self) -> tuple[int, int]:
        return min(int(curve.instants[0]) for curve in self._curves), max(int(curve.instants[-1]) for curve in self._curves)

    def _ends(self) -> tuple[float, float]:
        return min(0.0, *(float(curve.growth.min()) for curve in self._curves)), max(
            0.0, *(float(curve.growth.max()) for curve in self._curves)
        )

    def _y(self, value: float, plot: QRectF) -> float:
        low, high = self._ends()
        return plot.bottom() - (value - low) / ((high - low) or 1) * plot.height()

    def _plot(self, area: QRectF) -> QRectF:
        metrics = QFontMetricsF(look().font(SMALL))
        left = max(metrics.horizontalAdvance(share(value, signed=True, places=1)) for value in self._ends()) + 2 * GRID
        top = self._names(area)[-1].bottom() - area.top() + metrics.height() / 2 + GRID
        return area.adjusted(left, top, 0, -metrics.height() - GRID)
