"""Hands orders on, one after another and each at most once, unless something forbids it: what opens risk more easily than what ends it."""

import asyncio
from collections import deque

from sptrader_desktop.core.errors import SptraderError
from sptrader_desktop.runtime.live.clock import SECOND_US, Clock
from sptrader_desktop.runtime.live.event_bus import LocalEventBus
from sptrader_desktop.runtime.live.events import SignalGenerated, TradeExecuted, TradeFailed
from sptrader_desktop.runtime.live.parts import CloseOnly, Execute, Latch, Market, Order
from sptrader_desktop.runtime.live.service import Service, ServiceState
from sptrader_desktop.runtime.live.services_config import TradeExecution

UNKNOWN = "what became of it is not known: it is not sent again, and the broker's log will tell"


class TradeExecutionService(Service):
    """It holds no money and decides no size: risk is the session's, which made the order."""

    def __init__(
        self,
        symbol: str,
        bus: LocalEventBus,
        clock: Clock,
        config: TradeExecution,
        execute: Execute,
        market: Market,
        latch: Latch,
        close_only: CloseOnly,
    ) -> None:
        super().__init__(symbol, bus, clock)
        self._config, self._execute, self._market, self._latch, self._close_only = config, execute, market, latch, close_only
        self._waiting: deque[Order] = deque()
        self._came = asyncio.Event()
        self._is_sending, self._is_held = False, False

    def submit(self, order: Order) -> None:
        """Also from a person, who closes a position by hand."""
        if self.is_ending:
            self._tell_failed(order, f"trade execution is {'not started' if self.state is ServiceState.CREATED else self.state}")
            return
        self._worked()
        self._waiting.append(order)
        self._came.set()

    def take(self, event: SignalGenerated) -> None:
        for order in event.orders:
            self.submit(order)

    def restriction(self, order: Order) -> str:
        """The first thing that forbids it, or nothing."""
        if order.symbol != self.symbol:
            return f"it is of {order.symbol}, not of {self.symbol}"
        if self._latch.reason:
            return f"trading is halted: {self._latch.reason}"
        if not self._market.is_open(self.symbol, self._clock.now()):
            return "the market is closed"
        return self._entry_restriction() if order.opens else ""

    def _entry_restriction(self) -> str:
        if self.pauses:
            return f"the symbol is paused: {', '.join(sorted(self.pauses))}"
        if self._close_only.reason:
            return f"the symbol may only close: {self._close_only.reason}"
        if self._config.execution_mode == "observe":
            return "execution_mode is observe"
        return self._price_restriction()

    def _price_restriction(self) -> str:
        """What ends risk goes out at any price: waiting for a better one is risk, too."""
        quoted, config = self._market.quoted_at(self.symbol), self._config
        if quoted is None:
            return "there is no price yet"
        age = (self._clock.now() - quoted) / SECOND_US
        if config.max_price_age and age < 0:
            return "the last price is of a time to come: the clock was set back, and how old it is cannot be known"
        if 0 < config.max_price_age < age:
            return f"the last price is {age:.1f} s old, and max_price_age is {config.max_price_age:g} s"
        spread = self._market.spread(self.symbol) if config.max_spread_ratio else None
        if spread is not None and spread.now > config.max_spread_ratio * spread.usual:
            ratio = spread.now / spread.usual
            return (
                f"the spread is {ratio:.1f} times the usual one, {spread.usual} ticks, and max_spread_ratio is {config.max_spread_ratio:g}"
            )
        return ""

    async def _open(self) -> None:
        self._is_held = False
        self._listen(SignalGenerated, self.take)
        self._spawn(self._work())

    async def _work(self) -> None:
        while True:
            while self._waiting and not self._is_held:
                await self._hand_on(self._waiting.popleft())
            self._came.clear()
            await self._came.wait()

    async def _hand_on(self, order: Order) -> None:
        why = self.restriction(order)
        if why:
            self._tell_failed(order, why)
            return
        self._is_sending, is_known = True, False
        try:
            detail = await self._execute(order)
            is_known = True
        except SptraderError as error:
            is_known = True
            self._tell_failed(order, str(error))
        else:
            self._bus.publish(TradeExecuted(self.symbol, self._clock.now(), order.id, detail))
        finally:
            self._is_sending = False
            if not is_known:
                self._tell_failed(order, UNKNOWN)

    async def _drained(self) -> None:
        """The order under way may end. What waits was never handed on: after a recovery it is, if nothing forbids it then."""
        self._is_held = True
        while self._is_sending:
            await self._clock.sleep(0.05)

    def _dropped(self) -> None:
        while self._waiting:
            self._tell_failed(self._waiting.popleft(), "trade execution ended before it was handed on")

    def _tell_failed(self, order: Order, why: str) -> None:
        self._bus.publish(TradeFailed(self.symbol, self._clock.now(), order.id, why))
