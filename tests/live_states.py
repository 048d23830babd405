"""A live session that says what a test wants on a real control socket, from a thread of its own: no account, no broker, any state."""

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from sptrader_desktop.adapters.core_control import CoreControl
from sptrader_desktop.guardian.places import live_places
from sptrader_desktop.runtime.live.command import Command

PRICES = {"EURUSD": ("1.08412", 5), "GBPUSD": ("1.26730", 5), "USDJPY": ("148.215", 3), "BTCUSD": ("64210.50", 2)}
SERVICES = ("DataFetchingService", "IndicatorCalculationService", "StrategyEvaluationService", "TradeExecutionService")
MINUTE = timedelta(minutes=1)


def iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def shown(value: float, places: int) -> str:
    return f"{value:.{places}f}"


class Market:
    """Walks of four symbols, the same for the same seed; `now` is when they are looked at."""

    def __init__(self, now: datetime, seed: int = 7, bars: int = 240) -> None:
        self.now, self.minute = now, now.replace(second=0, microsecond=0)
        random = np.random.default_rng(seed)
        self.bars: dict[str, list[list[str]]] = {}
        self.last: dict[str, float] = {}
        for symbol, (start, places) in PRICES.items():
            step = float(start) * 1.2e-4
            closes = float(start) + np.cumsum(random.normal(0, step, bars))
            opens = np.concatenate([[float(start)], closes[:-1]])
            highs = np.maximum(opens, closes) + random.exponential(step / 2, bars)
            lows = np.minimum(opens, closes) - random.exponential(step / 2, bars)
            self.last[symbol] = float(closes[-1])
            self.bars[symbol] = [
                [
                    iso(self.minute - (bars - place) * MINUTE),
                    *(shown(float(column[place]), places) for column in (opens, highs, lows, closes)),
                ]
                for place in range(bars)
            ]

    def price(self, symbol: str, off: float = 0.0) -> str:
        """The last one, or so many thousandths away from it."""
        return shown(self.last[symbol] * (1 + off / 1000), PRICES[symbol][1])

    def position(self, number: int, symbol: str, side: str, quantity: str, entry: float, profit: str, **changes: Any) -> dict[str, Any]:
        sign = 1 if side == "long" else -1
        return {
            "number": number,
            "symbol": symbol,
            "side": side,
            "quantity": quantity,
            "entry_price": self.price(symbol, entry),
            "entry_time": iso(self.now - (7 + 11 * number) * MINUTE),
            "price": self.price(symbol),
            "price_at": iso(self.now - timedelta(milliseconds=300)),
            "profit": profit,
            "stop": self.price(symbol, entry - 2 * sign),
            "trailing": None,
            "target": self.price(symbol, entry + 4 * sign),
            "is_stop_at_broker": True,
            "closing": None,
        } | changes

    def order(self, number: int, symbol: str, **changes: Any) -> dict[str, Any]:
        return {
            "id": f"paper-{4100 + number}",
            "symbol": symbol,
            "side": "buy",
            "kind": "market",
            "quantity": "0.2000",
            "filled": "0.2000",
            "level": None,
            "state": "filled",
            "asked_at": iso(self.now - (3 + 2 * number) * MINUTE),
            "reason": "entry 1",
        } | changes

    def health(self, symbol: str, **changes: Any) -> dict[str, Any]:
        services = [
            {
                "service_name": name,
                "symbol": symbol,
                "state": "running",
                "is_healthy": True,
                "error_count": 0,
                "uptime": 5_431,
                "restarts": 0,
                "last_error": "",
                "active_at": iso(self.now - timedelta(seconds=1 + 14 * place)),
            }
            for place, name in enumerate(SERVICES)
        ]
        told = {"symbol": symbol, "state": "running", "is_healthy": True, "healthy_services": 4, "total_services": 4, "services": services}
        return told | {"uptime": 5_431, "reason": ""} | changes

    def signal(self, number: int, symbol: str, **changes: Any) -> dict[str, Any]:
        return {
            "at": iso(self.now - timedelta(seconds=23 * number)),
            "id": f"s{number}",
            "name": "ma_crossover",
            "symbol": symbol,
            "type": "golden_cross" if number % 2 else "death_cross",
            "strength": round(0.5 + (number * 37 % 50) / 100, 2),
            "outcome": "taken",
            "why": "entry 1 ordered" if number % 2 else "an exit rule held",
        } | changes

    def equity(self, points: int = 1_500, until: float = 10_412.37) -> list[list[str]]:
        walk = np.cumsum(np.random.default_rng(11).normal(0.25, 6, points))
        walk += until - float(walk[-1])
        return [[iso(self.now - timedelta(seconds=points - place)), f"{walk[place]:.2f}"] for place in range(points)]

    def state(self, **changes: Any) -> dict[str, Any]:
        """Four symbols, six positions, long lists, all well."""
        symbols = list(PRICES)
        gauges = [
            gauge("daily loss", "money", "41.80", "312.37"),
            gauge("drawdown", "money", "118.04", "1053.04"),
            gauge("exposure", "money", "211840.22", "312371.10"),
            gauge("margin", "money", "7061.34", "10412.37"),
            gauge("positions", "count", "6", "8"),
        ]
        return {
            "is": "state",
            "at": iso(self.now),
            "mode": "paper",
            "state": "running",
            "reason": "",
            "account": {"name": "paper", "currency": "USD", "environment": "paper"},
            "strategy": {"name": "ma_crossover", "version": "1.2.0", "file": "ma_crossover.yaml"},
            "timeframe": "1m",
            "symbols": symbols,
            "portfolio": {
                "cash": "10268.15",
                "total_value": "10412.37",
                "positions": 6,
                "daily_pnl": "-41.80",
                "total_pnl": "412.37",
                "max_drawdown": "3.4100",
            },
            "risk": gauges,
            "barred": {},
            "latched": {},
            "foreign_orders": [],
            "positions": [
                self.position(11, "EURUSD", "long", "40000", -0.8, "34.70", trailing=self.price("EURUSD", -1.5)),
                self.position(12, "EURUSD", "short", "20000", 0.4, "8.66"),
                self.position(13, "GBPUSD", "short", "30000", -0.6, "-22.81"),
                self.position(14, "USDJPY", "long", "25000", -1.1, "27.50"),
                self.position(15, "BTCUSD", "long", "0.5000", -2.1, "67.42"),
                self.position(16, "BTCUSD", "long", "0.2500", -1.8, "28.75", closing="signal_exit"),
            ],
            "orders": [
                *(self.order(number, symbols[number % 4]) for number in range(40, 3, -1)),
                self.order(3, "USDJPY", side="sell", state="rejected", filled="0", reason="the market is closed"),
                self.order(2, "GBPUSD", kind="limit", quantity="30000", filled="0", level=self.price("GBPUSD", -1.4), state="open"),
                self.order(1, "BTCUSD", side="close", quantity="0.2500", filled="0.1000", state="partially_filled", reason="signal_exit"),
            ],
            "services": [self.health(symbol) for symbol in symbols],
            "connections": [
                {"name": name, "state": "up", "since": iso(self.now), "why": ""} for name in ("Redis", "guardian", "broker", "journal")
            ],
            "prices": [
                {"symbol": each, "bid": self.price(each), "ask": self.price(each, 0.02), "at": iso(self.now - timedelta(milliseconds=400))}
                for each in symbols
            ],
            "bars": [bar_told(each, self.bars[each][-1]) for each in symbols],
            "forming": [
                bar_told(each, [iso(self.minute), self.bars[each][-1][4], self.price(each, 0.15), self.price(each, -0.1), self.price(each)])
                for each in symbols
            ],
            "gate": "open",
            "gate_why": "",
            "alarms": [],
            "plug": {
                "loss_if_unplugged": "318.20",
                "protected_loss": "318.20",
                "unprotected": [],
                "working_orders": 2,
                "currency": "USD",
            },
        } | changes


