"""An emergency stop in every state of a session: until the gate is shut, until the broker read its last order, and for the command."""

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.children import Beside
from benchmarks.hiccups import hiccup_words
from benchmarks.report import Line, Options, duration, seconds
from sptrader_desktop.guardian.asking import ask
from sptrader_desktop.guardian.clock import now_ns
from sptrader_desktop.guardian.lines import written
from tests.guardian_rig import live_session, wait_for
from tests.stop_trials import STATES, Trial, run_trial

TITLE = "Emergency stop: scripted broker, guardian and core as processes of their own"
GATE_S, COMMAND_S = 0.010, 0.300
COMMANDS_A_RUN = 4
ORDERS, PAUSE_S = 500, 0.002


def lines(options: Options) -> Iterator[Line]:
    hiccups = Beside("hiccups")
    trials = {state: [_trial(state, number) for number in range(options.runs)] for state in STATES}
    waits = hiccups.found()
    gates = sorted(trial.gate / 1e3 for each in trials.values() for trial in each)
    worst = gates[int(len(gates) * 0.99)]
    yield Line(f"request until the gate is shut, {len(gates)} stops, median", duration(statistics.median(gates)))
    yield Line("the same, 99 %", duration(worst), "", "", duration(GATE_S), worst < GATE_S)
    yield Line("this computer's own hiccups meanwhile, median, 99 %, longest", hiccup_words(waits))
    for state, found in trials.items():
        last, clear = (max(getattr(trial, name) / 1e3 for trial in found) for name in ("last_order", "clear"))
        yield Line(f"{state}: last order read by the broker, longest", duration(last) if last else "none after the request")
        yield Line(f"{state}: until the broker is clear, longest", duration(clear))
    passing = sorted(_passing(ORDERS))
    yield Line(f"an order through the guardian until the broker read it, {ORDERS} orders, median", duration(statistics.median(passing)))
    yield Line("the same, 99 %", duration(passing[int(len(passing) * 0.99)]))
    taken = _commands(options.runs * COMMANDS_A_RUN)
    longest = max(taken)
    yield Line(f"`sptrader stop` from exec to its end, {len(taken)} times, median", duration(statistics.median(taken)))
    yield Line("the same, longest", duration(longest), "", "", duration(COMMAND_S), longest < COMMAND_S)


def _trial(state: str, number: int) -> Trial:
    with tempfile.TemporaryDirectory(prefix="sptrader-bench-") as folder:
        return run_trial(state, Path(folder) / "live", number)


def _passing(count: int) -> list[float]:
    """Orders of this process, one after the other."""
    with tempfile.TemporaryDirectory(prefix="sptrader-bench-") as folder, live_session(Path(folder) / "live") as rig:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as core:
            core.connect(str(rig.places.orders))
            core.sendall(written({"do": "hello", "account": "paper-1", "since": 0}))
            wait_for(lambda: (rig.status() or {})["gate"]["state"] == "open", "the gate to open")
            sent = []
            for number in range(count):
                time.sleep(PAUSE_S)
                ask(rig.places, {"do": "heartbeat", "from": "core"})
                sent.append(now_ns())
                core.sendall(written({"do": "place", "id": str(number), "kind": "limit", "quantity": 1}))
            wait_for(lambda: rig.broker.orders_heard() == count, "the orders")
        heard = [item.at_ns for item in rig.broker.heard if item.message["do"] == "place"]
        return [(there - here) / 1e9 for here, there in zip(sent, heard, strict=True)]


def _commands(count: int) -> list[float]:
    """Each finds orders to cancel and prints what became of them."""
    with tempfile.TemporaryDirectory(prefix="sptrader-bench-") as folder, live_session(Path(folder) / "live") as rig:
        rig.start_core()
        environment = os.environ | {"SPTRADER_LIVE": str(rig.places.folder)}
        command = [str(Path(sys.executable).with_name("sptrader")), "stop"]
        taken = []
        for number in range(count):
            rig.rearm()
            rig.broker.rest(f"resting-{number}")
            taken.append(seconds(lambda: subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)))
            wait_for(lambda: not rig.broker.orders, "the order to be cancelled")
        return taken
