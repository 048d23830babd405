"""Warm processes that run scripts: who gets which worker, how long and how much it may take, and what happens when it misbehaves.

It speaks to asyncio only, so it lives on the window's loop as on one of its own, and knows neither components nor how a process is started.
"""

import asyncio
import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sptrader_desktop.core.errors import MachineError
from sptrader_desktop.runtime.machine_strain import Eagerness
from sptrader_desktop.runtime.process_trees import MARK, memory_of
from sptrader_desktop.runtime.worker_process import End, Line, LiveWorker, StartWorker, Task, shown, size_of

WATCH_S = 0.1
CHILDREN_EVERY = 5
START_S = 60.0
MIB = 1024 * 1024
SIGKILL = "SIGKILL"
# One thread each for libraries that would take a core per worker otherwise; Arrow's own allocator reserves more than a memory cap allows.
QUIET = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"}
# The worker looks for code where we do, so that it is the same; Ctrl-C is for us, who then end it.
BOOT = """\
import json, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
sys.path[:] = json.loads(sys.argv[1])
from sptrader_desktop.worker import main
main(int(sys.argv[2]), int(sys.argv[3]))
"""


@dataclass(frozen=True, slots=True)
class Limits:
    """Per job: `memory` is beyond what a warm worker has; who prints more than `output` is ended; `shown` is how much of it is kept."""

    deadline_s: float = 60.0
    memory: int = 2048 * MIB
    output: int = 64 * MIB
    shown: int = 64 * 1024


@dataclass(frozen=True, slots=True)
class Reply:
    """`error` is a sentence about the script, or empty: what was the computer's doing is raised as MachineError instead."""

    error: str
    stdout: str
    stderr: str


@dataclass(slots=True)
class _Slot:
    number: int
    is_free: bool = True
    worker: LiveWorker | None = None


@dataclass(slots=True, eq=False)
class _Waiting:
    slot: int | None
    given: "asyncio.Future[_Slot]" = field(repr=False)


