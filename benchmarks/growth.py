"""Cost against length, from 10 thousand to 10 million bars: each length in a fresh process, from a Parquet file, components included."""

import resource
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.children import measured
from benchmarks.crossover import TERMS, crossover, runner
from benchmarks.market import minute_frame
from benchmarks.report import Line, Options, seconds
from sptrader_desktop.adapters.candle_files import load_candles
from sptrader_desktop.core.candles import Candles, Prices
from sptrader_desktop.core.results import Request
from sptrader_desktop.runtime.backtest import backtest

TITLE = "Growth: from a Parquet file to all figures, components run anew, each length in a fresh process"
LENGTHS = (10_000, 100_000, 1_000_000, 10_000_000)
MOST_MB = 1500
# Twice the cheapest of shorter lengths, fixed costs of a run aside, is where cost no longer grows with length alone.
LINEAR = 2.0
WARM_ROWS = 5_000
FIXED_ROWS = 100_000


def lines(options: Options) -> Iterator[Line]:
    per_bar: list[float] = []
    with tempfile.TemporaryDirectory(prefix="sptrader-bench-") as folder:
        for rows in LENGTHS:
            path = Path(folder) / f"EURUSD_1m_{rows}.parquet"
            measured("growth", "write", str(rows), str(path))
            found = measured("growth", "run", str(path), str(1 if rows > 1_000_000 else options.runs))
            path.unlink()
            each = found["run"] / rows * 1e9
            shown = f"read {found['read'] / rows * 1e9:.0f} + run {each:.0f} ns/bar"
            is_linear = each <= LINEAR * min(per_bar) if rows > FIXED_ROWS and per_bar else None
            per_bar.append(each)
            ratio = f"{each / per_bar[0]:.2f} x" if rows > LENGTHS[0] else ""
            yield Line(f"{rows:,} bars", shown, f"{found['trades']:,} trades", ratio, "linear" if is_linear is not None else "", is_linear)
            if rows == LENGTHS[-1]:
                yield Line("   peak memory", f"{found['peak_mb']:.0f} MB", "", "", f"{MOST_MB} MB", found["peak_mb"] < MOST_MB)


def child(arguments: list[str]) -> dict[str, Any]:
    if arguments[0] == "write":
        minute_frame(int(arguments[1])).tz_localize("UTC").reset_index().to_parquet(arguments[2], index=False)
        return {}
    return run_file(Path(arguments[1]), int(arguments[2]))


def run_file(path: Path, runs: int) -> dict[str, Any]:
    components, loaded = runner(), []
    read = seconds(lambda: loaded.append(load_candles(path)))
    candles: Candles = loaded.pop()
    backtest(Request(crossover(), TERMS, (beginning(candles),)), components)
    request = Request(crossover(), TERMS, (replace(candles, fingerprint=""),))
    trades = 0

    def work() -> None:
        nonlocal trades
        trades = len(backtest(request, components).outcome.trades)

    run = statistics.median(seconds(work) for _ in range(runs))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # kilobytes, on macOS bytes
    return {"read": read, "run": run, "trades": trades, "peak_mb": peak * (1 if sys.platform == "darwin" else 1024) / 1e6}


def beginning(candles: Candles) -> Candles:
    """A short run first, so that loading the compiled rules is no part of the time."""
    prices = Prices(*(getattr(candles.prices, name)[:WARM_ROWS] for name in ("open", "high", "low", "close")))
    volume = None if candles.volume is None else candles.volume[:WARM_ROWS]
    return replace(candles, timestamp=candles.timestamp[:WARM_ROWS], prices=prices, volume=volume, fingerprint="")
