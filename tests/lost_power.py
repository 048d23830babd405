"""What a disk may hold after the power went, rebuilt from a trace of system calls.

Every sector shows any of its states since its file was last synced, and of names that changed only the first changes may have come through.
"""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SECTOR = 512
TRACED = "trace=openat,rename,unlink,lseek,pwrite64,write,fsync,fdatasync"
CALL = re.compile(r"^\d+ +(\w+)\((.*)\) += (\d+)", re.MULTILINE)
TEXT = r"((?:\\x[0-9a-f]{2})*)"


@dataclass
class File:
    synced: bytes = b""
    writes: list[tuple[int, bytes]] = field(default_factory=list)
    place: int = 0

    def whole(self) -> bytes:
        content = self.synced
        for at, piece in self.writes:
            content = laid(content, at, piece)
        return content

    def sync(self) -> None:
        self.synced, self.writes = self.whole(), []

    def left(self, dice: random.Random) -> bytes:
        """Whoever is lucky keeps all, or nothing of what was not synced; others any mixture."""
        luck = dice.choice((0.0, 0.5, 0.9, 1.0))
        content = self.synced
        states: dict[int, int] = {}
        for number, (at, piece) in enumerate(self.writes):
            for sector in range(at // SECTOR, (at + len(piece) - 1) // SECTOR + 1):
                states.setdefault(sector, -1)
                if dice.random() < luck:
                    states[sector] = number
        for sector in sorted(states):
            for at, piece in self.writes[: states[sector] + 1]:
                start, end = max(at, sector * SECTOR), min(at + len(piece), (sector + 1) * SECTOR)
                if start < end:
                    content = laid(content, start, piece[start - at : end - at])
        return content


def laid(content: bytes, at: int, piece: bytes) -> bytes:
    content = content.ljust(at, b"\0")
    return content[:at] + piece + content[at + len(piece) :]


@dataclass
class Folder:
    """`names` as the programs see them; `synced` and what changed since as the disk does."""

    names: dict[str, File] = field(default_factory=dict)
    synced: dict[str, File] = field(default_factory=dict)
    changes: list[dict[str, File]] = field(default_factory=list)

    def change(self) -> None:
        self.changes.append(dict(self.names))

    def sync(self) -> None:
        self.synced, self.changes = dict(self.names), []

    def left(self, dice: random.Random) -> dict[str, bytes]:
        names = dice.choice([self.synced, *self.changes])
        return {name: file.left(dice) for name, file in names.items()}


def images(trace: str, place: Path, times: int, seed: int) -> Iterator[tuple[int, dict[str, bytes]]]:
    """The last number that was told on standard output before, and the files of the folder."""
    dice = random.Random(seed)
    folder, told = Folder(), 0
    calls = CALL.findall(trace)
    for name, arguments, answer in calls:
        told = follow(folder, place, name, arguments, int(answer)) or told
        for _ in range(int(times / len(calls) + dice.random())):
            yield told, folder.left(dice)


def follow(folder: Folder, place: Path, call: str, arguments: str, answer: int) -> int:
    """What was told by this call, if it was that."""
    texts = [Path(decoded(text).decode()) for text in re.findall(rf'"{TEXT}"', arguments)] if call in {"openat", "rename", "unlink"} else []
    if call == "openat":
        if texts[0].parent == place and "O_CREAT" in arguments and counts(texts[0].name):
            open_file(folder, texts[0].name, is_new="O_TRUNC" in arguments)
    elif call == "unlink":
        if texts[0].parent == place and texts[0].name in folder.names:
            del folder.names[texts[0].name]
            folder.change()
    elif call == "rename":
        if texts[0].parent == place:
            folder.names[texts[1].name] = folder.names.pop(texts[0].name)
            folder.change()
    else:
        return write_or_sync(folder, place, call, arguments, answer)
    return 0


def counts(name: str) -> bool:
    return not name.endswith((".lock", ".reserve"))


def open_file(folder: Folder, name: str, *, is_new: bool) -> None:
    if name not in folder.names:
        folder.names[name] = File()
        folder.change()
    elif is_new:
        raise AssertionError(f"{name} is emptied, which this model does not know")


def write_or_sync(folder: Folder, place: Path, call: str, arguments: str, answer: int) -> int:
    number, path = re.match(rf"(\d+)<{TEXT}>", arguments).groups()  # type: ignore[union-attr]
    where = Path(decoded(path).decode())
    file = folder.names.get(where.name) if where.parent == place else None
    written = re.search(rf'"{TEXT}"', arguments)
    if number == "1" and written:
        return int(decoded(written[1]))
    if where == place:
        folder.sync()
    elif file and call == "lseek":
        file.place = answer
    elif file and call in {"fsync", "fdatasync"}:
        file.sync()
    elif file and written:
        at = int(arguments.rsplit(",", 1)[1]) if call == "pwrite64" else file.place
        file.writes.append((at, decoded(written[1])))
        file.place = at + answer
    return 0


def decoded(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))
