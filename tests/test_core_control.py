"""The control socket of a live session: who watches hears every change, who does not read is dropped, nobody holds the session up."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from sptrader_desktop.adapters import core_control
from sptrader_desktop.adapters.core_control import MOST_CLIENTS, CoreClient, CoreControl
from sptrader_desktop.core.errors import MachineError, SptraderError
from sptrader_desktop.guardian.asking import core_state
from sptrader_desktop.guardian.lines import Message, written
from sptrader_desktop.guardian.places import Places, live_places
from sptrader_desktop.runtime.live.command import Command
from tests.guardian_rig import ROOT


class Told:
    """A session that says what a test wants."""

    def __init__(self, folder: Path) -> None:
        self.places = live_places(folder)
        self.at, self.figure, self.equity = 0, 0, [["t", "1.00"]]
        self.asked, self.written = 0, 0
        self.obeyed: list[Command] = []
        self.is_slow = asyncio.Event()
        self.control = CoreControl(self.places, self.state, self.feeds, self.obey, self.bars)

    def state(self) -> dict[str, Any]:
        self.asked += 1
        self.at += 1
        return {"is": "state", "at": self.at, "figure": self.figure}

    def feeds(self) -> Iterable[tuple[str, object, Callable[[], list[Any]]]]:
        yield "equity", len(self.equity), self.written_out

    def written_out(self) -> list[Any]:
        self.written += 1
        return self.equity

    def bars(self, symbol: str) -> dict[str, Any]:
        if symbol != "EURUSD":
            raise SptraderError(f"{symbol} is not traded")
        return {"is": "bars", "symbol": symbol, "rows": [["t", "1", "1", "1", "1"]]}

    async def obey(self, command: Command) -> None:
        self.obeyed.append(command)
        if command.what == "slow":
            await self.is_slow.wait()
        if command.what == "no":
            raise SptraderError("it may not be")


class Heard(list[Message]):
    def __init__(self, places: Places) -> None:
        super().__init__()
        self.has_left = 0
        self.client = CoreClient(places, self.append, self._left)

    def _left(self) -> None:
        self.has_left += 1


def played(folder: Path, story: "Callable[[Told], Coroutine[Any, Any, None]]") -> None:
    async def told() -> None:
        session = Told(folder)
        await session.control.open()
        try:
            await story(session)
        finally:
            await session.control.close()

    asyncio.run(told())


async def until(is_so: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not is_so():
            await asyncio.sleep(0.01)


def test_a_watcher_hears_the_state_at_once_and_then_every_change(tmp_path: Path) -> None:
    async def story(session: Told) -> None:
        assert session.places.core.stat().st_mode & 0o777 == 0o600
        heard = Heard(session.places)
        assert await heard.client.open()
        await until(lambda: heard)
        assert heard[0] == {"is": "state", "at": 1, "figure": 0, "equity": [["t", "1.00"]]}
        await until(lambda: session.asked > 4)
        assert len(heard) == 1, "that time has passed is no change"
        session.figure = 5
        await until(lambda: len(heard) == 2)
        session.equity.append(["u", "2.00"])
        await until(lambda: len(heard) == 3)
        assert (heard[2]["figure"], heard[2]["equity"]) == (5, [["t", "1.00"], ["u", "2.00"]])
        assert session.written == 2, "a long feed is written out again only where it changed"
        session.control.event({"is": "event", "kind": "alarm", "text": "look"})
        await until(lambda: len(heard) == 4)
        assert heard[3]["text"] == "look"
        await heard.client.close()
        asked = -1
        async with asyncio.timeout(20):
            while session.asked != asked:
                asked = session.asked
                await asyncio.sleep(0.3)  # nobody watches, so nothing is gathered

    played(tmp_path / "live", story)


def test_a_command_is_done_or_refused_with_a_sentence(tmp_path: Path) -> None:
    async def story(session: Told) -> None:
        heard = Heard(session.places)
        assert await heard.client.open()
        slow = asyncio.create_task(heard.client.command("slow", "", "me"))
        await until(lambda: session.obeyed)
        await heard.client.command("pause", "EURUSD", "me")
        with pytest.raises(SptraderError, match="it may not be"):
            await heard.client.command("no", "", "me")
        assert not slow.done(), "one that takes long keeps no other waiting"
        session.is_slow.set()
        await slow
        assert session.obeyed[1] == Command("pause", "EURUSD", "me")
        session.is_slow.clear()
        with pytest.raises(MachineError, match="did not answer to slow within"):
            await heard.client.command("slow", "", "me", 0.1)
        waiting = asyncio.create_task(heard.client.command("slow", "", "me"))
        await until(lambda: len(session.obeyed) == 5)
        await session.control.close()
        with pytest.raises(SptraderError, match="ended before it answered"):
            await waiting
        await until(lambda: heard.has_left)
        with pytest.raises(MachineError, match="there is no live session"):
            await heard.client.command("pause", "", "me")
        assert not await Heard(session.places).client.open(), "the socket is gone with the session"

    played(tmp_path / "live", story)


def test_who_does_not_read_is_dropped_and_the_others_are_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core_control, "MOST_UNREAD", 100_000)

    async def story(session: Told) -> None:
        deaf, writer = await asyncio.open_unix_connection(session.places.core, limit=1)
        writer.write(written({"do": "watch"}))
        heard = Heard(session.places)
        assert await heard.client.open()
        await until(lambda: heard)
        longest = 0.0
        for number in range(120):
            begun = time.perf_counter()
            session.control.event({"is": "event", "number": number, "text": "x" * 8_000})
            longest = max(longest, time.perf_counter() - begun)
            await asyncio.sleep(0)
            await until(lambda: heard[-1].get("number") == number)  # noqa: B023  # asked before the next
        assert [item["number"] for item in heard if item["is"] == "event"] == list(range(120))
        assert longest < 0.5, "nothing waited for the one that is deaf"
        with suppress(ConnectionResetError):
            while await asyncio.wait_for(deaf.read(1 << 20), 5):
                pass
        writer.close()
        await heard.client.close()

    played(tmp_path / "live", story)


def test_a_session_ends_also_while_somebody_does_not_read(tmp_path: Path) -> None:
    async def story(session: Told) -> None:
        _, writer = await asyncio.open_unix_connection(session.places.core, limit=1)
        writer.write(written({"do": "watch"}))
        await until(lambda: session.asked)
        session.control.event({"is": "event", "text": "x" * 3_000_000})
        async with asyncio.timeout(5):
            await session.control.close()
        writer.close()

    played(tmp_path / "live", story)


@pytest.mark.parametrize("line", [b"nonsense\n", b'{"do":"sing"}\n', b'{"do":"watch","do":"command"}\n', b"[]\n"])
def test_nonsense_is_told_so_and_ends_that_connection_alone(tmp_path: Path, line: bytes) -> None:
    async def story(session: Told) -> None:
        heard = Heard(session.places)
        assert await heard.client.open()
        reader, writer = await asyncio.open_unix_connection(session.places.core)
        writer.write(line)
        assert json.loads(await reader.readline())["is"] == "refused"
        assert await reader.read() == b""
        writer.close()
        await heard.client.command("pause", "", "me")

    played(tmp_path / "live", story)


def test_a_line_without_an_end_and_too_many_watchers_are_shut_out(tmp_path: Path) -> None:
    async def story(session: Told) -> None:
        reader, writer = await asyncio.open_unix_connection(session.places.core)
        writer.write(b"x" * 200_000)
        with suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()
        watchers = [Heard(session.places) for _ in range(MOST_CLIENTS + 1)]
        for watcher in watchers:
            await watcher.client.open()
        await until(lambda: watchers[-1].has_left)
        assert not any(watcher.has_left for watcher in watchers[:-1])

    played(tmp_path / "live", story)


def test_status_joins_what_the_session_says_and_loads_next_to_nothing(tmp_path: Path) -> None:
    async def story(session: Told) -> None:
        script = "import sys; from sptrader_desktop.cli import run; run(['status']); print('\\n'.join(sys.modules), file=sys.stderr)"
        surroundings = {**os.environ, "SPTRADER_LIVE": str(session.places.folder)}
        done = await asyncio.to_thread(
            subprocess.run, [sys.executable, "-c", script], cwd=ROOT, env=surroundings, capture_output=True, text=True, check=True
        )
        assert json.loads(done.stdout)["core"] == {"at": 1, "figure": 0}
        assert not {"asyncio", "numpy", "numba", "PySide6"} & set(done.stderr.split())

    played(tmp_path / "live", story)
    assert core_state(tmp_path / "live") is None


def test_a_session_that_is_silent_is_told_so(tmp_path: Path) -> None:
    async def story(session: Told) -> None:
        found = core_state(session.places.folder, 0.2)  # from the loop that would have to answer
        assert found
        assert found["state"] == "silent"
        assert "does not answer" in found["says"]

    played(tmp_path / "live", story)


def test_bars_are_told_to_whoever_asks_and_why_there_are_none(tmp_path: Path) -> None:
    async def story(session: Told) -> None:
        heard = Heard(session.places)
        assert await heard.client.open()
        heard.client.ask_bars("EURUSD")
        heard.client.ask_bars("GBPUSD")
        await until(lambda: len(heard) == 3)
        assert heard[1:] == [
            {"is": "bars", "symbol": "EURUSD", "rows": [["t", "1", "1", "1", "1"]]},
            {"is": "bars", "symbol": "GBPUSD", "rows": [], "why": "GBPUSD is not traded"},
        ]
        await heard.client.close()

    played(tmp_path / "live", story)
