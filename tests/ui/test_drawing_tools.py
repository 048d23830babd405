"""Lines a person draws: by mouse and keys, moved, undone, deleted, kept by symbol; and the ruler."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from sptrader_desktop.core.candles import Prices
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.present.drawings import Corner, Drawing, DrawingBook, Drawings, measured
from sptrader_desktop.present.selection import Selection
from sptrader_desktop.ui.charts.candle_chart import CandleChart
from sptrader_desktop.ui.theme.look import look
from tests.ui.charts import HOUR_US, candles_of, click, colour_at, drag, hover, painted, pane_of, part, show_exactly, stamp, walk

TICK = Decimal("0.00001")  # of EURUSD
ALT, SHIFT, CONTROL = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


def shown(qtbot: QtBot, book: DrawingBook | None = None) -> CandleChart:
    chart = CandleChart(Selection(), book)
    qtbot.addWidget(chart)
    chart.resize(900, 500)
    chart.show()
    chart.show_candles(walk(1000))
    show_exactly(chart, 400, 500)
    return chart


def at(chart: CandleChart, bar: float, share: float) -> tuple[float, float]:
    """Logical pixels of a bar, and of a share of the height from the top."""
    frame = pane_of(chart).frame()
    return frame.x_of(bar) / frame.scale, frame.height * share / frame.scale


def value_at(chart: CandleChart, share: float) -> int:
    frame = pane_of(chart).frame()
    return round(frame.value_at(frame.height * share))


def test_a_horizontal_line_is_drawn_at_the_pointer(qtbot: QtBot) -> None:
    chart = shown(qtbot)
    hover(pane_of(chart), *at(chart, 450.5, 0.4))
    QTest.keyClick(chart, Qt.Key.Key_H, ALT)
    (line,) = chart.tools.drawings
    assert line.kind == "horizontal"
    assert line.start == line.end == Corner(int(chart.stamps[450]), value_at(chart, 0.4))
    hover(pane_of(chart), *at(chart, 450.5, 0.9))
    image, y = painted(pane_of(chart)), pane_of(chart).frame().y_of(line.start.ticks)
    assert look().colour("accent").name() in {colour_at(image, 30, round(y) + step) for step in (-1, 0, 1)}


def test_a_trend_line_goes_from_press_to_release_and_the_chart_stays(qtbot: QtBot) -> None:
    chart = shown(qtbot)
    QTest.keyClick(chart, Qt.Key.Key_T, ALT)
    drag(pane_of(chart), at(chart, 420.5, 0.3), at(chart, 460.5, 0.7))
    (line,) = chart.tools.drawings
    start, end = Corner(int(chart.stamps[420]), value_at(chart, 0.3)), Corner(int(chart.stamps[460]), value_at(chart, 0.7))
    assert line == Drawing("trend", start, end, TICK)
    assert (chart.bars.first, chart.bars.last) == (400, 500)
    drag(pane_of(chart), at(chart, 480.5, 0.2), at(chart, 470.5, 0.2))
    assert chart.bars.first == pytest.approx(410)  # the tool was for one line
    assert len(chart.tools.drawings) == 1


def test_a_line_and_its_ends_are_dragged_and_every_step_can_be_undone(qtbot: QtBot) -> None:
    chart = shown(qtbot)
    QTest.keyClick(chart, Qt.Key.Key_T, ALT)
    drag(pane_of(chart), at(chart, 420.5, 0.3), at(chart, 460.5, 0.7))
    first = chart.tools.drawings
    drag(pane_of(chart), at(chart, 440.5, 0.5), at(chart, 450.5, 0.6))
    (moved,) = second = chart.tools.drawings
    assert moved.start.stamp - first[0].start.stamp == 10 * HOUR_US
    assert moved.end.stamp - first[0].end.stamp == 10 * HOUR_US
    assert moved.start.ticks - first[0].start.ticks == moved.end.ticks - first[0].end.ticks == value_at(chart, 0.6) - value_at(chart, 0.5)
    drag(pane_of(chart), at(chart, 470.5, 0.8), at(chart, 480.5, 0.2))
    (turned,) = chart.tools.drawings
    assert turned.start == moved.start
    assert turned.end == Corner(int(chart.stamps[480]), value_at(chart, 0.2))
    for expected in (second, first, ()):
        QTest.keyClick(chart, Qt.Key.Key_Z, CONTROL)
        assert chart.tools.drawings == expected
    QTest.keyClick(chart, Qt.Key.Key_Z, CONTROL | SHIFT)
    assert chart.tools.drawings == first


def test_a_chosen_line_is_deleted_and_comes_back(qtbot: QtBot) -> None:
    chart = shown(qtbot)
    hover(pane_of(chart), *at(chart, 450.5, 0.4))
    QTest.keyClick(chart, Qt.Key.Key_H, ALT)
    kept = chart.tools.drawings
    QTest.keyClick(chart, Qt.Key.Key_Escape)
    QTest.keyClick(chart, Qt.Key.Key_Delete)
    assert chart.tools.drawings == kept  # nothing was chosen
    click(pane_of(chart), *at(chart, 410.5, 0.4))
    QTest.keyClick(chart, Qt.Key.Key_Delete)
    assert chart.tools.drawings == ()
    QTest.keyClick(chart, Qt.Key.Key_Z, CONTROL)
    assert chart.tools.drawings == kept


def test_two_charts_of_a_symbol_undo_and_delete_their_own_lines_alone(qtbot: QtBot) -> None:
    book = DrawingBook()
    one, other = shown(qtbot, book), shown(qtbot, book)
    for chart, share in ((one, 0.3), (other, 0.6)):
        hover(pane_of(chart), *at(chart, 450.5, share))
        QTest.keyClick(chart, Qt.Key.Key_H, ALT)
    first, second = one.tools.drawings
    QTest.keyClick(one, Qt.Key.Key_Z, CONTROL)
    assert one.tools.drawings == (second,)
    QTest.keyClick(one, Qt.Key.Key_Z, CONTROL | SHIFT)
    QTest.keyClick(other, Qt.Key.Key_Z, CONTROL)
    assert one.tools.drawings == (first,)
    QTest.keyClick(other, Qt.Key.Key_Z, CONTROL | SHIFT)
    click(pane_of(other), *at(other, 410.5, 0.6))  # the second one is chosen there
    QTest.keyClick(one, Qt.Key.Key_Z, CONTROL)
    QTest.keyClick(other, Qt.Key.Key_Delete)
    assert not one.tools.drawings


def test_the_ruler_tells_bars_time_pips_and_percent_and_leaves_nothing(qtbot: QtBot) -> None:
    chart = shown(qtbot)
    drag(pane_of(chart), at(chart, 420.5, 0.7), at(chart, 444.5, 0.3), SHIFT)
    begin, end = value_at(chart, 0.7), value_at(chart, 0.3)
    expected = f"24 bars · 24.0 h · ▲ {(end - begin) / 10:+,.1f} pips · {100 * (end - begin) / begin:+.2f} %"
    assert chart.tools.ruler_text() == expected
    assert (chart.bars.first, chart.bars.last) == (400, 500)
    QTest.keyClick(chart, Qt.Key.Key_Escape)
    assert chart.tools.ruler_text() == ""
    assert chart.tools.drawings == ()
    assert not chart.tools.undo_stack.canUndo()


def test_lines_belong_to_their_symbol_and_are_saved_at_every_change(qtbot: QtBot) -> None:
    saved: list[tuple[str, Drawings]] = []
    old = Drawing("horizontal", Corner(0, 107_900), Corner(0, 107_900), TICK)
    book = DrawingBook({"EURUSD": [old]}, lambda symbol, drawings: saved.append((symbol, drawings)))
    chart = shown(qtbot, book)
    assert list(chart.tools.drawings) == [old]
    chart.show_candles(walk(500, symbol="USDJPY"))
    assert list(chart.tools.drawings) == []
    chart.draw_horizontal()
    assert [symbol for symbol, _ in saved] == ["USDJPY"]
    chart.show_candles(walk(500))
    assert list(chart.tools.drawings) == [old]
    QTest.keyClick(chart, Qt.Key.Key_Z, CONTROL)
    assert len(saved) == 1, "what nobody sees is not undone"
    assert chart.tools.line_at(pane_of(chart).spot(QPointF(1, 1))) is None
    chart.draw_horizontal()
    chart.give_back()
    QTest.keyClick(chart, Qt.Key.Key_Z, CONTROL)
    assert len(saved) == 2
    chart.show_candles(walk(500, symbol="USDJPY"))
    QTest.keyClick(chart, Qt.Key.Key_Z, CONTROL)
    assert saved[2:] == [("USDJPY", ())]
    chart.show_candles(walk(500))
    QTest.keyClick(chart, Qt.Key.Key_Z, CONTROL)
    assert saved[3:] == [("EURUSD", (old,))]


def test_a_trend_line_and_the_ruler_need_no_mouse(qtbot: QtBot) -> None:
    chart = shown(qtbot)
    told: list[str] = []
    chart.tools.said.connect(told.append)
    chart.choose(450)
    QTest.keyClick(chart, Qt.Key.Key_Return)
    assert chart.tools.aim is None  # without a tool
    QTest.keyClick(chart, Qt.Key.Key_T, ALT)
    QTest.keyClick(chart, Qt.Key.Key_Return)
    for key in (*[Qt.Key.Key_Right] * 5, Qt.Key.Key_Up, Qt.Key.Key_Up, Qt.Key.Key_Down):
        QTest.keyClick(chart, key, SHIFT)
    QTest.keyClick(chart, Qt.Key.Key_Return)
    (line,) = chart.tools.drawings
    assert chart.candles is not None
    closes = chart.candles.prices.close
    assert line.start == Corner(int(chart.stamps[450]), int(closes[450]))
    assert line.end.stamp == int(chart.stamps[455])
    assert line.end.ticks > line.start.ticks
    assert [words.partition(":")[0] for words in told] == ["Trend line", "Trend line", ""]
    QTest.keyClick(chart, Qt.Key.Key_M, ALT)
    QTest.keyClick(chart, Qt.Key.Key_Enter)
    QTest.keyClick(chart, Qt.Key.Key_Left, SHIFT)
    assert chart.tools.ruler_text().startswith("1 bar")
    QTest.keyClick(chart, Qt.Key.Key_Enter)
    assert (chart.tools.tool, chart.tools.ruler_text()[:5]) == ("", "1 bar")
    QTest.keyClick(chart, Qt.Key.Key_T, ALT)
    QTest.keyClick(chart, Qt.Key.Key_Return)
    QTest.keyClick(chart, Qt.Key.Key_Right, SHIFT)
    QTest.keyClick(chart, Qt.Key.Key_Escape)
    assert (chart.tools.drawings, chart.tools.aim, chart.tools.words()) == ((line,), None, "")


@pytest.mark.parametrize("begin", ["line", "trend", "mouse"])
def test_lines_are_drawn_on_a_bar_that_came_after_the_candles_were_shown(qtbot: QtBot, begin: str) -> None:
    """And the one that is under way when a bar comes is not lost."""
    chart, candles = shown(qtbot), walk(1003)
    chart.extend(part(candles, 1001))
    chart.show_newest()
    if begin == "line":
        QTest.keyClick(chart, Qt.Key.Key_H, ALT)
    elif begin == "mouse":
        QTest.keyClick(chart, Qt.Key.Key_T, ALT)
        drag(pane_of(chart), at(chart, 1000.5, 0.3), at(chart, 990.5, 0.7))
    else:
        QTest.keyClick(chart, Qt.Key.Key_T, ALT)
        QTest.keyClick(chart, Qt.Key.Key_Return)
        chart.extend(candles)
        for _ in range(2):
            QTest.keyClick(chart, Qt.Key.Key_Right, SHIFT)
        QTest.keyClick(chart, Qt.Key.Key_Return)
    (line,) = chart.tools.drawings
    assert line.start.stamp == int(candles.timestamp[1000])
    if begin == "trend":
        assert line.end.stamp > line.start.stamp


@pytest.mark.parametrize("others", [True, False])
def test_what_is_begun_on_candles_that_go_is_given_up_and_said_to_be(qtbot: QtBot, others: bool) -> None:
    chart = shown(qtbot)
    told: list[str] = []
    chart.tools.said.connect(told.append)
    QTest.keyClick(chart, Qt.Key.Key_T, ALT)
    QTest.keyClick(chart, Qt.Key.Key_Return)
    if others:
        chart.show_candles(walk(500))
    else:
        chart.give_back()
    assert told[-1] == ""
    assert (chart.tools.tool, chart.tools.aim, chart.tools.dragged) == ("", None, None)


def test_the_ruler_by_mouse_ends_a_line_that_the_keyboard_began(qtbot: QtBot) -> None:
    chart = shown(qtbot)
    chart.choose(450)
    QTest.keyClick(chart, Qt.Key.Key_T, ALT)
    QTest.keyClick(chart, Qt.Key.Key_Return)
    QTest.keyClick(chart, Qt.Key.Key_Left, SHIFT)
    drag(pane_of(chart), at(chart, 420.5, 0.7), at(chart, 444.5, 0.3), SHIFT)
    assert chart.tools.ruler_text().startswith("24 bars")
    assert chart.tools.drawings == ()


def test_a_line_among_many_is_found_by_converting_each_once(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the chart has another tick than they were drawn in."""
    lines = [Drawing("horizontal", Corner(0, 10_000 + number), Corner(0, 10_000 + number), TICK * 10) for number in range(100)]
    chart, converted = shown(qtbot, DrawingBook({"EURUSD": lines})), 0

    def in_ticks(drawing: Drawing, tick: Decimal, convert: Callable[[Drawing, Decimal], Drawing] = Drawing.in_ticks) -> Drawing:
        nonlocal converted
        converted += 1
        return convert(drawing, tick)

    monkeypatch.setattr(Drawing, "in_ticks", in_ticks)
    chart.show_candles(walk(500))
    for _ in range(3):
        chart.tools.line_at(pane_of(chart).spot(QPointF(1, 1)))
    assert converted <= len(lines)
    chart.draw_horizontal()
    assert len(chart.tools.drawings) == len(lines) + 1


