"""By which clock a file's stamps were made: the weekend of the market is seen in every source, and it is 17:00 to 17:00 in New York.

A suspicion, never a correction: it says which clocks fit; what becomes of the stamps is for a person to decide.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sptrader_desktop.adapters.zoneinfo_clocks import clock_named, nearest_utc
from sptrader_desktop.core.calendar import DAY_US, HOUR_US
from sptrader_desktop.core.candles import Int64Array
from sptrader_desktop.present.market_hours import week_ends

LONGEST_BAR_US = HOUR_US
FEWEST_WEEKENDS = 1
LATE_US = 2 * HOUR_US  # a source may open so late and close so early
FITTING, BETTER = 0.7, 0.5  # so many weekends must fit another clock, and so many more than fit this one
EQUALLY = 0.98
USUAL = 0.5  # so many weeks must be as they should before others are called exceptions
MOST_HOURS = 14
ZONES = ("Europe/Athens", "America/New_York", "Europe/London")
CHARTS_OF_NEW_YORK = "America/New_York+7"  # a server clock on which the day ends when New York's does


@dataclass(frozen=True, slots=True, eq=False)
class Weekends:
    """How far the silence around each weekend begins after the market's close and ends after its open; `middle` of the closure."""

    close: Int64Array
    open: Int64Array
    last_end: Int64Array
    next_open: Int64Array
    middle: Int64Array


def weekends(stamps: Int64Array, bar_us: int) -> Weekends:
    """Of ascending stamps: the longest silence of more than a day about each weekend."""
    steps = np.diff(stamps)
    rows = np.flatnonzero(steps - bar_us > DAY_US)
    if not len(rows):
        return Weekends(*(np.empty(0, np.int64) for _ in range(5)))
    closed = week_ends(int(stamps[0]), int(stamps[-1]))
    middles = (closed.start + closed.end) // 2
    centre = (stamps[rows] + bar_us + stamps[rows + 1]) // 2
    after = np.clip(np.searchsorted(middles, centre), 1, len(middles) - 1)
    nearest = after - (centre - middles[after - 1] < middles[after] - centre)
    order = np.lexsort((-steps[rows], nearest))
    first = np.append(True, np.diff(nearest[order]) > 0)
    chosen = order[first]
    chosen = chosen[np.abs(centre[chosen] - middles[nearest[chosen]]) <= (MOST_HOURS + 4) * HOUR_US]
    rows, nearest = rows[chosen], nearest[chosen]
    ends, opens = stamps[rows] + bar_us, stamps[rows + 1]
    return Weekends(ends - closed.start[nearest], opens - closed.end[nearest], ends, opens, middles[nearest])


def offset_text(hours: int) -> str:
    return f"{'-' if hours < 0 else '+'}{abs(hours):02d}:00"


def _fits(close: Int64Array, opened: Int64Array, by: int = 0) -> NDArray[np.bool_]:
    """Closing in time or early, opening in time or late, each by two hours at most; a clock that is off breaks one of the two."""
    late, early = close - by, opened - by
    return np.asarray((late <= 0) & (late >= -LATE_US) & (early >= 0) & (early <= LATE_US))


@dataclass(frozen=True, slots=True)
class OtherClock:
    """`zones` fit about equally well, the likeliest first: of a few weeks several do, and a late open looks like an early close."""

    zones: tuple[str, ...]
    fitting: int
    fitting_utc: int
    weekends: int

    def utc(self, stamps: Int64Array) -> Int64Array:
        return nearest_utc(stamps, clock_named(self.zones[0]))


def other_clock(seen: Weekends) -> OtherClock | None:
    count = len(seen.close)
    if count < FEWEST_WEEKENDS:
        return None
    as_utc = int(np.count_nonzero(_fits(seen.close, seen.open)))
    market_close, market_open = seen.last_end - seen.close, seen.next_open - seen.open
    scores: dict[str, tuple[int, float]] = {}
    for zone in (*map(offset_text, (n for n in range(-MOST_HOURS, MOST_HOURS + 1) if n)), CHARTS_OF_NEW_YORK, *ZONES):
        clock = clock_named(zone)
        close, opened = nearest_utc(seen.last_end, clock) - market_close, nearest_utc(seen.next_open, clock) - market_open
        fitting = _fits(close, opened)
        scores[zone] = (int(np.count_nonzero(fitting)), -float(np.abs(close[fitting]).sum() + np.abs(opened[fitting]).sum()))
    ranked = sorted(scores, key=lambda zone: scores[zone], reverse=True)
    top = scores[ranked[0]][0]
    if top < FITTING * count or top < as_utc + BETTER * count:
        return None
    return OtherClock(tuple(zone for zone in ranked if scores[zone][0] >= EQUALLY * top), top, as_utc, count)


def is_close_stamped(seen: Weekends, bar_us: int) -> bool:
    """The last stamp of most weeks is the close itself, and hardly a week has one at the open."""
    if len(seen.close) < FEWEST_WEEKENDS:
        return False
    return bool(np.mean(seen.close == bar_us) >= USUAL and np.mean(seen.open >= bar_us) >= 0.9)


@dataclass(frozen=True, slots=True)
class Jump:
    """Between two weekends everything is `hours` late (early: below 0)."""

    start: int
    end: int
    hours: int


def clock_jumps(seen: Weekends) -> list[Jump]:
    """Whole weeks that open and close by the same number of hours too late or too early."""
    together = np.diff(seen.middle) <= 8 * DAY_US
    opened, close = seen.open[:-1][together], seen.close[1:][together]
    starts, ends = seen.middle[:-1][together], seen.middle[1:][together]
    usual = _fits(close, opened)
    if not len(usual) or np.mean(usual) < USUAL:
        return []
    later, longer = opened - np.median(opened), close - np.median(close)
    found = []
    for week in np.flatnonzero(~usual & (np.abs(later - longer) < HOUR_US)).tolist():
        hours = round(float(later[week] + longer[week]) / (2 * HOUR_US))
        if hours and _fits(close[week : week + 1], opened[week : week + 1], hours * HOUR_US)[0]:
            found.append(Jump(int(starts[week]), int(ends[week]), hours))
    return found


def without_jumps(stamps: Int64Array, jumps: list[Jump]) -> Int64Array:
    moved = stamps.copy()
    for jump in jumps:
        low, high = np.searchsorted(stamps, (jump.start, jump.end))
        moved[low:high] -= jump.hours * HOUR_US
    return moved
