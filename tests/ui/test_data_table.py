"""The shared table, clicked and typed into: what it shows is what its columns hold, whatever is sorted, filtered, hidden or moved."""

import csv
import io
import subprocess
import sys
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QObject, QPoint, Qt
from PySide6.QtGui import QFontMetrics, QGuiApplication
from PySide6.QtTest import QAbstractItemModelTester, QTest
from PySide6.QtWidgets import QCheckBox, QFileDialog, QLabel, QLineEdit, QMenu, QPushButton, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from sptrader_desktop.present.column_makers import count, money, times, word
from sptrader_desktop.present.columns import NOTHING, Columns, SortKey
from sptrader_desktop.present.selection import Zone
from sptrader_desktop.ui.tables.column_filter_popup import ColumnFilterPopup
from sptrader_desktop.ui.tables.column_table import ColumnTable
from sptrader_desktop.ui.tables.data_table import DataTable
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.widgets.elided_label import ElidedLabel

ONE = 100_000_000
SIDES = ("long", "short")
W = TypeVar("W", bound=QObject)


def rows(count_of_rows: int, seed: int = 1) -> Columns:
    chance = np.random.default_rng(seed)
    return Columns(
        (
            count("id", "Trade", np.arange(1, count_of_rows + 1)),
            word("side", "Side", chance.integers(0, 2, count_of_rows), SIDES),
            money("pnl", "Net", chance.integers(-500 * ONE, 500 * ONE, count_of_rows), "USD", "gross less costs"),
            money("fee", "Fee", chance.integers(0, 9, count_of_rows) * ONE, "USD", is_signed=False, is_shown=False),
        )
    )


@pytest.fixture
def table(qtbot: QtBot) -> DataTable:
    made = DataTable("trades", "Trades", "The trades of a run will be here.", "Run Backtest  F5")
    qtbot.addWidget(made)
    made.resize(800, 400)
    made.put(rows(300))
    made.show()
    return made


def shown(table: DataTable, column: int) -> list[str]:
    return [str(table.model.index(row, column).data()) for row in range(table.model.rowCount())]


def line(table: DataTable) -> QLineEdit:
    return child(table, QLineEdit, "tradesFilter")


def child(table: QWidget, kind: type[W], name: str) -> W:
    found = table.findChild(kind, name)
    assert isinstance(found, kind), name
    return found


def click_header(qtbot: QtBot, table: DataTable, section: int) -> None:
    across = table.view.horizontalHeader()
    place = QPoint(across.sectionViewportPosition(section) + 8, across.height() // 2)
    QTest.mouseClick(across.viewport(), Qt.MouseButton.LeftButton, pos=place)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(steps=st.lists(st.tuples(st.sampled_from(["sort", "filter", "put"]), st.integers(0, 3), st.booleans()), max_size=6))
def test_qt_finds_no_fault_in_the_model_and_its_rows_are_those_of_the_columns(qtbot: QtBot, steps: list[tuple[str, int, bool]]) -> None:
    model = ColumnTable()
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal, model)
    model.put(rows(12))
    for step, number, is_descending in steps:
        kept = [model.index(row, 0) for row in range(min(3, model.rowCount()))]
        if step == "sort":
            model.sort(number - 1, Qt.SortOrder.DescendingOrder if is_descending else Qt.SortOrder.AscendingOrder)
        elif step == "filter":
            model.filter("", {"pnl": "> 0"} if is_descending else {"id": f"<= {number * 4}"})
        else:
            model.put(rows(number * 5, number))
        assert sorted(model.sources.tolist()) == sorted(set(model.sources.tolist()))
        assert kept is not None
        for row, source in enumerate(model.sources.tolist()):
            assert model.index(row, 2).data() == model.table["pnl"].text(source)
            assert model.row_of(source) == row


def test_what_was_selected_stays_selected_through_a_sort(qtbot: QtBot, table: DataTable) -> None:
    table.choose(7)
    click_header(qtbot, table, 2)
    assert table.current == 7
    assert [int(table.model.sources[index.row()]) for index in table.view.selectionModel().selectedRows()] == [7]


def test_a_click_on_a_header_sorts_by_number_and_earlier_clicks_break_ties(qtbot: QtBot, table: DataTable) -> None:
    click_header(qtbot, table, 2)
    assert table.model.sources.tolist() == np.argsort(table.model.table["pnl"].values, kind="stable").tolist()
    click_header(qtbot, table, 1)
    expected = sorted(range(300), key=lambda i: (table.model.table["side"].values[i], table.model.table["pnl"].values[i]))
    assert table.model.sources.tolist() == expected
    assert table.model.sort_keys == (SortKey("side"), SortKey("pnl"))
    click_header(qtbot, table, 1)
    assert table.model.sort_keys[0] == SortKey("side", True)
    click_header(qtbot, table, 1)
    assert table.model.sources.tolist() == list(range(300))


