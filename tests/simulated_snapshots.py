"""Snapshots that are only remembered, and what of a session must be the same with them and without."""

from collections import deque
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any

import numpy as np

from sptrader_desktop.runtime.live.session import Session
from sptrader_desktop.runtime.live.snapshots import Snapshot


class SimulatedSnapshots:
    """The newest two, as on a disk."""

    def __init__(self) -> None:
        self.kept: list[Snapshot] = []
        self.refused: list[str] = []
        self.is_busy = False

    def found(self) -> Iterator[Snapshot]:
        self.refused.clear()
        return iter(self.kept[::-1])

    def begin(self, base: Snapshot | None) -> None:
        self.kept = self.kept[: self.kept.index(base) + 1] if base else []

    def keep(self, seq: int, head: bytes, written: Callable[[], bytes]) -> None:
        self.kept = [*self.kept[-1:], Snapshot(seq, head, written())]

    def close(self) -> None:
        """Nothing is held."""


def everything(session: Session, *others: object) -> dict[str, str]:
    """All attributes of all that a session is made of, however deep, without asking the memory under test what there is."""
    found: dict[str, str] = {}
    seen: set[int] = set()
    for name, owner in {"session": session, "account": session.account, **{f"other {n}": each for n, each in enumerate(others)}}.items():
        _walk(name, owner, found, seen)
    return found


UNLIKE = {"_snapshots", "journal", "lent", "_roomy", "instruments", "_judged", "_said"}  # of this process, or for the memory itself


def _walk(path: str, value: Any, found: dict[str, str], seen: set[int]) -> None:
    if callable(value) or path.rpartition(".")[2] in UNLIKE:
        return
    if isinstance(value, np.ndarray):
        found[path] = f"{value.dtype} {value.shape} {value.tobytes().hex()}"
    elif isinstance(value, memoryview):
        found[path] = value.tobytes().hex()
    elif isinstance(value, Enum | str | int | float | bytes | None):
        found[path] = f"{type(value).__name__} {value!r}"
    elif isinstance(value, dict):
        found[path] = repr(list(value))
        for key, each in value.items():
            _walk(f"{path}[{key!r}]", each, found, seen)
    elif isinstance(value, tuple | list | deque | set):
        found[path] = f"{type(value).__name__} of {len(value)}"
        for number, each in enumerate(value):
            _walk(f"{path}[{number}]", each, found, seen)
    elif id(value) not in seen:
        seen.add(id(value))
        found[path] = type(value).__name__
        names = getattr(value, "__slots__", None) or vars(value)
        for name in names:
            _walk(f"{path}.{name}", getattr(value, name), found, seen)


def first_unlike(ours: dict[str, str], theirs: dict[str, str]) -> str | None:
    for path in sorted(ours.keys() | theirs.keys()):
        if ours.get(path) != theirs.get(path):
            return f"{path} is {ours.get(path, 'not there')[:200]}, and should be {theirs.get(path, 'not there')[:200]}"
    return None
