"""Remembers which components were found honest, by everything the finding depends on: a repeated run pays nothing."""

import hashlib
import json
import platform
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np

from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.components import ComponentSpec
from sptrader_desktop.core.rules import EventTable
from sptrader_desktop.core.strategy import Scalar
from sptrader_desktop.ports import Values
from sptrader_desktop.runtime.whole_files import write_whole

PACKAGE = Path(__file__).resolve().parent.parent
# The checks, and what of ours components compute with.
OURS = ("runtime/honesty*.py", "sdk/*.py", "core/*.py")
LIBRARIES = ("numpy", "pandas")
MOST_KEPT = 10_000


class HonestyMemory:
    """One small file for each finding. Failures are not kept: whoever mends a component changes its source."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rules = _rules_hash()

    def key(self, spec: ComponentSpec, params: Mapping[str, Scalar], source: str, candles: Candles) -> str | None:
        """None for candles that nobody could recognise."""
        if not candles.fingerprint:
            return None
        given = {name: str(value) for name, value in spec.given(params).items()}
        parts = [self._rules, spec.dotted, source, given, candles.symbol, candles.timeframe, candles.fingerprint]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def answer(self, key: str | None) -> str | None:
        """The hash of the answer that was found honest; what cannot be read was never found."""
        if key is None:
            return None
        try:
            found = json.loads((self._folder / f"{key}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        answer = found.get("answer") if isinstance(found, dict) else None
        return answer if isinstance(answer, str) else None

    def keep(self, key: str, spec: ComponentSpec, answer: str) -> None:
        """What cannot be kept is found again next time."""
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            self._clear()
            write_whole(self._folder / f"{key}.json", json.dumps({"component": spec.dotted, "answer": answer}).encode())

    def _clear(self) -> None:
        """The older half goes when there are too many; whoever clears at the same time is not in the way."""
        held = [*self._folder.glob("*.json")]
        if len(held) >= MOST_KEPT:
            times = {}
            for path in held:
                with suppress(OSError):
                    times[path] = path.stat().st_mtime_ns
            for path in sorted(times, key=times.__getitem__)[: MOST_KEPT // 2]:
                path.unlink(missing_ok=True)


def answer_hash(result: EventTable | Values) -> str:
    """To the bit."""
    columns: Mapping[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]]
    if isinstance(result, EventTable):
        columns = {"bar": result.bar, "type": result.type, "strength": result.strength, **result.metadata}
    else:
        columns = result
    digest = hashlib.sha256()
    for name, column in columns.items():
        digest.update(f"{name} {column.dtype} {len(column)}\n".encode() + _content(column))
    return digest.hexdigest()


def _content(column: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> bytes:
    if column.dtype.kind != "O":
        return column.tobytes()
    values = column.tolist()
    try:
        return b"texts\0" + "\0".join(values).encode()  # nearly always, and for millions at once
    except TypeError:
        return "\0".join(map(repr, values)).encode()


@cache
def _rules_hash() -> str:
    """The checks themselves, and all that components compute with beside what their authors installed."""
    digest = hashlib.sha256("".join(f"{name} {version(name)} " for name in LIBRARIES).encode() + platform.python_version().encode())
    for source in sorted(path for pattern in OURS for path in PACKAGE.glob(pattern)):
        digest.update(source.read_bytes())
    return digest.hexdigest()
