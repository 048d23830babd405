"""The data doctor: everything doubtful about a candle file at once, where the loader stops at the first bad row.

Each row is told once under the kind that explains it: what is wrong with a stamp or a number is settled first, the clock next,
and only bars that are sound so far are asked about their shape. `Marks` holds all rows of each kind, for a repair to act on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import permutations
from pathlib import Path

import numpy as np

from sptrader_desktop.adapters import candle_clock
from sptrader_desktop.adapters.candle_checks import ENOUGH_TO_TELL, FloatArray
from sptrader_desktop.adapters.candle_files import open_candles
from sptrader_desktop.adapters.candle_layout import ASK_PRICES, PRICES
from sptrader_desktop.adapters.candle_order import order_faults, seen_bar
from sptrader_desktop.adapters.candle_raw_table import CellFaults, Mask, RawTable, Rows, Shifts, cell_faults, decimal_shifts, raw_table
from sptrader_desktop.core.candles import Int64Array
from sptrader_desktop.core.instruments import CATALOGUE, Instrument
from sptrader_desktop.core.resample import too_close
from sptrader_desktop.core.timeframes import parse_timeframe
from sptrader_desktop.present.bar_shapes import Bars, flat_runs, spikes, stale_runs, zero_ranges
from sptrader_desktop.present.market_hours import MarketHours, gaps, market_hours

MIXED_UP = 0.2  # so many bars whose high and low enclose nothing are no accident of single rows
WIDE = 30  # times the usual spread
REAL_VOLUME = 0.9  # so many bars with volume make a bar without one suspicious


@dataclass(frozen=True, slots=True, eq=False)
class Hours:
    """Time without bars, on the corrected clock: spans as rows of `stamps`, the rest as numbers."""

    stamps: Int64Array
    expected: int
    present: int
    gap_row: Rows
    gap_bars: Int64Array
    holiday_row: Rows
    holiday_bars: Int64Array
    daily_break: int


@dataclass(frozen=True, slots=True, eq=False)
class Examined:
    """A file and all that was found: the rows of each kind, and what cannot be said by rows."""

    source: str
    instrument: Instrument
    timeframe: str
    bar_us: int
    table: RawTable
    marks: dict[str, Rows]
    by_time: Rows
    shifts: Shifts
    shifts_refused: bool
    hours: Hours
    zero_ranges: int
    clock: candle_clock.OtherClock | None = None
    jumps: tuple[candle_clock.Jump, ...] = ()
    columns: tuple[str, ...] = ()
    notes: Mapping[str, float] = field(default_factory=dict)


def examine(
    path: Path, *, symbol: str | None = None, timeframe: str | None = None, instruments: Mapping[str, Instrument] = CATALOGUE
) -> Examined:
    with open_candles(path, symbol=symbol, timeframe=timeframe, instruments=instruments) as opened:
        table = raw_table(opened.raw)
    return examined(table, opened.instrument, opened.timeframe, str(path))


def examined(table: RawTable, instrument: Instrument, timeframe: str, source: str) -> Examined:
    bar_us, is_other = _bar(table, timeframe)
    order, cells = order_faults(table, bar_us), cell_faults(table, instrument)
    good = cells.is_good
    shifts = decimal_shifts(table, order.by_time[good[order.by_time]])
    good[shifts.row] = False
    shifts_refused = _is_refused(table, cells, np.unique(shifts.row), instrument)
    mixed, swapped, columns = _ranges(table, good, instrument)
    marks: dict[str, Rows] = {
        "no_time": np.flatnonzero(~table.has_time),
        "nanoseconds": np.flatnonzero(table.is_finer),
        "timeframe": np.arange(len(table) if is_other else 0),
        "repeated_hour": order.repeated_hour,
        "unordered": order.unordered,
        "duplicate": order.duplicate,
        "conflict": order.conflict,
        "overlap": _overlaps(table.stamps[order.by_time], order.by_time, bar_us),
        **_cells(table, cells, good),
        "decimal_shift": np.unique(shifts.row),
        "columns": mixed if columns else mixed[:0],
        "swapped": swapped,
        "range": mixed[:0] if columns else mixed,
    }
    bad = np.concatenate([marks[kind] for kind in ("overlap", "bad_volume", "swapped", "range", "columns")])
    good[bad] = False
    stamps, clock, jumps, is_closing = _clock(table.stamps[order.by_time], bar_us, instrument)
    # A clock that is set back may bring later bars to earlier instants.
    ascending = np.argsort(stamps, kind="stable") if np.any(stamps[1:] < stamps[:-1]) else slice(None)
    hours, market = _hours(stamps[ascending], bar_us, instrument)
    is_weekend = np.empty(len(stamps), bool)
    is_weekend[ascending] = market.weekends.cover(stamps[ascending], bar_us)
    marks |= {
        "time_zone": order.by_time if clock else order.by_time[:0],
        "clock_jump": _within(table.stamps, order.by_time, jumps),
        "close_stamped": order.by_time if is_closing else order.by_time[:0],
        "weekend": order.by_time[is_weekend],
    }
    sound = order.by_time[good[order.by_time] & ~is_weekend]
    shapes, notes, still = _shapes(table, sound, bar_us, instrument)
    all_marks, by_time = marks | shapes, order.by_time
    return Examined(
        source, instrument, timeframe, bar_us, table, all_marks, by_time, shifts, shifts_refused, hours, still, clock, jumps, columns, notes
    )


def _bar(table: RawTable, timeframe: str) -> tuple[int, bool]:
    """The length of a bar to measure by, and whether it is another than the stated one."""
    stamps = table.stamps if table.has_time.all() else table.stamps[table.has_time]
    seen = seen_bar(stamps)
    if not timeframe:
        return seen or 1_000_000, False
    stated = parse_timeframe(timeframe)
    steps = np.diff(stamps)
    forward = steps[steps > 0]
    if len(stamps) < ENOUGH_TO_TELL or not len(forward):
        return stated, False
    is_other = int(forward.min()) >= 2 * stated or 2 * np.count_nonzero(forward < stated) > len(forward)
    return (seen, True) if is_other else (stated, False)


def _overlaps(stamps: Int64Array, rows: Rows, bar_us: int) -> Rows:
    """The later of two bars, unless it alone stands where the file's other bars do."""
    later = np.flatnonzero(too_close(np.diff(stamps), bar_us)) + 1
    if not len(later):
        return rows[:0]
    places, counts = np.unique(stamps % bar_us, return_counts=True)
    is_usual = stamps % bar_us == places[counts.argmax()]
    return np.unique(rows[np.where(is_usual[later] & ~is_usual[later - 1], later - 1, later)])


