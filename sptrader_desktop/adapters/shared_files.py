"""Files that several jobs read: written once, kept while anybody uses them, and a few afterwards for the next."""

import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sptrader_desktop.adapters.arrow_components import SUFFIX

KEPT_FILES = 32


@dataclass(slots=True)
class _Kept:
    path: Path
    users: int = 0


class SharedFiles:
    """By name; an empty name is a file for one use."""

    def __init__(self, folder: Path, most: int = KEPT_FILES) -> None:
        self.folder, self._most = folder, most
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._guard = threading.Lock()

    def new_path(self) -> Path:
        return self.folder / f"{uuid.uuid4().hex}{SUFFIX}"

    def take(self, name: str, write: Callable[[Path], None]) -> str:
        """The name under which to give it back. Writes under the lock: whoever wants the same file would wait for it anyway."""
        name = name or uuid.uuid4().hex
        with self._guard:
            kept = self._kept.get(name)
            if kept is None:
                kept = _Kept(self.folder / f"{name}{SUFFIX}")
                write(kept.path)
                self._kept[name] = kept
            kept.users += 1
            self._kept.move_to_end(name)
        return name

    def give(self, name: str, *, is_used_up: bool = False) -> None:
        with self._guard:
            self._kept[name].users -= 1
            unused = [found for found, kept in self._kept.items() if not kept.users]
            surplus = len(unused) - self._most
            for found in [name] if is_used_up and name in unused else unused[: max(0, surplus)]:
                self._kept.pop(found).path.unlink(missing_ok=True)

    def path(self, name: str) -> Path:
        return self._kept[name].path
