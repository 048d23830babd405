"""The same candles changed on purpose: in ways that an honest component cannot notice, and in one that it must."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from sptrader_desktop.core.calendar import DAY_US
from sptrader_desktop.core.candles import Candles, Int64Array, Prices

# Weekdays, dates and leap years come back after 28 years, as long as no century without a leap day lies between.
COMES_BACK_US = 10_227 * DAY_US
# Three weeks: the future may come later than expected, on the same weekdays.
HOLE_US = 21 * DAY_US
# What the future may be instead: the same moves a tenth away, no move at all, or every move turned round.
HIGHER, LOWER, STILL, TURNED = "higher", "lower", "still", "turned"
SHIFTS = {HIGHER: 11, LOWER: 9}
ZONES = ("America/New_York", "Europe/London")


def part(candles: Candles, first: int, last: int) -> Candles:
    """The bars [first, last) as if there were no others."""
    ask, volume = candles.ask, candles.volume
    return _unnamed(
        candles,
        candles.timestamp[first:last],
        _part(candles.prices, first, last),
        _part(ask, first, last) if ask is not None else None,
        volume[first:last] if volume is not None else None,
    )


def other_future(candles: Candles, cut: int, way: str) -> Candles:
    """Another one from the bar `cut` on: a tenth higher or lower, no move ever again, or three times as far in the other direction."""
    close, prices = int(candles.prices.close[cut - 1]), candles.prices

    def changed(column: Int64Array) -> Int64Array:
        if way in SHIFTS:
            return np.maximum(1, column[cut:] * SHIFTS[way] // 10)
        if way == STILL:
            return np.full(len(column) - cut, close, np.int64)
        far = np.rint(close * (close / column[cut:].astype(np.float64)) ** 3)
        return np.clip(far, max(1, close // 8), close * 8).astype(np.int64)

    ends = (prices.low, prices.high) if way == TURNED else (prices.high, prices.low)
    future = Prices(changed(prices.open), changed(ends[0]), changed(ends[1]), changed(prices.close))
    later = candles.timestamp.copy()
    later[cut:] += HOLE_US if way == TURNED else 0
    return _with_future(candles, cut, future, later, 0.0 if way == STILL else 3.0)


def other_candles(candles: Candles) -> Candles:
    """As many bars of another market: time runs backwards, prices are half as high again, and it happens on other weekdays and hours."""
    stamps, prices = candles.timestamp, candles.prices
    backwards = stamps[0] + (stamps[-1] - stamps[::-1]) + 3 * DAY_US + 7 * candles.bar_us
    higher = Prices(*(column[::-1] * 3 // 2 for column in (prices.close, prices.high, prices.low, prices.open)))
    volume = candles.volume[::-1] * 2 + 1 if candles.volume is not None else None
    return _unnamed(candles, backwards, higher, _ask_of(candles, higher, len(candles)), volume)


def come_back(candles: Candles, shift: int) -> Candles:
    """The same prices at other times."""
    return _unnamed(candles, candles.timestamp + shift, candles.prices, candles.ask, candles.volume)


def comes_back(candles: Candles) -> tuple[int, int, int]:
    """The longest run of bars [first, last) whose clock changes come back 28 years later, else earlier, and that shift.

    The United States change their clocks by today's rule since 2007: winters of 2000 do not come back in 2028.
    """
    first, last, shift = max(((*_longest(_repeats(candles, shift)), shift) for shift in (COMES_BACK_US, -COMES_BACK_US)), key=_length)
    return first, last, shift


def data_hash(candles: Candles) -> str:
    """What the data is, also where nobody has given it a fingerprint."""
    if candles.fingerprint:
        return candles.fingerprint
    digest = hashlib.sha256(candles.timestamp.tobytes())
    for column in (candles.prices.open, candles.prices.high, candles.prices.low, candles.prices.close):
        digest.update(column.tobytes())
    return digest.hexdigest()


def _length(found: tuple[int, int, int]) -> int:
    return found[1] - found[0]


def _repeats(candles: Candles, shift: int) -> NDArray[np.bool_]:
    """By bar: do the clocks show the same there and then?"""
    days = np.unique(np.concatenate([candles.timestamp // DAY_US, candles.timestamp // DAY_US + 1]))
    same = np.array([_clocks(int(day)) == _clocks(int(day) + shift // DAY_US) for day in days.tolist()])
    at = np.searchsorted(days, candles.timestamp // DAY_US)
    found: NDArray[np.bool_] = same[at] & same[at + 1]
    return found


def _clocks(day: int) -> list[timedelta | None]:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)
    return [at.astimezone(ZoneInfo(zone)).utcoffset() for zone in ZONES]


def _longest(mask: NDArray[np.bool_]) -> tuple[int, int]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    if not len(edges):
        return 0, 0
    starts, ends = edges[::2], edges[1::2]
    longest = int(np.argmax(ends - starts))
    return int(starts[longest]), int(ends[longest])


def _part(prices: Prices, first: int, last: int) -> Prices:
    return Prices(prices.open[first:last], prices.high[first:last], prices.low[first:last], prices.close[first:last])


def _with_future(candles: Candles, cut: int, future: Prices, stamps: Int64Array, busier: float) -> Candles:
    past = _part(candles.prices, 0, cut)
    prices = _joined(past, future)
    volume = candles.volume
    if volume is not None:
        volume = np.concatenate([volume[:cut], volume[cut:] * busier + busier])
    ask = _ask_of(candles, future, cut)
    if candles.ask is not None and ask is not None:
        ask = _joined(_part(candles.ask, 0, cut), ask)
    return _unnamed(candles, stamps, prices, ask, volume)


def _joined(past: Prices, future: Prices) -> Prices:
    return Prices(
        np.concatenate([past.open, future.open]),
        np.concatenate([past.high, future.high]),
        np.concatenate([past.low, future.low]),
        np.concatenate([past.close, future.close]),
    )


def _ask_of(candles: Candles, bid: Prices, cut: int) -> Prices | None:
    """To invented bids the spread of the last real bar."""
    if candles.ask is None:
        return None
    spread = max(0, int(candles.ask.close[cut - 1] - candles.prices.close[cut - 1]))
    return Prices(bid.open + spread, bid.high + spread, bid.low + spread, bid.close + spread)


def _unnamed(candles: Candles, stamps: Int64Array, prices: Prices, ask: Prices | None, volume: NDArray[np.float64] | None) -> Candles:
    """Without a fingerprint, so that no answer to them is ever remembered."""
    return replace(candles, timestamp=stamps, prices=prices, ask=ask, volume=volume, source="", fingerprint="")
