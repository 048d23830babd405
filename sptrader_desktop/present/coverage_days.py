"""How many of the bars of each trading day are there, for a calendar of coverage: days begin at 17:00 in New York.

A bar belongs to the day in which its middle lies, and so does a bar that is missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from sptrader_desktop.core.calendar import DAY_US, HOUR_US
from sptrader_desktop.core.candles import Int64Array
from sptrader_desktop.present.market_hours import Closures, gaps, market_hours, rolls


@dataclass(frozen=True, slots=True, eq=False)
class DayFindings:
    """Of one kind: on which of the days, by their place, and how many rows."""

    places: Int64Array
    counts: Int64Array


@dataclass(frozen=True, slots=True, eq=False)
class CoverageDays:
    """One entry for every day from the first to the last, counted from 1970-01-01; `opens` is when each begins, in microseconds UTC.

    `present` of `expected` count open hours only, `bars` all there are.
    """

    days: Int64Array
    opens: Int64Array
    present: Int64Array
    expected: Int64Array
    bars: Int64Array
    found: Mapping[str, DayFindings] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.days)


_NONE: Int64Array = np.empty(0, np.int64)
NO_DAYS = CoverageDays(_NONE, _NONE, _NONE, _NONE, _NONE)


def covered(stamps: Int64Array, bar_us: int, every_day: bool) -> tuple[int, int]:
    """How many bars are present, and how many the market could have made between the first and the last; of ascending stamps."""
    closed = market_hours(stamps, bar_us, every_day).closed
    present = int(np.count_nonzero(~closed.hold(stamps + bar_us // 2)))
    return present, present + int(gaps(stamps, bar_us, closed).bars.sum())


def coverage_days(stamps: Int64Array, bar_us: int, every_day: bool, marked: Mapping[str, Int64Array]) -> CoverageDays:
    """Of ascending stamps, each there once; `marked` are the stamps of the rows of each kind of finding."""
    if not len(stamps):
        return NO_DAYS
    middles, closed = stamps + bar_us // 2, market_hours(stamps, bar_us, every_day).closed
    days, opens = rolls(int(middles[0]), int(middles[-1]))
    first, last = (int(np.searchsorted(opens, middles[end], side="right")) - 1 for end in (0, -1))
    days, opens, bounds = days[first : last + 1], opens[first : last + 1], opens[first : last + 2]
    present = _by_day(middles[~closed.hold(middles)], bounds)
    missing = _missing(stamps, bar_us, closed, bounds)
    found = {kind: _places(_by_day(at + bar_us // 2, bounds)) for kind, at in marked.items() if len(at)}
    return CoverageDays(days, opens, present, present + missing, _by_day(middles, bounds), found)


def _by_day(middles: Int64Array, bounds: Int64Array) -> Int64Array:
    places = np.searchsorted(bounds, middles, side="right") - 1
    inside = places[(places >= 0) & (places < len(bounds) - 1)]
    return np.bincount(inside, minlength=len(bounds) - 1).astype(np.int64)


def _places(counts: Int64Array) -> DayFindings:
    places = np.flatnonzero(counts)
    return DayFindings(places, counts[places])


def _missing(stamps: Int64Array, bar_us: int, closed: Closures, bounds: Int64Array) -> Int64Array:
    missing: Int64Array = np.zeros(len(bounds) - 1, np.int64)
    found = gaps(stamps, bar_us, closed)
    steps = np.diff(stamps)[found.row] + (HOUR_US if bar_us % DAY_US == 0 else 0)
    counts, middles = steps // bar_us - 1, stamps[found.row] + bar_us // 2
    first, last = (np.searchsorted(bounds, middles + bar_us * times, side="right") - 1 for times in (1, counts))
    within = first == last
    np.add.at(missing, first[within], found.bars[within])
    for middle, count in zip(middles[~within].tolist(), counts[~within].tolist(), strict=True):
        _spread(missing, middle, count, bar_us, closed, bounds)
    return missing


def _spread(missing: Int64Array, middle: int, count: int, bar_us: int, closed: Closures, bounds: Int64Array) -> None:
    """The slots `middle + bar, middle + 2 bar … middle + count bar` of one gap over the days, closed ones left out."""
    past = middle + count * bar_us + 1
    cuts = np.concatenate([bounds, closed.start, closed.end])
    edges = np.unique(np.concatenate([[middle], cuts[(cuts > middle) & (cuts < past)], [past]]))
    slots = np.diff(np.clip(-((middle - edges) // bar_us) - 1, 0, count))
    begins = edges[:-1]
    closing = np.searchsorted(closed.end, begins, side="right")
    is_closed = np.append(closed.start, past)[closing] <= begins
    days = np.clip(np.searchsorted(bounds, begins, side="right") - 1, 0, len(missing) - 1)
    np.add.at(missing, days[~is_closed], slots[~is_closed])
