"""The window's loop: each trap of plain qasync is shown first, then that ours does not have it; and what asyncio does works on it."""

import asyncio
import contextvars
import gc
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QAbstractEventDispatcher, QObject, QTimer, Signal
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import QApplication, QDialog, QWidget
from qasync import QEventLoop

from sptrader_desktop.ui.event_loop import WindowLoop

if TYPE_CHECKING:
    from sptrader_desktop.adapters.redis_server import RedisServer

Loop = Any
DELAYS = [0.0204 + 0.0031 * step for step in range(60)]


@pytest.fixture
def loop(qapp: QApplication) -> Iterator[WindowLoop]:
    yield from opened(WindowLoop(qapp))


@pytest.fixture
def plain(qapp: QApplication) -> Iterator[Loop]:
    yield from opened(QEventLoop(qapp))


def opened(loop: Loop) -> Iterator[Loop]:
    QApplication.setQuitOnLastWindowClosed(False)
    asyncio.set_event_loop(loop)
    yield loop
    loop.close()
    asyncio.set_event_loop(None)
    QApplication.setQuitOnLastWindowClosed(True)


def run(loop: Loop, work: Coroutine[Any, Any, Any]) -> Any:
    return loop.run_until_complete(asyncio.wait_for(work, 30))


# Early timers


async def earliness(delay: float) -> float:
    loop = asyncio.get_running_loop()
    due = loop.time() + delay
    await asyncio.sleep(delay)
    return due - loop.time()


async def most_early() -> float:
    return max(await asyncio.gather(*map(earliness, DELAYS)))


def test_timers_of_plain_qasync_fire_early(plain: Loop) -> None:
    assert run(plain, most_early()) > 0


def test_a_timer_never_fires_before_its_time(loop: WindowLoop) -> None:
    assert run(loop, most_early()) <= 0


# Cancelled timers


async def time_out_often() -> int:
    """How many handles of timers are kept afterwards."""
    loop = asyncio.get_running_loop()
    soonest = loop.call_later(20, print)  # so that none of the others is ever the next
    for _ in range(20_000):
        loop.call_later(30, print).cancel()
    await asyncio.sleep(0)
    kept = len([found for found in gc.get_objects() if isinstance(found, asyncio.TimerHandle)])
    soonest.cancel()
    return kept


def timers_in_qt(*owners: QObject) -> int:
    return sum(len(QAbstractEventDispatcher.instance().registeredTimers(owner)) for owner in owners)


def test_cancelled_timers_of_plain_qasync_live_on(plain: Loop) -> None:
    run(plain, time_out_often())
    assert timers_in_qt(plain._timer) >= 20_000


def test_cancelled_timers_leave_no_timer_in_qt_and_no_memory(loop: WindowLoop) -> None:
    assert run(loop, time_out_often()) < 300
    assert timers_in_qt(loop._timer, loop._alarm) <= 1


# Dialogs that run a loop of their own


class Wakened:
    """One task sits in a dialog while another is to be woken."""

    def __init__(self, loop: Loop) -> None:
        self.steps: list[str] = []
        self.complaints: list[str] = []
        loop.set_exception_handler(lambda _loop, context: self.complaints.append(str(context.get("exception"))))

    async def in_dialog(self) -> None:
        dialog = QDialog()
        QTimer.singleShot(60, dialog.accept)
        dialog.exec()
        self.steps.append("dialog")

    async def sleeper(self) -> None:
        await asyncio.sleep(0.02)
        self.steps.append("woken")

    async def both(self) -> bool:
        sleeper = asyncio.ensure_future(self.sleeper())
        await asyncio.sleep(0)
        await asyncio.ensure_future(self.in_dialog())
        done, _ = await asyncio.wait([sleeper], timeout=0.3)
        return bool(done)


def test_a_dialog_in_a_coroutine_of_plain_qasync_loses_a_wake_up(plain: Loop) -> None:
    wakened = Wakened(plain)
    assert not run(plain, wakened.both())
    assert "Cannot enter into task" in wakened.complaints[0]


def test_a_dialog_in_a_coroutine_loses_no_wake_up(loop: WindowLoop) -> None:
    wakened = Wakened(loop)
    assert run(loop, wakened.both())
    assert (wakened.steps, wakened.complaints) == (["dialog", "woken"], [])


def test_what_other_threads_ask_for_during_a_dialog_runs_after_it(loop: WindowLoop) -> None:
    steps: list[str] = []

    async def dialog() -> None:
        dialog = QDialog()
        asker = threading.Timer(0.01, lambda: loop.call_soon_threadsafe(steps.append, "asked"))
        asker.start()
        QTimer.singleShot(50, dialog.accept)
        dialog.exec()
        steps.append("dialog")
        asker.join()
        await asyncio.sleep(0.02)

    run(loop, dialog())
    assert steps == ["dialog", "asked"]


# Order

