"""The mouse and the keys on a chart: where it goes, what it shows, and that nothing more than that is painted again."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel
from pytestqt.qtbot import QtBot

from sptrader_desktop.present.actions import ACTIONS, Scope
from sptrader_desktop.present.drawings import drawings_read, drawings_written
from sptrader_desktop.present.selection import BarAt, Selection, Span, Zone
from sptrader_desktop.present.trade_marks import TradeMarks
from sptrader_desktop.ui.charts.candle_chart import EMPTY, CandleChart
from sptrader_desktop.ui.charts.chart_picture import STRIP, chart_picture
from sptrader_desktop.ui.charts.crosshair import ROW
from sptrader_desktop.ui.charts.line_series import Line
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.tokens import GRID
from tests.documents import GUIDE, section
from tests.ui.charts import (
    HOUR_US,
    candles_of,
    click,
    colour_at,
    double_click,
    drag,
    hover,
    painted,
    pane_of,
    part,
    show_exactly,
    shown,
    stamp,
    walk,
    wheel,
)

RIGHT_MARGIN = 0.03


def span(chart: CandleChart) -> tuple[float, float]:
    return chart.bars.first, chart.bars.last


# The mouse


def test_the_wheel_zooms_about_the_bar_under_the_pointer(qtbot: QtBot) -> None:
    chart = shown(qtbot, walk(2000))
    show_exactly(chart, 1000, 1100)
    pane = pane_of(chart)
    before = pane.spot(QPointF(300, 100)).bar
    wheel(pane, 300, 100, 1)
    assert chart.bars.span == pytest.approx(100 / 1.25)
    assert pane.spot(QPointF(300, 100)).bar == pytest.approx(before)
    wheel(pane, 300, 100, -2)
    assert chart.bars.span == pytest.approx(125)
    assert pane.spot(QPointF(300, 100)).bar == pytest.approx(before)


def test_dragging_moves_the_bars_with_the_pointer(qtbot: QtBot) -> None:
    chart = shown(qtbot, walk(2000))
    show_exactly(chart, 1000, 1100)
    pane = pane_of(chart)
    grabbed = pane.spot(QPointF(400, 100)).bar
    drag(pane, (400, 100), (250, 160))
    assert pane.spot(QPointF(250, 160)).bar == pytest.approx(grabbed, abs=1e-6)
    assert chart.bars.span == pytest.approx(100)
    drag(pane, (100, 100), (700, 100), steps=2)
    for _ in range(40):
        drag(pane, (100, 100), (700, 100), steps=2)
    assert chart.bars.first == 0  # and no empty space before it


@pytest.mark.parametrize("is_inverted", [False, True])
def test_nothing_that_is_fitted_lies_behind_the_readout(qtbot: QtBot, is_inverted: bool) -> None:
    chart = shown(qtbot, walk(2000))
    chart.set_overlays([Line("SMA (20)", chart.candles.prices.high / 100_000)] if chart.candles else [])
    pane = pane_of(chart)
    pane.is_inverted = is_inverted
    for first in range(0, 1900, 100):
        show_exactly(chart, first, first + 100)
        frame, prices = pane.frame(), chart.candles.prices if chart.candles else None
        assert prices is not None
        reached = (prices.high[first : first + 100].max(), prices.low[first : first + 100].min())
        ends = sorted(frame.y_of(float(value)) / frame.scale for value in reached)
        assert ends[0] + 1 > pane.crosshair.readout_height() > 10 * GRID, first
        assert ends[1] < frame.height / frame.scale


def test_a_low_pane_has_its_values_below_its_one_line_of_readout(qtbot: QtBot) -> None:
    chart, values = shown(qtbot, walk(2000), size=(900, 200)), np.sin(np.arange(2000.0))
    chart.set_overlays([Line(f"{name} (14)", values, name) for name in ("RSI", "CCI")])
    show_exactly(chart, 100, 200)
    for pane in chart.panes[1:]:
        assert pane.plot_area().height() <= 12 * GRID
        frame = pane.frame()
        assert frame.y_of(values[100:200].max()) / frame.scale + 1 > GRID + ROW
        assert frame.y_of(values[100:200].min()) < frame.height


def test_the_values_fit_until_the_axis_is_dragged_and_again_after_a_double_click(qtbot: QtBot) -> None:
    chart = shown(qtbot, walk(2000))
    show_exactly(chart, 500, 600)
    pane, prices = pane_of(chart), chart.candles.prices if chart.candles else None
    assert prices is not None
    _, (low, high) = pane.box.ranges()
    lowest, highest = prices.low[500:600].min(), prices.high[500:600].max()
    assert low < lowest
    assert high > highest
    assert (high - low) < 1.2 * (highest - lowest)
    on_axis = pane.plot_area().right() + 10
    drag(pane, (on_axis, 100), (on_axis, 200))
    _, (stretched_low, stretched_high) = pane.box.ranges()
    assert stretched_high - stretched_low > 1.2 * (high - low)
    show_exactly(chart, 900, 1000)
    assert pane.box.ranges()[1] == (stretched_low, stretched_high)
    double_click(pane, on_axis, 150)
    _, (low, high) = pane.box.ranges()
    assert low < prices.low[900:1000].min()
    assert (high - low) < 1.2 * (prices.high[900:1000].max() - prices.low[900:1000].min())


@pytest.mark.parametrize("is_log", [False, True])
def test_however_far_a_hand_turns_the_axis_there_is_a_chart_and_a_line_on_it_can_be_kept(qtbot: QtBot, is_log: bool) -> None:
    chart = shown(qtbot, walk(500))
    pane = pane_of(chart)
    on_axis = pane.plot_area().right() + 10
    chart.set_overlays([Line("NOTHING", np.zeros(500))])
    if is_log:
        chart.toggle_log()
        assert pane.box.ranges()[1][0] > 5, "what has no place on this scale makes none of the others small"
    for notches in (-2000, 2000):
        for _ in range(30):
            wheel(pane, on_axis, 100, notches)
        painted(pane)
        hover(pane, 300, 100)
        chart.draw_horizontal()
    assert drawings_read(drawings_written({"EURUSD": chart.tools.drawings})) == {"EURUSD": chart.tools.drawings}
    assert pane.axis.marks
    double_click(pane, on_axis, 150)
    assert pane.frame().value_at(pane.frame().height / 2) < 200_000


def test_a_moving_pointer_reads_the_bar_in_every_pane_and_paints_no_series_again(qtbot: QtBot) -> None:
    chart = shown(qtbot, walk(500))
    values = np.arange(500) / 10
    chart.set_overlays([Line("strength", values, "Strength", places=1)])
    show_exactly(chart, 100, 200)
    pane, below = chart.panes
    width = pane.plot_area().width()
    hover(pane, 50, 80)  # what is there is kept as a picture now
    drawn = [one.plot.drawn for one in chart.panes]
    for bar in (120, 121, 150, 199):
        hover(pane, (bar + 0.5 - 100) / 100 * width, 80)
        assert [one.crosshair.bar for one in chart.panes] == [bar, bar]
        texts = [said.text for said in pane.crosshair.said()[0]]
        prices = chart.candles.prices if chart.candles else None
        assert prices is not None
        assert texts[:4] == [f"{int(column[bar]) / 100_000:.5f}" for column in (prices.open, prices.high, prices.low, prices.close)]
        assert [said.text for said in below.crosshair.said()[0]] == [f"{bar / 10:.1f}"]
        assert chart.selection.pointed.value == chart.stamps[bar]
    assert [one.plot.drawn for one in chart.panes] == drawn
    assert below.crosshair.value is None
    assert pane.crosshair.value is not None


def test_the_panes_share_their_edges(qtbot: QtBot) -> None:
    chart = shown(qtbot, walk(500))
    chart.set_overlays(
        [Line("small", np.full(500, 0.5) + np.arange(500) * 1e-6, "Small"), Line("large", np.arange(500) * 1e7, "Large", "histogram")]
    )
    QApplication.processEvents()
    assert len(chart.panes) == 3
    assert len({(pane.plot_area().left(), pane.plot_area().right()) for pane in chart.panes}) == 1
    assert all(pane.axis.room_needed() <= pane.axis.width() for pane in chart.panes)
    chart.set_overlays([Line("small", np.full(500, 0.5), "Small")])
    assert [pane.name for pane in chart.panes] == ["", "Small"]


def test_a_weekend_takes_no_room(qtbot: QtBot) -> None:
    stamps = np.concatenate([stamp("2024-03-08T18:00") + np.arange(3) * HOUR_US, stamp("2024-03-10T22:00") + np.arange(30) * HOUR_US])
    rows = [(100, 110, 90, 105)] * len(stamps)
    chart = shown(qtbot, candles_of(rows, stamps))
    frame = pane_of(chart).frame()
    steps = np.diff(frame.x(np.arange(len(stamps))))
    assert np.allclose(steps, frame.bar_px)
    hover(pane_of(chart), frame.x_of(3.5) / frame.scale, 100)
    assert chart.time_axis.tag_text == "Sun 2024-03-10 22:00"


def test_a_click_chooses_the_bar_and_others_choices_are_shown(qtbot: QtBot) -> None:
    selection = Selection()
    chart = shown(qtbot, walk(2000), selection)
    show_exactly(chart, 100, 200)
    with qtbot.waitSignal(chart.barChosen) as chosen:
        click(pane_of(chart), 0.505 * pane_of(chart).plot_area().width(), 50)
    assert chosen.args == [BarAt("EURUSD", int(chart.stamps[150]))]
    assert selection.bar.value == chosen.args[0]
    assert span(chart) == (100, 200)
    selection.bar.set(BarAt("EURUSD", int(chart.stamps[1234])))
    assert chart.bars.first < 1234 < chart.bars.last
    assert chart.chosen_bar() == 1234
    selection.bar.set(BarAt("USDJPY", int(chart.stamps[5])))
    assert chart.chosen_bar() is None


# Keys


def press(qtbot: QtBot, chart: CandleChart, key: Qt.Key, keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(chart, key, keys)


def test_keys_move_and_zoom(qtbot: QtBot) -> None:
    chart = shown(qtbot, walk(2000))
    chart.setFocus()
    show_exactly(chart, 1000, 1100)
    control, alt = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier
    press(qtbot, chart, Qt.Key.Key_Left)
    assert span(chart) == (999, 1099)
    press(qtbot, chart, Qt.Key.Key_Right)
    press(qtbot, chart, Qt.Key.Key_PageUp)
    assert span(chart) == pytest.approx((910, 1010))
    press(qtbot, chart, Qt.Key.Key_PageDown)
    press(qtbot, chart, Qt.Key.Key_Up, control)
    assert span(chart) == pytest.approx((1010, 1090))
    press(qtbot, chart, Qt.Key.Key_Down, control)
    assert span(chart) == pytest.approx((1000, 1100))
    press(qtbot, chart, Qt.Key.Key_Home)
    assert span(chart) == pytest.approx((0, 100))
    press(qtbot, chart, Qt.Key.Key_End)
    assert chart.bars.last == pytest.approx(2000 + RIGHT_MARGIN * 100)
    press(qtbot, chart, Qt.Key.Key_Home)
    press(qtbot, chart, Qt.Key.Key_R, alt)
    assert chart.bars.last > 2000


def test_a_bar_is_chosen_by_keys_alone(qtbot: QtBot) -> None:
    chart = shown(qtbot, walk(2000))
    press(qtbot, chart, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert chart.chosen_bar() == 1999
    for _ in range(300):
        press(qtbot, chart, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert chart.chosen_bar() == 1699
    assert chart.bars.first <= 1699 < chart.bars.last


def test_styles_and_scales_have_keys(qtbot: QtBot) -> None:
    chart = shown(qtbot, walk(500))
    alt, pane = Qt.KeyboardModifier.AltModifier, pane_of(chart)
    content = chart.content
    assert content is not None
    for key, style in ((Qt.Key.Key_2, "bars"), (Qt.Key.Key_3, "line"), (Qt.Key.Key_4, "heikin_ashi"), (Qt.Key.Key_1, "candles")):
        press(qtbot, chart, key, alt)
        assert content.candles.style == style
    press(qtbot, chart, Qt.Key.Key_L, alt)
    _, (low, high) = pane.box.ranges()
    assert pane.is_log
    assert 5 < low < high < 5.1  # the logarithms of 108,000 ticks
    press(qtbot, chart, Qt.Key.Key_I, alt)
    frame = pane.frame()
    assert frame.y_of(10**high) > frame.y_of(10**low)
    press(qtbot, chart, Qt.Key.Key_X, alt)
    assert content.sessions.is_shown


def test_every_command_of_the_table_is_there(qtbot: QtBot) -> None:
    rows = {row.id for row in ACTIONS if row.scope is Scope.CHART and not row.needs.endswith("chart")}  # those are of the line above it
    chart = shown(qtbot, walk(50))
    assert set(chart.commands()) == rows
    chart.commands()["chart.next_trade"]()  # without trades: nothing, quietly


def test_going_to_a_date_reads_the_clock_of_the_axis(qtbot: QtBot) -> None:
    chart = shown(qtbot, walk(5000))
    chart.selection.zone.set(Zone.NEW_YORK)
    press(qtbot, chart, Qt.Key.Key_G, Qt.KeyboardModifier.AltModifier)
    field = chart.go_to_field
    assert field.isVisible()
    QTest.keyClicks(field.text, "2024-05-32")
    QTest.keyClick(field.text, Qt.Key.Key_Return)
    assert "is not a date: write year, month and day" in field.fault.text()
    assert field.fault.height() >= field.fault.heightForWidth(field.fault.width())  # nothing of it is cut off
    field.text.clear()
    QTest.keyClicks(field.text, "2024-05-15 09:00")
    QTest.keyClick(field.text, Qt.Key.Key_Return)
    assert not field.isVisible()
    middle = chart.bar_index((chart.bars.first + chart.bars.last) / 2)
    assert chart.stamps[middle] == stamp("2024-05-15T13:00")
    assert chart.time_axis.zone_text == "New York UTC−4"
    press(qtbot, chart, Qt.Key.Key_G, Qt.KeyboardModifier.AltModifier)
    QTest.keyClick(field.text, Qt.Key.Key_Escape)
    assert not field.isVisible()


# Trades


def test_trades_are_stepped_through_in_the_order_of_their_entries(qtbot: QtBot) -> None:
    chart = shown(qtbot, walk(5000))
    entries = np.array([3000, 400, 400, 4000, 1200])
    ticks, none = np.full(5, 108_000), np.zeros(5, np.int64)
    chart.set_trades(TradeMarks(entries, ticks, entries + 20, ticks, np.ones(5, np.int64), ticks, none, none))
    show_exactly(chart, 0, 100)
    rows: list[int] = []
    chart.tradeChosen.connect(rows.append)
    for _ in range(5):
        chart.next_trade()
    assert rows == [1, 4, 0, 3]
    assert chart.chosen_bar() == 4000
    for _ in range(4):
        chart.previous_trade()
    assert rows[4:] == [0, 4, 2]
    chart.show_trade(99)
    assert chart.chosen_bar() == 400


def test_a_click_on_a_mark_chooses_the_trade(qtbot: QtBot) -> None:
    chart = shown(qtbot, walk(500))
    prices = chart.candles.prices if chart.candles else None
    assert prices is not None
    one, none = np.array([120]), np.array([0])
    price = prices.close[one]
    chart.set_trades(TradeMarks(one, price, one + 30, prices.close[one + 30], np.array([1]), np.array([-250_000_000]), none, none))
    show_exactly(chart, 100, 200)
    frame = pane_of(chart).frame()
    with qtbot.waitSignal(chart.tradeChosen):
        click(pane_of(chart), frame.x_of(120.5) / frame.scale, frame.y_of(float(price[0])) / frame.scale)
    said = " ".join(f"{part.name} {part.text}" for part in pane_of(chart).crosshair.said()[1])
    assert "▲ long" in said
    assert "-2.50" in said


# Several charts, other candles


def test_charts_of_one_selection_share_the_moment_and_if_asked_the_range(qtbot: QtBot) -> None:
    selection = Selection()
    one, other = shown(qtbot, walk(1000), selection), shown(qtbot, walk(1000, seed=5, symbol="USDJPY"), selection)
    other.is_range_linked = True
    show_exactly(one, 200, 300)
    assert span(other) == pytest.approx((200, 301))
    hover(pane_of(one), 0.255 * pane_of(one).plot_area().width(), 50)
    assert other.panes[0].crosshair.bar == 225
    assert other.panes[0].crosshair.value is None
    show_exactly(other, 600, 700)
    assert span(one) == (200, 300)  # only who is linked follows
    selection.span.set(Span(0, HOUR_US))
    assert span(other) == (600, 700), "of that time it has nothing"


def test_the_same_symbol_stays_at_the_same_time_and_another_shows_its_newest(qtbot: QtBot) -> None:
    chart = shown(qtbot, walk(3000))
    show_exactly(chart, 1000, 1200)
    chart.set_overlays([Line("strength", np.zeros(3000), "Strength")])
    chart.show_candles(walk(3000, seed=2))
    assert span(chart) == pytest.approx((1000, 1201))
    assert len(chart.panes) == 1
    chart.show_candles(walk(500, seed=2, symbol="USDJPY"))
    assert chart.bars.last > 500
    assert chart.accessibleName() == "Chart: USDJPY 1h, 500 bars"


def test_live_bars_extend_the_chart_and_a_view_of_the_newest_stays_there(qtbot: QtBot) -> None:
    whole = walk(600)
    chart = shown(qtbot, part(whole, 500))
    was = chart.bars.span
    chart.extend(part(whole, 510))
    assert chart.bars.span == pytest.approx(was)
    assert chart.bars.last == pytest.approx(510 + RIGHT_MARGIN * was)
    last, opened = float(whole.prices.close[509]), float(whole.prices.open[509])
    assert pane_of(chart).crosshair.newest == (last, "up" if last >= opened else "down")
    show_exactly(chart, 100, 200)
    chart.extend(part(whole, 600))
    assert span(chart) == (100, 200)


def test_a_wider_chart_shows_more_bars_of_the_same_width(qtbot: QtBot) -> None:
    chart = shown(qtbot, walk(3000))
    before = pane_of(chart).frame()
    chart.resize(1300, 500)
    QApplication.processEvents()
    after = pane_of(chart).frame()
    assert after.bar_px == pytest.approx(before.bar_px, rel=0.01)
    assert after.last == pytest.approx(before.last, abs=5)
    assert after.first < before.first - 30


def test_without_candles_a_chart_says_what_will_be_there(qtbot: QtBot) -> None:
    chart = CandleChart(Selection())
    qtbot.addWidget(chart)
    chart.show()
    assert chart.empty.isVisible()
    assert [label.text() for label in chart.empty.findChildren(QLabel) if label.text()] == [EMPTY.title, EMPTY.text]
    for command in chart.commands().values():
        command()
    chart.show_candles(walk(0))
    assert chart.empty.isVisible()
    chart.show_candles(walk(1))
    assert not chart.empty.isVisible()


def test_a_deleted_chart_is_no_longer_told_anything(qtbot: QtBot) -> None:
    selection = Selection()
    chart = CandleChart(selection)
    chart.show_candles(walk(100))
    chart.deleteLater()
    QApplication.sendPostedEvents(None, 52)  # DeferredDelete
    QApplication.processEvents()
    selection.zone.set(Zone.NEW_YORK)
    selection.bar.set(BarAt("EURUSD", stamp("2024-03-04")))
    selection.pointed.set(5)


def test_a_picture_has_the_chart_under_its_title(qtbot: QtBot) -> None:
    chart = shown(qtbot, walk(300))
    image = chart_picture(chart, "EURUSD 1h")
    assert image.width() == chart.width()
    assert image.height() == chart.height() + STRIP
    shot = chart.grab().toImage()
    assert all(image.pixel(x, STRIP + y) == shot.pixel(x, y) for x in range(0, chart.width(), 7) for y in range(60, chart.height(), 9))


def test_a_picture_is_saved_where_one_says_and_a_failure_is_told(qtbot: QtBot, tmp_path: Path) -> None:
    chart = shown(qtbot, walk(300))
    for folder, is_there in ((tmp_path, True), (tmp_path / "gone", False)):
        press(qtbot, chart, Qt.Key.Key_S, Qt.KeyboardModifier.AltModifier)
        dialog = chart.findChildren(QFileDialog, "savePictureDialog")[-1]
        assert dialog.isVisible()
        told: list[str] = []
        chart.pictureFailed.connect(told.append)
        dialog.fileSelected.emit(str(folder / "chart.png"))
        dialog.close()
        assert (folder / "chart.png").exists() == is_there
        assert [("could not be written" in text) for text in told] == ([] if is_there else [True])
    assert QImage(str(tmp_path / "chart.png")).height() == chart.height() + STRIP


def test_a_chart_with_the_keyboard_shows_it(qtbot: QtBot) -> None:
    chart, other = shown(qtbot, walk(100)), shown(qtbot, walk(100))
    chart.activateWindow()
    qtbot.waitUntil(chart.isActiveWindow)
    chart.setFocus()
    qtbot.waitUntil(chart.hasFocus)
    accent = look().colour("accent").name()
    assert colour_at(painted(chart.time_axis), 50, 0) == accent
    assert colour_at(painted(other.time_axis), 50, 0) != accent


def test_the_chosen_bar_is_told_to_a_screen_reader(qtbot: QtBot) -> None:
    chart = shown(qtbot, candles_of([(108_000, 108_050, 107_990, 108_020)] * 30))
    chart.choose(7)
    assert chart.accessibleDescription() == "Mon 2024-03-04 07:00: O 1.08000, H 1.08050, L 1.07990, C 1.08020, 0.00000 (0.00 %)"


def test_the_guide_names_every_key_of_the_chart() -> None:
    told = section(GUIDE, "The chart")
    words = {
        "Left": "←",
        "Right": "→",
        "Up": "↑",
        "Down": "↓",
        "PgUp": "Page Up",
        "PgDown": "Page Down",
        "Del": "Delete",
        "Esc": "Escape",
        "Return": "Enter",
    }
    keys = [key for row in ACTIONS if row.scope is Scope.CHART for key in row.keys if not key.startswith("StandardKey.")]
    shown_keys = ["+".join(words.get(part, part) for part in key.split("+")) if len(key) > 1 else key for key in keys]
    assert len(shown_keys) > 20
    assert [key for key in shown_keys if key not in told] == []
