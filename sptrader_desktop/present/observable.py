"""A value that says when it changes: how panes learn of each other's doings without knowing each other."""

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Observable(Generic[T]):
    """Watchers are called in the order they came, and only when the value is another one. One thread only: the window's."""

    __slots__ = ("_value", "_watchers")

    def __init__(self, value: T) -> None:
        self._value = value
        self._watchers: list[Callable[[T], None]] = []

    @property
    def value(self) -> T:
        return self._value

    def set(self, value: T) -> None:
        if value is self._value or value == self._value:
            return
        self._value = value
        for watcher in tuple(self._watchers):
            # A watcher may set the value again: whoever comes after it hears the newest only.
            if self._value is not value:
                return
            watcher(value)

    def watch(self, watcher: Callable[[T], None]) -> Callable[[], None]:
        """Call `watcher` at every change from now on; what is returned ends that, and may be called more than once."""
        self._watchers.append(watcher)

        def unwatch() -> None:
            if watcher in self._watchers:
                self._watchers.remove(watcher)

        return unwatch
