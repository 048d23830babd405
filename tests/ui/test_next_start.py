"""What a person left comes back at the next start: open charts, what was done in the palette, and how the tables of results stand."""

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QListView, QMenu, QToolButton

from sptrader_desktop.adapters.catalogue_candles import CandleCatalogue
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.present.chart_indicators import ChartIndicator
from sptrader_desktop.present.chart_tabs import ChartTab, tabs_read, tabs_written
from sptrader_desktop.present.navigator import Item, dataset_item
from sptrader_desktop.settings import load_settings
from sptrader_desktop.ui.desk import Series, series_of_key
from sptrader_desktop.ui.editors.editor_pane import EditorPane
from sptrader_desktop.ui.entry_list import ENTRY
from sptrader_desktop.ui.market.chart_document import ChartDocument
from tests.kept_candles import hourly, mid_of
from tests.ui.windows import Driven, driven_window, fresh_home

LOST = "EURUSD_1h_lost.parquet"
CTRL = Qt.KeyboardModifier.ControlModifier


def begun(driven: Driven) -> Driven:
    driven.until(lambda: driven.window.page.chart.candles is not None, "the sample's candles")
    driven.until(lambda: driven.window.texts.navigator.items, "what there is")
    driven.settle()
    return driven


def typed(driven: Driven, words: str) -> list[str]:
    """What the palette finds for it, each with what it is."""
    driven.window.activateWindow()
    driven.until(driven.window.isActiveWindow, "the keyboard to be the window's")
    driven.press(Qt.Key.Key_K, CTRL)
    field = driven.find(QLineEdit, "commandPaletteField")
    QTest.keyClicks(field, words)
    model = driven.find(QListView, "commandPaletteList").model()
    entries = [model.index(row, 0).data(ENTRY).entry for row in range(model.rowCount())]
    return [f"{entry.text} · {entry.detail}" for entry in entries]


def take(driven: Driven) -> None:
    QTest.keyClick(driven.find(QLineEdit, "commandPaletteField"), Qt.Key.Key_Return)
    driven.settle()


def leave_things(driven: Driven) -> None:
    """A text that is not saved, two charts of which one is arranged, a run whose trades are sorted, filtered and without a column."""
    window = driven.window
    typed(driven, "turtle")
    take(driven)
    editor = window.texts.documents.current_editor
    assert editor is not None
    QTest.keyClicks(editor.edit, "# more")
    typed(driven, "eurusd 1h lost")
    take(driven)
    typed(driven, "eurusd 1h 2024-05-31")
    take(driven)
    chart = window.texts.documents.current_chart
    assert chart is not None
    chart.bar.box.setFocus()
    QTest.keyClicks(chart.bar.box, "4h")
    driven.until(lambda: chart.chart.candles and chart.chart.candles.timeframe == "4h", "longer candles")
    driven.click(chart.bar.link)
    driven.click(chart.bar.add)
    driven.until(chart.picker.isVisible, "the list of indicators")
    QTest.keyClicks(chart.picker.field, "sma")
    QTest.keyClick(chart.picker.field, Qt.Key.Key_Return)
    driven.settle()
    window.page.run()
    driven.until(lambda: window.research.finished, "the run")
    driven.settle()
    arrange_trades(driven)


def arrange_trades(driven: Driven) -> None:
    table = driven.window.page.results.tables["trades"]
    driven.window.page.results.show_tab("trades")
    driven.window.layouts.show("results")
    driven.click(driven.find(QToolButton, "tradesColumns"))
    menu = driven.find(QMenu, "tradesColumnsMenu")
    next(action for action in menu.actions() if action.text() == "Symbol").trigger()
    menu.close()
    header = table.view.horizontalHeader()
    net = table.model.table.keys.index("pnl")
    table.view.scrollTo(table.model.index(0, net))
    place = QPoint(header.sectionViewportPosition(net) + header.sectionSize(net) // 2, header.height() // 2)
    QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=place)
    table.filter("", {"pnl": "> 0"})
    QTest.keyClicks(driven.find(QLineEdit, "tradesFilter"), "signal")


