"""Which bars a market could have made: the FX week of New York, days off that everybody knows, a source's own daily break.

A bar is expected when its middle lies in open hours, whatever grid its timeframe stands on. Counts are made from the gaps between
bars, so ten million candles cost as much as their holes.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sptrader_desktop.core.calendar import DAY_US, HOUR_US, trading_day, weekday
from sptrader_desktop.core.candles import Int64Array

MINUTE_US = 60_000_000
BREAK_LIMIT_US = 2 * HOUR_US  # a source's daily break is looked for in so much time after the roll
BREAK_SHARE = 0.2  # a slot is in the break when fewer of its days than this have a bar
BREAK_DAYS = 20  # days that are needed to tell a habit


@dataclass(frozen=True, slots=True, eq=False)
class Closures:
    """Ascending spans that do not touch: closed in [start, end)."""

    start: Int64Array = field(default_factory=lambda: np.empty(0, np.int64))
    end: Int64Array = field(default_factory=lambda: np.empty(0, np.int64))

    def __or__(self, other: "Closures") -> "Closures":
        starts, ends = np.concatenate([self.start, other.start]), np.concatenate([self.end, other.end])
        order = np.argsort(starts, kind="stable")
        starts, reach = starts[order], np.maximum.accumulate(ends[order])
        is_first = np.append(True, starts[1:] > reach[:-1]) if len(starts) else np.empty(0, bool)
        firsts = np.flatnonzero(is_first)
        return Closures(starts[firsts], reach[np.append(firsts[1:], len(starts)) - 1] if len(firsts) else firsts)

    def hold(self, stamps: Int64Array) -> NDArray[np.bool_]:
        """Which of ascending stamps lie in one of them."""
        return _between(np.searchsorted(stamps, self.start), np.searchsorted(stamps, self.end), len(stamps))

    def cover(self, stamps: Int64Array, bar_us: int) -> NDArray[np.bool_]:
        """Which bars, by their ascending opens, lie in one of them from open to close."""
        return _between(np.searchsorted(stamps, self.start), np.searchsorted(stamps, self.end - bar_us, side="right"), len(stamps))


def _between(low: NDArray[np.intp], high: NDArray[np.intp], count: int) -> NDArray[np.bool_]:
    steps = np.zeros(count + 1, np.int8)
    held = low < high
    np.add.at(steps, low[held], 1)
    np.add.at(steps, high[held], -1)
    return np.asarray(np.cumsum(steps[:-1], dtype=np.int8) > 0)


@dataclass(frozen=True, slots=True, eq=False)
class MarketHours:
    """`daily_break` is how long after each roll this source makes no bars; 0 where it has no such habit."""

    weekends: Closures
    holidays: Closures
    daily_break: int = 0
    breaks: Closures = field(default_factory=Closures)

    @property
    def closed(self) -> Closures:
        return self.weekends | self.holidays | self.breaks


def rolls(first: int, last: int) -> tuple[Int64Array, Int64Array]:
    """The trading days from two days before one stamp to two days after the other, and when each of them begins.

    17:00 in New York is 21:00 or 22:00 UTC: half past nine tells which.
    """
    dates = np.arange(first // DAY_US - 2, last // DAY_US + 3)
    is_summer = trading_day(dates * DAY_US + 21 * HOUR_US + 30 * MINUTE_US) > dates
    return dates + 1, dates * DAY_US + np.where(is_summer, 21, 22) * HOUR_US


def week_ends(first: int, last: int) -> Closures:
    """Friday 17:00 to Sunday 17:00 in New York, for all weeks that two stamps touch."""
    days, opens = rolls(first - 7 * DAY_US, last + 7 * DAY_US)
    saturdays, mondays = opens[weekday(days) == 5], opens[weekday(days) == 0]
    if len(saturdays) and len(mondays) and mondays[0] < saturdays[0]:
        mondays = mondays[1:]
    both = min(len(saturdays), len(mondays))
    return Closures(saturdays[:both], mondays[:both])


def holidays(first: int, last: int) -> Closures:
    """Christmas and New Year: from noon of the eve to eight in the evening of the day in New York. Bars are welcome there."""
    begins, ends = (int(np.datetime64(at, "us").astype("M8[Y]").astype(np.int64)) for at in (first, last))
    new_years = np.arange(begins, ends + 2).astype("M8[Y]").astype("M8[D]").astype(np.int64)
    eves = np.sort(np.concatenate([new_years - 8, new_years - 1])) * DAY_US
    return Closures(eves + 17 * HOUR_US, eves + 49 * HOUR_US)


def market_hours(stamps: Int64Array, bar_us: int, every_day: bool, reach: tuple[int, int] | None = None) -> MarketHours:
    """For ascending stamps of one source, or a reach beyond them. What trades every day never closes."""
    if every_day or not len(stamps):
        return MarketHours(Closures(), Closures())
    first, last = reach or (int(stamps[0]), int(stamps[-1]))
    weekends, days_off = week_ends(first, last), holidays(first, last)
    length = _daily_break(stamps, bar_us)
    if not length:
        return MarketHours(weekends, days_off)
    _, starts = rolls(first, last)
    return MarketHours(weekends, days_off, length, Closures(starts, starts + length))


def _daily_break(stamps: Int64Array, bar_us: int) -> int:
    """How long after the roll the source is silent on nearly all days, in whole bars."""
    days, starts = rolls(int(stamps[0]), int(stamps[-1]))
    starts = starts[weekday(days) < 5]
    low, high, end = (np.searchsorted(stamps, starts + after) for after in (0, BREAK_LIMIT_US, DAY_US))
    has_bars = end > low
    slots = BREAK_LIMIT_US // bar_us
    if not slots or np.count_nonzero(has_bars) < BREAK_DAYS:
        return 0
    past = stamps[_between(low, high, len(stamps))] - np.repeat(starts, high - low)
    found, counts = np.unique(past // bar_us, return_counts=True)
    busy = found[counts > BREAK_SHARE * np.count_nonzero(has_bars)]
    return int(busy[0] if len(busy) else slots) * bar_us


@dataclass(frozen=True, slots=True, eq=False)
class Gaps:
    """Between the bars `row` and `row + 1` so many are missing that the market could have made."""

    row: NDArray[np.intp]
    bars: Int64Array


def gaps(stamps: Int64Array, bar_us: int, closed: Closures) -> Gaps:
    """Of ascending stamps. Whole days of New York lose an hour in spring."""
    if len(stamps) < 2:
        return Gaps(np.empty(0, np.intp), np.empty(0, np.int64))
    steps = np.diff(stamps)
    if bar_us % DAY_US == 0:
        steps += HOUR_US
    rows = np.flatnonzero(steps >= 2 * bar_us)
    between = steps[rows] // bar_us - 1
    bars = between - _slots_inside(stamps[rows] + bar_us // 2, between, bar_us, closed)
    return Gaps(rows[bars > 0], bars[bars > 0])


def _slots_inside(middles: Int64Array, counts: Int64Array, bar_us: int, closed: Closures) -> Int64Array:
    """How many of `middle + bar, middle + 2 bar … middle + count bar` lie in closures."""
    first = np.searchsorted(closed.end, middles, side="right")
    past = np.searchsorted(closed.start, middles + counts * bar_us, side="right")
    pairs = np.maximum(past - first, 0)
    owner = np.repeat(np.arange(len(middles)), pairs)
    which = np.arange(pairs.sum()) - np.repeat(np.cumsum(pairs) - pairs, pairs) + first[owner]

    def before(limit: Int64Array) -> Int64Array:
        return np.asarray(np.clip(-((middles[owner] - limit) // bar_us) - 1, 0, counts[owner]), np.int64)

    inside = before(closed.end[which]) - before(closed.start[which])
    counts_inside = np.zeros(len(middles), np.int64)
    np.add.at(counts_inside, owner, inside)
    return counts_inside