def test_drawn_lines_are_chosen_moved_and_deleted_by_keys(qtbot: QtBot) -> None:
    chart = shown(qtbot)
    tools, told = chart.tools, list[str]()
    tools.said.connect(told.append)
    QTest.keyClick(chart, Qt.Key.Key_D, ALT)
    assert (tools.chosen, tools.words()) == (None, "")  # there is none
    QTest.keyClick(chart, Qt.Key.Key_Up, SHIFT)
    for share in (0.3, 0.6):
        hover(pane_of(chart), *at(chart, 450.5, share))
        QTest.keyClick(chart, Qt.Key.Key_H, ALT)
    QTest.keyClick(chart, Qt.Key.Key_Escape)
    first, second = tools.drawings
    places = []
    for _ in range(3):
        QTest.keyClick(chart, Qt.Key.Key_D, ALT)
        places.append(tools.chosen)
    assert places == [1, 0, 1]
    assert tools.words().startswith(f"Horizontal line at {second.start.ticks / 100_000:.5f} (1 of 2): Delete")
    for key in (Qt.Key.Key_Up, Qt.Key.Key_Up, Qt.Key.Key_Down):
        QTest.keyClick(chart, key, SHIFT)
    kept, moved = tools.drawings
    assert (kept, moved.start.stamp) == (first, second.start.stamp)
    assert moved.start.ticks == moved.end.ticks > second.start.ticks
    assert told[-1].startswith(f"Horizontal line at {moved.start.ticks / 100_000:.5f} (1 of 2)")
    QTest.keyClick(chart, Qt.Key.Key_Delete)
    assert (tools.drawings, tools.words()) == ((first,), "")
    for _ in range(4):
        QTest.keyClick(chart, Qt.Key.Key_Z, CONTROL)
    assert tools.drawings == (first, second)


