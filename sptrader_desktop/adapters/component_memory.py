"""Answers that were computed once: by what key they are found again, and a small memory of the latest."""

import hashlib
import json
import platform
import threading
from collections import OrderedDict
from functools import cache
from importlib.metadata import version
from pathlib import Path

from sptrader_desktop.adapters.component_checks import Believed
from sptrader_desktop.core.components import ComponentSpec
from sptrader_desktop.ports import ComponentJob

REMEMBERED_BYTES = 256 * 1024 * 1024
PACKAGE = Path(__file__).resolve().parent.parent
# What stands between a script and its answer beside the script itself.
BETWEEN = ("core/*.py", "sdk/*.py", "adapters/component_*.py", "adapters/arrow_components.py", "adapters/arrow_frames.py")


def result_key(spec: ComponentSpec, job: ComponentJob, fingerprint: str) -> str:
    """Empty for what must really be computed. `fingerprint` is that of the component's sources."""
    if job.attempt or not job.candles.fingerprint:
        return ""
    params = {name: str(value) for name, value in spec.given(job.params).items()}
    parts = [spec.dotted, fingerprint, params, job.candles.fingerprint, surroundings()]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@cache
def surroundings() -> str:
    digest = hashlib.sha256()
    for pattern in BETWEEN:
        for path in sorted(PACKAGE.glob(pattern)):
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    versions = [platform.python_version(), platform.machine(), *map(version, ("numpy", "pandas", "pyarrow"))]
    return " ".join([digest.hexdigest(), *versions])


class ResultMemory:
    """The least recently used go first; an empty key is never kept."""

    def __init__(self, most_bytes: int = REMEMBERED_BYTES) -> None:
        self._most, self._held = most_bytes, 0
        self._kept: OrderedDict[str, Believed] = OrderedDict()
        self._guard = threading.Lock()

    def get(self, key: str) -> Believed | None:
        with self._guard:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def put(self, key: str, made: Believed) -> None:
        if not key:
            return
        with self._guard:
            before = self._kept.pop(key, None)
            self._kept[key] = made
            self._held += _size(made) - (_size(before) if before else 0)
            while self._held > self._most and len(self._kept) > 1:
                self._held -= _size(self._kept.popitem(last=False)[1])


def _size(made: Believed) -> int:
    return sum(array.nbytes for array in made.columns.arrays) + 8 * made.columns.rows + 1024
