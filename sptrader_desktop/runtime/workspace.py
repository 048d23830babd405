"""The person's workspace: filled once with what came with the program, brought up to date later, and never at the cost of an edit."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

NOTE = ".shipped.json"
IGNORED = {"__pycache__", ".DS_Store"}


def fill_workspace(workspace: Path, shipped: Mapping[str, Path]) -> list[Path]:
    """Copy each shipped folder to the place it is named for (`.` is the workspace itself). Files the person changed or removed stay so."""
    note = workspace / NOTE
    before: dict[str, str] = json.loads(note.read_text()) if note.is_file() else {}
    now, written = dict(before), []
    for place, folder in shipped.items():
        for source in _files(folder):
            name = (Path(place) / source.relative_to(folder)).as_posix()
            target, ours = workspace / name, _hash(source)
            untouched = target.is_file() and before.get(name) == _hash(target)
            if (name not in before and not target.exists()) or (untouched and before[name] != ours):
                _copy(source, target)
                written.append(target)
            if name not in before or untouched:
                now[name] = ours
    if now != before:
        workspace.mkdir(parents=True, exist_ok=True)
        temporary = note.with_suffix(".tmp")
        temporary.write_text(json.dumps(now, indent=1, sort_keys=True))
        os.replace(temporary, note)
    return written


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not IGNORED.intersection(path.parts) and path.suffix != ".pyc":
            yield path


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(target.name + ".tmp")
    shutil.copyfile(source, temporary)
    os.replace(temporary, target)
