"""One document as a pane: the code, what happened to its file above, find and problems below, and every command an editor knows."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QSplitter, QVBoxLayout

from sptrader_desktop.core.errors import SptraderError
from sptrader_desktop.present.actions import Scope
from sptrader_desktop.present.clocks import moment_text
from sptrader_desktop.present.observable import Observable
from sptrader_desktop.present.selection import Zone
from sptrader_desktop.present.text_files import TextKeeper
from sptrader_desktop.present.text_problems import Stretch, TextProblem
from sptrader_desktop.ui.editors.code_edit import CodeEdit
from sptrader_desktop.ui.editors.document import Document
from sptrader_desktop.ui.editors.find_bar import FindBar
from sptrader_desktop.ui.editors.line_field import LineField
from sptrader_desktop.ui.editors.notice import Notice
from sptrader_desktop.ui.editors.problems_list import ProblemsList
from sptrader_desktop.ui.editors.versions import VersionsDialog, show_difference
from sptrader_desktop.ui.key_names import pressed_command
from sptrader_desktop.ui.widgets.composite import Composite

PREFIX = "editor."


class EditorPane(Composite):
    titleChanged = Signal(str)
    modifiedChanged = Signal(bool)
    saved = Signal(object)  # the Path

    def __init__(self, edit: CodeEdit, keeper: TextKeeper, good: str, zone: Observable[Zone] | None = None) -> None:
        """`good` is what is said of a text without problems."""
        super().__init__()
        self.edit, self._keeper, self._zone = edit, keeper, zone or Observable(Zone.UTC)
        self.document = Document(edit, keeper, self)
        self._brought_back = ""  # what was said of unsaved changes of the last time
        self._unread: tuple[TextProblem, ...] = ()  # why there is no text whose problems could be shown
        self.wanted: Path | None = None  # what was to be opened, also where it could not be
        self.notice, self.find_bar, self.problems = Notice(self), FindBar(edit, self), ProblemsList(good, self)
        self.line_field = LineField(edit, self)
        self.body = QSplitter(Qt.Orientation.Horizontal, self)
        self.body.setObjectName("editorBody")
        self.body.addWidget(edit)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(0)
        for widget in (self.notice, self.body, self.find_bar, self.line_field, self.problems):
            self.column.addWidget(widget, 1 if widget is self.body else 0)
        self.main_part = edit
        self._connect()

    def open(self, path: Path) -> bool:
        """What cannot be read is said in the pane, and nothing can be typed that would have no file."""
        self.wanted = path
        self.notice.hide()
        self._unread = ()
        try:
            self.document.open(path)
        except SptraderError as error:
            self.notice.say(str(error))
            self.edit.setReadOnly(True)
            self._unread = (TextProblem(Stretch(0, 0), 1, 1, str(error)),)
            self.show_problems(())
            return False
        self._tell_title()
        self.check_now()
        return True

    def save(self) -> bool:
        """Whether it is saved. What was said before is over then, and what stands in the way says so again."""
        if not self.edit.isReadOnly():
            self.notice.hide()
        return self.document.save()

    def close_document(self) -> bool:
        """What is not saved stays as a draft and comes back with the next `open`. False where it cannot: nothing is closed."""
        return self.document.close()

    def move_to(self, path: Path) -> None:
        """The file is called otherwise now."""
        try:
            self.document.move_to(path)
        except SptraderError as error:
            self.notice.say(str(error))
        self._tell_title()
        self.check_now()

    @property
    def path(self) -> Path | None:
        return self.document.path

    @property
    def title(self) -> str:
        path = self.document.path or self.wanted
        name = path.name if path else ""
        return f"{name} •" if self.document.is_modified else name

    def check_now(self) -> None:
        """For those that check."""

    def commands(self) -> dict[str, Callable[[], object]]:
        """By the ids of the table of actions."""
        edit = self.edit
        return {
            "editor.save": self.save,
            "editor.undo": edit.undo,
            "editor.redo": edit.redo,
            "editor.find": lambda: self.find_bar.open(with_replace=False),
            "editor.replace": lambda: self.find_bar.open(with_replace=True),
            "editor.find_next": self.find_bar.go,
            "editor.find_previous": lambda: self.find_bar.go(-1),
            "editor.go_to_line": self.line_field.open,
            "editor.comment": edit.toggle_comment,
            "editor.complete": edit.offer_completions,
            "editor.next_problem": lambda: edit.next_problem(1),
            "editor.previous_problem": lambda: edit.next_problem(-1),
            "editor.help": edit.show_help,
            "editor.zoom_in": lambda: edit.zoom_by(1),
            "editor.zoom_out": lambda: edit.zoom_by(-1),
            "editor.zoom_reset": lambda: edit.set_zoom(0),
            "editor.versions": self.show_versions,
        }

    def show_versions(self) -> VersionsDialog | None:
        if self.document.path is None:
            return None
        dialog = VersionsDialog(self.document.path, self._keeper, self.edit.text(), self._zone.value, self)
        dialog.restoreWanted.connect(self.edit.take_text)
        dialog.open()
        return dialog

    def show_problems(self, problems: tuple[TextProblem, ...]) -> None:
        shown = self._unread or problems  # an editor that is empty for want of a text is no empty file
        self.edit.show_problems(shown)
        self.problems.show_problems(shown)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The keys of the table: the same where the window has made actions of it and where it has not."""
        command = self.commands().get(pressed_command(event, Scope.EDITOR))
        if command is None:
            super().keyPressEvent(event)
        else:
            command()

    def _connect(self) -> None:
        self.problems.chosen.connect(self._go_to)
        self.edit.refused.connect(self.notice.say)
        self.document.failed.connect(self.notice.say)
        self.document.mended.connect(lambda said: self.notice.hide() if said == self.notice.text() else None)
        self.document.saved.connect(self.saved)
        self.document.saved.connect(self._tell_title)
        self.document.modifiedChanged.connect(self._tell_title)
        self.document.modifiedChanged.connect(self.modifiedChanged)
        self.document.modifiedChanged.connect(self._taken_back)
        self.document.conflicted.connect(self._conflicted)
        self.document.restored.connect(self._restored)
        self.document.reloaded.connect(self._reloaded)

    def _go_to(self, problem: TextProblem) -> None:
        self.edit.select(problem.at)
        self.edit.setFocus()

    def _tell_title(self) -> None:
        self.titleChanged.emit(self.title)

    def _reloaded(self) -> None:
        self._tell_title()
        self.check_now()

    def _conflicted(self, said: str) -> None:
        outside = self.document.path is not None and self.document.path.exists()
        choices = [
            ("Compare", "compareButton", self._compare),
            ("Keep mine", "keepMineButton", self.document.keep_mine),
            ("Reload", "reloadButton", self.document.reload),
        ]
        self.notice.say(said, choices if outside else choices[1:2])

    def _restored(self, written_at: datetime) -> None:
        zone = self._zone.value
        choices = [("Compare", "compareButton", self._compare), ("Discard", "discardButton", self.document.discard)]
        self._brought_back = f"Unsaved changes of {moment_text(written_at, zone)} ({zone.value}) are here again."
        self.notice.say(self._brought_back, choices)

    def _taken_back(self, is_modified: bool) -> None:
        """The text is the file again, and there is nothing to compare or discard."""
        if not is_modified and self.notice.text() == self._brought_back:
            self.notice.hide()

    def _compare(self) -> None:
        """An answer to the notice is still wanted afterwards."""
        self.notice.show()
        show_difference(self, "File and editor", self.document.text_outside(), self.edit.text(), "the file", "the editor")