def test_a_trend_line_and_its_ends_are_moved_by_keys(qtbot: QtBot) -> None:
    chart = shown(qtbot)
    tools, told, stamps = chart.tools, list[str](), chart.stamps
    tools.said.connect(told.append)
    QTest.keyClick(chart, Qt.Key.Key_T, ALT)
    drag(pane_of(chart), at(chart, 420.5, 0.3), at(chart, 460.5, 0.7))
    (drawn,) = tools.drawings
    chosen = chart.selection.bar.value
    QTest.keyClick(chart, Qt.Key.Key_D, ALT)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.Key.Key_Up):
        QTest.keyClick(chart, key, SHIFT)
    (moved,) = tools.drawings
    assert (moved.start.stamp, moved.end.stamp) == (stamps[421], stamps[461])
    assert moved.start.ticks - drawn.start.ticks == moved.end.ticks - drawn.end.ticks > 0
    assert chart.selection.bar.value is chosen, "the keys were the line's"
    ends = list[Drawing]()
    for _ in range(2):
        QTest.keyClick(chart, Qt.Key.Key_Return)
        assert "Shift and arrows move its end at" in told[-1]
        for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Down):
            QTest.keyClick(chart, key, SHIFT)
        assert tools.drawings[0] == (ends[-1] if ends else moved), "until it is let go"
        QTest.keyClick(chart, Qt.Key.Key_Return)
        ends.append(tools.drawings[0])
    one, both = ends
    assert (one.start, one.end.stamp, one.end.ticks < moved.end.ticks) == (moved.start, stamps[463], True)
    assert (both.end, both.start.stamp, both.start.ticks < moved.start.ticks) == (one.end, stamps[423], True)
    QTest.keyClick(chart, Qt.Key.Key_Return)
    QTest.keyClick(chart, Qt.Key.Key_Left, SHIFT)
    QTest.keyClick(chart, Qt.Key.Key_Z, CONTROL)  # undone while its end is in the hand: the hand is empty
    assert (tools.drawings, tools.aim, tools.dragged) == ((one,), None, None)
    QTest.keyClick(chart, Qt.Key.Key_D, ALT)
    QTest.keyClick(chart, Qt.Key.Key_Return)
    QTest.keyClick(chart, Qt.Key.Key_Escape)
    assert (tools.drawings, tools.words()) == ((one,), "")
    for _ in range(5):
        QTest.keyClick(chart, Qt.Key.Key_Z, CONTROL)
    assert tools.drawings == (drawn,)


