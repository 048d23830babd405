"""Random markets and strategies for comparing engines: `random_case(seed)` is the same case on every machine.

A case is drawn whole and then cut to `bars`, so fewer bars of one seed are the beginning of more: failures shrink. Prices walk on a
coarse lattice and levels are whole multiples of it, which makes exact touches and ties common instead of rare.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from typing import TypeVar

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from sptrader_desktop.core import records as rec
from sptrader_desktop.core.candles import Candles, Prices, PriceSide
from sptrader_desktop.core.instruments import CATALOGUE, Instrument
from sptrader_desktop.core.rules import RuleHits
from sptrader_desktop.core.strategy import (
    AllOf,
    EntryOrder,
    EntryRule,
    ExitAction,
    ExitRule,
    Exits,
    Level,
    OrderKind,
    RiskLimits,
    Size,
    Strategy,
    TrailingStop,
)
from sptrader_desktop.core.terms import Commission, Terms
from tests.reference import Outcome

Rng = np.random.Generator
Choice = TypeVar("Choice")

LEAST_DRAWN = 200
MINUTE_US = 60_000_000
TIMEFRAMES = {"5m": 5, "15m": 15, "1h": 60, "4h": 240}
FINER = {"15m": "5m", "1h": "15m", "4h": "1h"}
ALWAYS = AllOf(())  # cases bring their hits with them; nobody evaluates these conditions

START_PRICES = {
    "EURUSD": 110_000,
    "GBPUSD": 130_000,
    "USDCHF": 92_000,
    "USDJPY": 110_000,
    "EURJPY": 120_000,
    "EURGBP": 85_000,
    "XAUUSD": 180_000,
    "BTCUSD": 3_000_000,
}
# The pairs that must be at hand for an account in that currency, whatever is traded; which of them convert depends on the symbol.
ACCOUNTS = {
    "USD": ("USDJPY", "USDCHF", "GBPUSD"),
    "EUR": ("EURUSD", "USDJPY", "USDCHF", "GBPUSD"),
    "JPY": ("USDJPY", "USDCHF", "GBPUSD"),
}
# Ordinary weeks and those in which New York changes its clock, each start a multiple of four hours.
STARTS = [
    datetime(2021, 3, 11, tzinfo=UTC),
    datetime(2021, 11, 4, 8, tzinfo=UTC),
    datetime(2022, 6, 1, 20, tzinfo=UTC),
    datetime(2020, 12, 30, 4, tzinfo=UTC),
    datetime(2023, 2, 13, tzinfo=UTC),
]


@dataclass(frozen=True, slots=True)
class Case:
    """Everything `simulate` takes, and the seed that made it."""

    seed: int
    candles: tuple[Candles, ...]
    hits: tuple[RuleHits, ...]
    strategy: Strategy
    terms: Terms
    rates: tuple[Candles, ...]
    finer: Mapping[str, Candles]


@dataclass(frozen=True, slots=True)
class Mood:
    """What one case's candles have in common. `grain` is the lattice in units of 1/110,000 of a price, about a tick of EURUSD;
    `symbol` is the first traded, near whose prices levels given as prices are; `stretched` sizes leave hardly any margin."""

    symbol: str
    grain: int
    pace: float
    gap_chance: float
    missing: float
    side: PriceSide
    real_ask: bool
    with_finer: bool
    stretched: bool


def cases(most_bars: int = LEAST_DRAWN) -> st.SearchStrategy[Case]:
    """For hypothesis: shrinks towards a small seed and few bars."""
    return st.builds(random_case, seed=st.integers(0, 2**32 - 1), bars=st.integers(1, most_bars))


def random_case(seed: int, bars: int = LEAST_DRAWN) -> Case:
    """`bars` counts the quickest traded symbol's; slower symbols have as many as fit into the same time."""
    rng = np.random.default_rng(seed)
    drawn = max(bars, LEAST_DRAWN)
    symbols, timeframes = random_symbols(rng)
    mood = random_mood(rng, symbols[0])
    start = int(pick(rng, STARTS).timestamp()) * 1_000_000
    currency = pick(rng, ["USD", "USD", "EUR", "JPY"])
    span = drawn * min(TIMEFRAMES[timeframe] for timeframe in timeframes) * MINUTE_US
    both = [random_market(rng, symbol, timeframe, start, span, mood) for symbol, timeframe in zip(symbols, timeframes, strict=True)]
    candles = [coarse for coarse, _ in both]
    finer = {coarse.symbol: fine for coarse, fine in both if fine is not None}
    strategy = random_strategy(rng, mood)
    hits = [random_hits(rng, strategy, len(item)) for item in candles]
    terms = random_terms(rng, currency, mood)
    rates = random_rates(rng, symbols, currency, start, span)
    end = start + span * bars // drawn
    lengths = [int(np.searchsorted(item.timestamp, end)) for item in candles]
    return Case(
        seed=seed,
        candles=tuple(cut(item, end) for item in candles),
        hits=tuple(RuleHits(item.entries[:, :n], item.exits[:, :n]) for item, n in zip(hits, lengths, strict=True)),
        strategy=strategy,
        terms=terms,
        rates=tuple(cut(item, end) for item in rates),
        finer={symbol: cut(item, end) for symbol, item in finer.items()},
    )


