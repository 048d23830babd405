"""One whole backtest, from candles in memory to trade columns, equity, Sharpe and drawdown, through the components as users write them."""

from collections.abc import Iterator
from dataclasses import replace

from benchmarks import peers
from benchmarks.crossover import TERMS, crossover, runner
from benchmarks.market import minute_candles
from benchmarks.report import Line, Options, median_seconds
from sptrader_desktop.core.results import Request
from sptrader_desktop.runtime.backtest import backtest

TITLE = "single: 1,000,000 bars, crossover of 20 and 50, long and short, stop 2 %, target 4 %"
ROWS = 1_000_000
CACHED_TARGET, UNCACHED_TARGET = 10, 2


def lines(options: Options) -> Iterator[Line]:
    candles, components, strategy = minute_candles(ROWS), runner(), crossover()
    others = peers.timed("single", options)
    cached = Request(strategy, TERMS, (candles,))
    # Candles without a fingerprint are never remembered by the runner.
    uncached = Request(strategy, TERMS, (replace(candles, fingerprint=""),))
    yield peers.compared("components cached", median_seconds(lambda: backtest(cached, components), options.runs), others, CACHED_TARGET)
    yield peers.compared(
        "components run anew", median_seconds(lambda: backtest(uncached, components), options.runs), others, UNCACHED_TARGET
    )
