"""What a file was before: its versions with their time, what the editor's text changes of each, and the way back."""

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QListWidget, QListWidgetItem, QPushButton, QSplitter, QVBoxLayout, QWidget

from sptrader_desktop.core.errors import SptraderError
from sptrader_desktop.present.clocks import moment_text
from sptrader_desktop.present.code_words import Coloured, Role
from sptrader_desktop.present.selection import Zone
from sptrader_desktop.present.text_files import TextKeeper, Version, difference
from sptrader_desktop.ui.editors.code_edit import CodeEdit
from sptrader_desktop.ui.editors.highlighter import Highlighter
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.tokens import GRID

SIGNS = {"+": Role.TEXT, "-": Role.WORD, "@": Role.COMMENT}


class DifferenceHighlighter(Highlighter):
    """The sign says it, the colour repeats it."""

    def words(self, line: str, _state: int) -> tuple[list[Coloured], int]:
        role = SIGNS.get(line[:1])
        return ([Coloured(0, len(line), role)] if role else []), 0

    def colour(self, role: Role) -> QColor:
        return look().colour({Role.TEXT: "up", Role.WORD: "down"}.get(role, "muted"))


class DifferenceView(CodeEdit):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("differenceView")
        self.setAccessibleName("Difference")
        self.setReadOnly(True)

    def make_highlighter(self) -> Highlighter:
        return DifferenceHighlighter(self)

    def show_difference(self, text: str) -> None:
        self.setPlainText(text or "There is no difference.")


class VersionsDialog(QDialog):
    restoreWanted = Signal(str)

    def __init__(self, path: Path, keeper: TextKeeper, now: str, zone: Zone, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("versionsDialog")
        self.setWindowTitle(f"Versions of {path.name}")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._path, self._keeper, self._now, self._zone, self._text = path, keeper, now, zone, ""
        self._versions = keeper.versions(path)
        self.list, self.view = QListWidget(self), DifferenceView(self)
        self.list.setObjectName("versionsList")
        self.list.setAccessibleName("Versions")
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.restore_button = QPushButton("Restore This Version", self)
        self.restore_button.setObjectName("restoreVersionButton")
        self.restore_button.setAccessibleName("Restore this version")
        self._lay_out()
        for version in self._versions:
            self.list.addItem(QListWidgetItem(f"{self._when(version)}    {version.size:,} bytes"))
        self.list.currentRowChanged.connect(self._show)
        self.restore_button.clicked.connect(self._restore)
        self.restore_button.setEnabled(bool(self._versions))
        if self._versions:
            self.list.setCurrentRow(0)
        else:
            self.view.setPlainText("A version is kept each time the file is saved. There is none yet.")

    def _lay_out(self) -> None:
        sides = QSplitter(Qt.Orientation.Horizontal, self)
        sides.addWidget(self.list)
        sides.addWidget(self.view)
        sides.setStretchFactor(1, 1)
        sides.setSizes([look().pixels(GRID * 68), look().pixels(GRID * 160)])
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.addButton(self.restore_button, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(QLabel(f"What going back to a version would change; going back can be undone. Times: {self._zone.value}.", self))
        column.addWidget(sides, 1)
        column.addWidget(buttons)
        self.resize(look().pixels(GRID * 230), look().pixels(GRID * 130))

    def _show(self, row: int) -> None:
        version = self._versions[row]
        try:
            self._text = self._keeper.version_text(self._path, version)
        except SptraderError as error:
            self.view.setPlainText(str(error))
            self.restore_button.setEnabled(False)
            return
        self.restore_button.setEnabled(True)
        self.view.show_difference(difference(self._now, self._text, "now", self._when(version)))

    def _restore(self) -> None:
        self.restoreWanted.emit(self._text)
        self.accept()

    def _when(self, version: Version) -> str:
        return moment_text(version.written_at, self._zone)


def show_difference(parent: QWidget, title: str, old: str, new: str, old_name: str, new_name: str) -> QDialog:
    dialog = QDialog(parent)
    dialog.setObjectName("differenceDialog")
    dialog.setWindowTitle(title)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    view = DifferenceView(dialog)
    view.show_difference(difference(old, new, old_name, new_name))
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, dialog)
    buttons.rejected.connect(dialog.reject)
    column = QVBoxLayout(dialog)
    column.addWidget(view, 1)
    column.addWidget(buttons)
    dialog.resize(look().pixels(GRID * 180), look().pixels(GRID * 120))
    dialog.open()
    return dialog