def cut(candles: Candles, end: int) -> Candles:
    n = int(np.searchsorted(candles.timestamp, end))
    ask = None if candles.ask is None else rows(candles.ask, np.s_[:n])
    return replace(candles, timestamp=candles.timestamp[:n], prices=rows(candles.prices, np.s_[:n]), ask=ask)


def rows(prices: Prices, which: slice | NDArray[np.bool_]) -> Prices:
    return Prices(prices.open[which], prices.high[which], prices.low[which], prices.close[which])


def pick(rng: Rng, choices: list[Choice]) -> Choice:
    return choices[int(rng.integers(len(choices)))]


def chance(rng: Rng, probability: float) -> bool:
    return bool(rng.random() < probability)


# -------------------------------------------------------------------------------------------------------------- markets


def random_symbols(rng: Rng) -> tuple[list[str], list[str]]:
    count = pick(rng, [1, 1, 1, 2, 2, 3])
    symbols = [str(symbol) for symbol in rng.permutation(list(START_PRICES))[:count]]
    timeframes = [pick(rng, ["1h", "1h", "15m", "4h"]) for _ in symbols]
    return symbols, [timeframes[0]] * count if chance(rng, 0.5) else timeframes


def random_mood(rng: Rng, symbol: str) -> Mood:
    side: PriceSide = pick(rng, ["bid", "bid", "mid", "ask"])
    return Mood(
        symbol=symbol,
        grain=pick(rng, [1, 10, 50, 100, 200]),
        pace=pick(rng, [0.7, 1.5, 3.0]),
        gap_chance=pick(rng, [0.0, 0.02, 0.1]),
        missing=pick(rng, [0.0, 0.0, 0.05, 0.3]),
        side=side,
        real_ask=side == "bid" and chance(rng, 0.4),
        with_finer=chance(rng, 0.4),
        stretched=chance(rng, 0.25),
    )


