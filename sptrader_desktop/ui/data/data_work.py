"""The work of the Data page as jobs: one of each kind, the newest counts, and each tells its foot how it goes.

What may be left alone is over for the page as soon as it is stopped, and ends by itself behind it, be it a request to a vendor that does
not answer; anything else is waited for. So what is told is what happened.
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


def forget(_: object) -> None:
    """For work that only looked."""


STOPPED = "Stopped; nothing was changed"


class DataWork(QObject):
    changed = Signal()  # datasets came, went or are others now
    unforeseen = Signal(object, str)  # an exception that is a defect, and what was being done

    def __init__(self, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._newest: dict[str, tuple[Job, Foot, str]] = {}
        self._left: set[str] = set()

    def start(
        self,
        kind: str,
        title: str,
        work: Callable[[DeskReport], T],
        then: Callable[[T], object],
        foot: Foot,
        stopped: str = STOPPED,
        failed: Callable[[str], object] = lambda _: None,
        late: Callable[[T], object] | None = None,
    ) -> None:
        """`then` hears what came of it, `failed` what people are told instead. With `late` it is left alone when it is stopped, and `late`
        hears if it was done all the same."""
        job = self._jobs.start(f"data-{kind}", title, work, cancels_running=True, is_failure_shown=True)
        self._newest[kind] = job, foot, stopped
        (self._left.discard if late is None else self._left.add)(kind)
        foot.begin(title)
        job.progressed.connect(lambda progress: foot.show_progress(progress) if self._counts(kind, job) else None)
        job.finished.connect(lambda found: self._finished(kind, job, then, late, found))
        job.failed.connect(lambda error: self._failed(kind, job, failed, error))
        job.cancelled.connect(lambda: self._stopped(kind) if self._counts(kind, job) else None)

    def cancel(self, *kinds: str) -> None:
        for kind in set(kinds) & self._newest.keys():
            self._jobs.cancel(self._newest[kind][0])
            if kind in self._left:
                self._stopped(kind)

    def is_at_work(self, kind: str) -> bool:
        return kind in self._newest

    def _stopped(self, kind: str) -> None:
        _, foot, stopped = self._newest.pop(kind)
        foot.end(stopped)

    def _counts(self, kind: str, job: Job) -> bool:
        return kind in self._newest and self._newest[kind][0] is job

    def _finished(self, kind: str, job: Job, then: Callable[[Any], object], late: Callable[[Any], object] | None, found: Any) -> None:
        if self._counts(kind, job):
            self._newest.pop(kind)[1].end()
            then(found)
        elif late is not None:
            late(found)

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