@pytest.mark.parametrize("by", ["keys", "mouse"])
def test_a_line_keeps_its_shape_on_its_way_over_a_weekend(qtbot: QtBot, by: str) -> None:
    hours = np.concatenate([np.arange(120), 168 + np.arange(120)])  # five days, and five more
    candles = walk(240)
    chart = CandleChart(Selection())
    qtbot.addWidget(chart)
    chart.resize(900, 500)
    chart.show()
    chart.show_candles(replace(candles, timestamp=stamp("2024-03-04") + hours * HOUR_US))
    show_exactly(chart, 80, 180)
    QTest.keyClick(chart, Qt.Key.Key_T, ALT)
    drag(pane_of(chart), at(chart, 100.5, 0.3), at(chart, 110.5, 0.7))
    if by == "keys":
        QTest.keyClick(chart, Qt.Key.Key_D, ALT)
        for _ in range(15):
            QTest.keyClick(chart, Qt.Key.Key_Right, SHIFT)
    else:
        drag(pane_of(chart), at(chart, 105.5, 0.5), at(chart, 120.5, 0.5))
    (line,) = chart.tools.drawings
    assert (line.start.stamp, line.end.stamp) == (chart.stamps[115], chart.stamps[125])


def test_with_other_instruments_lines_stay_at_their_price_and_can_be_moved_and_undone(qtbot: QtBot) -> None:
    book = DrawingBook()
    chart, other = shown(qtbot, book), shown(qtbot, book)
    hover(pane_of(chart), *at(chart, 450.5, 0.4))
    QTest.keyClick(chart, Qt.Key.Key_H, ALT)
    (line,) = chart.tools.drawings
    candles = walk(1000)
    bars = candles.prices
    prices = Prices(*(column // 10 for column in (bars.open, bars.high, bars.low, bars.close)))
    coarse = replace(candles, instrument=replace(candles.instrument, tick=Decimal("0.0001")), prices=prices)
    chart.show_candles(coarse)
    show_exactly(chart, 400, 500)
    (rescaled,) = chart.tools.drawings
    assert abs(rescaled.start.ticks * 10 - line.start.ticks) <= 5
    assert other.tools.drawings == (line,)
    y = pane_of(chart).frame().y_of(rescaled.start.ticks) / pane_of(chart).frame().scale
    x, _ = at(chart, 450.5, 0)
    drag(pane_of(chart), (x, y), (x, y + 40))
    (moved,) = chart.tools.drawings
    assert moved.start.ticks < rescaled.start.ticks
    assert other.tools.drawings == (moved.in_ticks(TICK),)
    QTest.keyClick(chart, Qt.Key.Key_Z, CONTROL)
    assert other.tools.drawings == (line,)


def test_lines_are_written_and_read_back() -> None:
    line = Drawing("trend", Corner(5, 7), Corner(11, 13), TICK)
    assert Drawing.from_json("EURUSD", line.as_json()) == line
    wrong: list[object] = [{}, [], {"kind": "circle", "start": [1, 2], "end": [3, 4]}, {"kind": "trend", "start": [1, 2.5], "end": [3, 4]}]
    wrong.append({"kind": "trend", "start": [1, 2], "end": [3, 4], "tick": "0"})
    for broken in wrong:
        with pytest.raises(DataError, match="is not a drawn line"):
            Drawing.from_json("EURUSD", broken)


MOVES = [(10_150, "▲ +15.0 pips · +1.50 %"), (9_900, "▼ -10.0 pips · -1.00 %"), (10_000, "+0.0 pips · 0.00 %")]


@pytest.mark.parametrize(("ticks", "text"), MOVES)
def test_measures_have_a_direction(ticks: int, text: str) -> None:
    candles = candles_of([(10_000, 10_000, 10_000, 10_000)] * 80)
    assert measured(candles, 70, 10_000, 10, ticks) == f"60 bars · 2.5 d · {text}"
