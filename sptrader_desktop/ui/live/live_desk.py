"""What the Live page asks of the program; the answers come from the live session's own processes."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

Told = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class LiveStart:
    """What a session is started with; `own`: signals are calculated by it, else they come through the stream alone."""

    strategy: Path
    symbols: tuple[str, ...]
    timeframe: str
    capital: str
    own: bool


class LiveWatch(Protocol):
    """A session that runs."""

    def command(self, what: str, about: str) -> Awaitable[None]:
        """SptraderError says why it was refused."""
        ...

    def close(self) -> Awaitable[None]: ...


class LiveDesk(Protocol):
    def strategies(self) -> Sequence[Path]: ...

    async def watch(self, told: Told, left: Callable[[], None]) -> LiveWatch | None:
        """None where no session runs; on the window's loop."""
        ...

    def start(self, asked: LiveStart, heed: Callable[[], None]) -> None:
        """In a job: returns when the session can be watched. SptraderError says why it did not start."""
        ...

    def emergency_stop(self, *, flatten: bool) -> str:
        """In a job: straight to the guardian, whatever the session does; what became of it."""
        ...

    def rearm(self) -> str:
        """In a job, where no session runs that could be asked."""
        ...
