"""Equity with its drawdown below, and the curve it had before while a slider moves.

Linked in time with the candles: one crosshair, a band where they are, a click that takes them there.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from sptrader_desktop.core.candles import Int64Array
from sptrader_desktop.present.chart_frame import Array, Bars, Frame
from sptrader_desktop.present.clocks import clock_text
from sptrader_desktop.present.numbers import amount, share
from sptrader_desktop.present.pyramid import Cells, Pyramid
from sptrader_desktop.present.run_marks import Halt
from sptrader_desktop.present.selection import BarAt, Selection, Span
from sptrader_desktop.ui.charts.backdrops import Backdrop
from sptrader_desktop.ui.charts.line_series import paint_histogram, paint_line
from sptrader_desktop.ui.charts.pane import Pane, Spot
from sptrader_desktop.ui.charts.price_axis import MoneyScale, ShareScale
from sptrader_desktop.ui.charts.series import Said
from sptrader_desktop.ui.charts.time_chart import TimeChart
from sptrader_desktop.ui.charts.trade_series import draw_text
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.tokens import GRID
from sptrader_desktop.ui.widgets.empty_state import EmptyWords

BAND = 30  # of 255
EMPTY = EmptyWords("trending-up", "No equity yet", "The account over time and its drawdown will be here.", "Run Backtest  F5")


class CurveSeries:
    """Equity in 1e-8 units; `role` is the colour of the line, `ink` that of its figures."""

    def __init__(self, equity: Array, name: str, role: str, ink: str, pyramid: Pyramid | None = None) -> None:
        self._equity = equity
        self._role, self._ink = role, ink
        self._name = name
        self.pyramid = pyramid or Pyramid.of_line(equity)

    def cells(self, frame: Frame) -> Cells:
        return self.pyramid.cells(frame.first, frame.last, frame.columns)

    def reach(self, frame: Frame) -> tuple[float, float] | None:
        values = self.cells(frame).values
        if not len(values.low):
            return None
        low, high = float(np.fmin.reduce(values.low)), float(np.fmax.reduce(values.high))
        return None if np.isnan(low) else (low, high)

    def paint(self, painter: QPainter, frame: Frame) -> None:
        paint_line(painter, frame, self.cells(frame), look().colour(self._role))

    def said(self, bar: int) -> list[Said]:
        value = self._equity[bar]
        return [] if np.isnan(value) else [Said(self._name, amount(round(float(value))), look().colour(self._ink))]


class DrawdownSeries:
    """How far below its highest point so far the equity is, as a negative fraction."""

    def __init__(self, equity: Int64Array) -> None:
        peak = np.maximum.accumulate(equity)
        # In one place, as new memory costs more than the sums. A peak never falls: where the first is more than nothing all are.
        self._fraction = equity / peak if len(peak) and peak[0] > 0 else np.divide(equity, peak, out=np.ones(len(peak)), where=peak > 0)
        self._fraction -= 1.0
        self.pyramid = Pyramid.of_line(self._fraction)

    def reach(self, frame: Frame) -> tuple[float, float] | None:
        values = self.pyramid.cells(frame.first, frame.last, frame.columns).values
        return (float(values.low.min()), 0.0) if len(values.low) else None

    def paint(self, painter: QPainter, frame: Frame) -> None:
        cells = self.pyramid.cells(frame.first, frame.last, frame.columns)
        paint_histogram(painter, frame, cells, look().colour("down", 90))
        paint_line(painter, frame, cells, look().colour("down"))

    def said(self, bar: int) -> list[Said]:
        return [Said("Drawdown", share(float(self._fraction[bar])), look().colour("down"))]


class HaltMarks:
    """A line and a word at each halt."""

    def __init__(self, bars: list[int], reasons: list[str]) -> None:
        self.marks = list(zip(bars, reasons, strict=True))

    def reach(self, frame: Frame) -> tuple[float, float] | None:
        return None

    def paint(self, painter: QPainter, frame: Frame) -> None:
        for bar, reason in self.marks:
            if frame.first <= bar <= frame.last:
                x = frame.x_of(bar + 0.5)
                painter.setPen(QPen(look().colour("warning"), frame.line_px, Qt.PenStyle.DashLine))
                painter.drawLine(QPointF(x, 0), QPointF(x, frame.height))
                draw_text(painter, frame, x, 9 * GRID * frame.scale, f"■ {reason}", look().colour("warning"))

    def said(self, bar: int) -> list[Said]:
        return [Said("halted:", reason, look().colour("warning")) for at, reason in self.marks if at == bar]


class SpanInView(Backdrop):
    """Which part of the time the candles beside show, painted with the crosshair."""

    def __init__(self, bars: Callable[[], tuple[int, int] | None]) -> None:
        self._bars = bars

    def paint(self, painter: QPainter, frame: Frame) -> None:
        bars = self._bars()
        if bars is not None:
            left, right = frame.x_of(bars[0]), max(frame.x_of(bars[1] + 1.0), frame.x_of(bars[0]) + 2 * frame.line_px)
            painter.fillRect(QRectF(left, 0, right - left, frame.height), look().colour("accent", BAND))
            for edge in (left, right):
                painter.fillRect(QRectF(edge, 0, frame.line_px, frame.height), look().colour("accent", 3 * BAND))


class Curve(NamedTuple):
    """What a curve is drawn from. Any thread may prepare it."""

    equity: CurveSeries
    drawdown: DrawdownSeries

    def wait(self) -> "Curve":
        """Until levels of detail that are built beside are there."""
        for series in self:
            series.pyramid.wait()
        return self


def curve_of(equity: Int64Array) -> Curve:
    return Curve(CurveSeries(equity, "Equity", "accent", "accent"), DrawdownSeries(equity))


def prepared(equity: Int64Array) -> Curve:
    return curve_of(equity).wait()


class EquityChart(TimeChart):
    """Bars are the instants of the run. `bar_us` names the time they are usually apart."""

    def __init__(self, selection: Selection, empty: EmptyWords = EMPTY) -> None:
        super().__init__(selection, empty)
        self.setObjectName("equityChart")
        self.setAccessibleName("Equity: no run")
        self.tells_span = False
        self.equity_pane = Pane(MoneyScale(), "equity")
        self.drawdown_pane = Pane(ShareScale(), "drawdown")
        self.drawdown_pane.keeps_zero = True
        self.add_pane(self.equity_pane, 2)
        self.add_pane(self.drawdown_pane, 1)
        self._curve: CurveSeries | None = None
        self._ghost: CurveSeries | None = None
        self._newest = "accent"  # the colour of the newest value
        self._halts = HaltMarks([], [])
        for pane in self.panes:
            pane.crosshair.touches = [SpanInView(self._span_in_view)]
        self._listen(selection.span, self._show_band)

    def set_curve(self, instants: Int64Array, equity: Int64Array, currency: str = "", curve: Curve | None = None) -> None:
        """Instants in microseconds UTC, equity in 1e-8 of the account currency. The view stays where the instants do."""
        curve = curve or prepared(equity)
        is_same = len(instants) > 0 and (instants is self.stamps or np.array_equal(instants, self.stamps))
        self._curve = curve.equity
        self.drawdown_pane.series = [curve.drawdown] if len(equity) else []
        self.equity_pane.crosshair.title = currency
        if not is_same:
            self._ghost = None
            self.show_stamps(instants, int(np.median(np.diff(instants[:1000]))) if len(instants) > 1 else 0)
        if len(equity):
            self.equity_pane.axis.tagged = float(equity[-1])
            self.equity_pane.crosshair.newest = (float(equity[-1]), self._newest)
            first, last = (clock_text(int(moment), self.selection.zone.value, self.bar_us) for moment in (instants[0], instants[-1]))
            self.setAccessibleName(f"Equity: {amount(int(equity[0]))} on {first} to {amount(int(equity[-1]))} {currency} on {last}")
        self._compose()
        if is_same:
            self.redraw()
        else:
            self.show_range(Bars(0.0, float(max(1, len(instants))), len(instants)).zoomed(1e9, 0.0))

    def mute(self, is_muted: bool) -> None:
        """The newest value is of some time ago."""
        role, crosshair = "muted" if is_muted else "accent", self.equity_pane.crosshair
        if role != self._newest:
            self._newest = role
            if crosshair.newest is not None:
                crosshair.newest = (crosshair.newest[0], role)
                crosshair.update()

    def set_ghost(self, instants: Int64Array | None = None, equity: Int64Array | None = None, curve: Curve | None = None) -> None:
        """The curve there was before, under the one there is; nothing takes it away. `curve` is what it was drawn from."""
        if instants is None or equity is None or not len(instants) or not len(self.stamps):
            if self._ghost is None:
                return
            self._ghost = None
        else:
            values = self._at_stamps(instants, equity)
            pyramid = curve.equity.pyramid if curve is not None and values is equity else None
            self._ghost = CurveSeries(values, "before", "edge", "muted", pyramid)
        self._compose()
        self.redraw()

    def set_halts(self, halts: Sequence[Halt]) -> None:
        if not halts and not self._halts.marks:
            return
        self._halts = HaltMarks([self.bar_of(halt.instant) for halt in halts], [halt.reason for halt in halts])
        self._compose()
        self.redraw()

    def _show_band(self, span: Span | None) -> None:
        for pane in self.panes:
            pane.crosshair.update()

    def _span_in_view(self) -> tuple[int, int] | None:
        span = self.selection.span.value
        if span is None or self.is_range_linked or not len(self.stamps):
            return None
        return self.bar_of(span.first), self.bar_of(span.last)

    def clicked_at(self, pane: Pane, spot: Spot) -> None:
        """The candles go there."""
        if self.selection.symbol.value and len(self.stamps):
            self.selection.bar.set(BarAt(self.selection.symbol.value, int(self.stamps[self.bar_index(spot.bar)])))

    def _at_stamps(self, instants: Int64Array, equity: Int64Array) -> Array:
        """What the other curve was at each instant of this one; NaN before it began."""
        if instants is self.stamps or np.array_equal(instants, self.stamps):
            return equity
        places = np.searchsorted(instants, self.stamps, side="right") - 1
        return np.where(places >= 0, equity[np.maximum(places, 0)].astype(np.float64), np.nan)

    def _compose(self) -> None:
        """The ghost lies under the curve; the readout begins with the curve."""
        self.equity_pane.backdrop = [self._ghost] if self._ghost is not None else []
        self.equity_pane.series = [self._curve, self._halts] if self._curve is not None else []
