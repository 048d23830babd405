"""All symbols of a live session: started, paused, watched and stopped together, and halted together when too many of them are."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from typing import TypedDict

from sptrader_desktop.core.errors import SptraderError
from sptrader_desktop.runtime.live.clock import Clock
from sptrader_desktop.runtime.live.events import Event, RegimeChanged, TradeExecuted, TradeFailed
from sptrader_desktop.runtime.live.parts import Latch, Market, PauseReason, TradeEvents
from sptrader_desktop.runtime.live.services_config import OrchestratorConfig
from sptrader_desktop.runtime.live.symbol_orchestrator import GOING, OrchestratorState, SymbolHealth, SymbolOrchestrator

log = logging.getLogger("sptrader.live")
MOST_HALTED = 3
S = OrchestratorState
# Of the states of several symbols the first one here is that of all.
BY_WEIGHT = (S.RECOVERING, S.RUNNING, S.PAUSED, S.INITIALIZING, S.ERROR, S.STOPPED)
TOLD_ABROAD = (TradeExecuted, TradeFailed, RegimeChanged)


class Health(TypedDict):
    state: str
    is_healthy: bool
    healthy_symbols: int
    total_symbols: int
    symbols: dict[str, SymbolHealth]
    uptime: float
    redis_connected: bool


class LatchedError(SptraderError):
    """Everything was halted: a person must look into it and re-arm first."""


class MultiSymbolTradingOrchestrator:
    """Where fewer than three symbols trade, all of them halted shut the latch. A shut latch is opened elsewhere, by a person."""

    def __init__(
        self,
        symbols: Sequence[SymbolOrchestrator],
        clock: Clock,
        latch: Latch,
        market: Market,
        trade_events: TradeEvents,
        config: OrchestratorConfig | None = None,
    ) -> None:
        self.orchestrators = {orchestrator.symbol: orchestrator for orchestrator in symbols}
        self.survivors: tuple[str, ...] = ()
        self._clock, self._latch, self._market, self._abroad = clock, latch, market, trade_events
        self._config = config or OrchestratorConfig()
        self._since: float | None = None
        self._is_new = True
        self._stopping = asyncio.Event()
        for orchestrator in symbols:
            orchestrator.halted = self._symbol_halted
            orchestrator.bus.subscribe(Event, self._tell_abroad, _not_told)

    @property
    def state(self) -> OrchestratorState:
        """That of its symbols, taken together; ERROR while the latch is shut."""
        states = {orchestrator.state for orchestrator in self.orchestrators.values()}
        if self._latch.reason:
            return S.ERROR
        if self._since is None:
            return S.INITIALIZING if self._is_new else S.STOPPED
        return next(state for state in BY_WEIGHT if state in states)

    def check_health(self) -> Health:
        symbols = {name: orchestrator.check_health() for name, orchestrator in self.orchestrators.items()}
        healthy = sum(health["is_healthy"] for health in symbols.values())
        state = self.state
        return {
            "state": str(state),
            "is_healthy": state in GOING and healthy == len(symbols),
            "healthy_symbols": healthy,
            "total_symbols": len(symbols),
            "symbols": symbols,
            "uptime": 0.0 if self._since is None else self._clock.monotonic() - self._since,
            "redis_connected": self._abroad.is_connected,
        }

    async def start(self) -> None:
        """Each symbol through its own gates; one that does not open keeps no other from trading."""
        self._refuse_when_latched()
        self._stopping.clear()
        self._since = self._clock.monotonic()
        self._heed_market()
        await asyncio.gather(*(orchestrator.start() for orchestrator in self.orchestrators.values()))

    def pause(self, reason: PauseReason = PauseReason.PERSON, symbol: str | None = None) -> None:
        for orchestrator in self._named(symbol):
            orchestrator.pause(reason)

    def resume(self, reason: PauseReason = PauseReason.PERSON, symbol: str | None = None) -> frozenset[PauseReason]:
        """The reasons for which one of them is still paused."""
        self._refuse_when_latched()
        return frozenset().union(*(orchestrator.resume(reason) for orchestrator in self._named(symbol)))

    async def stop(self, bound_s: float = 5.0) -> tuple[str, ...]:
        """All symbols at once, each in reverse; the names of what did not stop within the bound."""
        self._stopping.set()
        found = await asyncio.gather(*(orchestrator.stop(bound_s) for orchestrator in self.orchestrators.values()))
        pairs = zip(self.orchestrators, found, strict=True)
        self.survivors = tuple(f"{symbol} {name}" for symbol, names in pairs for name in names)
        self._since, self._is_new = None, False
        if self.survivors:
            log.error("still there after %g s: %s", bound_s, ", ".join(self.survivors))
        return self.survivors

    async def restart(self, symbol: str | None = None) -> None:
        """By a person: one symbol, or all; also what was halted."""
        self._refuse_when_latched()
        await asyncio.gather(*(orchestrator.restart() for orchestrator in self._named(symbol)))
        self._since = self._clock.monotonic() if self._since is None else self._since

    async def run(self, check_interval: float | None = None) -> None:
        """Until `stop` is called, or this is cancelled: it stops all then. What was started before stays as it came out, halted too."""
        watching = [
            asyncio.ensure_future(work)
            for work in (self._watch(check_interval or self._config.health_check_interval), self._log_status(), self._stopping.wait())
        ]
        try:
            if self._since is None:
                await self.start()
            done, _ = await asyncio.wait(watching, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in watching:
                task.cancel()
            await self.stop()

    async def look(self) -> None:
        """What the periodic check does: pause and resume with the market, and mend what is broken and nobody has mended."""
        self._heed_market()
        await asyncio.gather(*(orchestrator.mend() for orchestrator in self.orchestrators.values()))

    # What goes on by itself

    async def _watch(self, interval: float) -> None:
        while True:
            await self._clock.sleep(interval)
            await self.look()

    async def _log_status(self) -> None:
        while True:
            await self._clock.sleep(self._config.status_log_interval)
            log.info("%s", status_line(self.check_health()))

    def _heed_market(self) -> None:
        now = self._clock.now()
        for symbol, orchestrator in self.orchestrators.items():
            if self._market.is_open(symbol, now):
                orchestrator.resume(PauseReason.MARKET_CLOSED)
            else:
                orchestrator.pause(PauseReason.MARKET_CLOSED)

    def _symbol_halted(self) -> None:
        halted = [orchestrator for orchestrator in self.orchestrators.values() if orchestrator.halt_reason]
        if len(halted) >= min(MOST_HALTED, len(self.orchestrators)) and not self._latch.reason:
            why = "; ".join(f"{orchestrator.symbol}: {orchestrator.halt_reason}" for orchestrator in halted)
            log.critical("everything is halted: %s", why)
            self._latch.shut(f"{len(halted)} of {len(self.orchestrators)} symbols were halted ({why})")

    def _refuse_when_latched(self) -> None:
        if self._latch.reason:
            raise LatchedError(f"trading was halted ({self._latch.reason}): see what happened, then re-arm with `sptrader rearm`")

    def _named(self, symbol: str | None) -> Iterable[SymbolOrchestrator]:
        if symbol is None:
            return self.orchestrators.values()
        if symbol not in self.orchestrators:
            raise SptraderError(f"{symbol} is not traded in this session: it trades {', '.join(self.orchestrators)}")
        return (self.orchestrators[symbol],)

    def _tell_abroad(self, event: Event) -> None:
        if isinstance(event, TOLD_ABROAD):
            self._abroad.publish(event)


def status_line(health: Health) -> str:
    told = ", ".join(
        f"{name} {of['state']} {of['healthy_services']}/{of['total_services']}" + ("" if of["is_healthy"] else " (not healthy)")
        for name, of in health["symbols"].items()
    )
    return f"{health['state']}, {health['healthy_symbols']} of {health['total_symbols']} symbols healthy: {told}"


def _not_told(error: Exception) -> None:
    log.warning("a trade event could not be published: %s", error)
