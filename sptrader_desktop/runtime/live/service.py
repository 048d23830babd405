"""What every service of a symbol has in common: a life in legal moves, an error path, and a status in the words of the first program."""

import asyncio
from collections.abc import Callable, Coroutine
from enum import StrEnum
from typing import Any, TypedDict, TypeVar

from sptrader_desktop.core.errors import SptraderError
from sptrader_desktop.runtime.live.clock import Clock, ended, within
from sptrader_desktop.runtime.live.event_bus import LocalEventBus
from sptrader_desktop.runtime.live.events import Event, ServiceError, ServiceStarted, ServiceStopped
from sptrader_desktop.runtime.live.parts import PauseReason
from sptrader_desktop.runtime.live.restart_intensity import RestartIntensity

E = TypeVar("E", bound=Event)
START_S, STOP_S = 15.0, 1.0  # so that a gate that hangs each time is seen as failing too often


class ServiceState(StrEnum):
    CREATED = "created"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    ERROR = "error"
    RECOVERING = "recovering"
    STOPPING = "stopping"
    STOPPED = "stopped"


S = ServiceState
LEGAL_MOVES: dict[ServiceState, tuple[ServiceState, ...]] = {
    S.CREATED: (S.STARTING,),
    S.STARTING: (S.RUNNING, S.ERROR, S.STOPPING),
    S.RUNNING: (S.PAUSED, S.ERROR, S.STOPPING),
    S.PAUSED: (S.RUNNING, S.ERROR, S.STOPPING),
    S.ERROR: (S.RECOVERING, S.STOPPING),
    # what failed while it was paused must not come back trading
    S.RECOVERING: (S.RUNNING, S.PAUSED, S.ERROR, S.STOPPING),
    S.STOPPING: (S.STOPPED,),
    S.STOPPED: (S.STARTING,),
}
ACTIVE = frozenset({S.RUNNING, S.PAUSED})
AT_REST = frozenset({S.CREATED, S.STOPPED})


class IllegalServiceMoveError(SptraderError):
    """A service was told to do what its state does not allow: look at its state first."""


class ServiceStatus(TypedDict):
    service_name: str
    symbol: str
    state: str
    is_healthy: bool
    error_count: int
    uptime: float


