"""An event loop whose time is its own: nobody waits, nothing depends on addresses, and the same story is told the same way twice."""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import ContextVar, copy_context
from typing import Any, TypeVar

from sptrader_desktop.runtime.live.clock import SECOND_US

T = TypeVar("T")
MOST_TURNS = 60_000
APART = 1e-7  # things that are due at the same instant keep their order, which a heap alone does not promise


class Process:
    """Whatever it begins is its own. When it is killed nothing of it has any effect any more, not even what it does while it dies."""

    def __init__(self, loop: "VirtualLoop") -> None:
        self.is_alive = True
        self._loop = loop
        self._tasks: dict[int, asyncio.Task[Any]] = {}

    def run(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        context = copy_context()
        context.run(WHOSE.set, self)
        return self._loop.create_task(work, context=context)

    def add(self, number: int, task: "asyncio.Task[Any]") -> None:
        self._tasks[number] = task
        task.add_done_callback(lambda _: self._tasks.pop(number, None))

    def kill(self) -> None:
        self.is_alive = False
        for task in list(self._tasks.values()):
            task.cancel()


WHOSE: ContextVar[Process | None] = ContextVar("WHOSE", default=None)


class NumberedTask(asyncio.Task[Any]):
    """In a set it lies where its number says, not where its address does."""

    def __init__(self, number: int, work: Coroutine[Any, Any, Any], **given: Any) -> None:
        self.number = number
        super().__init__(work, **given)

    def __hash__(self) -> int:
        return self.number


class _Nothing:
    """What comes from outside: nothing, ever; waiting for it is how the time passes."""

    def __init__(self) -> None:
        self.now, self.turns = 0.0, 0

    def select(self, timeout: float | None) -> list[Any]:
        self.turns += 1
        assert timeout is not None, "everybody waits for somebody"
        assert self.turns < MOST_TURNS, "somebody goes round and round"
        self.now += timeout
        return []

    def close(self) -> None: ...


class VirtualLoop(asyncio.BaseEventLoop):
    def __init__(self) -> None:
        super().__init__()
        self._selector = _Nothing()
        self._clock_resolution = 1e-9
        self._numbers = 0
        self._last_due = 0.0
        self.set_task_factory(self._task)
        self.set_exception_handler(lambda *_: None)  # of the dead nobody asks what they died of; the living are asked by the world

    def time(self) -> float:
        return self._selector.now

    def later(self, seconds: float, do: Callable[..., object], *about: Any) -> asyncio.TimerHandle:
        return self.call_at(self.time() + max(0.0, seconds) + APART, do, *about)

    def _task(self, loop: asyncio.AbstractEventLoop, work: Any, **given: Any) -> "asyncio.Task[Any]":
        self._numbers += 1
        task, whose = NumberedTask(self._numbers, work, loop=loop, **given), WHOSE.get()
        context = given.get("context")
        whose = context.get(WHOSE, whose) if context is not None else whose
        if whose is not None:
            whose.add(self._numbers, task)
        return task

    def _process_events(self, _: Any) -> None: ...

    def _write_to_self(self) -> None: ...

    def _asyncgen_finalizer_hook(self, _: Any) -> None:
        """The garbage collector comes when it likes, and tells no story."""


class WorldClock:
    """The clock of whoever lives in that time; it begins on a Monday noon."""

    def __init__(self, loop: VirtualLoop, start: int) -> None:
        self._loop, self._start = loop, start

    def now(self) -> int:
        return self._start + round(self._loop.time() * SECOND_US)

    def monotonic(self) -> float:
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