def _cells(table: RawTable, cells: CellFaults, good: Mask) -> dict[str, Rows]:
    volume = table.volume
    bad_volume = np.zeros(len(table), bool) if volume is None else ~((volume >= 0) & (volume < np.inf))
    return {
        "missing_price": np.flatnonzero(cells.missing),
        "infinite": np.flatnonzero(cells.infinite),
        "not_positive": np.flatnonzero(cells.not_positive),
        "off_tick": np.flatnonzero(cells.off_tick & good),
        "bad_volume": np.flatnonzero(bad_volume),
    }


def _four(table: RawTable, names: tuple[str, ...]) -> Bars:
    return Bars(*(table.prices[name] for name in names))


def _sides(table: RawTable) -> list[tuple[str, ...]]:
    return [PRICES, ASK_PRICES] if ASK_PRICES[0] in table.prices else [PRICES]


def _ranges(table: RawTable, good: Mask, instrument: Instrument) -> tuple[Rows, Rows, tuple[str, ...]]:
    """Rows whose high and low do not enclose the rest, those of them that exchanging high and low mends, and a mix-up of whole columns."""
    wrong, exchanged = np.zeros(len(table), bool), np.zeros(len(table), bool)
    for names in _sides(table):
        bars = _four(table, names)
        rows = np.flatnonzero(~_encloses(bars) & good)
        ticks = _ticks(bars, rows, instrument)
        is_broken = ~_encloses(ticks)
        is_mended = is_broken & _encloses(Bars(ticks.open, ticks.low, ticks.high, ticks.close))
        wrong[rows[is_broken & ~is_mended]] = True
        exchanged[rows[is_mended]] = True
    columns = _mixed_columns(_four(table, PRICES), np.flatnonzero(good)) if _is_mixed_up(wrong | exchanged, good) else ()
    if columns:
        return np.flatnonzero(wrong | exchanged), np.flatnonzero(wrong)[:0], columns
    exchanged &= ~wrong
    return np.flatnonzero(wrong), np.flatnonzero(exchanged), ()


def _ticks(bars: Bars, rows: Rows, instrument: Instrument) -> Bars:
    """As the loader sees them: a price between two ticks is beyond another only when its tick is."""
    return Bars(*(np.rint(column[rows] * instrument.ticks_per_one) for column in bars))


def _is_refused(table: RawTable, cells: CellFaults, moved: Rows, instrument: Instrument) -> bool:
    """Rows that moved as a whole may load; one moved cell mostly contradicts the others, or lies between two ticks."""
    is_torn = any(not _encloses(_ticks(_four(table, names), moved, instrument)).all() for names in _sides(table))
    return is_torn or bool(cells.off_tick[moved].any())


