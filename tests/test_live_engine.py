"""The engine without any wire: what is decided, what is not, and why."""

from dataclasses import dataclass
from math import isnan
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sptrader_desktop.core.atr import wilder_atr
from sptrader_desktop.core.broker_messages import Close, Place, Transaction, Welcome, What
from sptrader_desktop.core.candles import Candles, Prices
from sptrader_desktop.core.facts import Decided, TransactionSeen
from sptrader_desktop.core.instruments import CATALOGUE
from sptrader_desktop.core.live_account import LiveAccount
from sptrader_desktop.core.live_book import Book
from sptrader_desktop.core.money import fixed
from sptrader_desktop.core.plan import make_plan
from sptrader_desktop.core.terms import Terms
from sptrader_desktop.ports import LivePrice
from sptrader_desktop.runtime.live.bars_from_prices import Bar, Four
from sptrader_desktop.runtime.live.core import LiveCore
from sptrader_desktop.runtime.live.engine import TAKEN, Engine
from sptrader_desktop.runtime.live.event_bus import LocalEventBus
from sptrader_desktop.runtime.live.events import NewCandle
from sptrader_desktop.runtime.live.fact_text import read_fact
from sptrader_desktop.runtime.live.parts import EvaluatedSet, Signal
from sptrader_desktop.runtime.live.session import Session
from sptrader_desktop.runtime.live.surroundings import Quotes
from sptrader_desktop.runtime.live.symbol_bars import SymbolBars
from tests.simulated_disk import SimulatedDisk, SimulatedJournal
from tests.small_runs import TEXT, strategy

MINUTE = 60_000_000
NOON = 1_709_553_600_000_000  # a Monday
EURUSD = CATALOGUE["EURUSD"]


@dataclass
class HandClock:
    at: int = NOON

    def now(self) -> int:
        return self.at

    def monotonic(self) -> float:
        return self.at / 1e6

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(f"nothing waits here ({seconds} s)")


class FillingUp(SimulatedJournal):
    """A disk that is full from the moment the test says so."""

    is_filled = False

    @property
    def is_full(self) -> bool:
        return self.is_filled


def new_account(text: str = TEXT) -> LiveAccount:
    none = np.zeros(0, np.int64)
    unborn = Candles(CATALOGUE["EURUSD"], "1m", MINUTE, none, Prices(*[none] * 4), ask=Prices(*[none] * 4))
    plan, terms = make_plan(strategy(text), Terms(), [unborn], []), Terms()
    return LiveAccount("test", ["EURUSD"], Book(plan, fixed(terms.capital), 1), latches=True)


class Live:
    def __init__(self, text: str = TEXT) -> None:
        self.journal, self.clock = FillingUp(SimulatedDisk()), HandClock()
        self.engine = Engine(Session(new_account(text), self.journal), strategy(text), self.clock, {"EURUSD": (0, 0)})

    def price(self, bid: int = 110_000) -> None:
        self.clock.at += 1_000_000
        self.engine.price(LivePrice("EURUSD", self.clock.at, bid, bid + 10))

    def bar(self, opens: int) -> None:
        four = Four(110_000, 110_010, 109_990, 110_000)
        self.engine.candle(Bar("EURUSD", "1m", opens, opens + MINUTE, four, four, 1.0))

    def say(self, kind: str, bar_time: int | None = None, shut: str = "") -> str:
        signal = Signal(f"{kind} {self.clock.at}", "cross", "EURUSD", None, bar_time, kind, 1.0, self.clock.at + MINUTE)
        heard = {"cross": (signal,), "filter": ()}
        return self.engine.decide(EvaluatedSet("EURUSD", bar_time, heard, frozenset(), is_close_only=False), shut)

    def told(self, what: What, about: str, **figures: Any) -> None:
        account = self.engine.account
        self.engine.tell(Transaction(account.booked + 1, what, about, NOON, "EURUSD", cash=int(account.book.account["cash"][0]), **figures))

    def enter(self) -> None:
        assert self.say("up") == TAKEN
        (asked,) = self.engine.commit()
        assert isinstance(asked.request, Place)
        self.told(What.ACCEPTED, asked.id)
        self.told(What.FILLED, asked.id, position=7, side=1, quantity=asked.request.quantity, price=110_010)


def test_without_a_price_nothing_is_decided_and_it_is_said() -> None:
    live = Live()
    assert live.say("up") == "EURUSD has no price yet"
    live.price()
    assert live.say("up") == TAKEN
    assert [type(asked.request) for asked in live.engine.commit()] == [Place]


