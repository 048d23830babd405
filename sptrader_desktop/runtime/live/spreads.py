"""What the spread of each symbol usually is: the median of its last 240 quarter-minutes that had a quote, an hour while there are quotes,
however many there are a second. A session's first minutes say by their quotes what little is known.
"""

from collections import deque
from statistics import median_low
from typing import NamedTuple

from sptrader_desktop.runtime.live.clock import SECOND_US

ENOUGH, EVERY_US = 20, 15 * SECOND_US
REMEMBERED = 240


class Spread(NamedTuple):
    """In ticks. `usual` is at least one, so that a market that mostly has none may have one."""

    now: int
    usual: int


class _Known:
    """Of one symbol. Until enough quarter-minutes are known, `first` is the least that was usual for twenty quotes in a row: a session that
    begins in a wide market learns better as soon as that narrows, and one that runs into a wide market keeps to what it knew."""

    def __init__(self) -> None:
        self.now = 0
        self.first: int | None = None
        self._last = deque[int](maxlen=ENOUGH)
        self._seldom = deque[int](maxlen=REMEMBERED)
        self._counted_at = -EVERY_US  # so that the first counts

    def add(self, spread: int, at: int) -> None:
        self.now = spread
        if not 0 <= at - self._counted_at < EVERY_US:  # a clock may be set back
            self._seldom.append(spread)
            self._counted_at = at
        if len(self._seldom) < ENOUGH:
            self._last.append(spread)
            if len(self._last) == ENOUGH:
                usual = median_low(self._last)
                self.first = usual if self.first is None else min(self.first, usual)

    def usual(self) -> int | None:
        return median_low(self._seldom) if len(self._seldom) >= ENOUGH else self.first


class Spreads:
    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}

    def add(self, symbol: str, spread: int, at: int) -> None:
        if symbol not in self._known:
            self._known[symbol] = _Known()
        self._known[symbol].add(spread, at)

    def of(self, symbol: str) -> Spread | None:
        """None before enough quotes are known, and where prices have no bid and ask."""
        known = self._known.get(symbol)
        usual = known.usual() if known is not None else None
        return Spread(known.now, max(1, usual)) if known is not None and usual is not None else None
