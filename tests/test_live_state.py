"""The state that watchers of a live session are told: figures by hand, and what must hold of them in any market."""

import json
from dataclasses import dataclass, replace
from decimal import Decimal
from math import nan
from typing import Any

import numpy as np
import pytest

from sptrader_desktop.core import facts
from sptrader_desktop.core.broker_messages import Close, Place, Request, Transaction, What
from sptrader_desktop.core.candles import Candles, Prices
from sptrader_desktop.core.facts import Fact
from sptrader_desktop.core.instruments import CATALOGUE
from sptrader_desktop.core.live_account import LiveAccount
from sptrader_desktop.core.live_book import BarOpen, BarRange, Book, Hits
from sptrader_desktop.core.money import fixed, money_text
from sptrader_desktop.core.plan import make_plan
from sptrader_desktop.core.strategy import EntryRule, Exits, Level, RiskLimits, Size, Strategy
from sptrader_desktop.core.tables import FAR
from sptrader_desktop.core.terms import Terms
from sptrader_desktop.present.live_feeds import POINTS, SIGNALS, LiveFeeds
from sptrader_desktop.present.live_figures import Figures, Levels
from sptrader_desktop.present.live_state import Around, Connection, Session, bars_told, live_state, long_feeds
from sptrader_desktop.runtime.live.replay import Replay, new_account
from sptrader_desktop.runtime.live.session import Session as LiveSession
from tests.markets import ALWAYS, random_case
from tests.parity import job_of
from tests.simulated_disk import SimulatedDisk, SimulatedJournal

BTC = CATALOGUE["BTCUSD"]
NOON = 1_706_529_600_000_000  # 2024-01-29T12:00:00Z
MINUTE = 60_000_000
CAPITAL = fixed(Decimal(10_000))


@dataclass(frozen=True, slots=True)
class Quoted:
    at: int
    bid: int
    ask: int


class Scene:
    """Half a coin at most at a time, its stop 2 percent away; a broker whose answers are written by hand."""

    def __init__(self, **limits: Any) -> None:
        exits = Exits(stop_loss=Level("percentage", Decimal("0.02")))
        entry = EntryRule(ALWAYS, "long", Size("units", Decimal("0.5")), scale_in=True, max_positions=3)
        strategy = Strategy("by_hand", "1.0.0", (entry,), exits, RiskLimits(**limits))
        none = np.zeros(0, np.int64)
        candles = Candles(BTC, "1m", MINUTE, none, Prices(*[none] * 4), ask=Prices(*[none] * 4))
        self.account = LiveAccount("paper", ("BTCUSD",), Book(make_plan(strategy, Terms(), [candles], []), CAPITAL, 0), latches=True)
        self.feeds = LiveFeeds(self.account, (BTC,))
        self.events: list[dict[str, Any]] = []
        self.feeds.told = self.events.append
        self.n = 0
        self.cash = CAPITAL
        self.bar = NOON

    def hear(self, fact: Fact) -> list[Request]:
        found = self.account.apply(fact)
        self.feeds.hear(fact)
        return found

    def close_bar(self, price: int, *, is_entry: bool = True, signals: tuple[str, ...] = ()) -> list[Request]:
        """A whole bar at one price; the ask is a dollar above."""
        at, ask = self.bar, price + 100
        self.bar += MINUTE
        self.hear(facts.BarsOpened(at, (BarOpen(0, at, price, ask, 19_751, 0),)))
        self.hear(facts.BarsClosed(at + MINUTE, (BarRange(0, at, at + MINUTE, *[price] * 4, *[ask] * 4),)))
        return self.hear(facts.Decided(at + MINUTE, (Hits(0, int(is_entry), 0, (nan,)),), signals))

    def tell(self, what: What, name: str = "", position: int = -1, **figures: Any) -> None:
        self.n += 1
        self.hear(facts.TransactionSeen(Transaction(self.n, what, name, self.bar, "BTCUSD", position, cash=self.cash, **figures)))

    def fill(self, asked: Request, position: int, price: int, stop: int | None) -> None:
        """Without a stop the broker has not said yet that it holds one."""
        assert isinstance(asked, Place)
        self.tell(What.ACCEPTED, asked.id)
        self.tell(What.FILLED, asked.id, position, side=1, quantity=asked.quantity, price=price)
        if stop is not None:
            self.tell(What.PROTECTED, "", position, stop=stop, target=FAR, trail=-FAR)

    def see(self, bid: int) -> None:
        at = self.bar + 2_000_000
        self.hear(facts.BarsOpened(self.bar, (BarOpen(0, self.bar, bid, bid + 100, 19_751, 0),)))
        self.hear(facts.PriceSeen(at, 0, bid, bid + 100))

    def state(self, **around: Any) -> dict[str, Any]:
        quotes = {"BTCUSD": Quoted(NOON, 2_010_000, 2_010_100)}
        calm = Around(NOON, "running", True, False, "open", "", quotes, {}, {}, (), (Connection("broker", "up", NOON),), ((NOON, "look"),))
        session = Session("paper", "USD", CAPITAL, {"name": "by_hand", "version": "1.0.0", "file": "f"}, "1m")
        found = live_state(session, self.account, self.feeds, replace(calm, **around))
        assert json.loads(json.dumps(found)) == found, "nothing in it is of numpy"
        return found