DOING = st.lists(st.tuples(st.sampled_from(["soon", "later", "cancelled"]), st.integers(0, 8)), max_size=30)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(DOING)
def test_callbacks_run_once_in_the_order_of_their_time_and_never_when_cancelled(loop: WindowLoop, doing: list[tuple[str, int]]) -> None:
    ran: list[tuple[str, int, int]] = []

    async def all_of_them() -> None:
        start = loop.time() + 0.002
        for number, (how, ms) in enumerate(doing):
            if how == "soon":
                loop.call_soon(ran.append, (how, 0, number))
            else:
                handle = loop.call_at(start + ms / 1000, ran.append, (how, ms, number))
                if how == "cancelled":
                    handle.cancel()
        await asyncio.sleep(0.013)

    run(loop, all_of_them())
    assert [entry[2] for entry in ran if entry[0] == "soon"] == [n for n, (how, _) in enumerate(doing) if how == "soon"]
    times = [entry[1] for entry in ran if entry[0] == "later"]
    assert times == sorted(ms for how, ms in doing if how == "later")
    assert all(how != "cancelled" for how, _, _ in ran)


def test_qt_gets_its_events_between_callbacks_that_call_each_other_for_ever(loop: WindowLoop) -> None:
    turns = 0

    async def until_qt_is_heard() -> None:
        heard = loop.create_future()
        QTimer.singleShot(5, lambda: heard.set_result(None))

        def again() -> None:
            nonlocal turns
            turns += 1
            if not heard.done():
                loop.call_soon(again)

        again()
        await heard

    run(loop, until_qt_is_heard())
    assert turns > 1


# Threads, sockets, processes


def test_other_threads_are_heard_in_the_windows_thread_with_their_context(loop: WindowLoop) -> None:
    word = contextvars.ContextVar("word", default="nothing")

    async def hear() -> tuple[int, str]:
        heard: asyncio.Future[tuple[int, str]] = loop.create_future()
        context = contextvars.copy_context()
        context.run(word.set, "said elsewhere")

        def answer() -> None:
            heard.set_result((threading.get_ident(), word.get()))

        await asyncio.to_thread(lambda: loop.call_soon_threadsafe(answer, context=context))
        return await heard

    assert run(loop, hear()) == (threading.get_ident(), "said elsewhere")


def test_sockets_work_both_ways(loop: WindowLoop) -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(1 << 16):
            writer.write(chunk)
            await writer.drain()
        writer.close()

    async def talk() -> bytes:
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        sent = bytes(range(256)) * 4096
        writer.write(sent)
        writer.write_eof()
        answer = await reader.read(-1)
        writer.close()
        server.close()
        return answer

    assert run(loop, talk()) == bytes(range(256)) * 4096


def test_processes_work(loop: WindowLoop) -> None:
    async def ask() -> tuple[bytes, int | None]:
        code = "import sys; print(sys.stdin.read().upper()); sys.exit(3)"
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdin=pipe, stdout=pipe)
        out, _ = await process.communicate(b"heard")
        return out, process.returncode

    assert run(loop, ask()) == (b"HEARD\n", 3)


def test_redis_works(loop: WindowLoop, valkey: "RedisServer") -> None:
    from redis.asyncio import Redis

    async def talk() -> tuple[object, object]:
        options = valkey.client.get_connection_kwargs()
        client = Redis(unix_socket_path=options["path"]) if "path" in options else Redis(host=options["host"], port=options["port"])
        listening = asyncio.ensure_future(client.blpop(["queue"], timeout=20))
        await client.set("price", "1.0842")
        await client.rpush("queue", "bar")
        heard = await listening
        price = await client.get("price")
        await client.aclose()
        return price, heard

    assert run(loop, talk()) == (b"1.0842", (b"queue", b"bar"))


# Ends


@pytest.mark.parametrize("end", [SystemExit(3), KeyboardInterrupt()])
def test_an_end_in_a_callback_is_raised_by_whoever_runs_the_loop(loop: WindowLoop, end: BaseException) -> None:
    def leave() -> None:
        raise end

    async def forever() -> None:
        loop.call_soon(leave)
        await asyncio.Event().wait()

    work = loop.create_task(forever())
    with pytest.raises(type(end)) as raised:
        loop.run_until_complete(work)
    assert raised.value is end
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(work)


def test_an_error_in_a_callback_reaches_the_handler_and_the_loop_goes_on(loop: WindowLoop) -> None:
    said: list[object] = []
    loop.set_exception_handler(lambda _loop, context: said.append(context["exception"]))

    async def go_on() -> str:
        loop.call_soon(int, "no number")
        await asyncio.sleep(0.01)
        return "went on"

    assert run(loop, go_on()) == "went on"
    assert [type(error) for error in said] == [ValueError]


# The binding


class Sender(QObject):
    sent = Signal()


def none_drift(call: Callable[[], object], times: int = 2_000) -> float:
    before = sys.getrefcount(None)
    for _ in range(times):
        call()
    return (sys.getrefcount(None) - before) / times


def test_calls_into_qt_keep_their_references_to_none(qapp: QApplication) -> None:
    """PySide6 6.12.0 drops one at each such call, and Python 3.11 dies of it: the pin may be lifted when this passes without it."""
    widget, model, sender = QWidget(), QStandardItemModel(2, 2), Sender()
    index = model.index(0, 0)
    calls: dict[str, Callable[[], object]] = {
        "setter": lambda: widget.setWindowTitle("x"),
        "timer": lambda: widget.killTimer(widget.startTimer(1000)),
        "parent": widget.parent,
        "data": lambda: model.data(index),
        "emit": sender.sent.emit,
    }
    assert {name: drift for name, call in calls.items() if abs(drift := none_drift(call)) > 0.01} == {}
