"""Many runs over the same candles on all cores: levels or signals vary, the tape is shared, and each row is what a single run gives.

The compiled rules release the interpreter lock, so threads suffice. Runs keep only what a sweep compares: cash, drawdown, trades and
the equity of each day.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from decimal import Decimal
from threading import Event, Lock

import numpy as np
from numpy.typing import NDArray

from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.errors import Cancelled, RunError
from sptrader_desktop.core.metrics_daily import DailyEquity, sharpe_ratio, week_days
from sptrader_desktop.core.money import FRACTION_ONE, fixed
from sptrader_desktop.core.plan import make_agenda, with_blocks
from sptrader_desktop.core.records import ENDED
from sptrader_desktop.core.rules import RuleHits
from sptrader_desktop.core.simulation import Job, empty_log, run_variants, start_state
from sptrader_desktop.core.strategy import Strategy
from sptrader_desktop.core.tables import PERCENTAGE, Floats, Ints, Runs, State, Table

REPORT_EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class SweepProgress:
    done: int
    total: int


Report = Callable[[SweepProgress], None]
JobAt = Callable[[int], Job]
BATCH = 8  # runs in one compiled call: few enough for a prompt stop, many enough to make the call cheap
HitsAt = Callable[[int], Sequence[RuleHits]]


@dataclass(frozen=True, slots=True, eq=False)
class SweepResult:
    """One row a run, in the order asked for; one that is not `done` was cancelled and says nothing. `days[i]` holds (day, equity)."""

    capital: int
    every_day: bool
    done: NDArray[np.bool_]
    final_cash: Ints
    max_drawdown: Floats
    trades: Ints
    days: list[Ints]

    @property
    def total_return(self) -> Floats:
        returns: Floats = np.where(self.done, (self.final_cash - self.capital) / self.capital, np.nan)
        return returns

    @property
    def sharpe(self) -> Floats:
        """Not a number where there is none: no trade, ruin, a run not done."""
        ratios = [self._sharpe(days) for days in self.days]
        return np.array([np.nan if ratio is None else ratio for ratio in ratios])

    def _sharpe(self, days: Ints) -> float | None:
        daily = DailyEquity(days[:, 0], days[:, 1])
        return sharpe_ratio(daily if self.every_day else week_days(daily), self.every_day)


def risk_sweep(
    job: Job, stops: Sequence[Decimal], targets: Sequence[Decimal], *, every_day: bool = False, report: Report | None = None
) -> SweepResult:
    """Every stop with every target, as fractions of the fill price; row `i * len(targets) + j` has `stops[i]` and `targets[j]`."""
    pairs = [(_fraction(stop, "stop"), _fraction(target, "target")) for stop in stops for target in targets]

    exits = np.tile(job.plan.exits, (len(pairs), 1))
    exits["stop_kind"] = exits["target_kind"] = PERCENTAGE
    for column, name in enumerate(("stop_value", "target_value")):
        exits[name] = np.array(pairs, np.int64).reshape(-1, 2)[:, [column]]
    shared = replace(job, tape=with_blocks(job.tape))
    batches = [_Batch(first, exits[first : first + BATCH]) for first in range(0, len(pairs), BATCH)]
    return _swept(len(pairs), batches, lambda _: shared, every_day, report)


def signals_sweep(
    job: Job, strategy: Strategy, traded: Sequence[Candles], hits_at: HitsAt, count: int, *, report: Report | None = None
) -> SweepResult:
    """The same strategy on `count` variants of its signals; `hits_at(row)` gives the hits of each symbol, asked from several threads."""
    rates = len(job.plan.symbols) - len(traded)
    every_day = any(candles.instrument.charged_every_day for candles in traded)

    tape = with_blocks(job.tape)

    def job_at(row: int) -> Job:
        return replace(job, tape=tape, agenda=make_agenda(strategy, traded, hits_at(row), rates))

    return sweep_made(count, job_at, every_day=every_day, report=report)


def sweep(jobs: Sequence[Job], *, every_day: bool = False, report: Report | None = None) -> SweepResult:
    """Any jobs that start with the same capital."""
    return sweep_made(len(jobs), jobs.__getitem__, every_day=every_day, report=report)


def sweep_made(count: int, job_at: JobAt, *, every_day: bool = False, report: Report | None = None) -> SweepResult:
    """Jobs are made where they run, one at a time. `report` hears how far it is and raises Cancelled to stop with what is done."""
    return _swept(count, [_Batch(row, None) for row in range(count)], job_at, every_day, report)


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    """Runs of one job from row `first` on: a row of exits for each and all its symbols; None: one run, as the job says."""

    first: int
    exits: Table | None


def _swept(count: int, batches: Sequence[_Batch], job_at: JobAt, every_day: bool, report: Report | None) -> SweepResult:
    if not count:
        raise RunError("a sweep of no runs: give at least one value of everything that varies")
    result = SweepResult(
        job_at(0).capital,
        every_day,
        np.zeros(count, np.bool_),
        np.zeros(count, np.int64),
        np.zeros(count),
        np.zeros(count, np.int64),
        [np.zeros((0, 2), np.int64)] * count,
    )
    dealt, stop = _Dealer(batches), Event()
    workers = min(len(batches), os.cpu_count() or 1)
    with ThreadPoolExecutor(workers, thread_name_prefix="sweep") as pool:
        futures = [pool.submit(_work, dealt, job_at, result, stop) for _ in range(workers)]
        try:
            _watch(futures, result, report)
        finally:
            stop.set()
    return result


def _watch(futures: Sequence[Future[None]], result: SweepResult, report: Report | None) -> None:
    pending: set[Future[None]] = set(futures)
    while pending:
        finished, pending = wait(pending, REPORT_EVERY_S if report else None, FIRST_EXCEPTION)
        for future in finished:
            future.result()
        if report:
            try:
                report(SweepProgress(int(np.count_nonzero(result.done)), len(result.done)))
            except Cancelled:
                return


def _fraction(value: Decimal, what: str) -> int:
    try:
        return fixed(value, FRACTION_ONE)
    except ValueError:
        raise RunError(f"a {what} of {value} has more than eight decimals: round it") from None


class _Dealer:
    """Hands out each batch once, to whichever thread asks first: runs differ too much in length to be dealt out beforehand."""

    def __init__(self, batches: Sequence[_Batch]) -> None:
        self._batches = iter(batches)
        self._lock = Lock()

    def __iter__(self) -> Iterator[_Batch]:
        return self

    def __next__(self) -> _Batch:
        with self._lock:
            return next(self._batches)


def _work(dealt: _Dealer, job_at: JobAt, result: SweepResult, stop: Event) -> None:
    bench: _Bench | None = None
    for batch in dealt:
        if stop.is_set():
            return
        job = job_at(batch.first)
        if job.capital != result.capital:
            raise RunError(f"run {batch.first + 1} starts with another capital than the first: compare runs of one capital")
        if bench is None or not bench.serves(job):
            bench = _Bench(job)
        runs = bench.run(job, job.plan.exits[np.newaxis] if batch.exits is None else batch.exits)
        rows, most = slice(batch.first, batch.first + len(runs.ended)), len(runs.days) // len(runs.ended)
        result.final_cash[rows], result.trades[rows] = runs.ended["cash"], runs.ended["trades"]
        result.max_drawdown[rows] = runs.ended["worst"]
        for number, used in enumerate(runs.ended["days"]):
            result.days[batch.first + number] = runs.days[number * most : number * most + used].copy()
        result.done[rows] = True


class _Bench:
    """What one thread keeps from run to run: a log that has grown to its size and the tables of a run. Only its owner touches it."""

    def __init__(self, job: Job) -> None:
        self._tape, self._entries = job.tape, job.plan.entries
        self._start = start_state(job)
        self._state = State(*(table.copy() for table in self._start))
        self._exits = job.plan.exits.copy()
        self._log = empty_log(job, self._start, keep=False)

    def serves(self, job: Job) -> bool:
        return job.tape is self._tape and job.plan.entries is self._entries

    def run(self, job: Job, exits: Table) -> Runs:
        """One run for each row of `exits`."""
        runs = Runs(exits.ravel(), np.zeros(len(exits), ENDED), np.empty((len(exits) * len(self._log.days), 2), np.int64))
        own = replace(job, plan=job.plan._replace(exits=self._exits))
        self._log = run_variants(own, self._start, self._state, self._log, runs)
        return runs
