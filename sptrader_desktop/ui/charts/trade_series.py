"""Trades over candles: ▲ where bought, ▼ where sold, joined from entry to exit, with stop and target of the chosen one.

Where trades are more than can be told apart each pixel column is marked once, so that any number of them costs the same.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from sptrader_desktop.present.chart_frame import Frame
from sptrader_desktop.present.numbers import amount
from sptrader_desktop.present.trade_marks import NO_LEVEL, SignalMarks, TradeMarks
from sptrader_desktop.ui.charts.backdrops import Backdrop
from sptrader_desktop.ui.charts.batches import fill_rects
from sptrader_desktop.ui.charts.candle_series import CandleSeries
from sptrader_desktop.ui.charts.series import Said
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.tokens import GRID, SMALL

MOST_DRAWN = 250  # more trades in sight than this are marked by column
MARK = 2.5 * GRID  # the height of a triangle
NEAR = 3 * GRID
NO_HAIRLINE = 1.01  # of a pixel: Qt begins the dashes of thinner lines where the picture begins, and they would jump

Rows = NDArray[np.intp]


class TradeSeries:
    """`in_sight` says from which bar to which the chart is looked at."""

    def __init__(self, marks: TradeMarks, price_text: Callable[[float], str], in_sight: Callable[[], tuple[float, float]]) -> None:
        self.marks = marks
        self.chosen: int | None = None
        self.hovered: int | None = None
        self._price_text, self._in_sight = price_text, in_sight

    def reach(self, frame: Frame) -> tuple[float, float] | None:
        rows = self.marks.touching(frame.first, frame.last)
        if not len(rows):
            return None
        entered, left = self.marks.entry_bar[rows] >= frame.first, self.marks.exit_bar[rows] <= frame.last
        prices = np.concatenate([self.marks.entry_price[rows][entered], self.marks.exit_price[rows][left]])
        if self.chosen is not None and self.chosen in rows:
            levels = np.array([self.marks.stop[self.chosen], self.marks.target[self.chosen]])
            prices = np.concatenate([prices, levels[levels != NO_LEVEL]])
        return (float(prices.min()), float(prices.max())) if len(prices) else None

    def paint(self, painter: QPainter, frame: Frame) -> None:
        rows = self.marks.touching(frame.first, frame.last)
        if len(rows) > MOST_DRAWN:
            self._paint_columns(painter, frame, rows)
        else:
            self._paint_each(painter, frame, rows)
        if self.chosen is not None:
            self.paint_levels(painter, frame, self.chosen)

    def _paint_columns(self, painter: QPainter, frame: Frame, rows: Rows) -> None:
        """A lane at the bottom: columns in which longs were entered above those of shorts."""
        size = round(GRID * frame.scale)
        bars, sides = self.marks.entry_bar[rows], self.marks.side[rows]
        for side, role, lane in ((1, "up", 2), (-1, "down", 1)):
            columns = np.unique(np.floor(frame.x(bars[sides == side] + 0.5)).astype(np.int64))
            fill_rects(painter, look().colour(role), columns, np.full_like(columns, frame.height - lane * size), frame.line_px, size - 1)

    def _paint_each(self, painter: QPainter, frame: Frame, rows: Rows) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        marks = self.marks
        x0, x1 = frame.x(marks.entry_bar[rows] + 0.5).tolist(), frame.x(marks.exit_bar[rows] + 0.5).tolist()
        y0, y1 = frame.y(marks.entry_price[rows]).tolist(), frame.y(marks.exit_price[rows]).tolist()
        for left, top, right, bottom, side, pnl in zip(x0, y0, x1, y1, marks.side[rows].tolist(), marks.pnl[rows].tolist(), strict=True):
            colour = look().colour("up" if pnl >= 0 else "down")
            painter.setPen(QPen(colour, NO_HAIRLINE * frame.scale, Qt.PenStyle.SolidLine if pnl >= 0 else Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(left, top), QPointF(right, bottom))
            draw_mark(painter, frame, left, top, side, is_filled=True)
            draw_mark(painter, frame, right, bottom, -side, is_filled=False)

    def paint_levels(self, painter: QPainter, frame: Frame, row: int) -> None:
        marks = self.marks
        left, right = frame.x_of(float(marks.entry_bar[row])), frame.x_of(float(marks.exit_bar[row] + 1))
        entry = frame.y_of(float(marks.entry_price[row]))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        for name, level, role in (("target", marks.target[row], "up"), ("stop", marks.stop[row], "down")):
            if level == NO_LEVEL:
                continue
            y = frame.y_of(float(level))
            painter.fillRect(QRectF(left, min(y, entry), right - left, abs(y - entry)), look().colour(role, 28))
            painter.setPen(QPen(look().colour(role), frame.line_px))
            painter.drawLine(round(left), round(y), round(right), round(y))
            text = f"{name} {self._price_text(float(level))}"
            draw_text(painter, frame, right + GRID * frame.scale, y, text, look().colour(role))

    def said(self, bar: int) -> list[Said]:
        """The trade under the pointer, or the chosen one while it is in sight; else what came or went on the bar, if that is one trade."""
        is_here = (self.marks.entry_bar == bar) | (self.marks.exit_bar == bar)
        told = self.hovered if self.hovered is not None else self.chosen if self._is_chosen_in_sight() else None
        rows = np.flatnonzero(is_here).tolist() if told is None else [told]
        if len(rows) != 1:
            return [Said("trades here", str(len(rows)), look().colour("text"))] if rows else []
        row = rows[0]
        pnl = int(self.marks.pnl[row])
        side = "▲ long" if self.marks.side[row] > 0 else "▼ short"
        prices = " → ".join(self._price_text(float(column[row])) for column in (self.marks.entry_price, self.marks.exit_price))
        return [Said(side, f"{prices}  {amount(pnl, signed=True)}", look().colour("up" if pnl >= 0 else "down"))]

    def _is_chosen_in_sight(self) -> bool:
        first, last = self._in_sight()
        row = self.chosen
        return row is not None and bool(self.marks.exit_bar[row] + 1 > first and self.marks.entry_bar[row] < last)

    def nearest(self, frame: Frame, x: float, y: float) -> int | None:
        """The trade whose entry or exit is under a device pixel."""
        reach = NEAR * frame.scale
        rows = self.marks.touching(frame.first, frame.last)
        if not 0 < len(rows) <= MOST_DRAWN:
            return None
        ends = ((self.marks.entry_bar, self.marks.entry_price), (self.marks.exit_bar, self.marks.exit_price))
        away = np.minimum(*(np.hypot(frame.x(bars[rows] + 0.5) - x, frame.y(prices[rows]) - y) for bars, prices in ends))
        best = int(np.argmin(away))
        return int(rows[best]) if away[best] <= reach else None


class HoveredTrade(Backdrop):
    """The levels of the trade under the pointer, painted with the crosshair."""

    def __init__(self, trades: Callable[[], TradeSeries | None]) -> None:
        self._trades = trades

    def paint(self, painter: QPainter, frame: Frame) -> None:
        trades = self._trades()
        if trades is not None and trades.hovered is not None and trades.hovered != trades.chosen:
            trades.paint_levels(painter, frame, trades.hovered)


class SignalSeries:
    """Small diamonds beyond the candle that a signal was computed from."""

    def __init__(self, marks: SignalMarks, candles: CandleSeries, colour: int) -> None:
        self.marks = marks
        self._candles = candles
        self._colour = colour

    def reach(self, frame: Frame) -> tuple[float, float] | None:
        return None

    def paint(self, painter: QPainter, frame: Frame) -> None:
        start, stop = np.searchsorted(self.marks.bar, [int(np.floor(frame.first)), int(np.ceil(frame.last))])
        bars, directions = self.marks.bar[start:stop], self.marks.direction[start:stop]
        colour = look().line_colour(self._colour)
        columns, places = np.unique(np.floor(frame.x(bars + 0.5)).astype(np.int64), return_index=True)
        bars, directions = bars[places], directions[places]
        prices = self._candles.candles.prices
        is_up = directions >= 0
        rows = frame.y(np.where(is_up, prices.low[bars], prices.high[bars])) + np.where(is_up, 1, -1) * (3 * GRID * frame.scale)
        if len(bars) > MOST_DRAWN:
            size = round(GRID * frame.scale)
            fill_rects(painter, colour, columns, np.full_like(columns, frame.height - 3 * size), frame.line_px, size - 1)
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        half = GRID * frame.scale
        for x, y in zip((columns + 0.5).tolist(), rows.tolist(), strict=True):
            painter.drawPolygon(QPolygonF([QPointF(x, y - half), QPointF(x + half, y), QPointF(x, y + half), QPointF(x - half, y)]))

    def said(self, bar: int) -> list[Said]:
        place = int(np.searchsorted(self.marks.bar, bar))
        if place == len(self.marks.bar) or self.marks.bar[place] != bar:
            return []
        arrow = ("◆", "▲", "▼")[int(self.marks.direction[place])]
        return [Said(self.marks.name, arrow, look().line_colour(self._colour))]


def draw_mark(painter: QPainter, frame: Frame, x: float, y: float, side: int, *, is_filled: bool) -> None:
    """A triangle with its tip at the price: from below for a buy, from above for a sale; hollow for an exit."""
    height, half = MARK * frame.scale, MARK * frame.scale * 0.6
    down = side if not frame.is_inverted else -side
    colour = look().colour("up" if side > 0 else "down")
    painter.setPen(QPen(colour, 1.5 * frame.scale))
    painter.setBrush(colour if is_filled else look().colour("field"))
    painter.drawPolygon(QPolygonF([QPointF(x, y), QPointF(x + half, y + down * height), QPointF(x - half, y + down * height)]))


def draw_text(painter: QPainter, frame: Frame, x: float, y: float, text: str, colour: QColor) -> None:
    """Beside a point, with a ground of its own, so that it can be read over candles."""
    painter.save()
    painter.scale(frame.scale, frame.scale)
    painter.setFont(look().font(SMALL))
    width = painter.fontMetrics().horizontalAdvance(text) + 2 * GRID
    box = QRectF(min(x / frame.scale, frame.width / frame.scale - width), y / frame.scale - 2 * GRID, width, 4 * GRID)
    painter.fillRect(box, look().colour("field", 210))
    painter.setPen(colour)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
    painter.restore()
