"""The paper broker on prices: its books come out to the last unit, what it may refuse it refuses, and what it forgets it gets back."""

import json
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sptrader_desktop.core.broker_messages import Cancel, Close, Place, Protect, Request, Transaction, What
from sptrader_desktop.core.candles import Prices
from sptrader_desktop.core.instruments import CATALOGUE
from sptrader_desktop.core.live_book import BarOpen, BarRange, Book
from sptrader_desktop.core.money import FRACTION_ONE, MONEY_ONE, round_ratio
from sptrader_desktop.core.records import PARTIAL
from sptrader_desktop.core.simulation import Job
from sptrader_desktop.core.tables import DISTANCE, Plan
from sptrader_desktop.core.terms import Commission, Terms
from sptrader_desktop.runtime.live.paper_prices import Frictions, Market, PricedBroker
from sptrader_desktop.runtime.live.paper_state import put_back, snapshot_of, state_of
from sptrader_desktop.runtime.live.paper_terms import PaperTerms, SymbolExits, open_broker
from sptrader_desktop.runtime.live.replay import Replay
from tests.markets import Case, random_case
from tests.parity import first_unlike, job_of

MONDAY = 1_709_553_600_000_000  # 2024-03-04 12:00 UTC
SECOND, HOUR = 1_000_000, 3_600_000_000
EURUSD = replace(CATALOGUE["EURUSD"], long_rate=Decimal("-0.02"), short_rate=Decimal("0.01"))
USDJPY = replace(CATALOGUE["USDJPY"], long_rate=Decimal("0.03"), short_rate=Decimal("-0.04"))
STOPS = SymbolExits(DISTANCE, 300, DISTANCE, 500)
TERMS = Terms(commission=Commission(per_lot=Decimal("3.5")), slippage_pips=Decimal("0.2"), spread_pips=Decimal("0.8"))
ASKED = PaperTerms("paper", TERMS, (EURUSD, USDJPY), exits={"EURUSD": STOPS})


def place(name: str, symbol: str = "EURUSD", side: int = 1, quantity: int = 1000, kind: str = "market", level: int = -1) -> Place:
    return Place(name, symbol, 0, side, kind, quantity, level, -1, 300, 500)


def broker_with(frictions: Frictions | None = None, **changes: Any) -> PricedBroker:
    return open_broker(replace(ASKED, frictions=frictions or Frictions(), **changes))


def whats(told: list[Transaction]) -> list[str]:
    return [item.what.value for item in told]


# Against candles


class OpensOnly(PricedBroker):
    """Of each bar it is told the price at its open, and nothing else."""

    def __init__(self, job: Job, case: Case, frictions: Frictions) -> None:
        (candles,) = case.candles
        shifts = job.plan.symbols[0]
        self.is_mid, spread = candles.side == "mid", int(shifts["ask_shift"] - shifts["bid_shift"])
        own = Plan(*(table.copy() for table in job.plan))
        super().__init__(
            (candles.symbol,), Book(own, job.capital, 1), [Market(spread, candles.instrument.charged_every_day, True)], frictions
        )

    def open_bars(self, bars: Sequence[BarOpen]) -> list[Transaction]:
        (bar,), (market,) = bars, self.markets
        return self.price(self.symbols[0], bar.at, bar.raw, None if self.is_mid else bar.ask + market.spread)

    def close_bars(self, bars: Sequence[BarRange], *, fills_at_close: bool) -> list[Transaction]:  # noqa: ARG002  # it sees no ranges
        return []


def replay_of(case: Case, frictions: Frictions) -> Replay:
    job = job_of(case)
    made = Replay(job, (case.candles[0].symbol,))
    made.broker = OpensOnly(job, case, frictions)
    return made


def flat_case(seed: int) -> Case | None:
    """One symbol whose bars are one price each, and orders that never expire; nothing where the seed makes something else."""
    case = random_case(seed)
    if len(case.candles) != 1 or case.candles[0].side == "ask":
        return None
    (candles,) = case.candles
    terms = replace(case.terms, fill="next_open", currency=candles.instrument.quote)
    opens, asks = candles.prices.open, None if candles.ask is None else candles.ask.open
    flat = replace(candles, prices=Prices(*[opens] * 4), ask=None if asks is None else Prices(*[asks] * 4))
    entries = tuple(replace(entry, order=replace(entry.order, expiry=None)) for entry in case.strategy.entries)
    return replace(case, candles=(flat,), rates=(), finer={}, terms=terms, strategy=replace(case.strategy, entries=entries))


