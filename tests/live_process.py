"""A live session of real processes on bitcoin, whose market never closes: the core, its guardian, the paper broker, Valkey."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from sptrader_desktop.adapters.paper_broker_process import places_in
from sptrader_desktop.adapters.sqlite_journal import SqliteJournal
from sptrader_desktop.compose_components import ready_workspace
from sptrader_desktop.core.broker_messages import Transaction, What
from sptrader_desktop.guardian.asking import core_state
from sptrader_desktop.runtime.live.fact_text import read_fact
from sptrader_desktop.sdk.publisher import SignalPublisher
from sptrader_desktop.settings import load_settings
from tests.command_line import STRATEGIES
from tests.paper_client import Client

PATIENCE_S = 120.0  # compiling on a busy machine included


class LiveSession:
    """Signals and prices come from whoever holds it."""

    def __init__(
        self,
        folder: Path,
        strategy: Path = STRATEGIES / "ma_crossover.yaml",
        symbols: Sequence[str] = ("BTCUSD",),
        options: Sequence[str] = (),
    ) -> None:
        self.folder, self.places = folder, places_in(folder / "broker", load_settings())
        self.words = ["live", str(strategy), "--headless", "--symbols", *symbols, *options]
        self.log = folder.parent / "core.log"
        take_older_prices()
        self.core: subprocess.Popen[bytes] | None = None
        self.publisher = SignalPublisher(symbol="BTCUSD")
        self.price = 9_000_000
        self._done: list[Transaction] = []
        self._told_before = ""

    def start(self, *options: str, timeframe: str = "1m", signals: str = "stream") -> float:
        """Seconds until it trades."""
        began = time.monotonic()
        self._told_before += self._text()
        words = [*self.words, "--timeframe", timeframe, "--signals", signals, *options]
        with self.log.open("wb") as log:
            self.core = subprocess.Popen([sys.executable, "-m", "sptrader_desktop", *words], stdout=log, stderr=log)
        self.until(lambda: b"live on paper" in self.log.read_bytes(), "the core to be live")
        return time.monotonic() - began

    def kill(self) -> None:
        assert self.core is not None
        self.core.kill()
        self.core.wait()

    @property
    def is_connected(self) -> bool:
        """With all that it needs; an open gate alone says nothing of what the broker has told since."""
        state = core_state(self.folder)
        return state is not None and all(each["state"] == "up" for each in state["connections"])

    @property
    def guardian(self) -> int:
        return int((self.folder / "guardian.pid").read_text().split()[0])

    def kill_guardian(self) -> None:
        os.kill(self.guardian, signal.SIGKILL)

    def end(self) -> None:
        if self.core is not None and self.core.poll() is None:
            self.core.send_signal(signal.SIGTERM)
            self.core.wait(timeout=30)

    def until(self, holds: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            ended = self.core is not None and self.core.poll() is not None
            if ended or time.monotonic() > deadline:
                raise AssertionError(f"waited for {what}; the core says: {self._text()[-2000:]}")
            time.sleep(0.02)

    # The world around it

    def tick(self, by: int = 0) -> None:
        self.price += by
        bid = self.price / 100
        assert self.publisher.publish_price_update({"BTCUSD": {"bid": f"{bid:.2f}", "ask": f"{bid + 1:.2f}"}}), self.publisher.problem

    def say(self, kind: str) -> None:
        assert self.publisher.publish_signal("ma_crossover", kind, 0.8), self.publisher.problem

    def done(self) -> list[Transaction]:
        """Everything that the broker ever did; it forgets nothing, so only what is new is asked for."""
        with Client(self.places) as client:
            client.hello(since=len(self._done))
            client.settle()
            self._done += client.told
        return list(self._done)

    def held(self) -> int:
        """Steps that the broker holds now."""
        with Client(self.places) as client:
            client.hello(since=len(self._done))
            return sum(each.quantity for each in client.snapshot().positions)

    def count(self, what: What) -> int:
        return sum(each.what is what for each in self.done())

    def ticked(self, what: What, count: int = 1) -> bool:
        """After another price."""
        self.tick()
        time.sleep(0.05)
        return self.count(what) >= count

    def command(self, *words: str) -> int:
        return subprocess.run([sys.executable, "-m", "sptrader_desktop", *words], check=False, stdout=subprocess.DEVNULL).returncode

    @property
    def errs(self) -> dict[str, Any]:
        """How the paper broker does."""
        found: dict[str, Any] = json.loads(self.places.terms.read_text())["frictions"]
        return found

    def err(self, **frictions: int) -> None:
        """From its next greeting on."""
        terms = json.loads(self.places.terms.read_text())
        self.places.terms.write_text(json.dumps(terms | {"frictions": terms["frictions"] | frictions}))

    # What was said and written down

    def told(self) -> str:
        """By every core there was."""
        return self._told_before + self._text()

    def _text(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def facts(self) -> list[object]:
        journal = SqliteJournal(self.folder / "journal.sqlite3")
        try:
            return [read_fact(entry.kind, entry.body) for entry in journal.read()]
        finally:
            journal.close()


def take_older_prices() -> None:
    """A price and the signal after it may be further apart on a busy computer than a strategy would have it."""
    services = ready_workspace(load_settings()) / "services.yaml"
    services.write_text(re.sub("max_price_age: .*", "max_price_age: 60", services.read_text(encoding="utf-8")), encoding="utf-8")


@contextmanager
def own_session(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveSession]:
    """With servers of its own; nothing of it is left afterwards."""
    live = folder / "live"
    monkeypatch.setenv("SPTRADER_LIVE", str(live))
    monkeypatch.setenv("SPTRADER_SERVERS", str(folder / "servers"))
    session = LiveSession(live)
    try:
        yield session
    finally:
        session.end()
        session.publisher.close()
        end_detached(live)


def end_detached(folder: Path) -> None:
    """Guardian and broker outlive the core on purpose, and a core the window; they belong to this test's folder."""
    for process in psutil.process_iter(["cmdline", "environ"]):
        words, live = process.info["cmdline"] or [], (process.info["environ"] or {}).get("SPTRADER_LIVE")
        is_core = live == str(folder) and "--headless" in words
        if (is_core or any(str(folder) in word for word in words)) and process.pid != os.getpid():
            with suppress(psutil.NoSuchProcess):
                process.kill()
