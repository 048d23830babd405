"""A program of one small window, for tests that start it: `python -m tests.ui.window_program WHAT` says on its output what happens."""

import asyncio
import errno
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from PySide6.QtCore import QTimer, qWarning
from PySide6.QtWidgets import QLineEdit, QPushButton, QVBoxLayout, QWidget

from sptrader_desktop.core.errors import DataError
from sptrader_desktop.ui.host import Host, run_window
from sptrader_desktop.ui.jobs import Report


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


class Small(QWidget):
    """A button that fails, a field, and a close that asks the host."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self.setWindowTitle("sptrader small window")
        self.button, self.field = QPushButton("Fail"), QLineEdit()
        self.button.clicked.connect(lambda: int("a slot's mistake"))
        self.field.textChanged.connect(lambda text: say(f"typed {text}"))
        self.field.returnPressed.connect(host.close)
        column = QVBoxLayout(self)
        column.addWidget(self.button)
        column.addWidget(self.field)
        host.failures.said.watch(lambda said: say(f"told {said[-1].what}: {said[-1].why}") if said else None)


def fail_everywhere(host: Host, window: Small) -> None:
    """Every way in which an error can go unhandled, one after the other; then the end."""

    async def lost() -> None:
        raise ValueError("a task's mistake")

    def work(_report: Report) -> None:
        raise DataError("a job's sentence")

    ways: list[Callable[[], object]] = [
        window.button.click,
        lambda: host.loop.call_soon(int, "a callback's mistake"),
        lambda: host.task(lost(), "The task"),
        lambda: threading.Thread(target=int, args=("a thread's mistake",), name="helper").start(),
        lambda: host.jobs.start("job", "The job", work),
    ]

    async def one_by_one() -> None:
        for number, way in enumerate(ways, 1):
            way()
            while len(host.failures.said.value) < number:  # a thread tells when it comes to it
                await asyncio.sleep(0.01)
        qWarning("Qt's complaint")
        host.close()

    host.task(one_by_one(), "Failing")


def hang_everywhere(host: Host, _window: Small) -> None:
    """Things that do not stop when they are asked to."""
    host.shutdown.add("the server", lambda: asyncio.Event().wait())
    host.jobs.start("deaf", "The deaf job", lambda _report: time.sleep(600))
    host.loop.run_in_executor(None, time.sleep, 600)
    QTimer.singleShot(50, host.close)


def hold_the_window(host: Host, _window: Small) -> None:
    host.shutdown.add("the pane that sleeps", lambda: time.sleep(600))
    QTimer.singleShot(0, host.close)


def leave_by_exit(_host: Host, _window: Small) -> None:
    QTimer.singleShot(0, lambda: _host.loop.call_soon(sys.exit, 7))


def interrupt_in_a_slot(host: Host, window: Small) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    host.shutdown.add("the last step", lambda: say("stopped in order"))
    QTimer.singleShot(0, window, interrupt)


def refuse(_host: Host, _window: Small) -> None:
    raise DataError("the workspace is used by another window: close that one")


def break_at_start(_host: Host, _window: Small) -> None:
    raise ZeroDivisionError("at the start")


def run_out_of_files(host: Host, _window: Small) -> None:
    """What is shown then may need no file of its own."""
    if sys.platform != "win32":  # there a program has 8,192, and elsewhere it may have millions
        import resource

        resource.setrlimit(resource.RLIMIT_NOFILE, (256, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))

    async def take_all() -> None:
        with suppress(OSError):
            while True:
                os.open(os.devnull, os.O_RDONLY)
        host.tell(OSError(errno.EMFILE, "Too many open files"), "Reading the candles")
        while (dialog := host._dialog) is None or not dialog.isVisible():
            await asyncio.sleep(0.01)
        say(f"shown {dialog._to_do.text()}")
        host.close()

    host.task(take_all(), "Opening files")


def wait(host: Host, window: Small) -> None:
    """For a signal, or for somebody to type and press Enter."""
    host.shutdown.add("the last step", lambda: say("stopped in order"))
    window.field.setFocus()
    host.loop.call_later(0.1, say, "up")


WHAT = {
    "fail": fail_everywhere,
    "hang": hang_everywhere,
    "hold": hold_the_window,
    "exit": leave_by_exit,
    "interrupt": interrupt_in_a_slot,
    "refuse": refuse,
    "break": break_at_start,
    "no files": run_out_of_files,
    "wait": wait,
}


def open_window(host: Host) -> None:
    host.shutdown._bound_s, host.shutdown._grace_s = 0.5, 0.3
    window = Small(host)
    window.show()
    host.shutdown.add("the window", window.close)
    WHAT[sys.argv[1]](host, window)


if __name__ == "__main__":
    sys.exit(run_window(open_window))
