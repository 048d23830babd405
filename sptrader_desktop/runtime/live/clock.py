"""The time of a live session, handed in: tests turn it by hand and never sleep."""

import asyncio
import time
from collections.abc import Awaitable
from typing import Protocol, TypeVar

T = TypeVar("T")
SECOND_US = 1_000_000


class Clock(Protocol):
    def now(self) -> int:
        """Microseconds UTC: by which bars close and signals expire."""
        ...

    def monotonic(self) -> float:
        """Seconds that nobody can set back: by which restarts are counted and bounds are kept."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    def now(self) -> int:
        return time.time_ns() // 1_000

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def within(clock: Clock, seconds: float, work: Awaitable[T]) -> T:
    """What the work comes to, or TimeoutError; it is cancelled then, and not waited for: it may not listen."""
    task, timer = asyncio.ensure_future(work), asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait({task, timer}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise TimeoutError
    finally:
        timer.cancel()
        if not task.done():
            task.cancel()
            task.add_done_callback(_unasked)


async def ended(clock: Clock, seconds: float, tasks: set["asyncio.Task[None]"]) -> set["asyncio.Task[None]"]:
    """Cancels them and gives those that are still there when the time is over."""
    for task in tasks:
        task.cancel()
    if not tasks:
        return set()
    timer = asyncio.ensure_future(clock.sleep(seconds))
    pending = set(tasks)
    try:
        while pending and not timer.done():
            await asyncio.wait({*pending, timer}, return_when=asyncio.FIRST_COMPLETED)
            pending = {task for task in pending if not task.done()}
    finally:
        timer.cancel()
    for task in tasks - pending:
        _unasked(task)
    return pending


def _unasked(future: "asyncio.Future[T]") -> None:
    """Nobody waits for it any more; its exception was retrieved."""
    if not future.cancelled():
        future.exception()
