"""A few symbols with services that fail when a test says so, under one orchestrator."""

from typing import Any

from sptrader_desktop.runtime.live.event_bus import LocalEventBus
from sptrader_desktop.runtime.live.multi_symbol_orchestrator import MultiSymbolTradingOrchestrator
from sptrader_desktop.runtime.live.services_config import OrchestratorConfig
from sptrader_desktop.runtime.live.symbol_orchestrator import SymbolOrchestrator
from tests.live_session import FakeLatch, FakeMarket, FakeService, FakeTradeEvents, HandClock, settled

NAMES = ("DataFetchingService", "IndicatorCalculationService", "StrategyEvaluationService", "TradeExecutionService")
FAKE = list[FakeService]


def symbol(clock: HandClock, name: str = "XAUUSD", *, is_restarting: bool = True) -> tuple[SymbolOrchestrator, FAKE]:
    bus = LocalEventBus()
    found = [FakeService(name, bus, clock, name=each) for each in NAMES]
    return SymbolOrchestrator(name, found, bus, clock, is_restarting=is_restarting), found


def state(of: FakeService | SymbolOrchestrator | MultiSymbolTradingOrchestrator) -> str:
    return str(of.state)


class Session:
    """Some symbols and all that is around them."""

    def __init__(self, *names: str, config: OrchestratorConfig | None = None, **given: Any) -> None:
        self.clock, self.latch, self.market, self.abroad = HandClock(), FakeLatch(), FakeMarket(), FakeTradeEvents()
        made = [symbol(self.clock, name, **given) for name in names]
        self.symbols = [orchestrator for orchestrator, _ in made]
        self.services = {orchestrator.symbol: found for orchestrator, found in made}
        self.all = MultiSymbolTradingOrchestrator(self.symbols, self.clock, self.latch, self.market, self.abroad, config)

    async def ruin(self, name: str) -> None:
        """Fails until nobody starts it again."""
        for _ in range(40):
            self.services[name][0].crash.set()
            await settled()
            if self.all.orchestrators[name].halt_reason:
                return
