"""What a publisher of signals keeps on this computer: its name, which no other program has at the same time, its last number, and its key.

The number is kept outside the server, so that a server that forgets messages cannot make it forget that they were sent.
"""

import hashlib
import os
import secrets
from pathlib import Path

from sptrader_desktop.core.errors import DataError
from sptrader_desktop.runtime.file_lock import FileLock

KEY_BYTES = 32
MOST_OF_A_NAME = 1_000
DIGITS = 20


class PublisherFiles:
    """Of the first of `name`, `name #2` … that no other program uses now."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.name, self._lock = _taken(folder, name)
            self.key = _made_key(_file(folder, self.name, "key"))
            self._number_path = _file(folder, self.name, "number")
            self._number = os.open(self._number_path, os.O_RDWR | os.O_CREAT, 0o600)
            self._last = self._read()
        except OSError as error:
            raise DataError(f"{folder}: the numbers of messages cannot be kept there ({error.strerror}): make it writable") from None

    def next_number(self) -> int:
        """Kept before it is used: what is lost on the way is missing, and no number is used twice."""
        self._last += 1
        os.lseek(self._number, 0, os.SEEK_SET)
        os.write(self._number, f"{self._last:0{DIGITS}}\n".encode())
        return self._last

    def close(self) -> None:
        if self._number >= 0:
            os.close(self._number)
            self._number = -1
            self._lock.give()

    def _read(self) -> int:
        text = os.read(self._number, DIGITS + 1).strip()
        if text and not (text.isascii() and text.isdigit()):
            raise DataError(f"{self._number_path}: there is no number in it: remove it, and messages are counted from 1 again")
        return int(text or b"0")


def known_key(folder: Path, publisher: str) -> bytes | None:
    """Of a publisher of this computer; nothing where there is none of that name."""
    try:
        key = _file(folder, publisher, "key").read_bytes()
    except FileNotFoundError:
        return None
    return key if len(key) == KEY_BYTES else None


def _taken(folder: Path, name: str) -> tuple[str, FileLock]:
    for number in range(1, MOST_OF_A_NAME):
        own = name if number == 1 else f"{name} #{number}"
        lock = FileLock(_file(folder, own, "lock"))
        if lock.take():
            return own, lock
    raise DataError(f"{folder}: {MOST_OF_A_NAME} programs publish as {name}: end some of them")


def _made_key(path: Path) -> bytes:
    """Only its owner may read it. One that was not written to its end is made anew."""
    if path.exists() and path.stat().st_size == KEY_BYTES:
        return path.read_bytes()
    key, unfinished = secrets.token_bytes(KEY_BYTES), path.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    file = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(file, key)
        os.fsync(file)
    finally:
        os.close(file)
    unfinished.replace(path)
    return key


def _file(folder: Path, name: str, what: str) -> Path:
    """A name may hold anything; a file's may not."""
    return folder / f"{hashlib.blake2b(name.encode(), digest_size=12).hexdigest()}.{what}"
