"""What the guardian decides, in every order of events: which orders leave, what is cancelled and closed, and that bugs would be seen."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sptrader_desktop.guardian import gate as gates
from sptrader_desktop.guardian import guard as guards
from sptrader_desktop.guardian import latch as latches
from sptrader_desktop.guardian import pipe as pipes
from sptrader_desktop.guardian import sweep as sweeps
from sptrader_desktop.guardian.guard import Guard
from sptrader_desktop.guardian.latch import Account, Latch, new_latch, read_account, read_latch, write_latch
from sptrader_desktop.guardian.lines import LONGEST, LineBuffer, LineError, Message, parsed, written
from sptrader_desktop.guardian.pipe import Pipe
from sptrader_desktop.guardian.sweep import Terms
from tests.guardian_world import World

# Which orders leave


@dataclass
class Bench:
    """Guard and pipe without sockets. `expected` is computed from the history of events alone, `left` is what was let out."""

    now: float = 0.0
    left: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)
    disk: Latch | None = None

    def __post_init__(self) -> None:
        self.guard = Guard(Terms(), self, "x", None, None)
        self.pipe = Pipe(self.guard.gate)
        self.queue: list[tuple[str, int]] = []  # orders that came while it was open, with the count of events by then
        self.count = self.hello_at = self.shut_at = 0
        self.is_stopped = False
        self.heard: dict[str, float] = {}
        self.silent: set[str] = set()

    def keep(self, latch: Latch | None) -> str:
        self.disk = latch
        return ""

    def remember(self, account: Account) -> None: ...
    def to_broker(self, message: Message) -> None: ...
    def to_core(self, message: Message) -> None: ...

    def mark(self) -> None:
        self.pipe.mark()

    def is_drained(self) -> bool:
        return True

    def refused(self) -> int:
        return self.pipe.refused

    # Events, each told to both sides

    def event(self, name: str) -> None:
        self.count += 1
        getattr(self, f"do_{name}")()

    def do_hello(self) -> None:
        hello = self.pipe.from_core(written({"do": "hello", "account": "a", "since": 0}))
        assert hello
        self.guard.core_hello(hello, self.now)
        self.hello_at = self.count
        self.beat("core")

    def do_order(self) -> None:
        key = f"o{self.count}"
        self.pipe.from_core(written({"do": "place", "id": key}))
        if self.is_open():
            self.queue.append((key, self.count))

    def is_open(self) -> bool:
        return self.hello_at > self.shut_at and not self.is_stopped and not self.silent

    def do_cancel(self) -> None:
        self.pipe.from_core(written({"do": "cancel", "id": "c", "order": "o"}))

    def do_write(self) -> None:
        while (taken := self.pipe.take()) is not None:
            message = parsed(taken[0])
            self.left += [message["id"]] if message["do"] == "place" else []
        self.expected += [key for key, came in self.queue if self.is_open() and came > self.shut_at]
        self.queue.clear()

    def do_congested(self) -> None:
        """A line is tried, and the broker's side is full."""
        if self.pipe.take() is not None:
            self.pipe.put_back()

    def beat(self, who: str) -> None:
        self.heard[who] = self.now
        self.silent.discard(who)

    def do_core_beat(self) -> None:
        self.guard.control({"do": "heartbeat", "from": "core"}, self.now, 0)
        self.beat("core")

    def do_window_beat(self) -> None:
        self.guard.control({"do": "heartbeat", "from": "window"}, self.now, 0)
        self.beat("window")

    def do_window_leaves(self) -> None:
        self.guard.control({"do": "goodbye", "from": "window"}, self.now, 0)
        self.heard.pop("window", None)
        self.silent.discard("window")

    def do_stop(self) -> None:
        self.guard.control({"do": "stop", "flatten": False, "by": "t"}, self.now, 0)
        self.is_stopped, self.shut_at = True, self.count
        assert self.disk is not None

    def do_rearm(self) -> None:
        self.guard.control({"do": "rearm", "by": "t"}, self.now, 0)
        self.is_stopped, self.shut_at = False, self.count
        for who in self.silent:
            del self.heard[who]
        self.silent.clear()
        assert self.disk is None

    def do_core_gone(self) -> None:
        self.guard.core_gone()
        self.shut_at = self.count

    def do_wait(self) -> None:
        for _ in range(6):
            self.now += 0.1
            self.guard.tick(self.now, 0)
            self.fall(1.0, 3.0)

    def do_sleep(self) -> None:
        self.now += 5
        self.guard.tick(self.now, 0)
        self.fall(0.0, 0.0)

    def fall(self, silence: float, of_window: float) -> None:
        limits = {"core": silence, "window": of_window}
        fallen = {who for who, at in self.heard.items() if self.now - at > limits[who]} - self.silent
        self.silent |= fallen
        if fallen:
            self.shut_at = self.count


