"""A value that a person changes now and then and that is to be there at the next start: written beside the window, the newest last."""

from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

from sptrader_desktop.core.errors import DataError
from sptrader_desktop.present.observable import Observable
from sptrader_desktop.ui.jobs import Jobs

T = TypeVar("T")


class DocumentStore(Protocol):
    def load(self, name: str, read: Callable[[Any], T], empty: T) -> tuple[T, tuple[str, ...]]:
        """And what the person should know about the file."""
        ...

    def save(self, name: str, held: Any) -> None:
        """On any thread; whole or not at all. DataError where that failed."""
        ...


class KeptValue(Generic[T]):
    """Whoever sets `now` has it kept; `failed` hears why it could not be."""

    def __init__(
        self, name: str, store: DocumentStore, jobs: Jobs, empty: T, read: Callable[[Any], T], written: Callable[[T], Any]
    ) -> None:
        self._name, self._store, self._jobs, self._written = name, store, jobs, written
        loaded, self.notices = store.load(name, read, empty)
        self.now = Observable(loaded)
        self.failed: Callable[[BaseException], object] = lambda _error: None
        self._kept: T = loaded
        self.now.watch(self._keep)

    def flush(self) -> None:
        """At the end, when no job will come to it any more."""
        if self.now.value is not self._kept:
            try:
                self._save(self.now.value)
            except DataError as error:
                self.failed(error)

    def _keep(self, value: T) -> None:
        job = self._jobs.start(f"keep {self._name}", f"keeping {self._name}", lambda _: self._save(value), is_failure_shown=True)
        job.failed.connect(self._tell)

    def _tell(self, error: BaseException) -> None:
        self.failed(error)

    def _save(self, value: T) -> None:
        self._store.save(self._name, self._written(value))
        self._kept = value
