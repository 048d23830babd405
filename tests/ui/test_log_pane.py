"""The log pane through real events: it follows, stops when somebody reads, chooses, copies, and asks only for rows in view."""

import logging
from typing import TypeVar

import pytest
from PySide6.QtCore import QAbstractItemModel, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QAbstractItemModelTester, QTest
from PySide6.QtWidgets import QCheckBox, QComboBox, QPushButton, QTableView, QWidget
from pytestqt.qtbot import QtBot

from sptrader_desktop.present.log_lines import LogFilter, LogLine, LogLines
from sptrader_desktop.present.observable import Observable
from sptrader_desktop.present.selection import Zone
from sptrader_desktop.ui.log_pane import LogPane, LogTable

START = 1_704_774_600_000_000


def numbered(first: int, past: int) -> list[LogLine]:
    levels = [logging.INFO, logging.INFO, logging.WARNING, logging.ERROR]
    return [LogLine(START + 1000 * n, levels[n % 4], ["job", "component.sma"][n % 2], f"line {n}") for n in range(first, past)]


W = TypeVar("W", bound=QWidget)


def part(parent: QWidget, kind: type[W], name: str) -> W:
    found = parent.findChild(kind, name)
    assert found is not None, name
    return found


class Shown:
    """A pane on the screen, and its parts by name."""

    def __init__(self, qtbot: QtBot, most: int = 20_000) -> None:
        self.lines, self.zone = LogLines(most), Observable(Zone.UTC)
        self.pane = LogPane(self.lines, self.zone)
        qtbot.addWidget(self.pane)
        self.pane.resize(900, 300)
        self.pane.show()
        qtbot.waitExposed(self.pane)
        self.table = part(self.pane, QTableView, "logTable")
        self.follow = part(self.pane, QCheckBox, "logFollow")
        self.level = part(self.pane, QComboBox, "logLevel")
        self.source = part(self.pane, QComboBox, "logSource")
        self.search = self.pane._search

    def add(self, lines: list[LogLine]) -> None:
        self.pane.show_added(*self.lines.add(lines))

    def texts(self) -> list[str]:
        model = self.table.model()
        return [str(model.index(row, 3).data()) for row in range(model.rowCount())]

    def is_at_end(self) -> bool:
        bar = self.table.verticalScrollBar()
        return bar.value() == bar.maximum()


@pytest.fixture
def shown(qtbot: QtBot) -> Shown:
    return Shown(qtbot)


def button(shown: Shown, name: str) -> QPushButton:
    return part(shown.pane, QPushButton, name)


def test_the_model_keeps_qts_rules_while_lines_come_and_go(qtbot: QtBot, shown: Shown) -> None:
    lines = LogLines(25)
    model = LogTable(lines, Observable(Zone.UTC), shown.pane)
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning)
    for first in range(0, 100, 7):
        model.move(*lines.add(numbered(first, first + 7)))
    model.move(*lines.add(numbered(100, 160)))  # more than are kept
    lines.choose(LogFilter(least=logging.ERROR))
    model.renew()
    model.move(*lines.add(numbered(160, 170)))
    assert model.rowCount() == len(lines.shown) > 0
    assert tester.model() is model


def test_it_follows_until_somebody_scrolls_back_and_again_from_the_end(qtbot: QtBot, shown: Shown) -> None:
    shown.add(numbered(0, 500))
    assert shown.is_at_end()
    QTest.mouseClick(shown.table.viewport(), Qt.MouseButton.LeftButton, pos=shown.table.viewport().rect().center())
    assert shown.follow.isChecked()
    QTest.keyClick(shown.table, Qt.Key.Key_PageUp)
    assert not shown.follow.isChecked()
    shown.add(numbered(500, 600))
    assert not shown.is_at_end()
    QTest.keyClick(shown.table, Qt.Key.Key_End, Qt.KeyboardModifier.ControlModifier)
    assert shown.follow.isChecked()
    shown.add(numbered(600, 700))
    assert shown.is_at_end()


