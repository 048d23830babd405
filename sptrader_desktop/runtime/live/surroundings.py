"""What services may ask of the session around them: quotes and hours, the halt that holds, and who hears of trades."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from typing import Any, Protocol

import numpy as np

from sptrader_desktop.core.calendar import trading_day, weekday
from sptrader_desktop.core.instruments import Instrument
from sptrader_desktop.ports import FeedStatus
from sptrader_desktop.runtime.live.engine import Engine
from sptrader_desktop.runtime.live.spreads import Spread

SATURDAY = 5


class Quotes:
    """FX and metals trade from Sunday to Friday, 17:00 New York; what is financed every day always does."""

    def __init__(self, engine: Engine, instruments: Sequence[Instrument]) -> None:
        self._engine = engine
        self._always = {item.symbol for item in instruments if item.charged_every_day}

    def is_open(self, symbol: str, at: int) -> bool:
        return symbol in self._always or bool(weekday(trading_day(np.array([at], np.int64)))[0] < SATURDAY)

    def quoted_at(self, symbol: str) -> int | None:
        market = self._engine.markets.get(symbol)
        return None if market is None else market.at

    def spread(self, symbol: str) -> Spread | None:
        return self._engine.spreads.of(symbol)


class AccountLatch:
    """The halt that the supervision shuts; a limit that was reached bars entries in the account itself, and lets exits go."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def reason(self) -> str:
        return self._engine.account.halted

    def shut(self, reason: str) -> None:
        self._engine.command("halt", reason, "supervision")


class _Bus(Protocol):
    @property
    def status(self) -> FeedStatus: ...

    def publish(self, event: Mapping[str, Any]) -> None: ...


class ToldAbroad:
    def __init__(self, bus: _Bus) -> None:
        self._bus = bus

    @property
    def is_connected(self) -> bool:
        return self._bus.status.connected

    def publish(self, event: object) -> None:
        told = asdict(event) if is_dataclass(event) and not isinstance(event, type) else {"text": str(event)}
        self._bus.publish({"kind": str(getattr(event, "kind", "")), **told})
