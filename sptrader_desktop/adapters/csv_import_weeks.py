"""Can a file's stamps be of this clock? The FX week says so.

The week opens on Sunday and closes on Friday at 17:00 in New York, whatever summer time does elsewhere. So every weekend in a file shows
how far a clock is off, and weekends of March, April, October and November tell clocks apart that are the same in winter.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sptrader_desktop.core.calendar import DAY_US, HOUR_US
from sptrader_desktop.core.candles import Int64Array
from sptrader_desktop.present.market_hours import Closures, week_ends

Mask = NDArray[np.bool_]
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
        known = week_ends(int(utc[0]), int(utc[-1]))
        sunday, _, open_us = _nearest(known, int(utc[0]))
        if abs(int(utc[0]) - open_us) <= 2 * HOUR_US:
            found.append((sunday, 0, int(utc[0]) - open_us - opens_late_us))
        for at in np.flatnonzero(np.diff(utc) > DAY_US).tolist():
            closed, opened = int(utc[at]) + bar_us, int(utc[at + 1])
            sunday, close_us, open_us = _nearest(known, opened)
            if max(abs(closed - close_us), abs(opened - open_us)) <= _NEAR_US:
                found.append((sunday, closed - close_us, opened - open_us - opens_late_us))
    closing, opening = (np.array([week[part] for week in found], np.int64) for part in (1, 2))
    return Weeks(tuple(week[0] for week in found), closing, opening)


def _nearest(known: Closures, stamp_us: int) -> tuple[str, int, int]:
    """The Sunday on which the week opens that begins nearest to the stamp; when the market closed before it, and when it opens."""
    at = int(np.abs(known.end - stamp_us).argmin())
    return str(known.end[at].astype("M8[us]").astype("M8[D]")), int(known.start[at]), int(known.end[at])
