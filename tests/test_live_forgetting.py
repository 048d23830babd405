"""A live session forgets what is over, and does, asks for and holds what it would if it forgot nothing: only its journal grows."""

import random
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sptrader_desktop.adapters.sqlite_journal import SqliteJournal
from sptrader_desktop.core import facts
from sptrader_desktop.core.broker_messages import Place, Request
from sptrader_desktop.core.live_account import LiveAccount
from sptrader_desktop.core.live_book import LOGS, Book
from sptrader_desktop.core.money import FRACTION_ONE, fixed
from sptrader_desktop.core.order_lives import OrderLives
from sptrader_desktop.core.own_ids import OwnIds
from sptrader_desktop.core.records import VERDICT
from sptrader_desktop.core.risk_tree import NodeLimits
from sptrader_desktop.runtime.live.fact_text import read_fact
from sptrader_desktop.runtime.live.memory import Memory
from sptrader_desktop.runtime.live.paper_prices import Frictions
from sptrader_desktop.runtime.live.replay import UnkeptJournal
from sptrader_desktop.runtime.live.session import Session
from tests.account_desk import SYMBOLS, TERMS, Desk
from tests.forgetful import CrowdedBook

ORDERS = ("", ", order: {type: limit, offset: {type: pips, value: 1}, expiry: 3}", ", order: {type: stop, offset: {type: pips, value: 1}}")
EXITS = ("", "  stop_loss: {type: pips, value: 3}\n  take_profit: {type: pips, value: 4}")
STEPS = 160


