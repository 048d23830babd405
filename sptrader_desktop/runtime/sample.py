"""Synthetic candles for a first look and for tests of size: a seeded random walk by the minute, the same on every machine.

Nothing here is a quote. It is busier in London and New York hours, quiet and busy spells and trends last for days, and it lies on the
market's week (Sunday 17:00 to Friday 17:00 New York), opening with a gap. Prices are bids.
"""

import math
import random
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from sptrader_desktop.core.calendar import HOUR_US, trading_day, weekday
from sptrader_desktop.core.candles import Candles, Prices
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.instruments import Instrument
from sptrader_desktop.core.resample import made_length, resample

SEED = 314
MINUTE_US = 60_000_000
# The price each begins at and is pulled back to, and how lively it is beside EURUSD.
STARTS = {
    "EURUSD": (1.0950, 1.0),
    "GBPUSD": (1.2700, 1.1),
    "AUDUSD": (0.6600, 1.3),
    "NZDUSD": (0.6100, 1.35),
    "USDCAD": (1.3500, 0.8),
    "USDCHF": (0.8800, 1.0),
    "USDJPY": (145.00, 1.2),
    "EURGBP": (0.8600, 0.7),
    "EURJPY": (158.00, 1.3),
    "GBPJPY": (184.00, 1.5),
    "XAUUSD": (2000.0, 1.8),
    "BTCUSD": (40_000.0, 6.0),
}

_NEW_YORK = ZoneInfo("America/New_York")
_HOUR = timedelta(hours=1)
_MINUTE_SD = 0.00068  # of the logarithm, per square root of an hour, before the hour's weight
_TREND_PER_HOUR = 0.00013
_PULL_PER_HOUR = 0.0030  # towards the first price, so that years stay in a believable range
_WEEKEND_SD = 0.0008
# How busy each hour of New York is, from midnight; the square root of its share of the day's variance.
_BUSY = (0.8, 0.8, 1.1, 1.5, 1.4, 1.2, 1.1, 1.2, 1.6, 1.6, 1.5, 1.3, 1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.5, 0.6, 0.8, 0.8, 0.7, 0.7)


@dataclass(frozen=True, slots=True)
class _Hour:
    """The logarithm of the price at its beginning and after each minute, and how many ticks there were."""

    at: datetime
    path: list[float]
    ticks: int


def sample_candles(
    instrument: Instrument, timeframe: str, start: datetime, end: datetime, seed: int = SEED, report: Callable[[float], None] | None = None
) -> Candles:
    """From full hour to full hour. `report` hears the part that is done and may raise to stop."""
    if instrument.symbol not in STARTS:
        raise DataError(f"{instrument.symbol}: there are no synthetic candles of it: choose one of {', '.join(STARTS)}")
    if made_length(timeframe) % MINUTE_US:
        raise DataError(f"synthetic candles are made by the minute, so not of {timeframe}: choose 1m or longer")
    stamps, opens, closes, volumes = array("q"), array("q"), array("q"), array("d")
    one = instrument.ticks_per_one
    for hour in _hours(instrument, start, end, seed):
        ticks = [round(math.exp(value) * one) for value in hour.path]
        stamps.append(int(hour.at.timestamp()) * 1_000_000)
        opens.extend(ticks[:-1])
        closes.extend(ticks[1:])
        each, more = divmod(hour.ticks, 60)
        volumes.extend(float(each + (minute < more)) for minute in range(60))
        if report:
            report((hour.at - start) / (end - start))
    first, last = np.array(opens, np.int64), np.array(closes, np.int64)
    minutes = (np.array(stamps, np.int64)[:, None] + np.arange(60) * MINUTE_US).ravel()
    prices = Prices(first, np.maximum(first, last), np.minimum(first, last), last)
    made = Candles(
        instrument, "1m", MINUTE_US, minutes, prices, volume=np.array(volumes), source=f"synthetic, seed {seed}", is_synthetic=True
    )
    return resample(made, timeframe, until=int(end.timestamp()) * 1_000_000)


def _hours(instrument: Instrument, start: datetime, end: datetime, seed: int) -> Iterator[_Hour]:
    middle, liveliness = math.log(STARTS[instrument.symbol][0]), STARTS[instrument.symbol][1]
    # Symbols must not move alike. The first one there was is made of the bare seed.
    rng = random.Random(seed if instrument.symbol == "EURUSD" else f"{instrument.symbol} {seed}")
    log_price, mood, previous = middle, 1.0, start
    for at, drift in zip(_open_hours(start, end, instrument.charged_every_day), _trends(rng), strict=False):
        if at - previous > _HOUR:
            log_price += rng.gauss(0, _WEEKEND_SD)
        mood = 1.0 + 0.94 * (mood - 1.0) + rng.gauss(0, 0.06)  # busy days follow busy days
        weight = max(0.5, mood) * _BUSY[at.astimezone(_NEW_YORK).hour]
        pull = _PULL_PER_HOUR * (middle - log_price)
        path, deviation, move = [log_price], _MINUTE_SD * liveliness * weight / math.sqrt(60), (drift + pull) / 60
        for _ in range(60):
            path.append(path[-1] + move + rng.gauss(0, deviation))
        yield _Hour(at, path, round(2_400 * weight * rng.uniform(0.85, 1.15)))
        log_price, previous = path[-1], at


def _open_hours(start: datetime, end: datetime, every_day: bool) -> Iterator[datetime]:
    stamps = np.arange(int(start.timestamp()) * 1_000_000, int(end.timestamp()) * 1_000_000, HOUR_US)
    is_open = weekday(trading_day(stamps)) < 5
    return (datetime.fromtimestamp(stamp // 1_000_000, UTC) for stamp in stamps[is_open | every_day].tolist())


def _trends(rng: random.Random) -> Iterator[float]:
    """The drift of each hour: spells of a few days up, down or nowhere."""
    while True:
        drift = rng.choice((-1.0, -0.6, 0.0, 0.0, 0.6, 1.0)) * _TREND_PER_HOUR
        for _ in range(rng.randint(30, 130)):
            yield drift
