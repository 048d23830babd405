"""Candles, bars, a line or Heikin-Ashi from one pyramid of ticks, painted as a few batches of sharp rectangles."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QPainter

from sptrader_desktop.core.candles import Candles
from sptrader_desktop.present.chart_frame import Frame
from sptrader_desktop.present.heikin_ashi import heikin_ashi
from sptrader_desktop.present.numbers import price_unit, share
from sptrader_desktop.present.pyramid import Cells, Level, Pyramid
from sptrader_desktop.ui.charts.batches import fill_rects
from sptrader_desktop.ui.charts.line_series import paint_line, rows
from sptrader_desktop.ui.charts.series import Said
from sptrader_desktop.ui.theme.look import look

Style = Literal["candles", "bars", "line", "heikin_ashi"]
STYLES: tuple[Style, ...] = ("candles", "bars", "line", "heikin_ashi")
BODY_SHARE = 0.7  # of the room of a bar
MOST_AVERAGED = 200_000  # more bars than this in sight and Heikin-Ashi shows plain highs and lows, which at that width are the same

Array = NDArray[Any]


class CandleSeries:
    def __init__(self, candles: Candles, pyramid: Pyramid | None = None) -> None:
        self.candles = candles
        self.pyramid = pyramid or Pyramid.of_prices(candles.prices)
        self.style: Style = "candles"
        self._unit = price_unit(candles.instrument)
        self._asked: tuple[float, float, float, Style] | None = None
        self._cells = self.pyramid.cells(0, 0, 1)

    def extend(self, candles: Candles) -> None:
        prices = candles.prices
        self.candles = candles
        self.pyramid.extend(Level(prices.open, prices.high, prices.low, prices.close))
        self._asked = None

    def cells(self, frame: Frame) -> Cells:
        asked = (frame.first, frame.last, frame.columns, self.style)
        if asked != self._asked:
            self._asked, self._cells = asked, self._looked_up(frame.first, frame.last, frame.columns)
        return self._cells

    def _looked_up(self, first: float, last: float, columns: float) -> Cells:
        if self.style != "heikin_ashi" or last - first > MOST_AVERAGED:
            return self.pyramid.cells(first, last, columns)
        start, stop = max(0, int(first)), min(self.pyramid.count, int(last) + 1)
        shown = heikin_ashi(self.candles.prices, start, stop)
        cells = Pyramid(shown).cells(first - start, last - start, columns)
        return cells._replace(bar=cells.bar + start)

    def reach(self, frame: Frame) -> tuple[float, float] | None:
        values = self.cells(frame).values
        return (float(values.low.min()), float(values.high.max())) if len(values.low) else None

    def paint(self, painter: QPainter, frame: Frame) -> None:
        cells = self.cells(frame)
        if not len(cells.bar):
            return
        if self.style == "line":
            paint_line(painter, frame, cells, look().colour("accent"))
            return
        is_up = cells.values.last >= cells.values.first
        for is_drawn, role in ((is_up, "up"), (~is_up, "down")):
            left, top, width, height = self._rects(cells, is_drawn, frame)
            fill_rects(painter, look().colour(role), left, top, width, height)

    def _rects(self, cells: Cells, is_drawn: NDArray[np.bool_], frame: Frame) -> tuple[Array, Array, Array, Array]:
        values = Level(*(column[is_drawn] for column in cells.values))
        if cells.column is not None:
            top, height = rows(frame, values.high, values.low)
            return cells.column[is_drawn] * frame.line_px, top, np.full_like(top, frame.line_px), height
        body, wick = body_width(frame)
        left = np.floor(frame.x(cells.bar[is_drawn] + 0.5) - wick / 2).astype(np.int64)
        top, height = rows(frame, values.high, values.low)
        parts = [(left, top, np.full_like(top, wick), height)]
        if body > wick:
            parts += self._ticks(frame, values, left, body, wick) if self.style == "bars" else [_bodies(frame, values, left, body, wick)]
        return tuple(np.concatenate(column) for column in zip(*parts, strict=True))  # type: ignore[return-value] # four columns

    @staticmethod
    def _ticks(frame: Frame, values: Level, left: Array, body: int, wick: int) -> list[tuple[Array, Array, Array, Array]]:
        arm = (body - wick) // 2
        thick = np.full_like(left, frame.line_px)
        opened, closed = (np.floor(frame.y(column)).astype(np.int64) - frame.line_px // 2 for column in (values.first, values.last))
        return [(left - arm, opened, np.full_like(left, arm), thick), (left + wick, closed, np.full_like(left, arm), thick)]

    def said(self, bar: int) -> list[Said]:
        prices = self.candles.prices
        if self.style == "heikin_ashi":
            averaged = heikin_ashi(prices, bar, bar + 1)
            four = [round(float(column[0])) for column in (averaged.first, averaged.high, averaged.low, averaged.last)]
        else:
            four = [int(column[bar]) for column in (prices.open, prices.high, prices.low, prices.close)]
        colour = look().colour("up" if four[3] >= four[0] else "down")
        parts = [Said(name, self._unit.text(value), colour) for name, value in zip("OHLC", four, strict=True)]
        before = int(prices.close[bar - 1]) if bar else four[0]
        change, sign = int(prices.close[bar]) - before, ("", "▲ ", "▼ ")
        arrow = sign[(change > 0) - (change < 0)]
        text = f"{arrow}{'+' if change > 0 else ''}{self._unit.text(change)} ({share(change / before, signed=True) if before else ''})"
        return [*parts, Said("", text, look().colour("down" if change < 0 else "up"))]


def body_width(frame: Frame) -> tuple[int, int]:
    """A body and its wick in whole device pixels, both odd or both even, so that the wick is in the middle."""
    wick = frame.line_px
    body = min(int(frame.bar_px * BODY_SHARE), int(frame.bar_px) - 1)
    body -= (body - wick) % 2
    return max(body, wick), wick


def _bodies(frame: Frame, values: Level, left: Array, body: int, wick: int) -> tuple[Array, Array, Array, Array]:
    top, height = rows(frame, values.first, values.last)
    return left - (body - wick) // 2, top, np.full_like(top, body), np.maximum(height, frame.line_px)