class Story(Desk):
    """What a market, a broker and a person do, by chance. Some requests are lost and given up; entries among them come there all the same,
    when many others are over."""

    def __init__(self, seed: int) -> None:
        self._chance = chance = random.Random(seed)
        self._lost: list[Request] = []
        frictions = Frictions(seed, chance.choice((0, 1_500_000)), FRACTION_ONE // 4, reject=FRACTION_ONE // 8, stops_out=False)
        super().__init__(holds_stops=chance.random() < 0.7, frictions=frictions, order=chance.choice(ORDERS), exits=chance.choice(EXITS))
        for symbol in SYMBOLS:
            self._price(symbol)
        for _ in range(STEPS):
            self._step()

    def _step(self) -> None:
        chance, symbol = self._chance, self._chance.choice(SYMBOLS)
        match chance.randrange(12):
            case 0 | 1 | 2:
                self.act(symbol, enters=True)
            case 3:
                self.act(symbol, leaves=True)
            case 4 if self._lost:
                request = self._lost.pop(0)
                if isinstance(request, Place):
                    self.hear(self.broker.ask(request, self.clock.at))
                self.send()
            case 5:
                self.command(chance.choice(("close", "cancel", "flatten", "pause", "resume")), self._about())
            case 6:
                self.command("rearm")
            case 7 if chance.random() < 0.2:
                self.limit(NodeLimits("*", orders_a_minute=chance.choice((3, 20))))
            case 8:
                self.engine.ask_again()
                self.send()
            case _:
                self._price(symbol)

    def _price(self, symbol: str) -> None:
        self.price(symbol, (110_000 if symbol == "EURUSD" else 150_000) + self._chance.randint(-60, 60), 2)

    def _about(self) -> str:
        held = self.account.book.state.positions["number"][: self.account.book.account["positions"][0]].tolist()
        return self._chance.choice([*map(str, held), *(name for name, _ in self.account.lives.going()), *SYMBOLS, ""])

    def send(self, *, is_lost: bool = False) -> None:
        for asked in self.engine.commit():
            if self._chance.random() < 0.15:
                self.engine.refused(asked.id)
                self._lost.append(asked.request)
            else:
                self.sent.append(asked.request)
                self.hear([] if is_lost else self.broker.ask(asked.request, self.clock.at))

    @property
    def facts(self) -> Iterator[facts.Fact]:
        return (read_fact(entry.kind, entry.body) for entry in self.journal.read())


def session_of(story: Story, kind: Callable[..., Book], **how: Any) -> Session:
    return Session(LiveAccount("desk", SYMBOLS, kind(story.plan, fixed(TERMS.capital), 1), latches=True, **how), UnkeptJournal())


def seen_of(account: LiveAccount) -> dict[str, object]:
    """All that matters to anybody: not the rows of the past, nor where in the tables they were."""
    book, row = account.book, account.book.account[0]
    pending, here = book.state.pending[: row["pending"]], {"limits", "watched", "undone"}
    told = {name: repr(value) for name, value in vars(account).items() if name in here or not name.startswith("_")}
    del told["book"], told["lives"], told["ids"], told["history"]
    told["limits"] = repr((account.limits.earned, account.limits.refusals, account.limits.nodes()))
    return told | {
        "account": [row[name] for name in row.dtype.names if name not in LOGS],
        "positions": book.state.positions[: row["positions"]].tolist(),
        "pending": [[account.ids.of_row(order["order"]), *(order[name] for name in order.dtype.names[1:])] for order in pending],
    }


def verdicts_of(account: LiveAccount) -> list[list[int]]:
    return [[int(row[name]) for name in VERDICT.names or () if name != "order"] for row in account.verdicts]


def lived_alike(story: Story, remembered: int) -> tuple[LiveAccount, LiveAccount]:
    keeps = session_of(story, Book, history=True, remembered=1 << 60)
    forgets = session_of(story, CrowdedBook, remembered=remembered)
    for number, fact in enumerate(story.facts):
        for session in (keeps, forgets):
            session.take(fact)
        assert keeps.commit() == forgets.commit(), f"fact {number}: {fact}"
        assert seen_of(keeps.account) == seen_of(forgets.account), f"fact {number}: {fact}"
        if isinstance(fact, facts.Acted):
            assert verdicts_of(keeps.account) == verdicts_of(forgets.account), f"fact {number}: {fact}"
    return keeps.account, forgets.account


SEEDS = 9
_forget = Book.forget


@pytest.fixture(scope="module")
def stories() -> list[Story]:
    return [Story(seed) for seed in range(SEEDS)]


def all_lived_alike(stories: list[Story]) -> list[tuple[LiveAccount, LiveAccount]]:
    return [lived_alike(story, remembered=number % 3) for number, story in enumerate(stories)]


def test_whatever_is_forgotten_every_request_every_balance_and_every_position_stays_the_same(stories: list[Story]) -> None:
    found = all_lived_alike(stories)
    assert sum(int(keeps.book.account["trades"][0]) for keeps, _ in found) > 10 * SEEDS
    assert sum("after it was given up for lost" in text for keeps, _ in found for text in keeps.alarms) > SEEDS
    for keeps, forgets in found:
        assert all(len(getattr(forgets.book.log, name)) <= len(getattr(keeps.book.log, name)) for name in LOGS)
        assert forgets.book.account["trades"][0] < 10
        assert len(forgets.lives._lives) < len(list(forgets.lives.going())) + 6
        assert len(forgets._theirs) == len(forgets._ours) == forgets.book.account["positions"][0]


def _forget_wrongly(self: Book) -> list[int]:
    """Those that wait keep their numbers, and the rows move all the same."""
    waiting = self.state.pending["order"][: self.account["pending"][0]].copy()
    kept = _forget(self)
    self.state.pending["order"][: len(waiting)] = waiting
    return kept


def _forget_all_but_the_last(self: OrderLives) -> None:
    for name in list(self._lives)[:-3]:
        self._open.pop(name, None)
        self._over.pop(name, None)
        del self._lives[name]


@pytest.mark.parametrize(
    ("owner", "name", "bug"),
    [
        (Book, "forget", _forget_wrongly),
        (OrderLives, "forget", _forget_all_but_the_last),
        (LiveAccount, "_is_forgotten", lambda *_: False),
    ],
)
def test_who_forgets_what_is_still_wanted_is_seen(
    stories: list[Story], owner: type, name: str, bug: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owner, name, bug)
    with pytest.raises((AssertionError, LookupError)):
        all_lived_alike(stories)


def test_an_account_knows_the_ids_it_gave_from_all_others() -> None:
    ids = OwnIds("desk")
    given = [ids.next() for _ in range(12)]
    assert all(map(ids.gave, given))
    others = ("", "desk-", "desk-0", "desk-13", "desk-01", "desk- 1", "desk--1", "desk-1 ", "desk-desk-1", "other-1", "1", "desk-\u0661")
    assert not any(map(ids.gave, others))
    ids.begin_with("anew")
    assert ids.next() == "desk-anew-13"
    assert ids.gave("desk-anew-13")
    assert not any(map(ids.gave, ("desk-13", "desk-14", "desk-anew-14", "desk-1")))


# What is on the disk


def test_a_signal_that_comes_again_is_known_however_long_ago_and_whatever_ended_in_between(tmp_path: Path) -> None:
    story, path = Story(1), tmp_path / "journal.sqlite3"
    names, sizes = [f"signal {number}" for number in range(3_000)], list[int]()
    for life in range(3):
        with closing(SqliteJournal(path, reserve=1 << 16)) as journal:
            session = Session(LiveAccount("desk", SYMBOLS, Book(story.plan, fixed(TERMS.capital), 1), latches=True), journal)
            session.recover()
            judged, rest = names[: 1_000 * life], names[1_000 * life :]
            assert all(map(session.is_judged, judged))
            assert not any(map(session.is_judged, rest))
            for first in range(0, 1_000, 50):
                for name in rest[first : first + 50]:
                    session.take(facts.SignalJudged(1, name, "0-1", "taken"))
                    assert session.is_judged(name)  # before it is written down
                session.commit()
            sizes.append(len(Memory(session.account.book, {"account": session.account, "session": session}).take().written()))
    assert len(set(sizes)) == 1


def test_a_snapshot_is_no_larger_for_all_that_was_traded_before_it() -> None:
    story = Story(3)
    bytes_of = []
    session = session_of(story, CrowdedBook, remembered=5)
    for fact in story.facts:
        session.take(fact)
        session.commit()
        bytes_of.append(len(Memory(session.account.book, {"account": session.account, "session": session}).take().written()))
    assert max(bytes_of[-100:]) < 2 * max(bytes_of[:100])
