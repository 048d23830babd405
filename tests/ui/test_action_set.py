"""The table of actions as menus and keys: who hears what where, and nobody in anybody's way."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QMainWindow, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from sptrader_desktop.present.actions import ACTIONS, Action, Menu, Scope
from sptrader_desktop.ui.action_set import ActionSet, UnboundActionError

ROWS = (
    Action("file.open", "Open…", Menu.FILE, "folder-open", ("StandardKey.Open",), tip="Open a strategy"),
    Action("file.save", "Save", Menu.FILE, "save", ("StandardKey.Save",), needs="strategy"),
    Action("file.export", "Export…", Menu.FILE, starts_group=True),
    Action("app.quit", "Quit", Menu.FILE, keys=("Ctrl+Q",)),
    Action("view.lock", "Lock Layout", Menu.VIEW, is_checkable=True),
    Action("chart.zoom_in", "Zoom In", Menu.CHART, "zoom-in", ("+", "Ctrl+Up"), scope=Scope.CHART),
    Action("table.copy", "Copy Rows", None, keys=("+",), scope=Scope.TABLE),
)


class Window(QMainWindow):
    """A chart and a table, each with something that takes the focus, and one set of actions."""

    def __init__(self, qtbot: QtBot, shortcuts: dict[str, tuple[str, ...]] | None = None) -> None:
        super().__init__()
        self.done: list[object] = []
        self.chart, self.table = QWidget(), QWidget()
        self.fields = [QLineEdit(self.chart), QLineEdit(self.table)]
        body = QWidget()
        column = QVBoxLayout(body)
        column.addWidget(self.chart)
        column.addWidget(self.table)
        self.setCentralWidget(body)
        self.actions_ = ActionSet(self, ROWS, shortcuts)
        for row in ROWS:
            self.actions_.bind(row.id, self.done.append if row.is_checkable else lambda name=row.id: self.done.append(name))
        self.actions_.require_all()
        self.actions_.add_pane(Scope.CHART, self.chart)
        self.actions_.add_pane(Scope.TABLE, self.table)
        self.menus = self.actions_.fill_menu_bar(self.menuBar())
        qtbot.addWidget(self)
        self.show()
        self.activateWindow()
        qtbot.waitUntil(self.isActiveWindow)

    def press(self, key: Qt.Key, held: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> list[object]:
        self.done.clear()
        QTest.keyClick(QApplication.focusWidget() or self, key, held)
        return list(self.done)


def test_keys_of_a_pane_are_heard_where_it_has_the_focus_and_nowhere_else(qtbot: QtBot) -> None:
    window = Window(qtbot)
    up, ctrl = Qt.Key.Key_Up, Qt.KeyboardModifier.ControlModifier
    heard = {}
    for name, field in zip(("chart", "table"), window.fields, strict=True):
        field.setReadOnly(True)
        field.setFocus()
        heard[name] = (window.press(up, ctrl), window.press(Qt.Key.Key_Plus), window.press(Qt.Key.Key_Q, ctrl))
    assert heard == {"chart": (["chart.zoom_in"], ["chart.zoom_in"], ["app.quit"]), "table": ([], ["table.copy"], ["app.quit"])}


def test_letters_that_are_shortcuts_are_still_typed_into_fields(qtbot: QtBot) -> None:
    window = Window(qtbot)
    window.fields[0].setFocus()
    assert window.press(Qt.Key.Key_Plus) == []
    assert window.fields[0].text() == "+"


def test_what_a_command_needs_is_there_or_it_is_greyed(qtbot: QtBot) -> None:
    window = Window(qtbot)
    save = window.actions_.action("file.save")
    ctrl = Qt.KeyboardModifier.ControlModifier
    assert not save.isEnabled()
    assert window.press(Qt.Key.Key_S, ctrl) == []
    window.actions_.set_state("strategy", True)
    assert window.press(Qt.Key.Key_S, ctrl) == ["file.save"]
    window.actions_.set_state("strategy", False)
    assert not save.isEnabled()


def test_menus_are_the_table_in_its_order(qtbot: QtBot) -> None:
    window = Window(qtbot)
    assert list(window.menus) == [Menu.FILE, Menu.VIEW, Menu.CHART]
    assert [action.text() for action in window.menus[Menu.FILE].actions()] == ["Open…", "Save", "", "Export…", "", "Quit"]
    window.menus[Menu.VIEW].actions()[0].trigger()
    window.menus[Menu.FILE].actions()[0].trigger()
    assert window.done == [True, "file.open"]
    assert window.actions_.action("file.open").toolTip() == "Open… (Ctrl+O)\nOpen a strategy"


def test_a_row_that_does_nothing_fails_the_start(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    actions = ActionSet(window, ROWS)
    for row in ROWS[1:]:
        actions.bind(row.id, print)
    with pytest.raises(UnboundActionError, match=r"no handler is bound to file\.open:"):
        actions.require_all()
    with pytest.raises(ValueError, match="bound already"):
        actions.bind("file.save", print)


# Keys of one's own


def test_keys_that_mean_something_already_are_refused_and_the_other_is_named(qtbot: QtBot) -> None:
    actions = Window(qtbot).actions_
    conflict = actions.set_keys("chart.zoom_in", ("Ctrl+Q",))
    assert conflict is not None
    assert conflict.sentence() == "Ctrl+Q means both 'Quit' and 'Zoom In' in the chart; give one of them other keys"
    assert actions.keys("chart.zoom_in") == ("+", "Ctrl+Up")
    assert actions.set_keys("table.copy", ("Ctrl+Up",)) is None, "a table and a chart never have the focus both"


def test_changed_keys_are_heard_kept_and_taken_back(qtbot: QtBot) -> None:
    window = Window(qtbot, {"app.quit": (), "later.command": ("F9",)})
    ctrl = Qt.KeyboardModifier.ControlModifier
    assert window.press(Qt.Key.Key_Q, ctrl) == []
    with qtbot.waitSignal(window.actions_.shortcutsChanged):
        window.actions_.set_keys("app.quit", ("F7", "f7"))
    assert window.press(Qt.Key.Key_F7) == ["app.quit"]
    assert window.actions_.shortcuts() == {"app.quit": ("F7",), "later.command": ("F9",)}
    window.actions_.set_keys("app.quit", ("Ctrl+Q",))
    assert window.actions_.shortcuts() == {"later.command": ("F9",)}
    window.actions_.set_keys("file.open", ())
    window.actions_.reset_keys()
    assert window.actions_.shortcuts() == {"later.command": ("F9",)}
    assert window.press(Qt.Key.Key_O, ctrl) == ["file.open"]


def test_no_two_commands_of_the_program_hear_the_same_keys(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    assert [conflict.sentence() for conflict in ActionSet(window, ACTIONS).conflicts()] == []
    twice = (*ROWS, Action("view.open", "Open Twice", Menu.VIEW, keys=("Ctrl+O",)))
    assert [conflict.keys for conflict in ActionSet(window, twice).conflicts()] == ["Ctrl+O"]


def test_every_key_of_the_table_is_one_that_qt_knows() -> None:
    written = {key for action in ACTIONS for key in action.keys if not key.startswith("StandardKey.")}
    assert {key for key in written if QKeySequence(key, QKeySequence.SequenceFormat.PortableText).toString() != key} == set()
    named = {key.removeprefix("StandardKey.") for action in ACTIONS for key in action.keys if key.startswith("StandardKey.")}
    assert named - set(QKeySequence.StandardKey.__members__) == set()
