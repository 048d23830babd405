"""Many runs over 100,000 bars on all cores, from candles in memory to return, drawdown and Sharpe of each."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import combinations

import numpy as np

from benchmarks import peers
from benchmarks.crossover import averages, crossings, crossover, crossover_job
from benchmarks.market import minute_candles
from benchmarks.report import Line, Options, median_seconds
from sptrader_desktop.core.rules import RuleHits
from sptrader_desktop.runtime.sweep import SweepResult, risk_sweep, signals_sweep

TITLE = "Sweeps: 100,000 bars, all cores"
ROWS = 100_000
WINDOWS = range(5, 105, 5)
STOPS = [Decimal(f"{value:.8f}") for value in np.linspace(0.002, 0.03, 32)]
TARGETS = [Decimal(f"{value:.8f}") for value in np.linspace(0.004, 0.06, 32)]
RISK_TARGET, SIGNALS_TARGET = 100, 50


def lines(options: Options) -> Iterator[Line]:
    # Ours first and all of it: a peer's memory and heat are not left behind for the second measurement.
    risk, signals = median_seconds(stops_and_targets, options.runs), median_seconds(window_pairs, options.runs)
    runs = len(STOPS) * len(TARGETS)
    yield peers.compared(f"risk_sweep: {runs:,} stop/target pairs", risk, peers.timed("risk_sweep", options), RISK_TARGET)
    yield peers.compared("signals_sweep: 190 pairs of averages", signals, peers.timed("signals_sweep", options), SIGNALS_TARGET)


def stops_and_targets() -> SweepResult:
    result = risk_sweep(crossover_job(minute_candles(ROWS)), STOPS, TARGETS)
    assert len(result.total_return) == len(result.max_drawdown) == len(STOPS) * len(TARGETS)
    return result


def window_pairs() -> SweepResult:
    candles, pairs = minute_candles(ROWS), list(combinations(WINDOWS, 2))
    found = averages(candles.prices.close, WINDOWS)

    def hits_at(row: int) -> list[RuleHits]:
        fast, slow = pairs[row]
        return [crossings(found[fast], found[slow])]

    result = signals_sweep(crossover_job(candles), crossover(), [candles], hits_at, len(pairs))
    assert len(result.sharpe) == len(pairs)
    return result
