"""Charts to try things on: known candles, shown in a real window, and the mouse and keys as the window system sends them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from sptrader_desktop.core.candles import Candles, Int64Array, Prices
from sptrader_desktop.core.instruments import CATALOGUE
from sptrader_desktop.present.chart_frame import Bars
from sptrader_desktop.present.selection import Selection
from sptrader_desktop.ui.charts.candle_chart import CandleChart
from sptrader_desktop.ui.charts.pane import Pane

HOUR_US = 3_600_000_000
NONE = Qt.MouseButton.NoButton
LEFT = Qt.MouseButton.LeftButton
PLAIN = Qt.KeyboardModifier.NoModifier


def stamp(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


def candles_of(rows: Sequence[tuple[int, int, int, int]], stamps: Int64Array | None = None, symbol: str = "EURUSD") -> Candles:
    """Open, high, low and close in ticks, an hour each unless stamps say otherwise."""
    columns = np.array(rows, np.int64).reshape(-1, 4)
    times = stamp("2024-03-04") + np.arange(len(columns)) * HOUR_US if stamps is None else stamps
    return Candles(CATALOGUE[symbol], "1h", HOUR_US, times, Prices(*(columns[:, n].copy() for n in range(4))))


def walk(count: int, seed: int = 1, symbol: str = "EURUSD") -> Candles:
    rng = np.random.default_rng(seed)
    close = 108_000 + np.cumsum(rng.integers(-30, 31, count))
    opened = np.append(108_000, close)[:count]
    high, low = np.maximum(opened, close) + rng.integers(1, 20, count), np.minimum(opened, close) - rng.integers(1, 20, count)
    return candles_of(np.stack([opened, high, low, close], axis=1).tolist(), symbol=symbol)


def shown(qtbot: QtBot, candles: Candles, selection: Selection | None = None, size: tuple[int, int] = (900, 500)) -> CandleChart:
    chart = CandleChart(selection or Selection())
    qtbot.addWidget(chart)
    chart.resize(*size)
    chart.show()
    chart.show_candles(candles)
    QApplication.processEvents()
    return chart


def pane_of(chart: CandleChart) -> Pane:
    assert chart.price_pane is not None
    return chart.price_pane


def show_exactly(chart: CandleChart, first: float, last: float) -> None:
    chart.show_range(Bars(first, last, len(chart.stamps)))
    QApplication.processEvents()


def part(candles: Candles, count: int) -> Candles:
    """The first of its bars."""
    prices = Prices(*(column[:count] for column in (candles.prices.open, candles.prices.high, candles.prices.low, candles.prices.close)))
    return replace(candles, timestamp=candles.timestamp[:count], prices=prices)


def painted(widget: QWidget) -> QImage:
    QApplication.processEvents()
    return widget.grab().toImage()


def colour_at(image: QImage, x: float, y: float) -> str:
    return QColor(image.pixel(int(x), int(y))).name()


def mouse(
    pane: Pane,
    kind: QEvent.Type,
    x: float,
    y: float,
    button: Qt.MouseButton = NONE,
    held: Qt.MouseButton = NONE,
    keys: Qt.KeyboardModifier = PLAIN,
) -> None:
    at = QPointF(x, y)
    event = QMouseEvent(kind, at, QPointF(pane.viewport().mapToGlobal(at.toPoint())), button, held, keys)
    QApplication.sendEvent(pane.viewport(), event)
    QApplication.processEvents()


def hover(pane: Pane, x: float, y: float) -> None:
    mouse(pane, QEvent.Type.MouseMove, x, y)


def drag(pane: Pane, start: tuple[float, float], end: tuple[float, float], keys: Qt.KeyboardModifier = PLAIN, steps: int = 4) -> None:
    mouse(pane, QEvent.Type.MouseButtonPress, *start, LEFT, LEFT, keys)
    for step in range(1, steps + 1):
        x, y = (before + (after - before) * step / steps for before, after in zip(start, end, strict=True))
        mouse(pane, QEvent.Type.MouseMove, x, y, NONE, LEFT, keys)
    mouse(pane, QEvent.Type.MouseButtonRelease, *end, LEFT, NONE, keys)


def click(pane: Pane, x: float, y: float) -> None:
    mouse(pane, QEvent.Type.MouseButtonPress, x, y, LEFT, LEFT)
    mouse(pane, QEvent.Type.MouseButtonRelease, x, y, LEFT, NONE)


def double_click(pane: Pane, x: float, y: float) -> None:
    click(pane, x, y)
    mouse(pane, QEvent.Type.MouseButtonDblClick, x, y, LEFT, LEFT)
    mouse(pane, QEvent.Type.MouseButtonRelease, x, y, LEFT, NONE)


def wheel(pane: Pane, x: float, y: float, notches: int) -> None:
    at = QPointF(x, y)
    above = QPointF(pane.viewport().mapToGlobal(at.toPoint()))
    event = QWheelEvent(at, above, QPoint(), QPoint(0, 120 * notches), NONE, PLAIN, Qt.ScrollPhase.NoScrollPhase, False)
    QApplication.sendEvent(pane.viewport(), event)
    QApplication.processEvents()
