"""From records people read to the arrays the compiled rules work on: strategy and terms to Plan, candles to Tape, rule hits to Agenda."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import numpy as np

from sptrader_desktop.core.atr import wilder_atr
from sptrader_desktop.core.calendar import DAY_US, day_starts, financing_due
from sptrader_desktop.core.candles import Candles, Prices
from sptrader_desktop.core.conversion import conversion_legs
from sptrader_desktop.core.errors import RunError
from sptrader_desktop.core.instruments import Instrument
from sptrader_desktop.core.money import FRACTION_ONE, exact_multiple, fixed, round_ratio
from sptrader_desktop.core.records import LONG, ORDER_KINDS, SHORT
from sptrader_desktop.core.resample import closes_in_series
from sptrader_desktop.core.rules import RuleHits
from sptrader_desktop.core.strategy import EntryRule, Level, Size, Strategy
from sptrader_desktop.core.tables import (
    ATR,
    BLOCK_BARS,
    CLOSE_ALL,
    CLOSE_LONG,
    CLOSE_PARTIAL,
    CLOSE_SHORT,
    DISTANCE,
    ENTRY,
    EXITS,
    FRACTION,
    NO_LEVEL,
    PERCENTAGE,
    PRICE,
    RISK,
    STEPS,
    SYMBOL,
    TERMS,
    Agenda,
    Ints,
    Plan,
    Table,
    Tape,
)
from sptrader_desktop.core.terms import Terms

ACTIONS = {"close_all": CLOSE_ALL, "close_long": CLOSE_LONG, "close_short": CLOSE_SHORT, "close_partial": CLOSE_PARTIAL}


# Plan


def make_plan(strategy: Strategy, terms: Terms, traded: Sequence[Candles], rates: Sequence[Candles]) -> Plan:
    periods = atr_periods(strategy)
    series = [item.instrument for item in (*traded, *rates)]
    symbols = np.zeros(len(series), SYMBOL)
    entries, exits = np.zeros((len(traded), len(strategy.entries)), ENTRY), np.zeros(len(traded), EXITS)
    for s, candles in enumerate((*traded, *rates)):
        _fill_symbol(symbols[s], candles, terms, s < len(traded))
    for s, candles in enumerate(traded):
        _fill_legs(symbols[s], candles.instrument, terms, series)
        _fill_exits(exits[s], strategy, candles.instrument, periods)
        for r, entry in enumerate(strategy.entries):
            _fill_entry(entries[s, r], entry, candles.instrument, periods)
    actions = np.array([ACTIONS[rule.action] for rule in strategy.exits.rules], np.int64)
    return Plan(symbols, entries, exits, actions, _terms_row(strategy, terms))


def atr_periods(strategy: Strategy) -> tuple[int, ...]:
    """The ATR slots of a strategy: each period once."""
    offsets = [entry.order.offset for entry in strategy.entries]
    levels = [strategy.exits.stop_loss, strategy.exits.take_profit, *offsets]
    return tuple(sorted({level.period for level in levels if level is not None and level.kind == "atr"}))


def whole_ticks(pips: Decimal, instrument: Instrument, what: str) -> int:
    try:
        return exact_multiple(pips * instrument.ticks_per_pip, Decimal(1))
    except ValueError:
        smallest = Decimal(1) / instrument.ticks_per_pip
        raise RunError(f"{what} of {pips} pips is not whole ticks of {instrument.symbol}: give a multiple of {smallest} pips") from None


def _fill_symbol(row: Table, candles: Candles, terms: Terms, traded: bool) -> None:
    item = candles.instrument
    row["traded"], row["unit_value"], row["steps_per_lot"] = traded, item.unit_value, item.steps_per_lot
    row["long_rate"], row["short_rate"] = fixed(item.long_rate, FRACTION_ONE), fixed(item.short_rate, FRACTION_ONE)
    row["lot_commission"] = fixed(terms.commission.per_lot)
    if not traded:
        return
    row["slippage"] = whole_ticks(terms.slippage_pips, item, "a slippage")
    spread = 0 if candles.ask is not None else whole_ticks(terms.spread_pips, item, "a spread")
    below = {"bid": 0, "mid": spread // 2, "ask": spread}[candles.side]
    row["bid_shift"], row["ask_shift"] = -below, spread - below


def _fill_legs(row: Table, item: Instrument, terms: Terms, series: Sequence[Instrument]) -> None:
    for number, leg in enumerate(conversion_legs(item.quote, terms.currency, series), start=1):
        row[f"leg{number}"], row[f"leg{number}_kind"], row[f"leg{number}_scale"] = leg.series, leg.kind, leg.scale


def _fill_level(row: Table, prefix: str, level: Level | None, item: Instrument, periods: Sequence[int]) -> None:
    kind, value, multiple, slot = NO_LEVEL, 0, 0.0, 0
    if level is not None and level.kind == "percentage":
        kind, value = PERCENTAGE, fixed(level.value, FRACTION_ONE)
    elif level is not None and level.kind == "pips":
        kind, value = DISTANCE, _rounded(level.value * item.ticks_per_pip)
    elif level is not None and level.kind == "atr":
        kind, multiple, slot = ATR, float(level.value), periods.index(level.period)
    elif level is not None:
        kind, value = PRICE, _rounded(level.value / item.tick)
    row[f"{prefix}_kind"], row[f"{prefix}_value"], row[f"{prefix}_multiple"], row[f"{prefix}_atr"] = kind, value, multiple, slot


def _rounded(value: Decimal) -> int:
    return round_ratio(*value.as_integer_ratio())


def _fill_exits(row: Table, strategy: Strategy, item: Instrument, periods: Sequence[int]) -> None:
    exits = strategy.exits
    _fill_level(row, "stop", exits.stop_loss, item, periods)
    _fill_level(row, "target", exits.take_profit, item, periods)
    if exits.trailing_stop is not None:
        row["trails"] = 1
        row["activation"] = fixed(exits.trailing_stop.activation, FRACTION_ONE)
        row["trail"] = fixed(exits.trailing_stop.trail, FRACTION_ONE)
    row["scale_out"] = exits.scale_out
    row["partial"] = fixed(exits.partial_close_pct or Decimal(0), FRACTION_ONE)
    row["time_exit"] = exits.time_exit or 0


def _fill_entry(row: Table, entry: EntryRule, item: Instrument, periods: Sequence[int]) -> None:
    row["side"] = LONG if entry.side == "long" else SHORT
    row["kind"] = ORDER_KINDS.index(entry.order.kind)
    row["size_mode"], row["size"], row["size_one"] = _size(entry.size, item)
    row["expiry"] = entry.order.expiry if entry.order.expiry is not None else -1
    row["most"] = entry.max_positions if entry.scale_in else 1
    row["reverse"] = entry.reverse
    _fill_level(row, "offset", entry.order.offset, item, periods)


def _size(size: Size, item: Instrument) -> tuple[int, int, int]:
    """Mode and either steps or a fraction in lowest terms, whose products seldom need more than 64 bits."""
    if size.mode == "units":
        return STEPS, int(size.value / item.step), 1
    if size.mode == "lots":
        return STEPS, int(size.value * item.lot / item.step), 1
    return (RISK if size.mode == "risk" else FRACTION), *size.value.as_integer_ratio()


def _terms_row(strategy: Strategy, terms: Terms) -> Table:
    limits = strategy.risk
    row = np.zeros(1, TERMS)
    row["max_drawdown"] = _limit(limits.max_drawdown)
    row["daily_loss"] = _limit(limits.daily_loss_limit)
    row["position_limit"] = _limit(limits.position_limit)
    row["max_positions"] = -1 if limits.max_positions is None else limits.max_positions
    row["leverage"] = fixed(terms.leverage, 100)
    row["percent_commission"], row["least_commission"] = fixed(terms.commission.percent, FRACTION_ONE), fixed(terms.commission.minimum)
    row["fill_close"], row["target_first"] = terms.fill == "close", terms.intrabar == "target_first"
    return row


def _limit(value: Decimal | None) -> int:
    return -1 if value is None else fixed(value, FRACTION_ONE)


# Tape


def make_tape(traded: Sequence[Candles], rates: Sequence[Candles], finer: Mapping[str, Candles]) -> Tape:
    series = (*traded, *rates)
    fine = [finer.get(item.symbol) if s < len(traded) else None for s, item in enumerate(series)]
    asks = [item.ask or item.prices for item in series]
    fine_asks = [None if item is None else item.ask or item.prices for item in fine]
    shared = all(item.ask is None for item in series)
    over = [_own_closes(item) for item in series]
    raw = {name: _joined([getattr(item.prices, name) for item in series]) for name in ("open", "high", "low", "close")}
    ask = raw if shared else {name: _joined([getattr(item, name) for item in asks]) for name in ("open", "high", "low", "close")}
    return Tape(
        start=_offsets([len(item) for item in series]),
        bar_us=np.array([0 if len(own) else item.bar_us for item, own in zip(series, over, strict=True)], np.int64),
        over_start=_offsets([len(own) for own in over]),
        over=_joined(over),
        time=_joined([item.timestamp for item in series]),
        **raw,
        **{f"ask_{name}": column for name, column in ask.items()},
        fine_start=_offsets([0 if item is None else len(item) for item in fine]),
        fine_time=_joined([item.timestamp for item in fine if item is not None]),
        **{f"fine_{name}": _fine(name, [item.prices for item in fine if item is not None]) for name in ("open", "high", "low")},
        **{f"fine_ask_{name}": _fine(name, [item for item in fine_asks if item is not None]) for name in ("open", "high", "low")},
        blocks=np.zeros((0, 4), np.int64),
        ask_blocks=np.zeros((0, 4), np.int64),
    )


def _own_closes(candles: Candles) -> Ints:
    """Empty where all bars are of one length: ten million of them need no column."""
    if candles.bar_us % DAY_US == 0:
        closes = closes_in_series(candles.timestamp, candles.timeframe)
        if (closes != candles.timestamp + candles.bar_us).any():
            return closes
    return np.zeros(0, np.int64)


def with_blocks(tape: Tape) -> Tape:
    """Worth its time when many runs share the tape."""
    blocks = _blocks(tape.high, tape.low, tape.close)
    return tape._replace(
        blocks=blocks, ask_blocks=blocks if tape.ask_high is tape.high else _blocks(tape.ask_high, tape.ask_low, tape.ask_close)
    )


def _blocks(high: Ints, low: Ints, close: Ints) -> Ints:
    """Highest, lowest, greatest and least close of every whole block."""
    end = len(high) // BLOCK_BARS * BLOCK_BARS
    extremes = ((np.maximum, high), (np.minimum, low), (np.maximum, close), (np.minimum, close))
    return np.stack([extreme.reduce([column[bar:end:BLOCK_BARS] for bar in range(BLOCK_BARS)]) for extreme, column in extremes], axis=1)


def _fine(name: str, prices: Sequence[Prices]) -> Ints:
    return _joined([getattr(item, name) for item in prices])


def _joined(parts: Sequence[Ints]) -> Ints:
    """One series is used where it lies; several are laid end to end."""
    if not parts:
        return np.zeros(0, np.int64)
    return np.ascontiguousarray(parts[0]) if len(parts) == 1 else np.concatenate(parts)


def _offsets(lengths: Sequence[int]) -> Ints:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])


# Agenda


def make_agenda(
    strategy: Strategy, traded: Sequence[Candles], hits: Sequence[RuleHits], rates_count: int, watched: Mapping[str, Ints] | None = None
) -> Agenda:
    """`watched` bars, by symbol, are on the agenda though nothing need happen there."""
    periods, nothing = atr_periods(strategy), np.zeros(0, np.int64)
    parts = [_symbol_agenda(c, hit, periods, (watched or {}).get(c.symbol, nothing)) for c, hit in zip(traded, hits, strict=True)]
    lengths = [len(part.bar) for part in parts] + [0] * rates_count
    return Agenda(
        start=_offsets(lengths),
        bar=_joined([part.bar for part in parts]),
        day=_joined([part.day for part in parts]),
        weight=_joined([part.weight for part in parts]),
        entries=_joined([part.entries for part in parts]),
        exits=_joined([part.exits for part in parts]),
        atr=np.concatenate([part.atr for part in parts]),
    )


def _symbol_agenda(candles: Candles, hits: RuleHits, periods: Sequence[int], watched: Ints) -> Agenda:
    days, starts = day_starts(candles.timestamp)
    charged, charges = financing_due(candles.timestamp, candles.instrument.charged_every_day)
    # One byte a bar and nothing wider: on a million bars, fresh memory costs more than the arithmetic on it.
    is_due = np.zeros(len(candles), np.bool_)
    for due in (starts, charged[charges != 0], watched):
        is_due[due] = True
    for rule in (*hits.entries, *hits.exits):
        is_due |= rule
    bars = np.flatnonzero(is_due).astype(np.int64)
    atr = np.zeros((len(bars), max(1, len(periods))), np.float64)
    for slot, period in enumerate(periods):
        atr[:, slot] = wilder_atr(candles.prices.high, candles.prices.low, candles.prices.close, period)[bars]
    day, weight = days[np.searchsorted(starts, bars, side="right") - 1], np.zeros(len(bars), np.int64)
    weight[np.searchsorted(bars, charged[charges != 0])] = charges[charges != 0]
    return Agenda(np.zeros(1, np.int64), bars, day, weight, _bits(hits.entries, bars), _bits(hits.exits, bars), atr)


def _bits(rules: np.ndarray[tuple[int, int], np.dtype[np.bool_]], bars: Ints) -> Ints:
    bits = np.zeros(len(bars), np.int64)
    for number, rule in enumerate(rules):
        bits |= rule[bars].astype(np.int64) << number
    return bits