class WorkerPool:
    """Everything is called on one loop."""

    def __init__(self, start: StartWorker, folder: Path, size: int = 0, limits: Limits | None = None) -> None:
        self._start, self.folder, self.limits = start, folder, limits or Limits()
        self._slots = [_Slot(number) for number in range(max(2, size or (os.cpu_count() or 1) - 1))]
        self._waiting: list[_Waiting] = []
        self._going: set[asyncio.Future[None]] = set()

    @property
    def size(self) -> int:
        return len(self._slots)

    async def run(self, task: Task) -> Reply:
        """Waits for a worker, then for the script. Cancelled, it gives back its place in the queue or ends the worker."""
        slot = await self._taken(None if task.slot is None else task.slot % self.size)
        try:
            return await self._performed(slot, task)
        finally:
            self._give(slot)

    async def warm_up(self) -> None:
        """Start every worker that nobody uses, so that the first job need not."""
        for slot in self._slots:
            if slot.is_free and slot.worker is None:
                slot.is_free = False
                try:
                    await self._started(slot)
                finally:
                    self._give(slot)

    async def close(self) -> None:
        """Once nothing runs any more; until no process is left."""
        for slot in self._slots:
            self._end(slot)
        await asyncio.gather(*self._going)

    # Who gets a worker

    async def _taken(self, number: int | None) -> _Slot:
        """Free ones that are warm first."""
        free = [slot for slot in self._slots if slot.is_free and number in (None, slot.number)]
        if free:
            slot = min(free, key=lambda found: (found.worker is None, found.number))
            slot.is_free = False
            return slot
        waiting = _Waiting(number, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        try:
            return await waiting.given
        except asyncio.CancelledError:
            if waiting.given.done() and not waiting.given.cancelled():
                self._give(waiting.given.result())
            raise
        finally:
            if waiting in self._waiting:
                self._waiting.remove(waiting)

    def _give(self, slot: _Slot) -> None:
        """To whoever waits longest, else it is free."""
        for waiting in self._waiting:
            if waiting.slot in (None, slot.number) and not waiting.given.done():
                self._waiting.remove(waiting)
                waiting.given.set_result(slot)
                return
        slot.is_free = True

    # One job

    async def _performed(self, slot: _Slot, task: Task) -> Reply:
        try:
            worker = await self._started(slot, task)
            fault = await self._outcome(worker, task)
            printed = [shown(path, self.limits.shown) for path in (worker.stdout, worker.stderr)]
        except (Exception, asyncio.CancelledError):
            await asyncio.shield(self._end(slot))
            raise
        if fault is not None and fault.ends_worker:
            await asyncio.shield(self._end(slot))  # whoever hears of it may count on it
        return Reply("" if fault is None else fault.sentence(task.script), *printed)

    async def _started(self, slot: _Slot, task: Task | None = None) -> LiveWorker:
        if slot.worker is not None and (task is None or slot.worker.can_run(task)):
            return slot.worker
        self._end(slot)  # it died, or said something, between two jobs, or holds an older library: that is not this script's doing
        slot.worker = worker = LiveWorker(self.folder)
        environment = {**QUIET, **os.environ, "PYTHONHASHSEED": str(slot.number + 1), MARK: worker.mark}
        command = [sys.executable, "-P", "-c", BOOT, json.dumps(sys.path), str(os.getpid()), str(self.limits.memory)]
        try:
            starting = asyncio.ensure_future(self._start(command, environment, worker.errors, worker.heard, worker.ended))
            try:
                worker.process = await asyncio.shield(starting)
            except asyncio.CancelledError:
                worker.process = await starting  # whoever gives up now must still know what to end
                raise
            async with asyncio.timeout(START_S):  # `wait_for` of Python 3.11 may forget that it was cancelled
                ready = await worker.inbox.get()
        except OSError as error:
            raise self._not_started(error.strerror or str(error)) from error
        except TimeoutError:
            raise MachineError(f"no worker process was ready within {START_S:g} s: try again when the computer has less to do") from None
        if isinstance(ready, End) or ready.text != b'{"ready": true}':
            why = shown(worker.errors, 10_000).strip().splitlines()[-1:] or [ready.how if isinstance(ready, End) else "it said nonsense"]
            raise self._not_started(why[0])
        worker.warm_bytes = memory_of(worker.process.pid, with_children=False)
        return worker

    def _not_started(self, why: str) -> MachineError:
        return MachineError(
            f"no worker process could be started ({why}): make room in {self.folder} and end other programs, or run sptrader doctor"
        )

    async def _outcome(self, worker: LiveWorker, task: Task) -> "_Fault | None":
        limits = self.limits
        assert worker.process is not None, "it was started"
        worker.process.send(worker.next_job(task))
        loop, seen = asyncio.get_running_loop(), Eagerness()
        ends = loop.time() + limits.deadline_s
        while True:
            try:
                async with asyncio.timeout(max(0.0, min(WATCH_S, ends - loop.time()))):
                    heard = await worker.inbox.get()
                return self._judged(heard, worker, task)
            except TimeoutError:
                if loop.time() >= ends:
                    return self._late(worker, task, seen)
                seen.look(worker.process.pid)
                fault = self._excess(worker, task, with_children=seen.looks % CHILDREN_EVERY == 0)
                if fault:
                    return fault

    def _late(self, worker: LiveWorker, task: Task, seen: Eagerness) -> "_Fault":
        allowed, ran = self.limits.deadline_s, worker.strain().ran
        if seen.is_starved(ran, allowed):
            got = f"it got a processor for {ran:.1f} of its {allowed:g} s, and wanted one all the time"
            raise MachineError(f"{task.script}: the computer was too busy to run it ({got}): try again when there is less to do")
        return _Fault(f"took longer than {allowed:g} s: make it faster or give it a longer deadline")

    def _judged(self, heard: Line | End, worker: LiveWorker, task: Task) -> "_Fault | None":
        if isinstance(heard, End):
            if heard.how.endswith(SIGKILL) and worker.strain().ended_for_memory:
                raise MachineError(
                    f"{task.script}: the system ended it because memory ran out: end other programs, or work on less at a time"
                )
            return _Fault(f"{heard.how} while it ran: it must return, not end the process or harm it")
        answer = _answer(heard.text)
        if answer is None or answer["job"] != worker.job:
            return _Fault("wrote to the program's own connection: print to standard output, and leave open files of others alone")
        excess = self._written_too_much(worker, task)
        if excess:
            return excess
        if answer["short"]:
            raise MachineError(answer["short"])
        if answer["left"]:
            return _Fault(answer["left"])
        return _Fault(answer["error"], ends_worker=False) if answer["error"] else None

    def _excess(self, worker: LiveWorker, task: Task, *, with_children: bool) -> "_Fault | None":
        """Files first: those in memory count twice otherwise."""
        assert worker.process is not None, "it runs"
        fault = self._written_too_much(worker, task)
        if fault is None and memory_of(worker.process.pid, with_children=with_children) - worker.warm_bytes > self.limits.memory:
            return _Fault(f"took more than {self.limits.memory / MIB:g} MiB of memory: work on less at a time")
        return fault

    def _written_too_much(self, worker: LiveWorker, task: Task) -> "_Fault | None":
        for path in (worker.stdout, worker.stderr):
            if size_of(path) > self.limits.output:
                return _Fault(f"printed more than {self.limits.output / MIB:g} MiB: print less")
        result = task.environment.get("RESULT_PATH")
        if result and max(size_of(Path(result)), size_of(Path(result + ".tmp"))) > self.limits.memory:
            return _Fault(f"wrote a result of more than {self.limits.memory / MIB:g} MiB: return one row for each candle or event")
        return None

    def _end(self, slot: _Slot) -> "asyncio.Future[None]":
        """Done when all of it was killed; the loop does not wait for that, nor `close` for less than its end."""
        worker, slot.worker = slot.worker, None
        killed = asyncio.ensure_future(_killed(worker))
        going = asyncio.ensure_future(_gone(worker, killed))
        self._going.add(going)
        going.add_done_callback(self._going.discard)
        return killed


async def _killed(worker: LiveWorker | None) -> None:
    if worker is None:
        return
    worker.halt()
    try:
        await asyncio.to_thread(worker.end)
    except RuntimeError:  # a program that ends starts no threads any more, and nobody waits for its loop
        worker.end()


async def _gone(worker: LiveWorker | None, killed: "asyncio.Future[None]") -> None:
    await killed
    if worker is not None and worker.process is not None:
        await worker.process.gone()


@dataclass(frozen=True, slots=True)
class _Fault:
    said: str
    ends_worker: bool = True

    def sentence(self, script: str) -> str:
        """What the worker says of a script names it already."""
        return self.said if self.said.startswith(script) else f"{script}: {self.said}"


def _answer(line: bytes) -> dict[str, Any] | None:
    """None for what no worker of ours says."""
    try:
        answer: dict[str, Any] = json.loads(line)
        return answer if "job" in answer and all(isinstance(answer[name], str) for name in ("error", "left", "short")) else None
    except (ValueError, KeyError, TypeError):
        return None
