"""The compiled rules alone, on one core: one position under stop, target and limits, equity of every bar kept."""

import statistics
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import numpy as np

from benchmarks.crossover import TERMS, crossover, crossover_job
from benchmarks.market import minute_candles
from benchmarks.report import Line, Options, duration, seconds
from sptrader_desktop.core import kernel
from sptrader_desktop.core.records import END_OF_DATA
from sptrader_desktop.core.rules import RuleHits
from sptrader_desktop.core.simulation import Job, advance, empty_log, make_job, start_state
from sptrader_desktop.core.strategy import Level

TITLE = "Kernel: 1,000,000 one-minute bars, one core; equity of every bar, drawdown and daily-loss limits on"
ROWS = 1_000_000
TARGET_BARS = 100e6


def lines(options: Options) -> Iterator[Line]:
    held = kernel_seconds(held_job(), options.runs, keep=True)
    rate = ROWS / held
    yield Line(
        "one position held throughout", f"{rate / 1e6:.0f} M bars/s", "", "", f"{TARGET_BARS / 1e6:.0f} M bars/s", rate >= TARGET_BARS
    )
    job = crossover_job(minute_candles(ROWS))
    for what, keep in (("crossover, all tables kept", True), ("crossover, as in a sweep", False)):
        taken, trades = kernel_seconds(job, options.runs, keep=keep), trades_of(job)
        yield Line(
            what, f"{ROWS / taken / 1e6:.0f} M bars/s", f"{trades:,} trades, {(taken - held) / trades * 1e9:.0f} ns each, {duration(taken)}"
        )


def held_job() -> Job:
    """Bought on the 60th bar, with levels that these prices never reach."""
    candles, strategy = minute_candles(ROWS), crossover()
    exits = replace(strategy.exits, stop_loss=Level("percentage", Decimal("0.8")), take_profit=Level("percentage", Decimal(5)))
    bought = np.zeros((2, ROWS), np.bool_)
    bought[0, 60] = True
    return make_job(replace(strategy, exits=exits), TERMS, [candles], [RuleHits(bought, np.zeros((0, ROWS), np.bool_))])


def kernel_seconds(job: Job, runs: int, *, keep: bool) -> float:
    """Tables are allocated outside the time and never used twice."""

    def once() -> float:
        state = start_state(job)
        log = empty_log(job, state, keep)

        def work() -> None:
            kernel.finish(job.tape, job.plan, state, advance(job, state, log, kernel.NEVER - 1), END_OF_DATA)

        return seconds(work)

    once()
    return statistics.median(once() for _ in range(runs))


def trades_of(job: Job) -> int:
    state = start_state(job)
    advance(job, state, empty_log(job, state, keep=False), kernel.NEVER - 1)
    return int(state.account["trades"][0])
