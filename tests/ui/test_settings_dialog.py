"""Settings and cheat sheet: what is chosen is in force at once, and keys that mean something else are named before they are taken."""

from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QKeySequenceEdit, QLineEdit, QMainWindow, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from sptrader_desktop.present.actions import ACTIONS, Action, Menu, Scope
from sptrader_desktop.present.appearance import SCALES, SETTINGS
from sptrader_desktop.present.preferences import Preferences
from sptrader_desktop.present.selection import Zone
from sptrader_desktop.ui.action_set import ActionSet
from sptrader_desktop.ui.cheat_sheet import CheatSheet
from sptrader_desktop.ui.settings_dialog import SettingsDialog
from sptrader_desktop.ui.shortcut_list import ShortcutList

LEFT = Qt.MouseButton.LeftButton
ROWS = (
    Action("run.backtest", "Run Backtest", Menu.RUN, "play", ("F5",)),
    Action("file.open", "Open Strategy…", Menu.FILE, keys=("Ctrl+O",)),
    Action("chart.zoom_in", "Zoom In", Menu.CHART, keys=("+",), scope=Scope.CHART),
    Action("view.lock", "Lock Layout", Menu.VIEW),
)


class Kept:
    """Preferences as a window would keep them, and its actions."""

    def __init__(self, qtbot: QtBot) -> None:
        self.now = Preferences(strategy="mine.yaml", shortcuts={"later.command": ("F9",)})
        self.window = QMainWindow()
        qtbot.addWidget(self.window)
        self.actions = ActionSet(self.window, ROWS, self.now.shortcuts)
        self.dialog = SettingsDialog(lambda: self.now, self.keep, self.actions, self.window)
        qtbot.addWidget(self.dialog)
        self.dialog.show()
        self.dialog.activateWindow()

    def keep(self, preferences: Preferences) -> None:
        self.now = preferences


def button(dialog: QWidget, name: str) -> QPushButton:
    found = dialog.findChild(QPushButton, name)
    assert found is not None
    return found


@pytest.fixture
def kept(qtbot: QtBot) -> Kept:
    return Kept(qtbot)


def test_each_choice_is_taken_at_once_and_nothing_else_changes(kept: Kept) -> None:
    for setting in SETTINGS:
        box = kept.dialog.findChild(QComboBox, f"{setting.field}Box")
        assert box is not None
        before = kept.now
        box.setFocus()
        QTest.keyClick(box, Qt.Key.Key_Down)
        changed: dict[str, Any] = {setting.field: setting.choices[1][0]}
        assert kept.now == replace(before, **changed)
    assert (kept.now.theme, kept.now.palette, kept.now.up_colour, kept.now.scale, kept.now.zone) == (
        "light",
        "colour_blind",
        "red",
        125,
        Zone.LOCAL,
    )
    QTest.mouseClick(button(kept.dialog, "restoreAppearanceButton"), LEFT)
    assert kept.now == Preferences(strategy="mine.yaml", shortcuts={"later.command": ("F9",)})
    assert {box.currentIndex() for box in kept.dialog.boxes.values()} == {0}


def test_every_default_is_one_of_the_choices_and_every_size_too() -> None:
    own = Preferences()
    for setting in SETTINGS:
        assert setting.choices[0][0] == getattr(own, setting.field)
    assert SCALES[0] == 100
    assert SCALES[-1] == 200


