"""The small pictures of results: columns above and below zero, a calendar of months, and how far the market went either way."""

from collections.abc import Sequence
from itertools import count
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QFontMetricsF, QPainter, QPen

from sptrader_desktop.present.clocks import MONTHS
from sptrader_desktop.present.numbers import NONE, figure, share
from sptrader_desktop.present.trade_groups import MonthCell, YearRow
from sptrader_desktop.ui.results.picture import CENTRE, LEFT, RIGHT, Picture, Spot, draw_levels, tone
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.tokens import GRID, SMALL

MOST_DOTS = 20_000
ROW = 8.0 * GRID
HEADROOM = 1.04
STRONGEST, WEAKEST = 170, 28  # how opaque the best and the quietest month are


class Bar(NamedTuple):
    """`height` decides where it stands, `tone` its colour; a label may be empty."""

    label: str
    height: float
    tone: float
    text: str


def labelled(rooms: Sequence[float], width: float, fixed: int) -> range:
    """Which columns have room for their label: all of them or every second, fifth, tenth …, so that what is read is evenly spaced."""
    wanted = max(rooms, default=0.0) + 2 * GRID
    step = next(step for power in count() for digit in (1, 2, 5) if (step := digit * 10**power) * width >= wanted or step > len(rooms))
    return range(fixed % step, len(rooms), step)


class BarPicture(Picture):
    """Columns side by side; the scale at the left says what the heights are."""

    def __init__(self, name: str, title: str) -> None:
        super().__init__(name, title)
        self._bars: Sequence[Bar] = ()
        self._unit, self._begins = "", 0.5

    def put(self, bars: Sequence[Bar], unit: str, summary: str, *, are_edges: bool = False) -> None:
        """Labels stand under the middle of their columns, or under the left edge where they say what begins there."""
        self._bars, self._unit, self._begins = bars, unit, 0.0 if are_edges else 0.5
        self.describe(summary)

    def spots(self, area: QRectF) -> Sequence[Spot]:
        if not self._bars or area.width() <= 0:
            return ()
        plot = self._plot(area)
        width = plot.width() / len(self._bars)
        return [
            Spot(QRectF(plot.left() + place * width, plot.top(), width, plot.height()), bar.text) for place, bar in enumerate(self._bars)
        ]

    def draw(self, painter: QPainter, area: QRectF) -> None:
        plot = self._plot(area)
        draw_levels(painter, area, plot, [(self._y(value, plot), self._label(value)) for value in (0.0, *self._ends())])
        width = plot.width() / len(self._bars)
        gap = min(width / 6, GRID)
        for place, bar in enumerate(self._bars):
            top, bottom = sorted((self._y(bar.height, plot), self._y(0, plot)))
            if bar.height:
                painter.fillRect(QRectF(plot.left() + place * width + gap, top, width - 2 * gap, max(bottom - top, 1)), tone(bar.tone))
        self._write_labels(painter, plot, width)

    def _write_labels(self, painter: QPainter, plot: QRectF, width: float) -> None:
        metrics = QFontMetricsF(painter.font())
        painter.setPen(look().colour("muted"))
        for place in labelled([metrics.horizontalAdvance(bar.label) for bar in self._bars], width, self._zero()):
            label, centre = self._bars[place].label, plot.left() + (place + self._begins) * width
            room = metrics.horizontalAdvance(label)
            painter.drawText(QRectF(centre - room / 2 - GRID, plot.bottom() + GRID, room + 2 * GRID, metrics.height()), CENTRE, label)

    def _zero(self) -> int:
        """The column that begins at nothing has its label, whichever others have."""
        return next((place for place, bar in enumerate(self._bars) if self._begins == 0 and bar.label == "0"), 0)

    def _plot(self, area: QRectF) -> QRectF:
        metrics = QFontMetricsF(look().font(SMALL))
        left = max(metrics.horizontalAdvance(self._label(value)) for value in (*self._ends(), 0.0)) + 2 * GRID
        return area.adjusted(left, metrics.height() / 2, 0, -metrics.height() - GRID)

    def _ends(self) -> tuple[float, float]:
        heights = [bar.height for bar in self._bars]
        return min(0.0, *heights), max(0.0, *heights)

    def _y(self, value: float, plot: QRectF) -> float:
        low, high = self._ends()
        return plot.bottom() - (value - low) / ((high - low) or 1) * plot.height()

    def _label(self, value: float) -> str:
        return f"{figure(value, signed=self._unit != 'trades', places=0)} {self._unit}"


