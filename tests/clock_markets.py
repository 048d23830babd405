"""Random cases around New York's changes of clocks: hours beside days and weeks that are made of hours, as `resample` makes them."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.resample import resample
from sptrader_desktop.core.rules import RuleHits
from sptrader_desktop.core.strategy import Strategy
from tests.markets import ACCOUNTS, Case, Rng, chance, pick, random_hits, random_market, random_mood, random_strategy, random_terms

NEW_YORK = ZoneInfo("America/New_York")
HOUR_US = 3_600_000_000
WEEKS = 4  # the second has the change
FEW = 40


def micros(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def changes(zone: ZoneInfo, first: int, last: int) -> list[date]:
    """The dates of these years on which the zone's noon is at another UTC hour than the day before."""
    days = [date(first, 1, 1) + timedelta(days=n) for n in range((date(last + 1, 1, 1) - date(first, 1, 1)).days)]
    offsets = [datetime.combine(day, time(12), zone).utcoffset() for day in days]
    return [day for day, before, now in zip(days[1:], offsets[:-1], offsets[1:], strict=True) if before != now]


CHANGES = changes(NEW_YORK, 2010, 2030)


def clock_case(seed: int, change: date) -> Case:
    """Two or three of EURUSD by the week or day, GBPUSD by the hour and BTCUSD by the day or week: four weeks from a Sunday 17:00."""
    rng = np.random.default_rng(seed)
    symbols = [str(symbol) for symbol in rng.permutation(["EURUSD", "GBPUSD", "BTCUSD"])[: pick(rng, [2, 3])]]
    # Without BTCUSD only a week has the change inside one of its bars.
    weekly = "BTCUSD" not in symbols or chance(rng, 0.6)
    timeframes = {"EURUSD": "1w" if weekly else "1d", "GBPUSD": "1h", "BTCUSD": pick(rng, ["1d", "1d", "1w"])}
    mood = random_mood(rng, symbols[0])
    # The Sunday of the change is the end of its trading week: that week began seven days before.
    start = micros(datetime.combine(change - timedelta(weeks=2), time(17), NEW_YORK))
    span = (WEEKS * 7 * 24 + 1) * HOUR_US
    candles: list[Candles] = []
    finer: dict[str, Candles] = {}
    for symbol in symbols:
        hourly, quarters = random_market(rng, symbol, "1h", start, span, mood)
        is_hourly = timeframes[symbol] == "1h"
        candles.append(hourly if is_hourly else resample(hourly, timeframes[symbol], until=start + span))
        fine = quarters if is_hourly else hourly if chance(rng, 0.5) else None
        if fine is not None:
            finer[symbol] = fine
    currency = pick(rng, ["USD", "USD", "EUR", "JPY"])
    strategy = random_strategy(rng, mood)
    return Case(
        seed=seed,
        candles=tuple(candles),
        hits=tuple(hits_of(rng, strategy, len(item)) for item in candles),
        strategy=strategy,
        terms=random_terms(rng, currency, mood),
        rates=tuple(rates_of(rng, symbols, currency, start, span)),
        finer=finer,
    )


def hits_of(rng: Rng, strategy: Strategy, bars: int) -> RuleHits:
    """A few bars decide much more often than many."""
    if bars > FEW:
        return random_hits(rng, strategy, bars)
    return RuleHits(rng.random((len(strategy.entries), bars)) < 0.4, rng.random((len(strategy.exits.rules), bars)) < 0.15)


def rates_of(rng: Rng, symbols: list[str], currency: str, start: int, span: int) -> list[Candles]:
    """Every pair the account may need and nobody trades; some of them come by the day."""
    calm = replace(random_mood(rng, symbols[0]), grain=20, missing=0.0, side="bid", real_ask=False, with_finer=False)
    made = []
    for pair in ACCOUNTS[currency] if currency != "USD" else ():
        if pair not in symbols:
            hourly, _ = random_market(rng, pair, "1h", start, span, calm)
            made.append(resample(hourly, "1d", unfinished=True) if chance(rng, 0.5) else hourly)
    return made
