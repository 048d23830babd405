"""A file that one program at a time may hold. The system gives it back when that program ends, however it ends; no process id decides."""

import os
import sys
from pathlib import Path

from sptrader_desktop.core.errors import DataError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

WORKSPACE_LOCK = ".window.lock"


class FileLock:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._held = -1

    def take(self) -> bool:
        """False where another program holds it."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(file)
        except (BlockingIOError, PermissionError):
            os.close(file)
            return False
        self._held = file
        return True

    @property
    def is_held(self) -> bool:
        return self._held >= 0

    def give(self) -> None:
        """The file stays: removing it would let two programs hold two files of one name."""
        if self._held >= 0:
            os.close(self._held)
            self._held = -1


def lock_workspace(workspace: Path) -> FileLock:
    """One window writes to a workspace at a time."""
    lock = FileLock(workspace / WORKSPACE_LOCK)
    try:
        if lock.take():
            return lock
    except OSError as error:
        raise DataError(f"{workspace}: the workspace cannot be written ({error.strerror}): make it a folder you may write in") from None
    raise DataError(f"{workspace}: another window uses this workspace: close that one, or name another place with SPTRADER_WORKSPACE")


def _lock(file: int) -> None:
    if sys.platform == "win32":
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
