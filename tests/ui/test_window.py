"""The window as a person uses it: real candles, real components in real processes, real keys and clicks."""

from collections.abc import Iterator
from pathlib import Path
from threading import get_ident
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QMenu,
    QPushButton,
    QSlider,
    QTableView,
    QWidget,
)

from sptrader_desktop import compose
from sptrader_desktop.present.actions import Menu
from sptrader_desktop.present.chart_frame import Bars
from sptrader_desktop.present.selection import BarAt
from sptrader_desktop.present.sessions import unshaded
from sptrader_desktop.settings import load_settings
from sptrader_desktop.ui import research
from sptrader_desktop.ui.charts.prepared import Drawing, drawing_of
from sptrader_desktop.ui.desk import Series
from sptrader_desktop.ui.main_window import MainWindow
from tests.ui.windows import Driven, driven_window

if TYPE_CHECKING:
    from sptrader_desktop.core.results import Result


@pytest.fixture(scope="module")
def opened(qapp: QApplication) -> Iterator[Driven]:
    with driven_window(qapp) as driven:
        driven.until(lambda: driven.window.page.chart.candles is not None, "the sample's candles")
        yield driven


@pytest.fixture
def ran(opened: Driven) -> Driven:
    if opened.window.research.finished is None:
        opened.press(Qt.Key.Key_F5)
        opened.until(lambda: opened.window.research.finished, "the run")
    opened.settle()
    return opened


def test_it_opens_on_the_samples_candles_with_the_sample_strategy_chosen(opened: Driven) -> None:
    page = opened.window.page
    strategy, series = page.panel.chosen_strategy(), page.panel.chosen_series()
    assert strategy
    assert series
    assert (strategy.stem, series.symbol, series.timeframe) == ("ma_crossover", "EURUSD", "1h")
    assert page.chart.candles is not None
    assert page.chart.candles.symbol == "EURUSD"


def test_no_label_has_margins_that_another_look_would_take(opened: Driven) -> None:
    """Qt counts a label's own margins as its frame, and drops them where the style sheet changes before the label has a size."""
    framed = [label for label in opened.window.findChildren(QLabel) if not label.contentsMargins().isNull()]
    assert [label.objectName() or label.text() for label in framed if not label.frameWidth()] == []


def test_what_is_offered_again_is_shown_and_the_first_picture_is_told_once(opened: Driven) -> None:
    told = list[bool]()
    opened.window.painted.connect(lambda: told.append(True))
    read = list[object]()
    opened.window.research.candlesReady.connect(read.append)
    for _ in range(2):
        opened.window.offer()
        opened.settle()
    assert len(read) == 2
    assert told == []


def test_f5_runs_keeps_and_paints(ran: Driven) -> None:
    window = ran.window
    finished = window.research.finished
    assert finished is not None
    assert len(finished.result.outcome.trades) > 0
    stored = compose.run_store(load_settings()).load("latest")
    assert stored.strategy_text == finished.text
    shown = window.page.chart.grab().toImage()
    window.page.chart.set_trades(None)
    assert window.page.chart.grab().toImage() != shown, "the trades were painted"
    drawing = window.research.drawing
    assert drawing is not None
    window.page._show_marks(drawing)


