"""The clock of the market: trading days, the rolls at which financing is due, the sessions trades are counted by.

Everything hangs on instants at which a wall clock somewhere shows a full hour. They are looked up once a year and zone, and
instants are placed among them by binary search, so that a million stamps cost no more Python than their years.
Stamps are microseconds UTC, days are counted from 1970-01-01.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from sptrader_desktop.core.candles import Int64Array

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
EPOCH = date(1970, 1, 1)

# By weekday, Monday first.
_DAYS_TO_MONDAY: Int64Array = np.array([0, 0, 0, 0, 0, 2, 1])
# A roll on Wednesday carries the weekend, since spot FX is delivered two business days later.
_DAYS_FINANCED: Int64Array = np.array([1, 1, 3, 1, 1, 0, 0])


@dataclass(frozen=True, slots=True)
class Roll:
    """When one trading day ends and the next begins. `hour` is 0 to 23; at 0 the trading day is the calendar day of the zone."""

    hour: int = 17
    zone: str = "America/New_York"


NEW_YORK_CLOSE = Roll()


@dataclass(frozen=True, slots=True)
class Session:
    """Open on Mondays to Fridays, by the clocks of its own city; bank holidays are not known here."""

    name: str
    zone: str
    opens: int
    closes: int


# Ordered by when they open. Where two overlap the one that opened last has the trade: New York before London before Asia.
# The hours between New York's evening and Tokyo's morning, and weekends, are nobody's: "other".
SESSIONS = (
    Session("Asia", "Asia/Tokyo", 9, 18),
    Session("London", "Europe/London", 8, 17),
    Session("New York", "America/New_York", 8, 17),
)
SESSION_NAMES = (*(session.name for session in SESSIONS), "other")
OTHER_SESSION = len(SESSIONS)


@lru_cache(maxsize=1024)
def _hours_of_year(zone: str, hour: int, year: int) -> tuple[Int64Array, Int64Array]:
    """All dates of a year and the instants at which the zone's clocks show `hour` on them: the first if they show it twice, where
    they skip it the instant of the change."""
    clock = datetime(year, 1, 1, hour, tzinfo=ZoneInfo(zone))
    first = date(year, 1, 1).toordinal() - EPOCH.toordinal()
    count = date(year, 12, 31).toordinal() - date(year, 1, 1).toordinal() + 1
    offsets = [(clock + timedelta(days=n)).utcoffset() or timedelta() for n in range(count)]
    days = np.arange(first, first + count)
    instants = days * DAY_US + hour * HOUR_US - np.array([offset // timedelta(microseconds=1) for offset in offsets])
    return days, instants


def _hours(zone: str, hour: int, first: int, last: int) -> tuple[Int64Array, Int64Array]:
    """Dates and their `hour` in the zone, from at least a day before the stamp `first` to at least a day after the stamp `last`."""
    # Two days on either side: a zone is up to 14 hours away from UTC.
    start, end = first // DAY_US - 2, last // DAY_US + 2
    years = range((EPOCH + timedelta(days=start)).year, (EPOCH + timedelta(days=end)).year + 1)
    parts = [_hours_of_year(zone, hour, year) for year in years]
    days, instants = (np.concatenate(column) for column in zip(*parts, strict=True))
    kept = slice(start - int(days[0]), end - int(days[0]) + 1)
    return days[kept], instants[kept]


def _rolls(first: int, last: int, roll: Roll) -> tuple[Int64Array, Int64Array]:
    """The rolls around two stamps and the trading day that each of them begins."""
    dates, instants = _hours(roll.zone, roll.hour, first, last)
    return dates + (1 if roll.hour else 0), instants


def day_starts(stamps: Int64Array, roll: Roll = NEW_YORK_CLOSE) -> tuple[Int64Array, NDArray[np.intp]]:
    """For ascending stamps: the trading days that have any, and where in `stamps` each of them begins."""
    if not len(stamps):
        return np.empty(0, np.int64), np.empty(0, np.intp)
    days, rolls = _rolls(int(stamps[0]), int(stamps[-1]), roll)
    bounds = np.append(np.searchsorted(stamps, rolls), len(stamps))
    is_traded = bounds[1:] > bounds[:-1]
    return days[is_traded], bounds[:-1][is_traded]


def trading_day(stamps: Int64Array, roll: Roll = NEW_YORK_CLOSE) -> Int64Array:
    """The trading day of each stamp: the date in New York seven hours later. Stamps may come in any order."""
    if not len(stamps):
        return np.empty(0, np.int64)
    if np.all(stamps[1:] >= stamps[:-1]):
        days, starts = day_starts(stamps, roll)
        return np.repeat(days, np.diff(starts, append=len(stamps)))
    days, rolls = _rolls(int(stamps.min()), int(stamps.max()), roll)
    return days[np.searchsorted(rolls, stamps, side="right") - 1]


def weekday(days: Int64Array) -> Int64Array:
    """0 is Monday: 1970-01-01 was a Thursday."""
    return np.asarray((days + 3) % 7, np.int64)


def week_trading_day(days: Int64Array) -> Int64Array:
    """Saturday and Sunday counted to the Monday after them: the market is closed then, whatever stray bars a source has."""
    return days + _DAYS_TO_MONDAY[weekday(days)]


def financing_weights(opens: Int64Array, every_day: bool, roll: Roll = NEW_YORK_CLOSE) -> Int64Array:
    """For bars by their ascending opens: how many days' financing is due before each of them opens.

    A roll is due at the first bar that opens at or after it. The first bar of all has nobody to charge.
    """
    weights = np.zeros(len(opens), np.int64)
    bars, due = financing_due(opens, every_day, roll)
    weights[bars] = due
    return weights


def financing_due(opens: Int64Array, every_day: bool, roll: Roll = NEW_YORK_CLOSE) -> tuple[NDArray[np.intp], Int64Array]:
    """The bars before which financing is due, ascending, and how many days' of it. A weekend's bars may be due for none."""
    if not len(opens):
        return np.empty(0, np.intp), np.empty(0, np.int64)
    dates, rolls = _hours(roll.zone, roll.hour, int(opens[0]), int(opens[-1]))
    due_at = np.searchsorted(opens, rolls)
    is_due = (due_at > 0) & (due_at < len(opens))
    # The weekday is that of the date on which the roll falls, not of the trading day it begins.
    financed = np.ones_like(dates) if every_day else _DAYS_FINANCED[weekday(dates)]
    bars, bar_of = np.unique(due_at[is_due], return_inverse=True)
    due = np.zeros(len(bars), np.int64)
    np.add.at(due, bar_of, financed[is_due])
    return bars, due


def session_of(stamps: Int64Array) -> Int64Array:
    """For stamps in any order: which of SESSION_NAMES each falls in."""
    found = np.full(len(stamps), OTHER_SESSION)
    if not len(stamps):
        return found
    first, last = int(stamps.min()), int(stamps.max())
    for code, session in enumerate(SESSIONS):
        dates, opened = _hours(session.zone, session.opens, first, last)
        _, closed = _hours(session.zone, session.closes, first, last)
        latest = np.searchsorted(opened, stamps, side="right") - 1
        found[(stamps < closed[latest]) & (weekday(dates[latest]) < 5)] = code
    return found
