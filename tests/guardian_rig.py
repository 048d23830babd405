"""A live session of real processes around the guardian: a scripted broker, the guardian, a core, and a person's stop."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from sptrader_desktop.guardian.asking import ask
from sptrader_desktop.guardian.clock import now_ns
from sptrader_desktop.guardian.lines import Message, parsed, written
from sptrader_desktop.guardian.places import GuardianError, Places
from tests.scripted_broker import Script, ScriptedBroker

ROOT = Path(__file__).resolve().parent.parent
LIGHT = [sys.executable, "-E", "-S", "-m"]
PATIENCE_S = 30.0
T = TypeVar("T")


@dataclass(slots=True)
class Rig:
    """Quarantine and the time that a lost request has are short, so that tests see their ends."""

    places: Places
    broker: ScriptedBroker
    options: tuple[str, ...] = ("--quarantine", "0.5", "--unknown", "0.5")
    guardian: "subprocess.Popen[bytes] | None" = None
    cores: "list[subprocess.Popen[str]]" = field(default_factory=list)

    def start_guardian(self) -> None:
        command = [*LIGHT, "sptrader_desktop.guardian", "--live", str(self.places.folder), "--broker", str(self.broker.path), *self.options]
        with self.places.log.open("ab") as log:
            self.guardian = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stderr=log)
        wait_for(lambda: self.status() is not None, "the guardian to answer")

    def kill_guardian(self) -> None:
        assert self.guardian
        self.guardian.kill()
        self.guardian.wait()

    def start_core(self, orders: int = 0, kind: str = "limit", *, is_hog: bool = False) -> "subprocess.Popen[str]":
        command = [*LIGHT, "tests.scripted_core", str(self.places.folder), str(orders), kind, *(["hog"] if is_hog else [])]
        core = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")
        self.cores.append(core)
        assert core.stdout
        assert core.stdout.readline() == "ready\n"
        return core

    def end_core(self, core: "subprocess.Popen[str]") -> dict[str, int]:
        """What it sent and what was refused."""
        out, _ = core.communicate(timeout=PATIENCE_S)
        found: dict[str, int] = json.loads(out)
        return found

    def status(self) -> Message | None:
        """Nothing while no guardian is there, or while one is killed."""
        with suppress(GuardianError):
            return ask(self.places, {"do": "status"})
        return None

    def stop(self, *, flatten: bool = False) -> tuple[Message, float]:
        """What is answered, and milliseconds from the request, on a connection that was there, until the gate was shut."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock, sock.makefile("rb") as answers:
            sock.settimeout(PATIENCE_S)
            sock.connect(str(self.places.control))
            sock.sendall(written({"do": "status"}))
            answers.readline()
            with taking_precedence():
                trigger = now_ns()
                sock.sendall(written({"do": "stop", "flatten": flatten, "by": "a test"}))
                answer = parsed(answers.readline())
        return answer, (answer["gate"]["shut_ns"] - trigger) / 1e6

    def rearm(self) -> Message | None:
        return ask(self.places, {"do": "rearm", "by": "a test"})

    def until_verified(self, states: tuple[str, ...] = ("watching", "done")) -> dict[str, Any]:
        def verified() -> dict[str, Any] | None:
            found = self.status()
            steps: dict[str, Any] | None = found and found["stop"]
            return steps if steps and steps.get("verify", {}).get("state") in states else None

        return wait_for(verified, f"the stop to be {states}")

    def end(self) -> None:
        processes: list[subprocess.Popen[Any]] = [*self.cores, *([self.guardian] if self.guardian else [])]
        for process in processes:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream:
                    stream.close()


@contextmanager
def live_session(folder: Path, script: Script | None = None, **changes: Any) -> Iterator[Rig]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with ScriptedBroker(folder / "broker.sock", script) as broker:
        rig = Rig(Places(folder), broker, **changes)
        try:
            rig.start_guardian()
            yield rig
        finally:
            rig.end()


@contextmanager
def taking_precedence() -> Iterator[None]:
    """Where the system grants it: what is measured is not how long we ourselves wait between the clock and the request."""
    usual = os.getpriority(os.PRIO_PROCESS, 0)
    try:
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, usual - 10)
        yield
    finally:
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, usual)


def wait_for(found: Callable[[], T | None], what: str) -> T:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        if value := found():
            return value
        time.sleep(0.002)
    raise AssertionError(f"waited {PATIENCE_S:.0f} s in vain for {what}")


def freeze(process: "subprocess.Popen[Any]") -> None:
    os.kill(process.pid, signal.SIGSTOP)


def thaw(process: "subprocess.Popen[Any]") -> None:
    os.kill(process.pid, signal.SIGCONT)
