"""The surroundings of a live session for tests: a clock that is turned by hand, and parts that do as they are told."""

import asyncio
import heapq
import itertools
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from sptrader_desktop.runtime.live.clock import SECOND_US, Clock
from sptrader_desktop.runtime.live.event_bus import LocalEventBus
from sptrader_desktop.runtime.live.events import Event
from sptrader_desktop.runtime.live.service import Service
from sptrader_desktop.runtime.live.spreads import Spread

T = TypeVar("T")
NOON = 1_706_529_600_000_000  # Monday 2024-01-29T12:00:00Z
SETTLED = 60


class HandClock:
    """Nothing sleeps longer than it takes to turn the clock."""

    def __init__(self, now: int = NOON) -> None:
        self._start, self._passed = now, 0.0
        self._sleeping: list[tuple[float, int, asyncio.Future[None]]] = []
        self._number = itertools.count()

    def now(self) -> int:
        return self._start + round(self._passed * SECOND_US)

    def monotonic(self) -> float:
        return self._passed

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleeping, (self._passed + max(0.0, seconds), next(self._number), woken))
        await woken

    async def turn(self, seconds: float) -> None:
        """Whoever wakes meanwhile does so at its own time, in order."""
        await settled()
        end = self._passed + seconds
        while self._sleeping and self._sleeping[0][0] <= end + 1e-9:
            due, _, woken = heapq.heappop(self._sleeping)
            self._passed = max(self._passed, due)
            if not woken.done():
                woken.set_result(None)
                await settled()
        self._passed = max(self._passed, end)

    async def until(self, done: "asyncio.Future[T]", longest: float = 600.0) -> T:
        """Turns it until somebody is done."""
        await settled()
        end = self._passed + longest
        while not done.done() and self._passed < end:
            await self.turn(min([0.25, *(max(0.0, due - self._passed) for due, _, _ in self._sleeping[:1])]) or 0.25)
        assert done.done(), f"it is not done after {longest:g} s"
        return done.result()


async def settled() -> None:
    """Whatever can go on without the clock has gone on."""
    for _ in range(SETTLED):
        await asyncio.sleep(0)


def played(work: Coroutine[Any, Any, T]) -> T:
    """One test's story on a loop of its own; nothing may be left running."""

    async def told() -> T:
        found = await work
        left = {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        return found

    return asyncio.run(told())


class Heard(list[Event]):
    """All events of a bus, in order."""

    def __init__(self, *buses: LocalEventBus) -> None:
        super().__init__()
        for bus in buses:
            bus.subscribe(Event, self.append, raised)

    def kinds(self) -> list[str]:
        return [str(event.kind) for event in self]

    def of(self, kind: type[T]) -> list[T]:
        return [event for event in self if isinstance(event, kind)]


def raised(error: Exception) -> None:
    raise error


class FakeService(Service):
    """Works until it is told to fail, hang or refuse; `opened` and `ended` count its lives."""

    def __init__(self, *given: Any, name: str = "FakeService") -> None:
        super().__init__(*given)
        self.shown, self.opened, self.ended = name, 0, 0
        self.refuses: list[BaseException] = []  # one for each of the next openings
        self.hangs_to_open, self.hangs_to_end = False, False
        self.crash: asyncio.Event = asyncio.Event()

    @property
    def name(self) -> str:
        return self.shown

    async def _open(self) -> None:
        if self.hangs_to_open:
            await asyncio.Event().wait()
        if self.refuses:
            raise self.refuses.pop(0)
        self.opened += 1
        self.crash.clear()
        self._spawn(self._life())

    async def _life(self) -> None:
        while True:
            try:
                await self.crash.wait()
            except asyncio.CancelledError:
                if not self.hangs_to_end:
                    self.ended += 1
                    raise
                continue
            raise RuntimeError("it crashed")


class FakeLatch:
    def __init__(self) -> None:
        self.reason = ""

    def shut(self, reason: str) -> None:
        self.reason = reason


class FakeMarket:
    """With `ticking` there is a new price at every moment of that clock."""

    def __init__(self, closed: Iterable[str] = (), ticking: Clock | None = None) -> None:
        self._ticking = ticking
        self.closed, self.quotes, self.spreads = set(closed), dict[str, int](), dict[str, Spread]()

    def is_open(self, symbol: str, at: int) -> bool:
        return at > 0 and symbol not in self.closed

    def quoted_at(self, symbol: str) -> int | None:
        return self.quotes.get(symbol) if self._ticking is None else self._ticking.now()

    def spread(self, symbol: str) -> Spread | None:
        return self.spreads.get(symbol)


class FakeTradeEvents:
    def __init__(self) -> None:
        self.is_connected, self.published = True, list[object]()

    def publish(self, event: object) -> None:
        self.published.append(event)


@dataclass(frozen=True, slots=True)
class FakeOrder:
    id: str
    symbol: str = "EURUSD"
    opens: bool = True
