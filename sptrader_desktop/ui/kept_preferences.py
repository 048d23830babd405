"""The person's preferences while the program runs: one value, put in force when it changes and kept on the disk."""

from collections.abc import Callable
from typing import Protocol

from sptrader_desktop.core.errors import DataError
from sptrader_desktop.present.observable import Observable
from sptrader_desktop.present.preferences import Preferences


class Store(Protocol):
    def load(self) -> tuple[Preferences, tuple[str, ...]]:
        """And what the person should know about the file."""
        ...

    def save(self, preferences: Preferences) -> None: ...


class KeptPreferences:
    """Whoever sets `now` puts it in force at once; that it could not be kept is told, and changes nothing of it."""

    def __init__(self, store: Store, tell: Callable[[BaseException, str], object]) -> None:
        self._store, self._tell = store, tell
        loaded, self.notices = store.load()
        self.now = Observable(loaded)
        self.now.watch(self._keep)

    def _keep(self, preferences: Preferences) -> None:
        try:
            self._store.save(preferences)
        except DataError as error:
            self._tell(error, "The settings")
