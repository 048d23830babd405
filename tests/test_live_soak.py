"""Ten minutes of trading with something going wrong every half minute: memory stays what it was, no queue grows, the window answers."""

import logging
import os
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from itertools import chain, cycle
from pathlib import Path

import numpy as np
import pytest

from benchmarks.children import Beside
from benchmarks.window import places
from tests.live_load import TIMEFRAME, Load, account_of, check_nothing_is_doubled, loaded_session, settle
from tests.live_process import LiveSession, end_detached
from tests.live_trouble import Trouble, resident, unknown, untold

log = logging.getLogger(__name__)
A_MINUTE, MINUTES, EVERY_S = 10_000, 10.0, 30.0
FIRST = "kill_core"  # and never again: what a process keeps shows when it lives long
TROUBLES = (
    "kill_guardian",
    "kill_valkey",
    "stop_valkey",
    "trim",
    "delete_group",
    "poison",
    "stop_core",
    "empty",
    "stop_guardian",
)
# Bytes a minute, once a process has warmed up: each of its threads has its own part of the heap, and the last fills it after 100 s.
WARM_S, STEEPEST = 120.0, 1 << 20
KEPT = {"Valkey": 1_000}  # what each signal leaves: itself and a price, until the streams are long enough; nobody else keeps anything
MOST_WAITING, LOOKS = 2_000, 5  # signals; a queue that does not grow is shorter than that once in so many looks, one before each trouble
LEAST_ORDERS = 100
STALL_S, QUIET_S = 1.0, 0.005


class Watch:
    """Memory of each process each second, and how many signals wait."""

    def __init__(self, session: LiveSession, home: Path, trouble: Trouble) -> None:
        self._session, self._home, self._trouble = session, home, trouble
        self.memory = defaultdict[tuple[str, int], list[tuple[float, int]]](list)
        self.waiting: list[int] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(1.0):
            for role, (pid, size) in resident(self._session, self._home).items():
                self.memory[role, pid].append((time.monotonic(), size))

    def slopes(self, warm_s: float) -> dict[tuple[str, int], float]:
        """Bytes a minute, of those that lived long enough to tell."""
        found = {}
        for (role, pid), seen in self.memory.items():
            at, size = np.array([each for each in seen if each[0] > seen[0][0] + warm_s]).reshape(-1, 2).T
            if len(at) > warm_s:
                found[role, pid] = float(np.polyfit(at, size, 1)[0]) * 60
        return found

    def sizes(self, role: str, pid: int) -> str:
        return " ".join(f"{size / 1e6:.1f}" for _, size in self.memory[role, pid][:: round(EVERY_S / 2)])


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveSession]:
    for name, place in (places(tmp_path) | {"SPTRADER_LIVE": str(tmp_path / "live")}).items():
        monkeypatch.setenv(name, place)
    live = loaded_session(tmp_path)
    try:
        yield live
    finally:
        live.end()
        live.publisher.close()
        end_detached(tmp_path)


@pytest.mark.campaign
@pytest.mark.timeout(3_600)
def test_ten_minutes_of_trouble_leave_no_trace(session: LiveSession, tmp_path: Path) -> None:
    """`SPTRADER_SOAK_S` makes it shorter, and the troubles come faster."""
    seconds = float(os.environ.get("SPTRADER_SOAK_S") or MINUTES * 60)
    every = EVERY_S * seconds / (MINUTES * 60)
    session.start(timeframe=TIMEFRAME)
    trouble, load = Trouble(session), Load()
    load.price()
    window = Beside("live_window")
    window.until("open")
    hiccups = Beside("hiccups")
    over = threading.Event()

    def bring(watch: Watch) -> None:
        for name in chain([FIRST], cycle(TROUBLES)):
            if over.wait(every):
                return
            watch.waiting.append(trouble.waiting())
            getattr(trouble, name)()

    with Watch(session, tmp_path, trouble) as watch:
        bringing = threading.Thread(target=bring, args=(watch,))
        bringing.start()
        load.run(A_MINUTE, round(A_MINUTE * seconds / 60), seconds)
        over.set()
        bringing.join()
    load.run(600, 8)
    settle(session, load)
    load.close()
    waits, shown, slopes = hiccups.found(), window.found(), watch.slopes(WARM_S * seconds / (MINUTES * 60))
    session.end()
    account = account_of(session, load)
    said = f"{len(load.published)} signals, {len(account.orders)} orders, {load.late} slots late"
    told = {f"{role} {pid}": f"{slope / 1e6:.2f} MB a minute, {watch.sizes(role, pid)}" for (role, pid), slope in slopes.items()}
    log.info("%s; memory %s; waiting %s; window %s; hiccups %s", said, told, watch.waiting, shown, waits)
    check_nothing_is_doubled(account)
    assert untold(session, load, account) == []
    assert len(unknown(load, account)) <= load.doubtful
    assert len(account.orders) > LEAST_ORDERS
    assert all(min(watch.waiting[at : at + LOOKS]) < MOST_WAITING for at in range(max(1, len(watch.waiting) - LOOKS + 1)))
    if seconds >= MINUTES * 60:
        a_minute = len(load.published) / MINUTES
        assert {role: slope for role, slope in slopes.items() if slope > STEEPEST + KEPT.get(role[0], 0) * a_minute} == {}
    if waits["most"] < QUIET_S:  # else it is the computer that keeps everybody waiting
        assert shown["lag"] < STALL_S
