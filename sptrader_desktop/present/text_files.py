"""A text file as an editor holds it, and who keeps what a person writes: the file, the draft of what is unsaved, and older versions."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from difflib import unified_diff
from pathlib import Path
from typing import Protocol

from sptrader_desktop.core.errors import DataError
from sptrader_desktop.present.file_names import moved_text

MARK = "\ufeff".encode()
LONGEST_DIFF = 5_000  # lines; beyond that comparing takes longer than anybody waits
Moment = datetime


class ChangedOutsideError(DataError):
    """Somebody else wrote the file since it was read: compare, then keep one of the two."""


@dataclass(frozen=True, slots=True)
class FileText:
    """What was read, with line ends as the editor has them; `fingerprint` is of the bytes on the disk, empty where there are none."""

    text: str
    fingerprint: str = ""
    newline: str = "\n"
    has_mark: bool = False

    def content(self, text: str) -> bytes:
        """Written as the file was: line ends and the mark of its encoding stay. What no file could hold is refused."""
        try:
            raw = text.replace("\n", self.newline).encode("utf-8")
        except UnicodeEncodeError as error:
            line = text.count("\n", 0, error.start) + 1
            raise DataError(f"nothing was saved: line {line} holds half a character, delete it and save again") from error
        return (MARK if self.has_mark else b"") + raw


@dataclass(frozen=True, slots=True)
class Draft:
    """Text that is not saved; `base` is the fingerprint of the file that it changes."""

    path: Path
    text: str
    base: str
    written_at: Moment


@dataclass(frozen=True, slots=True)
class Version:
    id: str
    written_at: Moment
    size: int


class TextKeeper(Protocol):
    """All of it is there whole or not at all. What fails raises DataError with what to do; nothing that was kept is touched by it."""

    def read(self, path: Path) -> FileText: ...

    def write(self, path: Path, text: str, before: FileText) -> FileText:
        """ChangedOutsideError when the file is not what was read `before`."""
        ...

    def keep_draft(self, draft: Draft) -> None: ...

    def drop_draft(self, path: Path) -> None: ...

    def drafts(self) -> tuple[Draft, ...]:
        """Of all files, oldest first."""
        ...

    def keep_version(self, path: Path, text: str) -> None:
        """Nothing new where the newest version says the same."""
        ...

    def versions(self, path: Path) -> tuple[Version, ...]:
        """Newest first."""
        ...

    def version_text(self, path: Path, version: Version) -> str: ...

    def moved(self, old: Path, new: Path) -> None:
        """A file that is renamed takes its versions along, and what is not saved of it."""
        ...


def decoded(raw: bytes, path: Path) -> FileText:
    try:
        text = raw.removeprefix(MARK).decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise DataError(f"{path}:{line}: is not UTF-8 text: save it with that encoding, it cannot be edited here") from error
    newline = "\r\n" if "\r\n" in text and text.count("\r\n") == text.count("\n") else "\n"
    return FileText(text.replace("\r\n", "\n") if newline == "\r\n" else text, fingerprint(raw), newline, raw.startswith(MARK))


def fingerprint(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def base_after_move(base: str, file: FileText, old: Path, new: Path) -> str:
    """The `base` of a text whose `file` has become `new`: what was read there, unless somebody else changed it besides. Of the renaming
    the name inside may be another, so the file is compared with its old name too."""
    before = fingerprint(file.content(moved_text(file.text, new, old)))
    return file.fingerprint if base in {before, file.fingerprint} else base


def difference(old: str, new: str, old_name: str, new_name: str) -> str:
    """As lines that start with + and -, with a little of what is around them; nothing where nothing differs."""
    before, after = old.split("\n"), new.split("\n")
    if len(before) + len(after) > LONGEST_DIFF:
        return f"The texts have {len(before):,} and {len(after):,} lines: too many to compare here.\n"
    return "\n".join(unified_diff(before, after, old_name, new_name, lineterm=""))
