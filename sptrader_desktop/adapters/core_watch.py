"""A live session as its control socket tells it: what the running process knows, gathered for `present.live_state`."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sptrader_desktop.adapters.guarded_broker import HELLO
from sptrader_desktop.core.errors import SptraderError
from sptrader_desktop.present.live_feeds import LiveFeeds
from sptrader_desktop.present.live_figures import Figures
from sptrader_desktop.present.live_state import Around, Connection, Session, bars_told, live_state, long_feeds, portfolio
from sptrader_desktop.present.numbers import iso_time
from sptrader_desktop.present.trade_events import portfolio_update
from sptrader_desktop.runtime.live.clock import SECOND_US
from sptrader_desktop.runtime.live.engine import DISK_FULL
from sptrader_desktop.runtime.live.events import (
    Event,
    OrchestratorPaused,
    OrchestratorStarted,
    OrchestratorStopped,
    RegimeChanged,
    ServiceError,
    ServiceStarted,
    ServiceStopped,
    TradeFailed,
)

if TYPE_CHECKING:
    from sptrader_desktop.runtime.live.clock import Clock
    from sptrader_desktop.runtime.live.core import LiveCore
    from sptrader_desktop.runtime.live.multi_symbol_orchestrator import Health
    from sptrader_desktop.runtime.live.symbol_orchestrator import SymbolHealth, SymbolOrchestrator

log = logging.getLogger("sptrader.live")
UP, DOWN = "up", "down"
PORTFOLIO_S = 1.0
SUMMED = {"state", "is_healthy", "healthy_services", "total_services"}


class GateSeen:
    """What the guardian said last."""

    def __init__(self) -> None:
        self.is_open, self.why = False, "the guardian has not said anything yet"
        self._reasons: list[str] = []
        self.lost = ""  # why there is no guardian any more

    def hear(self, is_open: bool, why: str) -> None:
        self.is_open, self.why, self.lost = is_open, why, ""
        self._reasons = why.split(", ") if why else []

    def lose(self, why: str) -> None:
        self.lost = why

    @property
    def held(self) -> Sequence[str]:
        """Why it is shut for longer: that it waits for the core's hello ends by itself."""
        return () if self.is_open or self.lost else tuple(why for why in self._reasons if why != HELLO)


