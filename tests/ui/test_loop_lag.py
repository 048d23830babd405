"""Loop lag is measured, and the bounded end of the window names what did not stop."""

import asyncio
import time
from functools import partial

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot

from sptrader_desktop.ui.loop_lag import BEAT_MS, STALL_MS, LagRecord, LoopLag
from sptrader_desktop.ui.shutdown import Shutdown, Stop
from tests.virtual_time import VirtualLoop

LAGS = st.lists(st.floats(0, 30_000), min_size=1, max_size=300)


@given(LAGS, st.floats(0.001, 1))
def test_a_percentile_is_never_under_the_true_one_and_at_most_a_bucket_over_it(lags: list[float], share: float) -> None:
    record = LagRecord()
    for ms in lags:
        record.add(ms)
    true = float(np.quantile(lags, share, method="inverted_cdf"))
    assert true <= record.percentile(share) * (1 + 1e-9)
    assert record.percentile(share) <= max(0.01, true * 2 ** (1 / 8)) * (1 + 1e-9)


@given(LAGS)
def test_the_longest_and_the_stalls_are_exact(lags: list[float]) -> None:
    record = LagRecord()
    for ms in lags:
        record.add(ms)
    summary = record.summary()
    assert (summary.longest, summary.recent, summary.last) == (max(lags),) * 3
    assert summary.stalls == sum(ms > STALL_MS for ms in lags)


def test_ten_seconds_are_remembered_as_recent() -> None:
    record = LagRecord()
    record.add(80)
    for second in range(10):
        assert record.summary().recent == (80 if second < 10 else 0)
        record.next_second()
    assert (record.summary().recent, record.summary().longest) == (0, 80)


def test_a_stall_of_the_loop_is_seen(qtbot: QtBot) -> None:
    lag = LoopLag()
    lag.start()
    qtbot.wait(60)
    time.sleep(0.15)
    qtbot.wait(5)
    lag.stop()
    assert lag.record.summary().longest >= 150 - BEAT_MS
    assert lag.record.summary().stalls >= 1


# The end


async def never() -> None:
    await asyncio.Event().wait()


async def deaf() -> None:
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            continue


STEPS: dict[str, Stop] = {
    "fine": lambda: None,
    "awaited": lambda: asyncio.sleep(0),
    "hangs": never,
    "deaf": deaf,
    "fails": lambda: int("no number"),
}


@settings(max_examples=40)
@given(st.lists(st.sampled_from(sorted(STEPS)), max_size=5))
def test_all_are_stopped_in_reverse_within_the_bound_and_what_did_not_is_named(kinds: list[str]) -> None:
    told: list[str] = []
    called: list[str] = []
    shutdown = Shutdown(lambda _error, doing: told.append(doing), bound_s=0.03)

    def stop_one(name: str) -> object:
        called.append(name)
        return STEPS[name.split()[1]]()

    for number, kind in enumerate(kinds):
        shutdown.add(f"{number} {kind}", partial(stop_one, f"{number} {kind}"))
    names = [f"{number} {kind}" for number, kind in enumerate(kinds)]
    left = stop(shutdown)
    assert called == names[::-1]
    assert list(left) == [name for name in names[::-1] if name.split()[1] in {"hangs", "deaf", "fails"}]
    assert told == [f"stopping {name}" for name in names[::-1] if name.endswith("fails")]


@settings(max_examples=40)
@given(st.integers(0, 5), st.integers(0, 5))
def test_a_step_that_takes_long_may_take_nearly_all_of_the_bound(before: int, after: int) -> None:
    shutdown, loop = Shutdown(lambda *_: None, bound_s=10), VirtualLoop()
    for stop_one in ([lambda: None] * before, [lambda: asyncio.sleep(4.5)], [lambda: None] * after):
        for each in stop_one:
            shutdown.add("a step", each)
    assert loop.run_until_complete(shutdown.run()) == ()
    loop.close()


def stop(shutdown: Shutdown) -> tuple[str, ...]:
    """A task that is deaf to its cancel would keep `asyncio.run` for ever."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(asyncio.wait_for(shutdown.run(), 5))
    finally:
        for task in asyncio.all_tasks(loop):
            task._log_destroy_pending = False  # type: ignore[attr-defined] # it was left behind on purpose
        loop.close()
