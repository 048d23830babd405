"""What other threads send arrives in the window's thread, once a frame, the newest or all of it; and one bad listener harms nobody else."""

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot

from sptrader_desktop.ui.bridge import FRAME_S, Bridge, Channel

Told = list[tuple[str, str]]


@pytest.fixture
def told() -> Told:
    return []


@pytest.fixture
def bridge(qtbot: QtBot, told: Told) -> Iterator[Bridge]:
    bridge = Bridge(lambda error, doing: told.append((str(error), doing)))
    yield bridge
    bridge.close()


def in_thread(work: Callable[[], object]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_delivery_happens_in_the_windows_thread(bridge: Bridge, qtbot: QtBot) -> None:
    heard: list[tuple[str, int]] = []
    channel: Channel[str] = bridge.latest("price", lambda price: heard.append((price, threading.get_ident())))
    in_thread(lambda: channel.send("1.0842"))
    assert heard == []
    qtbot.waitUntil(lambda: bool(heard))
    assert heard == [("1.0842", threading.get_ident())]


def test_ten_thousand_prices_become_a_few_deliveries_of_the_newest(bridge: Bridge, qtbot: QtBot) -> None:
    heard: list[int] = []
    channel = bridge.latest("price", heard.append)
    began = time.monotonic()
    in_thread(lambda: deque(map(channel.send, range(10_000))))
    qtbot.waitUntil(lambda: heard[-1:] == [9_999])
    assert heard == sorted(heard)
    assert len(heard) <= (time.monotonic() - began) / FRAME_S + 2


def test_a_frame_passes_between_two_deliveries(bridge: Bridge, qtbot: QtBot) -> None:
    times: list[float] = []
    channel: Channel[int] = bridge.latest("price", lambda _: times.append(time.monotonic()))
    stop = threading.Event()
    sender = threading.Thread(target=lambda: deque(map(channel.send, iter(stop.is_set, True)), maxlen=0))
    sender.start()
    qtbot.waitUntil(lambda: len(times) >= 6)
    stop.set()
    sender.join()
    assert min(later - earlier for earlier, later in itertools.pairwise(times)) >= FRAME_S


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(), min_size=1, max_size=60), st.integers(1, 20))
def test_events_arrive_in_order_and_what_is_lost_is_counted(bridge: Bridge, qtbot: QtBot, events: list[int], most: int) -> None:
    heard: list[int] = []
    lost = 0

    def hear(batch: list[int], missing: int) -> None:
        nonlocal lost
        heard.extend(batch)
        lost += missing

    channel = bridge.every("events", hear, most)
    for event in events:
        channel.send(event)
    qtbot.waitUntil(lambda: len(heard) + lost == len(events))
    channel.close()
    assert lost == max(0, len(events) - most)
    assert heard == events[lost:]


def test_a_listener_that_fails_is_told_and_the_others_hear(bridge: Bridge, qtbot: QtBot, told: Told) -> None:
    heard: list[int] = []
    bad: Channel[int] = bridge.latest("bad", lambda _: int("no number"))
    good = bridge.latest("good", heard.append)
    bad.send(0)
    good.send(1)
    qtbot.waitUntil(lambda: bool(heard))
    assert [doing for _, doing in told] == ["showing bad"]
    good.send(2)
    qtbot.waitUntil(lambda: heard == [1, 2])


@pytest.mark.parametrize("when", ["before the frame", "during it"])
def test_nothing_is_delivered_after_a_channel_is_closed(bridge: Bridge, qtbot: QtBot, when: str) -> None:
    heard: list[int] = []
    closed = bridge.latest("closed", heard.append)
    other: Channel[int] = bridge.latest("other", lambda _: closed.close())
    last_heard: list[int] = []
    last = bridge.latest("last", last_heard.append)
    other.send(0)
    closed.send(1)
    last.send(0)
    if when == "before the frame":
        closed.close()
    qtbot.waitUntil(lambda: bool(last_heard))
    closed.send(2)
    assert heard == []
    assert closed not in bridge.wanting