def press(kept: Kept, action: str, key: Qt.Key, held: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> str:
    """What the page says after these keys were pressed for that command."""
    kept.dialog.show_keyboard(action)
    page = kept.dialog.keyboard
    page.edit.setFocus()
    inner = page.edit.findChild(QLineEdit)
    QTest.keyClick(inner or page.edit, key, held)
    return page.message.text()


def test_new_keys_are_heard_shown_and_kept(kept: Kept) -> None:
    said = press(kept, "view.lock", Qt.Key.Key_F8)
    assert said == "Press the new keys, then Set."
    page = kept.dialog.keyboard
    QTest.mouseClick(page.set_button, LEFT)
    assert kept.actions.keys("view.lock") == ("F8",)
    assert kept.now.shortcuts == {"view.lock": ("F8",), "later.command": ("F9",)}
    assert page.message.text() == "'Lock Layout' is F8 from now on."
    QTest.mouseClick(page.remove_button, LEFT)
    assert kept.actions.keys("view.lock") == ()
    QTest.mouseClick(page.all_button, LEFT)
    assert kept.now.shortcuts == {"later.command": ("F9",)}


def test_keys_that_mean_something_else_are_named_and_taken_only_when_asked(kept: Kept) -> None:
    said = press(kept, "view.lock", Qt.Key.Key_F5)
    assert said == "F5 is 'Run Backtest' now. Take Over takes the keys from it; or press others."
    page = kept.dialog.keyboard
    assert page.set_button.text() == "Take Over"
    assert kept.actions.keys("run.backtest") == ("F5",)
    QTest.mouseClick(page.set_button, LEFT)
    assert (kept.actions.keys("view.lock"), kept.actions.keys("run.backtest")) == (("F5",), ())
    assert kept.actions.conflicts() == []
    page.list.choose("run.backtest")
    QTest.mouseClick(page.own_button, LEFT)
    assert page.message.text() == "F5 means both 'Run Backtest' and 'Lock Layout'; give one of them other keys"


def test_without_a_command_nothing_can_be_set(kept: Kept) -> None:
    page = kept.dialog.keyboard
    assert [part.isEnabled() for part in (page.edit, page.set_button, page.remove_button, page.own_button)] == [False] * 4
    press(kept, "view.lock", Qt.Key.Key_F8)
    page.list.tree.setCurrentIndex(page.list.tree.model().index(0, 0))
    assert not page.set_button.isEnabled()
    assert isinstance(page.edit, QKeySequenceEdit)


def listed(found: ShortcutList) -> list[tuple[str, str]]:
    tree, model = found.tree, found.tree.model()
    rows = []
    index = model.index(0, 0)
    while index.isValid():
        if not tree.isRowHidden(index.row(), index.parent()):
            rows.append((index.data(), index.siblingAtColumn(1).data() or ""))
        index = tree.indexBelow(index)
    return rows


def test_the_cheat_sheet_lists_all_by_menu_finds_by_name_and_by_key_and_follows_changes(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    actions = ActionSet(window, ROWS)
    sheet = CheatSheet(actions, window)
    qtbot.addWidget(sheet)
    sheet.show()
    assert listed(sheet.list)[:4] == [("Run", ""), ("Run Backtest", "F5"), ("File", ""), ("Open Strategy…", "Ctrl+O")]
    QTest.keyClicks(sheet.list.field, "ctrl+o")
    assert listed(sheet.list) == [("File", ""), ("Open Strategy…", "Ctrl+O")]
    actions.set_keys("file.open", ("F4",))
    assert listed(sheet.list) == []
    sheet.list.field.clear()
    assert ("Open Strategy…", "F4") in listed(sheet.list)
    with qtbot.waitSignal(sheet.changeAsked):
        QTest.mouseClick(button(sheet, "changeKeysButton"), LEFT)


def test_every_command_of_the_program_has_its_line(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    found = ShortcutList(ActionSet(window, ACTIONS))
    qtbot.addWidget(found)
    assert {row.text for row in ACTIONS} <= {text for text, _ in listed(found)}


def test_every_part_that_can_be_used_has_a_name_for_tests_and_for_screen_readers(kept: Kept) -> None:
    parts = [*kept.dialog.boxes.values(), *kept.dialog.keyboard.findChildren(QPushButton), kept.dialog.keyboard.edit]
    assert [part for part in parts if not part.objectName() or not part.accessibleName()] == []
