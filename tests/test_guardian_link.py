"""How the core and the window meet the guardian: they start it, beat, trade through it, and notice when it or the broker goes."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from sptrader_desktop.adapters.core_watch import GateSeen
from sptrader_desktop.adapters.guarded_broker import GuardedBroker
from sptrader_desktop.adapters.guardian_link import GuardianLink, OrderLine
from sptrader_desktop.core.errors import MachineError
from sptrader_desktop.guardian.asking import ask
from sptrader_desktop.guardian.lines import Message
from sptrader_desktop.guardian.places import Places
from sptrader_desktop.guardian.server import MOST_DRAINING
from tests.guardian_rig import ROOT, wait_for
from tests.scripted_broker import Script, ScriptedBroker

PLACE = {"do": "place", "id": "o1", "symbol": "EURUSD", "side": 1, "kind": "limit", "quantity": 1000, "level": 110_000}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[ScriptedBroker]:
    with ScriptedBroker(tmp_path / "broker.sock", Script()) as running:
        yield running
    end_guardian(tmp_path)


def end_guardian(folder: Path) -> None:
    """The one of this folder, by the process id that it gives itself."""
    if (answer := ask(Places(folder), {"do": "status"})) is not None:
        os.kill(answer["pid"], signal.SIGTERM)
        wait_for(lambda: not Places(folder).control.exists(), "the guardian to end")


@asynccontextmanager
async def linked(broker: ScriptedBroker, who: str = "core", lost: Callable[[str], None] = lambda _why: None) -> AsyncIterator[GuardianLink]:
    link = GuardianLink(broker.path.parent, str(broker.path), who, lost, options=("--quarantine", "0.1"))
    await link.open()
    try:
        yield link
    finally:
        await link.close()


async def heard(line: OrderLine, *awaited: str) -> list[Message]:
    """One of each, in the order in which they are awaited, whatever comes first."""
    found: dict[str, Message] = {}
    async with asyncio.timeout(20):
        async for message in line.received():
            found |= {what: message for what in (message["is"], message.get("what")) if what in awaited}
            if len(found) == len(awaited):
                return [found[what] for what in awaited]
    raise AssertionError(f"the line ended with only {found}")


def run(work: Callable[[], Awaitable[Any]]) -> None:
    async def whole() -> None:
        await work()

    asyncio.run(whole())


def test_the_first_starts_a_guardian_and_trades_through_it(broker: ScriptedBroker) -> None:
    async def work() -> None:
        async with linked(broker) as link, linked(broker, "window") as window:
            assert (await link.status())["pid"] == (await window.status())["pid"]
            line = await link.order_line("paper-1", 0)
            assert (await heard(line, "hello"))[0]["environment"] == "paper"
            assert line.send(PLACE)
            assert (await heard(line, "accepted"))[0]["id"] == "o1"
            status = await link.status()
            assert status["gate"]["state"] == "open"
            assert status["heartbeats"].keys() == {"core", "window"}
            assert (await window.stop("a hand", flatten=False))["latch"]["by"] == "a hand"
            assert line.send(PLACE | {"id": "o2"})
            refused, cancelled = await heard(line, "refused", "cancelled")
            assert refused == {"is": "refused", "id": "o2", "why": "gate"}
            assert cancelled["id"] == "o1"
            await line.close()

    run(work)


def test_a_lost_broker_ends_the_line_and_the_next_one_hears_what_was_missed(broker: ScriptedBroker) -> None:
    async def work() -> None:
        async with linked(broker) as link:
            line = await link.order_line("paper-1", 0)
            await heard(line, "hello")
            broker.go_away()
            assert (await heard(line, "lost"))[0]["what"] == "broker"
            assert [message async for message in line.received()] == []
            assert not line.send(PLACE)
            broker.rest("meanwhile")
            broker.come_back()
            again = await link.order_line("paper-1", 0)
            assert (await heard(again, "accepted"))[0]["id"] == "meanwhile"
            assert (await link.status())["gate"]["state"] == "open"
            await again.close()

    run(work)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_guardian_that_is_gone_or_silent_is_noticed(broker: ScriptedBroker, number: signal.Signals) -> None:
    async def work() -> None:
        lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        async with linked(broker, lost=lost.set_result) as link:
            line = await link.order_line("paper-1", 0)
            pid = (await link.status())["pid"]
            os.kill(pid, number)
            assert "no order passes until it is back" in await asyncio.wait_for(lost, 20)
            if number == signal.SIGSTOP:
                os.kill(pid, signal.SIGCONT)
            else:
                assert all(message["is"] in {"gate", "hello"} for message in [each async for each in line.received()])
            await line.close()

    run(work)


CORE = """
import asyncio, sys
from pathlib import Path
from sptrader_desktop.adapters.guardian_link import GuardianLink

