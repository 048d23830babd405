"""A live session as its trader has it: the real core, guardian, paper broker and Valkey, killed and started again."""

import random
import time
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from sptrader_desktop.core.broker_messages import What
from sptrader_desktop.core.facts import Decided, RequestUnsettled, SessionBegan, SignalJudged, TransactionSeen
from tests.live_process import LiveSession, own_session

PATIENCE_S = 240.0  # compiling on a busy machine included


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveSession]:
    with own_session(tmp_path, monkeypatch) as live:
        yield live


def test_signals_become_positions_through_a_new_guardian_and_a_killed_core_goes_on_where_it_was(session: LiveSession) -> None:
    own = session.folder.parent / "own.yaml"
    own.write_text("instruments: {BTCUSD: {long_rate: 0.01}}")
    options = ("--instruments", str(own))
    session.start(*options)
    session.tick()
    session.kill_guardian()
    session.until(lambda: session.log.read_bytes().count(b"the gate is open") >= 2, "a new guardian to open its gate")
    session.until(lambda: session.is_connected, "the broker to be heard")
    session.say("golden_cross")
    session.until(lambda: session.count(What.ACCEPTED) == 1, "the order to arrive")
    session.tick(+100)
    session.until(lambda: session.count(What.FILLED) == 1, "the entry to fill")
    session.kill()
    session.say("death_cross")  # nobody hears it now
    own.write_text("instruments: {BTCUSD: {long_rate: 0.02}}")
    session.err(latency_us=1)
    session.start(*options)
    session.until(lambda: session.count(What.ACCEPTED) == 2, "the close to be asked for")
    session.tick(+100)
    session.until(lambda: session.count(What.CLOSED) == 1, "the position to be closed")
    session.end()
    assert session.errs["latency_us"] == 1  # the owner's word stays
    facts = session.facts()
    judged = [fact for fact in facts if isinstance(fact, SignalJudged)]
    assert [(fact.name, fact.outcome) for fact in judged] == [("ma_crossover", "taken"), ("ma_crossover", "taken")]
    assert [fact.transaction for fact in facts if isinstance(fact, TransactionSeen)] == session.done()
    assert isinstance(facts[0], SessionBegan)
    verify = [*session.words, *options, "--timeframe", "1m", "--signals", "stream", "--verify"]
    assert session.command(*verify) == 0
    own.write_text("instruments: {BTCUSD: {tick: 0.001}}")  # what is in the journal would be ten times less
    assert session.command(*verify) == 1


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
    held = session.held()
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
    assert sum(each.quantity * {What.FILLED: 1, What.CLOSED: -1}.get(each.what, 0) for each in seen) == held


def is_settled(session: LiveSession) -> bool:
    session.tick()
    time.sleep(0.2)
    before = session.done()
    session.tick()
    time.sleep(0.4)
    return session.done() == before


def test_an_emergency_stop_closes_everything_and_trading_goes_on_after_rearming(session: LiveSession) -> None:
    session.start()
    session.tick()
    session.say("golden_cross")
    session.until(lambda: session.ticked(What.FILLED), "the entry to fill")
    assert session.command("stop", "--flatten") == 0
    session.until(lambda: session.ticked(What.CLOSED), "the guardian to close the position")
    accepted = session.count(What.ACCEPTED)
    session.say("golden_cross")
    session.until(lambda: b"the gate is shut" in session.log.read_bytes(), "the core to hear of it")
    assert session.command("rearm", "--yes") == 0
    session.until(lambda: session.log.read_bytes().count(b"the gate is open") >= 2, "the gate to open for the core")
    session.until(lambda: session.is_connected, "the broker to be heard")
    assert session.count(What.ACCEPTED) == accepted  # what came while it was shut is not sent later
    session.say("golden_cross")
    session.until(lambda: session.ticked(What.FILLED, 2), "another entry")
    session.end()
    facts = session.facts()
    assert [fact.outcome for fact in facts if isinstance(fact, SignalJudged)] == ["taken"] * 3
    assert sum(isinstance(fact, RequestUnsettled) for fact in facts) == 1
    assert [fact.transaction for fact in facts if isinstance(fact, TransactionSeen)] == session.done()


@pytest.mark.campaign  # bars of two seconds take their time
def test_what_is_calculated_here_goes_through_the_stream_and_trades(session: LiveSession) -> None:
    session.start("--param", "fast_period=2", "--param", "slow_period=3", timeframe="2s", signals="own")
    steps = iter(range(10_000))

    def swing() -> bool:
        session.tick(20_000 if next(steps) // 10 % 2 else -20_000)
        time.sleep(0.2)
        return next(steps) % 20 == 1 and session.count(What.CLOSED) > 0

    session.until(swing, "a position to be opened and closed")
    session.end()
    facts = session.facts()
    taken = {fact.id for fact in facts if isinstance(fact, SignalJudged) and fact.outcome == "taken"}
    decided = [fact for fact in facts if isinstance(fact, Decided) and (fact.hits[0].entries or fact.hits[0].exits)]
    assert decided
    assert {name for fact in decided for name in fact.signals} <= taken


def test_killed_at_any_moment_nothing_is_lost_or_doubled(session: LiveSession) -> None:
    rounds(session, 5, seed=1)


@pytest.mark.campaign
@pytest.mark.timeout(3_600)
def test_two_hundred_kills_lose_and_double_nothing(session: LiveSession) -> None:
    rounds(session, 200, seed=2)
