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

from sptrader_desktop.core import kernel
from sptrader_desktop.core.calendar import NEW_YORK_CLOSE
from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.errors import Cancelled, RunError
from sptrader_desktop.core.metrics_daily import DailyEquity, daily_equity, sharpe_ratio, week_days
from sptrader_desktop.core.money import FRACTION_ONE, fixed
from sptrader_desktop.core.plan import make_agenda
from sptrader_desktop.core.rules import RuleHits
from sptrader_desktop.core.simulation import Job, advance, close_instants, empty_log, finish, start_state
from sptrader_desktop.core.strategy import Strategy
from sptrader_desktop.core.tables import PERCENTAGE, Floats, Ints, State

REPORT_EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class SweepProgress:
    done: int
    total: int


Report = Callable[[SweepProgress], None]
JobAt = Callable[[int], Job]
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

    def job_at(row: int) -> Job:
        exits = job.plan.exits.copy()
        exits["stop_kind"] = exits["target_kind"] = PERCENTAGE
        exits["stop_value"], exits["target_value"] = pairs[row]
        return replace(job, plan=job.plan._replace(exits=exits))

    return sweep_made(len(pairs), job_at, every_day=every_day, report=report)


def signals_sweep(
    job: Job, strategy: Strategy, traded: Sequence[Candles], hits_at: HitsAt, count: int, *, report: Report | None = None
) -> SweepResult:
    """The same strategy on `count` variants of its signals; `hits_at(row)` gives the hits of each symbol, asked from several threads."""
    rates = len(job.plan.symbols) - len(traded)
    every_day = any(candles.instrument.charged_every_day for candles in traded)

    def job_at(row: int) -> Job:
        return replace(job, agenda=make_agenda(strategy, traded, hits_at(row), rates))

    return sweep_made(count, job_at, every_day=every_day, report=report)


def sweep(jobs: Sequence[Job], *, every_day: bool = False, report: Report | None = None) -> SweepResult:
    """Any jobs that start with the same capital."""
    return sweep_made(len(jobs), jobs.__getitem__, every_day=every_day, report=report)


def sweep_made(count: int, job_at: JobAt, *, every_day: bool = False, report: Report | None = None) -> SweepResult:
    """Jobs are made where they run, one at a time. `report` hears how far it is and raises Cancelled to stop with what is done."""
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
    rows, stop = _Rows(count), Event()
    workers = min(count, os.cpu_count() or 1)
    with ThreadPoolExecutor(workers, thread_name_prefix="sweep") as pool:
        futures = [pool.submit(_work, rows, job_at, result, stop) for _ in range(workers)]
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


class _Rows:
    """Hands out each row once, to whichever thread asks first: runs differ too much in length to be dealt out beforehand."""

    def __init__(self, count: int) -> None:
        self._rows = iter(range(count))
        self._lock = Lock()

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        with self._lock:
            return next(self._rows)


def _work(rows: _Rows, job_at: JobAt, result: SweepResult, stop: Event) -> None:
    bench: _Bench | None = None
    for row in rows:
        if stop.is_set():
            return
        job = job_at(row)
        if job.capital != result.capital:
            raise RunError(f"run {row + 1} starts with another capital than the first: compare runs of one capital")
        if bench is None or not bench.serves(job):
            bench = _Bench(job)
        state, result.days[row] = bench.run(job)
        account = state.account[0]
        result.final_cash[row], result.trades[row] = account["cash"], account["trades"]
        result.max_drawdown[row] = account["worst"]
        result.done[row] = True


class _Bench:
    """What one thread keeps from run to run: a log that has grown to its size and the tables of a start. Only its owner touches it."""

    def __init__(self, job: Job) -> None:
        self._tape, self._entries = job.tape, job.plan.entries
        self._start = start_state(job)
        self._log = empty_log(job, self._start, keep=False)
        self._days = _days_with_closes(job)

    def serves(self, job: Job) -> bool:
        return job.tape is self._tape and job.plan.entries is self._entries

    def _fresh(self, job: Job) -> State:
        """As `start_state`; rows of the other two tables are written before they are read."""
        account, series = self._start.account.copy(), self._start.series.copy()
        series["agenda"] = job.agenda.start[:-1]
        return self._start._replace(account=account, series=series)

    def run(self, job: Job) -> tuple[State, Ints]:
        """The account at the end, and (day, equity) of each day."""
        state = self._fresh(job)
        self._log = advance(job, state, self._log, kernel.NEVER - 1)
        finish(job, state, self._log)
        days = self._log.days[: state.account["days"][0]]
        return state, days.copy() if self._days is None else days[np.isin(days[:, 0], self._days)]


def _days_with_closes(job: Job) -> Ints | None:
    """Where bars of several symbols overlap a day can pass without a close and has no equity of its own. None: all days have one."""
    traded = len(job.plan.exits)
    if traded == 1:
        return None
    closed = close_instants(job)
    opened = np.unique(job.tape.time[: job.tape.start[traded]])
    return daily_equity(opened, closed, closed, True, NEW_YORK_CLOSE).days