def entered(scene: Scene, stop: int | None = 1_960_000) -> Place:
    """Half a coin at 20,000."""
    [asked] = scene.close_bar(2_000_000)
    scene.fill(asked, 7, 2_000_000, stop)
    assert isinstance(asked, Place)
    return asked


def test_a_position_by_hand() -> None:
    scene = Scene(daily_loss_limit=Decimal("0.03"), max_drawdown=Decimal("0.2"), max_positions=2)
    entered(scene)
    scene.see(2_010_000)
    state = scene.state()
    assert state["positions"] == [
        {
            "number": 0,
            "symbol": "BTCUSD",
            "side": "long",
            "quantity": "0.5000",
            "entry_price": "20000.00",
            "entry_time": "2024-01-29T12:00:00Z",
            "price": "20100.00",
            "price_at": "2024-01-29T12:01:02Z",
            "profit": "50.00",
            "stop": "19600.00",
            "trailing": None,
            "target": None,
            "is_stop_at_broker": True,
            "closing": None,
        }
    ]
    assert state["portfolio"] == {
        "cash": "10000.00",
        "total_value": "10050.00",
        "positions": 1,
        "daily_pnl": "50.00",
        "total_pnl": "50.00",
        "max_drawdown": "0.0000",
    }
    assert {gauge.pop("scope") for gauge in state["risk"]} == {"global"}
    assert [list(gauge.values()) for gauge in state["risk"]] == [
        ["daily loss", "money", "0.00", "300.00", "300.00", False],
        ["drawdown", "money", "0.00", "2000.00", "2000.00", False],
        ["exposure", "money", "10050.00", "301500.00", "291450.00", False],
        ["margin", "money", "335.00", "10050.00", "9715.00", False],
        ["positions", "count", "1", "2", "1", False],
    ]
    assert state["plug"] == {
        "loss_if_unplugged": "250.00",
        "protected_loss": "250.00",
        "unprotected": [],
        "working_orders": 0,
        "currency": "USD",
    }
    assert state["prices"] == [{"symbol": "BTCUSD", "bid": "20100.00", "ask": "20101.00", "at": "2024-01-29T12:00:00Z"}]


def test_a_loss_uses_up_the_limits_and_a_breach_latches() -> None:
    scene = Scene(daily_loss_limit=Decimal("0.03"), max_drawdown=Decimal("0.2"))
    entered(scene)
    scene.see(1_980_000)
    state = scene.state()
    assert [gauge["used"] for gauge in state["risk"]][:2] == ["100.00", "100.00"]
    assert state["risk"][0]["headroom"] == "200.00"
    assert state["risk"][4]["limit"] is None is state["risk"][4]["headroom"]
    assert state["portfolio"]["max_drawdown"] == "1.0000"
    scene.see(1_939_000)
    state = scene.state()
    assert state["risk"][0] == {
        "name": "daily loss", "scope": "global", "unit": "money", "used": "305.00", "limit": "300.00", "headroom": "0.00", "latched": True,
    }  # fmt: skip
    assert (state["state"], state["reason"]) == ("close_only", "the day's loss limit was reached")
    assert state["barred"] == state["latched"] == {"*": "the day's loss limit was reached"}


