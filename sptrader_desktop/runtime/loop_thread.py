"""Where a pool's loop is: in a thread of its own, started when it is first needed, or the one that a window turns anyway."""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from sptrader_desktop.guardian.precedence import share_precedence

T = TypeVar("T")


class LoopThread:
    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._guard = threading.Lock()

    def submit(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        return asyncio.run_coroutine_threadsafe(work, self._started())

    def close(self) -> None:
        """What still runs is cancelled and waited for."""
        with self._guard:
            loop, self._loop = self._loop, None
        if loop is not None:
            asyncio.run_coroutine_threadsafe(_end_others(), loop).result()
            loop.call_soon_threadsafe(loop.stop)

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._guard:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                # A daemon: a program that was interrupted must be able to end.
                threading.Thread(target=_serve, args=(self._loop,), name="worker pool", daemon=True).start()
            return self._loop


def sharing_threads() -> ThreadPoolExecutor:
    """For what a loop does aside, as soon as it would itself."""
    return ThreadPoolExecutor(initializer=share_precedence)


class HostedLoop:
    """A loop that somebody else turns; whoever submits to it and waits does so from another thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def submit(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self) -> None:
        """It is not ours."""


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    share_precedence()
    loop.set_default_executor(sharing_threads())
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        loop.close()


async def _end_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
