"""What is wrong with the order of a file's stamps: each row that is out of place is counted once, under the name that explains it."""

from dataclasses import dataclass

import numpy as np

from sptrader_desktop.adapters.candle_raw_table import Mask, RawTable, Rows
from sptrader_desktop.core.calendar import HOUR_US
from sptrader_desktop.core.candles import Int64Array

ENOUGH_STEPS = 100_000  # of which the timeframe is told
MOST_HOURS = 1_000  # of repeated hours a file has one a year


@dataclass(frozen=True, slots=True, eq=False)
class OrderFaults:
    """`by_time`: the rows that are left when these are put right, in the order of their stamps, one for each."""

    repeated_hour: Rows
    unordered: Rows
    duplicate: Rows
    conflict: Rows
    by_time: Rows


def seen_bar(stamps: Int64Array) -> int:
    """The most frequent step forward, in microseconds; 0 where there is none."""
    steps = np.diff(stamps[: ENOUGH_STEPS + 1])
    values, counts = np.unique(steps[steps > 0], return_counts=True)
    return int(values[counts.argmax()]) if len(values) else 0


def order_faults(table: RawTable, bar_us: int) -> OrderFaults:
    rows = np.flatnonzero(table.has_time)
    stamps = table.stamps if len(rows) == len(table) else table.stamps[rows]
    nothing = rows[:0]
    if np.all(stamps[1:] > stamps[:-1]):
        return OrderFaults(nothing, nothing, nothing, nothing, rows)
    twice = _repeated_hours(stamps, bar_us)
    left, again = rows[~twice], rows[twice]
    by_time = left[np.argsort(table.stamps[left], kind="stable")]
    leader = _leaders(table.stamps[by_time])
    is_leader = leader == np.arange(len(leader))
    followers = np.flatnonzero(~is_leader)
    is_same = _same_values(table, by_time[followers], by_time[leader[followers]])
    kept = by_time[is_leader]
    late = out_of_place(table.stamps[np.sort(kept)])
    return OrderFaults(
        again,
        np.sort(kept)[late],
        np.sort(by_time[followers[is_same]]),
        np.sort(by_time[followers[~is_same]]),
        kept,
    )


def _leaders(stamps: Int64Array) -> Rows:
    """For ascending stamps: where the first of the same stamp stands."""
    new = np.append(True, stamps[1:] != stamps[:-1]) if len(stamps) else np.empty(0, bool)
    return np.asarray(np.maximum.accumulate(np.where(new, np.arange(len(stamps)), 0)), np.intp)


def _same_values(table: RawTable, rows: Rows, others: Rows) -> Mask:
    same = np.ones(len(rows), bool)
    for column in table.columns.values():
        one, other = column[rows], column[others]
        same &= (one == other) | (np.isnan(one) & np.isnan(other))
    return same


def out_of_place(stamps: Int64Array) -> Mask:
    """Rows before which something later stands, or rows after which something earlier does: whichever are fewer."""
    if not len(stamps):
        return np.empty(0, bool)
    late = stamps < np.maximum.accumulate(stamps)
    early = stamps > np.minimum.accumulate(stamps[::-1])[::-1]
    return np.asarray(late if np.count_nonzero(late) <= np.count_nonzero(early) else early)


def _repeated_hours(stamps: Int64Array, bar_us: int) -> Mask:
    """A clock that is set back an hour: the bars go on, but their stamps begin the hour again."""
    twice = np.zeros(len(stamps), bool)
    if not 0 < bar_us < HOUR_US:
        return twice
    hour = HOUR_US // bar_us
    back = stamps[:-1] - stamps[1:]
    for row in np.flatnonzero(np.abs(back + bar_us - HOUR_US) <= 5 * bar_us)[:MOST_HOURS].tolist():
        after = stamps[row + 1 : row + 2 + 2 * hour]
        length = int(np.argmax(np.append(after > stamps[row], True)))
        known = np.isin(after[:length], stamps[max(0, row + 1 - 2 * hour) : row + 1])
        if 2 * np.count_nonzero(known) * bar_us >= HOUR_US:
            twice[row + 1 : row + 1 + length] = True
    return twice