def test_typing_filters_and_says_how_many_are_left(qtbot: QtBot, table: DataTable) -> None:
    QTest.keyClicks(line(table), "short")
    assert set(shown(table, 1)) == {"short"}
    assert child(table, QLabel, "tradesCount").text() == f"{table.model.rowCount()} of 300 rows"
    QTest.keyClick(line(table), Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(line(table), Qt.Key.Key_Delete)
    assert table.model.rowCount() == 300


def test_a_column_is_filtered_in_its_popup_and_the_chip_takes_it_back(qtbot: QtBot, table: DataTable) -> None:
    table.ask_filter(table.model.table["pnl"], table.mapToGlobal(QPoint(50, 50)))
    popup = child(table, ColumnFilterPopup, "columnFilterPopup")
    QTest.keyClicks(child(popup, QLineEdit, "columnFilterLine"), "> 400")
    values = table.model.table["pnl"].values
    assert table.model.sources.tolist() == np.flatnonzero(values > 400 * ONE).tolist()
    QTest.keyClick(popup, Qt.Key.Key_Return)
    chip = child(table, QPushButton, "tradesChip_pnl")
    assert chip.text().startswith("Net > 400")
    QTest.mouseClick(chip, Qt.MouseButton.LeftButton)
    assert table.model.rowCount() == 300


def test_a_chip_that_goes_leaves_the_keyboard_with_the_rows(qtbot: QtBot, table: DataTable) -> None:
    table.filter("", {"pnl": "> 400"})
    table.activateWindow()
    qtbot.wait(50)
    chip = child(table, QPushButton, "tradesChip_pnl")
    chip.setFocus()
    QTest.keyClick(chip, Qt.Key.Key_Space)
    assert table.model.rowCount() == 300
    assert table.view.hasFocus()


def test_keys_lead_from_what_is_looked_for_to_the_rows_and_sort_them(qtbot: QtBot, table: DataTable) -> None:
    line(table).setFocus()
    QTest.keyClicks(line(table), "long")
    QTest.keyClick(line(table), Qt.Key.Key_Escape)
    assert (line(table).text(), table.model.rowCount()) == ("", 300)
    QTest.keyClick(line(table), Qt.Key.Key_Down)
    assert table.view.hasFocus()
    values = table.model.table["pnl"].values
    orders = []
    for said in ("Sort by Net USD", "Sort by Net USD, Descending", "Original Order"):
        table._open_menu(QPoint(), 2)
        menu = child(table, QMenu, "tradesRowMenu")
        next(action for action in menu.actions() if action.text() == said).trigger()
        menu.setParent(None)
        orders.append(values[table.model.sources].tolist())
    assert orders == [sorted(values), sorted(values, reverse=True), values.tolist()]


def test_words_are_ticked(qtbot: QtBot, table: DataTable) -> None:
    table.ask_filter(table.model.table["side"], table.mapToGlobal(QPoint(50, 50)))
    popup = child(table, ColumnFilterPopup, "columnFilterPopup")
    boxes = popup.findChildren(QCheckBox)
    assert [box.text() for box in boxes] == ["long", "short"]
    boxes[1].click()
    assert set(shown(table, 1)) == {"short"}
    popup.close()


def test_a_filter_that_cannot_be_understood_says_so_and_changes_nothing(table: DataTable) -> None:
    table.filter("", {"pnl": "> much"})
    assert table.model.rowCount() == 300
    assert child(table, QLabel, "tradesNote").text() == "Net: much: write > 10, <= 3.5, -5..5 or a number"
    table.filter("", {})
    assert child(table, QLabel, "tradesNote").text() == ""


def test_arrow_keys_tell_the_row_whatever_the_order(qtbot: QtBot, table: DataTable) -> None:
    click_header(qtbot, table, 2)
    with qtbot.waitSignal(table.rowChosen) as told:
        table.view.setCurrentIndex(table.model.index(0, 0))
    assert told.args == [int(np.argmin(table.model.table["pnl"].values))]
    with qtbot.waitSignal(table.rowChosen) as told:
        QTest.keyClick(table.view, Qt.Key.Key_Down)
    assert told.args == [int(table.model.sources[1])]
    with qtbot.waitSignal(table.rowActivated) as told:
        QTest.keyClick(table.view, Qt.Key.Key_Return)
    assert told.args == [int(table.model.sources[1])]
    with qtbot.assertNotEmitted(table.rowChosen):
        table.choose(5)
    assert table.current == 5


def test_selected_rows_are_copied_exactly_with_their_titles(qtbot: QtBot, table: DataTable) -> None:
    table.choose(3)
    QTest.keyClick(table.view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    head, row = QGuiApplication.clipboard().text().splitlines()
    assert head == "Trade\tSide\tNet USD"
    assert row.split("\t") == [table.model.table[key].exact(3) for key in ("id", "side", "pnl")]


def note(table: DataTable) -> str:
    return child(table, ElidedLabel, "tradesNote").whole_text()


def test_a_csv_holds_what_is_shown_in_its_order(qtbot: QtBot, table: DataTable, tmp_path: Path) -> None:
    table.filter("", {"side": "=long"})
    table.save_csv(tmp_path / "trades.csv")
    qtbot.waitUntil(lambda: note(table).startswith(f"Saved {table.model.rowCount()} rows to "))
    read = list(csv.DictReader(io.StringIO((tmp_path / "trades.csv").read_text(encoding="utf-8"))))
    assert [int(row["id"]) - 1 for row in read] == table.model.sources.tolist()
    assert [row["pnl"] for row in read] == [table.model.table["pnl"].exact(int(source)) for source in table.model.sources]


def test_a_csv_that_cannot_be_written_is_one_sentence(qtbot: QtBot, table: DataTable, tmp_path: Path) -> None:
    table.save_csv(tmp_path / "nowhere" / "x.csv")
    qtbot.waitUntil(lambda: note(table) == "x.csv was not written: No such file or directory. Choose another folder.")


def test_a_long_note_leaves_the_table_as_narrow_as_it_was(qtbot: QtBot, table: DataTable, tmp_path: Path) -> None:
    before = table.minimumSizeHint().width()
    path = tmp_path / ("a_long_name_" * 20 + ".csv")
    table.save_csv(path)
    qtbot.waitUntil(path.exists)
    said = child(table, ElidedLabel, "tradesNote")
    qtbot.waitUntil(lambda: said.whole_text() == f"Saved 300 rows to {path}")
    assert table.minimumSizeHint().width() == before
    assert said.text().endswith("…")


def test_where_to_save_is_asked_without_holding_up_the_window(qtbot: QtBot, table: DataTable, tmp_path: Path) -> None:
    QTest.mouseClick(child(table, QToolButton, "tradesCsv"), Qt.MouseButton.LeftButton)
    dialog = table.findChild(QFileDialog)
    assert isinstance(dialog, QFileDialog)
    assert dialog.selectedFiles()[0].endswith("trades.csv")
    dialog.close()
    dialog.fileSelected.emit(str(tmp_path / "mine.csv"))
    qtbot.waitUntil((tmp_path / "mine.csv").exists)


def test_too_many_rows_are_not_copied_but_said(table: DataTable) -> None:
    QGuiApplication.clipboard().setText("before")
    table.put(rows(10_001))
    table.copy()
    assert QGuiApplication.clipboard().text() == "before"
    assert note(table) == "10,001 rows are too many to copy: select fewer, or save them as CSV"


def test_new_rows_leave_the_columns_as_a_person_arranged_them(table: DataTable) -> None:
    table.view.horizontalHeader().moveSection(2, 0)
    table.view.setColumnWidth(1, 123)
    before = table.state()
    table.put(rows(50))
    assert table.state() == before


def test_columns_that_were_made_for_no_rows_are_fitted_to_the_first_that_come(qtbot: QtBot, table: DataTable) -> None:
    other = DataTable("late", "Late", "", "")
    qtbot.addWidget(other)
    other.put(rows(0))
    other.put(rows(300))
    widths = [[each.view.columnWidth(section) for section in range(3)] for each in (table, other)]
    assert widths[0] == widths[1]
    other.view.setColumnWidth(1, 123)
    other.put(rows(0))
    other.put(rows(40))
    assert other.view.columnWidth(1) == 123


def test_a_column_grows_with_what_comes_into_it_unless_a_person_chose_its_width(qtbot: QtBot) -> None:
    other = DataTable("late", "Late", "", "")
    qtbot.addWidget(other)
    never, now = np.array([NOTHING]), np.array([1_795_391_851_125_000])
    other.put(Columns((times("fired", "Fired", never, Zone.UTC), times("ended", "Ended", never, Zone.UTC))))
    other.view.setColumnWidth(1, 90)
    before = other.view.columnWidth(0)
    other.put(Columns((times("fired", "Fired", now, Zone.UTC), times("ended", "Ended", now, Zone.UTC))))
    metrics = QFontMetrics(look().font())
    assert before < metrics.horizontalAdvance("2026-11-22 23:57:31") < other.view.columnWidth(0)
    assert other.view.columnWidth(1) == 90


def test_columns_are_hidden_moved_and_remembered(qtbot: QtBot, table: DataTable) -> None:
    assert [column.key for column in table.view.shown_columns()] == ["id", "side", "pnl"]
    QTest.mouseClick(child(table, QToolButton, "tradesColumns"), Qt.MouseButton.LeftButton)
    menu = child(table, QMenu, "tradesColumnsMenu")
    next(action for action in menu.actions() if action.text() == "Fee USD").trigger()
    menu.close()
    table.view.horizontalHeader().moveSection(2, 0)
    table.view.setColumnWidth(1, 123)
    click_header(qtbot, table, 0)
    state = table.state()
    other = DataTable("trades", "Trades", "", "")
    qtbot.addWidget(other)
    other.put(rows(300))
    other.restore(state)
    assert [column.key for column in other.view.shown_columns()] == ["pnl", "id", "side", "fee"]
    assert other.state() == state
    other.view.reset_columns()
    assert [column.key for column in other.view.shown_columns()] == ["id", "side", "pnl"]
    assert other.model.sources.tolist() == list(range(300))


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"columns": 3},
        {"columns": ["x", {"key": "gone"}, {"key": "pnl", "width": "wide", "hidden": 1}], "sort": [["pnl"], 7, ["x", True]]},
    ],
)
def test_a_broken_arrangement_is_left_out(table: DataTable, broken: dict[str, object]) -> None:
    table.restore(broken)
    assert {column.key for column in table.view.shown_columns()} >= {"id", "side", "pnl"}