class Service:
    """A service is RUNNING when `_open` has come back. PAUSED it opens nothing new, and what protects open positions goes on.

    `failed` is told of every error, after the bus.
    """

    def __init__(self, symbol: str, bus: LocalEventBus, clock: Clock) -> None:
        self.symbol, self._bus, self._clock = symbol, bus, clock
        self.state = S.CREATED
        self.error_count, self.last_error = 0, ""
        self.openings = 0
        self.active_at: int | None = None  # when it last had something to do
        self.pauses: frozenset[PauseReason] = frozenset()
        self.recoveries = RestartIntensity(clock)
        self.failed: Callable[[], object] = lambda: None
        self._since: float | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._heard: list[Callable[[], None]] = []

    @property
    def name(self) -> str:
        return type(self).__name__

    @property
    def is_at_rest(self) -> bool:
        return self.state in AT_REST

    @property
    def is_ending(self) -> bool:
        """It has not begun, or will not go on: what is given to it now would wait for nobody knows how long."""
        return self.is_at_rest or self.state is S.STOPPING

    @property
    def is_healthy(self) -> bool:
        return self.state in ACTIVE

    @property
    def restarts(self) -> int:
        return max(0, self.openings - 1)

    def get_status(self) -> ServiceStatus:
        uptime = 0.0 if self._since is None else self._clock.monotonic() - self._since
        return {
            "service_name": self.name,
            "symbol": self.symbol,
            "state": str(self.state),
            "is_healthy": self.is_healthy,
            "error_count": self.error_count,
            "uptime": uptime,
        }

    # Life

    async def start(self) -> None:
        """SptraderError if it did not; it is in ERROR then."""
        self._move(S.STARTING)
        self._reset()
        self.recoveries.clear()
        if not await self._opened():
            raise SptraderError(f"{self.symbol} {self.name} did not start: {self.last_error}")
        self._since = self._clock.monotonic()
        self._bus.publish(ServiceStarted(self.symbol, self._clock.now(), self.name))

    async def recover(self) -> bool:
        self._move(S.RECOVERING)
        if await self._release(STOP_S):
            self.fail(SptraderError("what it was doing did not end"))
            return False
        return await self._opened()

    async def renew(self) -> bool:
        """By a person: as after an error, with what it knew."""
        if self.state in ACTIVE:
            self._move(S.ERROR)
        return await self.recover()

    async def stop(self, bound_s: float = STOP_S) -> bool:
        """Whether nothing of it is left, within the bound."""
        if self.is_at_rest:
            return True
        if self.state is not S.STOPPING:
            self._move(S.STOPPING)
        if await self._release(bound_s / 2):
            return False
        self._move(S.STOPPED)
        self._dropped()
        self._since = None
        self._bus.publish(ServiceStopped(self.symbol, self._clock.now(), self.name))
        return True

    def pause_for(self, reasons: frozenset[PauseReason]) -> None:
        """None of them: it goes on."""
        self.pauses = reasons
        wanted = S.PAUSED if reasons else S.RUNNING
        if self.state in ACTIVE and self.state is not wanted:
            self._move(wanted)
        self._paused()

    def fail(self, error: BaseException) -> None:
        """Its error path. One that has failed already, or is on its way out, is only counted."""
        self.error_count += 1
        self.last_error = str(error) or type(error).__name__
        if S.ERROR not in LEGAL_MOVES[self.state]:
            return
        self._move(S.ERROR)
        self._bus.publish(ServiceError(self.symbol, self._clock.now(), self.name, self.last_error))
        self.failed()

    # For those who inherit

    async def _open(self) -> None:
        """Take what it needs, listen, begin to work; also after an error, with what it knew."""
        raise NotImplementedError

    def _reset(self) -> None:
        """Forget what it knew; before a first start and a new one, not before a recovery."""

    def _paused(self) -> None:
        """`pauses` may have changed."""

    async def _drained(self) -> None:
        """Before it stops or recovers: begin nothing new, and end what must not be cut off."""

    def _dropped(self) -> None:
        """It has stopped: tell what will not be done any more."""

    def _listen(self, event: type[E], hear: Callable[[E], object]) -> None:
        """While it is active."""

        def heard(found: E) -> None:
            if self.state in ACTIVE:
                self._worked()
                hear(found)

        self._heard.append(self._bus.subscribe(event, heard, self.fail))

    def _worked(self) -> None:
        self.active_at = self._clock.now()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """A task of its own: what it raises is this service's error."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self.fail(error)

    def _move(self, to: ServiceState) -> None:
        if to not in LEGAL_MOVES[self.state]:
            allowed = ", ".join(LEGAL_MOVES[self.state])
            raise IllegalServiceMoveError(f"{self.symbol} {self.name} is {self.state} and cannot become {to}; it may become {allowed}")
        self.state = to

    async def _opened(self) -> bool:
        opening = asyncio.get_running_loop().create_task(self._open())
        try:
            await within(self._clock, START_S, asyncio.wait({opening}))
        except TimeoutError:
            await ended(self._clock, STOP_S, {opening})
            self.fail(SptraderError(f"it was not ready within {START_S:g} s"))
            return False
        except asyncio.CancelledError:
            opening.cancel()
            raise
        error = asyncio.CancelledError() if opening.cancelled() else opening.exception()
        if error is not None:
            self.fail(error)
        if self.state not in {S.STARTING, S.RECOVERING}:  # it failed, or something that it began did
            return False
        self._move(S.RUNNING)
        self.openings += 1
        self.pause_for(self.pauses)
        return True

    async def _release(self, bound_s: float) -> bool:
        """Whether something is left that did not end, after twice the bound: once to drain, once to end."""
        for end in self._heard:
            end()
        self._heard.clear()
        try:
            await within(self._clock, bound_s, self._drained())
        except TimeoutError:
            return True
        left = await ended(self._clock, bound_s, set(self._tasks))
        return bool(left)
