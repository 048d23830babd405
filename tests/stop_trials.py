"""One emergency stop in each state that a live session can be in, with what must hold after it, whatever the state."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sptrader_desktop.guardian.clock import now_ns
from sptrader_desktop.guardian.latch import read_latch
from sptrader_desktop.guardian.pipe import ORDERS
from tests.guardian_rig import Rig, freeze, live_session, thaw, wait_for
from tests.scripted_broker import Script


@dataclass(frozen=True, slots=True)
class Trial:
    """Milliseconds from the request to the gate, to the last order that the broker read by its clock, and to a clear broker."""

    gate: float
    last_order: float
    clear: float
    refused: int
    late: int


@dataclass(frozen=True, slots=True)
class State:
    script: Callable[[], Script]
    begin: Callable[[Rig, random.Random], None]
    after: Callable[[Rig], None] = lambda _rig: None
    flatten: bool = False
    is_flood: bool = False


def run_trial(state: str, folder: Path, seed: int = 0) -> Trial:
    chosen, chance = STATES[state], random.Random(seed)
    with live_session(folder, chosen.script()) as rig:
        chosen.begin(rig, chance)
        begun = now_ns()
        gate = rig.stop(flatten=chosen.flatten)[1]
        chosen.after(rig)
        rig.until_verified()
        clear = (now_ns() - begun) / 1e6
        if chosen.is_flood:
            wait_for(lambda: _refused(rig), "an order to be refused")
        steps = rig.until_verified(("done",))
        refused = _refused(rig)
        for core in rig.cores:
            rig.end_core(core)
        _check(rig, chosen)
        orders = [item.at_ns for item in rig.broker.heard if item.message["do"] in ORDERS and not _is_ours(item.message["id"])]
        last = max([(at - begun) / 1e6 for at in orders if at > begun], default=0.0)
        return Trial(gate, last, clear, refused, steps["verify"]["late"])


def _check(rig: Rig, state: State) -> None:
    broker, found = rig.broker, rig.status()
    assert broker.orders_after_the_gate() == []
    assert broker.crossed == []
    assert broker.orders == {}
    assert not (state.flatten and broker.positions)
    assert found
    assert found["gate"]["state"] == "shut"
    assert read_latch(rig.places.latch) is not None
    ids = [item.message["id"] for item in broker.heard if item.message["do"] in ORDERS | {"cancel"}]
    assert len(ids) == len(set(ids))


def _refused(rig: Rig) -> int:
    found = rig.status()
    assert found
    refused: int = found["gate"]["refused"]
    return refused


def _is_ours(key: str) -> bool:
    return key.startswith("guardian-")


# States


def _flood(at_least: int, *, is_hog: bool = False, frozen: bool = False) -> Callable[[Rig, random.Random], None]:
    def begin(rig: Rig, chance: random.Random) -> None:
        core = rig.start_core(-1, is_hog=is_hog)
        wait_for(lambda: rig.broker.orders_heard() > at_least, "the flood")
        time.sleep(chance.uniform(0, 0.02))
        if frozen:
            freeze(core)

    return begin


def _resting(count: int, kind: str = "limit") -> Callable[[Rig, random.Random], None]:
    def begin(rig: Rig, chance: random.Random) -> None:
        rig.start_core(count, kind)
        wait_for(lambda: rig.broker.orders_heard() == count, "all orders")
        time.sleep(chance.uniform(0, 0.005))

    return begin


def _idle(rig: Rig, chance: random.Random) -> None:
    rig.start_core()
    rig.broker.rest("from-before")
    time.sleep(chance.uniform(0, 0.01))


def _thawed(rig: Rig) -> None:
    """It goes on where it was, and finds every order refused."""
    time.sleep(0.1)
    for core in rig.cores:
        thaw(core)
    time.sleep(0.1)


def _broker_gone(rig: Rig, chance: random.Random) -> None:
    _resting(20)(rig, chance)
    wait_for(lambda: len(rig.broker.orders) == 20 and (rig.status() or {})["broker"]["connected"], "the orders to work")
    time.sleep(0.05)
    rig.broker.go_away()
    wait_for(lambda: not (rig.status() or {})["broker"]["connected"], "the loss to be seen")


def _broker_back(rig: Rig) -> None:
    time.sleep(0.1)
    told = rig.status()
    assert told
    assert told["stop"]["says"].startswith("20 orders not confirmed cancelled: the broker cannot be reached")
    rig.broker.come_back()


def _positions(rig: Rig, chance: random.Random) -> None:
    _resting(4, "market")(rig, chance)
    wait_for(lambda: len(rig.broker.positions) == 4, "the positions")
    for number in range(3):
        rig.broker.rest(f"resting-{number}")


def _restarted(rig: Rig) -> None:
    """Killed with closes on their way, and started again: what is on its way is not sent twice."""
    wait_for(lambda: any(item.message["do"] == "close" for item in list(rig.broker.heard)), "a close")
    rig.kill_guardian()
    rig.start_guardian()


STATES = {
    "idle": State(Script, _idle),
    "order in flight": State(lambda: Script(accept_after=0.15), _resting(1)),
    "queue of 1,000": State(lambda: Script(per_line=0.0001), _resting(1000)),
    "queue half sent": State(lambda: Script(per_line=0.0005), _flood(300), is_flood=True),
    "core stopped": State(Script, _flood(100, frozen=True), _thawed, is_flood=True),
    "core hogging": State(Script, _flood(100, is_hog=True), is_flood=True),
    "broker slow": State(lambda: Script(per_line=0.002), _flood(20), is_flood=True),
    "broker gone": State(Script, _broker_gone, _broker_back),
    "partial flatten": State(
        lambda: Script(partial_closes=3, reject_closes=2, fill_cancelled=1, close_after=0.02), _positions, flatten=True
    ),
    "answer lost": State(lambda: Script(swallow_closes=1, close_after=0.25), _positions, flatten=True),
    "guardian restarted": State(lambda: Script(close_after=0.25), _positions, _restarted, flatten=True),
}
