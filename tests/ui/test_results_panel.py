"""The results panel with a real run: what it shows, how rows and bars follow each other, and that its pictures can be read without eyes."""

import subprocess
import sys
from typing import TypeVar

import pytest
from PySide6.QtCore import QObject, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from sptrader_desktop.core.errors import RunError
from sptrader_desktop.core.results import Result
from sptrader_desktop.present.selection import BarAt, Selection, Zone
from sptrader_desktop.ui.results import results_panel
from sptrader_desktop.ui.results.picture import Picture
from sptrader_desktop.ui.results.results_panel import TABLES, ResultsPanel
from sptrader_desktop.ui.widgets.tile import Tile
from tests.small_runs import FIRST, HOUR_US, small_run
from tests.test_result_tables import market

W = TypeVar("W", bound=QObject)


@pytest.fixture
def selection() -> Selection:
    return Selection()


@pytest.fixture
def panel(qtbot: QtBot, selection: Selection) -> ResultsPanel:
    made = ResultsPanel(selection)
    qtbot.addWidget(made)
    made.resize(760, 760)
    made.show()
    return made


def child(widget: QWidget, kind: type[W], name: str) -> W:
    found = widget.findChild(kind, name)
    assert isinstance(found, kind), name
    return found


def shown_pages(panel: ResultsPanel) -> None:
    for tab in range(panel.tabs.count()):
        panel.tabs.setCurrentIndex(tab)
        panel.grab()


def test_without_a_run_it_offers_the_step_that_makes_one(qtbot: QtBot, panel: ResultsPanel) -> None:
    button = child(panel, QPushButton, "resultsStep")
    assert button.text() == "Run Backtest  F5"
    with qtbot.waitSignal(panel.runAsked):
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def test_a_run_shows_of_what_it_is_its_net_its_certainty_and_its_figures(panel: ResultsPanel) -> None:
    panel.show_result(small_run())
    assert child(panel, QLabel, "netLabel").text() == "Net +12.20 USD (+0.12 %)"
    assert child(panel, QLabel, "certaintyLabel").accessibleName() == (
        "by_eye · EURUSD 1h: between +12.20 and +62.20 USD; 1 of 4 trades ambiguous"
    )
    tile = child(panel, Tile, "tile_trades_total")
    assert tile.accessibleName() == "Trades: 4"
    assert tile.toolTip() == "Trades: Closes of a position or of a part of it."
    assert child(panel, Tile, "tile_total_pnl").accessibleName() == "Net: +12.20 USD"


def test_the_badge_says_what_changed_and_offers_to_run_again(qtbot: QtBot, panel: ResultsPanel) -> None:
    panel.show_result(small_run())
    badge, button = child(panel, QLabel, "staleBadge"), child(panel, QPushButton, "runAgainButton")
    assert not badge.isVisible()
    panel.set_stale("the strategy was edited")
    assert (badge.text(), badge.isVisible()) == ("STALE: the strategy was edited", True)
    panel.set_stale("Capital is 5 now, was 6\nFill is At the open now\nSpread is 1 now")
    assert badge.text() == "STALE: Capital is 5 now, was 6 (and 2 more)"
    assert badge.toolTip().endswith("Spread is 1 now")
    with qtbot.waitSignal(panel.runAsked):
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    panel.show_result(small_run())
    assert not badge.isVisible()
    assert not button.isVisible()


@pytest.mark.parametrize("name", list(TABLES))
def test_a_row_moves_the_bar_and_the_bar_moves_the_row(panel: ResultsPanel, selection: Selection, name: str) -> None:
    panel.show_result(small_run())
    panel.show_tab(name)
    table, listing = panel.tables[name], TABLES[name][1](small_run(), Zone.UTC)
    assert len(table.model.table) == len(listing) > 2
    table.view.setFocus()
    for row in range(len(listing)):
        table.view.setCurrentIndex(table.model.index(row, 0))
        assert selection.bar.value == listing.bar_of(row)
        assert table.current == row
    last = len(listing) - 1
    selection.bar.set(listing.bar_of(0))
    assert table.current in listing.rows_at(listing.bar_of(0)).tolist()
    QTest.keyClick(table.view, Qt.Key.Key_Down)
    assert selection.bar.value is not None
    selection.bar.set(BarAt("GBPUSD", FIRST))
    assert table.current is None
    selection.bar.set(listing.bar_of(last))
    assert table.current in listing.rows_at(listing.bar_of(last)).tolist()


