"""Jobs: progress and result in the window's thread, cancel at the next report, and the last of those that wait wins."""

import asyncio
import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot

from sptrader_desktop.core.errors import DataError
from sptrader_desktop.ui.bridge import Bridge
from sptrader_desktop.ui.jobs import THREADS, Job, JobProgress, Jobs, JobState, Report, time_left


@pytest.fixture
def jobs(qtbot: QtBot) -> Iterator[Jobs]:
    jobs = Jobs(Bridge(lambda error, doing: pytest.fail(f"{doing}: {error}")))
    yield jobs
    asyncio.run(asyncio.wait_for(jobs.close(), 20))


class Gate:
    """Work that goes on only when the test says so."""

    def __init__(self, result: object = None) -> None:
        self.begun, self.open, self.result = threading.Event(), threading.Event(), result

    def __call__(self, report: Report) -> object:
        self.begun.set()
        while not self.open.wait(0.002):
            report(0.5, "waiting")
        return self.result

    def deaf(self, _report: Report) -> object:
        self.begun.set()
        self.open.wait()
        return self.result


def heard_of(job: Job) -> list[tuple[str, Any]]:
    heard: list[tuple[str, Any]] = []
    job.finished.connect(lambda result: heard.append(("finished", result)))
    job.failed.connect(lambda error: heard.append(("failed", error)))
    job.cancelled.connect(lambda: heard.append(("cancelled", None)))
    return heard


def answer(number: int, _report: Report) -> int:
    return number


def over(*jobs: Job) -> Callable[[], bool]:
    return lambda: all(job.is_over for job in jobs)


def test_a_job_gives_progress_and_then_its_result_in_the_windows_thread(jobs: Jobs, qtbot: QtBot) -> None:
    threads: set[int] = set()
    seen: list[JobProgress] = []

    def work(report: Report) -> int:
        threads.add(threading.get_ident())
        report(0.25, "a quarter")
        report(1.0, "all")
        return 42

    job = jobs.start("backtest", "Backtest", work)
    job.progressed.connect(seen.append)
    job.progressed.connect(lambda _: threads.add(-threading.get_ident()))
    heard = heard_of(job)
    assert [running.title for running in jobs.running] == ["Backtest"]
    qtbot.waitUntil(over(job))
    assert (heard, job.state, len(jobs.running)) == ([("finished", 42)], JobState.FINISHED, 0)
    assert (seen[-1].fraction, seen[-1].words) == (1.0, "all")
    assert -threading.get_ident() in threads
    assert threading.get_ident() not in threads


class Large:
    """What work may hold or return."""


def test_a_job_that_is_over_keeps_nothing_though_who_listens_holds_it(jobs: Jobs, qtbot: QtBot) -> None:
    def start(asked: Large, found: Large) -> list[weakref.ref[Large]]:
        job = jobs.start("a", "A", lambda _: (asked, found)[1])
        job.finished.connect(lambda _: job.title)
        return [weakref.ref(asked), weakref.ref(found)]

    kept = start(Large(), Large())
    qtbot.waitUntil(lambda: not jobs.running)
    qtbot.wait(1)
    gc.collect()
    assert [large() for large in kept] == [None, None]


def test_a_cancel_is_heard_at_the_next_report(jobs: Jobs, qtbot: QtBot) -> None:
    gate = Gate()
    job = jobs.start("backtest", "Backtest", gate)
    heard = heard_of(job)
    gate.begun.wait()
    jobs.cancel(job)
    qtbot.waitUntil(over(job))
    assert (heard, job.state) == ([("cancelled", None)], JobState.CANCELLED)


def test_work_that_keeps_what_is_done_finishes_although_cancelled(jobs: Jobs, qtbot: QtBot) -> None:
    gate = Gate("half of it")
    job = jobs.start("sweep", "Sweep", gate.deaf)
    heard = heard_of(job)
    gate.begun.wait()
    job.cancel()
    gate.open.set()
    qtbot.waitUntil(over(job))
    assert heard == [("finished", "half of it")]


@pytest.mark.parametrize("is_shown", [True, False])
def test_a_failure_is_told_once_by_the_job_and_by_all_jobs_unless_it_is_shown_elsewhere(jobs: Jobs, qtbot: QtBot, is_shown: bool) -> None:
    def work(report: Report) -> None:
        raise DataError("the file is gone")

    told: list[object] = []
    jobs.failed.connect(lambda job, _error: told.append(job))
    job = jobs.start("import", "Import", work, is_failure_shown=is_shown)
    heard = heard_of(job)
    qtbot.waitUntil(over(job))
    assert [(how, str(error)) for how, error in heard] == [("failed", "the file is gone")]
    assert told == ([] if is_shown else [job])


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 12))
def test_of_those_that_wait_the_last_wins(jobs: Jobs, qtbot: QtBot, count: int) -> None:
    gate = Gate("first")
    started = [jobs.start("slider", "Slider", gate if not n else partial(answer, n)) for n in range(count + 1)]
    heard = [heard_of(job) for job in started]
    assert len(jobs.running) == len(jobs.waiting) == 1
    gate.open.set()
    qtbot.waitUntil(over(*started))
    ends = [what for ((what, _),) in heard]
    assert ends == ["finished", *["cancelled"] * (count - 1), "finished"]
    assert heard[-1] == [("finished", count)]


def test_a_newer_one_may_cancel_what_runs(jobs: Jobs, qtbot: QtBot) -> None:
    old = jobs.start("backtest", "Old", Gate())
    new = jobs.start("backtest", "New", lambda _: "new", cancels_running=True)
    qtbot.waitUntil(over(old, new))
    assert (old.state, new.state) == (JobState.CANCELLED, JobState.FINISHED)


def test_kinds_run_side_by_side_on_two_threads_and_what_is_cancelled_before_its_turn_never_runs(jobs: Jobs, qtbot: QtBot) -> None:
    gates = [Gate() for _ in range(THREADS)]
    running = [jobs.start(f"kind {n}", f"{n}", gate) for n, gate in enumerate(gates)]
    assert all(gate.begun.wait(10) for gate in gates)
    late = Gate()
    job = jobs.start("late", "Late", late)
    jobs.cancel(job)
    qtbot.waitUntil(over(job))
    for gate in gates:
        gate.open.set()
    qtbot.waitUntil(over(*running))
    assert job.state is JobState.CANCELLED
    assert not late.begun.is_set()


def test_after_the_end_nothing_starts(jobs: Jobs, qtbot: QtBot) -> None:
    gate = Gate()
    running = jobs.start("a", "A", gate)
    waiting = jobs.start("a", "B", lambda _: None)
    with ThreadPoolExecutor(1) as pool:  # the loop of the window is Qt's; here its end is turned elsewhere
        pool.submit(asyncio.run, jobs.close()).result(20)
    refused = jobs.start("a", "C", lambda _: None)
    qtbot.waitUntil(over(running, waiting, refused))
    assert {job.state for job in (running, waiting, refused)} == {JobState.CANCELLED}


@given(st.floats(0.5, 1e5), st.floats(0.01, 1))
def test_time_left_is_what_a_steady_pace_would_need(elapsed: float, fraction: float) -> None:
    left = time_left(elapsed, fraction)
    assert left is not None
    assert left >= 0
    assert (elapsed + left) * fraction == pytest.approx(elapsed)


@pytest.mark.parametrize(("elapsed", "fraction"), [(0.4, 0.9), (100.0, 0.0), (100.0, 0.009)])
def test_nobody_claims_to_know_the_time_left_too_early(elapsed: float, fraction: float) -> None:
    assert time_left(elapsed, fraction) is None