@pytest.fixture(scope="module")
def again(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Driven, list[str]]]:
    """The second start, after the file of a chart that was open is gone; with what it logged on its way."""
    home, lines = tmp_path_factory.mktemp("home"), list[str]()
    heard = logging.Handler()
    heard.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    with fresh_home(home):
        with driven_window(qapp, is_forgotten=False) as driven:
            begun(driven)
            data = home / "workspace" / "data"
            shutil.copy(next(data.glob("*.parquet")), data / LOST)
            driven.until(lambda: any(LOST in item.key for item in driven.window.texts.navigator.items), "the copied candles")
            leave_things(driven)
        (data / LOST).unlink()
        logging.getLogger("sptrader").addHandler(heard)
        try:
            with driven_window(qapp) as driven:
                yield begun(driven), lines
        finally:
            logging.getLogger("sptrader").removeHandler(heard)


def test_an_open_chart_stands_as_it_stood_and_one_without_candles_waits_for_them(again: tuple[Driven, list[str]]) -> None:
    driven, lines = again
    documents = driven.window.texts.documents
    lost, chart = documents.charts
    assert chart.chart.candles is not None
    assert (chart.title, chart.chart.candles.timeframe, chart.bar.link.isChecked()) == ("EURUSD 4h", "4h", False)
    (slot,) = chart.indicators.slots
    assert slot.indicator.dotted.endswith(".sma")
    assert slot.lines
    assert documents.currentWidget() is chart, "it was in front"
    (line,) = [line for line in lines if LOST in line]
    assert line.endswith("is not there any more: put the file back, or close this chart")
    assert [tab.dataset for tab in driven.window.kept_market.charts.now.value] == [lost.tab.dataset, chart.tab.dataset]
    documents.setCurrentWidget(lost)
    driven.click(lost.chart.empty.button)
    driven.settle()
    assert "there is no such file" in lost.problem.text()
    data = load_settings().workspace / "data"
    shutil.copy(next(data.glob("*.parquet")), data / LOST)
    driven.until(lambda: lost.chart.candles, "the candles that came back")
    assert not lost.problem.isVisible()
    lost.closeAsked.emit()
    (data / LOST).unlink()
    driven.until(lambda: not any(LOST in item.key for item in driven.window.texts.navigator.items), "the list without them")
    driven.settle()
    documents.setCurrentWidget(chart)


KEYS = st.builds(
    dataset_item, st.sampled_from(["EURUSD", "XAUUSD"]), st.sampled_from(["1h", "15m"]), st.just(""), st.sampled_from(["catalogue", "http"])
)


@given(KEYS | st.just(dataset_item("EURUSD", "1h", "/data/EURUSD_1h_of_mine.parquet")))
def test_candles_that_are_listed_no_more_are_known_by_their_key(item: Item) -> None:
    series = series_of_key(item.key)
    assert series is not None
    assert dataset_item(series.symbol, series.timeframe, series.path, series.source) == item


def test_an_open_text_is_open_with_what_was_not_saved_and_is_not_asked_about(again: tuple[Driven, list[str]]) -> None:
    driven, _ = again
    (editor,) = driven.window.texts.documents.editors
    assert editor.path is not None
    assert editor.edit.text() == f"# more{editor.path.read_text()}"
    assert not [notice.text for notice in driven.window.notices.waiting() if notice.text.startswith("Not saved when")]


def test_what_was_done_in_the_palette_comes_first_again(again: tuple[Driven, list[str]]) -> None:
    driven, _ = again
    assert typed(driven, "")[0].startswith("EURUSD 1h · ")
    assert driven.window._preferences.now.value.done[0].endswith("2024-05-31.parquet")
    driven.press(Qt.Key.Key_Escape)


def test_a_chart_of_one_side_comes_back_with_that_side(again: tuple[Driven, list[str]]) -> None:
    driven, _ = again
    catalogue, panel, documents = CandleCatalogue(load_settings().candles), driven.window.page.panel, driven.window.texts.documents
    bid, before = hourly(range(60), symbol="NZDCAD"), driven.window.kept_market.charts.now.value
    for candles in (bid, mid_of(bid, 500)):
        catalogue.keep(candles)
    panel.offer(panel.strategies, driven.window._desk.series())
    driven.window.market.open_chart(Series("NZDCAD", "1h", source="catalogue", side="mid"))
    tabs = driven.window.kept_market.charts.now.value
    documents.close_current()
    driven.window.kept_market.charts.now.set(tabs[len(before) :])
    driven.window.market.restore()
    driven.settle()
    restored = documents.charts[-1]
    assert restored.chart.candles is not None
    assert restored.chart.candles.side == "mid"
    assert int(restored.chart.candles.prices.close[0]) == int(bid.prices.close[0]) + 500
    restored.closeAsked.emit()
    driven.settle()
    assert driven.window.kept_market.charts.now.value == before