def test_the_follow_box_goes_to_the_end(qtbot: QtBot, shown: Shown) -> None:
    shown.add(numbered(0, 500))
    QTest.keyClick(shown.follow, Qt.Key.Key_Space)
    shown.table.scrollToTop()
    shown.add(numbered(500, 600))
    assert not shown.is_at_end()
    QTest.keyClick(shown.follow, Qt.Key.Key_Space)
    assert shown.is_at_end()


def test_level_source_and_words_choose(qtbot: QtBot, shown: Shown) -> None:
    shown.add(numbered(0, 40))
    QTest.keyClick(shown.level, Qt.Key.Key_End)
    assert shown.texts() == [f"line {n}" for n in range(3, 40, 4)]
    QTest.keyClick(shown.level, Qt.Key.Key_Home)
    QTest.keyClick(shown.source, Qt.Key.Key_Down)
    assert shown.source.currentText() == "component.sma"
    QTest.keyClicks(shown.search, "3 LINE")
    assert shown.texts() == ["line 3", "line 13", "line 23", *(f"line {n}" for n in range(31, 40, 2))]
    QTest.keyClick(shown.search, Qt.Key.Key_Escape)
    assert len(shown.texts()) == 20


def test_a_source_that_is_chosen_stays_chosen_when_others_come(qtbot: QtBot, shown: Shown) -> None:
    shown.add(numbered(0, 4))
    QTest.keyClick(shown.source, Qt.Key.Key_End)
    chosen = shown.source.currentText()
    shown.add([LogLine(START, logging.ERROR, "aaa", "another")])
    assert shown.source.currentText() == chosen
    assert "another" not in shown.texts()


def test_rows_that_are_selected_are_copied_else_all(qtbot: QtBot, shown: Shown) -> None:
    shown.add(numbered(0, 3))
    QTest.mouseClick(button(shown, "copyLogButton"), Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text().splitlines() == [
        "2024-01-09 04:30:00.000 note    job: line 0",
        "2024-01-09 04:30:00.001 note    component.sma: line 1",
        "2024-01-09 04:30:00.002 warning job: line 2",
    ]
    shown.table.setFocus()
    shown.table.selectRow(1)
    QTest.keyClick(shown.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "2024-01-09 04:30:00.001 note    component.sma: line 1"


def test_clear_empties_it_and_new_lines_come(qtbot: QtBot, shown: Shown) -> None:
    shown.add(numbered(0, 30))
    QTest.mouseClick(button(shown, "clearLogButton"), Qt.MouseButton.LeftButton)
    assert shown.texts() == []
    shown.add(numbered(30, 31))
    assert shown.texts() == ["line 30"]


def test_the_zone_is_stated_and_followed(shown: Shown) -> None:
    shown.add(numbered(0, 1))
    model: QAbstractItemModel = shown.table.model()
    assert model.headerData(0, Qt.Orientation.Horizontal) == "Time (UTC)"
    shown.zone.set(Zone.NEW_YORK)
    assert model.headerData(0, Qt.Orientation.Horizontal) == "Time (New York)"
    assert model.index(0, 0).data() == "23:30:00.000"


def test_only_rows_in_view_are_asked_for(qtbot: QtBot, shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: set[int] = set()
    real = LogTable._cell

    def cell(self: LogTable, line: LogLine, column: int) -> str:
        asked.add(line.at)
        return real(self, line, column)

    monkeypatch.setattr(LogTable, "_cell", cell)
    shown.add(numbered(0, 20_000))
    qtbot.wait(30)
    assert 0 < len(asked) < 200


def test_everything_has_a_name(shown: Shown) -> None:
    for widget in (shown.level, shown.source, shown.search, shown.table, button(shown, "copyLogButton"), button(shown, "clearLogButton")):
        assert widget.objectName()
        assert widget.accessibleName()


def test_an_empty_log_says_what_will_be_there(shown: Shown) -> None:
    assert not shown.table.isVisible()
    shown.add(numbered(0, 4))
    assert shown.table.isVisible()
    shown.search.setText("no such words")
    assert not shown.table.isVisible()
    shown.search.clear()
    assert shown.table.isVisible()
