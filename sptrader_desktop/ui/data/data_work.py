"""The work of the Data page as jobs: one of each kind, the newest counts, and each tells its foot how it goes.

What may be left alone is over for the page as soon as it is stopped, and ends by itself behind it, be it a request to a vendor that does
not answer; anything else is waited for, and not begun twice. So what is told is what happened.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Signal

from sptrader_desktop.core.errors import SptraderError
from sptrader_desktop.present.database_address import in_window_words
from sptrader_desktop.present.failures import BY_ERRNO
from sptrader_desktop.ui.data.data_desk import Report as DeskReport
from sptrader_desktop.ui.data.parts import Foot
from sptrader_desktop.ui.jobs import Job, Jobs
from sptrader_desktop.ui.theme.roles import Tone

T = TypeVar("T")
STOPPED = "Stopped; nothing was changed"
ELSE = "check the place and its permissions"


def forget(_: object) -> None:
    """For work that only looked."""


@dataclass(frozen=True, slots=True)
class Begun:
    job: Job
    foot: Foot
    stopped: str
    failed: Callable[[str], object]
    over: Callable[[], object]
    is_left: bool  # when it is stopped it is not waited for


class DataWork(QObject):
    changed = Signal()  # datasets came, went or are others now
    unforeseen = Signal(object, str)  # an exception that is a defect, and what was being done

    def __init__(self, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._newest: dict[str, Begun] = {}

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
        over: Callable[[], object] = lambda: None,
    ) -> bool:
        """`then` hears what came of it, `failed` what people are told instead, `over` that it ended, whoever ended it. With `late` it is
        left alone when it is stopped, and `late` hears if it was done all the same. False: it was not begun, and the foot says why."""
        before = self._newest.get(kind)
        if before is not None and not before.is_left and late is None:
            foot.say(f"Still {before.job.title}: wait for its end, or cancel it", "warning")
            return False
        job = self._jobs.start(f"data-{kind}", title, work, cancels_running=True, is_failure_shown=True)
        self._newest[kind] = Begun(job, foot, stopped, failed, over, late is not None)
        foot.begin(title)
        job.progressed.connect(lambda progress: foot.show_progress(progress) if self._counts(kind, job) else None)
        job.finished.connect(lambda found: self._finished(kind, job, then, late, found))
        job.failed.connect(lambda error: self._failed(kind, job, error))
        job.cancelled.connect(lambda: self._stopped(kind) if self._counts(kind, job) else None)
        return True

    def cancel(self, *kinds: str) -> None:
        for kind in set(kinds) & self._newest.keys():
            begun = self._newest[kind]
            self._jobs.cancel(begun.job)
            if begun.is_left:
                self._stopped(kind)

    def is_at_work(self, kind: str) -> bool:
        return kind in self._newest

    def _stopped(self, kind: str) -> None:
        self._end(kind, self._newest[kind].stopped).over()

    def _counts(self, kind: str, job: Job) -> bool:
        return kind in self._newest and self._newest[kind].job is job

    def _end(self, kind: str, sentence: str = "", tone: Tone = "") -> Begun:
        """Other work that tells the same foot goes on telling."""
        begun = self._newest.pop(kind)
        begun.foot.end(sentence, tone)
        others = [other.job for other in self._newest.values() if other.foot is begun.foot]
        if others:
            begun.foot.go_on(others[-1].title)
        return begun

    def _finished(self, kind: str, job: Job, then: Callable[[Any], object], late: Callable[[Any], object] | None, found: Any) -> None:
        if self._counts(kind, job):
            begun = self._end(kind)
            then(found)
            begun.over()
        elif late is not None:
            late(found)

    def _failed(self, kind: str, job: Job, error: BaseException) -> None:
        if not self._counts(kind, job):
            return
        said = _said(error, job.title)
        begun = self._end(kind, said or "This failed in a way nobody foresaw; the message on top says more", "danger")
        if not said:
            self.unforeseen.emit(error, job.title)
        begun.failed(said)
        begun.over()


def _said(error: BaseException, title: str) -> str:
    """What a person can do about it; nothing where it is a defect."""
    if isinstance(error, SptraderError):
        return in_window_words(str(error))
    if isinstance(error, OSError):
        to_do = BY_ERRNO.get(error.errno or 0, ELSE)
        return f"{error.filename or title}: {error.strerror or error}: {to_do[:1].lower()}{to_do[1:].rstrip('.')}"
    return ""
