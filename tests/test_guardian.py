"""The guardian as a process: of what it is made, how it starts and ends, what it withstands, and when it shuts and opens its gate."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest

from sptrader_desktop.guardian.asking import ask
from sptrader_desktop.guardian.latch import read_latch
from sptrader_desktop.guardian.lines import LineBuffer, Message, parsed, written
from sptrader_desktop.guardian.places import GuardianError, Places
from tests.guardian_rig import LIGHT, ROOT, Rig, freeze, live_session, thaw, wait_for


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with live_session(tmp_path / "live") as running:
        yield running


class Core:
    """A core of this process: its connections, and what it was told. It beats until it is told to be silent."""

    def __init__(self, places: Places, who: str = "core") -> None:
        self.told: list[Message] = []
        self._places, self._who, self._is_over = places, who, threading.Event()
        self.line = connected(places.orders) if who == "core" else None
        self._threads = [threading.Thread(target=work) for work in (self._beat, *([self._read] if self.line else []))]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> "Core":
        return self

    def __exit__(self, *_: object) -> None:
        if self.line:
            self.line.shutdown(socket.SHUT_RDWR)
        self.fall_silent()
        for thread in self._threads:
            thread.join(10)
        if self.line:
            self.line.close()

    def fall_silent(self) -> None:
        self._is_over.set()

    def say(self, message: Message) -> None:
        assert self.line
        self.line.sendall(written(message))

    def hello(self) -> None:
        self.say({"do": "hello", "account": "paper-1", "since": 0})

    def place(self, key: str, kind: str = "limit") -> None:
        self.say({"do": "place", "id": key, "symbol": "EURUSD", "side": 1, "kind": kind, "quantity": 10, "level": 1})

    def refused(self, key: str) -> bool:
        return {"is": "refused", "id": key, "why": "gate"} in self.told

    def _beat(self) -> None:
        while not self._is_over.wait(0.1):
            with suppress(GuardianError):  # it may be silent itself
                ask(self._places, {"do": "heartbeat", "from": self._who})

    def _read(self) -> None:
        assert self.line
        lines = LineBuffer()
        try:
            while data := self.line.recv(65536):
                lines.feed(data)
                while (line := lines.pop()) is not None:
                    self.told.append(parsed(line))
        except OSError:
            pass


def connected(path: Path) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(20)
    sock.connect(str(path))
    return sock


def gate(rig: Rig) -> list[str] | str:
    found = (rig.status() or {"gate": {"state": "", "why": []}})["gate"]
    return "open" if found["state"] == "open" else list(found["why"])


def shut_by(rig: Rig, *reasons: str) -> Callable[[], bool]:
    return lambda: gate(rig) == list(reasons)


def is_open(rig: Rig) -> bool:
    return gate(rig) == "open"


# What it is made of, how it starts and ends


def test_it_is_made_of_the_standard_library_and_of_nothing_else_of_ours() -> None:
    script = "import sys, sptrader_desktop.guardian.__main__, sptrader_desktop.guardian.asking; print('\\n'.join(sys.modules))"
    with_it, bare = (
        set(subprocess.run([sys.executable, "-c", each], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split())
        for each in (script, "import sys; print('\\n'.join(sys.modules))")
    )
    loaded = with_it - bare
    foreign = {name for name in loaded if name.partition(".")[0] not in sys.stdlib_module_names}
    assert "sptrader_desktop.guardian.server" in foreign
    assert {name for name in foreign if name != "sptrader_desktop" and not name.startswith("sptrader_desktop.guardian")} == set()


def test_a_folder_has_one_guardian_and_only_its_owner_gets_in(rig: Rig) -> None:
    command = [*LIGHT, "sptrader_desktop.guardian", "--live", str(rig.places.folder), "--broker", "nowhere"]
    second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (second.returncode, second.stderr) == (3, f"{rig.places.folder}: another guardian guards this folder\n")
    assert rig.guardian
    assert int(rig.places.held.read_text()) == rig.guardian.pid
    for path in (rig.places.control, rig.places.orders):
        assert path.stat().st_mode & 0o777 == 0o600
    assert rig.places.folder.stat().st_mode & 0o777 == 0o700
    rig.kill_guardian()
    rig.start_guardian()


def test_it_leaves_when_nobody_needs_it(tmp_path: Path) -> None:
    with live_session(tmp_path / "live", options=("--idle", "0.2")) as rig:
        assert rig.guardian
        assert rig.guardian.wait(20) == 0
        assert not rig.places.control.exists()


# What it withstands


@pytest.mark.parametrize("which", ["control", "orders"])
def test_garbage_ends_nothing(rig: Rig, which: str) -> None:
    with Core(rig.places) as core:
        core.hello()
        wait_for(lambda: is_open(rig), "the gate to open")
        for garbage in (
            b"\xff\x00\n",
            b"{}\n[]\n1\n",
            b'{"do":"stop"}\n',
            b'{"do":"place","id":"x"}\n',
            b"[" * 50_000 + b"\n",
            b"x" * 200_000,
            b"{",
        ):
            with closing(connected(getattr(rig.places, which))) as sock:
                try:
                    sock.sendall(garbage)
                    sock.shutdown(socket.SHUT_WR)
                    answers = b"".join(iter(lambda: sock.recv(65536), b""))
                except (BrokenPipeError, ConnectionResetError):
                    continue  # it had enough
                assert all(parsed(line + b"\n")["is"] == "refused" for line in answers.split(b"\n") if line)
        core.place("after-all")
        wait_for(lambda: "after-all" in rig.broker.orders, "an order")
        assert [item.message["id"] for item in rig.broker.heard if item.message["do"] == "place"] == ["after-all"]
        assert is_open(rig)


def test_garbage_of_the_core_is_answered_and_its_connection_goes_on(rig: Rig) -> None:
    with Core(rig.places) as core:
        core.hello()
        wait_for(lambda: is_open(rig), "the gate to open")
        core.say({"do": "buy everything"})
        core.place("fine")
        wait_for(lambda: "fine" in rig.broker.orders, "the order")
        wait_for(lambda: refusals(core), "the answer")
        assert refusals(core) == ["do buy everything is unknown"]


def refusals(core: Core) -> list[object]:
    return [message["why"] for message in core.told if message["is"] == "refused"]


def test_a_second_core_is_refused(rig: Rig) -> None:
    with Core(rig.places) as core:
        core.hello()
        wait_for(lambda: is_open(rig), "the gate to open")
        with closing(connected(rig.places.orders)) as second:
            assert parsed(second.recv(65536))["why"] == "another core is connected"
            assert second.recv(65536) == b""
        assert is_open(rig)


def test_a_disk_that_refuses_keeps_nothing_from_being_cancelled(rig: Rig) -> None:
    with Core(rig.places) as core:
        core.hello()
        core.place("resting")
        wait_for(lambda: "resting" in rig.broker.orders, "the order")
        rig.places.latch.mkdir()
        assert "cannot be written" in rig.stop()[0]["latch"]["unkept"]
        wait_for(lambda: not rig.broker.orders, "the order to be cancelled")
        rig.places.latch.rmdir()
        wait_for(lambda: (rig.status() or {})["latch"]["unkept"] == "", "the latch to be written after all")
        assert read_latch(rig.places.latch)


def test_half_an_order_that_left_is_never_completed(tmp_path: Path) -> None:
    """The broker does not read, and an order is larger than what the system takes from us at once."""
    folder = tmp_path / "live"
    with live_session(folder) as rig:
        rig.broker.go_away()
        rig.broker.path.unlink()
        with closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as deaf:
            deaf.bind(str(rig.broker.path))
            deaf.listen()
            with Core(rig.places) as core:
                core.hello()
                wait_for(lambda: is_open(rig), "the gate to open")
                peers = [deaf.accept()[0]]
                for number in range(3):
                    core.say({"do": "place", "id": f"large-{number}", "note": "x" * 60_000})
                time.sleep(0.2)
                rig.stop()
                received = b""
                with closing(peers[0]) as peer:
                    peer.settimeout(20)
                    while data := peer.recv(65536):
                        received += data
                wait_for(lambda: {"is": "gate", "open": True, "why": []} in core.told, "what the core was told")
        whole, _, torn = received.rpartition(b"\n")
        assert [parsed(line)["do"] for line in whole.split(b"\n")] == ["hello"]
        assert torn.startswith(b'{"do":"place","id":"large-0"')


def test_a_broker_may_be_at_a_port(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as broker, live_session(tmp_path / "live") as rig:
        rig.kill_guardian()
        rig.broker.path = Path(f"127.0.0.1:{broker.getsockname()[1]}")
        rig.start_guardian()
        with Core(rig.places) as core:
            core.hello()
            core.place("over there")
            broker.settimeout(20)
            with closing(broker.accept()[0]) as peer, peer.makefile("rb") as lines:
                peer.settimeout(20)
                assert [parsed(lines.readline())["do"] for _ in range(2)] == ["hello", "place"]


# When the gate shuts and opens


def test_a_silent_core_shuts_the_gate_and_opens_it_again_by_hello(rig: Rig) -> None:
    with Core(rig.places) as core:
        core.hello()
        core.place("position", "market")
        core.place("entry")
        wait_for(lambda: "entry" in rig.broker.orders, "the entry")
        core.fall_silent()
        wait_for(shut_by(rig, "heartbeat of core", "hello of the core"), "the silence to be noticed")
        wait_for(lambda: not rig.broker.orders, "the entry to be cancelled")
        core.place("refused")
        wait_for(lambda: core.refused("refused"), "the refusal")
        assert rig.broker.positions == {"position": 10}
        assert read_latch(rig.places.latch) is None
        core.hello()
        wait_for(lambda: is_open(rig), "the gate to open again")
        core.place("again")
        wait_for(lambda: "again" in rig.broker.orders, "an order")


def test_a_window_is_waited_for_once_it_was_there_until_it_says_goodbye_or_a_person_rearms(rig: Rig) -> None:
    with Core(rig.places) as core:
        core.hello()
        with Core(rig.places, "window"):
            wait_for(lambda: is_open(rig) and "window" in (rig.status() or {})["heartbeats"], "the window to be watched")
        wait_for(shut_by(rig, "heartbeat of window", "hello of the core"), "the window to be missed")
        core.hello()
        wait_for(shut_by(rig, "heartbeat of window"), "the hello")
        with Core(rig.places, "window"):
            wait_for(lambda: is_open(rig), "the window to open it")
            ask(rig.places, {"do": "goodbye", "from": "window"})
            ask(rig.places, {"do": "heartbeat", "from": "window"})
        wait_for(shut_by(rig, "heartbeat of window", "hello of the core"), "the window to be missed again")
        rig.rearm()
        assert gate(rig) == ["hello of the core"]
        core.hello()
        wait_for(lambda: is_open(rig), "the core alone")
        ask(rig.places, {"do": "heartbeat", "from": "window"})
        ask(rig.places, {"do": "goodbye", "from": "window"})
        time.sleep(3.3)
        assert is_open(rig)


def test_a_guardian_that_was_away_takes_everything_it_hears_for_old(rig: Rig) -> None:
    with Core(rig.places) as core:
        core.hello()
        wait_for(lambda: is_open(rig), "the gate to open")
        assert rig.guardian
        freeze(rig.guardian)
        core.place("old")
        time.sleep(1.2)
        thaw(rig.guardian)
        wait_for(lambda: core.refused("old"), "the order to be refused")
        wait_for(lambda: gate(rig) in (["hello of the core"], ["heartbeat of core", "hello of the core"]), "the gate to be shut")
        assert rig.broker.orders_heard() == 0


def test_a_stop_outlives_guardian_and_core_until_a_person_rearms(rig: Rig) -> None:
    with Core(rig.places) as core:
        core.hello()
        wait_for(lambda: is_open(rig), "the gate to open")
        rig.stop()
    rig.kill_guardian()
    rig.start_guardian()
    with Core(rig.places) as core:
        core.hello()
        wait_for(shut_by(rig, "stopped"), "the hello")
        core.place("no")
        wait_for(lambda: core.refused("no"), "the refusal")
        assert rig.rearm()
        core.place("still not")
        wait_for(lambda: core.refused("still not"), "the refusal")
        core.hello()
        wait_for(lambda: is_open(rig), "the gate to open")
        core.place("yes")
        wait_for(lambda: "yes" in rig.broker.orders, "the order")
        time.sleep(0.3)
        assert "yes" in rig.broker.orders


def test_a_flatten_may_follow_a_stop(rig: Rig) -> None:
    with Core(rig.places) as core:
        core.hello()
        wait_for(lambda: (rig.status() or {})["broker"]["connected"], "the broker")
        rig.broker.hold("p", 5)
        rig.stop()
        assert rig.until_verified()["flatten"] == {"state": "not asked"}
        assert rig.broker.positions == {"p": 5}
        rig.stop(flatten=True)
        wait_for(lambda: not rig.broker.positions, "the position to be closed")
        latch = read_latch(rig.places.latch)
        assert latch
        assert latch.flatten


def test_ending_it_in_order_leaves_the_latch(rig: Rig) -> None:
    rig.stop()
    assert rig.guardian
    os.kill(rig.guardian.pid, signal.SIGTERM)
    assert rig.guardian.wait(20) == 0
    assert read_latch(rig.places.latch)


def test_many_who_connect_and_say_nothing_keep_nobody_out(rig: Rig) -> None:
    with Core(rig.places) as core:
        core.hello()
        wait_for(lambda: is_open(rig), "the gate to open")
        with ExitStack() as idle:
            for _ in range(3):
                for _ in range(40):
                    idle.enter_context(closing(connected(rig.places.control)))
                assert is_open(rig)
            assert rig.stop()[0]["latch"]


def test_a_core_of_another_account_is_followed_there(rig: Rig) -> None:
    for account in ("paper-1", "paper-2"):
        with Core(rig.places) as core:
            core.say({"do": "hello", "account": account, "since": 0})
            told = {"connected": True, "account": account, "why": ""}
            wait_for(lambda told=told: (rig.status() or {})["broker"] == told, "the guardian's own connection")  # type: ignore[misc]
        wait_for(lambda: not is_open(rig), "the guardian to notice that the core is gone")
    names = [item.message["account"] for item in rig.broker.heard if item.message["do"] == "hello"]
    assert sorted(names) == ["paper-1", "paper-1", "paper-2", "paper-2"]
