"""Which Python files lie below a folder, and in what state. It is asked with every click, so it costs one `stat` a file."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

State = tuple[str, int, int]


def source_states(folder: Path) -> tuple[State, ...]:
    """Of each its path, the time it was written and its size."""
    return tuple(sorted(_below(os.fspath(folder))))


def _below(folder: str) -> Iterator[State]:
    with suppress(OSError), os.scandir(folder) as entries:  # what cannot be read has no files, as for whoever lists it
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _below(entry.path)
            elif entry.name.endswith(".py"):
                yield _state(entry)


def _state(entry: "os.DirEntry[str]") -> State:
    try:
        found = entry.stat()
    except OSError:
        return entry.path, 0, 0
    return entry.path, found.st_mtime_ns, found.st_size