class MonthPicture(Picture):
    """A row for each year, a cell for each month; the sign is written, the colour says how much."""

    def __init__(self, name: str, title: str) -> None:
        super().__init__(name, title)
        self._years: Sequence[YearRow] = ()
        self._currency = ""

    def put(self, years: Sequence[YearRow], currency: str, summary: str) -> None:
        self._years, self._currency = years, currency
        self.describe(summary)
        self.setFixedHeight(self.minimumSizeHint().height())

    def minimumSizeHint(self) -> QSize:
        head = self.height() - self.area.height() if self._years else 0
        return QSize(150 * GRID, round(head + (len(self._years) + 1) * ROW))

    def sizeHint(self) -> QSize:
        return self.minimumSizeHint()

    def spots(self, area: QRectF) -> Sequence[Spot]:
        return [Spot(place, cell.text(self._currency)) for place, cell, _ in self._cells(area)]

    def _cells(self, area: QRectF) -> list[tuple[QRectF, MonthCell, bool]]:
        width, height = self._cell_size(area)
        found = []
        for row, year in enumerate(self._years):
            top = area.top() + (row + 1) * height
            for column, cell in enumerate((*year.months, year.total)):
                if cell is not None:
                    left = area.left() + (column + 1) * width + (GRID if column == 12 else 0)
                    found.append((QRectF(left + 1, top + 1, width - 2, height - 2), cell, column == 12))
        return found

    def _cell_size(self, area: QRectF) -> tuple[float, float]:
        return (area.width() - GRID) / 14, ROW

    def draw(self, painter: QPainter, area: QRectF) -> None:
        width, height = self._cell_size(area)
        painter.setFont(look().font(SMALL))
        painter.setPen(look().colour("muted"))
        for column, name in enumerate((*MONTHS, "Year")):
            painter.drawText(QRectF(area.left() + (column + 1) * width, area.top(), width, height), CENTRE, name)
        for row, year in enumerate(self._years):
            painter.drawText(QRectF(area.left(), area.top() + (row + 1) * height, width, height), LEFT, year.year)
        strongest = max((abs(cell.growth or 0) for year in self._years for cell in year.months if cell), default=0) or 1
        for place, cell, is_year in self._cells(area):
            growth = cell.growth or 0.0
            shade = tone(growth)
            shade.setAlpha(round(WEAKEST + (STRONGEST - WEAKEST) * min(1.0, abs(growth) / strongest)) if growth else WEAKEST)
            painter.fillRect(place, look().colour("raised") if is_year else shade)
            painter.setPen(look().colour("text"))
            painter.setFont(look().font(SMALL, bold=is_year))
            painter.drawText(place, CENTRE, NONE if cell.growth is None else share(growth, signed=True, places=1))


