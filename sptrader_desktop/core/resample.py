"""Bars of a longer timeframe from shorter ones or from ticks, and when a bar is over.

Bars shorter than a day lie on UTC midnight; a bar of a day or a week is of New York trading days: it opens at 17:00 there, a week on
Sunday, so that its open is 21:00 or 22:00 UTC. A bar is stamped with its open; where nothing was traded there is none.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from sptrader_desktop.core.calendar import DAY_US, HOUR_US, day_starts, trading_day, weekday
from sptrader_desktop.core.candles import Candles, Int64Array, Prices, PriceSide
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.instruments import Instrument
from sptrader_desktop.core.timeframes import parse_timeframe

WEEK_US = 7 * DAY_US
Number = TypeVar("Number", np.int64, np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Ticks:
    """Quotes of one symbol in ticks of the instrument; stamps in microseconds UTC, in order, may repeat.

    With `ask` the prices are bids; without, they are what `side` says.
    """

    instrument: Instrument
    stamp: Int64Array
    price: Int64Array
    ask: Int64Array | None = None
    side: PriceSide = "bid"


class Buckets(NamedTuple):
    """Of ascending stamps: the bars that have any, by their opens, and where in the stamps each begins."""

    opens: Int64Array
    starts: NDArray[np.intp]

    def four(
        self, opens: NDArray[Number], highs: NDArray[Number], lows: NDArray[Number], closes: NDArray[Number]
    ) -> tuple[NDArray[Number], NDArray[Number], NDArray[Number], NDArray[Number]]:
        """Open, high, low and close of each bucket from those of what lies in it."""
        lasts = np.append(self.starts, len(closes))[1:] - 1
        highest, lowest = np.maximum.reduceat(highs, self.starts), np.minimum.reduceat(lows, self.starts)
        return opens[self.starts], highest, lowest, closes[lasts]

    def total(self, volume: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.add.reduceat(volume, self.starts)


def made_length(timeframe: str) -> int:
    """Of a timeframe that bars can be made of, in microseconds."""
    length = parse_timeframe(timeframe)
    if length not in (DAY_US, WEEK_US) and DAY_US % length:
        raise DataError(f"candles cannot be resampled to {timeframe}: choose a timeframe that divides a day, or 1d or 1w")
    return length


def buckets(stamps: Int64Array, timeframe: str) -> Buckets:
    length = made_length(timeframe)
    if length < DAY_US:
        opens = stamps - stamps % length
        starts = _changes(opens)
        return Buckets(opens[starts], starts)
    days, starts = day_starts(stamps)
    if length == WEEK_US:
        days = days - weekday(days)
        changes = _changes(days)
        days, starts = days[changes], starts[changes]
    return Buckets(_day_opens(days), starts)


def bar_closes(opens: Int64Array, timeframe: str) -> Int64Array:
    """When bars are over, by their ascending opens. Whole days from a 17:00 in New York end at one, 23 or 25 hours later where
    clocks change; a source's days that begin elsewhere are taken as 24 hours."""
    length = parse_timeframe(timeframe)
    closes = opens + length
    if length % DAY_US or not len(opens):
        return closes
    days = trading_day(opens)
    return np.where(_day_opens(days) == opens, _day_opens(days + length // DAY_US), closes)


def closes_in_series(opens: Int64Array, timeframe: str) -> Int64Array:
    """As `bar_closes`, but where the next bar opens before that or up to an hour after it, a bar of whole days lasts until then: a source
    may keep another clock than New York's, and no bar goes on when the next has begun."""
    closes = bar_closes(opens, timeframe)
    if parse_timeframe(timeframe) % DAY_US == 0:
        is_followed = opens[1:] <= closes[:-1] + HOUR_US
        closes[:-1][is_followed] = opens[1:][is_followed]
    return closes


def too_close(steps: Int64Array, bar_us: int) -> NDArray[np.bool_]:
    """From one open to the next: does the later bar begin inside the earlier? Whole days of a local clock lose an hour in spring."""
    shortest = bar_us if bar_us % DAY_US else bar_us - HOUR_US
    close: NDArray[np.bool_] = (steps < bar_us) & (steps != shortest)
    return close


def resample(candles: Candles, timeframe: str, *, until: int | None = None, unfinished: bool = False) -> Candles:
    """Longer bars. The last one counts as finished when the candles, or what is known of them (`until`), reach its close;
    an unfinished one is left out unless it is asked for."""
    if parse_timeframe(timeframe) < candles.bar_us:
        raise DataError(f"{candles.timeframe} candles of {candles.symbol} cannot be made into {timeframe}: give finer candles")
    found = buckets(candles.timestamp, timeframe)
    over = bar_closes(candles.timestamp, candles.timeframe)
    refuse_straddling(f"{candles.symbol} {candles.timeframe}", timeframe, candles.timestamp, over, found)
    columns = (
        found.opens,
        _bars(found, candles.prices),
        None if candles.ask is None else _bars(found, candles.ask),
        None if candles.volume is None else found.total(candles.volume),
    )
    made = _candles(candles.instrument, timeframe, candles.side, candles.source, columns)
    made = replace(made, is_synthetic=candles.is_synthetic)
    return made if unfinished else finished(made, _latest(over) if until is None else until)


def candles_of_ticks(ticks: Ticks, timeframe: str, *, until: int | None = None, unfinished: bool = False) -> Candles:
    """Bars of quotes; `volume` is how many there were. A bar is finished when a quote, or `until`, shows that its time is over."""
    instrument, stamps = ticks.instrument, ticks.stamp
    if (stamps[1:] < stamps[:-1]).any():
        row = int(np.argmax(stamps[1:] < stamps[:-1])) + 2
        raise DataError(f"quotes of {instrument.symbol}: quote {row} is earlier than the one before it: sort them by time")
    if ticks.ask is not None and ticks.side != "bid":
        raise DataError(f"quotes of {instrument.symbol}: with ask prices beside them prices are bids, not {ticks.side}: name the bids")
    found = buckets(stamps, timeframe)
    columns = (
        found.opens,
        _bars(found, _same(ticks.price)),
        None if ticks.ask is None else _bars(found, _same(ticks.ask)),
        np.diff(found.starts, append=len(stamps)).astype(np.float64),
    )
    made = _candles(instrument, timeframe, ticks.side, "", columns)
    return made if unfinished else finished(made, _latest(stamps) if until is None else until)


def finished(candles: Candles, until: int) -> Candles:
    """Those that are over at this time."""
    kept = int(np.searchsorted(bar_closes(candles.timestamp, candles.timeframe), until, side="right"))
    if kept == len(candles):
        return candles
    made = _candles(candles.instrument, candles.timeframe, candles.side, candles.source, _first(candles, kept))
    return replace(made, is_synthetic=candles.is_synthetic)


def refuse_straddling(what: str, timeframe: str, stamps: Int64Array, over: Int64Array, found: Buckets) -> None:
    """A bar that reaches into the next longer one belongs to neither."""
    ends = np.repeat(bar_closes(found.opens, timeframe), np.diff(found.starts, append=len(stamps)))
    astride = over > ends
    if astride.any():
        row = int(np.argmax(astride))
        opened, inside = (np.datetime64(int(at), "us").astype("M8[s]") for at in (stamps[row], ends[row]))
        raise DataError(f"{what}: the bar of {opened}Z reaches over {inside}Z, where a bar of {timeframe} ends: resample finer candles")


_Columns = tuple[Int64Array, Prices, Prices | None, NDArray[np.float64] | None]


def _candles(instrument: Instrument, timeframe: str, side: PriceSide, source: str, columns: _Columns) -> Candles:
    stamps, prices, ask, volume = columns
    return Candles(instrument, timeframe, parse_timeframe(timeframe), stamps, prices, side, ask, volume, source)


def _bars(found: Buckets, prices: Prices) -> Prices:
    return Prices(*found.four(prices.open, prices.high, prices.low, prices.close))


def _same(price: Int64Array) -> Prices:
    return Prices(price, price, price, price)


def _first(candles: Candles, count: int) -> _Columns:
    def cut(prices: Prices) -> Prices:
        return Prices(prices.open[:count], prices.high[:count], prices.low[:count], prices.close[:count])

    return (
        candles.timestamp[:count],
        cut(candles.prices),
        None if candles.ask is None else cut(candles.ask),
        None if candles.volume is None else candles.volume[:count],
    )


def _changes(values: Int64Array) -> NDArray[np.intp]:
    """Where a value differs from the one before it; the first does."""
    return np.flatnonzero(np.diff(values, prepend=values[:1] - 1))


def _day_opens(days: Int64Array) -> Int64Array:
    """When trading days begin: 21:00 UTC on the date before where that is already the day, else an hour later."""
    early = days * DAY_US - 3 * HOUR_US
    return np.where(trading_day(early) == days, early, early + HOUR_US)


def _latest(stamps: Int64Array) -> int:
    return int(stamps[-1]) if len(stamps) else 0