def test_begun_anew_it_asks_a_broker_by_ids_that_this_has_never_seen() -> None:
    """A broker does nothing twice by the same id: what is to be closed would stay open."""
    before, anew = Live(), Live()
    before.engine.meet(Welcome("test", "paper", "USD", 0))
    before.price()
    before.enter()
    before.engine.commit()
    facts = [read_fact(entry.kind, entry.body) for entry in before.journal.read()]
    known = [fact.transaction for fact in facts if isinstance(fact, TransactionSeen)]
    assert {done.id for done in known} == {"test-1"}
    anew.engine.meet(Welcome("test", "paper", "USD", len(known)))
    for done in known:
        anew.engine.tell(done)
    anew.engine.command("flatten", "", "a person")
    (asked,) = anew.engine.commit()
    assert isinstance(asked.request, Close)
    assert asked.id not in {done.id for done in known}
    anew.engine.meet(Welcome("test", "paper", "USD", len(known), holds_stops=False))
    assert anew.engine.account.ids.gave(asked.id)
    recovered = Session(new_account(), anew.journal)
    recovered.recover()
    assert recovered.account.ids.gave(asked.id)


def test_spreads_are_those_of_quotes_and_mids_have_none() -> None:
    live = Live()
    market = Quotes(live.engine, [EURUSD])
    for _ in range(30):
        live.clock.at += 1_000_000
        live.engine.price(LivePrice("EURUSD", live.clock.at, 110_000, None))
    assert market.spread("EURUSD") is None
    for _ in range(20):
        live.price()
    assert market.spread("EURUSD") == (10, 10)
    assert market.quoted_at("EURUSD") == live.clock.at


def test_a_bar_is_decided_once_and_never_by_what_was_said_of_another() -> None:
    live = Live()
    live.bar(NOON)
    assert live.say("up", NOON - MINUTE) == "its bar is decided already"
    assert live.say("up", NOON) == TAKEN
    assert live.say("up", NOON) == "its bar is decided already"
    live.bar(NOON + MINUTE)
    live.bar(NOON + 2 * MINUTE)
    assert live.say("up", NOON + MINUTE) == "its bar is decided already"
    assert len(live.engine.commit()) == 1


@pytest.mark.parametrize("is_full", [False, True])
def test_on_a_full_disk_nothing_is_opened_and_what_is_open_is_closed(is_full: bool) -> None:
    live = Live()
    live.price()
    live.enter()
    live.journal.is_filled = is_full
    live.say("out")
    (asked,) = live.engine.commit()
    assert isinstance(asked.request, Close)
    live.told(What.ACCEPTED, asked.id)
    live.told(What.CLOSED, asked.id, position=7, side=-1, quantity=asked.request.quantity, price=110_010, reason="signal_exit")
    live.price()
    outcome = live.say("up")
    assert outcome == ("nothing is opened: the disk is full, and only what lessens risk is written" if is_full else TAKEN)
    assert [type(asked.request) for asked in live.engine.commit()] == ([] if is_full else [Place])


def test_what_became_of_a_signal_is_what_its_rules_came_to() -> None:
    live = Live()
    live.price()
    live.enter()
    live.engine.command("pause", "", "me")
    assert live.say("up") == "nothing is opened: paused by me"
    assert live.say("out") == TAKEN
    live.engine.command("resume", "", "me")
    assert live.say("up", shut="nobody answers") == "nothing is opened: nobody answers"
    assert live.say("nothing that a rule names", shut="nobody answers") == TAKEN


@settings(max_examples=25)
@given(st.lists(st.sampled_from(("in time", "late", "after others", "again")), max_size=15), st.integers(0, 99))
def test_averages_know_every_bar_that_is_held_whoever_told_of_it(told: list[str], seed: int) -> None:
    live = Live(TEXT.replace("{type: pips, value: 30}", "{type: atr, value: 2, period: 5}"))
    bus, held = LocalEventBus(), SymbolBars(EURUSD, "1m")
    nobody, chance = cast(Any, SimpleNamespace()), Random(seed)
    symbols: Any = {"EURUSD": SimpleNamespace(bus=bus, bars=held)}
    LiveCore(live.engine, nobody, nobody, nobody, live.clock).attach(symbols, nobody)

    def bar() -> Bar:
        opens, close = NOON + len(held) * MINUTE, chance.randint(109_000, 111_000)
        high, low = close + chance.randint(0, 90), close - chance.randint(0, 90)
        held.append(Bar("EURUSD", "1m", opens, opens + MINUTE, Four(close, high, low, close), None, 1.0, "mid"))
        assert held.last is not None
        return held.last

    found = bar()
    bus.publish(NewCandle("EURUSD", NOON, found, is_late=False))
    for how in [*told, "in time"]:
        if how == "after others":  # a session began, or its services did: of the past only the last bar is told
            for _ in range(chance.randint(1, 12)):
                bar()
        found = found if how == "again" else bar()
        bus.publish(NewCandle("EURUSD", NOON, found, is_late=how != "in time"))
    live.say("up", found.opens)
    live.engine.commit()
    *_, decided = [fact for entry in live.journal.read() if isinstance(fact := read_fact(entry.kind, entry.body), Decided)]
    prices, at = held.candles().prices, decided.hits[0].atr[0]
    wanted = wilder_atr(prices.high, prices.low, prices.close, 5)[-1]
    assert at == wanted or (isnan(at) and isnan(wanted))