EVENTS = [name.removeprefix("do_") for name in dir(Bench) if name.startswith("do_")]
USUAL = ["hello", "order", "write", "core_beat"]


def compare(events: list[str]) -> None:
    bench = Bench()
    bench.guard.tick(0.0, 0)
    for name in events:
        bench.event(name)
        assert bench.left == bench.expected


@settings(max_examples=300)
@given(st.lists(st.sampled_from(EVENTS + 2 * USUAL), max_size=40))
def test_exactly_those_orders_leave_that_came_after_the_last_hello_with_nothing_in_the_way(events: list[str]) -> None:
    compare(events)


def test_orders_do_leave() -> None:
    bench = Bench()
    for name in ("hello", "order", "write", "wait", "core_beat", "order", "write"):
        bench.event(name)
    assert bench.left == ["o2", "o6"]


# What is done at the broker


def clear_in_the_end(seed: int) -> None:
    world = World(seed)
    world.run()
    assert world.crossed == []
    assert len(world.ids) == len(set(world.ids))
    assert (world.orders, world.positions) == (set(), {})
    assert world.guard.status(world.now)["stop"]["says"].startswith("clear at the broker")
    assert world.disk is not None


@settings(max_examples=100)
@given(st.integers(0, 2**32))
def test_whatever_goes_wrong_the_broker_is_clear_in_the_end_and_no_close_goes_beyond_zero(seed: int) -> None:
    clear_in_the_end(seed)


@pytest.mark.campaign
@settings(max_examples=5000)
@given(st.integers(0, 2**32))
def test_many_worlds_are_clear_in_the_end(seed: int) -> None:
    clear_in_the_end(seed)


# Bugs that must be seen


def reopened_by_a_beat(self: gates.Gate, who: str, now: float) -> None:
    self._heard[who] = now
    self._silent.discard(who)
    self._awaits_hello = self._awaits_hello and who != "core"


def blind_to_what_waited(self: gates.Gate, _shuttings: int) -> bool:
    return self.is_open


def forgetful(self: guards.Guard) -> None:
    self._latch = self._latch and Latch(self._latch.at, self._latch.by, self._latch.flatten)
    self._out.keep(self._latch)


def impatient(self: sweeps.Sweep, now: float, number: int) -> None:
    self.is_connected, self._due, self._last = True, now, number
    self._closes.clear()


def closes_twice(self: sweeps.Sweep, position: str, now: float) -> bool:
    return True


def never_again(self: sweeps.Sweep, now: float) -> float:
    return float("inf")