def test_a_rearming_takes_nothing_from_the_day_s_loss_or_the_deepest_drawdown() -> None:
    scene = Scene(daily_loss_limit=Decimal("0.03"))
    entered(scene)
    scene.close_bar(1_939_000, is_entry=False)
    before = scene.state()["portfolio"]
    assert (before["daily_pnl"], before["max_drawdown"]) == ("-305.00", "3.0500")
    for _ in range(2):
        scene.hear(facts.Commanded(scene.bar, "rearm", "me", ""))
        assert scene.state()["portfolio"] == before
    assert scene.state()["risk"][0]["used"] == "0.00"  # the limit counts from here
    scene.hear(facts.BarsOpened(scene.bar, (BarOpen(0, scene.bar, 1_939_000, 1_939_100, 19_752, 0),)))
    assert scene.state()["portfolio"] == before | {"daily_pnl": "0.00"}


def test_what_the_broker_has_not_said_it_holds_is_not_protected() -> None:
    scene = Scene()
    entered(scene)
    [asked] = scene.close_bar(2_000_000)
    scene.fill(asked, 8, 2_000_000, None)
    state = scene.state()
    assert [position["is_stop_at_broker"] for position in state["positions"]] == [True, False]
    assert [position["stop"] for position in state["positions"]] == ["19600.00", "19600.00"]
    assert state["plug"]["loss_if_unplugged"] is None
    assert (state["plug"]["protected_loss"], state["plug"]["unprotected"]) == ("200.00", ["BTCUSD"])
    scene.tell(What.PROTECTED, "", 8, stop=-FAR, target=FAR, trail=-FAR)
    assert scene.state()["plug"]["unprotected"] == ["BTCUSD"]
    scene.tell(What.PROTECTED, "", 8, stop=1_960_000, target=FAR, trail=1_990_000)
    assert scene.state()["plug"]["loss_if_unplugged"] == "250.00"
    scene.tell(What.CLOSED, "", 7, side=-1, quantity=5_000, price=2_000_000, reason="stop_loss")
    state = scene.state()
    assert [position["number"] for position in state["positions"]] == [1]
    assert state["plug"]["loss_if_unplugged"] == "50.00"
    assert scene.feeds.kept == {1: Levels(1_960_000, FAR, 1_990_000)}


def test_an_order_is_shown_through_its_life() -> None:
    scene = Scene()
    [asked] = scene.close_bar(2_000_000)
    [order] = scene.state()["orders"]
    assert order == {
        "id": asked.id,
        "symbol": "BTCUSD",
        "side": "buy",
        "kind": "market",
        "quantity": "0.5000",
        "filled": "0.0000",
        "level": None,
        "state": "sent",
        "asked_at": "2024-01-29T12:01:00Z",
        "reason": "entry 1",
    }
    assert scene.state()["plug"]["working_orders"] == 1
    scene.tell(What.REJECTED, asked.id, reason="no money")
    [order] = scene.state()["orders"]
    assert (order["state"], order["reason"]) == ("rejected", "no money")
    asked = entered(scene)
    [closing] = scene.hear(facts.Commanded(scene.bar, "close", "me", "0"))
    assert isinstance(closing, Close)
    orders = scene.state()["orders"]
    assert [(item["id"], item["side"], item["state"], item["symbol"]) for item in orders][1:] == [
        (asked.id, "buy", "filled", "BTCUSD"),
        (closing.id, "close", "sent", "BTCUSD"),
    ]
    assert scene.state()["positions"][0]["closing"] == "emergency"
    scene.tell(What.CLOSED, closing.id, 7, side=-1, quantity=5_000, price=2_000_000, reason="emergency")
    assert scene.state()["orders"][-1]["symbol"] == "BTCUSD"
    assert "BTCUSD closed: sell 0.5000 at 20000.00 (emergency)" in [event["text"] for event in scene.events]


