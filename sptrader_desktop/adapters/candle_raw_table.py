"""A candle file as it is, bad rows and all: whole columns in file order, with what is wrong with single stamps and numbers.

The loader refuses at the first bad row; the data doctor wants to see every one of them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sptrader_desktop.adapters.candle_checks import LATTICE_TOLERANCE, MAX_TICKS, FloatArray, RawCandles, TimeUnit
from sptrader_desktop.adapters.candle_layout import PRICES
from sptrader_desktop.core.candles import Candles, Int64Array
from sptrader_desktop.core.instruments import Instrument

Mask = NDArray[np.bool_]
Rows = NDArray[np.intp]

_UNITS = {"s": (1_000_000, 1), "ms": (1_000, 1), "us": (1, 1), "ns": (1, 1_000)}
_EARLIEST_US, _LATEST_US = -2_208_988_800_000_000, 7_258_118_400_000_000  # the years 1900 and 2200


@dataclass(frozen=True, slots=True, eq=False)
class RawTable:
    """`stamps` in microseconds UTC, 0 where `has_time` is false; `as_read` in the file's `unit`; `prices` by our names, volume apart."""

    stamps: Int64Array
    as_read: Int64Array
    unit: TimeUnit
    prices: dict[str, FloatArray]
    volume: FloatArray | None
    has_time: Mask
    is_finer: Mask

    def __len__(self) -> int:
        return len(self.stamps)

    @property
    def columns(self) -> dict[str, FloatArray]:
        return self.prices | ({} if self.volume is None else {"volume": self.volume})

    def taken(self, rows: Rows | Mask) -> "RawTable":
        prices = {name: column[rows] for name, column in self.prices.items()}
        volume = None if self.volume is None else self.volume[rows]
        return RawTable(self.stamps[rows], self.as_read[rows], self.unit, prices, volume, self.has_time[rows], self.is_finer[rows])


def raw_table(raw: RawCandles) -> RawTable:
    """Of a file that promises more rows than it holds, those it holds."""
    batches = list(raw.batches)
    stamps = np.concatenate([batch.timestamp for batch in batches] or [np.empty(0, np.int64)])
    names = list(raw.layout.prices)
    columns = {name: np.concatenate([batch.prices[name] for batch in batches] or [np.empty(0)]) for name in names}
    times, per = _UNITS[raw.unit]
    has_time = (stamps >= _EARLIEST_US // times * per) & (stamps <= _LATEST_US // times * per)
    known = stamps if has_time.all() else np.where(has_time, stamps, 0)
    finer = known % per != 0 if per > 1 else np.zeros(len(known), bool)
    volume = columns.pop("volume", None)
    return RawTable(known // per * times, stamps, raw.unit, columns, volume, has_time, finer)


def table_of(candles: Candles) -> RawTable:
    """Candles that were checked already, for who asks whether they are plausible."""
    per_one, stamps = candles.instrument.ticks_per_one, candles.timestamp
    sides = [("", candles.prices), *([("ask_", candles.ask)] if candles.ask is not None else [])]
    prices = {f"{prefix}{name}": getattr(side, name) / per_one for prefix, side in sides for name in PRICES}
    return RawTable(stamps, stamps, "us", prices, candles.volume, np.ones(len(stamps), bool), np.zeros(len(stamps), bool))


@dataclass(frozen=True, slots=True, eq=False)
class CellFaults:
    """Rows with a price that is none, by kind; `is_good` where none is, and `off_tick` among those."""

    missing: Mask
    infinite: Mask
    not_positive: Mask
    off_tick: Mask

    @property
    def is_good(self) -> Mask:
        return np.asarray(~(self.missing | self.infinite | self.not_positive))


def cell_faults(table: RawTable, instrument: Instrument) -> CellFaults:
    missing, infinite, not_positive, off_tick = (np.zeros(len(table), bool) for _ in range(4))
    largest = MAX_TICKS / instrument.ticks_per_one
    for column in table.prices.values():
        with np.errstate(invalid="ignore", over="ignore"):
            missing |= np.isnan(column)
            infinite |= np.abs(column) > largest
            not_positive |= (column <= 0) & (column >= -largest)
            off_tick |= is_off_tick(column, instrument)
    off_tick &= ~(missing | infinite | not_positive)
    return CellFaults(missing, infinite, not_positive, off_tick)


def is_off_tick(column: FloatArray, instrument: Instrument) -> Mask:
    """By the loader's own measure; nothing is a price that comes to no tick at all."""
    ticks = column * instrument.ticks_per_one
    whole = np.rint(ticks)
    return np.asarray((np.abs(ticks - whole) > LATTICE_TOLERANCE) | (whole < 1))


@dataclass(frozen=True, slots=True, eq=False)
class Shifts:
    """Cells whose decimal point has moved: dividing by ten to the `power` puts it back."""

    row: Rows
    column: NDArray[np.str_]
    power: Int64Array


_FAR = 5.0  # between two bars or inside one no market multiplies its price by so much
_NEAR_POWER = 0.1  # a moved point shows as a whole power of ten, up to what the market did meanwhile


def decimal_shifts(table: RawTable, order: Rows) -> Shifts:
    """`order` are rows with good prices, by time. A row is compared with the last one before it that agrees within itself."""
    columns = {name: column[order] for name, column in table.prices.items()}
    everything = list(columns.values())
    low, high = everything[0].copy(), everything[0].copy()
    for column in everything[1:]:
        np.minimum(low, column, out=low)
        np.maximum(high, column, out=high)
    agrees = high <= _FAR * low
    kept = np.flatnonzero(agrees)
    if not len(kept):
        return Shifts(order[:0], np.empty(0, "<U9"), np.empty(0, np.int64))
    level = _levels(low[kept])
    rows, names, powers = [], [], []
    for name, column in columns.items():
        moved = kept[level != 0]
        rows += [moved]
        powers += [level[level != 0]]
        torn = np.flatnonzero(~agrees)
        before = np.maximum(np.searchsorted(kept, torn) - 1, 0)
        distance = np.log10(column[torn] / low[kept[before]]) + level[before]
        power = np.rint(distance).astype(np.int64)
        is_moved = (power != 0) & (np.abs(distance - power) < _NEAR_POWER)
        rows += [torn[is_moved]]
        powers += [power[is_moved]]
        names += [name] * (len(rows[-2]) + len(rows[-1]))
    return Shifts(order[np.concatenate(rows)], np.array(names, "<U9"), np.concatenate(powers))


def _levels(prices: FloatArray) -> Int64Array:
    """By how many powers of ten each price stands off from where most of them are."""
    level = np.zeros(len(prices), np.int64)
    ratio = prices[1:] / prices[:-1]
    steps = np.flatnonzero((ratio > _FAR) | (ratio < 1 / _FAR))
    if not len(steps):
        return level
    distance = np.log10(ratio[steps])
    power = np.rint(distance).astype(np.int64)
    level[steps + 1] = np.where(np.abs(distance - power) < _NEAR_POWER, power, 0)
    level = np.cumsum(level)
    values, counts = np.unique(level, return_counts=True)
    return np.asarray(level - values[counts.argmax()], np.int64)