BUGS: dict[str, tuple[type, str, Callable[..., Any], str]] = {
    "a heartbeat opens the gate": (gates.Gate, "beat", reopened_by_a_beat, "orders"),
    "what waited while it was shut leaves": (gates.Gate, "lets_out", blind_to_what_waited, "orders"),
    "no hello is needed again": (gates.Gate, "_shut", lambda *_: None, "orders"),
    "nobody falls silent": (gates.Gate, "watch", lambda *_: [], "orders"),
    "a refused order is not taken out": (
        pipes.Pipe,
        "_put_order",
        lambda self, line, _key: self._waiting.append(pipes._Waiting(line)),
        "orders",
    ),
    "closes are not on disk": (guards.Guard, "_keep", forgetful, "worlds"),
    "a lost answer is taken for a lost request": (sweeps.Sweep, "connected", impatient, "worlds"),
    "a second close while one is underway": (sweeps.Sweep, "_may_close", closes_twice, "worlds"),
    "one look is enough": (sweeps.Sweep, "_next_look", never_again, "worlds"),
}


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_seen(bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, name, wrong, where = BUGS[bug]
    monkeypatch.setattr(owner, name, wrong)

    def orders() -> None:
        for seed in range(3000):
            compare(random.Random(seed).choices(EVENTS + 2 * USUAL, k=40))

    def worlds() -> None:
        for seed in range(60):
            clear_in_the_end(seed)

    with pytest.raises((AssertionError, KeyError)):
        {"orders": orders, "worlds": worlds}[where]()


# Lines


@given(st.lists(st.binary(max_size=50).filter(lambda part: b"\n" not in part)), st.data())
def test_lines_come_out_as_they_went_in_however_they_are_cut(lines: list[bytes], data: st.DataObject) -> None:
    sent, buffer, found = b"".join(line + b"\n" for line in lines), LineBuffer(), []
    while sent:
        size = data.draw(st.integers(1, len(sent)))
        buffer.feed(sent[:size])
        sent = sent[size:]
        while (line := buffer.pop()) is not None:
            found.append(line)
    assert found == [line + b"\n" for line in lines]


def test_a_line_of_64_kib_is_one_and_a_longer_one_is_refused_before_its_end() -> None:
    buffer = LineBuffer()
    buffer.feed(b"x" * (LONGEST - 1) + b"\n")
    assert len(buffer.pop() or b"") == LONGEST
    with pytest.raises(LineError, match="longer than 65536"):
        buffer.feed(b"x" * LONGEST)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[]",
        b"1",
        b"{",
        b'{"do":"place","do":"ping"}',
        b'{"do":NaN}',
        b'{"do":"\xff"}',
        b"\xef\xbb\xbf{}",
        '{"do":"ping"}'.encode("utf-16"),
        b"[" * 60_000,
        b'{"n":' + b"9" * 60_000 + b"}",
    ],
)
def test_what_two_readers_could_read_differently_is_no_line(line: bytes) -> None:
    with pytest.raises(LineError):
        parsed(line)


@settings(max_examples=50)
@given(st.binary(max_size=200) | st.dictionaries(st.text(max_size=3), st.integers()).map(written))
def test_only_what_is_known_to_be_harmless_or_let_out_goes_to_the_broker(line: bytes) -> None:
    pipe = Pipe(gates.Gate(1.0))
    assert pipe.from_core(line) is None
    assert pipe.take() is None
    assert [parsed(answer)["is"] for answer in pipe.refusals] == ["refused"]


@pytest.mark.parametrize("do", ["place", "close", "protect", "Place", "place ", "modify", ""])
def test_orders_and_what_is_unknown_are_refused_while_the_gate_is_shut(do: str) -> None:
    pipe = Pipe(gates.Gate(1.0))
    pipe.from_core(written({"do": do, "id": "x"}))
    assert pipe.take() is None
    assert len(pipe.refusals) == 1


@pytest.mark.parametrize("repeats_ids", [False, True])
def test_answers_to_marks_are_kept_from_the_core_and_show_that_all_was_read(repeats_ids: bool) -> None:
    pipe = Pipe(gates.Gate(1.0))
    pipe.mark()
    assert pipe.take() is None
    pipe.from_core(written({"do": "hello", "account": "a", "since": 0}))
    pipe.from_core(written({"do": "ping", "id": "first"}))
    pipe.mark()
    pipe.from_core(written({"do": "ping", "id": "second"}))
    pings = [message["id"] for line, _ in iter(pipe.take, None) if (message := parsed(line))["do"] == "ping"]
    assert pings == ["first", pipes.MARK, "second"]
    passed = []
    for key in pings:
        assert pipe.is_drained is (key == "second")
        passed.append(pipe.from_broker(written({"is": "pong", "id": key} if repeats_ids else {"is": "pong"})))
    assert [line is not None for line in passed] == [True, False, True]


# The latch


@given(st.binary(max_size=100))
def test_a_latch_that_cannot_be_read_is_a_latch(content: bytes) -> None:
    path = Path(latches.__file__).with_name("no-such-folder")  # replaced below; never written
    assert read_latch(path) is None
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Path, "read_bytes", lambda _path: content)
        assert read_latch(path) is not None
        read_account(path)


def test_a_latch_comes_back_as_it_was_and_goes_when_it_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "stopped.json"
    latch = Latch(new_latch("me", flatten=True).at, "me", flatten=True, since=7, closes={"guardian-1": "p"})
    write_latch(path, latch)
    assert read_latch(path) == latch
    assert [file.name for file in tmp_path.iterdir()] == ["stopped.json"]
    write_latch(path, None)
    assert read_latch(path) is None
    write_latch(path, None)
    path.mkdir()
    assert read_latch(path) is not None
