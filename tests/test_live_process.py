"""A live session as its trader has it: the real core, guardian, paper broker and Valkey, killed and started again."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from sptrader_desktop.adapters.paper_broker_process import places_in
from sptrader_desktop.adapters.sqlite_journal import SqliteJournal
from sptrader_desktop.core.broker_messages import Transaction, What
from sptrader_desktop.core.facts import SessionBegan, SignalJudged, TransactionSeen
from sptrader_desktop.runtime.live.fact_text import read_fact
from sptrader_desktop.sdk.publisher import SignalPublisher
from sptrader_desktop.settings import load_settings
from tests.command_line import STRATEGIES
from tests.paper_client import Client

PATIENCE_S = 240.0  # compiling on a busy machine included


class LiveSession:
    """On bitcoin, whose market never closes; signals come from the test."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.places = folder, places_in(folder / "broker", load_settings())
        self.log = folder.parent / "core.log"
        self.core: subprocess.Popen[bytes] | None = None
        self.publisher = SignalPublisher(symbol="BTCUSD")
        self.price = 9_000_000

    def start(self) -> float:
        """Seconds until it trades."""
        began = time.monotonic()
        words = [
            "live",
            str(STRATEGIES / "ma_crossover.yaml"),
            "--symbols",
            "BTCUSD",
            "--timeframe",
            "1m",
            "--signals",
            "stream",
            "--headless",
        ]
        with self.log.open("wb") as log:
            self.core = subprocess.Popen([sys.executable, "-m", "sptrader_desktop", *words], stdout=log, stderr=log)
        self.until(lambda: b"live on paper" in self.log.read_bytes(), "the core to be live")
        return time.monotonic() - began

    def kill(self) -> None:
        assert self.core is not None
        self.core.kill()
        self.core.wait()

    def end(self) -> None:
        if self.core is not None and self.core.poll() is None:
            self.core.send_signal(signal.SIGTERM)
            self.core.wait(timeout=30)

    def until(self, holds: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            ended = self.core is not None and self.core.poll() is not None
            if ended or time.monotonic() > deadline:
                raise AssertionError(f"waited for {what}; the core says: {self.log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.02)

    # The world around it

    def tick(self, by: int = 0) -> None:
        self.price += by
        bid = self.price / 100
        assert self.publisher.publish_price_update({"BTCUSD": {"bid": f"{bid:.2f}", "ask": f"{bid + 1:.2f}"}}), self.publisher.problem

    def say(self, kind: str) -> None:
        assert self.publisher.publish_signal("ma_crossover", kind, 0.8), self.publisher.problem

    def done(self) -> list[Transaction]:
        """Everything that the broker ever did."""
        with Client(self.places) as client:
            client.hello()
            client.settle()
            return client.told

    def count(self, what: What) -> int:
        return sum(each.what is what for each in self.done())

    # What was written down

    def facts(self) -> list[object]:
        journal = SqliteJournal(self.folder / "journal.sqlite3")
        try:
            return [read_fact(entry.kind, entry.body) for entry in journal.read()]
        finally:
            journal.close()


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveSession]:
    folder = tmp_path / "live"
    monkeypatch.setenv("SPTRADER_LIVE", str(folder))
    monkeypatch.setenv("SPTRADER_SERVERS", str(tmp_path / "servers"))
    live = LiveSession(folder)
    try:
        yield live
    finally:
        live.end()
        live.publisher.close()
        end_detached(folder)


def end_detached(folder: Path) -> None:
    """Guardian and broker outlive the core on purpose; they belong to this test's folder."""
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if any(str(folder) in word for word in words) and process.pid != os.getpid():
            with suppress(psutil.NoSuchProcess):
                process.kill()


def test_signals_become_positions_and_a_killed_core_goes_on_where_it_was(session: LiveSession) -> None:
    session.start()
    session.tick()
    session.say("golden_cross")
    session.until(lambda: session.count(What.ACCEPTED) == 1, "the order to arrive")
    session.tick(+100)
    session.until(lambda: session.count(What.FILLED) == 1, "the entry to fill")
    session.kill()
    session.say("death_cross")  # nobody hears it now
    session.start()
    session.until(lambda: session.count(What.ACCEPTED) == 2, "the close to be asked for")
    session.tick(+100)
    session.until(lambda: session.count(What.CLOSED) == 1, "the position to be closed")
    session.end()
    facts = session.facts()
    judged = [fact for fact in facts if isinstance(fact, SignalJudged)]
    assert [(fact.name, fact.outcome) for fact in judged] == [("ma_crossover", "taken"), ("ma_crossover", "taken")]
    assert [fact.transaction for fact in facts if isinstance(fact, TransactionSeen)] == session.done()
    assert isinstance(facts[0], SessionBegan)


def rounds(session: LiveSession, count: int, seed: int) -> None:
    """Killed at random moments while signals and prices come: each signal has one outcome, and core and broker hold the same."""
    chance, said = random.Random(seed), 0
    session.start()
    session.tick()
    for _ in range(count):
        for number in range(chance.randint(2, 6)):
            session.say(("golden_cross", "death_cross")[number % 2])
            said += 1
            time.sleep(chance.random() * 0.05)
            session.tick(chance.randint(-50, 50))
        time.sleep(chance.random() * 0.2)
        session.kill()
        session.start()
        session.tick()
    session.until(lambda: is_settled(session), "everything to settle")
    session.end()
    facts = session.facts()
    outcomes = Counter(fact.id for fact in facts if isinstance(fact, SignalJudged))
    assert len(outcomes) == said
    assert set(outcomes.values()) == {1}
    seen, done = [fact.transaction for fact in facts if isinstance(fact, TransactionSeen)], session.done()
    assert seen == done
    assert all(second.n == first.n + 1 for first, second in pairwise(done))
    entered = Counter(each.id for each in done if each.what is What.ACCEPTED)
    assert set(entered.values()) <= {1}  # nothing was sent twice


def is_settled(session: LiveSession) -> bool:
    session.tick()
    time.sleep(0.3)
    before = session.done()
    session.tick()
    time.sleep(1.0)
    return session.done() == before


def test_killed_at_any_moment_nothing_is_lost_or_doubled(session: LiveSession) -> None:
    rounds(session, 3, seed=1)


@pytest.mark.campaign
def test_two_hundred_kills_lose_and_double_nothing(session: LiveSession) -> None:
    rounds(session, 200, seed=2)
