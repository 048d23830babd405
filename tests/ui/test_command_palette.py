"""The command palette by keyboard: what is typed is found, what is chosen is done, and the focus goes back where it was."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QMainWindow
from pytestqt.qtbot import QtBot

from sptrader_desktop.present.actions import Action, Menu, Scope
from sptrader_desktop.ui.action_set import ActionSet
from sptrader_desktop.ui.command_palette import CommandPalette
from sptrader_desktop.ui.entry_list import ENTRY, Entry, Found

ROWS = (
    Action("run.backtest", "Run Backtest", Menu.RUN, "play", ("F5",), needs="strategy"),
    Action("run.sweep", "Run Sweep", Menu.RUN, keys=("F6",)),
    Action("file.open", "Open Strategy…", Menu.FILE, "folder-open", ("Ctrl+O",)),
    Action("chart.zoom_in", "Zoom In", Menu.CHART, keys=("+",), scope=Scope.CHART),
)


class Window(QMainWindow):
    def __init__(self, qtbot: QtBot) -> None:
        super().__init__()
        self.done: list[str] = []
        self.field = QLineEdit()
        self.setCentralWidget(self.field)
        self.resize(900, 600)
        actions = ActionSet(self, ROWS)
        for row in ROWS:
            actions.bind(row.id, lambda name=row.id: self.done.append(name))
        self.actions_ = actions
        self.palette_ = CommandPalette(self, actions, ("file.open",))
        self.palette_.add_provider(lambda: [Entry("symbol:EURUSD", "EURUSD", lambda: self.done.append("EURUSD"), "Symbol")])
        qtbot.addWidget(self)
        self.show()
        self.activateWindow()
        self.field.setFocus()
        qtbot.waitUntil(self.field.hasFocus)

    def listed(self) -> list[Found]:
        model = self.palette_.list.model()
        return [model.index(row, 0).data(ENTRY) for row in range(model.rowCount())]

    def names(self) -> list[str]:
        return [found.entry.text for found in self.listed()]


@pytest.fixture
def window(qtbot: QtBot) -> Window:
    return Window(qtbot)


def test_a_few_letters_and_enter_do_the_command_and_give_the_focus_back(qtbot: QtBot, window: Window) -> None:
    palette = window.palette_
    palette.open()
    qtbot.waitUntil(palette.field.hasFocus)
    QTest.keyClicks(palette.field, "zo in")
    assert window.names() == ["Zoom In"]
    with qtbot.waitSignal(palette.recentChanged) as recent:
        QTest.keyClick(palette.field, Qt.Key.Key_Return)
    assert window.done == ["chart.zoom_in"]
    assert recent.args == [("chart.zoom_in", "file.open")]
    assert palette.isHidden()
    qtbot.waitUntil(window.field.hasFocus)


def test_what_was_done_last_comes_first_and_what_cannot_be_done_last_with_its_reason(window: Window) -> None:
    window.palette_.open()
    assert window.names() == ["Open Strategy…", "Run Sweep", "Zoom In", "EURUSD", "Run Backtest"]
    last = window.listed()[-1].entry
    assert last.reason == "needs a strategy"
    QTest.keyClicks(window.palette_.field, "backtest")
    QTest.keyClick(window.palette_.field, Qt.Key.Key_Return)
    assert window.done == []
    assert window.palette_.isVisible()
    window.actions_.set_state("strategy", True)
    window.palette_.open()
    QTest.keyClicks(window.palette_.field, "run")
    assert window.names() == ["Run Sweep", "Run Backtest"]
    assert [found.places for found in window.listed()] == [(0, 1, 2)] * 2


def test_arrows_choose_and_escape_leaves_all_as_it_was(qtbot: QtBot, window: Window) -> None:
    palette = window.palette_
    palette.open()
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Up):
        QTest.keyClick(palette.field, key)
    assert palette.list.currentIndex().row() == 2
    QTest.keyClick(palette.field, Qt.Key.Key_Escape)
    assert palette.isHidden()
    assert window.done == []
    qtbot.waitUntil(window.field.hasFocus)


def test_files_and_symbols_are_found_as_commands_are(window: Window) -> None:
    window.palette_.open()
    QTest.keyClicks(window.palette_.field, "symbol")
    assert window.names() == ["EURUSD"], "what it is counts too, after what it is called"
    window.palette_.list.clicked.emit(window.palette_.list.currentIndex())
    assert window.done == ["EURUSD"]


def test_nothing_found_is_said(window: Window) -> None:
    window.palette_.open()
    QTest.keyClicks(window.palette_.field, "zzz")
    assert window.names() == []
    QTest.keyClick(window.palette_.field, Qt.Key.Key_Return)
    assert window.palette_.isVisible()


def test_it_goes_when_the_focus_goes_and_stays_within_a_small_window(qtbot: QtBot, window: Window) -> None:
    window.palette_.open()
    window.resize(300, 260)
    qtbot.waitUntil(lambda: window.rect().contains(window.palette_.geometry()))
    window.field.setFocus()
    qtbot.waitUntil(window.palette_.isHidden)


def test_each_line_tells_a_screen_reader_what_it_shows(window: Window) -> None:
    window.palette_.open()
    said = [window.palette_.list.model().index(row, 0).data(Qt.ItemDataRole.AccessibleTextRole) for row in (0, 4)]
    assert said == ["Open Strategy…, File, Ctrl+O", "Run Backtest, Run, F5, needs a strategy"]