def test_what_is_drawn_is_made_in_the_job_and_a_pane_behind_others_is_not_filled(ran: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    window, makers, filled = ran.window, [], []
    set_curve = window.page.equity.set_curve

    def make(result: "Result", before: Drawing | None) -> Drawing:
        makers.append(get_ident())
        return drawing_of(result, before)

    def fill(*what: Any) -> None:
        filled.append(what)
        set_curve(*what)

    monkeypatch.setattr(research, "drawing_of", make)
    monkeypatch.setattr(window.page.equity, "set_curve", fill)
    for _ in range(2):
        window.page.run()
        ran.settle()
    assert len(makers) == 2
    assert get_ident() not in makers
    assert not filled
    window.layouts.show("equity")
    ran.settle()
    assert window.research.drawing is not None
    assert [what[3] for what in filled] == [window.research.drawing.curve], "the newest, once"
    window.layouts.show("results")


def test_a_run_is_kept_when_the_next_comes_before_it_was_seen(ran: Driven) -> None:
    window = ran.window
    finished, drawing = window.research.finished, window.research.drawing
    assert finished is not None
    assert drawing is not None
    before = len(window._desk.runs.list())
    window.research._done((finished, drawing))
    window.research._done((finished, drawing))
    ran.settle()
    assert len(window._desk.runs.list()) == before + 2


def test_the_same_as_the_command_line(ran: Driven) -> None:
    finished = ran.window.research.finished
    assert finished is not None
    settings = load_settings()
    again, _ = compose.run_prepared(compose.prepare(finished.recipe, settings, compose.strategy_of(finished.recipe, settings)))
    assert again.outcome.trades.tobytes() == finished.result.outcome.trades.tobytes()


def test_a_click_on_a_bar_explains_it(ran: Driven) -> None:
    page = ran.window.page
    finished = ran.window.research.finished
    assert finished is not None
    page.chart.go_to(int(finished.result.outcome.trades["entry_time"][2]))
    pane = page.chart.price_pane
    assert pane is not None
    place = QPoint(pane.viewport().width() // 3, pane.viewport().height() // 2)
    QTest.mouseClick(pane.viewport(), Qt.MouseButton.LeftButton, pos=place)
    chosen = ran.window.selection.bar.value
    assert chosen is not None
    ran.settle()
    bar = int(np.searchsorted(finished.result.request.traded[0].timestamp, chosen.stamp))
    assert f"EURUSD 1h, bar {bar}:" in page.explanation.text()
    assert page.explanation.isVisible()


def test_what_was_filled_is_told_at_its_bar(ran: Driven) -> None:
    finished = ran.window.research.finished
    assert finished is not None
    ran.window.selection.bar.set(BarAt("EURUSD", int(finished.result.outcome.trades["entry_time"][0])))
    ran.settle()
    assert "at the open: bought" in ran.window.page.explanation.text()


def test_a_slider_lays_another_run_over_this_one_and_reset_takes_it_away(ran: Driven) -> None:
    window = ran.window
    ran.press(Qt.Key.Key_3, Qt.KeyboardModifier.ControlModifier)
    row = next(row for row in window.page.what_if.rows if row.spec.label == "fast_period")
    row.slider.setFocus()
    QTest.keyClick(row.slider, Qt.Key.Key_Right)
    ran.settle()
    guess, finished = window.research.guess, window.research.finished
    assert guess is not None
    assert finished is not None
    assert guess.result.outcome.trades.tobytes() != finished.result.outcome.trades.tobytes()
    assert "(was" in window.page.what_if._figures.text()
    ran.click(ran.find(QPushButton, "whatIfResetButton"))
    assert window.research.guess is None


def test_a_wrong_answer_is_told_where_it_was_given_and_nothing_is_run(ran: Driven) -> None:
    window = ran.window
    before = window.research.finished
    capital = ran.find(QLineEdit, "capitalAnswer")
    capital.selectAll()
    QTest.keyClicks(capital, "minus ten")
    QTest.keyClick(capital, Qt.Key.Key_Return)
    ran.settle()
    assert window.page.panel.problem.text().startswith("Capital minus ten: ")
    assert "--" not in window.page.panel.problem.text()
    assert window.research.finished is before
    capital.setText("10000")
    ran.press(Qt.Key.Key_F5)
    ran.until(lambda: window.research.finished is not before, "the run after the repair")
    assert not window.page.panel.problem.isVisible()


def test_the_key_that_runs_says_what_is_missing_where_nothing_can_be_run(ran: Driven) -> None:
    panel = ran.window.page.panel
    chosen = panel.strategy.currentIndex()
    panel.strategy.setCurrentIndex(-1)
    ran.press(Qt.Key.Key_F5)
    assert panel.problem.text() == "Choose a strategy and candles first"
    panel.strategy.setCurrentIndex(chosen)
    assert panel.problem.text() == ""


def test_changed_answers_make_the_result_stale_until_it_is_run_again(ran: Driven) -> None:
    window = ran.window
    spread = ran.find(QLineEdit, "spreadAnswer")
    spread.setText("1.5")
    assert window.research.stale.value
    before = window.research.finished
    ran.press(Qt.Key.Key_F5)
    ran.until(lambda: window.research.finished is not before, "the second run")
    assert window.research.stale.value == ""
    spread.setText("0")


def test_every_command_is_in_a_menu_or_has_a_key_and_no_two_share_one(opened: Driven) -> None:
    actions = opened.window.actions_
    assert actions.conflicts() == []
    menus = [*opened.window.menus.values(), *opened.window.menuBar().findChildren(QMenu)]
    in_menus = {action.objectName() for menu in menus for action in menu.actions()}
    assert {row.id for row in actions.rows.values() if not actions.keys(row.id)} <= in_menus


def test_everything_that_can_be_used_has_a_name_for_those_who_do_not_see_it(opened: Driven) -> None:
    assert [
        f"{type(widget).__name__} {widget.objectName()} in {widget.parentWidget()}" for widget in usable(opened.window) if not named(widget)
    ] == []


def usable(window: MainWindow) -> list[QWidget]:
    kinds = (QAbstractButton, QLineEdit, QComboBox, QSlider, QAbstractSpinBox)
    return [widget for kind in kinds for widget in window.findChildren(kind) if not is_part_of_qt(widget)]


def is_part_of_qt(widget: QWidget) -> bool:
    """What Qt builds its own widgets from: their names are the whole's."""
    parent = widget.parentWidget()
    return widget.objectName().startswith("qt_") or isinstance(parent, QComboBox | QAbstractSpinBox | QLineEdit | QTableView)


def named(widget: QWidget) -> bool:
    text = widget.text() if isinstance(widget, QAbstractButton) else ""
    return bool(widget.objectName()) and bool(widget.accessibleName() or text)


def test_trading_sessions_have_a_tick_and_say_why_none_is_shaded(opened: Driven) -> None:
    window, chart = opened.window, opened.window.page.chart
    action, menu = window.actions_.action("chart.sessions"), window.menus[Menu.CHART]
    window.texts.documents.show_chart()
    chart.setFocus()
    opened.press(Qt.Key.Key_X, Qt.KeyboardModifier.AltModifier)
    assert chart.content is not None
    assert (action.isChecked(), chart.has_sessions) == (True, True)
    for days, words in ((20, ""), (60, "Trading sessions: shown while at most 45 days are in sight")):
        chart.show_range(Bars(1000.0, 1000.0 + days * 17, len(chart.stamps)))
        chart.grab()
        assert chart.content.sessions.words == words
    with_words = chart.grab().toImage()
    chart.toggle_sessions()
    assert chart.grab().toImage() != with_words
    menu.aboutToShow.emit()
    assert not action.isChecked(), "the tick is that of the chart, whoever changed it"
    assert "every bar holds all of them" in unshaded(0, 1, 24 * 3_600_000_000)


def test_a_date_to_go_to_is_confirmed_and_left_by_keys_that_charts_use_too(opened: Driven) -> None:
    chart = opened.window.page.chart
    field = chart.go_to_field
    opened.window.texts.documents.show_chart()
    for key, bars in ((Qt.Key.Key_Escape, "as they were"), (Qt.Key.Key_Return, "elsewhere")):
        before = chart.bars
        opened.press(Qt.Key.Key_G, Qt.KeyboardModifier.AltModifier)
        field.text.clear()
        QTest.keyClicks(field.text, "2024-03-15")
        opened.press(Qt.Key.Key_PageUp)
        assert chart.bars == before
        opened.press(key)
        assert not field.isVisible()
        assert (chart.bars == before) == (bars == "as they were")
        assert chart.hasFocus()


def test_closing_asks_the_host(opened: Driven) -> None:
    asked: list[bool] = []
    opened.window.closeAsked.disconnect()
    opened.window.closeAsked.connect(lambda: asked.append(True))
    assert not opened.window.close()
    opened.window.closeAsked.connect(opened.host.close)
    assert asked == [True]
    assert opened.window.isVisible()


def test_panes_can_be_reset_and_locked(opened: Driven) -> None:
    layouts = opened.window.layouts
    layouts.docks["results"].setFloating(True)
    layouts.docks["equity"].hide()
    opened.window.actions_.action("layout.reset").trigger()
    assert not layouts.docks["results"].isFloating()
    assert not layouts.docks["equity"].isHidden()
    opened.window.actions_.action("layout.lock").trigger()
    assert not layouts.docks["results"].features() & layouts.docks["results"].DockWidgetFeature.DockWidgetMovable
    opened.window.actions_.action("layout.lock").trigger()


@pytest.mark.parametrize("damage", [b"", b"nonsense", bytes(range(256)) * 20])
def test_a_broken_arrangement_is_healed(opened: Driven, damage: bytes) -> None:
    layouts = opened.window.layouts
    kept = layouts.kept()
    assert not layouts.take({"Research": damage}, "Research")
    assert all(not dock.isHidden() for dock in layouts.docks.values())
    assert layouts.take(kept, "Research")
    opened.window.event(QEvent(QEvent.Type.LayoutRequest))


def test_a_moment_of_the_data_page_is_shown_in_the_chart(opened: Driven) -> None:
    opened.window.actions_.action("view.data").trigger()
    page, documents, chart = opened.window.data.open(), opened.window.texts.documents, opened.window.page.chart
    series = opened.window.page.panel.series[0]
    candles = opened.window._desk.candles(series)
    page.momentAsked.emit(series, int(candles.timestamp[100]))
    opened.settle()
    assert documents.currentWidget() is chart
    assert chart.bars.first <= 100 <= chart.bars.last
    documents.show_page(page, "Data")
    opened.window.actions_.action("file.close").trigger()
    assert documents.indexOf(page) == -1
    assert documents.currentWidget() is chart


def test_candles_of_the_data_page_are_those_that_f5_runs_on_or_have_a_chart_of_their_own(opened: Driven, tmp_path: Path) -> None:
    window, page = opened.window, opened.window.data.open()
    panel, sample = window.page.panel, window.page.panel.series[0]
    table = pq.read_table(sample.path)
    inside, outside = Path(sample.path).with_name("EURUSD_1h_short.parquet"), tmp_path / "EURUSD_1h_outside.parquet"
    for path, count in ((inside, 200), (outside, 500)):
        pq.write_table(table.slice(0, count), path)
    window.texts.navigator.refresh()
    opened.until(lambda: any(series.path == str(inside) for series in panel.series), "the other candles")
    page.seriesAsked.emit(Series("EURUSD", "1h", str(inside)))
    opened.settle()
    assert panel.chosen_series() == Series("EURUSD", "1h", str(inside))
    assert panel.read.text().startswith("200 bars")
    page.momentAsked.emit(Series("EURUSD", "1h", str(outside)), int(window.page.chart.stamps[20]))
    opened.settle()
    document = window.texts.documents.current_chart
    assert document is not None
    assert len(document.chart.stamps) == 500
    assert document.chart.bars.first <= 20 <= document.chart.bars.last
    assert (len(window.page.chart.stamps), panel.read.text()[:8]) == (200, "200 bars"), "the first chart stays with what is chosen"
    document.closeAsked.emit()
    panel.choose(None, sample)
    inside.unlink()
    window.texts.navigator.refresh()
    opened.until(lambda: len(panel.series) == 1, "the candles to be gone")
    opened.settle()


def test_the_data_workspace_has_the_data_page_in_front(opened: Driven) -> None:
    window = opened.window
    window.actions_.action("layout.use_data").trigger()
    assert window.texts.documents.currentWidget() is window.data.open()
    assert window.layouts.docks["results"].isHidden()
    window.actions_.action("layout.use_research").trigger()
    assert not window.layouts.docks["results"].isHidden()
    window.texts.documents.show_chart()


def test_a_strategy_does_not_take_the_name_of_one_that_is_gone_and_still_open(ran: Driven) -> None:
    texts, strategy = ran.window.texts, ran.window.page.panel.strategies[0]
    gone = strategy.with_name("gone.yaml")
    gone.write_text("name: gone\n")
    texts.documents.open(gone)
    gone.unlink()
    failed: list[str] = []
    texts.navigator.failed.connect(failed.append)
    ran.until(lambda: texts.navigator.choose(str(strategy)), "the strategy in the navigator")
    texts.navigator.rows.setData(texts.navigator.view.currentIndex(), "gone")
    assert failed == ["gone.yaml is still open, though its file is gone: save it or close its tab, or choose another name"]
    assert strategy.exists()
    texts.documents.close_current()
