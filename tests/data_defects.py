"""Clean markets, and one defect of each kind planted in them at random: what the data doctor must find, and nothing beside it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from sptrader_desktop.adapters.candle_checks import RawBatch, RawCandles, TimeUnit
from sptrader_desktop.adapters.candle_findings import inspection_of
from sptrader_desktop.adapters.candle_inspection import Examined, examined
from sptrader_desktop.adapters.candle_layout import PRICES, Layout
from sptrader_desktop.adapters.candle_raw_table import RawTable, raw_table
from sptrader_desktop.core.instruments import CATALOGUE
from sptrader_desktop.present.data_findings import Inspection

Numbers = NDArray[np.float64]
Stamps = NDArray[np.int64]
Random = np.random.Generator
NEW_YORK = ZoneInfo("America/New_York")
SECOND = 1_000_000
HOUR = 3600 * SECOND
NOT_A_TIME = np.iinfo(np.int64).min
USUAL_SPREAD = 8  # ticks


@dataclass(frozen=True, slots=True, eq=False)
class Market:
    """Candles as a file has them, prices in EURUSD."""

    stamps: Stamps
    prices: dict[str, Numbers]
    volume: Numbers
    bar: int
    stated: str
    unit: TimeUnit = "us"

    def __len__(self) -> int:
        return len(self.stamps)

    def taken(self, rows: NDArray[np.intp]) -> "Market":
        prices = {name: column[rows] for name, column in self.prices.items()}
        return replace(self, stamps=self.stamps[rows], prices=prices, volume=self.volume[rows])

    def put(self, name: str, rows: object, values: object) -> "Market":
        column = self.prices[name].copy()
        column[rows] = values  # type: ignore[call-overload]
        return replace(self, prices=self.prices | {name: column})

    def stamped(self, rows: object, values: object) -> "Market":
        stamps = self.stamps.copy()
        stamps[rows] = values  # type: ignore[call-overload]
        return replace(self, stamps=stamps)

    def table(self) -> RawTable:
        layout = Layout("timestamp", {name: name for name in (*self.prices, "volume")}, is_sided="ask_open" in self.prices)
        batch = RawBatch(self.stamps, self.prices | {"volume": self.volume})
        return raw_table(RawCandles("made up", layout, len(self), self.unit, iter([batch])))


def examine_market(market: Market) -> Examined:
    return examined(market.table(), CATALOGUE["EURUSD"], market.stated, "made up")


def inspect_market(market: Market) -> Inspection:
    return inspection_of(examine_market(market))


@cache
def week_hours(weeks: int, bar: int, first: datetime) -> Stamps:
    """Opens of bars while New York's clock stands between Sunday and Friday 17:00, asked of the zone hour by hour."""
    hours = [first + timedelta(hours=n) for n in range(7 * 24 * weeks)]
    is_open = []
    for hour in hours:
        wall = hour.astimezone(NEW_YORK)
        day, past = wall.weekday(), wall.hour >= 17
        is_open.append(day < 4 or (day == 4 and not past) or (day == 6 and past))
    starts = np.array([int(hour.timestamp()) * SECOND for hour, opens in zip(hours, is_open, strict=True) if opens], np.int64)
    within = np.arange(0, HOUR, bar) if bar < HOUR else np.zeros(1, np.int64)
    return np.asarray((starts[:, None] + within[None, :]).ravel(), np.int64)


def clean_market(rng: Random, bar: int = HOUR, weeks: int = 8, with_ask: bool = False) -> Market:
    """A random walk whose every bar moves; it may begin in any week of ten years, so that clock changes and Christmas come along."""
    first = datetime(2014, 1, 5, 10, tzinfo=UTC) + timedelta(weeks=int(rng.integers(0, 500)))
    stamps = week_hours(weeks, bar, first)
    count = len(stamps)
    close = 110_000 + np.cumsum(rng.integers(-12, 13, count))
    opens = np.concatenate([[110_000], close[:-1]])
    high, low = np.maximum(opens, close) + rng.integers(1, 9, count), np.minimum(opens, close) - rng.integers(1, 9, count)
    ticks = dict(zip(PRICES, (opens, high, low, close), strict=True))
    if with_ask:
        spread = USUAL_SPREAD + rng.integers(-2, 3, count)
        ticks |= {f"ask_{name}": column + spread for name, column in ticks.items()}
    prices = {name: column / 100_000 for name, column in ticks.items()}
    stated = {60 * SECOND: "1m", 900 * SECOND: "15m", HOUR: "1h"}[bar]
    return Market(stamps, prices, rng.integers(1, 500, count).astype(float), bar, stated)


