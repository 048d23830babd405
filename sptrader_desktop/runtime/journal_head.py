"""The end of a journal, told once more in a small file beside it, by which an older copy of the journal or a lost end is found.

It is written after each commit, so it may lag behind the journal and never be ahead. Two lines take turns: one is whole whatever happens.
"""

import os
from hashlib import blake2b
from pathlib import Path

from sptrader_desktop.core.errors import JournalError
from sptrader_desktop.runtime.journal_chain import GENESIS

LINE = 128
WORDS = "sptrader journal head"

Head = tuple[int, bytes]


class HeadFile:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = -1
        self._turn = 0

    def read(self) -> Head | None:
        """Nothing where there is no file."""
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return None
        found = [_head(content[start : start + LINE]) for start in (0, LINE)]
        newest = max((head for head in found if head), default=None)
        if newest is None or len(content) != 2 * LINE:
            raise JournalError(
                f"{self._path} is damaged, so nobody can tell whether the journal beside it is the newest: do not trade on; put a copy of "
                "both back, or move both away and begin anew from the broker's books"
            )
        self._turn = 1 - found.index(newest)
        return newest

    def open(self, head: Head) -> None:
        """From here on the file tells of this journal."""
        if not self._path.exists():
            self._create()
        self._file = _opened(self._path)
        self.write(head)
        os.fsync(self._file)

    def _create(self) -> None:
        """Whole from its first moment: a head that is not is taken for a damaged one."""
        begun = self._path.with_name(f"{self._path.name}.tmp")
        begun.unlink(missing_ok=True)
        file = _opened(begun)
        try:
            os.write(file, _line((0, GENESIS)) * 2)
            os.fsync(file)
        finally:
            os.close(file)
        begun.replace(self._path)

    def write(self, head: Head) -> None:
        """In the system's hands when it returns, which outlive this process; the disk comes with `sync`."""
        os.lseek(self._file, self._turn * LINE, os.SEEK_SET)
        os.write(self._file, _line(head))
        self._turn = 1 - self._turn

    def sync(self) -> None:
        os.fsync(self._file)

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)


def _line(head: Head) -> bytes:
    text = f"{WORDS} {head[0]} {head[1].hex()}"
    return f"{text} {_check(text)}".ljust(LINE - 1).encode() + b"\n"


def _head(line: bytes) -> Head | None:
    try:
        _, _, _, seq, said, _ = line.decode("ascii").split()
        head = int(seq), bytes.fromhex(said)
    except ValueError:
        return None
    return head if _line(head) == line else None


def _check(text: str) -> str:
    return blake2b(text.encode(), digest_size=8).hexdigest()
