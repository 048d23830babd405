"""What the rules of docs/bar-rules.md say about single bars: their sides, their times, levels, touches and readings.

The part of the oracle (`tests/reference.py`) that knows neither money nor decisions.
"""

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from sptrader_desktop.core import records as rec
from sptrader_desktop.core.candles import Candles, Prices
from sptrader_desktop.core.instruments import Instrument
from sptrader_desktop.core.money import exact_multiple
from sptrader_desktop.core.strategy import Level

NEW_YORK = ZoneInfo("America/New_York")
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
ROLL = dt.time(17)
HOUR_US = 3_600_000_000
FX_ROLL_WEIGHTS = (1, 1, 3, 1, 1, 0, 0)  # Monday first

# ---------------------------------------------------------------------------------------------------------------- prices


class Bar(NamedTuple):
    open: int
    high: int
    low: int
    close: int


@dataclass(slots=True, eq=False)
class Series:
    """One symbol's bars on both sides, and how far they have come: `bar` is the latest that opened, `closed` whether it closed."""

    instrument: Instrument
    number: int
    stamps: list[int]
    closes: list[int]
    raw: list[Bar]
    bid: list[Bar]
    ask: list[Bar]
    bar: int = -1
    closed: bool = False
    atr_columns: dict[int, list[float | None]] = field(default_factory=dict)

    def side(self, direction: int) -> list[Bar]:
        """What a buy (+1) or a sell (−1) deals at."""
        return self.ask if direction == rec.LONG else self.bid

    def now(self, bars: list[Bar]) -> int:
        return bars[self.bar].close if self.closed else bars[self.bar].open

    @property
    def last(self) -> int | None:
        return self.now(self.raw) if self.bar >= 0 else None

    def closes_at(self, time: int) -> bool:
        return self.bar >= 0 and not self.closed and self.closes[self.bar] == time

    def opens_at(self, time: int) -> bool:
        return self.bar + 1 < len(self.stamps) and self.stamps[self.bar + 1] == time

    def atr(self, period: int, bar: int) -> float | None:
        if period not in self.atr_columns:
            self.atr_columns[period] = wilder_atr(self.raw, period)
        return self.atr_columns[period][bar]


def series_of(candles: Candles, number: int, spread_pips: Decimal) -> Series:
    stamps = candles.timestamp.tolist()
    closes = [close_of(stamp, follower, candles.bar_us) for stamp, follower in zip(stamps, [*stamps[1:], None], strict=False)]
    if any(later < close for close, later in zip(closes, stamps[1:], strict=False)):
        raise ValueError(f"{candles.symbol}: bars overlap; the rules speak only of bars that follow one another")
    bid, ask = both_sides(candles, spread_pips)
    return Series(candles.instrument, number, stamps, closes, bars_of(candles.prices), bid, ask)