def flat_cases(seeds: int) -> list[Case]:
    return [case for seed in range(seeds) if (case := flat_case(seed)) is not None]


def test_a_broker_on_prices_does_what_one_on_candles_does_where_there_is_one_price_in_a_bar() -> None:
    cases = flat_cases(40)
    kinds = {entry.order.kind for case in cases for entry in case.strategy.entries}
    assert kinds == {"market", "limit", "stop"}
    trades = parts = 0
    for case in cases:
        theirs = Replay(job_of(case), (case.candles[0].symbol,)).run()
        ours = replay_of(case, Frictions(stops_out=False)).run()
        assert first_unlike(ours, theirs) is None, case.seed
        trades += len(ours.trades)
        parts += int((ours.trades["reason"] == PARTIAL).sum())
    assert trades > 100
    assert parts >= 10


def test_an_account_follows_a_broker_that_fills_in_parts_late_and_not_always() -> None:
    parts = 0
    for case in flat_cases(40):
        frictions = Frictions(case.seed, 90 * 60 * SECOND, FRACTION_ONE // 2, FRACTION_ONE // 10, FRACTION_ONE // 5)
        run = replay_of(case, frictions)
        outcome = run.run()
        orders = [int(row["order"]) for row in outcome.fills if row["order"] >= 0]
        parts += len(orders) - len(set(orders))
        assert run.account.lives.unknown() == [], case.seed
        assert not [name for name, _ in run.account.lives.going()], case.seed
        assert outcome.final_cash == int(run.broker.book.account["cash"][0])
    assert parts > 20


# Its books


class Books:
    """Kept from transactions and prices alone, in plain integers: what the broker says must come to what it holds."""

    def __init__(self) -> None:
        self.cash = 10_000 * MONEY_ONE
        self.bid: dict[str, int] = {}
        self.ask: dict[str, int] = {}
        self.last: dict[str, int] = {}
        self.held: dict[int, list[Any]] = {}  # symbol, side, quantity, price
        self.asked: dict[str, int] = {}
        self.filled: dict[str, int] = {}
        self.n = 0

    def take(self, told: list[Transaction]) -> None:
        for item in told:
            assert item.n == self.n + 1
            self.n = item.n
            self.cash += item.amount - item.commission
            if item.what is What.FILLED:
                assert item.position not in self.held
                self.held[item.position] = [item.symbol, item.side, item.quantity, item.price]
                self.filled[item.id] = self.filled.get(item.id, 0) + item.quantity
            if item.what is What.CLOSED:
                symbol, side, quantity, price = self.held[item.position]
                assert (item.side, item.symbol) == (-side, symbol)
                self.cash += self.profit(symbol, side, item.quantity, price, item.price, item.price)
                self.held[item.position][2] = quantity - item.quantity
                assert self.held[item.position][2] >= 0
                if not self.held[item.position][2]:
                    del self.held[item.position]
            assert item.cash == self.cash

    @staticmethod
    def profit(symbol: str, side: int, quantity: int, entry: int, price: int, rate: int) -> int:
        if symbol == "EURUSD":
            return side * (price - entry) * quantity * EURUSD.unit_value
        return round_ratio(side * (price - entry) * quantity * USDJPY.unit_value * USDJPY.ticks_per_one, rate)

    def equity(self) -> int:
        open_profit = 0
        for symbol, side, quantity, entry in self.held.values():
            price = self.bid[symbol] if side == 1 else self.ask[symbol]
            open_profit += self.profit(symbol, side, quantity, entry, price, self.last[symbol])
        return self.cash + open_profit


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("price"), st.sampled_from(["EURUSD", "USDJPY"]), st.integers(-400, 400), st.none() | st.integers(0, 30)),
        st.tuples(st.just("price"), st.sampled_from(["EURUSD", "USDJPY"]), st.integers(-400, 400), st.none() | st.integers(0, 30)),
        st.tuples(st.just("wait"), st.integers(1, 40 * 3600)),
        st.tuples(
            st.just("place"),
            st.sampled_from(["EURUSD", "USDJPY"]),
            st.sampled_from([1, -1]),
            st.sampled_from(["market", "limit", "stop"]),
            st.integers(1, 200_000),
            st.integers(-300, 300),
        ),
        st.tuples(st.just("close"), st.integers(0, 6), st.integers(1, 200_000)),
        st.tuples(st.just("cancel"), st.integers(1, 20)),
        st.tuples(st.just("protect"), st.integers(0, 6), st.integers(-200, 200)),
    ),
    max_size=60,
)
START = {"EURUSD": 110_000, "USDJPY": 150_000}


