"""Raw columns into integer candles, batch by batch, or one sentence about the first row that breaks a rule.

Knows no file format. Batches keep the working set in the processor's cache and the peak at the size of the result.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sptrader_desktop.adapters.candle_layout import ASK_PRICES, PRICES, Layout
from sptrader_desktop.core.candles import Int64Array, Prices
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.instruments import Instrument
from sptrader_desktop.core.resample import too_close

FloatArray = NDArray[np.float64]
TimeUnit = Literal["s", "ms", "us", "ns"]

# Float noise of a price that is on the lattice, 32-bit floats of FX pairs included, is below this part of a tick;
# prices with one digit too many are off by a tenth or more.
LATTICE_TOLERANCE = 0.01
# Above this a double cannot show a hundredth of a tick, so the lattice could not be checked (money overflows far earlier).
MAX_TICKS = 2**46
ENOUGH_TO_TELL = 10  # bars; of fewer, all may really have gaps between them

_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
EARLIEST_S, LATEST_S = -2_208_988_800, 7_258_118_400  # the years 1900 and 2200; outside them the unit is wrong
_NOT_A_TIME = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True, eq=False)
class RawBatch:
    """Equally long columns as read: stamps are whole `RawCandles.unit`s since 1970 UTC, a missing number is NaN."""

    timestamp: Int64Array
    prices: Mapping[str, FloatArray]


@dataclass(frozen=True, slots=True, eq=False)
class RawCandles:
    """A file that was opened: `rows` is what it promises, `batches` come in file order; `place` is what a person calls a row."""

    source: str
    layout: Layout
    rows: int
    unit: TimeUnit
    batches: Iterator[RawBatch]
    place: Callable[[int], str] = lambda row: f"row {row + 1}"
    is_synthetic: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    timestamp: Int64Array
    prices: Prices
    ask: Prices | None
    volume: FloatArray | None


@dataclass(frozen=True, slots=True)
class Fault:
    row: int
    sentence: str


def checked_columns(raw: RawCandles, instrument: Instrument, timeframe: str, bar_us: int, *, is_part: bool = False) -> Columns:
    """The whole file, checked; the range that is wanted is cut from it afterwards, so a bad row never depends on the range.

    Of a part of a longer series the timeframe is known, however few bars it has.
    """
    stamps, ticks, volume = _space(raw)
    done = 0
    for batch in raw.batches:
        end = done + len(batch.timestamp)
        if end > raw.rows:
            raise DataError(f"{raw.source}: it holds more rows than the {raw.rows} it promises: it is damaged, fetch it again")
        before = int(stamps[done - 1]) if done else None
        faults = [_stamps_into(stamps[done:end], batch.timestamp, raw.unit, before, timeframe, bar_us)]
        faults += [ticks_into(column[done:end], name, batch.prices[name], instrument) for name, column in ticks.items()]
        if volume is not None:
            volume[done:end] = batch.prices["volume"]
            faults.append(_volume_fault(volume[done:end]))
        faults += _range_faults(ticks, slice(done, done + _first_row(faults, end - done)), batch.prices)
        _raise_first(raw, faults, stamps, done)
        done = end
    if done != raw.rows or not done:
        raise DataError(f"{raw.source}: it holds {done} rows" + (f" of {raw.rows}" if raw.rows else "") + ": fetch or export it again")
    if not is_part:
        _refuse_other_timeframe(raw.source, stamps, timeframe, bar_us)
    return Columns(stamps, _four(ticks, PRICES), _four(ticks, ASK_PRICES) if raw.layout.has_ask else None, volume)


def _refuse_other_timeframe(source: str, stamps: Int64Array, timeframe: str, bar_us: int) -> None:
    """Bars that never follow each other directly are bars of a longer timeframe, whose closes would be believed too early."""
    if len(stamps) < ENOUGH_TO_TELL:
        return
    step = int(np.diff(stamps).min())
    if step >= 2 * bar_us:
        raise DataError(
            f"{source}: its bars are never less than {step // 1_000_000} s apart, so they are not {timeframe}: name their timeframe"
        )


def stamp_text(stamp_us: int) -> str:
    return str(np.datetime64(stamp_us, "us")).removesuffix(".000000") + "Z"


def first(mask: NDArray[np.bool_]) -> int | None:
    return int(mask.argmax()) if mask.any() else None


def _space(raw: RawCandles) -> tuple[Int64Array, dict[str, Int64Array], FloatArray | None]:
    """Memory for the promised rows; a damaged file may promise the absurd."""
    try:
        stamps = np.empty(raw.rows, np.int64)
        ticks = {name: np.empty(raw.rows, np.int64) for name in raw.layout.prices if name != "volume"}
        volume = np.empty(raw.rows, np.float64) if "volume" in raw.layout.prices else None
    except (MemoryError, ValueError):
        raise DataError(f"{raw.source}: no memory for the {raw.rows} rows it promises: split it or fetch it again") from None
    return stamps, ticks, volume


def _first_row(faults: list[Fault | None], otherwise: int) -> int:
    return min((fault.row for fault in faults if fault), default=otherwise)


def _raise_first(raw: RawCandles, faults: list[Fault | None], stamps: Int64Array, done: int) -> None:
    found = [fault for fault in faults if fault]
    if not found:
        return
    fault = min(found, key=lambda each: each.row)
    stamp = int(stamps[done + fault.row])
    at = "" if stamp == _NOT_A_TIME else f" ({stamp_text(stamp)})"
    raise DataError(f"{raw.source}: {raw.place(done + fault.row)}{at}: {fault.sentence}")


def _four(ticks: Mapping[str, Int64Array], names: tuple[str, ...]) -> Prices:
    return Prices(*(ticks[name] for name in names))


def _stamps_into(out: Int64Array, raw: Int64Array, unit: TimeUnit, before: int | None, timeframe: str, bar_us: int) -> Fault | None:
    """Microseconds; rows that have none are left as not-a-time."""
    per_second = _PER_SECOND[unit]
    outside = (raw < EARLIEST_S * per_second) | (raw > LATEST_S * per_second)
    row = first(outside)
    if row is not None:
        out[:] = _NOT_A_TIME
        out[:row] = _microseconds(raw[:row], per_second)
        missing = raw[row] == _NOT_A_TIME
        what = "the timestamp is missing" if missing else f"the timestamp {raw[row]} {unit} lies outside the years 1900 to 2200"
        later = Fault(row, f"{what}: {'fill it in or remove the row' if missing else 'check its unit'}")
        return _order_fault(out[:row], before, timeframe, bar_us) or later
    out[:] = _microseconds(raw, per_second)
    split = first(out * (per_second // 1_000_000) != raw) if unit == "ns" else None
    if split is not None:
        later = Fault(split, f"the timestamp has {raw[split] % 1000} nanoseconds: round it to whole microseconds")
        return _order_fault(out[:split], before, timeframe, bar_us) or later
    return _order_fault(out, before, timeframe, bar_us)


def _microseconds(raw: Int64Array, per_second: int) -> Int64Array:
    return raw // 1_000 if per_second > 1_000_000 else raw * (1_000_000 // per_second)


def _order_fault(stamps: Int64Array, before: int | None, timeframe: str, bar_us: int) -> Fault | None:
    if not len(stamps):
        return None
    steps = np.diff(stamps, prepend=stamps[0] - bar_us if before is None else before)
    row = first(too_close(steps, bar_us))
    if row is None:
        return None
    step = int(steps[row])
    previous = stamp_text(int(stamps[row]) - step)
    if step == 0:
        return Fault(row, "it repeats the timestamp of the row before: remove one of the two")
    if step < 0:
        return Fault(row, f"it comes after {previous}: sort the rows by timestamp")
    return Fault(row, f"it opens inside the {timeframe} bar of {previous}: remove one of the two, or give the true timeframe")


def ticks_into(out: Int64Array, name: str, values: FloatArray, instrument: Instrument) -> Fault | None:
    """Whole ticks; rows that are no price are left as zero."""
    with np.errstate(invalid="ignore", over="ignore"):
        ratio = values * instrument.ticks_per_one
        whole = np.rint(ratio)
        ratio -= whole
        is_price = (np.abs(ratio, out=ratio) <= LATTICE_TOLERANCE) & (whole >= 1) & (whole <= MAX_TICKS)
    row = first(~is_price)
    if row is None:
        out[:] = whole
        return None
    out[:] = np.where(is_price, whole, 0)
    return Fault(row, _price_sentence(name, float(values[row]), instrument))


def _price_sentence(name: str, value: float, instrument: Instrument) -> str:
    if np.isnan(value):
        return f"{name} is missing: fill it in or remove the row"
    if np.isinf(value) or value > MAX_TICKS / instrument.ticks_per_one:
        return f"{name} {value!r} is too large for a price: mend or remove the row"
    if value <= 0:
        return f"{name} {value!r} is not above zero: mend or remove the row"
    return (
        f"{name} {value!r} is not a multiple of the tick {instrument.tick:f} of {instrument.symbol}: "
        "define a finer tick in an instruments file, or round the prices yourself"
    )


def _volume_fault(volume: FloatArray) -> Fault | None:
    row = first(~((volume >= 0) & (volume < np.inf)))
    if row is None:
        return None
    return Fault(row, f"volume {float(volume[row])!r} is not a number of zero or more: mend it or leave the column out")


def _range_faults(ticks: Mapping[str, Int64Array], rows: slice, values: Mapping[str, FloatArray]) -> list[Fault | None]:
    faults = [_range_fault(ticks, PRICES, rows, values)]
    if ASK_PRICES[0] in ticks:
        faults.append(_range_fault(ticks, ASK_PRICES, rows, values))
    return faults


def _range_fault(ticks: Mapping[str, Int64Array], names: tuple[str, ...], rows: slice, values: Mapping[str, FloatArray]) -> Fault | None:
    opens, highs, lows, closes = (ticks[name][rows] for name in names)
    row = first((highs < np.maximum(opens, closes)) | (lows > np.minimum(opens, closes)))
    if row is None:
        return None
    open_, high, low, close = ((name, float(values[name][row])) for name in names)
    wrong = [(high, "below", other) for other in (low, open_, close) if high[1] < other[1]]
    wrong += [(low, "above", other) for other in (open_, close) if low[1] > other[1]]
    (name, value), word, (other_name, other_value) = wrong[0]
    return Fault(row, f"{name} {value!r} is {word} {other_name} {other_value!r}: mend or remove the row")
