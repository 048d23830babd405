"""Coverage as a calendar: a column for each week, a row for each weekday, a cell for each trading day; in blocks of years or half years."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QFontMetricsF, QKeyEvent, QPainter, QPen, QResizeEvent

from sptrader_desktop.present.clocks import MONTHS
from sptrader_desktop.present.doctor import STATES, DayCell, DayState, Doctored, calendar_words
from sptrader_desktop.present.numbers import iso_date
from sptrader_desktop.ui.data.parts import bring_into_sight
from sptrader_desktop.ui.results.picture import CENTRE, LEFT, Picture, Spot
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.tokens import GRID, SMALL

CELL, LEAST_CELL = 4.0 * GRID, 3.0 * GRID  # with the gap beside it; as large as the width allows
GAP = GRID / 2
WEEKS = {12: 54, 6: 28}  # at most, in a block of so many months
STEPS = {
    Qt.Key.Key_Left: -7,
    Qt.Key.Key_Right: 7,
    Qt.Key.Key_Up: -1,
    Qt.Key.Key_Down: 1,
    Qt.Key.Key_PageUp: -28,
    Qt.Key.Key_PageDown: 28,
}
COLOURS = {
    DayState.WHOLE: ("accent", 200),
    DayState.THIN: ("accent", 70),
    DayState.EMPTY: ("field", 0),
    DayState.DOUBTFUL: ("warning", 255),
    DayState.REFUSED: ("danger", 255),
    DayState.CLOSED: ("line", 255),
}


class CoveragePicture(Picture):
    """`spotChosen` tells the place of a day among those of `Doctored.days`."""

    def __init__(self) -> None:
        super().__init__("coveragePicture", "Coverage by trading day")
        self._cells: Sequence[DayCell] = ()
        self._grid: list[tuple[int, int, int]] = []  # which block, week and weekday each cell stands in
        self._there = {DayState.WHOLE}
        self._rows = 5
        self._months = 12  # of a block
        self._blocks: dict[tuple[int, int], int] = {}  # the year and the first month of each, and its last day

    def put(self, doctored: Doctored | None) -> None:
        self._cells = doctored.cells if doctored else ()
        self._rows = 1 + max((cell.weekday for cell in self._cells), default=4)
        self._there = {cell.state for cell in self._cells} | {DayState.WHOLE}
        self._place()
        self.describe(calendar_words(doctored) if doctored else "")
        self.setMinimumHeight(self.minimumSizeHint().height())

    def _place(self) -> None:
        """Whole years beside each other where they fit, else halves."""
        self._months = 12 if self.area.width() >= self._left() + WEEKS[12] * LEAST_CELL * look().scale else 6
        within = [_block_of(cell, self._months) for cell in self._cells]
        self._blocks = dict(sorted(zip(within, (cell.day for cell in self._cells), strict=True)))  # of a block's days the last stays
        begins = {block: (number, _first_of(*block)) for number, block in enumerate(self._blocks)}
        where = [begins[block] for block in within]
        self._grid = [(number, _week(cell.day, first), cell.weekday) for cell, (number, first) in zip(self._cells, where, strict=True)]

    # Where things are

    def minimumSizeHint(self) -> QSize:
        head = self.height() - self.area.height()
        narrowest = self._left() + WEEKS[6] * LEAST_CELL * look().scale + 4 * GRID
        return QSize(round(narrowest), round(head + self._legend() + len(self._blocks) * self._block()))

    def sizeHint(self) -> QSize:
        return self.minimumSizeHint()

    def spots(self, area: QRectF) -> Sequence[Spot]:
        size, block_height = self._cell(), self._block()
        left, top = area.left() + self._left(), area.top() + self._legend() + self._month_line()
        side = size - GAP
        return [
            Spot(QRectF(left + week * size, top + block * block_height + weekday * size, side, side), cell.text, cell.place)
            for cell, (block, week, weekday) in zip(self._cells, self._grid, strict=True)
        ]

    def _cell(self) -> float:
        room = (self.area.width() - self._left()) / WEEKS[self._months]
        return float(max(LEAST_CELL * look().scale, min(CELL * look().scale, room)))

    def _block(self) -> float:
        return self._month_line() + self._rows * self._cell() + 2 * GRID

    def _month_line(self) -> float:
        return QFontMetricsF(look().font(SMALL)).height() + GAP

    def _legend(self) -> float:
        places = [place for _, place, _ in self._legend_places(self.area)]
        return (places[-1].bottom() - self.area.top() if places else 0) + 3 * GRID

    def _legend_places(self, area: QRectF) -> list[tuple[DayState, QRectF, str]]:
        """As many beside each other as fit."""
        metrics, size = QFontMetricsF(look().font(SMALL)), self._cell()
        left, top, found = area.left(), area.top() + GRID, []
        for state, (_, words) in STATES.items():
            if state not in self._there:
                continue
            width = size + 2 * GRID + metrics.horizontalAdvance(words)
            if left + width > area.right() and left > area.left():
                left, top = area.left(), top + max(size, metrics.height()) + GRID
            found.append((state, QRectF(left, top, width, max(size, metrics.height())), words))
            left += width + 4 * GRID
        return found

    def _left(self) -> float:
        return QFontMetricsF(look().font(SMALL)).horizontalAdvance("2024") + 2 * GRID

    # Painting

    def draw(self, painter: QPainter, area: QRectF) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        self._draw_legend(painter, area)
        self._write_calendar(painter, area)
        painter.setFont(look().font(SMALL, bold=True))
        region = self.visibleRegion()
        seen = QRectF(self.rect() if region.isEmpty() else region.boundingRect())
        places: dict[DayState, list[QRectF]] = {state: [] for state in STATES}
        for cell, spot in zip(self._cells, self._spots, strict=True):
            if spot.area.intersects(seen):
                places[cell.state].append(spot.area)
        for state in STATES:
            _paint(painter, places[state], state)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)

    def _write_calendar(self, painter: QPainter, area: QRectF) -> None:
        painter.setFont(look().font(SMALL))
        painter.setPen(look().colour("muted"))
        size, height, block, begin = self._cell(), self._month_line(), self._block(), area.top() + self._legend()
        for number, ((year, first), last) in enumerate(self._blocks.items()):
            top = begin + number * block
            painter.drawText(QRectF(area.left(), top + height, self._left(), size), LEFT, f"{year}")
            for month, name in enumerate(MONTHS[first : first + self._months], first):
                if _first_of(year, month) > last:
                    break
                week = _week(_first_of(year, month), _first_of(year, first)) + (1 if month > first else 0)
                painter.drawText(QRectF(area.left() + self._left() + week * size, top, 4 * size, height), LEFT, name)

    def _draw_legend(self, painter: QPainter, area: QRectF) -> None:
        size = self._cell()
        for state, place, words in self._legend_places(area):
            painter.setFont(look().font(SMALL, bold=True))
            _paint(painter, [QRectF(place.left(), place.center().y() - size / 2, size - GAP, size - GAP)], state)
            painter.setFont(look().font(SMALL))
            painter.setPen(look().colour("muted"))
            painter.drawText(place.adjusted(size + GRID, 0, GRID, 0), LEFT, words)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()
        self.setMinimumHeight(self.minimumSizeHint().height())

    # Asking

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up and down by a day, left and right by a week, a page by four of them; Home and End are the first and the last day."""
        key = Qt.Key(event.key())
        if not self._cells or key not in (*STEPS, Qt.Key.Key_Home, Qt.Key.Key_End):
            super().keyPressEvent(event)
            return
        step, days = STEPS.get(key, 0), [cell.day for cell in self._cells]
        if not step or self._at is None:
            at = 0 if step > 0 or key == Qt.Key.Key_Home else len(days) - 1
        else:
            wanted = days[self._at] + step
            within = [place for place, day in enumerate(days) if (day >= wanted if step > 0 else day <= wanted)]
            at = (within[0] if step > 0 else within[-1]) if within else self._at
        self._point_at(at)
        bring_into_sight(self, self.spots(self.area)[at].area.toAlignedRect())

    def point_at_day(self, day: int) -> None:
        found = next((place for place, cell in enumerate(self._cells) if cell.day == day), None)
        self._point_at(found)

    def place_of(self, number: int) -> QPointF:
        """The middle of the cell of a day, by its place among all days; for who scrolls to it."""
        return next(spot.area.center() for spot in self.spots(self.area) if spot.number == number)


