"""What went wrong, for a person: what happened, why, and what to do. The traceback is kept for whoever mends the program, without secrets.

The same failure again is counted, not listed again.
"""

import errno
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sptrader_desktop.core.errors import SptraderError
from sptrader_desktop.present.observable import Observable
from sptrader_desktop.present.secrets import without_secrets

MOST_KINDS = 50
ADVICE = "What is stored is unchanged and the rest keeps working. If it happens again, copy the diagnostics and report what you did."
NO_MEMORY = "Take a shorter range, or close other programs, then do it again."
BY_ERRNO = {
    errno.ENOSPC: "Make room on that disk, then do it again.",
    errno.EDQUOT: "Your share of that disk is used up: make room, then do it again.",
    errno.EACCES: "Get the right to use it, or choose another place.",
    errno.EPERM: "Get the right to use it, or choose another place.",
    errno.EROFS: "That disk can only be read: choose another place.",
    errno.ENOENT: "It was there when it was chosen: bring it back, or choose another.",
    errno.EMFILE: "The program has too many files open: close charts you do not need, or start it again.",
}


@dataclass(frozen=True, slots=True)
class Failure:
    """`details` is empty where the sentence says all there is."""

    what: str
    why: str
    to_do: str
    details: str
    at: datetime
    times: int = 1

    @property
    def kind(self) -> tuple[str, str, str]:
        return self.what, self.why, self.details


def failure_of(error: BaseException, doing: str, at: datetime) -> Failure:
    """`doing` names what failed, as in `Painting the chart`."""
    what = f"{doing[:1].upper()}{doing[1:]} failed"
    if isinstance(error, SptraderError):
        return Failure(what, without_secrets(str(error)), "", "", at)
    details = without_secrets("".join(traceback.format_exception(error)).rstrip())
    if isinstance(error, OSError) and error.strerror:
        why = f"{error.strerror}: {error.filename}" if error.filename else error.strerror
        return Failure(what, without_secrets(why), BY_ERRNO.get(error.errno or 0, ADVICE), details, at)
    if isinstance(error, MemoryError):
        return Failure(doing, "There is not enough memory.", NO_MEMORY, details, at)
    words = str(error).strip().partition("\n")[0]
    why = f"The program made a mistake ({type(error).__name__}{': ' if words else ''}{words})."
    return Failure(what, without_secrets(why), ADVICE, details, at)


class Failures:
    """One list for the whole window, newest last. `said` is watched by whoever shows them."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._clock = clock
        self.said: Observable[tuple[Failure, ...]] = Observable(())

    def tell(self, error: BaseException, doing: str) -> Failure:
        new = failure_of(error, doing or "The program", self._clock())
        known = self.said.value
        same = next((failure for failure in known if failure.kind == new.kind), None)
        new = replace(new, times=same.times + 1) if same else new
        self.said.set((*(failure for failure in known if failure is not same), new)[-MOST_KINDS:])
        return new

    def forget(self) -> None:
        self.said.set(())
