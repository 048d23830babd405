"""A live session as a person starts it: the program, its guardian and its paper broker, each a process, in a folder of its own."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from sptrader_desktop.adapters.core_control import CoreClient
from sptrader_desktop.guardian.lines import Message
from sptrader_desktop.guardian.places import Places, live_places
from sptrader_desktop.sdk import SignalPublisher
from tests.guardian_rig import ROOT
from tests.live_process import take_older_prices

PATIENCE_S = 60.0
STRATEGY = """
name: spoken
version: "1.0.0"
description: Buys half a coin when it is told to, and leaves when it is told to.
dependencies:
  signals: [signals.ma_crossover]
entry:
  when:
    - signal: ma_crossover
      outputs: {crossover_type: golden_cross}
  action: buy
  size: {mode: units, value: 0.5}
exit:
  signal_exit:
    when:
      - signal: ma_crossover
        outputs: {crossover_type: death_cross}
    action: close_long
  stop_loss: {type: percentage, value: 0.02}
risk:
  daily_loss_limit: 0.03
  max_positions: 2
"""


@dataclass(slots=True)
class Program:
    places: Places
    process: "subprocess.Popen[bytes]"
    publisher: SignalPublisher
    log: Path
    price: float = 20_000.0

    def tell_price(self, price: float | None = None) -> None:
        self.price = self.price if price is None else price
        assert self.publisher.publish_price_update({"BTCUSD": {"bid": self.price, "ask": self.price + 1}}), self.publisher.problem

    def tell_signal(self, kind: str) -> None:
        assert self.publisher.publish_signal("ma_crossover", kind, 0.9), self.publisher.problem


@dataclass(slots=True)
class Watcher:
    """What a client was told, awaited with fresh prices meanwhile: what is stale is not traded."""

    program: Program
    client: CoreClient
    states: list[Message] = field(default_factory=list)
    events: list[Message] = field(default_factory=list)
    has_left: bool = False

    @property
    def state(self) -> dict[str, Any]:
        return self.states[-1]

    async def until(self, is_so: Callable[[dict[str, Any]], object], what: str) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE_S
        while not (self.states and is_so(self.states[-1])):
            assert not self.has_left, self.program.log.read_text()[-2000:]
            assert time.monotonic() < end, f"waited for {what}: {self.states[-1:]} {self.program.log.read_text()[-2000:]}"
            if self.program.process.poll() is None:
                await asyncio.to_thread(self.program.tell_price)
            await asyncio.sleep(0.1)
        return self.states[-1]

    async def ask(self, what: str, about: str = "") -> None:
        await self.client.command(what, about, "a test")


async def watching(program: Program) -> Watcher:
    """Once it listens."""
    found: list[Watcher] = []

    def told(message: Message) -> None:
        (found[0].states if message["is"] == "state" else found[0].events).append(message)

    def left() -> None:
        found[0].has_left = True

    client = CoreClient(program.places, told, left)
    found.append(Watcher(program, client))
    end = time.monotonic() + PATIENCE_S
    while not await client.open():
        assert program.process.poll() is None, program.log.read_text()
        assert time.monotonic() < end, program.log.read_text()
        await asyncio.sleep(0.05)
    return found[0]


@contextmanager
def live_program(folder: Path) -> Iterator[Program]:
    """Its guardian and its broker, which outlive it, end with the test."""
    strategy, log = folder / "spoken.yaml", folder / "live.log"
    folder.mkdir(parents=True)
    strategy.write_text(STRATEGY, encoding="utf-8")
    places = live_places(folder / "live")
    take_older_prices()
    publisher = SignalPublisher(symbol="BTCUSD")
    options = ["--symbols", "BTCUSD", "--timeframe", "1m", "--signals", "stream", "--headless"]
    command = [sys.executable, "-m", "sptrader_desktop", "live", str(strategy), *options]
    surroundings = {**os.environ, "SPTRADER_LIVE": str(places.folder)}
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=surroundings, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        yield Program(places, process, publisher, log)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)
        publisher.close()
        _end_those_of(folder)


def _end_those_of(folder: Path) -> None:
    for process in psutil.process_iter(["cmdline"]):
        if any(str(folder) in part for part in process.info["cmdline"] or ()):
            process.terminate()
            process.wait(PATIENCE_S)