def test_return_on_a_trade_goes_to_its_exit(panel: ResultsPanel, selection: Selection) -> None:
    panel.show_result(small_run())
    panel.show_tab("trades")
    view = panel.tables["trades"].view
    view.setCurrentIndex(panel.tables["trades"].model.index(2, 0))
    assert selection.bar.value == BarAt("EURUSD", FIRST + 6 * HOUR_US)
    QTest.keyClick(view, Qt.Key.Key_Return)
    assert selection.bar.value == BarAt("EURUSD", FIRST + 8 * HOUR_US)
    assert panel.tables["trades"].current == 2


def test_the_zone_is_that_of_the_window_and_the_current_row_stays(panel: ResultsPanel, selection: Selection) -> None:
    panel.show_result(small_run())
    panel.show_tab("trades")
    table = panel.tables["trades"]
    table.choose(1)
    assert table.model.table["entry_time"].text(0) == "2024-01-02 09:00"
    selection.zone.set(Zone.NEW_YORK)
    assert table.model.table["entry_time"].header == "Entered New York"
    assert table.model.table["entry_time"].text(0) == "2024-01-02 04:00"
    assert table.current == 1


def test_pages_are_filled_when_they_are_looked_at(panel: ResultsPanel) -> None:
    panel.show_result(small_run())
    assert len(panel.tables["trades"].model.table) == 0
    shown_pages(panel)
    assert {name: len(table.model.table) for name, table in panel.tables.items()} == {
        "trades": 4,
        "orders": 8,
        "decisions": 7,
        "signals": 9,
    }


def test_another_run_takes_the_place_of_the_first(panel: ResultsPanel) -> None:
    panel.show_result(small_run())
    shown_pages(panel)
    other = market(3)[0]
    panel.show_result(other)
    shown_pages(panel)
    assert len(panel.tables["trades"].model.table) == len(other.outcome.trades)


def test_ambiguous_trades_are_listed_and_lead_to_the_chart(panel: ResultsPanel, selection: Selection) -> None:
    panel.show_result(small_run())
    panel.tabs.setCurrentWidget(panel.certainty)
    table = panel.certainty.table
    assert table.model.rowCount() == 1
    assert table.model.table["id"].text(0) == "2"
    assert "Between +12.20 and +62.20" in child(panel, QLabel, "bandLabel").text()
    assert "coverage 100.00 %" in child(panel, QLabel, "coverageLabel").text()
    table.view.setCurrentIndex(table.model.index(0, 0))
    assert selection.bar.value == BarAt("EURUSD", FIRST + 4 * HOUR_US)


def pictures(panel: ResultsPanel) -> dict[str, Picture]:
    return {picture.objectName(): picture for picture in panel.findChildren(Picture)}


def test_every_picture_says_in_words_what_it_shows(panel: ResultsPanel) -> None:
    panel.show_result(small_run())
    shown_pages(panel)
    assert set(pictures(panel)) == {
        "monthPicture",
        "hourPicture",
        "weekdayPicture",
        "sessionPicture",
        "distributionPicture",
        "excursionPicture",
    }
    for picture in pictures(panel).values():
        assert picture.accessibleName()
        assert picture.accessibleDescription()
    assert "Best 09 +29.30 USD; worst 12 -20.70 USD, UTC time" in pictures(panel)["hourPicture"].accessibleDescription()


@pytest.mark.parametrize("name", ["monthPicture", "hourPicture", "sessionPicture", "distributionPicture", "excursionPicture"])
def test_values_are_told_to_the_pointer_and_to_arrow_keys(panel: ResultsPanel, name: str) -> None:
    panel.show_result(small_run())
    shown_pages(panel)
    picture = pictures(panel)[name]
    for tab in (panel.summary, panel.timing, panel.spread):
        if tab.isAncestorOf(picture):
            panel.tabs.setCurrentWidget(tab)
            tab.ensureWidgetVisible(picture)
    panel.grab()
    summary = picture.said
    picture.setFocus()
    QTest.keyClick(picture, Qt.Key.Key_Right)
    first = picture.said
    assert first != summary
    assert picture.accessibleDescription() == first
    for _ in range(40):
        QTest.keyClick(picture, Qt.Key.Key_Right)
    told = {picture.said}
    for _ in range(40):
        QTest.keyClick(picture, Qt.Key.Key_Left)
        told.add(picture.said)
    assert picture.said == first
    spots = picture.spots(picture.area)
    assert told == {spot.text for spot in spots}
    QTest.mouseClick(picture, Qt.MouseButton.LeftButton, pos=spots[-1].area.center().toPoint())
    assert picture.said == spots[-1].text
    QTest.mouseClick(picture, Qt.MouseButton.LeftButton, pos=QPoint(1, 1))
    assert picture.said == summary


