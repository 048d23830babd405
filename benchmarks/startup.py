"""What the first backtest of a fresh process waits for: imports, compiled rules from the cache, or compiling all of them."""

import statistics
import tempfile
from collections.abc import Iterator
from time import perf_counter
from typing import Any

from benchmarks.children import measured
from benchmarks.report import Line, Options, duration

TITLE = "Start-up: a fresh process"
LOAD_TARGET_S = 1.0
BARS = 2_000


def lines(options: Options) -> Iterator[Line]:
    found = [measured("startup") for _ in range(options.runs)]
    imports, load = (statistics.median(item[name] for item in found) for name in ("imports", "load"))
    yield Line("importing numpy, numba, pandas and the engine", duration(imports))
    yield Line("compiled rules from the cache", duration(load), "", "", duration(LOAD_TARGET_S), load < LOAD_TARGET_S)
    with tempfile.TemporaryDirectory(prefix="sptrader-bench-") as empty:
        yield Line("compiling all rules, once after a change", duration(measured("startup", SPTRADER_KERNEL_CACHE=empty)["load"]))


def child(_arguments: list[str]) -> dict[str, Any]:
    """The first run of a small job loads or compiles every rule; the second says what of it was the run itself."""
    start = perf_counter()
    from benchmarks.crossover import crossover_job  # the import is what is measured
    from benchmarks.market import minute_candles  # the same
    from sptrader_desktop.core.simulation import run  # the same

    imported = perf_counter()
    job = crossover_job(minute_candles(BARS))
    made = perf_counter()
    run(job)
    first = perf_counter()
    run(job)
    return {"imports": imported - start, "load": (first - made) - (perf_counter() - first)}
