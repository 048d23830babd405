"""Files whose change somebody wants to hear of: also those that are replaced, or gone and back again."""

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QFileSystemWatcher, QObject, QTimer, Signal

REST_MS = 250


class FileWatch(QObject):
    changed = Signal()  # when the writing rests

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._files: tuple[Path, ...] = ()
        self._watcher = QFileSystemWatcher(self)
        self._rest = QTimer(self, interval=REST_MS, singleShot=True)
        self._rest.timeout.connect(self._tell)
        self._watcher.fileChanged.connect(self._rest.start)
        self._watcher.directoryChanged.connect(self._rest.start)

    def watch(self, files: Iterable[Path]) -> None:
        """These, and no longer those before."""
        self._files = tuple(files)
        if watched := [*self._watcher.files(), *self._watcher.directories()]:
            self._watcher.removePaths(watched)
        self._add()

    def _add(self) -> None:
        """A file that is replaced falls out of what is watched, so its folder is too."""
        watched = {*self._watcher.files(), *self._watcher.directories()}
        wanted = {str(place) for file in self._files for place in (file, file.parent) if place.exists()}
        if wanted - watched:
            self._watcher.addPaths(sorted(wanted - watched))

    def _tell(self) -> None:
        self._add()
        self.changed.emit()