async def main():
    link = GuardianLink(Path(sys.argv[1]), sys.argv[2], "core", print)
    await link.open()
    line = await link.order_line("paper-1", 0)
    async for message in line.received():
        if message["is"] == "hello":
            line.send({"do": "place", "id": "entry", "symbol": "EURUSD", "side": 1, "kind": "limit", "quantity": 1, "level": 1})
            print("traded", flush=True)

asyncio.run(main())
"""


def test_a_guardian_that_stood_still_for_a_while_is_traded_through_again(broker: ScriptedBroker) -> None:
    seen = GateSeen()

    async def work() -> None:
        async with linked(broker, lost=seen.lose) as link:
            guarded = GuardedBroker(link, seen.hear, print)
            line = await guarded.open("paper-1", 0)
            number = (await link.status())["pid"]
            os.kill(number, signal.SIGSTOP)
            try:
                async with asyncio.timeout(20):
                    async for _ in line.received():
                        pass
                assert "gone or silent" in seen.lost
                with pytest.raises(MachineError):
                    await guarded.open("paper-1", 0)
            finally:
                os.kill(number, signal.SIGCONT)
            again = await guarded.open("paper-1", 0)
            async with asyncio.timeout(20):
                async for _ in again.received():
                    if seen.is_open:
                        again.cut()
            assert seen.lost == ""
            assert (await link.status())["pid"] == number

    run(work)


def test_the_guardian_outlives_a_killed_core_and_cancels_what_it_left(broker: ScriptedBroker) -> None:
    folder = broker.path.parent
    command = [sys.executable, "-c", CORE, str(folder), str(broker.path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True) as core:
        assert core.stdout
        assert core.stdout.readline() == "traded\n"
        wait_for(lambda: "entry" in broker.orders, "the order to work")
        os.killpg(core.pid, signal.SIGKILL)
    status = wait_for(lambda: (found := ask(Places(folder), {"do": "status"})) and found["stop"] and found, "the heartbeat to be missed")
    assert status["latch"] is None
    assert status["gate"]["why"] == ["heartbeat of core", "hello of the core"]
    assert os.getsid(status["pid"]) == status["pid"]
    wait_for(lambda: not broker.orders, "the entry to be cancelled")


def test_a_folder_with_a_long_name_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="too long for a socket: name a shorter one with SPTRADER_LIVE"):
        GuardianLink(tmp_path / ("x" * 100), "broker", "core", print)


def test_a_guardian_that_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "orders.sock").mkdir()

    async def work() -> None:
        with pytest.raises(MachineError, match=r"the guardian does not start: .* no socket can be made there"):
            await GuardianLink(tmp_path, "broker", "core", print).open()

    with suppress(asyncio.CancelledError):
        run(work)


def test_a_broker_that_never_reads_is_reached_so_often_and_no_more(tmp_path: Path) -> None:
    """Each of its connections may hold what was let out, so none is forgotten, and their number has an end."""

    async def work() -> None:
        link = GuardianLink(tmp_path, str(tmp_path / "deaf.sock"), "core", lambda _: None, options=("--quarantine", "0.1"))
        await link.open()
        for _ in range(MOST_DRAINING):
            line = await link.order_line("paper-1", 0)
            assert [message["open"] for message in await heard(line, "gate")] == [True]
            line.cut()
            async with asyncio.timeout(20):
                while (await link.status())["gate"]["state"] == "open":
                    await asyncio.sleep(0.005)
        line = await link.order_line("paper-1", 0)
        assert [message["what"] for message in await heard(line, "lost")] == ["broker"]
        line.cut()
        await link.close()

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as deaf:
        deaf.bind(str(tmp_path / "deaf.sock"))
        deaf.listen(2 * MOST_DRAINING)
        try:
            run(work)
        finally:
            end_guardian(tmp_path)
