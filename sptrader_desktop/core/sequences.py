"""The numbers that publishers give their messages, one after the other: what is missing between two of them was lost on the way."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from sptrader_desktop.core.signals import Signal

MOST_PUBLISHERS = 10_000  # anybody may invent names
MOST_BEYOND = 20_000


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


@dataclass(slots=True)
class Unjudged:
    """What was read of publishers and has no outcome yet, by their numbers. Of whom too much is out of order it knows nothing."""

    _read: dict[str, tuple[int, int]] = field(default_factory=dict)  # after the first, to the last
    _judged: dict[str, set[int]] = field(default_factory=dict)

    def read(self, publisher: str, before: int, last: int) -> None:
        self._read[publisher] = (self._read.get(publisher, (before, 0))[0], last)

    def judged(self, publisher: str, number: int) -> None:
        """Or read again, so that it will be."""
        if number < 0:
            return
        numbers = self._judged.setdefault(publisher, set())
        numbers.add(number)
        if len(numbers) > MOST_BEYOND:
            del self._judged[publisher]
            self._read.pop(publisher, None)

    def holds(self, signal: Signal) -> bool:
        name = signal.publisher or ""
        before, last = self._read.get(name, (0, 0))
        return signal.seq is not None and before < signal.seq <= last and signal.seq not in self._judged.get(name, ())

    def spans(self) -> list[Gap]:
        found = list[Gap]()
        for name, (before, last) in self._read.items():
            known = sorted(number for number in self._judged.get(name, ()) if before < number <= last)
            ends = pairwise([before, *known, last + 1])
            found += [Gap(name, below + 1, above - 1) for below, above in ends if above > below + 1]
        return found