class CoreWatch:
    def __init__(self, session: Session, core: "LiveCore", feeds: LiveFeeds, gate: GateSeen, clock: "Clock") -> None:
        self._session, self._core, self._feeds, self._gate, self._clock = session, core, feeds, gate, clock
        self._known: dict[str, Connection] = {}
        self._state = ""
        self._tell: Callable[[Mapping[str, Any]], None] = _nobody

    def tell(self, tell: Callable[[Mapping[str, Any]], None]) -> None:
        """Of what happens from now on."""
        self._tell = self._feeds.told = tell
        self._core.spoken = self._feeds.spoken
        self._core.alarms.heard = lambda at, text: self._event("alarm", at, text)
        for live in self._core.symbols.values():
            live.bus.subscribe(Event, self._hear, _not_told)

    async def tell_abroad(self, publish: Callable[[Mapping[str, Any]], None]) -> None:
        """Until it is cancelled: trade events as they happen, and the portfolio when it changed, once a second at most."""
        self._feeds.told_abroad = publish
        told: Mapping[str, Any] = {}
        while True:
            found = portfolio(Figures(self._core.engine.account, self._session.capital, self._feeds.kept))
            if found != told:
                told = found
                publish(portfolio_update(self._clock.now(), found))
            await self._clock.sleep(PORTFOLIO_S)

    def state(self) -> Mapping[str, Any]:
        engine, orchestrator, now = self._core.engine, self._core.orchestrator, self._clock.now()
        health = orchestrator.check_health()
        around = Around(
            at=now,
            orchestrator=health["state"],
            is_synced=self._core.is_synced.is_set(),
            is_stopping=self._core.is_ending,
            gate="open" if self._gate.is_open and not self._gate.lost else "shut",
            gate_why=self._gate.lost or self._gate.why,
            quotes=engine.markets,
            bars=engine.bars,
            forming={symbol: bar for symbol, live in self._core.symbols.items() if (bar := live.forming()) is not None},
            services=[_told(of, orchestrator.orchestrators[symbol]) for symbol, of in health["symbols"].items()],
            connections=[self._connection(*found, now) for found in self._found()],
            alarms=self._core.alarms.last,
            gate_held=self._gate.held,
            shut=DISK_FULL if engine.session.journal.is_full else "",
        )
        found = live_state(self._session, engine.account, self._feeds, around)
        found |= {"health": _summed(health), "limits_wait": self._core.limits_wait}
        if self._state != found["state"]:
            self._state = found["state"]
            reason = found["reason"]
            self._event("state", now, f"{self._state}: {reason}" if reason else self._state)
        return found

    def feeds(self) -> Iterable[tuple[str, object, Callable[[], list[Any]]]]:
        return long_feeds(self._feeds)

    def bars(self, symbol: str) -> Mapping[str, Any]:
        """SptraderError where that symbol is not traded."""
        if symbol not in self._core.symbols:
            raise SptraderError(f"{symbol} is not traded in this session: it trades {', '.join(self._core.symbols)}")
        warm = self._core.symbols[symbol].bars.candles()
        prices = warm.prices
        columns = (warm.timestamp, prices.open, prices.high, prices.low, prices.close)
        return bars_told(symbol, zip(*(column.tolist() for column in columns), strict=True), self._feeds)

    def _found(self) -> Iterable[tuple[str, str, str]]:
        redis = self._core.feed_status
        yield "Redis", UP if redis.connected else DOWN, "" if redis.connected else redis.error
        yield "guardian", DOWN if self._gate.lost else UP, self._gate.lost
        yield "broker", UP if self._core.has_line else DOWN, "" if self._core.has_line else self._core.line_fault
        is_full = self._core.engine.session.journal.is_full
        yield "journal", "full" if is_full else UP, DISK_FULL if is_full else ""

    def _connection(self, name: str, state: str, why: str, now: int) -> Connection:
        known = self._known.get(name)
        if known is None or (known.state, known.why) != (state, why):
            since = now if known is None or known.state != state else known.since
            known = self._known[name] = Connection(name, state, since, why)
            self._event("connection", now, f"{name} is {state}{f': {why}' if why else ''}", name=name, state=state)
        return known

    def _hear(self, event: Event) -> None:
        match event:
            case ServiceStarted() | ServiceStopped():
                text = f"{event.symbol} {event.service} {'started' if isinstance(event, ServiceStarted) else 'stopped'}"
                self._event("service", event.at, text, symbol=event.symbol)
            case ServiceError():
                self._event("service", event.at, f"{event.symbol} {event.service}: {event.why}", symbol=event.symbol)
            case OrchestratorStarted() | OrchestratorStopped() | OrchestratorPaused():
                what = event.kind.removeprefix("ORCHESTRATOR_").lower()
                self._event("service", event.at, f"{event.symbol} {what}{f': {event.why}' if event.why else ''}", symbol=event.symbol)
            case RegimeChanged():
                before = "" if event.before is None else f", {event.before} before"
                self._event("state", event.at, f"{event.symbol}: the regime is {event.regime}{before}", symbol=event.symbol)
            case TradeFailed():
                self._event(
                    "order", event.at, f"{event.symbol} {event.order} was not sent: {event.why}", symbol=event.symbol, id=event.order
                )
            case _:
                pass

    def _event(self, kind: str, at: int, text: str, **figures: Any) -> None:
        self._tell({"is": "event", "at": iso_time(at), "kind": kind, "text": text, **figures})


def _summed(health: "Health") -> dict[str, Any]:
    """That of all symbols together, as it is printed; what the services of each are is told once, beside it."""
    symbols = {symbol: {name: value for name, value in of.items() if name in SUMMED} for symbol, of in health["symbols"].items()}
    return {**health, "symbols": symbols, "uptime": int(health["uptime"])}


def _told(health: "SymbolHealth", orchestrator: "SymbolOrchestrator") -> dict[str, Any]:
    """The health as services print it, and what a person asks next. In whole seconds, so that time alone changes it once a second."""
    services = [
        {
            **status,
            "uptime": int(status["uptime"]),
            "restarts": service.restarts,
            "last_error": service.last_error,
            "active_at": None if service.active_at is None else iso_time(service.active_at // SECOND_US * SECOND_US),
        }
        for status, service in zip(health["services"], orchestrator.services, strict=True)
    ]
    told = {**health, "uptime": int(health["uptime"]), "services": services}
    return told | {"reason": orchestrator.halt_reason or ", ".join(sorted(orchestrator.pauses))}


def _nobody(_event: Mapping[str, Any]) -> None:
    pass


def _not_told(error: Exception) -> None:
    log.warning("watchers were not told of an event: %s", error)
