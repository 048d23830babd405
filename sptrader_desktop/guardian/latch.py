"""That somebody stopped everything, on disk until a person re-arms; and what the guardian must remember through its own death.

A latch that cannot be read is a latch: whoever stopped it meant it.
"""

import json
import os
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sptrader_desktop.guardian.lines import Name


@dataclass(frozen=True, slots=True)
class Latch:
    """`closes` are those that were sent and not yet answered, by id, with their position; `since` is the broker's number before them."""

    at: str
    by: str
    flatten: bool
    since: int = 0
    closes: dict[str, Name] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Account:
    """What the core last said in its hello, and where its broker is."""

    name: str
    since: int
    broker: str = ""


def new_latch(by: str, *, flatten: bool) -> Latch:
    return Latch(datetime.now(UTC).isoformat(timespec="milliseconds"), by, flatten)


def read_latch(path: Path) -> Latch | None:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        return Latch("", f"somebody: {path.name} cannot be read ({error.strerror})", flatten=False)
    try:
        return _latch(json.loads(content))
    except (ValueError, TypeError, RecursionError):
        return Latch("", f"somebody: {path.name} holds something else", flatten=False)


def _latch(found: object) -> Latch:
    match found:
        case {"at": str(at), "by": str(by), "flatten": bool(flatten), "since": int(since), "closes": dict(closes)}:
            if all(isinstance(position, str | int) for position in closes.values()):
                return Latch(at, by, flatten, since, closes)
    raise ValueError("no latch")


def write_latch(path: Path, latch: Latch | None) -> None:
    """On the disk itself when it returns, and so is its removal."""
    if latch is None:
        path.unlink(missing_ok=True)
        _flush_folder(path.parent)
    else:
        write_durably(path, asdict(latch))


def read_account(path: Path) -> Account | None:
    """A folder that was copied or moved has another broker than the one that was written down in it."""
    try:
        match json.loads(path.read_bytes()):
            case {"name": str(name), "since": int(since), "broker": str(broker), "folder": str(folder)} if folder == str(path.parent):
                return Account(name, since, broker)
            case {"name": str(name), "since": int(since)}:
                return Account(name, since)
    except (OSError, ValueError, RecursionError):
        pass
    return None


def write_account(path: Path, account: Account) -> None:
    write_durably(path, asdict(account) | {"folder": str(path.parent)})


def write_durably(path: Path, content: dict[str, object]) -> None:
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(json.dumps(content, indent=1).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    _flush_folder(path.parent)


def _flush_folder(folder: Path) -> None:
    """Windows forces names to disk by itself and cannot open a folder."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
