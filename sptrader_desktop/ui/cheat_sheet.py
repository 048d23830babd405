"""All keys at a glance, beside the work: the sheet stays open while the window is used."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QVBoxLayout, QWidget

from sptrader_desktop.ui.action_set import ActionSet
from sptrader_desktop.ui.shortcut_list import ShortcutList
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.tokens import GRID


class CheatSheet(QDialog):
    """`changeAsked` says that somebody wants other keys, for the command of that id if one is chosen. Settings change them."""

    changeAsked = Signal(str)

    def __init__(self, actions: ActionSet, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("cheatSheet")
        self.setWindowTitle("Keyboard Shortcuts")
        self.setModal(False)
        self.list = ShortcutList(actions)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        change = buttons.addButton("Change Keys…", QDialogButtonBox.ButtonRole.ActionRole)
        change.setObjectName("changeKeysButton")
        change.setAccessibleName("Change keys")
        change.clicked.connect(lambda: self.changeAsked.emit(self.list.current()))
        buttons.rejected.connect(self.close)
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID * 4, GRID * 4, GRID * 4, GRID * 4)
        column.setSpacing(GRID * 3)
        column.addWidget(self.list)
        column.addWidget(buttons)
        self.resize(look().pixels(GRID * 140), look().pixels(GRID * 150))
        self.list.field.setFocus(Qt.FocusReason.PopupFocusReason)
