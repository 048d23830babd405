"""A live session of real processes, watched and commanded through its control socket as the window does."""

import asyncio
import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from sptrader_desktop.adapters.redis_server import RedisServer
from sptrader_desktop.adapters.redis_sessions import SessionClaim
from sptrader_desktop.cli import run
from sptrader_desktop.core.errors import DataError, SptraderError
from tests.live_program import Program, live_program, watching

TRADED = {"symbol": "BTCUSD", "side": "long", "entry_price": "20001.00", "exit_price": "20201.00", "quantity": "0.5000"} | {
    "pnl": "100.00",
    "commission": "0.00",
    "currency": "USD",
    "exit_reason": "emergency",
}


@pytest.fixture
def program(valkey: RedisServer) -> Iterator[Program]:
    with live_program(Path(os.environ["HOME"]) / "session") as running:
        yield running


def test_a_session_is_watched_and_commanded(
    program: Program, valkey: RedisServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPTRADER_LIVE", str(program.places.folder))
    asyncio.run(_a_session_is_watched_and_commanded(program, valkey))
    assert program.process.wait(30) == 0
    assert run(["status"]) == 0
    assert json.loads(capsys.readouterr().out)["core"] is None
    traded = Path(os.environ["HOME"]) / "traded.csv"
    assert run(["trades", "--csv", str(traded)]) == 0
    (row,) = csv.DictReader(traded.read_text(encoding="utf-8").splitlines())
    assert row.items() >= TRADED.items()
    assert run(["trades", "--csv", str(traded)]) == 1, "never over a file"
    capsys.readouterr()
    assert run(["trades"]) == 0
    assert "100.00" in capsys.readouterr().out.splitlines()[1]


async def _a_session_is_watched_and_commanded(program: Program, valkey: RedisServer) -> None:
    watcher = await watching(program)
    assert program.places.core.stat().st_mode & 0o777 == 0o600
    state = await watcher.until(lambda state: state["state"] == "running" and state["gate"] == "open" and state["prices"], "it to run")
    assert state["portfolio"]["total_value"] == "10000.00"
    assert {item["name"]: item["state"] for item in state["connections"]} == dict.fromkeys(("Redis", "guardian", "broker", "journal"), "up")
    assert [health["symbol"] for health in state["services"]] == ["BTCUSD"]

    await asyncio.to_thread(program.tell_signal, "golden_cross")
    state = await watcher.until(lambda state: state["positions"] and state["positions"][0]["is_stop_at_broker"], "a position")
    position = state["positions"][0]
    assert (position["side"], position["quantity"], position["entry_price"], position["stop"]) == ("long", "0.5000", "20001.00", "19600.98")
    assert state["signals"][-1]["outcome"] == "taken"
    assert state["signals"][-1]["why"] == "entry 1 ordered"
    assert (state["signals"][-1]["type"], state["signals"][-1]["strength"]) == ("golden_cross", 0.9)
    assert state["plug"]["unprotected"] == []
    told = await asyncio.to_thread(_status)
    assert told["core"]["positions"][0]["number"] == position["number"]
    _is_all_well(told["guardian"], told["core"]["health"])
    await asyncio.to_thread(_is_alone, program, valkey)

    await asyncio.to_thread(program.tell_price, 20_201.0)
    state = await watcher.until(lambda state: state["portfolio"]["total_value"] == "10100.00", "the profit")
    assert state["portfolio"] | {"max_drawdown": ""} == {
        "cash": "10000.00",
        "total_value": "10100.00",
        "positions": 1,
        "daily_pnl": "100.00",
        "total_pnl": "100.00",
        "max_drawdown": "",
    }
    assert Decimal(state["plug"]["loss_if_unplugged"]) == (Decimal(20_201) - Decimal("19600.98")) / 2

    await watcher.ask("pause")
    await watcher.until(lambda state: state["state"] == "paused", "the pause")
    await asyncio.to_thread(program.tell_signal, "golden_cross")
    state = await watcher.until(lambda state: len(state["signals"]) == 2, "the second signal")
    assert "paused by a test" in state["signals"][-1]["why"]
    await watcher.ask("resume")
    await watcher.until(lambda state: state["state"] == "running", "the end of the pause")
    with pytest.raises(SptraderError, match="position 17 is not open"):
        await watcher.ask("close", "17")
    with pytest.raises(SptraderError, match="is no command"):
        await watcher.ask("sing")

    await watcher.ask("restart_service", "BTCUSD")
    await watcher.until(lambda state: state["services"][0]["is_healthy"], "the services")
    await watcher.ask("close", str(position["number"]))
    state = await watcher.until(lambda state: not state["positions"], "the close")
    assert state["portfolio"]["cash"] == state["portfolio"]["total_value"] == "10100.00"
    assert {event["kind"] for event in watcher.events} >= {"signal", "order", "fill", "service", "state"}

    assert (await asyncio.to_thread(_traded))[0].items() >= TRADED.items(), "while it runs"

    await watcher.ask("emergency_stop")
    await watcher.until(lambda state: state["gate"] == "shut", "the shut gate")
    await watcher.ask("rearm")
    await watcher.until(lambda state: state["gate"] == "open", "the open gate")
    await watcher.ask("stop")
    for _ in range(300):
        if watcher.has_left:
            break
        await asyncio.sleep(0.1)
    assert watcher.has_left
    await watcher.client.close()


def _is_all_well(guardian: dict[str, Any], health: dict[str, Any]) -> None:
    assert guardian["state"] == "running"
    services = {"state": "running", "is_healthy": True, "healthy_services": 4, "total_services": 4}
    whole = {"state": "running", "is_healthy": True, "healthy_symbols": 1, "total_symbols": 1, "symbols": {"BTCUSD": services}}
    assert health == whole | {"uptime": health["uptime"], "redis_connected": True}
    assert isinstance(health["uptime"], int)  # else every look at the clock would be news


def _is_alone(program: Program, valkey: RedisServer) -> None:
    """By its claim, and by its feed where the claim is gone."""
    own = [each for each in valkey.client.client_list() if each["name"].endswith(quote(str(program.places.folder)))]
    (claim,) = (each["id"] for each in own if each["cmd"] == "client|list")  # which was the last that it asked
    for _ in range(2):
        with pytest.raises(DataError, match=r"the live session in .*session/live has database 0"):
            SessionClaim(valkey, program.places.folder.parent / "another", print)
        valkey.client.client_kill_filter(_id=claim)


def _traded() -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "sptrader_desktop", "trades", "--json"]
    found: list[dict[str, Any]] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return found


def _status() -> dict[str, Any]:
    from sptrader_desktop.guardian import asking
    from sptrader_desktop.settings import load_settings

    folder = load_settings().live
    return asking.status(folder) | {"core": asking.core_state(folder, 10.0)}
