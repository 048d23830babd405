"""What a live account keeps of what it has traded: the memory of a process after ever more signals, without any wire or disk."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from math import nan
from typing import Any

import psutil

from benchmarks.children import measured
from benchmarks.report import Line, Options
from sptrader_desktop.core import facts
from sptrader_desktop.core.broker_messages import Request
from sptrader_desktop.core.instruments import CATALOGUE
from sptrader_desktop.core.live_account import LiveAccount
from sptrader_desktop.core.live_book import BarOpen, Book, Hits
from sptrader_desktop.core.money import fixed
from sptrader_desktop.runtime.live.paper_terms import PaperTerms, exits_of, open_broker
from sptrader_desktop.runtime.live.replay import UnkeptJournal
from sptrader_desktop.runtime.live.session import Session
from tests.account_desk import MONDAY, SYMBOLS, TERMS, Desk

TITLE = "Memory of a live account: a signal, its outcome, its order, filled and closed, again and again"
SIGNALS, WARM = 40_000, 20_000
MOST_BYTES = 16.0  # a signal, once it has warmed up


def lines(_options: Options) -> Iterator[Line]:
    found = measured("memory", str(SIGNALS))
    for signals, size in found["sizes"]:
        yield Line(f"after {signals:,} signals, {found['orders'] * signals // SIGNALS:,} requests", f"{size / 1e6:.1f} MB")
    grown = found["grown"]
    yield Line(f"grown by, a signal, after the first {WARM:,}", f"{grown:.1f} bytes", "", "", f"{MOST_BYTES:g} bytes", grown < MOST_BYTES)


def child(arguments: list[str]) -> dict[str, Any]:
    (count,) = map(int, arguments)
    trader, process, sizes = Trader(), psutil.Process(), list[tuple[int, int]]()
    for number in range(1, count + 1):
        trader.signal(number)
        if number % (WARM // 2) == 0:
            sizes.append((number, process.memory_info().rss))
    warm = next(size for signals, size in sizes if signals >= WARM)
    return {"sizes": sizes, "orders": trader.asked, "grown": (sizes[-1][1] - warm) / max(1, count - WARM)}


class Trader:
    """One signal enters, the next leaves; a price comes between."""

    def __init__(self) -> None:
        desk = Desk(exits="  stop_loss: {type: pips, value: 50}")
        account = LiveAccount("desk", SYMBOLS, Book(desk.plan, fixed(TERMS.capital), 1), latches=True)
        self._session, self._at, self.asked = Session(account, UnkeptJournal()), MONDAY, 0
        items = tuple(replace(CATALOGUE[name], long_rate=Decimal(0), short_rate=Decimal(0)) for name in SYMBOLS)
        self._broker = open_broker(PaperTerms("desk", TERMS, items, exits=exits_of(desk.plan, SYMBOLS)))
        for s, price in enumerate((110_000, 150_000)):
            self._take(facts.BarsOpened(self._at, (BarOpen(s, self._at, price, price + 2, 0, 0),)))
            self._price(s, price)

    def signal(self, number: int) -> None:
        self._at += 1_000_000
        enters, name = number % 2, f"{number:032x}"
        self._take(facts.Acted(self._at, Hits(0, enters, 1 - enters, (nan,)), (name,)))
        self._take(facts.SignalJudged(self._at, name, f"{self._at}-0", "taken", "up", SYMBOLS[0]))
        self._commit()
        self._price(0, 110_000 + number % 7)

    def _price(self, s: int, bid: int) -> None:
        for done in self._broker.price(SYMBOLS[s], self._at, bid, bid + 2):
            self._take(facts.TransactionSeen(done))
        self._take(facts.PriceSeen(self._at, s, bid, bid + 2))
        self._commit()

    def _take(self, fact: facts.Fact) -> None:
        self._session.take(fact)

    def _commit(self) -> None:
        while asked := self._session.commit():
            self.asked += len(asked)
            for request in asked:
                self._ask(request)

    def _ask(self, request: Request) -> None:
        for done in self._broker.ask(request, self._at):
            self._take(facts.TransactionSeen(done))
