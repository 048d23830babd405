"""The settings, beside the work: whatever is chosen is in force at once, and the file is somebody else's."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QFormLayout, QLabel, QPushButton, QTabWidget, QVBoxLayout, QWidget

from sptrader_desktop.present.appearance import SETTINGS, Setting
from sptrader_desktop.present.preferences import Preferences
from sptrader_desktop.ui.action_set import ActionSet
from sptrader_desktop.ui.shortcut_page import ShortcutPage
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.roles import give
from sptrader_desktop.ui.theme.tokens import GRID
from sptrader_desktop.ui.widgets.choice_box import ChoiceBox


class SettingsDialog(QDialog):
    """`read` gives the preferences as they are; `write` takes the changed ones, puts them in force and keeps them."""

    def __init__(
        self, read: Callable[[], Preferences], write: Callable[[Preferences], object], actions: ActionSet, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._read, self._write, self._actions = read, write, actions
        self.setObjectName("settingsDialog")
        self.setWindowTitle("Settings")
        self.setModal(False)
        self.boxes: dict[str, QComboBox] = {}
        self.tabs = QTabWidget()
        self.tabs.setObjectName("settingsTabs")
        self.tabs.addTab(self._appearance(), "Appearance")
        self.keyboard = ShortcutPage(actions)
        self.tabs.addTab(self.keyboard, "Keyboard")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID * 3, GRID * 3, GRID * 3, GRID * 3)
        column.setSpacing(GRID * 3)
        column.addWidget(self.tabs)
        column.addWidget(buttons)
        self.resize(look().pixels(GRID * 160), look().pixels(GRID * 140))
        actions.shortcutsChanged.connect(self._keep_keys)
        self.show_preferences()

    def show_preferences(self) -> None:
        """As they are now: somebody else may have changed them."""
        now = self._read()
        for setting in SETTINGS:
            box, value = self.boxes[setting.field], getattr(now, setting.field)
            values = [choice for choice, _ in setting.choices]
            was_blocked = box.blockSignals(True)
            box.setCurrentIndex(values.index(value) if value in values else -1)
            box.blockSignals(was_blocked)

    def show_keyboard(self, action: str = "") -> None:
        self.tabs.setCurrentWidget(self.keyboard)
        if action:
            self.keyboard.list.choose(action)

    def _appearance(self) -> QWidget:
        page = QWidget()
        form = QFormLayout(page)
        form.setContentsMargins(GRID * 3, GRID * 4, GRID * 3, GRID * 3)
        form.setHorizontalSpacing(GRID * 6)
        form.setVerticalSpacing(GRID)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for setting in SETTINGS:
            box, tip = self._box(setting), QLabel(setting.tip)
            give(tip, role="small")
            tip.setWordWrap(True)
            tip.setAlignment(Qt.AlignmentFlag.AlignTop)
            form.addRow(setting.name, box)
            form.addRow("", tip)
        defaults = QPushButton("Restore Defaults")
        defaults.setObjectName("restoreAppearanceButton")
        defaults.setAccessibleName("Restore the defaults of appearance")
        defaults.setAutoDefault(False)
        defaults.clicked.connect(self._restore)
        form.addRow("", defaults)
        form.setAlignment(defaults, Qt.AlignmentFlag.AlignLeft)
        return page

    def _box(self, setting: Setting) -> QComboBox:
        box = ChoiceBox()
        box.setObjectName(f"{setting.field}Box")
        box.setAccessibleName(setting.name)
        box.setAccessibleDescription(setting.tip)
        for _, words in setting.choices:
            box.addItem(words)
        box.currentIndexChanged.connect(lambda place: self._change({setting.field: setting.choices[place][0]}))
        self.boxes[setting.field] = box
        return box

    def _change(self, values: dict[str, Any]) -> None:
        self._write(replace(self._read(), **values))

    def _restore(self) -> None:
        own = Preferences()
        self._change({setting.field: getattr(own, setting.field) for setting in SETTINGS})
        self.show_preferences()

    def _keep_keys(self) -> None:
        self._change({"shortcuts": self._actions.shortcuts()})