def test_each_signal_says_what_became_of_it_and_why() -> None:
    scene = Scene(max_positions=1)
    scene.feeds.spoken("a", "golden_cross", 0.7)
    [asked] = scene.close_bar(2_000_000, signals=("a",))
    scene.fill(asked, 7, 2_000_000, 1_960_000)
    scene.close_bar(2_000_000, signals=("b",))
    scene.close_bar(2_000_000, is_entry=False, signals=("c",))
    scene.hear(facts.Commanded(scene.bar, "pause", "me"))
    scene.close_bar(2_000_000, signals=("d",))
    for number, (name, outcome) in enumerate([("a", "taken"), ("b", "taken"), ("c", "taken"), ("d", "taken"), ("e", "it is stale")]):
        scene.hear(facts.SignalJudged(scene.bar + number, name, "", outcome, "cross", "BTCUSD"))
    told = list(scene.feeds.signals)
    assert [(row["id"], row["outcome"], row["why"]) for row in told] == [
        ("a", "taken", "entry 1 ordered"),
        ("b", "taken", "entry 1 not ordered: the account held `risk.max_positions`"),
        ("c", "taken", "no rule held"),
        ("d", "taken", "no entries now: paused by me"),
        ("e", "rejected", "it is stale"),
    ]
    assert (told[0]["type"], told[0]["strength"], told[1]["strength"]) == ("golden_cross", 0.7, None)
    assert scene.state()["state"] == "paused"


def test_a_signal_whose_order_was_not_sent_says_so_and_why() -> None:
    scene = Scene()
    [asked] = scene.close_bar(2_000_000, signals=("a",))
    scene.hear(facts.SignalJudged(scene.bar, "a", "", "taken", "cross", "BTCUSD"))
    scene.close_bar(2_000_000, is_entry=False, signals=("b",))
    scene.hear(facts.SignalJudged(scene.bar, "b", "", "taken", "cross", "BTCUSD"))
    before = {name: known for name, known, _ in long_feeds(scene.feeds)}
    scene.hear(facts.RequestUnsettled(scene.bar, asked.id, "the last price is 45.0 s old"))
    assert [row["why"] for row in scene.feeds.signals] == ["entry 1 ordered; not sent: the last price is 45.0 s old", "no rule held"]
    assert before["signals"] != {name: known for name, known, _ in long_feeds(scene.feeds)}["signals"], "it is told again"
    assert not [event for event in scene.events if asked.id in event["text"]], "an alarm says it"


def test_the_feeds_keep_the_last_and_no_more() -> None:
    scene = Scene()
    for number in range(SIGNALS + 5):
        scene.hear(facts.SignalJudged(NOON, str(number), "", "no", "", ""))
    assert [row["id"] for row in scene.feeds.signals][::SIGNALS - 1] == ["5", str(SIGNALS + 4)]  # fmt: skip
    scene.see(2_000_000)
    for second in range(POINTS + 5):
        scene.hear(facts.PriceSeen(NOON + 10**9 + 500_000 * second, 0, 2_000_000, 2_000_100))
    assert len(scene.feeds.equity) == (POINTS + 5 + 1) // 2 + 1, "one a second at most"
    written = {name: write() for name, _, write in long_feeds(scene.feeds)}
    assert written["equity"][0] == ["2024-01-29T12:00:02Z", "10000.00"]


@pytest.mark.parametrize(
    ("around", "state"),
    [
        ({}, "running"),
        ({"orchestrator": "initializing"}, "starting"),
        ({"is_synced": False}, "recovering"),
        ({"orchestrator": "recovering"}, "recovering"),
        ({"orchestrator": "paused"}, "paused"),
        ({"orchestrator": "error"}, "halted"),
        ({"gate": "shut", "gate_why": "stopped, hello of the core", "gate_held": ["stopped"], "is_synced": False}, "halted"),
        ({"gate": "shut", "gate_why": "hello of the core"}, "running"),
        ({"shut": "the disk is full"}, "close_only"),
        ({"is_stopping": True, "orchestrator": "stopped"}, "stopping"),
    ],
)
def test_one_word_says_how_it_is(around: dict[str, Any], state: str) -> None:
    assert Scene().state(**around)["state"] == state


@pytest.mark.parametrize(
    ("held", "words"),
    [
        (["stopped", "heartbeat of window"], "no order leaves until you re-arm: the guardian's gate is shut"),
        (["heartbeat of window"], "no order leaves until the window is heard again, or you re-arm: the guardian's gate is shut"),
        (["heartbeat of core", "heartbeat of window"], "no order leaves until the core and the window are heard again, or you re-arm"),
    ],
)
def test_a_gate_that_opens_by_itself_says_by_what(held: list[str], words: str) -> None:
    state = Scene().state(gate="shut", gate_held=held)
    assert state["state"] == "halted"
    assert str(state["reason"]).startswith(words)


