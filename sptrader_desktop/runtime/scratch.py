"""A folder for files that live no longer than this process: in memory where there is room, and swept up later if we die."""

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

import psutil

PREFIX = "sptrader-scratch-"
IN_MEMORY = Path("/dev/shm")
LEAST_FREE = 256 * 1024 * 1024


def make_scratch(fallback: Path) -> Path:
    """`fallback` is where it goes on machines that keep no files in memory; where that cannot be written, among the temporary files."""
    sweep(fallback)
    for base in (IN_MEMORY, fallback) if _has_room(IN_MEMORY) else (fallback,):
        with suppress(OSError):
            return _made(base)
    return _made(Path(tempfile.gettempdir()))


def _made(base: Path) -> Path:
    base.mkdir(parents=True, exist_ok=True)
    sweep(base)
    return Path(tempfile.mkdtemp(prefix=f"{PREFIX}{owner()}-", dir=base))


def sweep(base: Path) -> None:
    """What processes left that are no more."""
    for folder in base.glob(f"{PREFIX}*"):
        if is_gone(folder.name.removeprefix(PREFIX).rpartition("-")[0]):
            shutil.rmtree(folder, ignore_errors=True)


def owner() -> str:
    """This process among all there ever were: its number, when it started, and in what space the number counts."""
    return f"{_namespace()}-{os.getpid()}-{_started(os.getpid())}"


def is_gone(name: str) -> bool:
    """Of an owner of another space, or of a name that is none, nothing is known."""
    namespace, pid, started, *_ = [*name.split("-"), "", ""]
    return namespace == _namespace() and pid.isdecimal() and _started(int(pid)) != started


def _has_room(place: Path) -> bool:
    return place.is_dir() and os.access(place, os.W_OK) and shutil.disk_usage(place).free >= LEAST_FREE


def _namespace() -> str:
    space = Path("/proc/self/ns/pid")
    return str(space.stat().st_ino) if space.exists() else "0"


def _started(pid: int) -> str:
    try:
        return str(int(psutil.Process(pid).create_time() * 100))
    except psutil.Error:
        return ""
