"""The work of the Data page as jobs: one of each kind, the newest counts, and each tells its foot how it goes.

What a person stopped is over for the page at once; a request on its way to a vendor ends by itself behind it.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Signal

from sptrader_desktop.core.errors import SptraderError
from sptrader_desktop.present.database_address import in_window_words
from sptrader_desktop.ui.data.data_desk import Report as DeskReport
from sptrader_desktop.ui.data.parts import Foot
from sptrader_desktop.ui.jobs import Job, Jobs

T = TypeVar("T")
STOPPED = "Stopped; what was done until then is kept where that is possible"


class DataWork(QObject):
    changed = Signal()  # datasets came, went or are others now
    unforeseen = Signal(object, str)  # an exception that is a defect, and what was being done

    def __init__(self, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._newest: dict[str, tuple[Job, Foot, str]] = {}

    def start(
        self,
        kind: str,
        title: str,
        work: Callable[[DeskReport], T],
        then: Callable[[T], object],
        foot: Foot,
        stopped: str = STOPPED,
        failed: Callable[[str], object] = lambda _: None,
    ) -> None:
        """`then` hears what came of it, `failed` what people are told instead."""
        job = self._jobs.start(f"data-{kind}", title, work, cancels_running=True, is_failure_shown=True)
        self._newest[kind] = job, foot, stopped
        foot.begin(title)
        job.progressed.connect(lambda progress: foot.show_progress(progress) if self._counts(kind, job) else None)
        job.finished.connect(lambda found: self._finished(kind, job, then, found))
        job.failed.connect(lambda error: self._failed(kind, job, failed, error))
        job.cancelled.connect(lambda: self.cancel(kind) if self._counts(kind, job) else None)

    def cancel(self, *kinds: str) -> None:
        for kind in set(kinds) & self._newest.keys():
            job, foot, stopped = self._newest.pop(kind)
            self._jobs.cancel(job)
            foot.end(stopped)

    def is_at_work(self, kind: str) -> bool:
        return kind in self._newest

    def _counts(self, kind: str, job: Job) -> bool:
        return kind in self._newest and self._newest[kind][0] is job

    def _finished(self, kind: str, job: Job, then: Callable[[Any], object], found: Any) -> None:
        if self._counts(kind, job):
            self._newest.pop(kind)[1].end()
            then(found)

    def _failed(self, kind: str, job: Job, failed: Callable[[str], object], error: BaseException) -> None:
        if not self._counts(kind, job):
            return
        foot = self._newest.pop(kind)[1]
        if isinstance(error, SptraderError):
            foot.end(in_window_words(str(error)), "danger")
        elif isinstance(error, OSError):
            foot.end(f"{error.filename or job.title}: {error.strerror or error}: check the place and its permissions", "danger")
        else:
            foot.end("This failed in a way nobody foresaw; the message on top says more", "danger")
            self.unforeseen.emit(error, job.title)
        failed(foot.said.text())
