"""Files that are there whole or not at all: a reader never meets half of one, and two writers never each other's."""

import os
from pathlib import Path

from sptrader_desktop.core.errors import DataError


def write_whole(path: Path, content: bytes, *, lasts: bool = False) -> None:
    """A pipe or a device is written as it is: a new file in its place would be another thing. What `lasts` is on the disk
    itself before it takes the place of what was there: a power cut leaves the one or the other.
    """
    if path.exists() and not path.is_file():
        path.write_bytes(content)
        return
    target = path.resolve()
    temporary = target.with_name(f"{target.name}.{os.getpid()}.tmp")
    try:
        if lasts:
            write_through(temporary, content)
        else:
            temporary.write_bytes(content)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def write_pair(path: Path, content: bytes, beside: Path, more: bytes) -> None:
    """A file and one beside it that means nothing without it: neither or both, and between the two names `finish_pair` can go on."""
    write_through(_begun(beside), more)
    write_whole(path, content)
    finish_pair(beside)


def finish_pair(beside: Path) -> None:
    _begun(beside).replace(beside)


def begun_beside(beside: Path) -> bytes | None:
    """What was to stand in the second file of a pair whose writer died; nothing if there is none such."""
    try:
        return None if beside.exists() else _begun(beside).read_bytes()
    except FileNotFoundError:
        return None


def _begun(path: Path) -> Path:
    return path.with_name(f"{path.name}.unfinished")


def write_new(path: Path, content: bytes) -> None:
    """Never over what is there."""
    refuse_existing(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, content)


def refuse_existing(path: Path) -> None:
    if path.exists():
        raise DataError(f"{path}: this file is there already: choose another name, or move it away")


def write_through(path: Path, content: bytes) -> None:
    """On the disk itself when it returns, its name excepted."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def flush_folder(folder: Path) -> None:
    """Windows forces names to disk by itself and cannot open a folder."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
