"""What the spread of each symbol usually is: the median of the last hour, whatever number of quotes a second it has, which is only
looked for when somebody asks. A session's first quotes count each, so that something is known soon."""

from collections import deque
from statistics import median_low
from typing import NamedTuple

from sptrader_desktop.runtime.live.clock import SECOND_US

ENOUGH, EVERY_US = 20, 15 * SECOND_US
REMEMBERED = 240  # one in so many seconds makes an hour


class Spread(NamedTuple):
    """In ticks. `usual` is at least one, so that a market that mostly has none may have one."""

    now: int
    usual: int


class Spreads:
    def __init__(self) -> None:
        self._now: dict[str, int] = {}
        self._known: dict[str, deque[int]] = {}
        self._due: dict[str, int] = {}  # when the next one counts

    def add(self, symbol: str, spread: int, at: int) -> None:
        self._now[symbol] = spread
        if at >= self._due.get(symbol, 0):
            known = self._known.setdefault(symbol, deque(maxlen=REMEMBERED))
            known.append(spread)
            self._due[symbol] = at + EVERY_US if len(known) >= ENOUGH else at

    def of(self, symbol: str) -> Spread | None:
        """None before enough quotes are known, and where prices have no bid and ask."""
        known = self._known.get(symbol, ())
        return Spread(self._now[symbol], max(1, median_low(known))) if len(known) >= ENOUGH else None
