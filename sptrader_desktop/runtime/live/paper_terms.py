"""What a paper account is opened with: its money, what it trades and what that costs, how its broker errs; and the tables that follow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from sptrader_desktop.core.conversion import conversion_legs
from sptrader_desktop.core.errors import RunError
from sptrader_desktop.core.instruments import Instrument
from sptrader_desktop.core.live_book import Book
from sptrader_desktop.core.money import FRACTION_ONE, fixed
from sptrader_desktop.core.plan import whole_ticks
from sptrader_desktop.core.tables import ENTRY, EXITS, NO_LEVEL, SYMBOL, TERMS, Plan
from sptrader_desktop.core.terms import Terms
from sptrader_desktop.runtime.live.paper_prices import Frictions, Market, PricedBroker


@dataclass(frozen=True, slots=True)
class SymbolExits:
    """Where stops and targets of a symbol stand, as in `core.tables.EXITS`: the broker sets them when it fills."""

    stop_kind: int = NO_LEVEL
    stop_value: int = 0
    target_kind: int = NO_LEVEL
    target_value: int = 0
    scale_out: int = 0
    partial: int = 0


@dataclass(frozen=True, slots=True)
class PaperTerms:
    """`rates` are traded by nobody: they turn money. Spread, where prices are mids, and slippage are those of `terms`.

    Without `holds_stops` the broker sets none of `exits`, and whoever trades with it watches them.
    """

    account: str
    terms: Terms
    instruments: tuple[Instrument, ...]
    rates: tuple[Instrument, ...] = ()
    exits: Mapping[str, SymbolExits] = field(default_factory=dict)
    frictions: Frictions = field(default_factory=Frictions)
    holds_stops: bool = True

    @property
    def symbols(self) -> tuple[str, ...]:
        return tuple(item.symbol for item in (*self.instruments, *self.rates))


def exits_of(plan: Plan, symbols: Sequence[str]) -> dict[str, SymbolExits]:
    """Of a strategy's own plan, by the symbols it trades."""
    names = SymbolExits.__dataclass_fields__
    return {symbol: SymbolExits(*(int(plan.exits[s][name]) for name in names)) for s, symbol in enumerate(symbols[: len(plan.exits)])}


def open_broker(asked: PaperTerms) -> PricedBroker:
    """Raises RunError where something is missing or would not be exact."""
    series = (*asked.instruments, *asked.rates)
    if not asked.instruments or len({item.symbol for item in series}) != len(series):
        raise RunError(f"account {asked.account}: name each symbol once, and at least one that is traded")
    markets = [_market(asked.terms, item) for item in series]
    book = Book(_plan(asked, series), fixed(asked.terms.capital), 1)
    return PricedBroker(asked.symbols, book, markets, asked.frictions, holds_stops=asked.holds_stops)


def _market(terms: Terms, item: Instrument) -> Market:
    """What is financed on every day is traded on every day."""
    return Market(whole_ticks(terms.spread_pips, item, "a spread"), item.charged_every_day, item.charged_every_day)


def _plan(asked: PaperTerms, series: Sequence[Instrument]) -> Plan:
    traded, terms = len(asked.instruments), asked.terms
    symbols, exits, row = np.zeros(len(series), SYMBOL), np.zeros(traded, EXITS), np.zeros(1, TERMS)
    for s, item in enumerate(series):
        symbols["unit_value"][s], symbols["steps_per_lot"][s] = item.unit_value, item.steps_per_lot
        symbols["long_rate"][s], symbols["short_rate"][s] = fixed(item.long_rate, FRACTION_ONE), fixed(item.short_rate, FRACTION_ONE)
    for s, item in enumerate(asked.instruments):
        symbols["traded"][s], symbols["slippage"][s] = 1, whole_ticks(terms.slippage_pips, item, "a slippage")
        symbols["lot_commission"][s] = fixed(terms.commission.per_lot)
        for number, leg in enumerate(conversion_legs(item.quote, terms.currency, series), start=1):
            for name, value in (("", leg.series), ("_kind", leg.kind), ("_scale", leg.scale)):
                symbols[f"leg{number}{name}"][s] = value
        told = asked.exits.get(item.symbol, SymbolExits()) if asked.holds_stops else SymbolExits()
        for name in SymbolExits.__dataclass_fields__:
            exits[name][s] = getattr(told, name)
    row["max_drawdown"] = row["daily_loss"] = row["position_limit"] = row["max_positions"] = -1
    row["leverage"] = fixed(terms.leverage, 100)
    row["percent_commission"] = fixed(terms.commission.percent, FRACTION_ONE)
    row["least_commission"] = fixed(terms.commission.minimum)
    return Plan(symbols, np.zeros((traded, 1), ENTRY), exits, np.zeros(0, np.int64), row)
