"""What the core starts again when it has died, how often, and what follows when that is not enough."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from sptrader_desktop.adapters import paper_broker_process
from sptrader_desktop.adapters.paper_broker_process import KeptPaperBroker, places_in
from sptrader_desktop.core.broker_messages import What
from sptrader_desktop.core.errors import GivenUpError, MachineError
from sptrader_desktop.core.facts import Commanded, SignalJudged, TransactionSeen
from sptrader_desktop.guardian.asking import core_state
from sptrader_desktop.ports import BrokerLine
from sptrader_desktop.runtime.live.fact_text import read_fact
from sptrader_desktop.runtime.live.restart_intensity import MOST, WINDOW_S
from sptrader_desktop.settings import load_settings
from tests.live_process import LiveSession, own_session
from tests.live_world import World
from tests.simulated_broker import SimulatedSide
from tests.simulated_disk import SimulatedJournal


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveSession]:
    with own_session(tmp_path, monkeypatch) as live:
        yield live


def kill_broker(session: LiveSession) -> None:
    for process in psutil.process_iter(["cmdline"]):
        if str(session.places.folder) in (process.info["cmdline"] or []):
            with suppress(psutil.NoSuchProcess):
                process.kill()


def test_a_paper_broker_that_is_killed_is_started_again_and_trading_goes_on(session: LiveSession) -> None:
    session.start()
    session.tick()
    session.say("golden_cross")
    session.until(lambda: session.count(What.ACCEPTED) == 1, "the order to arrive")
    kill_broker(session)
    session.until(lambda: session.log.read_bytes().count(b"the gate is open") >= 2, "a new broker to be reached")
    session.until(lambda: session.is_connected, "the broker to be heard")
    session.until(lambda: session.ticked(What.FILLED), "the entry to fill")
    session.say("death_cross")
    session.until(lambda: session.ticked(What.CLOSED), "the position to be closed")
    session.end()
    known = session.facts()
    assert b"the paper broker has ended: it is started again" in session.log.read_bytes()
    assert [fact.outcome for fact in known if isinstance(fact, SignalJudged)] == ["taken", "taken"]
    assert [fact.transaction for fact in known if isinstance(fact, TransactionSeen)] == session.done()
    assert not any(isinstance(fact, Commanded) for fact in known)


def broker_process(session: LiveSession) -> psutil.Process:
    return next(each for each in psutil.process_iter(["cmdline"]) if str(session.places.folder) in (each.info["cmdline"] or []))


def order_states(session: LiveSession) -> list[str]:
    """As `sptrader status` tells them; without an answer none."""
    return [order["state"] for order in (core_state(session.folder) or {}).get("orders", ())]


def test_an_order_to_a_broker_that_fell_silent_is_unknown_told_never_sent_again_and_settled_once(session: LiveSession) -> None:
    session.start()
    session.tick()
    session.until(lambda: session.is_connected, "the broker to be heard")
    broker = broker_process(session)
    broker.suspend()
    try:
        session.say("golden_cross")
        session.until(lambda: order_states(session) == ["sent"], "the order to be sent")
        session.until(lambda: "the broker has said nothing for 3 s" in session.told(), "the silence to be told")
        session.say("golden_cross")
        session.until(lambda: "what became of paper-1 is not known" in session.told(), "the unknown order to be told")
        assert order_states(session) == ["sent"]
    finally:
        broker.resume()
    session.until(lambda: session.ticked(What.FILLED), "the entry to fill")
    session.until(lambda: order_states(session) == ["filled"], "the core to know it")
    session.end()
    known = session.facts()
    assert [(done.what, done.id) for done in session.done() if done.id] == [(What.ACCEPTED, "paper-1"), (What.FILLED, "paper-1")]
    assert [fact.transaction for fact in known if isinstance(fact, TransactionSeen)] == session.done()
    first, second = [fact.outcome for fact in known if isinstance(fact, SignalJudged)]
    assert first == "taken"
    assert second.startswith("nothing is opened: not all is known of what the broker did")


class StillClock:
    at = 0.0

    def now(self) -> int:
        return round(self.at * 1e6)

    def monotonic(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def test_one_that_dies_again_and_again_is_given_up_until_some_time_has_passed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paper_broker_process, "MODULE", "sptrader_desktop.guardian")  # which ends at once: this is no way to call it
    clock, told = StillClock(), list[str]()
    kept = KeptPaperBroker(places_in(tmp_path, load_settings()), "paper", clock, told.append)

    async def story() -> None:
        for _ in range(MOST):
            with pytest.raises(MachineError, match="does not start"):
                await kept.ready()
        with pytest.raises(GivenUpError, match=f"has died {MOST} times"):
            await kept.ready()
        clock.at = WINDOW_S
        with pytest.raises(MachineError, match="does not start"):
            await kept.ready()

    asyncio.run(story())
    assert len(told) == MOST + 1


def test_what_was_given_up_halts_the_account_until_a_person_rearms(monkeypatch: pytest.MonkeyPatch) -> None:
    async def gone(_side: SimulatedSide, _account: str, _since: int) -> BrokerLine:
        raise GivenUpError("the paper broker has died too often")

    monkeypatch.setattr(SimulatedSide, "open", gone)
    world = World(0, change=lambda weather: setattr(weather, "rearms", False))
    world.run()
    world.disk.crash()
    known = [read_fact(entry.kind, entry.body) for entry in SimulatedJournal(world.disk).read()]
    halts = {(fact.by, fact.about) for fact in known if isinstance(fact, Commanded) and fact.what == "halt"}
    assert halts == {("supervision", "the paper broker has died too often")}
