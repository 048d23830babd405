"""The live session as the window knows it: found when it runs, followed while it does, commanded; never hosted here."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, Signal

from sptrader_desktop.core.errors import SptraderError
from sptrader_desktop.ui.jobs import Job, Jobs
from sptrader_desktop.ui.live.live_desk import LiveDesk, LiveStart, LiveWatch

LOOK_S = 1.0
EVENTS = 500
StartTask = Callable[[Coroutine[Any, Any, Any], str], "asyncio.Task[Any]"]


class LiveSession(QObject):
    stateChanged = Signal()  # `state` is another, or None: no session runs
    eventTold = Signal()
    said = Signal(str, bool)  # what became of what was asked, and whether it went well

    def __init__(self, desk: LiveDesk, jobs: Jobs, start_task: StartTask, parent: QObject) -> None:
        super().__init__(parent)
        self._desk, self._jobs, self._start_task = desk, jobs, start_task
        self.state: Mapping[str, Any] | None = None
        self.events: deque[Mapping[str, Any]] = deque(maxlen=EVENTS)
        self._watch: LiveWatch | None = None
        self._following: asyncio.Task[Any] | None = None

    def follow(self) -> None:
        """From now on one that runs is shown, whoever started it."""
        if self._following is None:
            self._following = self._start_task(self._follow(), "watching the live session")

    # What a person asks for

    def start(self, asked: LiveStart) -> Job:
        """Whoever asks shows why it failed."""
        return self._jobs.start(
            "live", "starting live trading", lambda report: self._desk.start(asked, report.check), is_failure_shown=True
        )

    def command(self, what: str, about: str = "") -> None:
        self._start_task(self._command(what, about), f"asking the live session to {what.replace('_', ' ')}")

    def emergency_stop(self, flatten: bool) -> Job:
        work = partial(self._desk.emergency_stop, flatten=flatten)
        return self._in_job("emergency stop", "stopping everything", work)

    def rearm(self) -> None:
        """By the session where there is one: its own halt ends with the guardian's."""
        if self._watch is not None:
            self.command("rearm")
        else:
            self._in_job("live rearm", "re-arming", self._desk.rearm)

    def _in_job(self, kind: str, title: str, work: Callable[[], str]) -> Job:
        job = self._jobs.start(kind, title, lambda _: work(), is_failure_shown=True)
        job.finished.connect(lambda words: self.said.emit(words, True))
        job.failed.connect(lambda error: self.said.emit(str(error), False))
        return job

    async def _command(self, what: str, about: str) -> None:
        words = f"{what.replace('_', ' ').capitalize()} {about}".rstrip()
        if self._watch is None:
            self.said.emit("No live session runs: start one", False)
            return
        try:
            await self._watch.command(what, about)
        except SptraderError as error:
            self.said.emit(f"{words}: {error}", False)
        else:
            self.said.emit(f"{words}: done", True)

    # Following

    async def _follow(self) -> None:
        left = asyncio.Event()
        try:
            while True:
                left.clear()
                self._watch = await self._found(left)
                if self._watch is not None:
                    await left.wait()
                    await self._watch.close()
                    self._forget()
                await asyncio.sleep(LOOK_S)
        finally:
            if self._watch is not None:
                await self._watch.close()

    async def _found(self, left: asyncio.Event) -> LiveWatch | None:
        try:
            return await self._desk.watch(self._take, left.set)
        except SptraderError as error:
            self.said.emit(str(error), False)
            await asyncio.sleep(LOOK_S)
            return None

    def _take(self, message: Mapping[str, Any]) -> None:
        if message.get("is") == "state":
            self.state = message
            self.stateChanged.emit()
        elif message.get("is") == "event":
            self.events.append(message)
            self.eventTold.emit()

    def _forget(self) -> None:
        self._watch, self.state = None, None
        self.stateChanged.emit()
