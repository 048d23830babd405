"""What the spread of each symbol usually is: the median of its last quotes, which is only looked for when somebody asks."""

from collections import deque
from statistics import median_low
from typing import NamedTuple

REMEMBERED, ENOUGH = 100, 20


class Spread(NamedTuple):
    """In ticks. `usual` is at least one, so that a market that mostly has none may have one."""

    now: int
    usual: int


class Spreads:
    def __init__(self) -> None:
        self._last: dict[str, deque[int]] = {}

    def add(self, symbol: str, spread: int) -> None:
        known = self._last.get(symbol)
        if known is None:
            known = self._last[symbol] = deque(maxlen=REMEMBERED)
        known.append(spread)

    def of(self, symbol: str) -> Spread | None:
        """None before enough quotes are known, and where prices have no bid and ask."""
        known = self._last.get(symbol)
        return Spread(known[-1], max(1, median_low(known))) if known is not None and len(known) >= ENOUGH else None
