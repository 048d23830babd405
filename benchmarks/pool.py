"""What a warm worker adds to a component's own work: the script that only hands back a column, and the crossover with its two averages."""

import statistics
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path

from benchmarks.crossover import catalogue
from benchmarks.market import minute_candles
from benchmarks.report import Line, Options, duration, seconds
from sptrader_desktop.adapters.asyncio_workers import start_worker
from sptrader_desktop.adapters.component_cache import ComponentCache
from sptrader_desktop.adapters.component_catalogue import load_catalogue
from sptrader_desktop.adapters.inprocess_components import InProcessRunner
from sptrader_desktop.adapters.pooled_components import PooledRunner, Workers
from sptrader_desktop.core.candles import Candles
from sptrader_desktop.ports import ComponentJob, ComponentRunner
from sptrader_desktop.runtime.loop_thread import LoopThread
from sptrader_desktop.settings import shipped

TITLE = "Pool: one job in a warm worker, above the script's own work (p50)"
SIZES = ((10_000, 0.006), (1_000_000, 0.080))
JOBS = 15
NOTHING = """\
from sptrader_desktop.sdk import main
__metadata_version__ = 2
__metadata__ = {"name": "nothing", "family": "test", "outputs": ["nothing"], "warm_up": "1"}


class Nothing:
    def calculate(self, data):
        return data["close"]


if __name__ == "__main__":
    main(Nothing, __metadata__)
"""


def lines(options: Options) -> Iterator[Line]:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "core" / "indicators" / "test").mkdir(parents=True)
        (folder / "core" / "indicators" / "test" / "nothing.py").write_text(NOTHING, encoding="utf-8")
        with Workers(start_worker, LoopThread(), ComponentCache(folder / "cache"), folder) as workers:
            yield from _measured(workers, folder, options)


def _measured(workers: Workers, folder: Path, options: Options) -> Iterator[Line]:
    nothing, library = PooledRunner(workers, load_catalogue(folder)), PooledRunner(workers, catalogue())
    here = InProcessRunner(shipped("workspace"), catalogue())
    for bars, target in SIZES:
        candles = minute_candles(bars)
        job = ComponentJob("indicators.test.nothing", {}, candles, attempt=2)
        taken = _p50(nothing, [job] * (options.runs + JOBS))
        yield Line(f"{bars:,} candles, a script that does nothing", duration(taken), "", "", duration(target), taken < target)
        crossing = [_crossover(candles, period, attempt=2) for period in range(5, 5 + options.runs)]
        pooled, own = _p50(library, crossing), _p50(here, crossing)
        yield Line(f"   {bars:,}, crossover and its averages: 3 jobs in one worker", duration(pooled), f"in process {duration(own)}")
    again = _crossover(minute_candles(SIZES[-1][0]), 5, attempt=0)
    library.run([again])
    yield Line("a slider where it was before: remembered", duration(_p50(library, [again] * JOBS)))


def _crossover(candles: Candles, period: int, attempt: int) -> ComponentJob:
    return ComponentJob("signals.ma_crossover", {"fast_period": Decimal(period)}, candles, attempt)


def _p50(runner: ComponentRunner, jobs: list[ComponentJob]) -> float:
    """One at a time, after one that is not counted."""
    runner.run(jobs[:1])
    return statistics.median(seconds(partial(_believed, runner, job)) for job in jobs)


def _believed(runner: ComponentRunner, job: ComponentJob) -> None:
    (answer,) = runner.run([job])
    if isinstance(answer.result, Exception):
        raise answer.result
