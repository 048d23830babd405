"""What the Live page asks of the program; the answers come from the live session's own processes."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from sptrader_desktop.core.instruments import Instrument

Told = Callable[[Mapping[str, Any]], None]


class LiveWatch(Protocol):
    """A session that runs."""

    def command(self, what: str, about: str, why: str) -> Awaitable[None]:
        """SptraderError says why it was refused. `why` is written down with who asked."""
        ...

    def ask_bars(self, symbol: str) -> None:
        """They come as a message."""
        ...

    def close(self) -> Awaitable[None]: ...


class LiveDesk(Protocol):
    @property
    def account(self) -> str:
        """Which one it is, and where it is kept."""
        ...

    def strategies(self) -> Sequence[Path]: ...

    def instruments(self) -> Mapping[str, Instrument]: ...

    def shell_line(self, command: Sequence[str]) -> str:
        """The command as a person would type it."""
        ...

    async def watch(self, told: Told, left: Callable[[], None]) -> LiveWatch | None:
        """None where no session runs; on the window's loop."""
        ...

    async def guard(self, *, is_attached: bool) -> Mapping[str, Any]:
        """What stands at the guardian, as `sptrader status` tells it; attached, it waits for this window from now on."""
        ...

    async def leave_guard(self) -> None:
        """It waits for this window no longer."""
        ...

    def start(self, command: Sequence[str], heed: Callable[[], None]) -> None:
        """In a job: returns when the session can be watched. SptraderError says why it did not start."""
        ...

    def emergency_stop(self, *, flatten: bool) -> str:
        """In a job: straight to the guardian, whatever the session does; what became of it."""
        ...

    def rearm(self, why: str) -> str:
        """In a job, where no session runs that could be asked."""
        ...