NAMED = [("stochastic", "Indicator", "stochastic.py"), ("turtle", "Strategy", "turtle_breakout.yaml")]


@pytest.mark.parametrize(("words", "what", "name"), NAMED)
def test_strategies_and_components_are_found_by_name(again: tuple[Driven, list[str]], words: str, what: str, name: str) -> None:
    driven, _ = again
    assert what in typed(driven, words)[0]
    take(driven)
    editor = driven.window.texts.documents.currentWidget()
    assert isinstance(editor, EditorPane)
    assert editor.path is not None
    assert editor.path.name == name
    chosen = driven.window.page.panel.chosen_strategy()
    assert what != "Strategy" or chosen == editor.path, "as from the navigator"


def test_candles_are_found_by_symbol_and_timeframe_and_open_as_a_chart(again: tuple[Driven, list[str]]) -> None:
    driven, _ = again
    before = len(driven.window.texts.documents.charts)
    assert typed(driven, "1h eurusd")[0].startswith("EURUSD 1h · EURUSD_1h_")
    take(driven)
    opened = driven.window.texts.documents.currentWidget()
    assert isinstance(opened, ChartDocument)
    assert len(driven.window.texts.documents.charts) == before + 1
    opened.closeAsked.emit()
    driven.settle()
    assert len(driven.window.kept_market.charts.now.value) == before


def test_tables_of_results_keep_their_columns_order_and_filters(again: tuple[Driven, list[str]]) -> None:
    driven, _ = again
    results, panel = driven.window.page.results, driven.window.page.panel
    panel.choose(next(path for path in panel.strategies if path.stem == "ma_crossover"), None)
    driven.window.page.run()
    driven.until(lambda: driven.window.research.finished, "the run")
    driven.settle()
    table = results.tables["trades"]
    assert results.tabs.currentWidget() is table
    assert "symbol" not in {column.key for column in table.view.shown_columns()}
    assert [key.key for key in table.model.sort_keys] == ["pnl"]
    net = table.model.table["pnl"].values[table.model.sources]
    assert 0 < len(net) < len(table.model.table)
    assert net.min() > 0
    assert net.tolist() == sorted(net.tolist())
    assert driven.find(QLineEdit, "tradesFilter").text() == "signal"
    assert driven.find(QToolButton, "tradesColumns").isVisible()


texts = st.text(max_size=12)
indicators = st.builds(ChartIndicator, texts, st.dictionaries(texts, st.booleans() | st.decimals(allow_nan=False, allow_infinity=False)))


def test_settings_that_are_damaged_are_told_in_one_notice_that_says_where_they_are(qapp: QApplication, tmp_path: Path) -> None:
    with fresh_home(tmp_path):
        load_settings().preferences.write_text('{"schema": 1, "theme"')
        with driven_window(qapp) as driven:
            (told,) = [notice.text for notice in driven.window.notices.waiting()]
    assert told.startswith("preferences.json could not be read: it is no JSON. The defaults are used. The file as it was is kept in ")


@settings(max_examples=30)
@given(st.lists(st.builds(ChartTab, texts, texts, st.booleans(), st.lists(indicators, max_size=2).map(tuple), texts)).map(tuple))
def test_open_charts_are_read_as_they_were_written(tabs: tuple[ChartTab, ...]) -> None:
    assert tabs_read(tabs_written(tabs)) == tabs


@pytest.mark.parametrize("held", [[3], [{"dataset": 1, "timeframe": "", "linked": True, "indicators": []}], [{"dataset": "x"}]])
def test_what_is_no_chart_is_refused(held: object) -> None:
    with pytest.raises(DataError, match="is no chart"):
        tabs_read(held)
