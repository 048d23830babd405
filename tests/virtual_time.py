"""An event loop whose time is its own: nobody waits, nothing depends on addresses, and the same story is told the same way twice."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from heapq import heappop, heappush
from typing import Any, TypeVarTuple

from sptrader_desktop.runtime.live.clock import SECOND_US

Given = TypeVarTuple("Given")
MOST_TURNS = 60_000


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


class VirtualLoop(asyncio.BaseEventLoop):
    """Nothing ever comes from outside; waiting for what is due is how the time passes. What is due at the same instant keeps its order."""

    _ready: deque[Any]

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        self._turns = self._numbers = self._timers = 0
        self._frozen: Process | None = None
        self._kept: list[asyncio.Handle] = []
        self._due: list[tuple[float, int, asyncio.TimerHandle]] = []
        self.set_task_factory(self._task)
        self.set_exception_handler(lambda *_: None)  # of the dead nobody asks what they died of; the living are asked by the world

    def time(self) -> float:
        return self._now

    def pass_time(self, seconds: float) -> None:
        """While whoever runs now goes on; what fell due meanwhile is late."""
        self._now += seconds

    def freeze(self, process: Process, seconds: float) -> None:
        """Nothing of it happens any more until it thaws; only one at a time."""
        if self._frozen is None:
            self._frozen = process
            self.later(seconds, self.thaw, process)

    def is_frozen(self, process: Process) -> bool:
        return self._frozen is process

    def thaw(self, process: Process | None = None) -> None:
        if process in {None, self._frozen}:
            self._frozen = None
            self._ready.extend(self._kept)
            self._kept.clear()

    def later(self, seconds: float, do: Callable[..., object], *about: Any) -> asyncio.TimerHandle:
        return self.call_at(self._now + max(0.0, seconds), do, *about)

    # As the loop's own, without what a loop does for sockets, threads and people who look for mistakes: half of its time.

    def call_soon(self, callback: Callable[[*Given], object], *args: *Given, context: Context | None = None) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_later(
        self, delay: float, callback: Callable[[*Given], object], *args: *Given, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[[*Given], object], *args: *Given, context: Context | None = None
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._timers += 1
        heappush(self._due, (when, self._timers, handle))
        return handle

    def _run_once(self) -> None:
        ready, due = self._ready, self._due
        while due and due[0][2].cancelled():
            heappop(due)
        if not ready:
            assert due, "everybody waits for somebody"
            self._now = max(self._now, due[0][0])
        while due and due[0][0] <= self._now:
            ready.append(heappop(due)[2])
        self._turns += 1
        assert self._turns < MOST_TURNS, "somebody goes round and round"
        for _ in range(len(ready)):
            handle = ready.popleft()
            if self._frozen is not None and handle._context.get(WHOSE) is self._frozen:
                self._kept.append(handle)
            elif not handle.cancelled():
                handle._run()

    def _task(self, loop: asyncio.AbstractEventLoop, work: Any, **given: Any) -> "asyncio.Task[Any]":
        self._numbers += 1
        task, whose = NumberedTask(self._numbers, work, loop=loop, **given), WHOSE.get()
        context = given.get("context")
        whose = context.get(WHOSE, whose) if context is not None else whose
        if whose is not None:
            whose.add(self._numbers, task)
        return task

    def _write_to_self(self) -> None: ...

    def _asyncgen_finalizer_hook(self, _: Any) -> None:
        """The garbage collector comes when it likes, and tells no story."""


class WorldClock:
    """The clock of whoever lives in that time; it begins on a Monday noon. `set_by`: how far somebody has set it since."""

    def __init__(self, loop: VirtualLoop, start: int) -> None:
        self._loop, self._start = loop, start
        self.set_by = 0

    def now(self) -> int:
        return self._start + self.set_by + round(self._loop.time() * SECOND_US)

    def monotonic(self) -> float:
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
