"""Files that several jobs read: written once, kept while anybody uses them, and a few afterwards for the next."""

import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sptrader_desktop.adapters.arrow_components import SUFFIX

KEPT_FILES = 32


@dataclass(slots=True)
class _Kept:
    path: Path
    users: int = 0


class SharedFiles:
    """By name."""

    def __init__(self, folder: Path, most: int = KEPT_FILES) -> None:
        self.folder, self._most = folder, most
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._guard = threading.Lock()

    def new_path(self) -> Path:
        return self.folder / f"{uuid.uuid4().hex}{SUFFIX}"

    def take(self, name: str, write: Callable[[Path], None]) -> None:
        """To be given back. Writes under the lock: whoever wants the same file would wait for it anyway."""
        with self._guard:
            kept = self._kept.get(name)
            if kept is None:
                kept = _Kept(self.folder / f"{name}{SUFFIX}")
                try:
                    write(kept.path)
                except OSError:
                    kept.path.unlink(missing_ok=True)
                    raise
                self._kept[name] = kept
            kept.users += 1
            self._kept.move_to_end(name)

    def has(self, name: str) -> bool:
        return name in self._kept

    def give(self, name: str) -> None:
        with self._guard:
            self._kept[name].users -= 1
            unused = [found for found, kept in self._kept.items() if not kept.users]
            self._remove(unused[: max(0, len(unused) - self._most)])

    def drop(self, names: Iterable[str]) -> None:
        """Nobody will ask for these again."""
        with self._guard:
            self._remove([name for name in names if name in self._kept and not self._kept[name].users])

    def _remove(self, names: list[str]) -> None:
        for name in names:
            with suppress(OSError):  # some systems keep what is being read; it goes with the folder
                self._kept.pop(name).path.unlink(missing_ok=True)

    def path(self, name: str) -> Path:
        return self._kept[name].path
