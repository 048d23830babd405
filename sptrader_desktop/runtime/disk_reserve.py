"""Room on a disk that is taken in good times and given back when the disk is full: what must still be written then has a place."""

import os
import shutil
from pathlib import Path


class DiskReserve:
    def __init__(self, path: Path, size: int) -> None:
        self._path = path
        self._size = size
        self.is_there = False

    def take(self) -> None:
        """All of it or none, and not the last room there is: it would be given back the next moment."""
        try:
            if not self._path.exists() or self._path.stat().st_size != self._size:
                self.give()
                if shutil.disk_usage(self._path.parent).free < 2 * self._size:
                    return
                _fill(self._path, self._size)
            self.is_there = True
        except OSError:
            self.give()

    def give(self) -> bool:
        """Whether that made room."""
        self.is_there = False
        had = self._path.exists()
        self._path.unlink(missing_ok=True)
        return had


def _fill(path: Path, size: int) -> None:
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o600)
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file, 0, size)
        else:
            piece = bytes(min(size, 1 << 20))
            for start in range(0, size, len(piece)):
                os.write(file, piece[: size - start])
        os.fsync(file)
    finally:
        os.close(file)
