"""A real window over the real desk, on its own loop, without a screen; and the small steps in which a test drives it."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import pytest
from PySide6.QtCore import QEvent, QFileSystemWatcher, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from sptrader_desktop.app.window import open_window
from sptrader_desktop.settings import load_settings
from sptrader_desktop.ui.event_loop import WindowLoop
from sptrader_desktop.ui.host import Host
from sptrader_desktop.ui.main_window import MainWindow

T = TypeVar("T")
W = TypeVar("W", bound=QWidget)
PATIENCE_S = 240.0  # compiling the engine on a busy machine included


class Driver:
    """What a person does to a widget, and waiting for what comes of it."""

    def __init__(self, host: Host, widget: QWidget) -> None:
        self.host, self.widget = host, widget

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        result: T = self.host.loop.run_until_complete(work)
        return result

    def until(self, holds: Callable[[], object], what: str) -> None:
        async def wait() -> None:
            async with asyncio.timeout(PATIENCE_S):
                while not holds():
                    await asyncio.sleep(0.01)

        try:
            self.run(wait())
        except TimeoutError:
            raise AssertionError(f"waited {PATIENCE_S:.0f} s for {what}; it says {self.said()}") from None

    def said(self) -> object:
        """What may tell why something did not come."""
        return ""

    def settle(self) -> None:
        """Until no job is at work and what they sent was delivered; what was done just now may begin one in another turn."""
        self.run(asyncio.sleep(0.005))
        self.until(lambda: not self.host.jobs.running and not self.host.jobs.waiting, "all jobs to end")
        self.run(asyncio.sleep(0.05))

    def find(self, kind: type[W], name: str) -> W:
        found = self.widget.findChild(kind, name)
        assert found is not None, f"there is no {kind.__name__} named {name}"
        return found

    def press(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        """Where the keyboard is."""
        QTest.keyClick(QApplication.focusWidget() or self.widget, key, modifiers)

    def click(self, widget: QWidget) -> None:
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton)


class Driven(Driver):
    def __init__(self, host: Host, window: MainWindow) -> None:
        super().__init__(host, window)
        self.window = window

    def settle(self) -> None:
        """What panes are handed may begin further jobs."""
        self.until(lambda: not self.host.jobs.running and self.window.page.turns.is_settled, "the panes to show what there is")
        super().settle()

    def said(self) -> object:
        return self.window.page.panel.problem.text(), [notice.text for notice in self.window.notices.waiting()]


def work_until_asked(heed: Callable[[], object]) -> NoReturn:
    """Long work as a job does it: now and then it looks whether somebody asked for the stop, which ends it."""
    while True:
        heed()
        time.sleep(0.005)  # a processor's share for those who ask


OWN = ("RUNS", "WORKSPACE", "TEXTS", "CANDLES")


@contextmanager
def fresh_home(folder: Path) -> Iterator[None]:
    """As on the first day of somebody, and nothing of it is left for other tests; what was compiled and computed stays at hand."""
    with pytest.MonkeyPatch.context() as patch:
        for name in OWN:
            patch.setenv(f"SPTRADER_{name}", str(folder / name.lower()))
        patch.setenv("SPTRADER_PREFERENCES", str(folder / "preferences.json"))
        yield


def take_down(window: MainWindow) -> None:
    """All of it, before the next one comes: what stays would be dressed anew with every change of look."""
    for timer in window.findChildren(QTimer):
        timer.stop()
    for watcher in window.findChildren(QFileSystemWatcher):
        watcher.blockSignals(True)
    window.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


@contextmanager
def driven_window(app: QApplication, *, is_forgotten: bool = True) -> Iterator[Driven]:
    """How it stood when it ended is nothing to the next one, unless that is what is looked at."""
    loop = WindowLoop(app)
    asyncio.set_event_loop(loop)
    host = Host(app, loop)
    opened: list[MainWindow] = []

    async def open_it() -> "asyncio.Task[tuple[str, ...]]":
        living = asyncio.ensure_future(host.live(lambda host: opened.append(open_window(host, load_settings()))))
        while not opened and not living.done():
            await asyncio.sleep(0.01)
        if not opened:
            living.result()  # raises what kept the window from opening
        return living

    living = loop.run_until_complete(open_it())
    try:
        opened[0].activateWindow()
        yield Driven(host, opened[0])
    finally:
        host.close()
        left = loop.run_until_complete(living)
        take_down(opened[0])
        loop.close()
        asyncio.set_event_loop(None)
        if is_forgotten:
            load_settings().preferences.unlink(missing_ok=True)
        assert not left, f"these did not stop: {left}"


@contextmanager
def nowhere_to_keep_drafts() -> Iterator[None]:
    drafts = load_settings().texts / "drafts"
    aside = drafts.with_name("aside")
    drafts.mkdir(parents=True, exist_ok=True)
    drafts.rename(aside)
    drafts.write_text("in the way")
    try:
        yield
    finally:
        drafts.unlink()
        aside.rename(drafts)