@dataclass(frozen=True, slots=True, eq=False)
class Planted:
    """`first` is the row that must be named first, from 1; `count` how many must be told of."""

    market: Market
    kind: str
    first: int
    count: int


Planter = Callable[[Random], Planted]


def _place(rng: Random, market: Market, room: int = 1) -> int:
    """Away from the ends, where a defect could be a market's beginning."""
    return int(rng.integers(3, len(market) - room - 3))


def _some_rows(rng: Random, market: Market, most: int = 5) -> NDArray[np.intp]:
    """Apart from each other, the ends included."""
    return np.sort(rng.choice(len(market) // 10, int(rng.integers(1, most)), replace=False)) * 10


def _any_market(rng: Random, **more: bool) -> Market:
    return clean_market(rng, *((900 * SECOND, 3) if rng.random() < 0.3 else (HOUR, 8)), **more)


def _cells(kind: str, *values: float) -> Planter:
    def plant(rng: Random) -> Planted:
        market = _any_market(rng, with_ask=bool(rng.random() < 0.3))
        rows = _some_rows(rng, market)
        for row in rows:
            market = market.put(str(rng.choice(list(market.prices))), row, rng.choice(values))
        return Planted(market, kind, int(rows[0]) + 1, len(rows))

    return plant


def _off_tick(rng: Random) -> Planted:
    market = _any_market(rng)
    rows = _some_rows(rng, market)
    for row in rows:
        name = str(rng.choice(["open", "close"]))
        market = market.put(name, row, market.prices[name][row] + float(rng.choice([-0.5, 0.3, 0.1])) * 1e-5)
    return Planted(market, "off_tick", int(rows[0]) + 1, len(rows))


def _bad_volume(rng: Random) -> Planted:
    market = _any_market(rng)
    rows = _some_rows(rng, market)
    volume = market.volume.copy()
    volume[rows] = rng.choice([-1.0, np.nan, np.inf], len(rows))
    return Planted(replace(market, volume=volume), "bad_volume", int(rows[0]) + 1, len(rows))


def _no_time(rng: Random) -> Planted:
    market = _any_market(rng)
    rows = _some_rows(rng, market)
    return Planted(market.stamped(rows, rng.choice([NOT_A_TIME, 10**18, -(10**18)], len(rows))), "no_time", int(rows[0]) + 1, len(rows))


def _nanoseconds(rng: Random) -> Planted:
    market = _any_market(rng)
    rows = _some_rows(rng, market)
    market = replace(market, stamps=market.stamps * 1000, unit="ns")
    return Planted(market.stamped(rows, market.stamps[rows] + rng.integers(1, 1000)), "nanoseconds", int(rows[0]) + 1, len(rows))


def _timeframe(rng: Random) -> Planted:
    market = clean_market(rng, *((HOUR, 8) if rng.random() < 0.5 else (900 * SECOND, 3)))
    wrong = "30m" if market.bar == HOUR else "1h"
    return Planted(replace(market, stated=wrong), "timeframe", 1, len(market))


def _repeated_hour(rng: Random) -> Planted:
    market = clean_market(rng, 60 * SECOND, 1)
    end = int(rng.integers(120, len(market) - 120))
    hour = np.arange(end - 60, end)
    again = np.concatenate([np.arange(end), hour, np.arange(end, len(market))])
    market = market.taken(again)
    market = market.put("close", np.arange(end, end + 60), market.prices["open"][end : end + 60])
    return Planted(market, "repeated_hour", end + 1, 60)


def _unordered(rng: Random) -> Planted:
    """A block of rows comes too late, behind a longer one."""
    market = _any_market(rng)
    size = int(rng.integers(1, 20))
    start = _place(rng, market, 60)
    behind = start + 2 * size
    order = np.arange(len(market))
    order[start:behind] = np.concatenate([np.arange(start + size, behind), np.arange(start, start + size)])
    return Planted(market.taken(order), "unordered", start + size + 1, size)


def _copies(rng: Random, changed: bool) -> Planted:
    market = _any_market(rng)
    rows = _some_rows(rng, market)
    market = market.taken(np.sort(np.concatenate([np.arange(len(market)), rows])))
    copies = rows + np.arange(1, len(rows) + 1)
    if changed:
        market = market.put("close", copies, market.prices["open"][copies])
        market = market.put("high", copies, market.prices["high"][copies] + 1e-5)
    return Planted(market, "conflict" if changed else "duplicate", int(copies[0]) + 1, len(rows))


def _overlap(rng: Random) -> Planted:
    market = _any_market(rng)
    row = _place(rng, market)
    while market.stamps[row + 1] - market.stamps[row] > market.bar:
        row -= 1
    return Planted(market.stamped(row, market.stamps[row] + market.bar // int(rng.integers(2, 9))), "overlap", row + 1, 1)


def _decimal_shift(rng: Random) -> Planted:
    market = _any_market(rng)
    power = float(rng.choice([0.01, 0.1, 10, 100]))
    size = int(rng.integers(1, 40))
    start = int(rng.integers(0, len(market) - size + 1)) if rng.random() < 0.8 else 0
    rows = np.arange(start, start + size)
    names = list(PRICES) if rng.random() < 0.5 else [str(rng.choice(list(PRICES)))]
    for name in names:
        market = market.put(name, rows, market.prices[name][rows] * power)
    return Planted(market, "decimal_shift", start + 1, size)


def _columns(rng: Random) -> Planted:
    """The names stand over other columns; exchanging open and close shows nowhere."""
    market = _any_market(rng)
    order = list(PRICES)
    while order[1:3] == ["high", "low"]:
        rng.shuffle(order)
    prices = {name: market.prices[other] for name, other in zip(PRICES, order, strict=True)}
    broken = np.flatnonzero(
        (prices["high"] < np.maximum(prices["open"], prices["close"])) | (prices["low"] > np.minimum(prices["open"], prices["close"]))
    )
    return Planted(replace(market, prices=prices), "columns", int(broken[0]) + 1, len(broken))


def _swapped(rng: Random) -> Planted:
    market = _any_market(rng)
    rows = _some_rows(rng, market)
    highs, lows = market.prices["high"][rows], market.prices["low"][rows]
    return Planted(market.put("high", rows, lows).put("low", rows, highs), "swapped", int(rows[0]) + 1, len(rows))


def _range(rng: Random) -> Planted:
    market = _any_market(rng)
    rows = _some_rows(rng, market)
    if rng.random() < 0.5:
        market = market.put("high", rows, np.minimum(market.prices["open"], market.prices["close"])[rows] - 1e-5)
        market = market.put("low", rows, market.prices["high"][rows] - 1e-5)
    else:
        market = market.put("close", rows, market.prices["high"][rows] + 1e-5)
    return Planted(market, "range", int(rows[0]) + 1, len(rows))


def _time_zone(rng: Random) -> Planted:
    """Stamps that are a wall clock's, called UTC. Where a clock is set back two hours fall into one: the second is left out."""
    market = clean_market(rng, HOUR, 30)
    zone = str(rng.choice(["Europe/Athens", "America/New_York", "Asia/Tokyo", "+02:00", "-05:00", "+05:00"]))
    stamps = wall_clock(market.stamps, zone)
    kept = np.flatnonzero(np.append(True, np.diff(np.maximum.accumulate(stamps)) > 0))
    return Planted(replace(market, stamps=stamps).taken(kept), "time_zone", 1, len(kept))


def wall_clock(stamps: Stamps, zone: str) -> Stamps:
    if zone[0] in "+-":
        return stamps + int(zone[:3]) * HOUR
    info = ZoneInfo(zone)
    walls = [datetime.fromtimestamp(stamp // SECOND, info).replace(tzinfo=UTC) for stamp in stamps.tolist()]
    return np.array([int(wall.timestamp()) * SECOND for wall in walls], np.int64)


def _weeks(market: Market) -> NDArray[np.intp]:
    """Where weeks begin."""
    return np.flatnonzero(np.diff(market.stamps) > 24 * HOUR) + 1


def _clock_jump(rng: Random) -> Planted:
    market = clean_market(rng, HOUR, 9)
    starts = _weeks(market)
    week = int(rng.integers(0, len(starts) - 1))
    rows = np.arange(starts[week], starts[week + 1])
    hours = int(rng.choice([-12, -5, -4, -2, -1, 1, 2, 4, 5, 12]))
    return Planted(market.stamped(rows, market.stamps[rows] + hours * HOUR), "clock_jump", int(rows[0]) + 1, len(rows))


def _close_stamped(rng: Random) -> Planted:
    market = clean_market(rng, *((900 * SECOND, 3) if rng.random() < 0.5 else (60 * SECOND, 3)))
    return Planted(replace(market, stamps=market.stamps + market.bar), "close_stamped", 1, len(market))


def _weekend(rng: Random) -> Planted:
    market = _any_market(rng)
    start = int(rng.choice(_weeks(market)))
    silence = (market.stamps[start] - market.stamps[start - 1]) // market.bar - 1
    size = int(rng.integers(1, min(20, silence - 1)))
    extra = market.stamps[start - 1] + market.bar * np.sort(rng.choice(np.arange(1, silence + 1), size, replace=False))
    rows = np.concatenate([np.arange(start), np.full(size, start - 1), np.arange(start, len(market))])
    return Planted(market.taken(rows).stamped(np.arange(start, start + size), extra), "weekend", start + 1, size)


def _spike(rng: Random) -> Planted:
    market = _any_market(rng, with_ask=bool(rng.random() < 0.3))
    rows = _some_rows(rng, market, 3)
    side = str(rng.choice([name for name in market.prices if name.endswith(("high", "low"))]))
    away = 1 if side.endswith("high") else -1
    return Planted(
        market.put(side, rows, np.round(market.prices[side][rows] + away * rng.integers(1200, 4000) / 1e5, 5)),
        "spike",
        int(rows[0]) + 1,
        len(rows),
    )


def _run(rng: Random, kind: str) -> Planted:
    """A feed that hangs: one price, or one bar again and again, for an hour and three bars at least."""
    market = _any_market(rng)
    size = max(3, HOUR // market.bar) + int(rng.integers(0, 20))
    start = _place(rng, market, size)
    rows = np.arange(start, start + size)
    for name in PRICES:
        market = market.put(name, rows, market.prices["close" if kind == "flat" else name][start])
    return Planted(market, kind, start + (1 if kind == "flat" else 2), size if kind == "flat" else size - 1)


def _filled(rng: Random) -> Planted:
    market = _any_market(rng)
    start, size = _place(rng, market, 30), int(rng.integers(1, 30))
    rows = np.arange(start, start + size)
    for name in PRICES:
        market = market.put(name, rows, market.prices["close"][start - 1])
    volume = market.volume.copy()
    volume[rows] = 0
    return Planted(replace(market, volume=volume), "filled", start + 1, size)


def _asks(kind: str, by: int) -> Planter:
    def plant(rng: Random) -> Planted:
        market = _any_market(rng, with_ask=True)
        rows = _some_rows(rng, market)
        for name in PRICES:
            market = market.put(f"ask_{name}", rows, np.round(market.prices[name][rows] + by / 1e5, 5))
        return Planted(market, kind, int(rows[0]) + 1, len(rows))

    return plant


def _hole(rng: Random) -> Planted:
    """A day and more, weekends not counted."""
    market = clean_market(rng, HOUR, 30)
    start, size = _place(rng, market, 200), int(rng.integers(60, 120))
    return Planted(market.taken(np.delete(np.arange(len(market)), slice(start, start + size))), "hole", start, 1)


PLANTERS: dict[str, Planter] = {
    "no_time": _no_time,
    "nanoseconds": _nanoseconds,
    "timeframe": _timeframe,
    "repeated_hour": _repeated_hour,
    "unordered": _unordered,
    "duplicate": lambda rng: _copies(rng, changed=False),
    "conflict": lambda rng: _copies(rng, changed=True),
    "overlap": _overlap,
    "missing_price": _cells("missing_price", np.nan),
    "infinite": _cells("infinite", np.inf, 1e300, -np.inf),
    "not_positive": _cells("not_positive", 0.0, -1.1),
    "decimal_shift": _decimal_shift,
    "off_tick": _off_tick,
    "columns": _columns,
    "swapped": _swapped,
    "range": _range,
    "bad_volume": _bad_volume,
    "time_zone": _time_zone,
    "clock_jump": _clock_jump,
    "close_stamped": _close_stamped,
    "weekend": _weekend,
    "spike": _spike,
    "flat": lambda rng: _run(rng, "flat"),
    "stale": lambda rng: _run(rng, "stale"),
    "filled": _filled,
    "crossed": _asks("crossed", -3),
    "wide_spread": _asks("wide_spread", 400),
    "hole": _hole,
}
