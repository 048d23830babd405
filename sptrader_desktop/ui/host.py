"""Turns the window's loop from start to end: what panes share lives here, every unforeseen error comes here, and the end is bounded.

A fault in any pane is told and the program goes on; only `close`, Ctrl-C or a request of the system end it.
"""

import asyncio
import inspect
import logging
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

from PySide6.QtCore import QMessageLogContext, QObject, QThreadPool, QtMsgType, Signal, qInstallMessageHandler, qVersion
from PySide6.QtWidgets import QApplication

from sptrader_desktop.core.errors import Cancelled, SptraderError
from sptrader_desktop.present.failures import Failure, Failures
from sptrader_desktop.present.log_lines import LogFeed, LogLine, LogLines
from sptrader_desktop.settings import APP
from sptrader_desktop.ui.bridge import Bridge, Channel
from sptrader_desktop.ui.collector import Collector
from sptrader_desktop.ui.event_loop import WindowLoop
from sptrader_desktop.ui.failure_dialog import FailureDialog
from sptrader_desktop.ui.jobs import Job, Jobs
from sptrader_desktop.ui.loop_lag import LoopLag
from sptrader_desktop.ui.shutdown import Shutdown, end_with
from sptrader_desktop.ui.theme.theme import Theme

# Jobs' threads give way to the window's after so long: it asks for its turn some hundred times in a frame.
TURN_S = 0.0001
UNSEEN = ("offscreen", "minimal")  # Qt's platforms without a screen
Said = tuple[BaseException, str]
LOG = logging.getLogger("sptrader.window")
QT_LOG = logging.getLogger("sptrader.qt")
QT_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


class Host(QObject):
    """What a window is opened with. `logged` says how many shown lines left `log` at its beginning and how many came at its end."""

    logged = Signal(int, int)

    def __init__(self, app: QApplication, loop: WindowLoop) -> None:
        super().__init__()
        self.app, self.loop = app, loop
        self.failures = Failures()
        self.bridge = Bridge(self.tell, self)
        self.jobs = Jobs(self.bridge, self)
        self.jobs.failed.connect(lambda job, error: self.tell(error, job.title))
        self.lag = LoopLag(self)
        self.collector = Collector(self)
        self.shutdown = Shutdown(self.tell)
        self._told: Channel[Said] = self.bridge.every("failures", self._on_told)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closing = asyncio.Event()
        self._threads = ThreadPoolExecutor(thread_name_prefix="window")
        loop.set_default_executor(self._threads)
        self._dialog: FailureDialog | None = None
        self.log = LogLines()
        self._logged: Channel[LogLine] = self.bridge.every("log", self._on_logged)
        self.failures.said.watch(lambda said: self._show_failures() if said else None)

    def tell(self, error: BaseException, doing: str) -> None:
        """From any thread."""
        if isinstance(error, Cancelled):
            return
        LOG.error("%s: %s", doing, error, exc_info=None if isinstance(error, SptraderError) else error)
        self._told.send((error, doing))

    def task(self, work: Coroutine[Any, Any, Any], doing: str) -> "asyncio.Task[Any]":
        """Work on the window's loop whose failure is told; what still runs at the end is cancelled."""
        task: asyncio.Task[Any] = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._on_done(done, doing))
        return task

    def close(self) -> None:
        """Ask for the end; `run_window` returns when all has stopped."""
        self._closing.set()

    async def live(self, open_window: "OpenWindow") -> tuple[str, ...]:
        """The names of what did not stop."""
        self.shutdown.add("threads", self._end_threads)  # the last to stop: what else stops may need them
        self.collector.start()
        try:
            opened = open_window(self)
            self.lag.start()  # from here on somebody waits for the window, and no longer for its coming
            if inspect.isawaitable(opened):
                await opened
            await self._closing.wait()
        finally:
            running = self.jobs.running
            self.shutdown.add("tasks", self._end_tasks)
            self.shutdown.add("jobs", self.jobs.close)  # the first: they use what stops next
            left = await self.shutdown.run()
            self.lag.stop()
            self.bridge.close()
            self.collector.stop()
        unfinished = [job.title for job in running if not _has_ended(job)]
        return tuple(name for name in left if name != "jobs") + tuple(unfinished)

    def _on_told(self, said: list[Said], _lost: int) -> None:
        for error, doing in said:
            self.failures.tell(error, doing)

    def hear(self, line: LogLine) -> None:
        """From any thread."""
        self._logged.send(line)

    def _on_logged(self, lines: list[LogLine], lost: int) -> None:
        if lost:
            said = f"{lost:,} lines came too fast to be shown; the log file has them"
            lines = [LogLine(lines[0].at, logging.WARNING, "log", said), *lines]
        self.logged.emit(*self.log.add(lines))

    def _show_failures(self) -> None:
        if self._dialog is None and not self._closing.is_set():
            self._dialog = FailureDialog(self.failures, self._diagnostics, self.app.activeWindow())
            self._dialog.destroyed.connect(self._on_dialog_gone)

    def _on_dialog_gone(self) -> None:
        self._dialog = None

    async def read_failures(self) -> None:
        """Until their dialog is closed, or the end is asked for."""
        self.failures.said.watch(lambda said: None if said else self.close())
        await self._closing.wait()

    def facts(self) -> dict[str, str]:
        """Of this window, for diagnostics."""
        lag = self.lag.record.summary()
        loop = f"longest stall {lag.longest:.0f} ms, 99.9 % under {lag.p999:.1f} ms"
        return {"Qt": f"{qVersion()}, {self.app.platformName()}", "Loop": loop}

    def _diagnostics(self, failures: Sequence[Failure]) -> str:
        from sptrader_desktop.present.diagnostics import diagnostics_text

        return diagnostics_text(failures, self.facts())

    def _on_done(self, task: "asyncio.Task[Any]", doing: str) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self.tell(error, doing)

    async def _end_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _end_threads(self) -> None:
        """Waited for in another thread, as the pool cannot wait for itself. What Qt's threads speak through goes with the application."""
        waiter, qt = ThreadPoolExecutor(1), QThreadPool.globalInstance()
        qt.clear()
        await asyncio.wrap_future(waiter.submit(self._threads.shutdown))
        await asyncio.wrap_future(waiter.submit(qt.waitForDone))


