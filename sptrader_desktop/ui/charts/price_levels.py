"""Prices that somebody waits for, as dashed lines over the candles with what they are at their left end; far ones at the edge."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPen

from sptrader_desktop.present.chart_frame import Frame
from sptrader_desktop.ui.charts.backdrops import Backdrop
from sptrader_desktop.ui.charts.trade_series import draw_text
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.tokens import GRID, SMALL

HIGH = 4 * GRID  # a label's height, and what is kept between two
HEAD = 2 * HIGH  # above it stands what the crosshair says of the bar
NEAR = 1.5  # times the candles' own range: so far off a level may be to be taken into view


class PriceLevel(NamedTuple):
    """`role` is the colour of the look it is drawn in."""

    ticks: int
    text: str
    role: str


class PriceLevels(Backdrop):
    def __init__(self, levels: Callable[[], Sequence[PriceLevel]], *, tells_far: bool = False) -> None:
        self._levels, self._tells_far = levels, tells_far

    def paint(self, painter: QPainter, frame: Frame) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        labels, placed = _Labels(painter, frame), sorted((frame.y_of(level.ticks), level) for level in self._levels())
        seen = [(y, level) for y, level in placed if 0 <= y <= frame.height]
        for y, level in seen:
            painter.setPen(QPen(look().colour(level.role), frame.line_px, Qt.PenStyle.DashLine))
            painter.drawLine(0, round(y), frame.width, round(y))
        for y, level in seen:
            labels.put(max(y - 2.5 * GRID * frame.scale, HEAD * frame.scale), level, "")
        for y, level in placed if self._tells_far else ():
            if y < 0:
                labels.put(HEAD * frame.scale, level, "▲ ")
            elif y > frame.height:
                labels.put(frame.height - HIGH * frame.scale, level, "▼ ")


class _Labels:
    """One that would lie over another goes to the right of it."""

    def __init__(self, painter: QPainter, frame: Frame) -> None:
        self._painter, self._frame = painter, frame
        self._put: list[tuple[float, float]] = []  # how high each lies, and where it ends

    def put(self, y: float, level: PriceLevel, sign: str) -> None:
        frame, text = self._frame, f"{sign}{level.text}"
        ends = [end for other, end in self._put if abs(other - y) < HIGH * frame.scale]
        x = max(ends, default=2 * GRID * frame.scale)
        draw_text(self._painter, frame, x, y, text, look().colour(level.role))
        width = look().width(text, SMALL) + 3 * GRID
        self._put.append((y, x + width * frame.scale))


class NearLevels(Backdrop):
    """Takes the levels that are not far from the candles into the range that a pane fits itself to; paints nothing."""

    def __init__(self, levels: Callable[[], Sequence[PriceLevel]], of: Callable[[Frame], tuple[float, float] | None]) -> None:
        self._levels, self._of = levels, of

    def reach(self, frame: Frame) -> tuple[float, float] | None:
        candles = self._of(frame)
        if candles is None:
            return None
        low, high = candles
        room = NEAR * (high - low)
        near = [level.ticks for level in self._levels() if low - room <= level.ticks <= high + room]
        return (float(min(near)), float(max(near))) if near else None

    def paint(self, painter: QPainter, frame: Frame) -> None:
        pass
