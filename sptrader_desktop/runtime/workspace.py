"""The person's workspace: filled once with what came with the program, brought up to date later, and never at the cost of an edit."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from sptrader_desktop.runtime.whole_files import write_whole

NOTE = ".shipped.json"
IGNORED = {"__pycache__", ".DS_Store"}


def fill_workspace(workspace: Path, shipped: Mapping[str, Path]) -> list[Path]:
    """Copy each shipped folder to the place it is named for (`.` is the workspace itself). Files the person changed or removed stay so."""
    note = workspace / NOTE
    before = _read_note(note)
    now, written = dict(before), []
    for place, folder in shipped.items():
        for source in _files(folder):
            name = (Path(place) / source.relative_to(folder)).as_posix()
            target, ours = workspace / name, _hash(source)
            if before.get(name) == ours:
                continue  # whatever became of it since is the person's doing
            theirs = _hash(target) if target.is_file() else None
            untouched = theirs is not None and before.get(name) == theirs
            if (name not in before and not target.exists()) or (untouched and theirs != ours):
                target.parent.mkdir(parents=True, exist_ok=True)
                write_whole(target, source.read_bytes())
                written.append(target)
            # A copy that was interrupted before the note was written is ours all the same.
            if name not in before or untouched or theirs == ours:
                now[name] = ours
    if now != before:
        workspace.mkdir(parents=True, exist_ok=True)
        write_whole(note, json.dumps(now, indent=1, sort_keys=True).encode())
    return written


def _read_note(note: Path) -> dict[str, str]:
    """A note that is lost or damaged costs no edit: what is there stays, and what the person removed comes back."""
    try:
        read = json.loads(note.read_bytes()) if note.is_file() else {}
    except ValueError:
        return {}
    return {str(name): str(value) for name, value in read.items()} if isinstance(read, dict) else {}


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not IGNORED.intersection(path.parts) and path.suffix != ".pyc":
            yield path


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