def test_the_last_column_cannot_be_hidden(table: DataTable) -> None:
    table.restore({"columns": [{"key": key, "hidden": True} for key in table.model.table.keys]})
    assert len(table.view.shown_columns()) == 1
    table.view.show_section(0, False)
    assert len(table.view.shown_columns()) == 1


def test_an_empty_table_offers_the_step_that_fills_it(qtbot: QtBot, table: DataTable) -> None:
    table.put(Columns())
    button = child(table, QPushButton, "tradesStep")
    assert button.isVisible()
    with qtbot.waitSignal(table.stepAsked):
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def test_a_table_whose_rows_a_filter_hides_says_so_and_shows_them_again(table: DataTable) -> None:
    table.activateWindow()
    table.restore({"quick": "short", "filters": {"pnl": "> 900"}})
    hidden = child(table, QPushButton, "tradesShowAll")
    assert "None of 300 rows passes “short”, Net > 900" in [label.text() for label in table.findChildren(QLabel)]
    assert hidden.isVisible()
    assert table.view.horizontalHeader().isVisible()
    hidden.setFocus()
    QTest.keyClick(hidden, Qt.Key.Key_Space)
    assert table.model.rowCount() == 300
    assert (line(table).text(), table.model.filters) == ("", {})
    assert not hidden.isVisible()
    assert table.view.hasFocus()
    QTest.keyClicks(line(table), "nowhere")
    assert hidden.isVisible()
    table.put(Columns())
    assert not hidden.isVisible()
    assert child(table, QPushButton, "tradesStep").isVisible()


