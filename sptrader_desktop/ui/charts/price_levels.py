"""Prices that somebody waits for, as dashed lines over the candles with what they are at their left end."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPen

from sptrader_desktop.present.chart_frame import Frame
from sptrader_desktop.ui.charts.backdrops import Backdrop
from sptrader_desktop.ui.charts.trade_series import draw_text
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.tokens import GRID


class PriceLevel(NamedTuple):
    """`role` is the colour of the look it is drawn in."""

    ticks: int
    text: str
    role: str


class PriceLevels(Backdrop):
    def __init__(self, levels: Callable[[], Sequence[PriceLevel]]) -> None:
        self._levels = levels

    def paint(self, painter: QPainter, frame: Frame) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        for level in self._levels():
            y = frame.y_of(level.ticks)
            if 0 <= y <= frame.height:
                painter.setPen(QPen(look().colour(level.role), frame.line_px, Qt.PenStyle.DashLine))
                painter.drawLine(0, round(y), frame.width, round(y))
                draw_text(painter, frame, 2 * GRID * frame.scale, y - 2.5 * GRID * frame.scale, level.text, look().colour(level.role))
