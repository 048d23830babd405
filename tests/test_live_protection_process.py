"""Real processes: a core that watches the levels of a broker that holds none, under the limits of its `services.yaml`."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sptrader_desktop.compose_components import ready_workspace
from sptrader_desktop.core.broker_messages import What
from sptrader_desktop.core.facts import BrokerMet, LimitsSet
from sptrader_desktop.guardian.asking import command
from sptrader_desktop.settings import load_settings
from tests.live_process import PATIENCE_S, LiveSession, end_detached

RISK = "\nrisk:\n  account: {max_daily_loss: 500, max_exposure: 6000}\n  symbols: {BTCUSD: {max_orders_per_minute: 1}}\n"


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveSession]:
    folder = tmp_path / "live"
    monkeypatch.setenv("SPTRADER_LIVE", str(folder))
    monkeypatch.setenv("SPTRADER_SERVERS", str(tmp_path / "servers"))
    monkeypatch.setenv("SPTRADER_WORKSPACE", str(tmp_path / "workspace"))
    live = LiveSession(folder)
    try:
        yield live
    finally:
        live.end()
        live.publisher.close()
        end_detached(folder)


def told_of_core() -> dict[str, Any]:
    """Once it answers: a disk may hold it up for longer than `status` waits."""
    until = time.monotonic() + PATIENCE_S
    while (core := json.loads(answer("status"))["core"])["state"] == "silent":
        assert time.monotonic() < until, core["says"]
    found: dict[str, Any] = core
    return found


def answer(*words: str) -> str:
    done = subprocess.run([sys.executable, "-m", "sptrader_desktop", *words], check=False, capture_output=True, text=True)
    assert done.returncode == bool(done.stderr), done
    return done.stdout + done.stderr


TOLD = ("barred", "latched", "portfolio", "positions", "risk")


def test_a_stop_that_no_broker_holds_is_met_by_the_core_and_the_limits_of_the_file_are_in_force(session: LiveSession) -> None:
    services = ready_workspace(load_settings()) / "services.yaml"
    services.write_text(services.read_text(encoding="utf-8") + RISK, encoding="utf-8")
    session.start("--core-stops")
    session.tick()
    session.say("golden_cross")
    session.until(lambda: session.ticked(What.FILLED), "the entry to fill")
    session.until(lambda: told_of_core()["positions"], "the core to know it")
    core = told_of_core()
    assert (core["plug"]["unprotected"], core["plug"]["loss_if_unplugged"]) == (["BTCUSD"], None)
    assert not core["positions"][0]["is_stop_at_broker"]
    assert core["positions"][0]["stop"] is not None
    limits = {(gauge["scope"], gauge["name"]): gauge["limit"] for gauge in core["risk"]}
    assert limits["global", "daily loss"] == "300.00", "the strategy's is nearer"
    assert (limits["global", "exposure"], limits["BTCUSD", "order rate"]) == ("6000.00", "1")
    session.tick(-200_000)
    session.until(lambda: session.ticked(What.CLOSED), "the close to fill")
    session.say("golden_cross")
    session.until(lambda: told_of_core()["latched"], "a second entry within a minute to be refused")
    rearm_the_only_symbol()
    assert json.loads(answer("status"))["journal"] is None
    session.say("golden_cross")
    session.until(lambda: session.ticked(What.FILLED, 2), "the next to fill")
    assert command(session.folder, "pause", "BTCUSD", "me") == ""
    session.until(lambda: told_of_core()["positions"], "the core to know it")
    core = told_of_core()
    session.kill()
    before = {file.name: file.read_bytes() for file in session.folder.glob("journal*")}
    told = json.loads(answer("status"))
    assert told["core"] is None
    assert told["journal"]["says"].startswith("from the journal, whose last entry is ")
    assert 0 <= told["journal"]["age_s"] < 600
    for seen in (told["journal"], core):  # the same price again is not written down at once
        seen["positions"] = [{name: item[name] for name in item.keys() - {"price_at"}} for item in seen["positions"]]
    assert {name: told["journal"][name] for name in TOLD} == {name: core[name] for name in TOLD}
    assert core["barred"] == {"BTCUSD": "paused by me"}
    assert (told["journal"]["halted"], told["journal"]["unknown"]) == ("", [])
    assert before == {file.name: file.read_bytes() for file in session.folder.glob("journal*")}
    (session.folder / "begun.json").write_text("[]")
    assert json.loads(answer("status"))["journal"]["says"].startswith("the journal cannot be told from: ")
    session.end()
    done, facts = session.done(), session.facts()
    assert [each.reason for each in done if each.what is What.CLOSED] == ["stop_loss"]
    assert not [each for each in done if each.what is What.PROTECTED]
    assert [fact.holds_stops for fact in facts if isinstance(fact, BrokerMet)] == [False]
    assert len([fact for fact in facts if isinstance(fact, LimitsSet)]) == 1


def rearm_the_only_symbol() -> None:
    """It alone is halted; whatever else is named is refused in words."""
    assert list(told_of_core()["latched"]) == ["BTCUSD"]
    assert "say --yes" in answer("rearm", "BTCUSD")
    assert "EURUSD is not traded in this session: it trades BTCUSD" in answer("rearm", "EURUSD", "--yes")
    said = answer("rearm", "BTCUSD", "--yes")
    assert "BTCUSD is halted: BTCUSD: order rate 2 is beyond the limit of 1." in said
    assert "Re-armed: BTCUSD may be entered again" in said
    assert told_of_core()["latched"] == {}
    assert "BTCUSD itself is not halted" in answer("rearm", "BTCUSD", "--yes")
