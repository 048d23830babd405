"""Answers of components on disk, bounded: whole or not there, safe between processes, and what is damaged counts as absent."""

import os
from contextlib import suppress
from pathlib import Path

from sptrader_desktop.adapters.arrow_components import SUFFIX, packed, unpacked
from sptrader_desktop.adapters.component_checks import Columns
from sptrader_desktop.runtime.whole_files import write_whole

MOST_BYTES = 1024**3
# Below the bound by so much after a clearing, so that it is not cleared at every answer.
CLEARED_TO = 0.9


class ComponentCache:
    """The least recently used go first. Losing it loses time only, so no failure to write is worth more than a shrug."""

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        self._folder, self._most = folder, most_bytes

    def has(self, key: str) -> bool:
        return bool(key) and self._path(key).is_file()

    def get(self, key: str) -> Columns | None:
        path = self._path(key)
        found = unpacked(path)
        with suppress(OSError):
            if found is None:
                path.unlink(missing_ok=True)
            else:
                os.utime(path)
        return found

    def put(self, key: str, columns: Columns) -> None:
        with suppress(OSError):
            path = self._path(key)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, packed(columns))
            self._clear()

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}{SUFFIX}"

    def _clear(self) -> None:
        """Another process may clear at the same time: what is gone already is as good."""
        held = []
        for path in self._folder.glob(f"*/*{SUFFIX}*"):
            with suppress(OSError):
                status = path.stat()
                held.append((status.st_mtime_ns, status.st_size, path))
        total = sum(size for _, size, _ in held)
        if total <= self._most:
            return
        for _, size, path in sorted(held):
            if total <= self._most * CLEARED_TO:
                return
            path.unlink(missing_ok=True)
            total -= size
