"""The numbers that publishers give their messages, one after the other: what is missing between two of them was lost on the way."""

from collections.abc import Mapping
from dataclasses import dataclass

from sptrader_desktop.core.signals import Signal

MOST_PUBLISHERS = 10_000  # anybody may invent names


@dataclass(frozen=True, slots=True)
class Gap:
    """`first` to `last` never came. A number may still come late: then its signal is stale."""

    publisher: str
    first: int
    last: int

    @property
    def missing(self) -> int:
        return self.last - self.first + 1


class Sequences:
    """The last number of each publisher; messages without a publisher's name count as those of one."""

    def __init__(self, last: Mapping[str, int]) -> None:
        self._last = dict(list(last.items())[-MOST_PUBLISHERS:])

    @property
    def last(self) -> Mapping[str, int]:
        return dict(self._last)

    def seen(self, signal: Signal) -> Gap | None:
        """What is missing before it."""
        if signal.seq is None or self.is_stale(signal):
            return None
        name = signal.publisher or ""
        before = self._last.pop(name, None)
        self._last[name] = signal.seq  # at the end: the one not heard of for longest is forgotten first
        if len(self._last) > MOST_PUBLISHERS:
            del self._last[next(iter(self._last))]
        is_whole = before is None or signal.seq == before + 1
        return None if is_whole or before is None else Gap(name, before + 1, signal.seq - 1)

    def is_stale(self, signal: Signal) -> bool:
        """A later one of its publisher is known already: it was sent twice, or came late."""
        before = self._last.get(signal.publisher or "")
        return signal.seq is not None and before is not None and signal.seq <= before