def random_market(rng: Rng, symbol: str, timeframe: str, start: int, span: int, mood: Mood) -> tuple[Candles, Candles | None]:
    """Bars made of finer bars, so that the two tell one story; some of either are missing."""
    instrument = with_financing(rng, CATALOGUE[symbol])
    bar_us = TIMEFRAMES[timeframe] * MINUTE_US
    parts = TIMEFRAMES[timeframe] // TIMEFRAMES[FINER[timeframe]]
    count = max(span // bar_us, 1)
    fine = walk(rng, START_PRICES[symbol], count * parts, parts, mood)
    ask = ask_of(rng, fine, mood) if mood.real_ask else None
    stamps = start + np.arange(count, dtype=np.int64) * bar_us
    kept = trading_hours(stamps, symbol) & (rng.random(count) >= mood.missing)
    kept[0] = True  # every symbol has a price from the first instant on
    coarse = Candles(
        instrument=instrument,
        timeframe=timeframe,
        bar_us=bar_us,
        timestamp=stamps[kept],
        prices=rows(joined(fine, parts), kept),
        side=mood.side,
        ask=None if ask is None else rows(joined(ask, parts), kept),
    )
    if not mood.with_finer:
        return coarse, None
    told = np.repeat(kept, parts) & (rng.random(count * parts) >= pick(rng, [0.0, 0.1, 0.4]))
    finer = Candles(
        instrument=instrument,
        timeframe=FINER[timeframe],
        bar_us=bar_us // parts,
        timestamp=(start + np.arange(count * parts, dtype=np.int64) * (bar_us // parts))[told],
        prices=rows(fine, told),
        side=mood.side,
        ask=None if ask is None else rows(ask, told),
    )
    return coarse, finer


def with_financing(rng: Rng, instrument: Instrument) -> Instrument:
    if chance(rng, 0.5):
        return instrument
    rates = [Decimal(int(rng.integers(-900, 600))).scaleb(-4) for _ in range(2)]
    return replace(instrument, long_rate=rates[0], short_rate=rates[1])


def lattice(mood: Mood, price: int) -> int:
    return max(mood.grain * price // 110_000, 1)


def walk(rng: Rng, price: int, count: int, parts: int, mood: Mood) -> Prices:
    """A walk on the lattice with flat stretches, one-tick bars and gaps between the coarse bars."""
    grain = lattice(mood, price)
    moves = rng.normal(0, mood.pace, count).round().astype(np.int64)
    moves[np.repeat(rng.random(-(-count // (parts * 5))) < 0.15, parts * 5)[:count]] = 0
    gaps = np.zeros(count, np.int64)
    jumping = (np.arange(count) % parts == 0) & (rng.random(count) < mood.gap_chance)
    gaps[jumping] = rng.integers(-12, 13, int(jumping.sum()))
    path = price + grain * np.cumsum(moves + gaps)
    reach = (grain * rng.geometric(0.6, (2, count)) - grain) * (rng.random(count) > 0.2)
    opens = path - grain * moves
    columns = [opens, np.maximum(opens, path) + reach[0], np.minimum(opens, path) - reach[1], path]
    return Prices(*(np.maximum(column, price // 2).astype(np.int64) for column in columns))


def ask_of(rng: Rng, bid: Prices, mood: Mood) -> Prices:
    grain = lattice(mood, int(bid.open[0]))
    width = rng.choice([0, grain // 2, grain, 2 * grain], (4, len(bid.open)))
    opens, closes = bid.open + width[0], bid.close + width[1]
    high = np.maximum(bid.high + width[2], np.maximum(opens, closes))
    low = np.minimum(bid.low + width[3], np.minimum(opens, closes))
    return Prices(opens, high, low, closes)


def joined(fine: Prices, parts: int) -> Prices:
    high, low = fine.high.reshape(-1, parts).max(axis=1), fine.low.reshape(-1, parts).min(axis=1)
    return Prices(fine.open[::parts].copy(), high, low, fine.close[parts - 1 :: parts].copy())


def trading_hours(stamps: NDArray[np.int64], symbol: str) -> NDArray[np.bool_]:
    """From Friday 21:00 to Sunday 21:00 UTC only what never sleeps is open."""
    hour = (stamps // (60 * MINUTE_US) + 72) % 168  # of the week, Monday 00:00 first; the epoch was a Thursday
    return (hour < 4 * 24 + 21) | (hour >= 6 * 24 + 21) | (symbol == "BTCUSD")


def random_rates(rng: Rng, symbols: list[str], currency: str, start: int, span: int) -> list[Candles]:
    """Every pair the account may need and nobody trades, in a timeframe of its own, from the first instant or a little before."""
    calm = Mood(symbol="", grain=20, pace=1.0, gap_chance=0.0, missing=0.0, side="bid", real_ask=False, with_finer=False, stretched=False)
    if all(CATALOGUE[symbol].quote == currency for symbol in symbols) and chance(rng, 0.7):
        return []
    needed = [pair for pair in ACCOUNTS[currency] if pair not in symbols]
    made = []
    for pair in needed:
        timeframe = pick(rng, ["1h", "15m", "4h"])
        early = pick(rng, [0, 1, 3]) * TIMEFRAMES[timeframe] * MINUTE_US
        made.append(random_market(rng, pair, timeframe, start - early, span + early, calm)[0])
    return made


def random_hits(rng: Rng, strategy: Strategy, bars: int) -> RuleHits:
    entries, exits = len(strategy.entries), len(strategy.exits.rules)
    busy = rng.choice([0.02, 0.1, 0.5], (entries, 1))
    leaving = rng.choice([0.01, 0.05, 0.2], (exits, 1))
    return RuleHits(rng.random((entries, bars)) < busy, rng.random((exits, bars)) < leaving)


# ----------------------------------------------------------------------------------------------------------- strategies


def random_strategy(rng: Rng, mood: Mood) -> Strategy:
    exits = random_exits(rng, mood)
    entries = tuple(random_entry(rng, mood, has_stop=exits.stop_loss is not None) for _ in range(pick(rng, [1, 2, 2, 3, 4])))
    return Strategy("random", "1", entries, exits, random_limits(rng))


def random_entry(rng: Rng, mood: Mood, *, has_stop: bool) -> EntryRule:
    scale_in = chance(rng, 0.4)
    return EntryRule(
        when=ALWAYS,
        side=pick(rng, ["long", "short"]),
        size=random_size(rng, mood, has_stop=has_stop),
        order=random_order(rng, mood),
        scale_in=scale_in,
        max_positions=pick(rng, [2, 3, 5]) if scale_in else 1,
        reverse=chance(rng, 0.4),
    )


def random_size(rng: Rng, mood: Mood, *, has_stop: bool) -> Size:
    if mood.stretched:
        return Size("fraction", pick(rng, [Decimal(30), Decimal(90)]))
    mode = pick(rng, ["fraction", "fraction", "units", "lots", *(["risk"] if has_stop else [])])
    if mode == "units":
        return Size("units", pick(rng, [Decimal("0.00005"), Decimal("0.5"), Decimal(3), Decimal(1000), Decimal("12345.6789")]))
    if mode == "lots":
        return Size("lots", pick(rng, [Decimal("0.01"), Decimal("0.1"), Decimal("0.333")]))
    if mode == "risk":
        return Size("risk", pick(rng, [Decimal("0.001"), Decimal("0.01"), Decimal("0.05")]))
    shares = ["0.00000001", "0.02", "0.33333333", "1", "4", "20"]
    return Size("fraction", Decimal(pick(rng, shares)))


def random_order(rng: Rng, mood: Mood) -> EntryOrder:
    kind: OrderKind = pick(rng, ["market", "market", "limit", "stop"])
    if kind == "market":
        return EntryOrder()
    return EntryOrder(kind, random_level(rng, mood, ["pips", "pips", "percentage", "atr"], 3), pick(rng, [None, 1, 2, 5, 12]))


def random_level(rng: Rng, mood: Mood, kinds: list[str], most: int) -> Level:
    """Up to `most` times a typical move away. Pips are whole grains of a symbol quoted like EURUSD."""
    steps = int(rng.integers(1, most + 1)) * (1 if mood.pace < 2 else 2)
    kind = pick(rng, kinds)
    if kind == "percentage":
        return Level("percentage", Decimal(steps * mood.grain).scaleb(-5))
    if kind == "price":
        ticks = START_PRICES[mood.symbol] + int(rng.integers(-12, 13)) * lattice(mood, START_PRICES[mood.symbol])
        return Level("price", ticks * CATALOGUE[mood.symbol].tick)
    if kind == "atr":
        return Level("atr", pick(rng, [Decimal("0.5"), Decimal(1), Decimal("1.7"), Decimal(3)]), pick(rng, [1, 2, 5, 14]))
    return Level("pips", Decimal(steps * mood.grain) / 10 + pick(rng, [Decimal(0), Decimal(0), Decimal("0.05"), Decimal("0.15")]))


def random_exits(rng: Rng, mood: Mood) -> Exits:
    kinds = ["pips", "pips", "percentage", "percentage", "atr", "price"]
    trailing = TrailingStop(pick(rng, [Decimal(0), fractions(mood, 2)]), fractions(mood, pick(rng, [1, 4])))
    actions: list[ExitAction] = ["close_all", "close_long", "close_short", "close_partial"]
    return Exits(
        rules=tuple(ExitRule(ALWAYS, pick(rng, actions)) for _ in range(int(rng.integers(0, 4)))),
        stop_loss=random_level(rng, mood, kinds, 6) if chance(rng, 0.2 if mood.stretched else 0.75) else None,
        take_profit=random_level(rng, mood, kinds, 8) if chance(rng, 0.6) else None,
        trailing_stop=trailing if chance(rng, 0.1 if mood.stretched else 0.4) else None,
        scale_out=chance(rng, 0.4),
        partial_close_pct=pick(rng, [Decimal("0.5"), Decimal("0.33333333"), Decimal("0.9"), Decimal("0.00001")]),
        time_exit=int(rng.integers(1, 20)) if chance(rng, 0.3) else None,
    )


def fractions(mood: Mood, steps: int) -> Decimal:
    return Decimal(steps * mood.grain).scaleb(-5)


def random_limits(rng: Rng) -> RiskLimits:
    return RiskLimits(
        max_drawdown=pick(rng, [Decimal("0.004"), Decimal("0.05"), Decimal("0.2")]) if chance(rng, 0.35) else None,
        daily_loss_limit=pick(rng, [Decimal("0.001"), Decimal("0.01"), Decimal("0.05")]) if chance(rng, 0.3) else None,
        position_limit=pick(rng, [Decimal("0.05"), Decimal("0.5"), Decimal(3)]) if chance(rng, 0.3) else None,
        max_positions=pick(rng, [1, 2, 4]) if chance(rng, 0.3) else None,
    )


def random_terms(rng: Rng, currency: str, mood: Mood) -> Terms:
    widths = [Decimal(0), Decimal("0.1"), Decimal("0.7"), Decimal(mood.grain) / 10, Decimal(mood.grain * 3) / 10]
    commission = Commission(
        per_lot=pick(rng, [Decimal(0), Decimal(7), Decimal("3.33333333")]),
        percent=pick(rng, [Decimal(0), Decimal("0.00002"), Decimal("0.00033333")]),
        minimum=pick(rng, [Decimal(0), Decimal(0), Decimal("0.37")]),
    )
    return Terms(
        capital=Decimal(1_000_000) if currency == "JPY" else Decimal(10_000),
        currency=currency,
        fill=pick(rng, ["next_open", "next_open", "close"]),
        intrabar=pick(rng, ["stop_first", "target_first"]),
        spread_pips=pick(rng, widths),
        slippage_pips=pick(rng, [Decimal(0), Decimal(0), Decimal("0.1"), Decimal(mood.grain) / 10]),
        commission=commission if chance(rng, 0.6) else Commission(),
        leverage=Decimal(100) if mood.stretched else pick(rng, [Decimal(1), Decimal("2.5"), Decimal(30), Decimal(30), Decimal(500)]),
    )


# ------------------------------------------------------------------------------------------------------------- features


def features(case: Case, outcome: Outcome) -> set[str]:
    """What a case exercised, named `kind:what`: the generator is judged by the union over many seeds."""
    return happened(outcome) | asked(case)


def happened(outcome: Outcome) -> set[str]:
    found = {f"exit:{rec.EXIT_REASONS[row['reason']]}" for row in outcome.trades}
    found |= {f"verdict:{rec.VERDICTS[row['verdict']]}" for row in outcome.verdicts}
    found |= {f"order:{rec.ORDER_KINDS[row['kind']]}:{rec.ORDER_STATES[row['state']]}" for row in outcome.orders}
    found |= {f"trade:{flag}" for row in outcome.trades for flag in ("ambiguous", "resolved", "financing") if row[flag]}
    found |= {"verdict:reduced" for row in outcome.verdicts if 0 < row["quantity"] < row["wanted"]}
    found |= {"trade:in_one_bar" for row in outcome.trades if row["entry_bar"] == row["exit_bar"]}
    if len(outcome.trades) > len({row["position"] for row in outcome.trades}):
        found.add("trade:in_parts")
    if any(earlier["position"] > later["position"] for earlier, later in pairwise(outcome.trades)):
        found.add("trade:younger_closed_first")
    return found


def asked(case: Case) -> set[str]:
    exits, terms = case.strategy.exits, case.terms
    found = {f"symbols:{len(case.candles)}", f"fill:{terms.fill}", f"intrabar:{terms.intrabar}", f"currency:{terms.currency}"}
    found |= {f"side:{item.side}" for item in case.candles} | {f"timeframe:{item.timeframe}" for item in case.candles}
    found |= {f"traded:{item.symbol}" for item in case.candles} | {f"size:{rule.size.mode}" for rule in case.strategy.entries}
    found |= {f"stop:{exits.stop_loss.kind}"} if exits.stop_loss else set()
    found |= {f"target:{exits.take_profit.kind}"} if exits.take_profit else set()
    found |= {f"offset:{rule.order.offset.kind}" for rule in case.strategy.entries if rule.order.offset}
    found |= {f"action:{rule.action}" for rule in exits.rules}
    switches = {
        "ask:real": any(item.ask is not None for item in case.candles),
        "ask:spread": terms.spread_pips > 0,
        "finer": bool(case.finer),
        "rates": bool(case.rates),
        "scale_in": any(rule.scale_in for rule in case.strategy.entries),
        "reverse": any(rule.reverse for rule in case.strategy.entries),
        "scale_out": exits.scale_out,
        "trailing:at_once": exits.trailing_stop is not None and exits.trailing_stop.activation == 0,
        "timeframes:mixed": len({item.timeframe for item in case.candles}) > 1,
        "slippage": terms.slippage_pips > 0,
    }
    return found | {name for name, on in switches.items() if on}