OpenWindow = Callable[[Host], Awaitable[object] | object]


def run_window(open_window: OpenWindow) -> int:
    """Opens the window and returns when it has ended: 0, or 1 where something did not stop or the window could not be opened."""
    sys.setswitchinterval(TURN_S)
    app = make_app()
    loop = WindowLoop(app)
    asyncio.set_event_loop(loop)
    host = Host(app, loop)
    with surface(host), ending_on_signals(host):
        try:
            left = loop.run_until_complete(host.live(open_window))
        except SptraderError as error:
            sys.stderr.write(f"sptrader: {error}\n")
            show_refusal(host, error)
            return 1
        except Exception as error:  # the process's edge: a window that cannot open says why, without a traceback
            LOG.critical("the window could not be opened", exc_info=error)
            sys.stderr.write(f"sptrader: the window could not be opened ({type(error).__name__}: {error}); the log has the details\n")
            show_refusal(host, error)
            return 1
    if left:
        logging.shutdown()
        end_with(*left)
    loop.close()
    asyncio.set_event_loop(None)
    return 0


def show_refusal(host: Host, error: Exception) -> None:
    """Until it is read, where there is a screen: who starts the program by its icon sees nothing of standard error."""
    if host.app.platformName() in UNSEEN:
        return
    if not host.app.styleSheet():
        Theme(host.app)
    host.failures.tell(error, "opening the window")
    host.loop.run_until_complete(host.read_failures())


def make_app() -> QApplication:
    found = QApplication.instance()
    app = found if isinstance(found, QApplication) else QApplication([APP])
    app.setApplicationName(APP)
    app.setApplicationDisplayName("SPtrader")
    app.setDesktopFileName(APP)
    app.setQuitOnLastWindowClosed(False)  # the end waits for what runs; a window that is closed asks the host
    return app


# The surface where unforeseen errors arrive


@contextmanager
def surface(host: Host) -> Iterator[None]:
    """Until the block ends, every error that nobody handled, in Python or Qt, leads to `host.tell`, and what is logged to `host.log`."""
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    sys.excepthook = lambda _kind, error, _trace: _on_unhandled(host, error)
    threading.excepthook = lambda said: host.tell(said.exc_value, f"The thread {_name(said.thread)}") if said.exc_value else None
    sys.unraisablehook = lambda said: host.tell(said.exc_value, "Something that was being put away") if said.exc_value else None
    host.loop.set_exception_handler(lambda _loop, context: _on_loop_error(host, context))
    root, feed = logging.getLogger(), LogFeed(host.hear)
    level = root.level
    root.addHandler(feed)
    root.setLevel(logging.INFO)
    before = qInstallMessageHandler(_on_qt_message)
    try:
        yield
    finally:
        sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
        qInstallMessageHandler(before)
        root.removeHandler(feed)
        root.setLevel(level)
        host.loop.set_exception_handler(None)


def _on_unhandled(host: Host, error: BaseException) -> None:
    """In a slot. Ctrl-C comes here where the loop hears no signals."""
    if isinstance(error, KeyboardInterrupt):
        host.close()
    else:
        host.tell(error, "Something in the window")


def _on_loop_error(host: Host, context: dict[str, Any]) -> None:
    error = context.get("exception")
    if isinstance(error, BaseException):
        host.tell(error, "Something in the background")
    else:
        LOG.error("loop: %s", context.get("message"))


def _on_qt_message(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
    category = getattr(context, "category", None) or "default"
    QT_LOG.log(QT_LEVELS.get(kind, logging.WARNING), "%s%s", "" if category == "default" else f"{category}: ", message)


@contextmanager
def ending_on_signals(host: Host) -> Iterator[None]:
    """Where the system has no signals for loops (Windows) Ctrl-C comes as KeyboardInterrupt, as everywhere."""
    signals = (signal.SIGINT, signal.SIGTERM)
    with suppress(NotImplementedError, ValueError):
        for number in signals:
            host.loop.add_signal_handler(number, host.close)
    try:
        yield
    finally:
        with suppress(NotImplementedError, ValueError, RuntimeError):
            for number in signals:
                host.loop.remove_signal_handler(number)


def _name(thread: threading.Thread | None) -> str:
    return thread.name if thread else "of unknown name"


def _has_ended(job: Job) -> bool:
    return job.future is None or job.future.done()
