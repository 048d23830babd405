"""What makes a window one's own: look, clock and keys follow the preferences; palette, settings and cheat sheet reach them."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QDialog, QWidget

from sptrader_desktop.present.appearance import SETTINGS
from sptrader_desktop.present.observable import Observable
from sptrader_desktop.present.preferences import Preferences
from sptrader_desktop.present.selection import Zone
from sptrader_desktop.ui.action_set import ActionSet
from sptrader_desktop.ui.cheat_sheet import CheatSheet
from sptrader_desktop.ui.command_palette import CommandPalette
from sptrader_desktop.ui.entry_list import Entry
from sptrader_desktop.ui.settings_dialog import SettingsDialog
from sptrader_desktop.ui.theme.theme import Theme


def follow(preferences: Observable[Preferences], theme: Theme, zone: Observable[Zone]) -> None:
    """Puts look and clock on now and at every change. The zone may be changed elsewhere too: then the preferences hear of it."""

    def put_on(wanted: Preferences) -> None:
        theme.wear(wanted.theme, wanted.palette, wanted.up_colour, wanted.scale)
        zone.set(wanted.zone)

    put_on(preferences.value)
    endings = (preferences.watch(put_on), zone.watch(lambda chosen: preferences.set(replace(preferences.value, zone=chosen))))
    theme.destroyed.connect(lambda: [end() for end in endings])


class PersonalTools(QObject):
    """Bind `handlers()`, then `join` the actions they became part of. Dialogs are made when they are first asked for."""

    def __init__(self, window: QWidget, preferences: Observable[Preferences]) -> None:
        super().__init__(window)
        self._window, self._preferences = window, preferences
        self._actions: ActionSet | None = None
        self._palette: CommandPalette | None = None
        self._settings: SettingsDialog | None = None
        self._cheat_sheet: CheatSheet | None = None

    def handlers(self) -> dict[str, Callable[[], object]]:
        return {"app.palette": self.open_palette, "app.settings": self.open_settings, "help.keys": self.open_cheat_sheet}

    def join(self, actions: ActionSet) -> CommandPalette:
        """The palette, to which others may add what they have."""
        self._actions = actions
        actions.take_shortcuts(self._preferences.value.shortcuts)
        self._palette = CommandPalette(self._window, actions, self._preferences.value.done)
        self._palette.recentChanged.connect(lambda done: self._change({"done": done}))
        self._palette.add_provider(self._choices)
        return self._palette

    def open_palette(self) -> None:
        if self._palette is not None:
            self._palette.open()

    def open_settings(self, action: str = "") -> None:
        """With an action's id: where its keys are changed."""
        if self._settings is None and self._actions is not None:
            self._settings = SettingsDialog(lambda: self._preferences.value, self._preferences.set, self._actions, self._window)
        if self._settings is not None:
            self._settings.show_preferences()
            bring(self._settings)
            if action:
                self._settings.show_keyboard(action)

    def open_cheat_sheet(self) -> None:
        if self._cheat_sheet is None and self._actions is not None:
            self._cheat_sheet = CheatSheet(self._actions, self._window)
            self._cheat_sheet.changeAsked.connect(self.open_settings)
        if self._cheat_sheet is not None:
            bring(self._cheat_sheet)

    def _choices(self) -> Iterable[Entry]:
        """`Theme: Dark` and the like, which spare the way through the settings."""
        for setting in SETTINGS:
            for value, words in setting.choices:
                key = f"setting.{setting.field}.{words}"
                yield Entry(key, f"{setting.name}: {words}", partial(self._change, {setting.field: value}), "Setting", icon="settings")

    def _change(self, values: dict[str, Any]) -> None:
        self._preferences.set(replace(self._preferences.value, **values))


def bring(dialog: QDialog) -> None:
    dialog.show()
    dialog.raise_()
    dialog.activateWindow()
