"""The everyday case: the reference's hourly candles, cached components, one answer a keystroke."""

import os
from collections.abc import Iterator
from pathlib import Path

from benchmarks.children import ROOT
from benchmarks.crossover import TERMS, crossover, runner
from benchmarks.report import Line, Options, duration, median_seconds
from sptrader_desktop.adapters.candle_files import load_candles
from sptrader_desktop.core.results import Request
from sptrader_desktop.runtime.backtest import backtest

TITLE = "Hourly: EURUSD 2009 to 2018 of the reference data"
NAME = "EURUSD_1h_2009-10-01_2018-07-05_fxcm_bid.parquet"
TARGET_S = 0.1


def lines(options: Options) -> Iterator[Line]:
    path = Path(os.environ.get("SPTRADER_REFERENCE", ROOT.parent / "shared")) / "data" / NAME
    if not path.is_file():
        yield Line(f"left out: {path} is not there", "set SPTRADER_REFERENCE to the reference data")
        return
    candles, components, strategy = load_candles(path), runner(), crossover()
    request = Request(strategy, TERMS, (candles,))
    taken = median_seconds(lambda: backtest(request, components), options.runs)
    yield Line(f"{len(candles):,} bars, components cached", duration(taken), "", "", duration(TARGET_S), taken < TARGET_S)

    def from_file() -> None:
        backtest(Request(strategy, TERMS, (load_candles(path),)), components)

    yield Line("   and reading, checking and hashing the file", duration(median_seconds(from_file, options.runs)))