class Life:
    """A broker, what it was asked, and the books; one after the other by `step`."""

    def __init__(self, broker: PricedBroker) -> None:
        self.broker, self.books, self.now, self.asked = broker, Books(), MONDAY, 0
        self.prices = dict(START)
        self.told: list[Transaction] = []

    def step(self, kind: str, *figures: Any) -> None:
        told = self.price(*figures) if kind == "price" else []
        if kind == "wait":
            self.now += figures[0] * SECOND
        elif kind != "price":
            self.asked += 1
            request = self.request(kind, *figures)
            told = self.broker.ask(request, self.now)
            if isinstance(request, Place) and told[0].what is What.ACCEPTED:
                self.books.asked[request.id] = request.quantity
        self.told += told
        self.books.take(told)

    def price(self, symbol: str, move: int, width: int | None) -> list[Transaction]:
        self.now += SECOND
        self.prices[symbol] += move
        raw = self.prices[symbol]
        bid, ask = (raw - 4, raw + 4) if width is None else (raw, raw + width)
        self.books.bid[symbol], self.books.ask[symbol], self.books.last[symbol] = bid, ask, raw
        return self.broker.price(symbol, self.now, raw, None if width is None else ask)

    def request(self, kind: str, *figures: Any) -> Request:
        name = f"t-{self.asked}"
        if kind == "place":
            symbol, side, order, quantity, offset = figures
            level = -1 if order == "market" else self.prices[symbol] + offset
            return Place(name, symbol, 0, side, order, quantity, level, -1, 300, 500)
        if kind == "close":
            return Close(name, figures[0], figures[1], "signal_exit", False)
        if kind == "cancel":
            return Cancel(name, f"t-{figures[0]}")
        return Protect(name, figures[0], START["EURUSD"] + figures[1])