def bars_of(prices: Prices) -> list[Bar]:
    columns = (prices.open, prices.high, prices.low, prices.close)
    return [Bar(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def both_sides(candles: Candles, spread_pips: Decimal) -> tuple[list[Bar], list[Bar]]:
    raw = bars_of(candles.prices)
    if candles.ask is not None:
        return raw, bars_of(candles.ask)
    width = exact_multiple(spread_pips * candles.instrument.ticks_per_pip, Decimal(1))
    bid = moved(raw, {"bid": 0, "mid": -(width // 2), "ask": -width}[candles.side])
    return bid, moved(bid, width)


def moved(bars: list[Bar], ticks: int) -> list[Bar]:
    return [Bar(bar.open + ticks, bar.high + ticks, bar.low + ticks, bar.close + ticks) for bar in bars] if ticks else bars


def wilder_atr(raw: list[Bar], period: int) -> list[float | None]:
    ranges = [0] + [max(bar.high - bar.low, abs(bar.high - before.close), abs(bar.low - before.close)) for before, bar in pairwise(raw)]
    column: list[float | None] = [None] * len(raw)
    atr = 0.0
    for bar in range(period, len(raw)):
        atr = sum(ranges[1 : period + 1]) / period if bar == period else (atr * (period - 1) + ranges[bar]) / period
        column[bar] = atr
    return column


# ------------------------------------------------------------------------------------------------------------------ time


def local(time: int) -> dt.datetime:
    return (EPOCH + dt.timedelta(microseconds=time)).astimezone(NEW_YORK)


def trading_day(time: int) -> dt.date:
    return (local(time).replace(tzinfo=None) + dt.timedelta(hours=7)).date()


def roll_of(day: dt.date) -> int:
    return (dt.datetime.combine(day, ROLL, NEW_YORK) - EPOCH) // dt.timedelta(microseconds=1)


def close_of(opened: int, follower: int | None, bar_us: int) -> int:
    """`follower`: the open of the next bar of its series, if there is one."""
    days, rest = divmod(dt.timedelta(microseconds=bar_us), dt.timedelta(days=1))
    if rest:
        return opened + bar_us
    wall = local(opened)
    close = roll_of(wall.date() + dt.timedelta(days=days)) if wall.time() == ROLL else opened + bar_us
    return close if follower is None or follower > close + HOUR_US else follower


def roll_weight(after: int, until: int, every_day: bool) -> int:
    """The weights of the 17:00 rolls in (after, until]."""
    total, day = 0, local(after).date()
    while day <= local(until).date():
        roll = roll_of(day)
        if after < roll <= until:
            total += 1 if every_day else FX_ROLL_WEIGHTS[day.weekday()]
        day += dt.timedelta(days=1)
    return total


# ------------------------------------------------------------------------------------------------- orders and positions


@dataclass(slots=True, eq=False)
class Order:
    number: int
    series: Series
    rule: int
    side: int
    kind: int
    quantity: int
    level: int
    decided_bar: int
    decided_time: int
    expiry: int
    bars_left: int
    state: int = rec.WORKING
    settled_bar: int = -1

    def reached_by(self, low: int, high: int) -> bool:
        """A limit buy and a stop sell wait for a price at or below their level, the other two for one at or above it."""
        waits_below = (self.kind == rec.LIMIT) == (self.side == rec.LONG)
        return low <= self.level if waits_below else high >= self.level


@dataclass(slots=True, eq=False)
class Position:
    """`commission` and `financing` are what no trade row has taken yet; `ordered` of its steps are ordered closed."""

    number: int
    series: Series
    side: int
    order: Order
    born: Literal["open", "inside", "close"]
    entry_bar: int
    entry_price: int
    entry_ratio: Fraction
    quantity: int
    commission: int
    peak: int
    stop: int | None
    target: int | None
    trail: int | None = None
    financing: int = 0
    ordered: int = 0
    reason: int = -1
    ambiguous: bool = False
    resolved: bool = False

    @property
    def staying(self) -> bool:
        """Reading: a partial close that takes every step of a position closes it fully."""
        return self.ordered < self.quantity

    @property
    def is_trailed(self) -> bool:
        return self.trail is not None and (self.stop is None or self.side * self.trail > self.side * self.stop)

    @property
    def acting_stop(self) -> int | None:
        return self.trail if self.is_trailed else self.stop

    def order_closed(self, reason: int) -> None:
        if self.staying:
            self.ordered, self.reason = self.quantity, reason

    def closes_seen(self, bar: int) -> int:
        return bar - self.entry_bar + (self.born != "close")


def level_price(level: Level, start: int, direction: int, series: Series, bar: int) -> int:
    """The price at the level's distance above (+1) or below (−1) `start`; an ATR is the deciding bar's."""
    if level.kind == "percentage":
        return round(start * (1 + direction * Fraction(level.value)))
    if level.kind == "price":
        return round(Fraction(level.value) * series.instrument.ticks_per_one)
    if level.kind == "pips":
        return start + direction * round(Fraction(level.value) * series.instrument.ticks_per_pip)
    atr = series.atr(level.period, bar)
    assert atr is not None, "an entry without its ATR is rejected before anything is measured"
    return start + direction * round(float(level.value) * atr)


# -------------------------------------------------------------------------------------------------------- one bar's reading


class Exit(NamedTuple):
    level: Literal["stop", "target"]
    price: int


Reading = Exit | Literal["ambiguous"] | None


def stop_touched(position: Position, bar: Bar) -> bool:
    worst = bar.low if position.side == rec.LONG else bar.high
    return position.acting_stop is not None and position.side * worst <= position.side * position.acting_stop


def target_touched(position: Position, bar: Bar) -> bool:
    best = bar.high if position.side == rec.LONG else bar.low
    return position.target is not None and position.side * best >= position.side * position.target


def gap_exit(position: Position, bar: Bar) -> Exit | None:
    at_open = Bar(bar.open, bar.open, bar.open, bar.open)
    if stop_touched(position, at_open):
        return Exit("stop", bar.open)
    if target_touched(position, at_open):
        return Exit("target", bar.open)
    return None


def plain_reading(position: Position, bar: Bar) -> Reading:
    """A bar at whose open the position was there: gap first, then level."""
    gap = gap_exit(position, bar)
    if gap:
        return gap
    stop, target = stop_touched(position, bar), target_touched(position, bar)
    if stop and target:
        return "ambiguous"
    return level_exit(position, bar, "stop" if stop else "target") if stop or target else None


def entry_reading(position: Position, bar: Bar) -> Reading:
    """The bar inside which the position was opened."""
    return "ambiguous" if stop_touched(position, bar) or target_touched(position, bar) else None


def level_exit(position: Position, bar: Bar, level: Literal["stop", "target"]) -> Exit | None:
    touched = stop_touched if level == "stop" else target_touched
    price = position.acting_stop if level == "stop" else position.target
    if price is None or not touched(position, bar):
        return None
    return Exit(level, min(max(price, bar.low), bar.high))


def walk(position: Position, finer: Series, start: int, end: int, *, inside: bool) -> Exit | Literal["untouched"] | None:
    """The one exit the finer bars of [start, end) tell; "untouched": the entry and nothing after it; None: the policy decides."""
    exits, entries, entered = finer.side(-position.side), finer.side(position.side), not inside
    for at, stamp in enumerate(finer.stamps):
        if not start <= stamp < end:
            continue
        if entered:
            reading = plain_reading(position, exits[at])
        elif position.order.reached_by(entries[at].low, entries[at].high):
            reading, entered = entry_reading(position, exits[at]), True
        else:
            continue
        if reading:
            return None if reading == "ambiguous" else reading
    return "untouched" if inside and entered else None
