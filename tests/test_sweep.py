"""A sweep is many single runs: every row must be what that run gives by itself, whatever else runs beside it."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cache

import numpy as np
import pytest

from benchmarks.crossover import crossover
from sptrader_desktop.core.candles import Candles, Int64Array, Prices
from sptrader_desktop.core.errors import Cancelled, RunError
from sptrader_desktop.core.instruments import CATALOGUE
from sptrader_desktop.core.metrics import EquityCurve, Metrics, measure
from sptrader_desktop.core.rules import RuleHits
from sptrader_desktop.core.simulation import Job, make_job, run
from sptrader_desktop.core.strategy import Exits, Level, RiskLimits, Size, TrailingStop
from sptrader_desktop.core.terms import Terms
from sptrader_desktop.runtime.sweep import SweepProgress, SweepResult, risk_sweep, signals_sweep, sweep
from tests.markets import Case, random_case, rows
from tests.parity import job_of

HOUR_US = 3_600_000_000
STOPS = [Decimal("0.001"), Decimal("0.004"), Decimal("0.02")]
TARGETS = [Decimal("0.002"), Decimal("0.03")]


def opened(candles: Sequence[Candles]) -> Int64Array:
    return np.unique(np.concatenate([item.timestamp for item in candles]))


def is_every_day(candles: Sequence[Candles]) -> bool:
    return any(item.instrument.charged_every_day for item in candles)


def single(job: Job, candles: Sequence[Candles]) -> tuple[int, int, Metrics]:
    outcome = run(job)
    curve = EquityCurve(opened(candles), outcome.instants, outcome.equity)
    return outcome.final_cash, len(outcome.trades), measure(outcome.trades, curve, job.capital, is_every_day(candles))


def assert_row(result: SweepResult, row: int, job: Job, candles: Sequence[Candles]) -> None:
    cash, trades, metrics = single(job, candles)
    sharpe = result.sharpe[row]
    assert result.done[row]
    assert (result.final_cash[row], result.trades[row]) == (cash, trades)
    assert result.max_drawdown[row] == metrics.drawdown.depth
    assert result.total_return[row] == metrics.total_return
    assert (None if np.isnan(sharpe) else sharpe) == metrics.daily.sharpe


@cache
def case_of(seed: int) -> Case:
    return random_case(seed, 400)


def with_levels(case: Case, stop: Decimal, target: Decimal) -> Case:
    exits = replace(case.strategy.exits, stop_loss=Level("percentage", stop), take_profit=Level("percentage", target))
    return replace(case, strategy=replace(case.strategy, exits=exits))


def test_each_job_of_a_sweep_ends_as_it_does_alone_whatever_ran_before_it_on_the_same_thread() -> None:
    cases = [replace(case, terms=replace(case.terms, capital=Decimal(25_000))) for case in map(case_of, range(40))]
    every_day = [is_every_day(case.candles) for case in cases]
    for wanted in (False, True):
        chosen = [case for case, whole_week in zip(cases, every_day, strict=True) if whole_week == wanted]
        result = sweep([job_of(case) for case in chosen], every_day=wanted)
        assert len(chosen) > 3
        assert result.trades.sum() > 10 * len(chosen)
        for row, case in enumerate(chosen):
            assert_row(result, row, job_of(case), case.candles)


def test_a_risk_sweep_is_the_strategy_with_each_stop_and_target_in_turn() -> None:
    compared = 0
    for seed in range(30):
        case = case_of(seed)
        result = risk_sweep(job_of(case), STOPS, TARGETS, every_day=is_every_day(case.candles))
        for row, (stop, target) in enumerate((stop, target) for stop in STOPS for target in TARGETS):
            assert_row(result, row, job_of(with_levels(case, stop, target)), case.candles)
            compared += int(result.trades[row])
    assert compared > 1000


def test_a_signals_sweep_is_the_strategy_on_each_variant_of_its_hits() -> None:
    for seed in range(20):
        case = case_of(seed)
        rng = np.random.default_rng(seed)
        variants = [[shuffled(rng, hits) for hits in case.hits] for _ in range(5)]
        result = signals_sweep(job_of(case), case.strategy, case.candles, variants.__getitem__, len(variants))
        for row, hits in enumerate(variants):
            assert_row(result, row, job_of(replace(case, hits=tuple(hits))), case.candles)


def shuffled(rng: np.random.Generator, hits: RuleHits) -> RuleHits:
    return RuleHits(rng.permuted(hits.entries, axis=1), rng.permuted(hits.exits, axis=1))


def seldom_hit(seed: int, bars: int = 2_000) -> Case:
    """One symbol held for days at full size: long quiet stretches in which equity makes peaks and troughs."""
    rng = np.random.default_rng(seed)
    close = 110_000 + np.cumsum(rng.integers(-90, 91, bars))
    opens = np.concatenate([close[:1], close[:-1]])
    reach = rng.integers(0, 60, (2, bars))
    prices = Prices(opens, np.maximum(opens, close) + reach[0], np.minimum(opens, close) - reach[1], close)
    wide = rng.integers(1, 40, bars)
    ask = Prices(*(getattr(prices, name) + wide for name in ("open", "high", "low", "close"))) if seed % 2 else None
    stamps = 1_704_207_600_000_000 + HOUR_US * np.arange(bars)
    candles = Candles(CATALOGUE["EURUSD"], "1h", HOUR_US, stamps, prices, ask=ask)
    hits = RuleHits(rng.random((2, bars)) < 0.01, np.zeros((0, bars), np.bool_))
    entries = tuple(replace(rule, size=Size("fraction", Decimal(5))) for rule in crossover().entries)
    exits = Exits(trailing_stop=TrailingStop(Decimal("0.02"), Decimal("0.01"))) if seed % 3 == 0 else Exits()
    limits = RiskLimits(max_drawdown=Decimal("0.3") if seed % 5 == 0 else None)
    strategy = replace(crossover(), entries=entries, exits=exits, risk=limits)
    terms = Terms(capital=Decimal(100_000), fill="close" if seed % 4 == 0 else "next_open")
    return Case(seed, (candles,), (hits,), strategy, terms, (), {})


def test_what_is_skipped_in_blocks_changes_no_drawdown() -> None:
    depths = set()
    for seed in range(60):
        case = seldom_hit(seed)
        result = risk_sweep(job_of(case), STOPS, TARGETS)
        for row, (stop, target) in enumerate((stop, target) for stop in STOPS for target in TARGETS):
            assert_row(result, row, job_of(with_levels(case, stop, target)), case.candles)
        depths |= set(result.max_drawdown)
    assert len(depths) > 250


def begun(candles: Candles, bars: int) -> Candles:
    ask = None if candles.ask is None else rows(candles.ask, np.s_[:bars])
    return replace(candles, timestamp=candles.timestamp[:bars], prices=rows(candles.prices, np.s_[:bars]), ask=ask)


def test_a_day_without_a_close_counts_neither_alone_nor_in_a_sweep() -> None:
    """Two symbols of daily bars, twelve hours apart: with every second bar missing, days begin at which nothing closes."""
    case = next(case for case in map(case_of, range(200)) if len(case.candles) > 1 and not is_every_day(case.candles))
    first = int(min(item.timestamp[0] for item in case.candles)) // (24 * HOUR_US) * 24 * HOUR_US
    shortest = min(len(item) for item in case.candles)
    hits = [RuleHits(found.entries[:, :shortest], found.exits[:, :shortest]) for found in case.hits]
    candles = tuple(
        replace(item, timeframe="1d", bar_us=24 * HOUR_US, timestamp=first + (48 * np.arange(len(item)) + 14 * number) * HOUR_US)
        for number, item in enumerate(begun(whole, shortest) for whole in case.candles)
    )
    strategy = replace(case.strategy, exits=Exits())
    # A rate that is missing is another test's matter: each account here is in the currency its symbols are quoted in.
    plain = tuple(replace(item, instrument=replace(item.instrument, quote=case.terms.currency)) for item in candles)
    job = make_job(strategy, case.terms, plain, hits)
    result = sweep([job])
    assert_row(result, 0, job, plain)
    assert len(result.days[0]) < len(opened(plain))


def test_a_cancelled_sweep_keeps_the_rows_that_were_done_and_says_which() -> None:
    job, heard = job_of(case_of(1)), []

    def report(progress: SweepProgress) -> None:
        heard.append(progress)
        raise Cancelled("enough")

    result = risk_sweep(job, [Decimal(n) / 1_000_000 for n in range(1, 20_001)], TARGETS[:1], report=report)
    finished = int(np.count_nonzero(result.done))
    assert heard[0].done <= finished < len(result.done) == heard[0].total == 20_000
    assert np.isnan(result.total_return[~result.done]).all()
    assert (result.final_cash[result.done] != 0).all()


def test_progress_ends_with_all_runs_done() -> None:
    heard: list[SweepProgress] = []
    risk_sweep(job_of(case_of(2)), STOPS, TARGETS, report=heard.append)
    assert heard[-1] == SweepProgress(6, 6)


def test_a_run_that_cannot_be_exact_fails_the_sweep_with_its_reason() -> None:
    case = case_of(3)
    job = job_of(case)
    entries = job.plan.entries.copy()
    entries["size_mode"], entries["size"] = 1, 2**61
    terms = job.plan.terms.copy()
    terms["position_limit"] = terms["max_positions"] = -1
    broken = replace(job, plan=job.plan._replace(entries=entries, terms=terms))
    with pytest.raises(RunError, match="too large for exact money"):
        sweep([job, broken, job])


def test_runs_of_different_capital_are_not_compared() -> None:
    job = job_of(case_of(1))
    with pytest.raises(RunError, match="run 2 starts with another capital"):
        sweep([job, replace(job, capital=job.capital + 1)])


def test_levels_with_more_than_eight_decimals_and_empty_sweeps_are_refused() -> None:
    job = job_of(case_of(1))
    with pytest.raises(RunError, match=r"a stop of 0\.0012345678901 has more than eight decimals"):
        risk_sweep(job, [Decimal("0.0012345678901")], TARGETS)
    with pytest.raises(RunError, match="at least one value"):
        risk_sweep(job, STOPS, [])