def _paint(painter: QPainter, places: Sequence[QRectF], state: DayState) -> None:
    """All days of one state together: there may be thousands, and they share their colours."""
    colour, letter = QBrush(look().colour(*COLOURS[state])), STATES[state][0]
    for place in places:
        painter.fillRect(place, colour)
    if state is DayState.THIN:
        pattern = QBrush(look().colour("accent"), Qt.BrushStyle.BDiagPattern)
        for place in places:
            painter.fillRect(place, pattern)
    if state in (DayState.THIN, DayState.EMPTY):
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(look().colour("accent" if state is DayState.THIN else "edge"), 1))
        painter.drawRects([place.adjusted(0, 0, -1, -1) for place in places])
    if letter:
        painter.setPen(_on(state))
        for place in places:
            painter.drawText(place.adjusted(-GAP, -GAP, GAP, GAP), CENTRE, letter)


def _on(state: DayState) -> QColor:
    return look().colour("text") if state is DayState.EMPTY else look().colour("field")


def _block_of(cell: DayCell, months: int) -> tuple[int, int]:
    """The year and the first month of the block in which it stands."""
    year, month, _ = map(int, iso_date(cell.day).split("-"))
    return year, (month - 1) // months * months


def _first_of(year: int, month: int) -> int:
    """From 1970-01-01; `month` from zero."""
    return int(np.datetime64(f"{year}-{month + 1:02d}-01", "D").astype(np.int64))


def _week(day: int, first: int) -> int:
    """Of the year that begins with `first`, by Mondays."""
    return (day - 4) // 7 - (first - 4) // 7
