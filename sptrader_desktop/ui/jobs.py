"""Long work beside the window: two threads, progress, an estimate of the time left, and a cancel that is heard at the next report.

Of each kind one job runs and one may wait; a newer one takes the place of the one that waits, so that a slider's last position wins.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from typing import Any

from PySide6.QtCore import QObject, Signal

from sptrader_desktop.core.errors import Cancelled
from sptrader_desktop.ui.bridge import Bridge, Channel

LOG = logging.getLogger("sptrader.job")
THREADS = 2
TELLING_S = 0.5  # before that, and before a hundredth is done, nobody can say how long the rest takes


class JobState(Enum):
    WAITING = "waiting"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class JobProgress:
    """`left_s` is the estimate of the seconds left, where there is one."""

    fraction: float
    words: str = ""
    left_s: float | None = None


class Report:
    """What the work calls to say how far it is, from 0 to 1; raises Cancelled when somebody asked for the stop."""

    def __init__(self, send: Callable[[JobProgress], None]) -> None:
        self._send = send
        self._stop = threading.Event()
        self._began: float | None = None

    def __call__(self, fraction: float, words: str = "") -> None:
        self.check()
        now = time.monotonic()
        self._began = self._began or now
        self._send(JobProgress(fraction, words, time_left(now - self._began, fraction)))

    def check(self) -> None:
        if self._stop.is_set():
            raise Cancelled("stopped on request")

    def ask_to_stop(self) -> None:
        self._stop.set()

    @property
    def is_asked_to_stop(self) -> bool:
        return self._stop.is_set()

    def begin(self) -> None:
        self._began = time.monotonic()

    def elapsed(self) -> float:
        return time.monotonic() - (self._began or time.monotonic())


Work = Callable[[Report], Any]


def time_left(elapsed: float, fraction: float) -> float | None:
    if elapsed < TELLING_S or fraction < 0.01:
        return None
    return elapsed * max(0.0, 1 - fraction) / fraction


class Job(QObject):
    """Its signals come in the window's thread, after `start` has returned; one of finished, failed and cancelled comes last."""

    began = Signal()  # after it had to wait for another of its kind
    progressed = Signal(object)  # JobProgress
    finished = Signal(object)  # what the work returned
    failed = Signal(object)  # the exception
    cancelled = Signal()

    def __init__(self, kind: str, title: str, work: Work, *, is_failure_shown: bool) -> None:
        super().__init__()
        self.kind, self.title = kind, title
        self.state = JobState.WAITING
        self.progress = JobProgress(0.0)
        self.is_failure_shown = is_failure_shown
        self.work = work
        self.report = Report(lambda progress: self.channel.send(progress) if self.channel else None)
        self.channel: Channel[JobProgress] | None = None
        self.future: Future[Any] | None = None

    @property
    def is_over(self) -> bool:
        return self.state not in {JobState.WAITING, JobState.RUNNING}

    def heard(self, progress: JobProgress) -> None:
        self.progress = progress
        self.progressed.emit(progress)

    def cancel(self) -> None:
        """Work that keeps what is done may still finish; then it finished."""
        self.report.ask_to_stop()
        if self.future is not None:
            self.future.cancel()


class Jobs(QObject):
    """All jobs of the window. `failed` tells of a job whose starter does not show failures itself."""

    changed = Signal()  # one began, ended or was put to wait
    failed = Signal(object, object)  # Job, exception

    def __init__(self, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._pool = ThreadPoolExecutor(THREADS, "job")
        self._running: dict[str, Job] = {}
        self._waiting: dict[str, Job] = {}
        self._ended: Channel[Job] = bridge.every("jobs", lambda jobs, _lost: self._end_all(jobs), most=1_000_000)
        self.is_closed = False

    @property
    def running(self) -> tuple[Job, ...]:
        return tuple(self._running.values())

    @property
    def waiting(self) -> tuple[Job, ...]:
        return tuple(self._waiting.values())

    def start(self, kind: str, title: str, work: Work, *, cancels_running: bool = False, is_failure_shown: bool = False) -> Job:
        """`is_failure_shown`: whoever starts it shows its failure where it happened, and nobody else needs to."""
        job = Job(kind, title, work, is_failure_shown=is_failure_shown)
        if self.is_closed:
            self._ended.send(job)
        elif kind in self._running:
            replaced = self._waiting.get(kind)
            self._waiting[kind] = job
            if replaced:
                self._ended.send(replaced)
            if cancels_running:
                self._running[kind].cancel()
        else:
            self._run(job)
        self.changed.emit()
        return job

    def cancel(self, job: Job) -> None:
        if self._waiting.get(job.kind) is job:
            del self._waiting[job.kind]
            self._ended.send(job)
        job.cancel()

    def cancel_all(self) -> None:
        for job in (*self.waiting, *self.running):
            self.cancel(job)

    async def close(self) -> None:
        """Cancel all and wait for them; no job starts afterwards."""
        self.is_closed = True
        futures = [job.future for job in self.running if job.future]
        self.cancel_all()
        self._pool.shutdown(wait=False)
        await asyncio.gather(*map(asyncio.wrap_future, futures), return_exceptions=True)

    def _run(self, job: Job) -> None:
        self._running[job.kind] = job
        job.state = JobState.RUNNING
        job.channel = self._bridge.latest(f"progress of {job.title}", job.heard)
        job.future = self._pool.submit(self._begin, job)
        job.future.add_done_callback(lambda _future: self._ended.send(job))
        job.began.emit()

    @staticmethod
    def _begin(job: Job) -> Any:
        job.report.begin()
        job.report.check()
        return job.work(job.report)

    def _end_all(self, jobs: list[Job]) -> None:
        for job in jobs:
            self._end(job)
        self.changed.emit()

    def _end(self, job: Job) -> None:
        if job.channel:
            job.channel.close()
        if self._running.get(job.kind) is job:
            del self._running[job.kind]
            if job.kind in self._waiting:
                self._run(self._waiting.pop(job.kind))
        self._say(job)
        job.deleteLater()  # Qt holds who listens, which Python does not see: who holds the job in turn would keep it for ever

    def _say(self, job: Job) -> None:
        future = job.future
        error = Cancelled("replaced by a newer one") if future is None or future.cancelled() else future.exception()
        if isinstance(error, Cancelled):
            job.state = JobState.CANCELLED
            LOG.info("%s: stopped", job.title)
            job.cancelled.emit()
        elif error is not None:
            job.state = JobState.FAILED
            job.failed.emit(error)
            if not job.is_failure_shown:
                self.failed.emit(job, error)
        elif future is not None:
            job.state = JobState.FINISHED
            LOG.info("%s: done in %.2f s", job.title, job.report.elapsed())
            job.finished.emit(future.result())
