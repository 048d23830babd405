"""Clocks by which stamps were written, as a person names them, and wall times turned into UTC: the one home of both."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from sptrader_desktop.core.calendar import DAY_US, HOUR_US
from sptrader_desktop.core.candles import Int64Array
from sptrader_desktop.core.errors import DataError

Mask = NDArray[np.bool_]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SLOT_US = HOUR_US // 2  # clocks are changed at full or half hours
_MINUTE_US = HOUR_US // 60
_BARE = {"EST": "UTC-5", "MST": "UTC-7", "HST": "UTC-10", "GMT": "UTC", "Z": "UTC"}
_CITIES = {"EET": "Europe/Athens", "CET": "Europe/Berlin", "WET": "Europe/Lisbon", "NY": "America/New_York"}


@dataclass(frozen=True, slots=True)
class Clock:
    """`America/New_York+7` is seven hours ahead of New York all year, as many brokers' servers are."""

    name: str
    zone: str
    ahead_us: int

    def offsets(self, walls: Sequence[int]) -> list[tuple[int, int]]:
        """For each wall time how far it is from UTC, for the first and for the second time clocks show it; they differ where clocks are
        put back, and where they are put forward the wall time does not exist."""
        if not self.zone:
            return [(self.ahead_us, self.ahead_us)] * len(walls)
        city = _city(self.zone)
        found = []
        for wall in walls:
            at = _EPOCH + timedelta(microseconds=wall - self.ahead_us)
            folds = (at.replace(tzinfo=city, fold=fold).utcoffset() or timedelta() for fold in (0, 1))
            first, second = (self.ahead_us + offset // timedelta(microseconds=1) for offset in folds)
            found.append((first, second))
        return found


class ClockError(Exception):
    """What the clock cannot have shown, and in which row."""

    def __init__(self, row: int, rule: str) -> None:
        self.row, self.rule = row, rule
        super().__init__(rule)


@lru_cache(maxsize=64)
def _city(zone: str) -> ZoneInfo:
    return ZoneInfo(zone)


def clock_named(text: str) -> Clock:
    """`EET`, `America/New_York`, `UTC+2`, `UTC-05:30`, `America/New_York+7`."""
    name = text.strip()
    found = re.fullmatch(r"(.*?)(?:([+-])(\d{1,2})(?::?(00|15|30|45))?)?", name, re.ASCII)
    head = found[1] if found else name
    ahead = (int(found[3]) * 60 + int(found[4] or 0)) * _MINUTE_US * (-1 if found[2] == "-" else 1) if found and found[2] else 0
    if abs(ahead) > 15 * HOUR_US:
        raise DataError(f"--zone {text}: no clock is so many hours away: give at most 15")
    if head.upper() in _BARE and not ahead:
        head, name = "UTC", _BARE[head.upper()]
        ahead = clock_named(name).ahead_us if name != "UTC" else 0
    if head.upper() in ("UTC", "GMT", ""):
        return Clock(name if head else f"UTC{name}", "", ahead)
    zone = _CITIES.get(head.upper(), head)
    try:
        _city(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise DataError(
            f"--zone {text}: there is no such time zone: give a city like America/New_York, or EET, UTC, UTC+2, America/New_York+7"
        ) from None
    return Clock(name, zone, ahead)


def to_utc(walls: Int64Array, clock: Clock) -> Int64Array:
    """Rows in file order. An hour that clocks show twice is told apart by where the rows go back; where they do not, nobody can."""
    if not clock.zone:
        return walls - clock.ahead_us
    firsts, seconds, is_there = _offsets(walls, clock)
    if not is_there.all():
        row = int((~is_there).argmax())
        raise ClockError(row, f"does not exist by {clock.name}, where clocks are put forward then: this file is of another clock")
    utc = walls - firsts
    twice = firsts != seconds
    if twice.any():
        for start, stop in _runs(twice):
            later = _second_time(walls, start, stop, clock)
            utc[later:stop] = walls[later:stop] - seconds[later:stop]
    return utc


def nearest_utc(walls: Int64Array, clock: Clock) -> Int64Array:
    """For a suspicion, in whatever order: an hour that clocks show twice is taken as the first, one they skip as if they did not."""
    return walls - (_offsets(walls, clock)[0] if clock.zone else clock.ahead_us)


def _offsets(walls: Int64Array, clock: Clock) -> tuple[Int64Array, Int64Array, Mask]:
    """Whole days on which clocks are left alone are looked up once, the others by half hours."""
    days, day_of = np.unique(walls // DAY_US, return_inverse=True)
    edges = [clock.offsets([int(day) * DAY_US, (int(day) + 1) * DAY_US]) for day in days]
    quiet = np.array([len({*first, *last}) == 1 for first, last in edges], np.bool_)
    at_start = np.array([first[0] for first, _ in edges], np.int64)
    firsts, is_there = at_start[day_of], np.ones(len(walls), np.bool_)
    seconds = firsts.copy()
    open_rows = np.flatnonzero(~quiet[day_of])
    slots, slot_of = np.unique(walls[open_rows] // _SLOT_US, return_inverse=True)
    found = np.array(clock.offsets([int(slot) * _SLOT_US for slot in slots]) or [(0, 0)], np.int64)
    firsts[open_rows], seconds[open_rows] = found[slot_of, 0], found[slot_of, 1]
    # Where clocks are put forward the offset before is the smaller one, where they are put back the larger.
    is_there[open_rows] = found[slot_of, 0] >= found[slot_of, 1]
    return firsts, seconds, is_there


def _runs(mask: Mask) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.view(np.int8), [0]])))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]


def _second_time(walls: Int64Array, start: int, stop: int, clock: Clock) -> int:
    back = np.flatnonzero(np.diff(walls[start:stop]) < 0)
    if len(back) == 1:
        return start + int(back[0]) + 1
    if len(back):
        raise ClockError(
            start + int(back[1]) + 1, f"comes a third time, which {clock.name} never shows: sort the rows, or give their clock"
        )
    what = f"is shown twice by {clock.name}, where clocks are put back then, and the rows do not say which time is meant"
    raise ClockError(start, f"{what}: give the file in UTC, or without this hour")
