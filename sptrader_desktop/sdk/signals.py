"""What signals decide with: crossings that rounding noise cannot make, event tables from conditions, the clocks at a bar's close."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sptrader_desktop.core.calendar import DAY_US, HOUR_US, SESSIONS, weekday
from sptrader_desktop.core.resample import bar_closes

Bools = NDArray[np.bool_]
# Recursive averages of equal prices differ in their last bits, and by other bits when they start elsewhere: that is no difference.
NOISE = 1e-9


def above(first: Any, second: Any, scale: Any = None) -> Bools:
    """True where `first` is above `second` by more than a billionth of `scale`, the larger of the two unless given; false at NaN."""
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    size = np.maximum(np.abs(a), np.abs(b)) if scale is None else np.asarray(scale, np.float64)
    found: Bools = a - b > NOISE * size
    return found


def below(first: Any, second: Any, scale: Any = None) -> Bools:
    return above(second, first, scale)


def rises_above(first: Any, second: Any, scale: Any = None) -> Bools:
    """True on the bar on which `first` comes above `second`, a column or a number: both were known on the bar before, and it was not."""
    is_above = above(first, second, scale)
    known = np.isfinite(np.asarray(first, np.float64) - np.asarray(second, np.float64))
    crossed = np.zeros(len(is_above), np.bool_)
    crossed[1:] = is_above[1:] & ~is_above[:-1] & known[:-1]
    return crossed


def falls_below(first: Any, second: Any, scale: Any = None) -> Bools:
    negated = -np.asarray(first, np.float64), -np.asarray(second, np.float64)
    return rises_above(*negated, scale)


def events_where(data: pd.DataFrame, conditions: Mapping[str, Any], strength: Any, **outputs: Any) -> pd.DataFrame:
    """An event of each named type on every bar on which its condition holds, with the outputs of that bar and a strength cut to 0..1.

    A bar on which the strength or an output has no value (NaN) has no event.
    """
    bars = len(data)
    columns = {"strength": np.clip(_column(strength, bars), 0.0, 1.0)} | {name: _column(values, bars) for name, values in outputs.items()}
    known = np.logical_and.reduce([np.isfinite(values) for values in columns.values()])
    held = np.column_stack([np.asarray(condition, np.bool_) & known for condition in conditions.values()])
    at, kinds = np.nonzero(held)
    types = np.array(list(conditions), dtype=object)[kinds]
    return pd.DataFrame({"type": types, **{name: values[at] for name, values in columns.items()}}, index=data.index[at])


def _column(values: Any, bars: int) -> NDArray[np.float64]:
    return np.broadcast_to(np.asarray(values, np.float64), bars)


def at_close(data: pd.DataFrame) -> pd.DataFrame:
    """The same rows, stamped with the times at which the bars are over: when what they say is known and can first be traded."""
    stamps = pd.DatetimeIndex(data.index).as_unit("us").asi8
    over = bar_closes(stamps, data.attrs["timeframe"]).view("M8[us]")
    return data.set_axis(pd.DatetimeIndex(over, name=data.index.name).tz_localize("UTC"))


@dataclass(frozen=True, slots=True, eq=False)
class SessionClock:
    """By bars: the hours since a session last opened by the clocks of its own city, and whether it is open."""

    hours: NDArray[np.float64]
    is_open: Bools


def session_clocks(data: pd.DataFrame) -> dict[str, SessionClock]:
    """The sessions of tokyo, london and new_york at the stamps of `data`."""
    clocks = {}
    for session in SESSIONS:
        wall = pd.DatetimeIndex(data.index).tz_convert(session.zone).tz_localize(None).as_unit("us").asi8
        hours = (wall % DAY_US / HOUR_US - session.opens) % 24
        is_open = (hours < session.closes - session.opens) & (weekday(wall // DAY_US) < 5)
        clocks[session.zone.rpartition("/")[2].lower()] = SessionClock(hours, is_open)
    return clocks
