"""One symbol: services started through gates, stopped in reverse, paused for reasons, restarted when they fail, halted when that fails."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from enum import StrEnum
from typing import Any, TypedDict

from sptrader_desktop.core.errors import SptraderError
from sptrader_desktop.runtime.live.clock import Clock, ended, within
from sptrader_desktop.runtime.live.event_bus import LocalEventBus
from sptrader_desktop.runtime.live.events import OrchestratorPaused, OrchestratorStarted, OrchestratorStopped
from sptrader_desktop.runtime.live.parts import PauseReason
from sptrader_desktop.runtime.live.restart_intensity import RestartIntensity
from sptrader_desktop.runtime.live.service import STOP_S, Service, ServiceState, ServiceStatus

log = logging.getLogger("sptrader.live")


class OrchestratorState(StrEnum):
    INITIALIZING = "initializing"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    ERROR = "error"
    RECOVERING = "recovering"


S = OrchestratorState
LEGAL_MOVES: dict[OrchestratorState, tuple[OrchestratorState, ...]] = {
    S.INITIALIZING: (S.RUNNING, S.PAUSED, S.ERROR, S.RECOVERING, S.STOPPED),
    S.RUNNING: (S.PAUSED, S.ERROR, S.RECOVERING, S.STOPPED),
    S.PAUSED: (S.RUNNING, S.ERROR, S.RECOVERING, S.STOPPED),
    S.ERROR: (S.RECOVERING, S.INITIALIZING, S.STOPPED),
    S.RECOVERING: (S.RUNNING, S.PAUSED, S.ERROR, S.STOPPED),
    S.STOPPED: (S.INITIALIZING,),
}
GOING = frozenset({S.RUNNING, S.PAUSED})


class IllegalOrchestratorMoveError(SptraderError):
    """An orchestrator was told to do what its state does not allow: look at its state first."""


class SymbolHealth(TypedDict):
    symbol: str
    state: str
    is_healthy: bool
    healthy_services: int
    total_services: int
    services: list[ServiceStatus]
    uptime: float


class SymbolOrchestrator:
    """`services` are in the order in which data flows through them: who consumes starts before who produces, and stops after.

    ERROR means that nobody will start it again but a person: it is halted, or restarts are switched off. `halted` is called then.
    """

    def __init__(self, symbol: str, services: Sequence[Service], bus: LocalEventBus, clock: Clock, *, is_restarting: bool = True) -> None:
        self.symbol, self.services, self.bus = symbol, tuple(services), bus
        self.state = S.INITIALIZING
        self.halt_reason = ""
        self.halted: Callable[[], object] = lambda: None
        self.survivors: tuple[str, ...] = ()
        self._clock, self._is_restarting = clock, is_restarting
        self._intensity = RestartIntensity(clock)
        self._pauses: frozenset[PauseReason] = frozenset()
        self._since: float | None = None
        self._turn = asyncio.Lock()
        self._work: set[asyncio.Task[None]] = set()
        for service in self.services:
            service.failed = self.mend_soon

    @property
    def pauses(self) -> frozenset[PauseReason]:
        return self._pauses

    def check_health(self) -> SymbolHealth:
        services = [service.get_status() for service in self.services]
        healthy = sum(status["is_healthy"] for status in services)
        return {
            "symbol": self.symbol,
            "state": str(self.state),
            "is_healthy": self.state in GOING and healthy == len(services),
            "healthy_services": healthy,
            "total_services": len(services),
            "services": services,
            "uptime": 0.0 if self._since is None else self._clock.monotonic() - self._since,
        }

    # What a person or the orchestrator above asks

    async def start(self) -> None:
        """A gate that does not open is tried again like any failure; in the end it runs, or is in ERROR."""
        await self._done(self._start())

    async def stop(self, bound_s: float = 5.0) -> tuple[str, ...]:
        """The names of those that did not stop within the bound; a start or a restart that is under way is given up."""
        part = bound_s / (len(self.services) + 2)
        await ended(self._clock, part, set(self._work))
        try:
            await within(self._clock, part, self._turn.acquire())
        except TimeoutError:
            return tuple(service.name for service in self.services if not service.is_at_rest)
        try:
            self.survivors = await self._stop_all(part)
            if self.state is not S.STOPPED:
                self._move(S.STOPPED)
                self._since = None
                left = f"still there: {', '.join(self.survivors)}" if self.survivors else ""
                self.bus.publish(OrchestratorStopped(self.symbol, self._clock.now(), left))
            return self.survivors
        finally:
            self._turn.release()

    async def restart(self) -> None:
        """By a person: what was halted may run again."""
        await self.stop()
        await self.start()

    async def restart_service(self, name: str) -> None:
        """By a person: one of them, with what it knew; the others go on meanwhile."""
        async with self._turn:
            service = next((service for service in self.services if service.name == name), None)
            if service is None:
                raise SptraderError(f"{self.symbol} has no service {name}: it has {', '.join(each.name for each in self.services)}")
            if self.state not in GOING:
                raise SptraderError(f"{self.symbol} is {self.state}: restart all of its services")
            if not await service.renew():
                raise SptraderError(f"{self.symbol} {name} did not start again: {service.last_error}")

    def pause(self, reason: PauseReason = PauseReason.PERSON) -> None:
        self._pause_for(self._pauses | {reason}, f"paused: {reason}")

    def resume(self, reason: PauseReason = PauseReason.PERSON) -> frozenset[PauseReason]:
        """The reasons that are left: while there are any it stays paused."""
        self._pause_for(self._pauses - {reason}, f"no longer paused: {reason}")
        return self._pauses

    # Supervision

    def mend_soon(self) -> None:
        """In a task of its own, since whoever noticed the failure may be part of it."""
        self._begin(self._mend())

    async def mend(self) -> None:
        """Recover what has failed, else start all anew, else halt."""
        await self._done(self._mend())

    async def _start(self) -> None:
        async with self._turn:
            if self.state in GOING:
                return
            self._go(S.INITIALIZING)
            self.halt_reason = ""
            self._intensity.clear()
            why = await self._start_all()
            if why:
                await self._start_anew(why)

    async def _mend(self) -> None:
        async with self._turn:
            while self.state in GOING and (failed := self._failed()):
                why = f"{failed.name}: {failed.last_error}"
                log.error("%s %s", self.symbol, why)
                if not self._is_restarting:
                    self._give_up(f"{why}; restarts are switched off")
                elif failed.recoveries.allows():
                    await failed.recover()
                else:
                    await self._start_anew(why)

    def _begin(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.get_running_loop().create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)
        return task

    async def _done(self, work: Coroutine[Any, Any, None]) -> None:
        """`stop` may cut it off, which is no error of whoever waits for it."""
        task = self._begin(work)
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            task.cancel()
            raise
        if not task.cancelled():
            task.result()

    def _failed(self) -> Service | None:
        return next((service for service in self.services if service.state is ServiceState.ERROR), None)

    async def _start_anew(self, why: str) -> None:
        while self._is_restarting and self._intensity.allows():
            self._go(S.RECOVERING)
            log.warning("%s is started anew: %s", self.symbol, why)
            left = await self._stop_all(STOP_S)
            why = f"{', '.join(left)} did not stop" if left else await self._start_all()
            if not why:
                return
        await self._stop_all(STOP_S)
        self._give_up(why)

    def _give_up(self, why: str) -> None:
        self._go(S.ERROR)
        self.halt_reason = why
        self._since = None
        log.error("%s is halted: %s", self.symbol, why)
        self.bus.publish(OrchestratorStopped(self.symbol, self._clock.now(), f"halted: {why}"))
        self.halted()

    # Services, all of them

    async def _start_all(self) -> str:
        """Why it did not, or nothing. Each is a gate to the next."""
        for service in reversed(self.services):
            try:
                await service.start()
            except SptraderError as error:
                await self._stop_all(STOP_S)
                return str(error)
        self._since = self._clock.monotonic()
        self._go(S.PAUSED if self._pauses else S.RUNNING)
        for service in self.services:
            service.pause_for(self._pauses)
        self.bus.publish(OrchestratorStarted(self.symbol, self._clock.now()))
        return ""

    async def _stop_all(self, each_s: float) -> tuple[str, ...]:
        """Producers first. Each has a time of its own, so that one that hangs takes none from the others."""
        return tuple([service.name for service in self.services if not await service.stop(each_s)])

    def _pause_for(self, reasons: frozenset[PauseReason], why: str) -> None:
        if reasons == self._pauses:
            return
        self._pauses = reasons
        for service in self.services:
            service.pause_for(reasons)
        if self.state not in GOING:
            return
        self._go(S.PAUSED if reasons else S.RUNNING)
        shown = ", ".join(sorted(reasons))
        now = self._clock.now()
        self.bus.publish(OrchestratorPaused(self.symbol, now, shown) if reasons else OrchestratorStarted(self.symbol, now, why))

    def _go(self, to: OrchestratorState) -> None:
        if to is not self.state:
            self._move(to)

    def _move(self, to: OrchestratorState) -> None:
        if to not in LEGAL_MOVES[self.state]:
            allowed = ", ".join(LEGAL_MOVES[self.state])
            raise IllegalOrchestratorMoveError(f"{self.symbol} is {self.state} and cannot become {to}; it may become {allowed}")
        self.state = to
