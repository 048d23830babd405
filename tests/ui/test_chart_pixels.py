"""What is painted is what the candles say: colours by the look, at the rows and columns that plain arithmetic gives."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QImage, QPainter
from pytestqt.qtbot import QtBot

from sptrader_desktop.present.chart_frame import Frame
from sptrader_desktop.present.pyramid import Pyramid
from sptrader_desktop.present.trade_marks import SignalMarks, TradeMarks
from sptrader_desktop.ui.charts.backdrops import VolumeBars
from sptrader_desktop.ui.charts.candle_series import STYLES, CandleSeries, Style
from sptrader_desktop.ui.charts.line_series import Line, LineSeries
from sptrader_desktop.ui.charts.pane import mixed
from sptrader_desktop.ui.charts.series import Series
from sptrader_desktop.ui.charts.trade_series import SignalSeries, TradeSeries
from sptrader_desktop.ui.theme import tokens
from sptrader_desktop.ui.theme.look import Look, look, put_in_force
from tests.ui.charts import candles_of, colour_at, painted, pane_of, show_exactly, shown, walk

pytestmark = pytest.mark.usefixtures("qapp")
ROOT = Path(__file__).resolve().parents[2]
UP_THEN_DOWN = [(100, 130, 90, 120), (120, 125, 95, 105), (105, 115, 100, 110)]


def canvas(series: Series, frame: Frame) -> QImage:
    image = QImage(frame.width, frame.height, QImage.Format.Format_RGB32)
    image.fill(look().colour("field"))
    series.reach(frame)
    painter = QPainter(image)
    series.paint(painter, frame)
    painter.end()
    return image


@pytest.mark.parametrize("scale", [1.0, 1.25, 1.5, 2.0])
def test_a_candle_is_painted_where_its_prices_are(scale: float) -> None:
    """Three bars of a hundred columns each, two rows a tick, from 80 at the bottom to 140 at the top."""
    image = canvas(CandleSeries(candles_of(UP_THEN_DOWN)), Frame(300, 120, 0, 3, 80, 140, scale=scale))
    up, down, field = (look().colour(role).name() for role in ("up", "down", "field"))
    assert [colour_at(image, 49, row) for row in (18, 22, 98, 103)] == [field, up, up, field]  # the wick, from 130 to 90
    assert [colour_at(image, 20, row) for row in (38, 42, 78, 83)] == [field, up, up, field]  # the body, from 120 to 100
    assert [colour_at(image, x, 60) for x in (10, 20, 80, 90)] == [field, up, up, field]  # as wide as seven tenths of its room
    assert [colour_at(image, 149, row) for row in (28, 32, 88, 93)] == [field, down, down, field]
    assert [colour_at(image, 120, row) for row in (38, 42, 68, 73)] == [field, down, down, field]
    assert colour_at(image, 250, 60) == up


@pytest.mark.parametrize("scale", [1.0, 1.5])
@pytest.mark.parametrize("style", STYLES)
def test_candles_have_sharp_edges_and_no_other_colour(style: Style, scale: float) -> None:
    series = CandleSeries(walk(200))
    series.style = style
    image = canvas(series, Frame(600, 300, 20.3, 71.8, 107_000, 109_000, scale=scale))
    found = {QImage.pixel(image, x, y) & 0xFFFFFF for x in range(600) for y in range(0, 300, 3)}
    if style == "line":
        assert len(found) > 3  # smooth
    else:
        assert found == {look().colour(role).rgb() & 0xFFFFFF for role in ("field", "up", "down")}


def test_more_bars_than_pixels_show_every_extreme() -> None:
    """One spike among a hundred thousand bars stands in its column, whatever the zoom leaves out."""
    rows = [(1000, 1001, 999, 1000)] * 100_000
    rows[61_803] = (1000, 1400, 999, 1000)
    image = canvas(CandleSeries(candles_of(rows)), Frame(500, 200, 0, 100_000, 900, 1500))
    column = 61_803 * 500 // 100_000
    spiked = [x for x in range(500) if colour_at(image, x, 50) != look().colour("field").name()]
    assert len(spiked) == 1
    assert column - 1 <= spiked[0] <= column  # a group begins less than half a column earlier


def test_a_line_has_a_gap_where_its_values_have_one() -> None:
    values = np.array([10.0, 10, 10, np.nan, np.nan, 10, 10, 10])
    for width in (800, 8):
        frame = Frame(width, 100, 0, 8, 0, 20)
        image = canvas(LineSeries(Line("average", values), 0), frame)
        field = look().colour("field").name()
        is_drawn = [any(colour_at(image, (bar + 0.5) * width / 8, row) != field for row in range(45, 56)) for bar in range(8)]
        assert is_drawn == [True, True, True, False, False, True, True, True]


def test_a_dense_line_has_no_holes_between_its_columns() -> None:
    values = np.where(np.arange(4000) // 8 % 2, 5.0, 15.0)
    image = canvas(LineSeries(Line("steps", values, pyramid=Pyramid.of_line(values)), 1), Frame(500, 100, 0, 4000, 0, 20))
    ink = look().line_colour(1).name()
    joined = sum(colour_at(image, x, 50) == ink for x in range(500))
    assert joined >= 498


def trades(rows: list[tuple[int, int, int, int, int, int]]) -> TradeMarks:
    """Entry bar and price, exit bar and price, side, profit."""
    table = np.array(rows, np.int64)
    none = np.zeros(len(table), np.int64)
    return TradeMarks(table[:, 0], table[:, 1], table[:, 2], table[:, 3], table[:, 4], table[:, 5], none, none)


def test_a_trade_is_marked_below_where_it_bought_and_above_where_it_sold() -> None:
    series = TradeSeries(trades([(1, 100, 3, 110, 1, 5)]), str, lambda: (0, 4))
    image = canvas(series, Frame(400, 200, 0, 4, 90, 120))
    bought, sold = (150, 200 * 20 / 30), (350, 200 * 10 / 30)
    assert colour_at(image, bought[0], bought[1] + 7) == look().colour("up").name()
    assert colour_at(image, bought[0], bought[1] - 7) != look().colour("up").name()
    assert colour_at(image, sold[0], sold[1] - 5) == look().colour("field").name()  # hollow
    assert colour_at(image, sold[0], sold[1] - 10) == look().colour("down").name()
    assert any(colour_at(image, 250, row) != look().colour("field").name() for row in range(97, 104))  # joined


def test_the_chosen_trade_shows_its_stop_and_target() -> None:
    stop, target = np.array([95]), np.array([115])
    series = TradeSeries(replace(trades([(1, 100, 3, 110, 1, 5)]), stop=stop, target=target), str, lambda: (0, 4))
    assert series.reach(Frame(400, 200, 0, 4, 90, 120)) == (100.0, 110.0)
    series.chosen = 0
    assert series.reach(Frame(400, 200, 0, 4, 90, 120)) == (95.0, 115.0)
    image = canvas(series, Frame(400, 300, 0, 4, 90, 120))
    assert colour_at(image, 120, 50) == look().colour("up").name()
    assert colour_at(image, 120, 250) == look().colour("down").name()
    assert colour_at(image, 80, 50) == look().colour("field").name()


def test_a_hundred_thousand_trades_are_one_lane() -> None:
    count = 100_000
    bars = np.arange(count)
    side = np.where(bars < count // 2, 1, -1)
    ticks = np.full(count, 1000)
    marks = TradeMarks(bars, ticks, bars + 1, ticks, side, ticks, 0 * ticks, 0 * ticks)
    series = TradeSeries(marks, str, lambda: (0, count))
    image = canvas(series, Frame(400, 100, 0, count, 900, 1100))
    assert colour_at(image, 100, 93) == look().colour("up").name()
    assert colour_at(image, 300, 97) == look().colour("down").name()
    assert colour_at(image, 200, 50) == look().colour("field").name()


def test_signals_stand_beyond_their_bar() -> None:
    candles = CandleSeries(candles_of([(100, 110, 90, 105)] * 4))
    series = SignalSeries(SignalMarks("cross", np.array([0, 2]), np.array([1, -1])), candles, 2)
    image = canvas(series, Frame(400, 200, 0, 4, 50, 150))
    ink = look().line_colour(2).name()
    assert colour_at(image, 50, 120 + 12) == ink
    assert colour_at(image, 250, 80 - 12) == ink
    assert [part.text for part in series.said(2)] == ["▼"]
    assert series.said(1) == []


def test_the_window_shows_the_picture_pixel_by_pixel(qtbot: QtBot) -> None:
    chart = shown(qtbot, walk(300))
    pane = pane_of(chart)
    show_exactly(chart, 100, 160)
    image, frame = painted(pane), pane.frame()
    prices = chart.candles.prices if chart.candles else None
    assert prices is not None
    for bar in range(105, 155, 7):
        middle = (int(prices.open[bar]) + int(prices.close[bar])) / 2
        role = "up" if prices.close[bar] >= prices.open[bar] else "down"
        assert colour_at(image, frame.x_of(bar + 0.5), frame.y_of(middle)) == look().colour(role).name()


def test_guides_are_in_sight_and_labelled_and_stand_only_where_a_line_names_them(qtbot: QtBot) -> None:
    chart, calm = shown(qtbot, walk(300)), 50 + np.sin(np.arange(300.0))
    chart.set_overlays([Line("RSI", calm, "RSI", levels=(30.0, 70.0)), Line("ATR", calm, "ATR")])
    guided, plain = chart.panes[1:]
    ink = mixed(look().colour("edge"), look().colour("field")).name()
    image, frame = painted(guided), guided.frame()
    inked = [row for row in range(frame.height) if any(colour_at(image, x, row) == ink for x in range(20))]
    assert inked == [round(frame.y_of(70.0)), round(frame.y_of(30.0))]
    assert {30.0, 70.0} <= set(guided.axis.marks)
    image = painted(plain)
    assert not any(colour_at(image, x, row) == ink for row in range(image.height()) for x in range(20))


def test_a_new_look_repaints_the_chart(qtbot: QtBot) -> None:
    chart = shown(qtbot, candles_of(UP_THEN_DOWN * 20))
    before = look()
    try:
        put_in_force(Look(tokens.LIGHT, is_dark=False))
        palette = chart.palette()
        palette.setColor(palette.ColorRole.Window, look().colour("window"))
        chart.setPalette(palette)
        image = painted(pane_of(chart))
        assert colour_at(image, image.width() // 2, image.height() - 2) == tokens.LIGHT.field
    finally:
        put_in_force(before)


def test_the_picture_stays_sharp_on_a_screen_of_150_percent() -> None:
    """In a process of its own, because Qt reads its scale when it starts: the window has no colour that the picture has not."""
    script = """
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget
app = QApplication([])
from sptrader_desktop.present.selection import Selection
from sptrader_desktop.ui.charts.candle_chart import CandleChart
from sptrader_desktop.ui.theme.look import look
from tests.ui.charts import walk
chart = CandleChart(Selection())
window = QWidget()
column = QVBoxLayout(window)
column.setContentsMargins(3, 5, 3, 5)  # half device pixels
column.addWidget(chart)
window.resize(701, 467)
window.show()
chart.show_candles(walk(300))
app.processEvents()
image = window.grab().toImage()
assert image.devicePixelRatio() == 1.5, image.devicePixelRatio()
area = chart.price_pane.plot_area()
corner = chart.price_pane.mapTo(window, QPoint(0, 0))
rows = range(int((corner.y() + 60) * 1.5), int((corner.y() + area.height() - 5) * 1.5))
columns = range(int((corner.x() + 5) * 1.5), int((corner.x() + area.width() - 5) * 1.5))
ink = {look().colour(role).rgb() for role in ("up", "down", "field", "line")}
quiet = [tuple((a + b) // 2 for a, b in zip(look().colour("line").getRgb()[:3], look().colour("field").getRgb()[:3]))]
others = {image.pixel(x, y) for x in columns for y in rows} - ink
assert len(others) <= 1, [hex(colour) for colour in others]
print(len(columns), len(rows), [hex(colour) for colour in others] == [hex(0xff000000 + (r << 16) + (g << 8) + b) for r, g, b in quiet])
"""
    environment = os.environ | {"QT_SCALE_FACTOR": "1.5", "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[2] == "True"


@pytest.mark.parametrize("scale", ["1", "1.25", "1.5", "1.75", "2"])
def test_what_is_painted_straight_away_and_what_is_kept_are_the_same_picture(scale: str) -> None:
    """Wherever the chart lies, which at these scales is between device pixels; and nothing is left of what was there before."""
    script = """
import sys
import numpy as np
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget
app = QApplication([])
from sptrader_desktop.present.selection import Selection
from sptrader_desktop.present.trade_marks import TradeMarks
from sptrader_desktop.ui.charts.candle_chart import CandleChart
from sptrader_desktop.ui.charts.line_series import Line
from tests.ui.charts import show_exactly, walk
candles = walk(20_000)
close = candles.prices.close
window = QWidget()
window.setStyleSheet("QWidget { background: #ff00ff }")
column = QVBoxLayout(window)
column.setContentsMargins(3, 5, 3, 5)
chart = CandleChart(Selection())
column.addWidget(chart)
window.resize(701, 467)
window.show()
chart.show_candles(candles)
chart.set_overlays([Line("over", close / 100_000 + 0.001), Line("below", np.sin(np.arange(20_000) / 50), "below", "histogram")])
bar = np.array([120, 240])
won = np.array([5, -5])
chart.set_trades(TradeMarks(bar, close[bar], bar + 30, close[bar + 30], np.ones(2, int), won, close[bar] - 20, close[bar] + 20))
for first, last in ((100, 200), (250.8, 285.6), (40.3, 3000.7), (0, 20_000)):
    show_exactly(chart, first, last)
    for pane in chart.panes:
        pane.plot.redraw()
    drawn = [pane.plot.drawn for pane in chart.panes]
    direct, kept, copied = (window.grab().toImage() for _ in range(3))
    assert [pane.plot.drawn - before for pane, before in zip(chart.panes, drawn)] == [2, 2]
    assert direct == kept == copied, (first, last)
    for pane in chart.panes:
        shot = pane.grab().toImage()
        left = {shot.pixel(x, y) for x in range(shot.width()) for y in range(shot.height())}
        assert 0xFFFF00FF not in left, (first, last)
print("same")
"""
    environment = os.environ | {"QT_SCALE_FACTOR": scale, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout == "same\n", done.stderr


@pytest.mark.parametrize(("scale", "thick"), [(1.0, 1), (1.25, 1), (1.5, 2), (2.0, 2)])
def test_bars_narrower_than_a_line_share_a_column_as_wide_as_a_line(scale: float, thick: int) -> None:
    candles, frame = walk(1800), Frame(600, 300, 0, 1800, 105_000, 111_000, scale=scale)
    image = canvas(CandleSeries(candles), frame)
    field = look().colour("field").name()
    each = 3 * thick  # bars
    for column in range(0, 600 // thick, 7):
        bars = slice(column * each, (column + 1) * each)
        high, low = int(candles.prices.high[bars].max()), int(candles.prices.low[bars].min())
        rows = [row for row in range(300) if colour_at(image, column * thick, row) != field]
        assert rows[0] <= int(frame.y_of(high)) + 1
        assert rows[-1] >= int(frame.y_of(low)) - 1
        for beside in range(1, thick):
            assert all(image.pixel(column * thick, row) == image.pixel(column * thick + beside, row) for row in range(300))


def test_charts_load_no_pandas_numba_or_pyarrow() -> None:
    script = (
        "import sys, sptrader_desktop.ui.charts.candle_chart, sptrader_desktop.ui.charts.equity_chart;"
        "print([name for name in ('pandas', 'numba', 'pyarrow') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "[]"


def test_readouts_have_the_decimals_that_the_values_need(qtbot: QtBot) -> None:
    chart = shown(qtbot, walk(200))
    values = {"price": 1.08, "rsi": 57.123456, "tiny": 0.000123456, "volume": 123_456.7}
    chart.set_overlays([Line(name, np.full(200, value), None if name == "price" else name) for name, value in values.items()])
    said = [part.text for pane in chart.panes for parts in pane.crosshair.said() for part in parts if part.name in values]
    assert said == ["1.08000", "57.12", "0.0001235", "123,457"]
    volume = np.array([1538.0, 0.0, 0.4, 64.25])
    assert [VolumeBars(volume).said(bar)[0].text for bar in range(4)] == ["1,538", "0", "0.4000", "64.25"]
