"""The live session as the window knows it: found when it runs, followed while it does, commanded; never hosted here."""

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, Signal

from sptrader_desktop.core.errors import SptraderError
from sptrader_desktop.present.live_guard import Guard, is_stopped, lasting
from sptrader_desktop.ui.jobs import Job, Jobs
from sptrader_desktop.ui.live.live_desk import LiveDesk, LiveWatch

LOOK_S = 1.0
BEAT_S = 0.5  # of the three seconds that the guardian waits for a window
EVENTS = 500
StartTask = Callable[[Coroutine[Any, Any, Any], str], "asyncio.Task[Any]"]


class LiveSession(QObject):
    """`state` is what it said last, also of one that was lost: until it is back, or somebody says that it is known."""

    stateChanged = Signal()  # `state` is another, or None: no session runs
    eventTold = Signal()
    barsTold = Signal(object)  # the message
    guardChanged = Signal()
    said = Signal(str, bool)  # what became of what was asked, and whether it went well

    def __init__(self, desk: LiveDesk, jobs: Jobs, start_task: StartTask, parent: QObject) -> None:
        super().__init__(parent)
        self._desk, self._jobs, self._start_task = desk, jobs, start_task
        self.state: Mapping[str, Any] | None = None
        self.guard: Guard | None = None
        self.events: deque[Mapping[str, Any]] = deque(maxlen=EVENTS)
        self.told = 0  # events so far
        self._watch: LiveWatch | None = None
        self._following: list[asyncio.Task[Any]] = []

    @property
    def is_attached(self) -> bool:
        return self._watch is not None and self.state is not None

    @property
    def is_lost(self) -> bool:
        """It left without saying that it would."""
        return self._watch is None and self.state is not None

    @property
    def is_stopped(self) -> bool:
        return is_stopped(self.guard)

    def follow(self) -> None:
        """From now on one that runs is shown, whoever started it, and what stands at the guardian."""
        if not self._following:
            self._following = [
                self._start_task(self._follow(), "watching the live session"),
                self._start_task(self._attend(), "watching the guardian"),
            ]

    def forget_lost(self) -> None:
        if self.is_lost:
            self.state = None
            self.stateChanged.emit()

    # What a person asks for

    def start(self, command: Sequence[str]) -> Job:
        """Whoever asks shows why it failed."""
        work = partial(self._desk.start, command)
        return self._jobs.start("live", "starting live trading", lambda report: work(report.check), is_failure_shown=True)

    def command(self, what: str, about: str = "", why: str = "") -> None:
        self._start_task(self._command(what, about, why), f"asking the live session to {what.replace('_', ' ')}")

    def end(self, *, closes: bool) -> None:
        """In good order; with all positions closed before, if that is wanted."""
        self._start_task(self._end(closes=closes), "ending the live session")

    def ask_bars(self, symbol: str) -> None:
        if self._watch is not None:
            self._watch.ask_bars(symbol)

    def emergency_stop(self, flatten: bool) -> Job:
        work = partial(self._desk.emergency_stop, flatten=flatten)
        return self._in_job("emergency stop", "stopping everything", work)

    def rearm(self, why: str, symbols: Collection[str] = ()) -> None:
        """By the session where there is one: its own halt ends with the guardian's. `symbols` alone, or everything."""
        if self._watch is not None:
            for about in symbols or ("",):
                self.command("rearm", about, why)
        else:
            self._in_job("live rearm", "re-arming", partial(self._desk.rearm, why))

    def _in_job(self, kind: str, title: str, work: Callable[[], str]) -> Job:
        job = self._jobs.start(kind, title, lambda _: work(), is_failure_shown=True)
        job.finished.connect(lambda words: self.said.emit(words, True))
        job.failed.connect(lambda error: self.said.emit(str(error), False))
        return job

    async def _command(self, what: str, about: str, why: str = "") -> bool:
        words = f"{what.replace('_', ' ').capitalize()} {about}".rstrip()
        if self._watch is None:
            self.said.emit("No live session runs: start one", False)
            return False
        try:
            await self._watch.command(what, about, why)
        except SptraderError as error:
            self.said.emit(f"{words}: {error}", False)
            return False
        self.said.emit(f"{words}: done", True)
        return True

    async def _end(self, *, closes: bool) -> None:
        if closes and await self._command("flatten", ""):
            self.said.emit("Closing every position; the session ends when none is left. Stop again ends it at once", True)
            while self.is_attached and self.state and (self.state["positions"] or self.state["plug"]["working_orders"]):
                await asyncio.sleep(BEAT_S)
        if self.is_attached:
            await self._command("stop", "")

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
                    self._leave()
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

    async def _attend(self) -> None:
        """Also where no session runs: what was stopped then stays so, and is shown."""
        try:
            while True:
                found = await self._desk.guard(is_attached=self._watch is not None)
                if self.guard is None or lasting(found) != lasting(self.guard):
                    self.guard = found
                    self.guardChanged.emit()
                await asyncio.sleep(BEAT_S)
        finally:
            await self._desk.leave_guard()

    def _take(self, message: Mapping[str, Any]) -> None:
        if message.get("is") == "state":
            self.state = message
            self.stateChanged.emit()
        elif message.get("is") == "event":
            self.events.append(message)
            self.told += 1
            self.eventTold.emit()
        elif message.get("is") == "bars":
            self.barsTold.emit(message)

    def _leave(self) -> None:
        """One that a person ended is gone; what another had open is not forgotten."""
        self._watch = None
        if self.state is not None and self.state["state"] == "stopping":
            self.state = None
        self.stateChanged.emit()
