"""Ending within a bound: what was started first stops last, and what does not stop in its time is named and left behind."""

import asyncio
import inspect
import os
import sys
import threading
from collections.abc import Awaitable, Callable

BOUND_S = 5.0
RESERVED = 0.05  # of the bound for each step that is still to come: one that takes long may take nearly all of it
GRACE_S = 2.0  # for a step that holds the window's thread itself, before the program is ended from outside of it
Stop = Callable[[], Awaitable[object] | object]


class Shutdown:
    """Each `stop` is called in the window's thread and must not block it; what takes time is awaited, as `asyncio.to_thread(close)`."""

    def __init__(self, tell: Callable[[BaseException, str], None], bound_s: float = BOUND_S, grace_s: float = GRACE_S) -> None:
        self._tell, self._bound_s, self._grace_s = tell, bound_s, grace_s
        self._steps: list[tuple[str, Stop]] = []
        self._at = ""

    def add(self, name: str, stop: Stop) -> None:
        self._steps.append((name, stop))

    async def run(self) -> tuple[str, ...]:
        """The names of what did not stop, or failed to."""
        loop = asyncio.get_running_loop()
        deadline, left = loop.time() + self._bound_s, []
        watchdog = threading.Timer(self._bound_s + self._grace_s, self._end_by_force)
        watchdog.daemon = True
        watchdog.start()
        while self._steps:
            self._at, stop = self._steps.pop()
            patience = max(RESERVED * self._bound_s, deadline - loop.time() - RESERVED * self._bound_s * len(self._steps))
            if not await self._stopped(stop, patience):
                left.append(self._at)
        watchdog.cancel()
        return tuple(left)

    async def _stopped(self, stop: Stop, patience: float) -> bool:
        step = asyncio.ensure_future(_call(stop))
        done, _ = await asyncio.wait([step], timeout=patience)
        if not done:
            step.cancel()
            return False
        if step.cancelled():
            return False
        if error := step.exception():
            self._tell(error, f"stopping {self._at}")
        return error is None

    def _end_by_force(self) -> None:
        end_with(self._at)


async def _call(stop: Stop) -> None:
    result = stop()
    if inspect.isawaitable(result):
        await result


def end_with(*names: str) -> None:
    """Threads that do not end would keep the program for ever: name what they were and leave."""
    sys.stderr.write(f"sptrader: these did not stop and were left behind: {', '.join(names)}\n")
    sys.stderr.flush()
    os._exit(1)