def _is_mixed_up(wrong: Mask, good: Mask) -> bool:
    return bool(np.count_nonzero(wrong) > MIXED_UP * np.count_nonzero(good))


def _encloses(bars: Bars) -> Mask:
    return np.asarray((bars.high >= np.maximum(bars.open, bars.close)) & (bars.low <= np.minimum(bars.open, bars.close)))


def _mixed_columns(bars: Bars, rows: Rows) -> tuple[str, ...]:
    """The order in which the columns would make sense: what stands under open, high, low and close is really …"""
    some = bars.rows(rows[:10_000])
    for order in permutations(range(4)):
        if _encloses(Bars(*(some[place] for place in order))).all():
            return tuple(PRICES[order.index(place)] for place in range(4))
    return ()


def _clock(
    stamps: Int64Array, bar_us: int, instrument: Instrument
) -> tuple[Int64Array, candle_clock.OtherClock | None, tuple[candle_clock.Jump, ...], bool]:
    """The stamps as the clock that fits would have made them, and what was wrong with the clock."""
    if instrument.charged_every_day or bar_us > candle_clock.LONGEST_BAR_US:
        return stamps, None, (), False
    seen = candle_clock.weekends(stamps, bar_us)
    if candle_clock.is_close_stamped(seen, bar_us):
        return stamps - bar_us, None, (), True
    other = candle_clock.other_clock(seen)
    if other:
        return other.utc(stamps), other, (), False
    jumps = candle_clock.clock_jumps(seen)
    return (candle_clock.without_jumps(stamps, jumps) if jumps else stamps), None, tuple(jumps), False


def _within(stamps: Int64Array, rows: Rows, jumps: tuple[candle_clock.Jump, ...]) -> Rows:
    found = [rows[slice(*np.searchsorted(stamps[rows], (jump.start, jump.end)))] for jump in jumps]
    return np.concatenate(found) if found else rows[:0]


def _hours(stamps: Int64Array, bar_us: int, instrument: Instrument) -> tuple[Hours, MarketHours]:
    """Bars inside known days off are welcome and none is missing there; they are told apart for who wants to know."""
    if np.any(stamps[1:] == stamps[:-1]):
        stamps = np.unique(stamps)
    market = market_hours(stamps, bar_us, instrument.charged_every_day)
    closed = market.closed
    missing = gaps(stamps, bar_us, closed)
    off = gaps(stamps, bar_us, market.weekends | market.breaks)
    bars = off.bars.copy()
    bars[np.isin(off.row, missing.row)] -= missing.bars
    present = int(np.count_nonzero(~closed.hold(stamps + bar_us // 2)))
    expected = present + int(missing.bars.sum())
    return Hours(stamps, expected, present, missing.row, missing.bars, off.row[bars > 0], bars[bars > 0], market.daily_break), market


def _shapes(table: RawTable, sound: Rows, bar_us: int, instrument: Instrument) -> tuple[dict[str, Rows], dict[str, float], int]:
    def column(name: str) -> FloatArray:
        return table.prices[name] if len(sound) == len(table) else table.prices[name][sound]

    bars = Bars(*map(column, PRICES))
    still = zero_ranges(bars)
    is_filled = _filled(table, sound, still)
    shapes = {
        "spike": spikes(bars, bar_us),
        "flat": flat_runs(bars, bar_us) & ~is_filled,
        "stale": stale_runs(bars, bar_us),
        "filled": is_filled,
    }
    notes: dict[str, float] = {}
    if ASK_PRICES[0] in table.prices:
        asks = Bars(*map(column, ASK_PRICES))
        crossed = np.zeros(len(sound), bool)
        for bid, ask in zip(bars, asks, strict=True):
            crossed |= ask < bid
        spread = np.maximum(asks.open - bars.open, asks.close - bars.close)
        usual = max(float(np.median(spread)), float(instrument.tick)) if len(sound) else 0.0
        notes["usual_spread"] = usual
        is_wide = (spread > WIDE * usual) & ~shapes["spike"]
        shapes["spike"] |= spikes(asks, bar_us) & ~is_wide
        shapes |= {"crossed": crossed & ~shapes["spike"], "wide_spread": is_wide & ~crossed}
    return {kind: sound[mask] for kind, mask in shapes.items()}, notes, int(np.count_nonzero(still))


def _filled(table: RawTable, sound: Rows, still: Mask) -> Mask:
    if table.volume is None or not len(sound):
        return np.zeros(len(sound), bool)
    is_empty = table.volume[sound] == 0
    return np.asarray(is_empty & still if np.mean(is_empty) <= 1 - REAL_VOLUME else is_empty & False)
