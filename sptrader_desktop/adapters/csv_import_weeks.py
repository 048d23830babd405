"""Can a file's stamps be of this clock? The FX week says so.

The week opens on Sunday and closes on Friday at 17:00 in New York, whatever summer time does elsewhere. So every weekend in a file shows
how far a clock is off, and weekends of March, April, October and November tell clocks apart that are the same in winter.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from sptrader_desktop.core.calendar import DAY_US, HOUR_US
from sptrader_desktop.core.candles import Int64Array

Mask = NDArray[np.bool_]
NEW_YORK = ZoneInfo("America/New_York")
_MINUTE_US = HOUR_US // 60
EARLY_US, LATE_US = 15 * _MINUTE_US, 30 * _MINUTE_US
_NEAR_US = 12 * HOUR_US  # further from the week's opening a gap is a holiday's, or a hole


@dataclass(frozen=True, slots=True)
class Weeks:
    """How far each weekend's closing and opening is off, in microseconds; positive is late. `of` are the Sundays."""

    of: tuple[str, ...]
    closing: Int64Array
    opening: Int64Array

    @property
    def impossible(self) -> Mask:
        """Prices while the market is closed."""
        return np.asarray((self.opening < -EARLY_US) | (self.closing > EARLY_US))

    @property
    def fitting(self) -> Mask:
        return np.asarray(~self.impossible & (self.opening <= LATE_US) & (self.closing >= -LATE_US))

    @property
    def is_refuted(self) -> bool:
        """More weekends than stray bars explain."""
        return 4 * int(self.impossible.sum()) > len(self.of)

    def misfit(self) -> str:
        at = int((self.impossible if self.impossible.any() else ~self.fitting).argmax())
        parts = [("closes", -self.closing[at], "early"), ("opens", -self.opening[at], "early")]
        shown = [f"{verb} {_hours(int(off), word)}" for verb, off, word in parts if abs(off) > EARLY_US]
        return f"the week {' and '.join(shown)} around Sunday {self.of[at]}"


def _hours(off_us: int, early: str) -> str:
    return f"{abs(off_us) / HOUR_US:.3g} h {early if off_us > 0 else 'late'}"


def weeks(utc: Int64Array, bar_us: int, opens_late_us: int = 0) -> Weeks:
    """Weekends between the stamps, and one at their beginning if they begin with a week. Bars above an hour hide the minute."""
    found: list[tuple[str, int, int]] = []
    if bar_us <= HOUR_US and len(utc):
        sunday, _, open_us = _weekend(int(utc[0]))
        if abs(int(utc[0]) - open_us) <= 2 * HOUR_US:
            found.append((sunday, 0, int(utc[0]) - open_us - opens_late_us))
        for at in np.flatnonzero(np.diff(utc) > DAY_US).tolist():
            closed, opened = int(utc[at]) + bar_us, int(utc[at + 1])
            sunday, close_us, open_us = _weekend(opened)
            if max(abs(closed - close_us), abs(opened - open_us)) <= _NEAR_US:
                found.append((sunday, closed - close_us, opened - open_us - opens_late_us))
    closing, opening = (np.array([week[part] for week in found], np.int64) for part in (1, 2))
    return Weeks(tuple(week[0] for week in found), closing, opening)


def _weekend(stamp_us: int) -> tuple[str, int, int]:
    """The Sunday nearest to the stamp, and the instants of 17:00 in New York on the Friday before and on it."""
    local = datetime.fromtimestamp(stamp_us / 1e6, UTC).astimezone(NEW_YORK)
    sundays = [local.date() - timedelta(days=(local.weekday() + 1) % 7 - more) for more in (0, 7)]
    sunday = min(sundays, key=lambda day: abs(_five(day) - stamp_us))
    return str(sunday), _five(sunday - timedelta(days=2)), _five(sunday)


def _five(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, 17, tzinfo=NEW_YORK).timestamp()) * 1_000_000