class ScatterPicture(Picture):
    """A mark for each trade: a triangle that points up where it won, down where it lost. Far more than fit are drawn once a pixel."""

    def __init__(self, name: str, title: str) -> None:
        super().__init__(name, title)
        self._x: NDArray[np.float64] = np.empty(0)
        self._y = self._x
        self._won: NDArray[np.bool_] = np.empty(0, np.bool_)
        self._names, self._unit = ("", ""), ""
        self._texts: Sequence[str] = ()

    def put(
        self,
        x: NDArray[np.float64],
        y: NDArray[np.float64],
        won: NDArray[np.bool_],
        names: tuple[str, str],
        unit: str,
        summary: str,
    ) -> None:
        """Both from zero up, in the same unit."""
        self._x, self._y, self._won, self._names, self._unit = x, y, won, names, unit
        self.describe(summary)

    def spots(self, area: QRectF) -> Sequence[Spot]:
        places = self._places(area)
        size = 2.0 * GRID
        return [
            Spot(QRectF(x - size / 2, y - size / 2, size, size), self._text(number), number)
            for number, (x, y) in enumerate(places[:MOST_DOTS].tolist())
        ]

    def nearest(self, place: QPointF) -> int | None:
        places = self._places(self.area)[:MOST_DOTS]
        if not len(places):
            return None
        away = np.hypot(places[:, 0] - place.x(), places[:, 1] - place.y())
        number = int(away.argmin())
        return number if away[number] <= 2 * GRID else None

    def draw(self, painter: QPainter, area: QRectF) -> None:
        plot, metrics = self._plot(area), QFontMetricsF(look().font(SMALL))
        painter.setFont(look().font(SMALL))
        painter.setPen(QPen(look().colour("edge"), 1))
        painter.drawLine(plot.bottomLeft(), plot.bottomRight())
        painter.drawLine(plot.bottomLeft(), plot.topLeft())
        painter.setPen(look().colour("muted"))
        right, top = self._ends()
        below = QRectF(plot.left(), plot.bottom() + GRID, plot.width(), metrics.height())
        painter.drawText(below, LEFT, f"0  {self._names[0]} →")
        painter.drawText(below, RIGHT, f"{figure(right, places=1)} {self._unit}")
        painter.drawText(QRectF(area.left(), plot.top(), plot.left() - area.left() - GRID, metrics.height()), RIGHT, figure(top, places=1))
        painter.drawText(QRectF(plot.left() + GRID, area.top(), plot.width(), metrics.height()), LEFT, f"↑ {self._names[1]}, {self._unit}")
        painter.setPen(QPen(look().colour("line"), 1))
        end = min(right, top)
        painter.drawLine(plot.bottomLeft(), QPointF(self._to_x(end, plot), self._to_y(end, plot)))
        self._draw_marks(painter, area)

    def _draw_marks(self, painter: QPainter, area: QRectF) -> None:
        places = np.column_stack([np.round(self._places(area)), self._won])
        half = GRID * 0.75
        for x, y, won in np.unique(places, axis=0).tolist():
            point = half if won else -half
            painter.setPen(QPen(tone(1 if won else -1), 1))
            painter.setBrush(tone(1 if won else -1))
            painter.drawPolygon([QPointF(x - half, y + point), QPointF(x + half, y + point), QPointF(x, y - point)])

    def _text(self, number: int) -> str:
        against, forward = figure(float(self._x[number]), places=1), figure(float(self._y[number]), places=1)
        return f"Trade {number + 1}: {against} {self._unit} against it, {forward} for it, {'won' if self._won[number] else 'not won'}"

    def _ends(self) -> tuple[float, float]:
        return HEADROOM * float(self._x.max(initial=0)) or 1.0, HEADROOM * float(self._y.max(initial=0)) or 1.0

    def _plot(self, area: QRectF) -> QRectF:
        metrics = QFontMetricsF(look().font(SMALL))
        left = metrics.horizontalAdvance(figure(self._ends()[1], places=1)) + 2 * GRID
        return area.adjusted(left, metrics.height(), -2 * GRID, -metrics.height() - GRID)

    def _to_x(self, value: float, plot: QRectF) -> float:
        return plot.left() + value / self._ends()[0] * plot.width()

    def _to_y(self, value: float, plot: QRectF) -> float:
        return plot.bottom() - value / self._ends()[1] * plot.height()

    def _places(self, area: QRectF) -> NDArray[np.float64]:
        plot, (right, top) = self._plot(area), self._ends()
        x = plot.left() + self._x / right * plot.width()
        return np.column_stack([x, plot.bottom() - self._y / top * plot.height()])