def test_a_halt_outweighs_a_pause() -> None:
    scene = Scene()
    scene.hear(facts.Commanded(NOON, "pause", "me"))
    scene.hear(facts.Commanded(NOON, "halt", "me", "I had to"))
    state = scene.state()
    assert (state["state"], state["reason"]) == ("halted", "I had to")


@pytest.mark.parametrize("seed", range(24))
def test_in_any_market_the_figures_agree_with_the_rules_and_with_the_broker(seed: int) -> None:
    """Cash and open profits are the equity that the kernel marks, and the levels are those in the broker's own tables."""
    job = job_of(random_case(seed))
    symbols = tuple(candles.symbol for candles in (*random_case(seed).candles, *random_case(seed).rates))
    replay = Replay(job, symbols)
    account = replay.account
    feeds = LiveFeeds(account, [CATALOGUE[symbol] for symbol in symbols])
    marked = 0

    def heard(fact: Fact) -> None:
        nonlocal marked
        feeds.hear(fact)
        if isinstance(fact, facts.Decided) and fact.hits:  # a rate alone is not marked
            marked += 1
            figures = Figures(account, job.capital, feeds.kept)
            assert figures.total == account.book.account["equity"][0]
            _agrees_with_the_broker(replay, figures, feeds)

    replay.session = LiveSession(account, SimulatedJournal(SimulatedDisk()), heard)
    replay.run()
    assert marked > 100
    assert figures_at_the_end(account, job.capital) == money_text(account.equity - job.capital)


@pytest.mark.parametrize("seed", [0, 7, 11])
def test_after_a_restart_the_same_is_shown(seed: int) -> None:
    """From the journal alone: levels at the broker, the curve, orders, signals and what became of them."""
    job, case = job_of(random_case(seed)), random_case(seed)
    symbols = tuple(candles.symbol for candles in (*case.candles, *case.rates))
    instruments = [CATALOGUE[symbol] for symbol in symbols]
    replay, journal = Replay(job, symbols), SimulatedJournal(SimulatedDisk())
    first = LiveFeeds(replay.account, instruments)
    replay.session = LiveSession(replay.account, journal, first.hear)
    replay.session.take(facts.SignalJudged(NOON, "a", "", "it is stale", "cross", symbols[0]))
    replay.run()
    again = LiveFeeds(new_account(job, "replay", symbols, latches=False), instruments)
    LiveSession(again.account, journal, again.hear).recover()
    assert (again.kept, again.equity, again.signals, again.seen_at) == (first.kept, first.equity, first.signals, first.seen_at)
    assert again.orders() == first.orders()
    assert len(first.equity) > 100
    assert first.orders()
    assert [row["outcome"] for row in again.signals] == ["rejected"]


def _agrees_with_the_broker(replay: Replay, figures: Figures, feeds: LiveFeeds) -> None:
    theirs = replay.broker.book.state.positions[: replay.broker.book.account["positions"][0]]
    levels = sorted((int(row["entry_price"]), int(row["stop"]), int(row["target"]), int(row["trail"])) for row in theirs)
    entries = {int(row["number"]): int(row["entry_price"]) for row in figures.positions}
    assert levels == sorted((entries[number], kept.stop, kept.target, kept.trail) for number, kept in feeds.kept.items())
    plug = figures.plug()
    bare = [row for row in theirs if abs(int(row["stop"])) >= FAR and abs(int(row["trail"])) >= FAR]
    assert len(plug.unprotected) == len(bare)


def figures_at_the_end(account: LiveAccount, capital: int) -> str:
    figures = Figures(account, capital, {})
    assert not len(figures.positions)
    return money_text(figures.all_profit)


def test_bars_are_told_once_each_in_order_with_those_from_before_the_start() -> None:
    scene = Scene()
    scene.close_bar(2_000_000, is_entry=False)
    scene.close_bar(2_010_000, is_entry=False)
    warm = [(NOON - MINUTE, 1_990_000, 1_990_500, 1_989_900, 1_990_000), (NOON, 1, 1, 1, 1)]
    told = bars_told("BTCUSD", warm, scene.feeds)
    assert told["rows"] == [
        ["2024-01-29T11:59:00Z", "19900.00", "19905.00", "19899.00", "19900.00"],
        ["2024-01-29T12:00:00Z", *["20000.00"] * 4],
        ["2024-01-29T12:01:00Z", *["20100.00"] * 4],
    ], "what was decided on counts"