FRICTIONS = st.builds(
    Frictions,
    seed=st.integers(0, 99),
    latency_us=st.sampled_from([0, 0, 1_500_000]),
    partial=st.sampled_from([0, FRACTION_ONE // 2, FRACTION_ONE]),
    least=st.sampled_from([0, FRACTION_ONE // 4]),
    reject=st.sampled_from([0, FRACTION_ONE // 5]),
)


@settings(max_examples=80)
@given(FRICTIONS, STEPS)
def test_the_books_balance_to_the_last_unit_after_every_step(frictions: Frictions, steps: list[Any]) -> None:
    life = Life(broker_with(frictions))
    for step in steps:
        life.step(*step)
        shown, books = snapshot_of(life.broker, "s"), life.books
        assert (shown.n, shown.cash) == (books.n, books.cash)
        held = {item.position: [item.symbol, item.side, item.quantity, item.price] for item in shown.positions}
        assert held == books.held
        left = {order.id: order.quantity for order in shown.orders}
        cancelled = {item.id for item in life.told if item.what is What.CANCELLED}
        for name, asked in books.asked.items():
            assert books.filled.get(name, 0) + left.get(name, 0) == asked or (name in cancelled and name not in left)
        if step[0] == "price":
            assert int(life.broker.book.account["equity"][0]) == books.equity()


@settings(max_examples=40)
@given(FRICTIONS, STEPS, st.data())
def test_what_is_put_back_lives_on_as_if_nothing_had_happened(frictions: Frictions, steps: list[Any], data: st.DataObject) -> None:
    stays, goes = Life(broker_with(frictions)), Life(broker_with(frictions))
    death = data.draw(st.integers(0, len(steps)))
    for number, step in enumerate(steps):
        if number == death:
            kept = json.dumps(state_of(goes.broker))
            goes.broker = broker_with(frictions)
            put_back(goes.broker, json.loads(kept))
            assert json.dumps(state_of(goes.broker)) == kept
        stays.step(*step)
        goes.step(*step)
    assert goes.told == stays.told
    assert state_of(goes.broker) == state_of(stays.broker)


# What it does


def test_an_order_fills_at_the_first_price_after_it_came_and_its_latency() -> None:
    broker = broker_with(Frictions(latency_us=2 * SECOND))
    broker.price("EURUSD", MONDAY, 110_000)
    assert whats(broker.ask(place("a"), MONDAY + SECOND)) == ["accepted"]
    assert broker.price("EURUSD", MONDAY + 3 * SECOND - 1, 110_000) == []
    filled, protected = broker.price("EURUSD", MONDAY + 3 * SECOND, 110_100)
    assert (filled.what, filled.id, filled.price) == (What.FILLED, "a", 110_100 + 4 + 2)  # half the spread, and the slippage
    assert (protected.stop, protected.target) == (110_106 - 300, 110_106 + 500)


def test_an_order_that_came_by_a_clock_behind_the_prices_waits_for_none_of_them() -> None:
    broker = broker_with()
    broker.price("EURUSD", MONDAY + 9 * SECOND, 110_000)
    broker.price("USDJPY", MONDAY, 150_000)
    broker.ask(place("a", "USDJPY"), MONDAY)
    assert whats(broker.price("USDJPY", MONDAY + SECOND, 150_000)) == ["filled", "protected"]


def test_a_stop_that_the_price_jumped_over_is_left_at_the_price() -> None:
    broker = broker_with()
    broker.price("EURUSD", MONDAY, 110_000, 110_000)
    broker.ask(place("a"), MONDAY)
    broker.price("EURUSD", MONDAY + SECOND, 110_000, 110_000)
    assert broker.price("EURUSD", MONDAY + 2 * SECOND, 109_703, 109_703) == []
    (closed,) = broker.price("EURUSD", MONDAY + 3 * SECOND, 109_000, 109_000)
    assert (closed.what, closed.reason, closed.price, closed.id) == (What.CLOSED, "stop_loss", 108_998, "")


def test_a_raised_trailing_level_acts_at_the_next_price() -> None:
    broker = broker_with()
    broker.price("EURUSD", MONDAY, 110_000, 110_000)
    broker.ask(place("a"), MONDAY)
    broker.price("EURUSD", MONDAY + SECOND, 110_000, 110_000)
    assert whats(broker.ask(Protect("b", 0, 109_950), MONDAY + SECOND)) == ["protected"]
    (closed,) = broker.price("EURUSD", MONDAY + 2 * SECOND, 109_940, 109_940)
    assert (closed.reason, closed.price) == ("trailing_stop", 109_938)


def test_orders_with_a_level_wait_for_a_price_that_passes_it() -> None:
    broker = broker_with()
    broker.price("EURUSD", MONDAY, 110_000, 110_010)
    for name, kind, level in (("limit", "limit", 109_900), ("stop", "stop", 110_200)):
        broker.ask(place(name, kind=kind, level=level), MONDAY)
    assert broker.price("EURUSD", MONDAY + SECOND, 109_900, 109_901) == []
    assert broker.price("EURUSD", MONDAY + 2 * SECOND, 109_880, 109_890)[0].price == 109_890
    assert broker.price("EURUSD", MONDAY + 3 * SECOND, 110_190, 110_205)[0].price == 110_207


@pytest.mark.parametrize(("hours", "days"), [(24, 1), (48, 2), (72, 5), (7 * 24, 7)])
def test_financing_is_charged_at_each_roll_that_was_passed(hours: int, days: int) -> None:
    broker = broker_with(exits={})
    broker.price("EURUSD", MONDAY, 110_000, 110_000)
    broker.ask(place("a", quantity=100_000), MONDAY)
    broker.price("EURUSD", MONDAY + SECOND, 110_000, 110_000)
    told = broker.price("EURUSD", MONDAY + hours * HOUR, 120_000, 120_000)
    worth = 110_000 * 100_000 * EURUSD.unit_value
    assert [(item.what, item.amount) for item in told] == [(What.FINANCED, round_ratio(worth * -2 * days, 100 * 365))]


def test_an_account_at_half_its_margin_loses_its_largest_loser_first() -> None:
    broker = broker_with(exits={})
    for symbol, price in START.items():
        broker.price(symbol, MONDAY, price, price)
    broker.ask(place("small", quantity=10_000), MONDAY)
    broker.ask(place("large", "USDJPY", quantity=190_000), MONDAY)
    told = [*broker.price("EURUSD", MONDAY + SECOND, 110_000, 110_000), *broker.price("USDJPY", MONDAY + SECOND, 150_000, 150_000)]
    assert whats(told).count("filled") == 2
    assert broker.price("USDJPY", MONDAY + 2 * SECOND, 144_500, 144_500) == []  # found here, done at the next one
    assert broker.price("EURUSD", MONDAY + 3 * SECOND, 110_000, 110_000) == []
    (closed,) = broker.price("USDJPY", MONDAY + 4 * SECOND, 144_500, 144_500)
    assert (closed.reason, closed.symbol, closed.quantity) == ("stop_out", "USDJPY", 190_000)
    assert [item.symbol for item in snapshot_of(broker, "s").positions] == ["EURUSD"]


def test_what_cannot_be_done_is_refused_with_its_reason() -> None:
    broker = broker_with()
    why: list[str] = []

    def refused(request: Request, at: int) -> None:
        (told,) = broker.ask(request, at)
        assert told.what is What.REJECTED
        why.append(told.reason)

    refused(place("a"), MONDAY)
    broker.price("EURUSD", MONDAY, 110_000)
    refused(place("b", "GBPUSD"), MONDAY)
    refused(place("c", quantity=2**50), MONDAY)
    refused(Close("d", 3, 1, "signal_exit", False), MONDAY)
    refused(Protect("e", 3, 1), MONDAY)
    refused(place("f"), MONDAY + 5 * 24 * HOUR)
    assert why == ["no price yet", "unknown symbol", "too large", "there is no such position", "there is no such position", "market closed"]


def test_impossible_and_late_prices_do_nothing() -> None:
    broker = broker_with()
    broker.price("EURUSD", MONDAY, 110_000, 110_010)
    before = state_of(broker)
    for symbol, at, raw, ask in (
        ("EURUSD", MONDAY, 0, 1),
        ("EURUSD", MONDAY, 9, 8),
        ("EURUSD", MONDAY - 1, 9, 9),
        ("GBPUSD", MONDAY, 9, 9),
    ):
        assert broker.price(symbol, at, raw, ask) == []
    assert state_of(broker) == before


def test_a_close_whose_position_has_ended_is_given_up() -> None:
    broker = broker_with()
    broker.price("EURUSD", MONDAY, 110_000, 110_000)
    broker.ask(place("a"), MONDAY)
    broker.price("EURUSD", MONDAY + SECOND, 110_000, 110_000)
    broker.ask(Close("late", 0, 1000, "signal_exit", False), MONDAY + 9 * SECOND)
    assert [item.reason for item in broker.price("EURUSD", MONDAY + 2 * SECOND, 109_000, 109_000)] == ["stop_loss"]
    (told,) = broker.price("EURUSD", MONDAY + 9 * SECOND, 109_000, 109_000)
    assert (told.what, told.id) == (What.CANCELLED, "late")


def test_refusals_follow_from_the_seed_and_come_as_often_as_asked() -> None:
    def refusals(seed: int) -> list[str]:
        broker = broker_with(Frictions(seed=seed, reject=FRACTION_ONE // 4))
        broker.price("EURUSD", MONDAY, 110_000)
        return [broker.ask(place(f"o-{n}", quantity=1), MONDAY)[0].reason for n in range(300)]

    assert refusals(1) == refusals(1) != refusals(2)
    assert 45 <= sum(map(bool, refusals(1))) <= 105
    assert {*refusals(1)} == {"", "no liquidity", "price moved"}


def test_tricks_do_what_brokers_do_wrong_once_each() -> None:
    broker = broker_with(exits={})
    broker.price("EURUSD", MONDAY, 110_000)
    broker.trick("reject", "fat finger")
    broker.trick("partial")
    broker.trick("overfill")
    broker.trick("fill_after_cancel")
    assert broker.ask(place("a"), MONDAY)[0].reason == "fat finger"
    broker.ask(place("b", quantity=100), MONDAY)
    parts = [broker.price("EURUSD", MONDAY + n * SECOND, 110_000)[0].quantity for n in (1, 2)]
    assert parts[0] < 100 < sum(parts)
    broker.ask(place("c"), MONDAY + 3 * SECOND)
    assert whats(broker.ask(Cancel("d", "c"), MONDAY + 3 * SECOND)) == ["cancelled"]
    assert next((item.what, item.id) for item in broker.price("EURUSD", MONDAY + 3 * SECOND, 110_000)) == (What.FILLED, "c")
