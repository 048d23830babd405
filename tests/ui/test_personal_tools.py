"""Preferences in force: look, clock and keys follow them, whether they are changed in the settings, by the palette or elsewhere."""

from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QLineEdit, QMainWindow
from pytestqt.qtbot import QtBot

from sptrader_desktop.present.actions import BY_ID
from sptrader_desktop.present.observable import Observable
from sptrader_desktop.present.preferences import Preferences
from sptrader_desktop.present.selection import Zone
from sptrader_desktop.ui.action_set import ActionSet
from sptrader_desktop.ui.cheat_sheet import CheatSheet
from sptrader_desktop.ui.personal_tools import PersonalTools, follow
from sptrader_desktop.ui.settings_dialog import SettingsDialog
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.theme import Theme

CTRL = Qt.KeyboardModifier.ControlModifier


class Window(QMainWindow):
    def __init__(self, qtbot: QtBot, preferences: Preferences) -> None:
        super().__init__()
        qtbot.addWidget(self)
        self.preferences = Observable(preferences)
        self.zone = Observable(Zone.UTC)
        self.tools = PersonalTools(self, self.preferences)
        handlers = self.tools.handlers()
        self.actions_ = ActionSet(self, [BY_ID[name] for name in handlers])
        for name, handler in handlers.items():
            self.actions_.bind(name, handler)
        self.found = self.tools.join(self.actions_)
        self.setCentralWidget(QLineEdit())
        self.resize(800, 600)
        self.show()
        self.activateWindow()
        qtbot.waitUntil(self.isActiveWindow)


def test_look_and_clock_are_put_on_at_the_start_and_follow_every_change(qtbot: QtBot, theme: Theme) -> None:
    window = Window(qtbot, Preferences(theme="dark", zone=Zone.NEW_YORK))
    follow(window.preferences, theme, window.zone)
    assert look().is_dark
    assert window.zone.value is Zone.NEW_YORK
    window.preferences.set(replace(window.preferences.value, theme="light", scale=150))
    assert (look().is_dark, look().scale) == (False, 1.5)
    window.zone.set(Zone.LOCAL)
    assert window.preferences.value == Preferences(theme="light", scale=150, zone=Zone.LOCAL)


def test_every_setting_is_a_few_letters_away(qtbot: QtBot) -> None:
    window = Window(qtbot, Preferences())
    QTest.keyClick(window, Qt.Key.Key_K, CTRL)
    qtbot.waitUntil(window.found.field.hasFocus)
    QTest.keyClicks(window.found.field, "theme dark")
    QTest.keyClick(window.found.field, Qt.Key.Key_Return)
    assert window.preferences.value.theme == "dark"
    QTest.keyClick(window, Qt.Key.Key_K, CTRL)
    QTest.keyClicks(window.found.field, "new york")
    QTest.keyClick(window.found.field, Qt.Key.Key_Return)
    assert window.preferences.value.zone is Zone.NEW_YORK


def test_settings_and_cheat_sheet_open_by_key_once_and_show_what_is_in_force(qtbot: QtBot) -> None:
    window = Window(qtbot, Preferences(scale=125))
    assert window.findChildren(SettingsDialog) == [], "made when it is asked for"
    QTest.keyClick(window, Qt.Key.Key_Comma, CTRL)
    QTest.keyClick(window, Qt.Key.Key_Comma, CTRL)
    (settings,) = window.findChildren(SettingsDialog)
    size = settings.findChild(QComboBox, "scaleBox")
    assert size is not None
    assert size.currentText() == "125 %"
    settings.close()
    window.preferences.set(replace(window.preferences.value, scale=200))
    window.tools.open_cheat_sheet()
    (sheet,) = window.findChildren(CheatSheet)
    assert sheet.isVisible()
    sheet.list.choose("app.palette")
    sheet.changeAsked.emit(sheet.list.current())
    assert settings.isVisible()
    assert settings.keyboard.list.current() == "app.palette"
    assert size.currentText() == "200 %"


def test_keys_of_ones_own_are_heard_from_the_start_and_kept_when_changed(qtbot: QtBot) -> None:
    window = Window(qtbot, Preferences(shortcuts={"app.palette": ("F8",)}))
    QTest.keyClick(window, Qt.Key.Key_F8)
    assert window.found.isVisible()
    window.tools.open_settings("app.palette")
    (settings,) = window.findChildren(SettingsDialog)
    QTest.mouseClick(settings.keyboard.own_button, Qt.MouseButton.LeftButton)
    assert window.actions_.keys("app.palette") == ("Ctrl+K",)
    assert window.preferences.value.shortcuts == {}
