"""Where the compiled rules are kept, and the promise that they are never older than their source.

numba keeps machine code per file and does not see that a function called from another file has changed: it would trade by
the old rule. So every state of the compiled rules and all they import, numba, Python and processor gets a folder of its own,
chosen before numba is imported.
"""

import hashlib
import os
import platform
import re
import shutil
import sys
import time
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path

CORE = Path(__file__).resolve().parent.parent / "core"
FOLDERS_KEPT = 4
UNUSED_SECONDS = 24 * 3600
KEY = re.compile("[0-9a-f]{20}")
IMPORT = re.compile(r"^ *(?:from|import) sptrader_desktop\.core(?:\.(\w+)| import (.+))", re.MULTILINE)
COMPILER = re.compile(r"^ *(?:import numba|from numba|from sptrader_desktop\.core\.compiled)", re.MULTILINE)


def cache_key(core: Path = CORE) -> str:
    """A hash of everything that decides what machine code the rules become."""
    digest = hashlib.sha256()
    for source in compiled_sources(core):
        digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    for fact in (version("numba"), version("llvmlite"), version("numpy"), sys.version, platform.machine(), _processor()):
        digest.update(fact.encode() + b"\0")
    return digest.hexdigest()[:20]


@cache
def _own_key() -> str:
    """Asked once: should the sources change while this process lives, it still runs what it has loaded."""
    return cache_key()


def compiled_sources(core: Path = CORE) -> list[Path]:
    """What is compiled, and all of core it imports, however far: a rule that is never compiled costs nobody a minute when it changes."""
    texts = {source.stem: source.read_text(encoding="utf-8") for source in core.glob("*.py")}
    found: set[str] = set()
    waiting = {"__init__", *(name for name, text in texts.items() if COMPILER.search(text))}
    while waiting:
        found |= waiting
        named = {name for source in waiting for match in IMPORT.findall(texts[source]) for name in re.findall(r"\w+", " ".join(match))}
        waiting = (named & texts.keys()) - found
    return sorted(core / f"{name}.py" for name in found)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return "\n".join(sorted({line for line in lines if line.startswith(("model name", "flags"))}))


def use_kernel_cache(root: Path) -> Path:
    """Point numba at the folder of this state of the rules; call before anything imports numba."""
    if "numba" in sys.modules and os.environ.get("NUMBA_CACHE_DIR") is None:
        raise RuntimeError("numba was imported before its cache was chosen: an old rule could be run")
    folder = root / _own_key()
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["NUMBA_CACHE_DIR"] = str(folder)
    _forget_old(root, folder)
    return folder


def is_compiled(folder: Path, core: Path = CORE) -> bool:
    """Has the engine been compiled into this folder? Of a file that was only touched numba compiles all again: here the kernel's."""
    written = (core / "kernel.py").stat().st_mtime
    return any(index.stat().st_mtime >= written for index in folder.rglob("kernel.advance-*.nbi"))


def _forget_old(root: Path, current: Path) -> None:
    """Only folders that carry our name for them, long unused: another version may be running, and the root may hold other things."""
    with suppress(OSError):  # compiled by somebody else, and not ours to write
        os.utime(current)
    ours = [(item.stat().st_mtime, item) for item in root.iterdir() if KEY.fullmatch(item.name) and item.is_dir()]
    for used, stale in sorted(ours, reverse=True)[FOLDERS_KEPT:]:
        if time.time() - used > UNUSED_SECONDS:
            shutil.rmtree(stale, ignore_errors=True)
