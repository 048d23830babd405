"""The scale at a pane's right edge, and how a pane's values are written on it and in its tags."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Protocol

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QWidget

from sptrader_desktop.core.instruments import Instrument
from sptrader_desktop.core.money import MONEY_ONE
from sptrader_desktop.present import numbers
from sptrader_desktop.present.chart_frame import Frame, from_scale
from sptrader_desktop.present.price_alerts import MOST_TICKS
from sptrader_desktop.present.price_marks import nice_step, places_of, price_marks
from sptrader_desktop.ui.charts.pyqtgraph_base import Axis, Box
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.tokens import GRID, SMALL

TO_THE_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
GAP, LEAST_GAP = 10 * GRID, 5 * GRID  # between labels, in a high pane and in a low one


class Scale(Protocol):
    """How values of a pane are written. `least` is the smallest step worth a label; `step` is that between the labels around.

    `most` is as far as a hand may go from zero.
    """

    least: float
    most: float

    def text(self, value: float, step: float) -> str: ...


class TickScale:
    """Prices in whole ticks, at the instrument's precision."""

    least, most = 1.0, float(MOST_TICKS)

    def __init__(self, instrument: Instrument) -> None:
        self._unit = numbers.price_unit(instrument)

    def text(self, value: float, step: float) -> str:
        return self._unit.text(round(value))


class FigureScale:
    """Plain numbers with the decimals that the step needs, up to six of them."""

    least, most = 1e-6, 1e18

    def text(self, value: float, step: float) -> str:
        return numbers.figure(value, places=min(6, places_of(step)))


class MoneyScale:
    """Integers of 1e-8 of a currency, as whole amounts where the step is whole."""

    least, most = float(MONEY_ONE) / 100, float(2**63)

    def text(self, value: float, step: float) -> str:
        if step < MONEY_ONE:
            return numbers.amount(round(value))
        return numbers.amount(round(value / MONEY_ONE) * MONEY_ONE).removesuffix(".00")


class ShareScale:
    """Fractions as percent."""

    least, most = 1e-5, 1e6

    def text(self, value: float, step: float) -> str:
        return numbers.share(value, places=min(3, max(0, places_of(step * 100))))


class PriceAxis(Axis):
    def __init__(self, box: Box, scale: Scale) -> None:
        super().__init__(box)
        self.scale_of_values = scale
        self.frame: Frame | None = None
        self.marks: list[float] = []
        self.guides: list[float] = []
        self._step = scale.least
        self.tagged: float | None = None  # a value that has a tag of its own: labels make room for it

    def show(self, frame: Frame, guides: Sequence[float] = ()) -> None:
        """Labels for these ranges; the pane's picture draws its grid at the same marks. Guides in sight come first."""
        self.frame = frame
        gap = max(LEAST_GAP, min(GAP, frame.height / frame.scale / 5))
        self.marks = price_marks(frame, round(gap * frame.scale), self.scale_of_values.least)
        steps = [after - before for before, after in pairwise(self.marks)]
        low, high = from_scale(frame.low, frame.is_log), from_scale(frame.high, frame.is_log)
        alone = nice_step(high - low) / 10 if high > low else 0.0  # a mark without a neighbour: as finely as what is in sight
        self.guides = seen = [level for level in guides if low <= level <= high]
        exact = [10.0 ** -numbers.Unit.of(Decimal(str(level))).places for level in seen if level % 1]
        self._step = max(self.scale_of_values.least, min([min(steps, default=alone), *exact]))
        clear = [mark for mark in self.marks if all(abs(frame.y_of(mark) - frame.y_of(level)) >= gap * frame.scale for level in seen)]
        self.marks = sorted([*seen, *clear])
        self.update()

    def text(self, value: float, *, is_mark: bool = False) -> str:
        """A mark as its neighbours are written; anything else, such as a tag, ten times as finely."""
        return self.scale_of_values.text(value, self._step if is_mark else self._step / 10)

    def room_needed(self) -> float:
        texts = [self.text(value, is_mark=is_mark) for value in (self.marks or [0.0]) for is_mark in (True, False)]
        return max(look().width(text, SMALL) for text in texts) + 4 * GRID

    def paint(self, painter: QPainter, option: object, widget: QWidget | None) -> None:
        if self.frame is None:
            return
        area = self.mapRectFromParent(self.geometry())
        painter.fillRect(area, look().colour("field"))
        painter.fillRect(QRectF(area.left(), area.top(), 1, area.height()), look().colour("line"))
        painter.setFont(look().font(SMALL))
        painter.setPen(look().colour("muted"))
        tag = None if self.tagged is None else self.frame.y_of(self.tagged) / self.frame.scale
        for value in self.marks:
            y = self.frame.y_of(value) / self.frame.scale
            if value in self.guides:  # at the edge of a low pane it is named beside its line
                y = min(max(y, 2 * GRID), area.height() - 2 * GRID)
            if 2 * GRID <= y <= area.height() - 2 * GRID and (tag is None or abs(y - tag) >= 4 * GRID):
                painter.drawText(_line_at(area, y), TO_THE_RIGHT, self.text(value, is_mark=True))


def _line_at(area: QRectF, y: float) -> QRectF:
    """The row of text whose middle is at `y`, with the margin that all labels of an axis keep."""
    return QRectF(area.left() + GRID, y - 2 * GRID, area.width() - 3 * GRID, 4 * GRID)


def paint_tag(painter: QPainter, area: QRectF, y: float, text: str, fill: QColor, ink: QColor) -> None:
    """A label that stands out of an axis, kept within it."""
    y = min(max(y, area.top() + 2.5 * GRID), area.bottom() - 2.5 * GRID)
    painter.fillRect(QRectF(area.left() + 1, y - 2.5 * GRID, area.width() - 1, 5 * GRID), fill)
    painter.setPen(ink)
    painter.setFont(look().font(SMALL, bold=True))
    painter.drawText(_line_at(area, y), TO_THE_RIGHT, text)
