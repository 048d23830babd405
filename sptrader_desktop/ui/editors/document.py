"""One file in one editor: opened, saved, watched, and never lost, whatever ends the program and whoever else writes the file."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from PySide6.QtCore import QFileSystemWatcher, QObject, QThreadPool, QTimer, Signal

from sptrader_desktop.core.errors import SptraderError
from sptrader_desktop.present.file_names import moved_text
from sptrader_desktop.present.text_files import ChangedOutsideError, Draft, FileText, TextKeeper, base_after_move
from sptrader_desktop.ui.editors.code_edit import CodeEdit

DRAFT_MS = 300
WATCH_MS = 150
VERSION_EVERY = timedelta(minutes=5)


class _Failure(QObject):
    """Carries a sentence from the thread that writes drafts to the window's."""

    happened = Signal(str)
    ended = Signal(str)


class Document(QObject):
    """`conflicted` says that file and editor both changed, or that the file is gone; the text is in the editor whatever happens."""

    modifiedChanged = Signal(bool)
    saved = Signal(object)  # the Path
    failed = Signal(str)
    mended = Signal(str)  # what `failed` said is so no more
    restored = Signal(object)  # the datetime of unsaved changes that are in the editor again
    reloaded = Signal()
    conflicted = Signal(str)

    def __init__(self, edit: CodeEdit, keeper: TextKeeper, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._edit, self._keeper = edit, keeper
        self._path: Path | None = None
        self._file = FileText("")
        self._versioned_at = datetime.now(UTC)
        self._is_exposed = False  # what was typed last is nowhere but here
        self._told = ""  # why it is
        self._writer = QThreadPool(self)
        self._writer.setMaxThreadCount(1)
        self._drafting = self._timer(DRAFT_MS, self._draft_is_due)
        self._noticing = self._timer(WATCH_MS, self._look_outside)
        self._watcher = QFileSystemWatcher(self)
        self._watcher.fileChanged.connect(self._noticing.start)
        self._watcher.directoryChanged.connect(self._noticing.start)
        edit.edited.connect(self._changed)
        edit.document().modificationChanged.connect(self.modifiedChanged)

    @property
    def path(self) -> Path | None:
        return self._path

    @property
    def is_modified(self) -> bool:
        return self._edit.document().isModified()

    @property
    def saved_text(self) -> str:
        """As it was read or written last."""
        return self._file.text

    def open(self, path: Path) -> None:
        """DataError when it cannot be read. Unsaved changes of the last time come back as unsaved changes, and can be undone."""
        draft = next((draft for draft in self._keeper.drafts() if draft.path == path), None)
        # What was typed comes back, also where its file is gone.
        file = self._keeper.read(path) if draft is None or path.exists() else FileText("")
        self._unwatch()
        self._path, self._file = None, file
        self._edit.setPlainText(file.text)
        self._edit.document().setModified(False)
        self._path = path
        self._edit.setReadOnly(self._edit.text() != file.text)
        if self._edit.isReadOnly():
            self.failed.emit(f"{path.name} holds characters that this editor cannot keep: it is shown, and cannot be changed here")
        self._watch()
        self._bring_back(draft)

    def save(self) -> bool:
        """Whether the file on the disk is now what the editor shows."""
        if self._path is None or self._edit.isReadOnly():
            return False
        text = self._edit.text()
        try:
            self._keep_versions(text)
            self._file = self._keeper.write(self._path, text, self._file)
        except ChangedOutsideError as error:
            self.conflicted.emit(str(error))
            return False
        except SptraderError as error:
            self.failed.emit(str(error))
            return False
        self._edit.document().setModified(False)
        self._drafting.stop()
        self._drop_draft()
        self._watch()
        self.saved.emit(self._path)
        return True

    def text_outside(self) -> str:
        """What the file holds now; nothing where it is gone."""
        try:
            return self._keeper.read(self._path).text if self._path is not None and self._path.exists() else ""
        except SptraderError as error:
            self.failed.emit(str(error))
            return ""

    def reload(self) -> None:
        """Take the file as it is now. What was in the editor is a step to undo, and a version."""
        if self._path is None:
            return
        try:
            file = self._keeper.read(self._path)
            self._keep_version(self._edit.text())
        except SptraderError as error:
            self.failed.emit(str(error))
            return
        self._file = file
        self._edit.take_text(file.text)
        self._edit.document().setModified(False)
        self._drop_draft()
        self._watch()
        self.reloaded.emit()

    def keep_mine(self) -> None:
        """The next save replaces what another program wrote; that is kept as a version."""
        if self._path is None:
            return
        try:
            file = self._keeper.read(self._path) if self._path.exists() else FileText("", "", self._file.newline, self._file.has_mark)
            self._keep_version(file.text)
        except SptraderError as error:
            self.failed.emit(str(error))
            return
        self._file = file
        self._edit.document().setModified(True)
        self._keep_draft()

    def discard(self) -> None:
        """Back to the file; what is thrown away stays a step to undo, and a version."""
        self.reload()

    def move_to(self, path: Path) -> None:
        """The file was renamed: what is not saved belongs to the new place, under the new name; what is saved is read from there. What
        another program wrote is still a question."""
        file, old = self._keeper.read(path), self._path
        self._drop_draft()
        self._unwatch()
        self._path = path
        if self.is_modified and old is not None:
            if base_after_move(self._file.fingerprint, file, old, path) == file.fingerprint:
                self._file = file
            self._edit.take_text(moved_text(self._edit.text(), old, path))
            self._keep_draft()
            self._look_outside()
        else:
            self._file = file
            self._edit.take_text(file.text)
            self._edit.document().setModified(False)
        self._watch()

    def protect(self) -> bool:
        """Whether unsaved changes, if there are any, are on the disk as a draft; what keeps them from it was told."""
        if self.is_modified or self._drafting.isActive():
            self._keep_draft()
        self._writer.waitForDone()
        return not (self.is_modified and self._is_exposed)

    def close(self) -> bool:
        """Unsaved changes stay as a draft. False where they cannot: then the document stays open."""
        is_safe = self.protect()
        if is_safe:
            self._unwatch()
        return is_safe

    # Drafts and versions

    def _changed(self) -> None:
        """Hands that never rest are no reason to wait longer."""
        if self._path is not None and not self._drafting.isActive():
            self._drafting.start()

    def _draft_is_due(self) -> None:
        """On a slow disk drafts do not queue up: the newest is written when the one before is."""
        if self._writer.activeThreadCount():
            self._drafting.start()
        else:
            self._keep_draft()

    def _keep_draft(self) -> None:
        self._drafting.stop()
        if self._path is None:
            return
        if not self.is_modified:
            self._drop_draft()
            return
        draft, keeper = Draft(self._path, self._edit.text(), self._file.fingerprint, datetime.now(UTC)), self._keeper
        is_time = draft.written_at - self._versioned_at > VERSION_EVERY
        if is_time:
            self._versioned_at = draft.written_at

        def keep() -> None:
            keeper.keep_draft(draft)
            if is_time:
                keeper.keep_version(draft.path, draft.text)

        self._aside(keep)

    def _drop_draft(self) -> None:
        path, keeper = self._path, self._keeper
        if path is not None:
            self._aside(lambda: keeper.drop_draft(path))

    def _aside(self, work: Callable[[], None]) -> None:
        """One after another, so that a draft never comes behind its own end."""
        failure = _Failure()
        failure.happened.connect(self.failed)
        failure.ended.connect(self.mended)

        def run() -> None:
            self._is_exposed = True
            try:
                work()
                self._is_exposed = False
                if self._told:
                    failure.ended.emit(self._told)
                self._told = ""
            except SptraderError as error:
                self._told = str(error)
                failure.happened.emit(self._told)

        self._writer.start(run)

    def _bring_back(self, draft: Draft | None) -> None:
        if draft is None or draft.text == self._file.text or self._edit.isReadOnly():
            return
        self._edit.take_text(draft.text)
        self.restored.emit(draft.written_at)
        if not draft.path.exists():
            self._look_outside()
        elif draft.base != self._file.fingerprint:
            self._file = replace(self._file, fingerprint=draft.base)  # no save replaces what is there before that is answered
            self.conflicted.emit(f"{draft.path.name} was changed by another program since these changes were made")

    def _keep_versions(self, text: str) -> None:
        """What was there before the first save is a version too."""
        self._keep_version(self._file.text)
        self._keep_version(text)

    def _keep_version(self, text: str) -> None:
        """A history that cannot be kept must not stand in the way of a save."""
        if self._path is None or not text:
            return
        try:
            self._keeper.keep_version(self._path, text)
        except SptraderError as error:
            self.failed.emit(str(error))

    # The file on the disk

    def _look_outside(self) -> None:
        if self._path is None:
            return
        if not self._path.exists():
            self.conflicted.emit(f"{self._path.name} is not there any more, it was deleted or moved: saving writes it again")
            return
        try:
            now = self._keeper.read(self._path)
        except SptraderError as error:
            self.failed.emit(str(error))
            return
        self._watch()
        if now.fingerprint == self._file.fingerprint:
            return
        if self.is_modified and now.text != self._edit.text():
            self.conflicted.emit(f"{self._path.name} was changed by another program while you were editing it")
        else:
            self.reload()

    def _watch(self) -> None:
        """A file that is replaced falls out of what is watched, so its folder is too."""
        if self._path is None:
            return
        for place in (self._path, self._path.parent):
            if place.exists() and str(place) not in self._watched():
                self._watcher.addPath(str(place))

    def _watched(self) -> set[str]:
        return {*self._watcher.files(), *self._watcher.directories()}

    def _unwatch(self) -> None:
        self._noticing.stop()
        if self._watched():
            self._watcher.removePaths([*self._watched()])

    def _timer(self, interval: int, act: Callable[[], None]) -> QTimer:
        timer = QTimer(self, interval=interval, singleShot=True)
        timer.timeout.connect(act)
        return timer
