"""The symbols that a person watches: their last price, how far it has come since the day before, its spread, and how old it is."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

import numpy as np

from sptrader_desktop.core.calendar import DAY_US, trading_day
from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.instruments import CATALOGUE, Instrument
from sptrader_desktop.core.resample import bar_closes
from sptrader_desktop.core.timeframes import parse_timeframe
from sptrader_desktop.ports import LivePrice
from sptrader_desktop.present.column_makers import Scale, per_symbol, price_scale, ratio, word
from sptrader_desktop.present.columns import NOTHING, Column, Columns
from sptrader_desktop.present.numbers import NONE
from sptrader_desktop.present.price_alerts import NOT_KNOWN

SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9.]{1,15}", re.ASCII)
STALE_US = 10_000_000
WEEKEND_DAYS = 3  # from Friday's trading day to Monday's
HOUR_US = 3_600_000_000
NO_SCALE = Scale(1.0, str, str)  # of a symbol that is not known, which has no price


@dataclass(frozen=True, slots=True)
class Watched:
    """In ticks; `stamp` is when the price was, `reference` the close of the trading day before it."""

    symbol: str
    last: int | None = None
    ask: int | None = None
    stamp: int = 0
    reference: int | None = None
    origin: str = ""
    is_live: bool = False
    closed_day: int = 0  # of the last bar of the candles, with its close: what a live price is compared with
    closed: int | None = None
    before: int | None = None  # the close of the trading day before that

    def at(self, price: LivePrice) -> "Watched":
        """With a live price. An older one than is shown changes nothing."""
        if self.is_live and price.stamp < self.stamp:
            return self
        day = int(trading_day(np.array([price.stamp]))[0])
        days = (day - self.closed_day) if self.closed is not None else 0
        reference = self.before if self.closed is not None and days == 0 else self.closed if 0 < days <= WEEKEND_DAYS else None
        return replace(self, last=price.price, ask=price.ask, stamp=price.stamp, reference=reference, origin="live", is_live=True)


def watched_of(candles: Candles, origin: str) -> Watched:
    """From the last bar, and the last one of an earlier trading day."""
    if not len(candles):
        return Watched(candles.symbol, origin=origin)
    close, ask = candles.prices.close, candles.ask
    over = bar_closes(candles.timestamp[-1:], candles.timeframe)
    days = trading_day(candles.timestamp[-2000:])
    earlier = np.flatnonzero(days < days[-1])
    before = int(close[-2000:][earlier[-1]]) if len(earlier) else None
    last, asked = int(close[-1]), None if ask is None else int(ask.close[-1])
    return Watched(candles.symbol, last, asked, int(over[0]), before, origin, False, int(days[-1]), last, before)


class Named(Protocol):
    @property
    def symbol(self) -> str: ...
    @property
    def timeframe(self) -> str: ...


N = TypeVar("N", bound=Named)


def quickest(symbol: str, offered: Iterable[N]) -> N | None:
    """The longest bars that are no longer than a day: they have the same last close, and there are fewest of them."""
    own = [one for one in offered if one.symbol == symbol]
    short = [one for one in own if _length(one.timeframe) <= DAY_US]
    return max(short or own, key=lambda one: _length(one.timeframe), default=None)


def watchlist_columns(rows: Sequence[Watched], now: int, *, is_connected: bool, known: Mapping[str, Instrument] = CATALOGUE) -> Columns:
    """What is not known has no price. While live prices come, rows without a fresh one are muted: their age says why."""
    symbols = [row.symbol for row in rows]
    rows = [row if row.symbol in known else Watched(row.symbol, origin="symbol not known") for row in rows]
    order = np.arange(len(rows))
    moved = [None if row.last is None or row.reference is None else row.last - row.reference for row in rows]
    per_pip = [known[row.symbol].ticks_per_pip if row.symbol in known else 1 for row in rows]
    pips = _numbers(None if ticks is None else ticks / size for ticks, size in zip(moved, per_pip, strict=True))
    shares = _numbers(
        None if ticks is None or not row.reference else round(100 * ticks / row.reference, 2)
        for ticks, row in zip(moved, rows, strict=True)
    )
    spreads = _numbers(
        None if row.ask is None or row.last is None else (row.ask - row.last) / size for row, size in zip(rows, per_pip, strict=True)
    )
    lasts = np.array([NOTHING if row.last is None else row.last for row in rows], np.int64)
    scales = [price_scale(known[row.symbol]) if row.symbol in known else NO_SCALE for row in rows]
    ages = np.array([NOTHING if row.last is None else max(0, now - row.stamp) for row in rows], np.int64)
    origins = sorted({row.origin for row in rows})
    columns = (
        word("symbol", "Symbol", order, symbols),
        per_symbol("last", "Last", lasts, order, scales, "the last price; of bid and ask the bid"),
        ratio("change", "Change", pips, "pips", "since the close of the trading day before", places=1, is_signed=True, is_shown=False),
        ratio("share", "Change", shares, "%", "since the close of the trading day before", is_signed=True),
        ratio("spread", "Spread", spreads, "pips", "ask less bid, where both are known", places=1),
        Column(
            "age", "Age", ages, lambda row: age_text(int(ages[row])), lambda row: str(ages[row]), tip="of the last price", is_right=True
        ),
        word(
            "origin",
            "From",
            np.array([origins.index(row.origin) for row in rows], np.int64),
            origins,
            "live, or which candles",
            is_shown=False,
        ),
    )
    return Columns(columns, ages > STALE_US if is_connected else None)


def age_text(age_us: int) -> str:
    if age_us == NOTHING:
        return NONE
    seconds = age_us // 1_000_000
    for size, unit, least in ((86_400, "d", 2 * 86_400), (3_600, "h", 2 * 3_600), (60, "min", 120), (1, "s", 0)):
        if seconds >= least:
            return f"{seconds // size:,} {unit}"
    return NONE


def symbols_read(held: Any) -> tuple[str, ...]:
    if not isinstance(held, list) or not all(isinstance(symbol, str) and SYMBOL.fullmatch(symbol) for symbol in held):
        raise DataError("it is no list of symbols")
    return tuple(dict.fromkeys(held))


def typed_symbols(text: str, known: Collection[str] = CATALOGUE) -> tuple[str, ...]:
    """`EURUSD, gbp/usd`; DataError names the first that is not known."""
    found = [symbol.upper().replace("/", "") for symbol in text.replace(",", " ").split()]
    unknown = next((symbol for symbol in found if symbol not in known), None)
    if unknown is not None:
        raise DataError(f"{unknown}: {NOT_KNOWN}")
    return tuple(found)


def moved_symbol(symbols: tuple[str, ...], place: int, step: int) -> tuple[str, ...]:
    """One place up (−1) or down."""
    target = place + step
    if not (0 <= place < len(symbols) and 0 <= target < len(symbols)):
        return symbols
    moved = list(symbols)
    moved.insert(target, moved.pop(place))
    return tuple(moved)


def live(rows: Mapping[str, Watched], prices: Iterable[LivePrice]) -> dict[str, Watched]:
    """The rows of the symbols that prices came for."""
    changed: dict[str, Watched] = {}
    for price in prices:
        known = changed.get(price.symbol) or rows.get(price.symbol)
        if known is not None:
            changed[price.symbol] = known.at(price)
    return changed


def _numbers(values: Iterable[float | None]) -> Any:
    return np.array([np.nan if value is None else value for value in values], np.float64)


def _length(timeframe: str) -> int:
    try:
        return parse_timeframe(timeframe)
    except DataError:
        return DAY_US * 365
