"""Runs for explanations: small markets, event tables, and a run made from both as the backtest makes it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np

from sptrader_desktop.core import records as rec
from sptrader_desktop.core.candles import Candles, Prices
from sptrader_desktop.core.instruments import CATALOGUE
from sptrader_desktop.core.results import Request, Result
from sptrader_desktop.core.rules import EventTable, RuleHits, rule_hits
from sptrader_desktop.core.simulation import Outcome, make_job, run
from sptrader_desktop.core.strategy import (
    Comparison,
    Condition,
    EntryRule,
    Exits,
    RiskLimits,
    SignalMatch,
    Size,
    Strategy,
)
from sptrader_desktop.core.terms import Terms
from sptrader_desktop.runtime.backtest import ambiguity_band, measure
from tests.markets import Case

HOUR_US = 3_600_000_000
FIRST = int(datetime(2024, 1, 2, 8, tzinfo=UTC).timestamp()) * 1_000_000
Events = dict[str, EventTable]
NO_LIMITS = RiskLimits()


def ran(request: Request, *events: Events) -> Result:
    hits = tuple(rule_hits(request.strategy, found, len(candles)) for found, candles in zip(events, request.traded, strict=True))
    job = make_job(request.strategy, request.terms, request.traded, hits, request.rates, request.finer)
    outcome = run(job)
    return Result(request, events, hits, job, outcome, ambiguity_band(job, outcome, request.terms), measure(request, outcome))


def run_of_case(case: Case) -> Result:
    """A random case whose hits come from events: rule r of a kind has the signal `<kind>r`."""
    entries = tuple(replace(rule, when=SignalMatch(f"entry{r}")) for r, rule in enumerate(case.strategy.entries))
    rules = tuple(replace(rule, when=SignalMatch(f"exit{r}")) for r, rule in enumerate(case.strategy.exits.rules))
    strategy = replace(case.strategy, entries=entries, exits=replace(case.strategy.exits, rules=rules))
    request = Request(strategy, case.terms, case.candles, case.rates, case.finer)
    return ran(request, *(events_of(hits) for hits in case.hits))


def events_of(hits: RuleHits) -> Events:
    named = [("entry", hits.entries), ("exit", hits.exits)]
    return {f"{kind}{r}": table(np.flatnonzero(row).tolist()) for kind, rows in named for r, row in enumerate(rows)}


def table(bars: Sequence[int], kinds: Sequence[str] = (), strengths: Sequence[float] = (), **metadata: Sequence[object]) -> EventTable:
    columns = {
        name: np.array(values, None if all(isinstance(v, float) for v in values) else np.object_) for name, values in metadata.items()
    }
    return EventTable(
        np.array(bars, np.int64), np.array(kinds or ["on"] * len(bars), np.object_), np.array(strengths or [1.0] * len(bars)), columns
    )


def verdict_rows(outcome: Outcome, symbol: int, bar: int) -> dict[int, tuple[str, int, int]]:
    rows = outcome.verdicts[(outcome.verdicts["symbol"] == symbol) & (outcome.verdicts["bar"] == bar)]
    return {int(row["rule"]): (rec.VERDICTS[row["verdict"]], int(row["quantity"]), int(row["order"])) for row in rows}


def walked(bars: int, seed: int) -> Candles:
    rng = np.random.default_rng(seed)
    close = 110_000 + np.cumsum(rng.integers(-30, 31, bars))
    opens = np.concatenate([[110_000], close[:-1]])
    return hourly(list(zip(opens, np.maximum(opens, close) + 5, np.minimum(opens, close) - 5, close, strict=True)))


def hourly(bars: Sequence[tuple[int, int, int, int]]) -> Candles:
    columns = [np.array(column, np.int64) for column in zip(*bars, strict=True)]
    return Candles(CATALOGUE["EURUSD"], "1h", HOUR_US, FIRST + np.arange(len(bars), dtype=np.int64) * HOUR_US, Prices(*columns))


def number(operator: str, *operands: str) -> Comparison:
    return Comparison(operator, tuple(Decimal(operand) for operand in operands))  # type: ignore[arg-type]


def buying(when: Condition, **more: object) -> EntryRule:
    return replace(EntryRule(when, "long", Size("units", Decimal(1000))), **more)  # type: ignore[arg-type]


def single(when: Condition, events: Events, limits: RiskLimits = NO_LIMITS, **more: object) -> Result:
    return ran(Request(Strategy("s", "1", (buying(when, **more),), Exits(), limits), Terms(), (walked(8, 1),)), events)
