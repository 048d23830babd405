"""What lies behind the candles: the chosen bar's column, trading sessions, volume."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from sptrader_desktop.core.candles import Int64Array
from sptrader_desktop.present.chart_frame import Frame
from sptrader_desktop.present.pyramid import Level, Pyramid
from sptrader_desktop.present.sessions import CITIES, session_spans, unshaded
from sptrader_desktop.ui.charts.batches import fill_rects
from sptrader_desktop.ui.charts.line_series import places_for
from sptrader_desktop.ui.charts.series import Said
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.tokens import GRID, SMALL

VOLUME_SHARE = 0.16  # of the height
TINT = 14  # of 255: a session's ground
LANE = 4 * GRID

Volume = NDArray[np.float64]


class Backdrop:
    """It reaches nowhere and says nothing."""

    def reach(self, frame: Frame) -> tuple[float, float] | None:
        return None

    def paint(self, painter: QPainter, frame: Frame) -> None:
        raise NotImplementedError

    def said(self, bar: int) -> list[Said]:
        return []


class ChosenColumn(Backdrop):
    def __init__(self, chosen: Callable[[], int | None]) -> None:
        self._chosen = chosen

    def paint(self, painter: QPainter, frame: Frame) -> None:
        bar = self._chosen()
        if bar is None:
            return
        left, right = round(frame.x_of(float(bar))), round(frame.x_of(bar + 1.0))
        width = max(right - left, 2 * frame.line_px)
        painter.fillRect(left, 0, width, frame.height, look().colour("accent", 40))
        painter.fillRect(left, 0, width, round(GRID / 2 * frame.scale), look().colour("accent"))


class SessionShading(Backdrop):
    """A faint ground for each city at work, and a lane at the bottom with its name; or why there is none."""

    def __init__(self, stamps: Int64Array, bar_us: int) -> None:
        self._stamps = stamps
        self._bar_us = bar_us
        self.is_shown = False
        self.words = ""  # in the picture, in place of sessions

    def paint(self, painter: QPainter, frame: Frame) -> None:
        self.words = ""
        start, stop = max(0, int(frame.first)), min(len(self._stamps), int(frame.last) + 1)
        if not self.is_shown or stop <= start:
            return
        first, last = int(self._stamps[start]), int(self._stamps[stop - 1]) + self._bar_us
        self.words = unshaded(first, last, self._bar_us)
        if self.words:
            self._paint_words(painter, frame)
            return
        for span in session_spans(first, last):
            low, high = (np.searchsorted(self._stamps, moment) for moment in (span.start, span.end))
            if low < high:
                self._paint_span(painter, frame, span.city, frame.x_of(float(low)), frame.x_of(float(high)))

    def _paint_words(self, painter: QPainter, frame: Frame) -> None:
        painter.save()
        painter.scale(frame.scale, frame.scale)
        painter.setFont(look().font(SMALL))
        painter.setPen(look().colour("muted"))
        area = QRectF(GRID, frame.height / frame.scale - LANE, frame.width / frame.scale - 2 * GRID, LANE)
        words = painter.fontMetrics().elidedText(self.words, Qt.TextElideMode.ElideRight, int(area.width()))
        painter.drawText(area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, words)
        painter.restore()

    @staticmethod
    def _paint_span(painter: QPainter, frame: Frame, city: int, left: float, right: float) -> None:
        lane = round(LANE * frame.scale)
        edge, width = round(left), round(right) - round(left)
        painter.fillRect(edge, 0, width, frame.height, _tinted(city, TINT))
        top = frame.height - (len(CITIES) - city) * lane
        painter.fillRect(edge, top, width, lane - frame.line_px, _tinted(city, 110))
        painter.save()
        painter.scale(frame.scale, frame.scale)
        painter.setFont(look().font(SMALL))
        name = CITIES[city].name
        if width / frame.scale > painter.fontMetrics().horizontalAdvance(name) + 2 * GRID:
            painter.setPen(look().colour("text"))
            area = QRectF(max(edge, 0) / frame.scale + GRID, top / frame.scale, width / frame.scale, lane / frame.scale)
            painter.drawText(area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, name)
        painter.restore()


def _tinted(number: int, alpha: int) -> QColor:
    colour = look().line_colour(number)
    colour.setAlpha(alpha)
    return colour


class VolumeBars(Backdrop):
    """From the bottom, as high as the largest in sight allows."""

    def __init__(self, volume: Volume) -> None:
        self._volume = volume
        self._pyramid = Pyramid.of_line(volume)

    def extend(self, volume: Volume) -> None:
        self._volume = volume
        self._pyramid.extend(Level(volume, volume, volume, volume))

    def paint(self, painter: QPainter, frame: Frame) -> None:
        cells = self._pyramid.cells(frame.first, frame.last, frame.columns)
        highest = np.fmax.reduce(cells.values.high, initial=0)
        if not highest > 0:
            return
        height = np.nan_to_num(cells.values.high / highest * (frame.height * VOLUME_SHARE)).astype(np.int64)
        if cells.column is not None:
            fill_rects(painter, look().colour("edge", 90), cells.column * frame.line_px, frame.height - height, frame.line_px, height)
            return
        width = max(1, int(frame.bar_px * 0.7))
        left = np.floor(frame.x(cells.bar + 0.5) - width / 2).astype(np.int64)
        fill_rects(painter, look().colour("edge", 90), left, frame.height - height, width, height)

    def said(self, bar: int) -> list[Said]:
        volume = float(self._volume[bar])
        places = 0 if volume.is_integer() else max(0, places_for(self._volume[bar : bar + 1]))
        return [Said("Vol", f"{volume:,.{places}f}", look().colour("text"))]
