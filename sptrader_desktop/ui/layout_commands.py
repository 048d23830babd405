"""The commands about the panes as a whole: which workspace, as it was before, locked, and as a file."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget

from sptrader_desktop.core.errors import DataError
from sptrader_desktop.present.layout_file import decoded, encoded, read, written
from sptrader_desktop.present.observable import Observable
from sptrader_desktop.present.preferences import Preferences
from sptrader_desktop.runtime.whole_files import write_whole
from sptrader_desktop.ui.action_set import ActionSet
from sptrader_desktop.ui.arrangements import ARRANGEMENTS
from sptrader_desktop.ui.dock_layout import DockLayout
from sptrader_desktop.ui.widgets.notices import Notice, Notices

PATTERN = "Workspace (*.json)"


class LayoutCommands(QObject):
    """`front` is the page in the middle, where the keyboard goes when its pane is gone."""

    def __init__(
        self, layouts: DockLayout, preferences: Observable[Preferences], notices: Notices, front: Callable[[], QWidget], window: QWidget
    ) -> None:
        super().__init__(window)
        self._front = front
        self._layouts, self._preferences, self._notices, self._window = layouts, preferences, notices, window

    def handlers(self) -> dict[str, Callable[..., object]]:
        return {
            **{_id(name): partial(self._use, name) for name in ARRANGEMENTS},
            "layout.undo": partial(self._keeping_keyboard, self._layouts.undo),
            "layout.redo": partial(self._keeping_keyboard, self._layouts.redo),
            "layout.reset": partial(self._keeping_keyboard, self._layouts.reset),
            "layout.lock": self._lock,
            "layout.export": self._ask_export,
            "layout.import": self._ask_import,
        }

    def join(self, actions: ActionSet) -> None:
        """The one in use has a tick, and Undo and Redo Layout are grey while there is nothing to undo or redo."""

        def tick(chosen: str) -> None:
            for name in ARRANGEMENTS:
                actions.action(_id(name)).setChecked(name == chosen)

        self._layouts.changed.connect(tick)
        self._layouts.undoable.connect(partial(actions.set_state, "layout_before"))
        self._layouts.redoable.connect(partial(actions.set_state, "layout_after"))
        tick(self._layouts.name)

    def restore(self, preferences: Preferences) -> None:
        """As they stood; what cannot be used is said, and the panes stand as they come out of the box."""
        kept = dict(zip(preferences.layouts, decoded(preferences.layouts.values()), strict=True))
        if not self._layouts.take(kept, preferences.layout):
            self._notices.tell(Notice("The panes could not be put back as they stood: they stand as at first", "warning"))

    def kept(self, preferences: Preferences) -> Preferences:
        layouts = {name: encoded(state) for name, state in self._layouts.kept().items()}
        return replace(preferences, layout=self._layouts.name, layouts=layouts)

    def export_to(self, path: Path) -> None:
        try:
            write_whole(path, written(self._layouts.name, self._layouts.state()))
        except OSError as error:
            self._say(f"{path} could not be written ({error.strerror}): choose another place", is_error=True)
            return
        self._say(f"The workspace {self._layouts.name} is in {path}")

    def import_from(self, path: Path) -> None:
        """Into the workspace of its name, or this one where there is none of that name."""
        try:
            name, state = read(path.read_bytes(), path.name)
        except OSError as error:
            self._say(f"{path} cannot be read ({error.strerror}): choose another file", is_error=True)
            return
        except DataError as error:
            self._say(str(error), is_error=True)
            return
        if self._layouts.put(name if name in ARRANGEMENTS else self._layouts.name, state):
            self._say(f"The panes stand as {path.name} says; Undo Layout takes it back")
        else:
            self._say(f"{path.name} was made by another version of the window: the panes were left as they are", is_error=True)

    def _use(self, name: str, _ticked: bool) -> None:
        self._keeping_keyboard(partial(self._layouts.use, name))

    def _keeping_keyboard(self, change: Callable[[], object]) -> None:
        """Qt gives it to whatever comes next, even the emergency stop, when its pane goes, be it for a moment."""
        had = QApplication.focusWidget()
        change()
        front, has = self._front(), QApplication.focusWidget()
        if has is not None and (has is front or front.isAncestorOf(has)):
            return
        is_seen = had is not None and had.isVisible() and not self._layouts.is_behind(had)
        (had if had is not None and is_seen else front).setFocus(Qt.FocusReason.OtherFocusReason)

    def _lock(self, is_locked: bool) -> None:
        self._layouts.lock(is_locked)
        self._preferences.set(replace(self._preferences.value, layout_locked=is_locked))

    def _ask_export(self) -> None:
        dialog = self._dialog("Export Workspace", f"{self._layouts.name}.json")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("json")
        dialog.fileSelected.connect(lambda name: self.export_to(Path(name)))
        dialog.open()

    def _ask_import(self) -> None:
        dialog = self._dialog("Import Workspace", "")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda name: self.import_from(Path(name)))
        dialog.open()

    def _dialog(self, title: str, name: str) -> QFileDialog:
        dialog = QFileDialog(self._window, title, str(Path.home() / name))
        dialog.setObjectName("workspaceFileDialog")
        dialog.setNameFilter(PATTERN)
        dialog.finished.connect(dialog.deleteLater)
        return dialog

    def _say(self, words: str, *, is_error: bool = False) -> None:
        self._notices.tell(Notice(words, "error" if is_error else "done", key="layout"))


def _id(name: str) -> str:
    return f"layout.use_{name.lower()}"
