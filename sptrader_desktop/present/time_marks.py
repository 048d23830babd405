"""Where a time axis is labelled, and with what: the coarsest unit that changes there (year, month, day), else the time of day."""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from sptrader_desktop.core.candles import Int64Array
from sptrader_desktop.present import clocks
from sptrader_desktop.present.clocks import local_time, stamp_of
from sptrader_desktop.present.selection import Zone

SECOND_US = 1_000_000
DAY_US = 86_400 * SECOND_US
TIMES = tuple(SECOND_US * seconds for seconds in (1, 5, 10, 30, 60, 300, 600, 900, 1800, 3600, 7200, 10800, 14400, 21600, 43200))
DAYS = (1, 2, 7, 14)  # counted from the first of each month, so that a month always begins with a mark
MONTHS = (1, 3, 6, 12, 24, 60, 120, 240)
MOST_MARKS = 400  # that are looked at
SAMPLE = 64  # bars that tell how close they are
CROWD = 0.65  # of the usual room between marks is the least there is

TIME, DAY, MONTH, YEAR = range(4)


class TimeMark(NamedTuple):
    """`rank` says which unit begins here: TIME, DAY, MONTH or YEAR."""

    bar: int
    text: str
    rank: int


@dataclass(frozen=True, slots=True)
class Step:
    """So many microseconds, days or months: one of the three."""

    us: int = 0
    days: int = 0
    months: int = 0

    @property
    def length(self) -> int:
        return self.us + (self.days + 30 * self.months) * DAY_US


STEPS = (*(Step(us=us) for us in TIMES), *(Step(days=days) for days in DAYS), *(Step(months=months) for months in MONTHS))


def time_marks(stamps: Int64Array, first: float, last: float, most: int, zone: Zone) -> list[TimeMark]:
    """At most `most` marks for the bars from `first` to `last`, nowhere closer than a share of the width; ascending."""
    start, stop = max(0, int(np.ceil(first))), min(len(stamps), int(np.ceil(last)))
    if stop <= start or most < 1:
        return []
    step, bars = _chosen_step(stamps, start, stop, most, zone)
    marks = [_mark(stamps, bar, step, zone) for bar in bars]
    return _thinned(marks, CROWD * (last - first) / most)


def _chosen_step(stamps: Int64Array, start: int, stop: int, most: int, zone: Zone) -> tuple[Step, list[int]]:
    """The finest step with so few marks, and the bars that get one. Steps that must have more are not even tried."""
    begin, end = int(stamps[start]), int(stamps[stop - 1])
    closest = int(np.min(np.diff(stamps[start : min(stop, start + SAMPLE)]), initial=DAY_US))
    least = max((stop - start) * closest // (2 * most), (end - begin) // MOST_MARKS)
    for step in STEPS[:-1]:
        if step.length > least and len(bars := _bars(stamps, start, stop, step, zone)) <= most:
            return step, bars
    return STEPS[-1], _bars(stamps, start, stop, STEPS[-1], zone)


def _bars(stamps: Int64Array, start: int, stop: int, step: Step, zone: Zone) -> list[int]:
    """The first bar at or after each boundary of the step. Boundaries without a bar of their own share one."""
    begin, end = int(stamps[start]), int(stamps[stop - 1])
    boundaries = _boundaries(local_time(begin, zone), local_time(end, zone), step)
    instants = np.array([stamp_of(wall, zone) for wall in boundaries], np.int64)
    found = np.searchsorted(stamps[start:stop], instants[(instants > begin) & (instants <= end)])
    return sorted({start + bar for bar in found.tolist()})


def _mark(stamps: Int64Array, bar: int, step: Step, zone: Zone) -> TimeMark:
    now, before = local_time(int(stamps[bar]), zone), local_time(int(stamps[bar - 1]), zone)
    rank = _rank(before, now)
    return TimeMark(bar, _text(now, rank, step), rank)


def _boundaries(first: datetime, last: datetime, step: Step) -> list[datetime]:
    """All readings of the clock at which a step begins, from the one before `first` to `last`."""
    day = datetime(first.year, first.month, first.day)  # noqa: DTZ001 # a clock's reading; the zone comes with stamp_of
    final = last.replace(tzinfo=None)
    if step.us:
        length = timedelta(microseconds=step.us)
        moment = day + (first.replace(tzinfo=None) - day) // length * length
        return _arithmetic(moment, length, final)
    if step.days:
        days = _arithmetic(day, timedelta(days=1), final)
        return [day for day in days if (day.day - 1) % step.days == 0 and (step.days == 1 or day.day + step.days // 2 <= 31)]
    months = (first.year * 12 + first.month - 1) // step.months * step.months
    final_month = final.year * 12 + final.month - 1
    return [datetime(month // 12, month % 12 + 1, 1) for month in range(max(months, 12), final_month + 1, step.months)]  # noqa: DTZ001 # the same


def _arithmetic(moment: datetime, length: timedelta, final: datetime) -> list[datetime]:
    count = (final - moment) // length + 1
    return [moment + n * length for n in range(count)]


def _rank(before: datetime, now: datetime) -> int:
    if before.year != now.year:
        return YEAR
    if before.month != now.month:
        return MONTH
    return DAY if before.day != now.day else TIME


def _text(now: datetime, rank: int, step: Step) -> str:
    if rank == YEAR:
        return f"{now:%Y}"
    if rank == MONTH:
        return clocks.MONTHS[now.month - 1]
    if rank == DAY:
        return f"{clocks.WEEKDAYS[now.weekday()]} {now.day}" if step.us or step.days == 1 else f"{now.day}"
    return f"{now:%H:%M:%S}" if 0 < step.us < 60 * SECOND_US else f"{now:%H:%M}"


def _thinned(marks: list[TimeMark], gap: float) -> list[TimeMark]:
    """Where marks crowd the one of the higher rank stays, and of equals that of the longer time: a Monday, not the Sunday before."""
    kept: list[int] = []
    by_bar = {mark.bar: mark for mark in marks}
    bars = [*by_bar, marks[-1].bar + 1] if marks else []
    length = {bar: after - bar for bar, after in pairwise(bars)}
    for mark in sorted(marks, key=lambda mark: (-mark.rank, -length[mark.bar])):
        place = bisect_left(kept, mark.bar)
        if all(abs(other - mark.bar) >= gap for other in kept[max(0, place - 1) : place + 1]):
            kept.insert(place, mark.bar)
    return [by_bar[bar] for bar in kept]
