"""A symbol in which nothing may be entered is paused with its services: by a person until resumed, by a breach until re-armed."""

from collections.abc import Mapping

from sptrader_desktop.core.account_commands import PAUSED
from sptrader_desktop.core.live_account import EVERY
from sptrader_desktop.runtime.live.parts import PauseReason
from sptrader_desktop.runtime.live.symbol_orchestrator import SymbolOrchestrator


class BarredPauses:
    def __init__(self) -> None:
        self._heeded: Mapping[str, str] = {}

    def heed(self, barred: Mapping[str, str], orchestrators: Mapping[str, SymbolOrchestrator]) -> None:
        """`barred` as the account tells it, by symbol or `EVERY`."""
        if barred == self._heeded:
            return
        self._heeded = dict(barred)
        for symbol, orchestrator in orchestrators.items():
            reasons = [barred[scope] for scope in (EVERY, symbol) if scope in barred]
            by_person = [why for why in reasons if why.startswith(PAUSED)]
            for reason, holds in ((PauseReason.PERSON, by_person), (PauseReason.RISK_BREACH, len(by_person) < len(reasons))):
                if holds:
                    orchestrator.pause(reason)
                else:
                    orchestrator.resume(reason)
