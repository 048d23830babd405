"""An account that trades with a paper broker on prices, without a wire between them: each is told of a price after the other."""

from dataclasses import replace
from decimal import Decimal
from math import nan
from typing import Any

import numpy as np

from sptrader_desktop.adapters.yaml_strategy import parse_strategy
from sptrader_desktop.core import facts
from sptrader_desktop.core.broker_messages import Close, Place, Request, Transaction, Welcome, What
from sptrader_desktop.core.candles import Candles, Prices
from sptrader_desktop.core.instruments import CATALOGUE
from sptrader_desktop.core.live_account import LiveAccount
from sptrader_desktop.core.live_book import Book, Hits
from sptrader_desktop.core.money import fixed
from sptrader_desktop.core.plan import make_plan
from sptrader_desktop.core.risk_tree import NodeLimits
from sptrader_desktop.core.terms import Commission, Terms
from sptrader_desktop.ports import LivePrice
from sptrader_desktop.runtime.live.engine import Engine
from sptrader_desktop.runtime.live.paper_prices import Frictions
from sptrader_desktop.runtime.live.paper_terms import PaperTerms, exits_of, open_broker
from sptrader_desktop.runtime.live.session import Session
from tests.simulated_disk import SimulatedDisk, SimulatedJournal

MONDAY = 1_709_553_600_000_000  # 2024-03-04 12:00 UTC
SECOND, MINUTE = 1_000_000, 60_000_000
SYMBOLS = ("EURUSD", "USDJPY")
TERMS = Terms(capital=Decimal(10_000), commission=Commission(per_lot=Decimal("3.5")), slippage_pips=Decimal("0.2"))
TEXT = """\
name: at_the_desk
version: "1"
dependencies: {{signals: [signals.up, signals.leave]}}
entry:
  - {{when: [{{signal: up}}], action: {side}, size: {{mode: units, value: {units}}}, scale_in: true, max_positions: 6{order}}}
exit:
  signal_exit: [{{when: [{{signal: leave}}], action: {leave}}}]
{exits}
"""


class Clock:
    at = MONDAY

    def now(self) -> int:
        return self.at

    def monotonic(self) -> float:
        return self.at / SECOND

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(f"nothing waits here ({seconds} s)")


class Desk:
    """`sent` is all that ever left. With `is_eager` the account is told of every price, else of those that it must be told of at once."""

    def __init__(
        self,
        *,
        holds_stops: bool = True,
        frictions: Frictions | None = None,
        is_eager: bool = True,
        side: str = "buy",
        units: int = 10_000,
        order: str = "",
        leave: str = "close_all",
        exits: str = "",
    ) -> None:
        text = TEXT.format(side=side, units=units, order=order, leave=leave, exits=exits)
        self.strategy = parse_strategy(text, "at_the_desk.yaml")
        none, self.clock, self.is_eager = np.zeros(0, np.int64), Clock(), is_eager
        empty = Prices(*[none] * 4)
        series = [Candles(CATALOGUE[name], "1m", MINUTE, none, empty, ask=empty) for name in SYMBOLS]
        self.plan = make_plan(self.strategy, TERMS, series, [])
        self.journal = SimulatedJournal(SimulatedDisk())
        self.engine = self._engine(self.new_account())
        items = tuple(replace(CATALOGUE[name], long_rate=Decimal(0), short_rate=Decimal(0)) for name in SYMBOLS)
        exits_there = exits_of(self.plan, SYMBOLS)
        terms = PaperTerms(
            "desk", TERMS, items, exits=exits_there, frictions=frictions or Frictions(stops_out=False), holds_stops=holds_stops
        )
        self.broker = open_broker(terms)
        self.meet(holds_stops=holds_stops)
        self.sent: list[Request] = []
        self.told: list[Transaction] = []
        self.bids: dict[str, tuple[int, int]] = {}

    def meet(self, *, holds_stops: bool) -> None:
        assert self.engine.meet(Welcome(self.account.name, "paper", "USD", self.account.booked, holds_stops)) == ""

    @property
    def account(self) -> LiveAccount:
        return self.engine.account

    def new_account(self) -> LiveAccount:
        return LiveAccount("desk", SYMBOLS, Book(self.plan, fixed(TERMS.capital), 1), latches=True)

    def _engine(self, account: LiveAccount) -> Engine:
        return Engine(Session(account, self.journal), self.strategy, self.clock, dict.fromkeys(SYMBOLS, (0, 0)))

    def recovered(self) -> LiveAccount:
        """What a restart comes to."""
        account = self.new_account()
        Session(account, self.journal).recover()
        return account

    # What happens

    def limit(self, *limits: NodeLimits) -> None:
        self.engine.limit(limits)
        self.send()

    def price(self, symbol: str, bid: int, width: int = 0, *, is_lost: bool = False) -> bool:
        """Whether the account was told of it at once. What it asks for then may be lost on its way."""
        self.clock.at += SECOND
        self.bids[symbol] = bid, bid + width
        self.hear(self.broker.price(symbol, self.clock.at, bid, bid + width))
        is_felt = self.engine.price(LivePrice(symbol, self.clock.at, bid, bid + width))
        if self.is_eager:
            self.engine.see_prices()
        self.send(is_lost=is_lost)
        return is_felt

    def act(self, symbol: str, *, enters: bool = False, leaves: bool = False) -> list[Place]:
        """What was sent to enter."""
        before = len(self.sent)
        self.engine.see_prices({symbol})
        hits = Hits(SYMBOLS.index(symbol), int(enters), int(leaves), (nan,))
        self.engine.session.take(facts.Acted(self.clock.at, hits, ()))
        self.send()
        return [request for request in self.sent[before:] if isinstance(request, Place)]

    def command(self, what: str, about: str = "", *, is_lost: bool = False) -> None:
        self.engine.command(what, about, "me")
        self.send(is_lost=is_lost)

    def send(self, *, is_lost: bool = False) -> None:
        for asked in self.engine.commit():
            self.sent.append(asked.request)
            self.hear([] if is_lost else self.broker.ask(asked.request, self.clock.at))

    def hear(self, told: list[Transaction]) -> None:
        self.told += told
        for transaction in told:
            self.engine.tell(transaction)

    # What is there

    def closes(self) -> list[Close]:
        return [request for request in self.sent if isinstance(request, Close)]

    def closed(self) -> list[tuple[int, str, int, int]]:
        """(position, reason, quantity, price)"""
        return [(done.position, done.reason, done.quantity, done.price) for done in self.told if done.what is What.CLOSED]

    def earned(self) -> dict[str, int]:
        """By the broker's own cash: what each symbol has added to it."""
        cash, found = fixed(TERMS.capital), dict.fromkeys(SYMBOLS, 0)
        for done in self.told:
            if done.cash != cash:
                found[done.symbol] += done.cash - cash
            cash = done.cash
        return found

    def gauge(self, scope: str, name: str) -> Any:
        return next(gauge for gauge in self.account.limits.gauges() if (gauge.scope, gauge.name) == (scope, name))
