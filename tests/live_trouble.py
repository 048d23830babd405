"""What goes wrong around a live session of real processes, and whether all that was lost by it was told."""

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import psutil

from sptrader_desktop.adapters.redis_signals import GROUP, STREAM
from sptrader_desktop.settings import load_settings
from tests.live_load import TIMEFRAME, Account, Load, asking, waiting
from tests.live_process import LiveSession
from tests.servers import server_process

GAP = re.compile(r"of (.+) the messages (\d+) to (\d+) are missing")
PATIENCE_S, UNREAD_S = 30.0, 0.3


class Trouble:
    """Each fault is over when its method returns; what follows from it may not be."""

    def __init__(self, session: LiveSession) -> None:
        self._session, self._settings, self._numbers = session, load_settings(), count()

    # Processes

    def kill_core(self) -> None:
        self._session.kill()
        self._session.start(timeframe=TIMEFRAME)

    def kill_guardian(self) -> None:
        self._session.kill_guardian()

    def kill_valkey(self) -> None:
        self._valkey().kill()

    def stop_core(self, seconds: float = 2.0) -> None:
        assert self._session.core is not None
        _stopped(psutil.Process(self._session.core.pid), seconds)

    def stop_guardian(self, seconds: float = 2.0) -> None:
        _stopped(psutil.Process(self._session.guardian), seconds)

    def stop_valkey(self, seconds: float = 2.0) -> None:
        _stopped(self._valkey(), seconds)

    def _valkey(self) -> psutil.Process:
        end = time.monotonic() + PATIENCE_S
        while (found := server_process(self._settings, "valkey")) is None:
            assert time.monotonic() < end, "no Valkey runs"
            time.sleep(0.02)
        return found

    # The stream

    def empty(self) -> None:
        with self._unread(), asking() as valkey:
            valkey.flushall()

    def trim(self) -> None:
        with self._unread(), asking() as valkey:
            valkey.xtrim(STREAM, maxlen=0, approximate=False)

    def delete_group(self) -> None:
        with asking() as valkey:
            valkey.xgroup_destroy(STREAM, GROUP)

    def fill(self, seconds: float = 1.0) -> None:
        """Nothing more goes in."""
        with asking() as valkey:
            valkey.config_set("maxmemory", "1mb")
            time.sleep(seconds)
            valkey.config_set("maxmemory", "256mb")

    def poison(self, many: int = 100) -> None:
        with asking() as valkey:
            pipe = valkey.pipeline(transaction=False)
            for number in range(many):
                pipe.xadd(STREAM, _POISONS[next(self._numbers) % len(_POISONS)](number))
            pipe.execute()

    def waiting(self) -> int:
        with asking() as valkey:
            return waiting(valkey)

    @contextmanager
    def _unread(self) -> Iterator[None]:
        """Something is in the stream that the core has not read."""
        assert self._session.core is not None
        core = psutil.Process(self._session.core.pid)
        core.send_signal(signal.SIGSTOP)
        time.sleep(UNREAD_S)
        yield
        core.send_signal(signal.SIGCONT)


_POISONS: "tuple[Callable[[int], dict[Any, Any]], ...]" = (
    lambda number: {"data": f"poison {number}"},
    lambda number: {"data": b"\xff\xfe" + bytes([number % 256])},
    lambda number: {"data": '{"signal_name": "ma_crossover", "strength": NaN}', "about": str(number)},
    lambda number: {"data": "[" * 2_000, "about": str(number)},
    lambda number: {"nothing": str(number)},
)


def _stopped(process: psutil.Process, seconds: float) -> None:
    process.send_signal(signal.SIGSTOP)
    time.sleep(seconds)
    process.send_signal(signal.SIGCONT)


# Afterwards


def lost(load: Load, account: Account) -> list[int]:
    """Numbers of signals that have no outcome."""
    return [said.number for name, said in load.published.items() if name not in account.outcomes]


def untold(session: LiveSession, load: Load, account: Account) -> list[int]:
    """Those of the lost of which nobody said that they are missing."""
    told = [(name, int(first), int(last)) for name, first, last in GAP.findall(session.told())]
    spans = [(first, last) for name, first, last in told if name == load.name]
    return [number for number in lost(load, account) if not any(first <= number <= last for first, last in spans)]


def unknown(load: Load, account: Account) -> set[str]:
    """Outcomes of what was never published: poison has names of its own."""
    return {name for name in account.outcomes.keys() - load.published.keys() if not name.startswith("poison ")}


def resident(session: LiveSession, home: Path) -> dict[str, tuple[int, int]]:
    """Of each process of the session: its id, and its memory in bytes."""
    found = {}
    for process in psutil.process_iter(["cmdline", "memory_info"]):
        words = process.info["cmdline"] or []
        role = next((role for role, word in _ROLES.items() if any(word in each for each in words)), None)
        if role is not None and process.pid != os.getpid() and any(str(home) in word for word in words):
            found[role] = process.pid, process.info["memory_info"].rss
    if session.core is not None and session.core.poll() is None:
        found["core"] = session.core.pid, psutil.Process(session.core.pid).memory_info().rss
    return found


_ROLES = {"guardian": "sptrader_desktop.guardian", "broker": "sptrader_desktop.paper_broker", "Valkey": "valkey-server"}