def test_cells_and_controls_have_names_for_those_who_hear_them(table: DataTable) -> None:
    index = table.model.index(0, 2)
    assert index.data(Qt.ItemDataRole.AccessibleTextRole) == f"Net USD: {index.data()}"
    assert table.model.headerData(2, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole) == "Net USD: gross less costs"
    for kind in (QLineEdit, QToolButton):
        for widget in table.findChildren(kind):
            if widget.objectName().startswith("trades"):
                assert widget.accessibleName(), widget.objectName()


def test_only_the_cells_that_are_seen_become_text(qtbot: QtBot) -> None:
    made: set[int] = set()
    values = np.arange(100_000)

    def text(row: int) -> str:
        made.add(row)
        return str(row)

    column = count("id", "Trade", values)
    watched = type(column)("id", "Trade", values, text, text, read=column.read)
    table = DataTable("many", "Many", "", "")
    qtbot.addWidget(table)
    table.resize(300, 300)
    table.put(Columns((watched,)))
    table.show()
    qtbot.waitExposed(table)
    click_header(qtbot, table, 0)
    table.filter("", {"id": "> 50000"})
    table.grab()
    assert 5 < len(made) < 400


def test_tables_load_nothing_heavy() -> None:
    code = (
        "import sys, sptrader_desktop.ui.tables.data_table, sptrader_desktop.present.trade_rows, sptrader_desktop.present.order_rows\n"
        "import sptrader_desktop.present.decision_rows, sptrader_desktop.present.signal_rows\n"
        "print(sorted({'numba', 'pandas', 'pyarrow', 'pyqtgraph'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
