"""Where keys are changed: choose a command, press the keys, and hear at once if they mean something else already."""

from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QKeySequenceEdit, QLabel, QPushButton, QVBoxLayout, QWidget

from sptrader_desktop.present.shortcuts import Conflict
from sptrader_desktop.ui.action_set import ActionSet
from sptrader_desktop.ui.key_names import portable
from sptrader_desktop.ui.shortcut_list import ShortcutList
from sptrader_desktop.ui.theme.roles import Tone, give
from sptrader_desktop.ui.theme.tokens import GRID

ASK = "Choose a command, then press its new keys here."


class ShortcutPage(QWidget):
    """What is changed is changed in the `ActionSet` at once, which tells whoever keeps it."""

    def __init__(self, actions: ActionSet, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._actions = actions
        self.list = ShortcutList(actions)
        self.edit = QKeySequenceEdit()
        self.edit.setObjectName("newKeysEdit")
        self.edit.setAccessibleName("New keys")
        self.edit.setMaximumSequenceLength(1)
        self.edit.setClearButtonEnabled(True)
        self.set_button = self._button("Set", "setKeysButton", self._set)
        self.remove_button = self._button("Remove", "removeKeysButton", self._remove)
        self.own_button = self._button("Default", "defaultKeysButton", self._default)
        self.all_button = self._button("All to Default", "resetAllKeysButton", self._reset_all)
        self.message = QLabel()
        self.message.setWordWrap(True)
        line = QHBoxLayout()
        line.setSpacing(GRID * 2)
        line.addWidget(self.edit, 1)
        for button in (self.set_button, self.remove_button, self.own_button, self.all_button):
            line.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID * 3, GRID * 3, GRID * 3, GRID * 3)
        column.setSpacing(GRID * 2)
        column.addWidget(self.list, 1)
        column.addLayout(line)
        column.addWidget(self.message)
        self.list.chosen.connect(self._choose)
        self.edit.keySequenceChanged.connect(self._judge)
        self._choose("")

    def _button(self, text: str, name: str, handler: object) -> QPushButton:
        button = QPushButton(text)
        button.setObjectName(name)
        button.setAccessibleName(f"{text}: keys")
        button.setAutoDefault(False)
        button.clicked.connect(handler)
        return button

    def _choose(self, name: str) -> None:
        """Show the keys that the command has."""
        for part in (self.edit, self.remove_button, self.own_button):
            part.setEnabled(bool(name))
        keys = self._actions.action(name).shortcuts() if name else []
        self.edit.setKeySequence(keys[0] if keys else QKeySequence())
        self._judge()

    def _conflict(self) -> Conflict | None:
        name, keys = self.list.current(), portable(self.edit.keySequence())
        return self._actions.conflict_of(name, (keys,)) if name and keys else None

    def _judge(self) -> None:
        name, keys, conflict = self.list.current(), portable(self.edit.keySequence()), self._conflict()
        self.set_button.setEnabled(bool(name and keys) and self._actions.keys(name) != (keys,))
        self.set_button.setText("Take Over" if conflict else "Set")
        if conflict:
            other = conflict.first if conflict.second.id == name else conflict.second
            self._say(f"{conflict.keys} is '{other.text}' now. Take Over takes the keys from it; or press others.", "warning")
        else:
            self._say("Press the new keys, then Set." if name else ASK)

    def _set(self) -> None:
        name, keys = self.list.current(), portable(self.edit.keySequence())
        while conflict := self._conflict():
            other = conflict.first if conflict.second.id == name else conflict.second
            self._actions.set_keys(other.id, tuple(key for key in self._actions.keys(other.id) if key != keys))
        self._actions.set_keys(name, (keys,))
        self._judge()
        self._say(f"'{self._actions.rows[name].text}' is {keys} from now on.", "up")

    def _remove(self) -> None:
        self._actions.set_keys(self.list.current(), ())
        self._choose(self.list.current())

    def _default(self) -> None:
        name = self.list.current()
        conflict = self._actions.set_keys(name, self._actions.own_keys(name))
        self._choose(name)
        if conflict:
            self._say(conflict.sentence(), "warning")

    def _reset_all(self) -> None:
        self._actions.reset_keys()
        self._choose(self.list.current())

    def _say(self, words: str, tone: Tone = "") -> None:
        self.message.setText(words)
        give(self.message, tone=tone)