def test_a_mark_leads_to_its_trade(panel: ResultsPanel, selection: Selection) -> None:
    panel.show_result(small_run())
    panel.tabs.setCurrentWidget(panel.spread)
    panel.grab()
    picture = pictures(panel)["excursionPicture"]
    spot = picture.spots(picture.area)[2]
    QTest.mouseClick(picture, Qt.MouseButton.LeftButton, pos=spot.area.center().toPoint())
    assert selection.bar.value == BarAt("EURUSD", FIRST + 6 * HOUR_US)


def test_a_run_without_trades_has_pages_without_errors(panel: ResultsPanel) -> None:
    nothing: Result = small_run(crosses=())
    panel.show_result(nothing)
    shown_pages(panel)
    assert child(panel, QLabel, "certaintyLabel").accessibleName() == "by_eye · EURUSD 1h: no trades"
    assert pictures(panel)["hourPicture"].said.startswith("No trades")


def test_the_arrangement_comes_back(qtbot: QtBot, panel: ResultsPanel) -> None:
    panel.show_result(small_run())
    panel.show_tab("trades")
    panel.tables["trades"].view.setColumnWidth(1, 177)
    state = panel.state()
    other = ResultsPanel(Selection())
    qtbot.addWidget(other)
    other.restore(state)
    other.restore({"tab": "x", "tables": 3})
    other.restore(state)
    other.show_result(small_run())
    assert other.tabs.currentWidget() is other.tables["trades"]
    assert other.tables["trades"].view.columnWidth(1) == 177


def test_the_arrangement_outlives_a_run_without_trades(panel: ResultsPanel) -> None:
    panel.show_result(small_run())
    panel.show_tab("trades")
    panel.tables["trades"].view.setColumnWidth(1, 177)
    panel.show_result(small_run(crosses=()))
    panel.show_tab("trades")
    (width,) = (entry["width"] for entry in panel.state()["tables"]["trades"]["columns"][1:2])
    assert width == 177


def test_a_panel_that_is_gone_hears_nothing_more(qtbot: QtBot, selection: Selection) -> None:
    made = ResultsPanel(selection)
    made.show_result(small_run())
    made.show_tab("trades")
    made.deleteLater()
    qtbot.waitUntil(lambda: not isValid(made))
    selection.bar.set(BarAt("EURUSD", FIRST))
    selection.zone.set(Zone.NEW_YORK)


def test_what_takes_long_is_done_beside_the_window(
    qtbot: QtBot, panel: ResultsPanel, selection: Selection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results_panel, "MANY_ROWS", 0)
    monkeypatch.setattr(results_panel, "MANY_BARS", 0)
    panel.show_result(small_run())
    panel.show_tab("signals")
    table = panel.tables["signals"]
    assert child(table, QLabel, "signalsWaiting").isVisible()
    selection.bar.set(BarAt("EURUSD", FIRST))
    qtbot.waitUntil(lambda: len(table.model.table) == 9)
    assert not child(table, QLabel, "signalsWaiting").isVisible()
    assert table.current == 0
    panel.tabs.setCurrentWidget(panel.certainty)
    assert "Looking at the candles …" in child(panel, QLabel, "coverageLabel").text()
    qtbot.waitUntil(lambda: "coverage 100.00 %" in child(panel, QLabel, "coverageLabel").text())


def test_an_older_runs_rows_never_come_late(qtbot: QtBot, panel: ResultsPanel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results_panel, "MANY_ROWS", 0)
    panel.show_tab("trades")
    model, lengths = panel.tables["trades"].model, list[int]()
    model.modelReset.connect(lambda: lengths.append(model.rowCount()))
    panel.show_result(market(3)[0])
    panel.show_result(small_run())
    qtbot.waitUntil(lambda: bool(lengths) and lengths[-1] == 4)
    assert set(lengths) == {4}


def test_what_fails_beside_the_window_is_heard_in_it(qtbot: QtBot, panel: ResultsPanel) -> None:
    def fail() -> int:
        raise RunError("no such thing")

    with qtbot.captureExceptions() as heard:
        panel._background.run(fail, print)
        qtbot.waitUntil(lambda: len(heard) == 1)
    assert str(heard[0][1]) == "no such thing"


def test_the_panel_loads_nothing_heavy() -> None:
    code = "import sys, sptrader_desktop.ui.results.results_panel\nprint({'numba', 'pandas', 'pyarrow', 'pyqtgraph'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