def gauge(name: str, unit: str, used: str, limit: str | None, **changes: Any) -> dict[str, Any]:
    left = None if limit is None else f"{max(0.0, float(limit) - float(used)):.{2 if unit == 'money' else 0}f}"
    return {"name": name, "unit": unit, "used": used, "limit": limit, "headroom": left, "latched": False} | changes


def bar_told(symbol: str, row: list[str]) -> dict[str, str]:
    return {"symbol": symbol, **dict(zip(("at", "open", "high", "low", "close"), row, strict=True))}


class ScriptedSession:
    """`state` is told whenever it changes; its time goes on by itself unless it `is_frozen`, and prices stay as they are."""

    def __init__(self, folder: Path, market: Market) -> None:
        self.market = market
        self.told = market.state()
        self.signals = [market.signal(number, list(PRICES)[number % 4]) for number in range(180, 0, -1)]
        self.equity = market.equity()
        self.obeyed: list[Command] = []
        self.is_frozen = False
        self.stale: set[str] = set()  # symbols of which no price comes any more
        self._loop = asyncio.new_event_loop()
        self._working: list[Future[None]] = []
        self._control = CoreControl(live_places(folder), self._state, self._feeds, self._obey, self._bars)
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._control.open(), self._loop).result(10)

    def say(self, **changes: Any) -> None:
        self._loop.call_soon_threadsafe(lambda: self.told.update(changes))

    def event(self, kind: str, text: str, **figures: Any) -> None:
        """From any thread."""
        told = {"is": "event", "at": iso(datetime.now(UTC)), "kind": kind, "text": text, **figures}
        self._loop.call_soon_threadsafe(self._control.event, told)

    def repeat(self, seconds: float, work: Callable[[int], object]) -> None:
        """On the session's own loop, as often, until it ends."""

        async def go_on() -> None:
            number = 0
            while True:
                work(number)
                number += 1
                await asyncio.sleep(seconds)

        self._working.append(asyncio.run_coroutine_threadsafe(go_on(), self._loop))

    def close(self) -> None:
        """In good order; without a last word where it is to look like death."""
        for work in self._working:
            work.cancel()
        asyncio.run_coroutine_threadsafe(self._control.close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _state(self) -> Mapping[str, Any]:
        if self.is_frozen:
            return self.told
        now = datetime.now(UTC)
        second = iso(now.replace(microsecond=0))
        prices = [{**price, "at": price["at"] if price["symbol"] in self.stale else second} for price in self.told["prices"]]
        positions = [{**row, "price_at": row["price_at"] if row["symbol"] in self.stale else second} for row in self.told["positions"]]
        return self.told | {"at": iso(now), "seconds": second, "prices": prices, "positions": positions}

    def _feeds(self) -> Iterable[tuple[str, object, Callable[[], list[Any]]]]:
        yield "signals", self.signals[-1]["id"] if self.signals else None, lambda: self.signals
        yield "equity", len(self.equity), lambda: self.equity

    def _bars(self, symbol: str) -> Mapping[str, Any]:
        return {"is": "bars", "symbol": symbol, "rows": self.market.bars[symbol]}

    async def _obey(self, command: Command) -> None:
        self.obeyed.append(command)


@contextmanager
def scripted_session(folder: Path) -> Iterator[ScriptedSession]:
    made = ScriptedSession(folder, Market(datetime.now(UTC)))
    try:
        yield made
    finally:
        made.close()
