"""Instants as the clock of a zone shows them, and what is typed by that clock as instants."""

import re
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from sptrader_desktop.core.calendar import DAY_US
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.present.clocks import local_time, stamp_of
from sptrader_desktop.present.numbers import MINUTE_US
from sptrader_desktop.present.selection import Zone

# A year, a month, a day, an hour or minute of it: each means the whole of what it names.
TYPED = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2})(?:[T ](\d{1,2})(?::(\d{2}))?)?)?)?")


def clock_in(stamp: int, zone: Zone) -> str:
    """To the minute, or the second where a minute would lie."""
    moment = local_time(stamp, zone)
    return f"{moment:%Y-%m-%d %H:%M}" if stamp % MINUTE_US == 0 else f"{moment:%Y-%m-%d %H:%M:%S}"


def typed_span(text: str, zone: Zone) -> tuple[int, int] | None:
    """The instants [first, past) that `2024`, `2024-03`, `2024-03-05`, `2024-03-05 14` or `… 14:30` mean; None for anything else."""
    found = TYPED.fullmatch(text.strip())
    if found is None:
        return None
    year, *rest = (int(part) for part in found.groups() if part is not None)
    try:
        first = datetime(year, *(rest + [1, 1][len(rest) :]))  # type: ignore[arg-type]  # noqa: DTZ001 # by the zone's clock
        past = _after(first, len(rest))
        return stamp_of(first, zone), stamp_of(past, zone)
    except (ValueError, OverflowError, OSError):  # Windows asks its C library, which knows no year before 1970
        return None


def _after(first: datetime, depth: int) -> datetime:
    if depth == 0:
        return first.replace(year=first.year + 1)
    if depth == 1:
        return first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    return first + (timedelta(days=1), timedelta(hours=1), timedelta(minutes=1))[depth - 2]


def read_stamp(text: str, zone: Zone) -> int:
    """The first instant of what is typed."""
    span = typed_span(text, zone)
    if span is None:
        raise DataError(f"'{text.strip()}' is not a date: write year, month and day, such as 2024-03-05 or 2024-03-05 14:00")
    return span[0]


def wall_times(stamps: NDArray[np.int64], zone: Zone) -> NDArray[np.int64]:
    """What the zone's clock shows at each instant, as if that were UTC. Clocks are asked once a day, on days of change at each instant."""
    days, place = np.unique(stamps // DAY_US, return_inverse=True)
    first, last = ([_offset(int(day) * DAY_US + inside, zone) for day in days] for inside in (0, DAY_US - 1))
    shifts = np.array(first, np.int64)[place]
    for row in np.flatnonzero((np.array(first, np.int64) != np.array(last, np.int64))[place]).tolist():
        shifts[row] = _offset(int(stamps[row]), zone)
    return stamps + shifts


def _offset(stamp: int, zone: Zone) -> int:
    offset = local_time(stamp, zone).utcoffset() or timedelta()
    return offset // timedelta(microseconds=1)
