"""Cost grows with the length of a run and not faster: counts and ratios of our own runs, never times of a clock."""

import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.crossover import TERMS, averages, crossings, crossover, crossover_hits, crossover_job, runner
from benchmarks.market import COLUMNS, TICKS, own_frame
from sptrader_desktop.core.candles import Candles, Prices
from sptrader_desktop.core.instruments import CATALOGUE
from sptrader_desktop.core.results import Request
from sptrader_desktop.core.simulation import Job, empty_log, run, start_state
from sptrader_desktop.ports import ComponentJob
from sptrader_desktop.runtime.backtest import backtest
from tests.small_runs import answered

MINUTE_US = 60_000_000
SHORT, LONG = 20_000, 400_000


def candles_of(rows: int) -> Candles:
    frame = own_frame(rows)
    prices = Prices(*(np.rint(frame[name].to_numpy() * TICKS).astype(np.int64) for name in COLUMNS))
    stamps = np.asarray(frame.index, "datetime64[us]").astype(np.int64)
    return Candles(CATALOGUE["EURUSD"], "1m", MINUTE_US, stamps, prices)


def best(work: Callable[[], object], runs: int) -> float:
    """Processor time of this process, so that a busy machine is no slow program; the best of several."""
    times = []
    for _ in range(runs):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def growth_per_bar(work: Callable[[int], Callable[[], object]]) -> float:
    short, long = work(SHORT), work(LONG)
    short()
    # Twenty short ones together last as long as the clock needs to be read well.
    return best(long, 4) / LONG / (best(lambda: [short() for _ in range(20)], 4) / 20 / SHORT)


def test_a_bar_of_a_long_run_of_the_kernel_costs_at_most_three_times_one_of_a_short_run() -> None:
    def work(rows: int) -> Callable[[], object]:
        job = crossover_job(candles_of(rows))
        return lambda: run(job)

    assert growth_per_bar(work) < 3


def test_a_bar_of_a_long_backtest_costs_at_most_three_times_one_of_a_short_one() -> None:
    components, strategy = runner(), crossover()

    def work(rows: int) -> Callable[[], object]:
        request = Request(strategy, TERMS, (candles_of(rows),))
        return lambda: backtest(request, components)

    assert growth_per_bar(work) < 3


def peak_bytes(work: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("rows", [SHORT, LONG])
def test_a_whole_backtest_takes_at_most_its_share_of_the_memory_ten_million_bars_may_take(rows: int) -> None:
    """1.5 GB for ten million bars is 150 bytes a bar; the candles have 40 of them, the rest must fit beside."""
    components, candles = runner(), candles_of(rows)
    backtest(Request(crossover(), TERMS, (candles,)), components)
    peak = peak_bytes(lambda: backtest(Request(crossover(), TERMS, (candles,)), components))
    assert peak / rows < 100 + 4_000_000 / rows


def test_a_run_of_a_sweep_keeps_nothing_per_bar() -> None:
    def kept(job: Job) -> int:
        log = empty_log(job, start_state(job), keep=False)
        return sum(table.nbytes for table in (log.trades, log.fills, log.verdicts, log.equity))

    assert kept(crossover_job(candles_of(SHORT))) == kept(crossover_job(candles_of(LONG))) == 0


def test_a_run_shares_the_candles_memory() -> None:
    candles = candles_of(SHORT)
    tape = crossover_job(candles).tape
    for name in COLUMNS:
        assert np.shares_memory(getattr(tape, name), getattr(candles.prices, name))
    assert np.shares_memory(tape.time, candles.timestamp)


def test_the_log_of_a_run_is_large_enough_from_the_start() -> None:
    job = crossover_job(candles_of(LONG))
    log = empty_log(job, start_state(job))
    outcome = run(job)
    assert len(outcome.orders) > 5_000
    assert len(log.orders) > len(outcome.orders)
    assert len(log.trades) > len(outcome.trades)


def test_the_benchmarks_crossings_are_those_of_the_components() -> None:
    candles = candles_of(SHORT)
    table = answered(runner(), ComponentJob("signals.ma_crossover", {}, replace(candles, fingerprint="")))
    hits = crossover_hits(candles)
    for row, kind in enumerate(("golden_cross", "death_cross")):
        assert hits.entries[row].sum() > 100
        assert np.flatnonzero(hits.entries[row]).tolist() == table.bar[table.type == kind].tolist()


def test_averages_that_are_equal_do_not_cross() -> None:
    closes = np.array([5, 5, 5, 5, 7, 7, 7, 7, 5, 5, 5])
    found = averages(closes, (2, 3))
    hits = crossings(found[2], found[3])
    assert [np.flatnonzero(row).tolist() for row in hits.entries] == [[4], [8]]
