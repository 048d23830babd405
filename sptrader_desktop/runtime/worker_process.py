"""One live worker: how a process is started and spoken to, the lines it wrote, and the files its scripts' output goes to."""

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from sptrader_desktop.runtime.machine_strain import Strain, strain_of
from sptrader_desktop.runtime.process_trees import end_tree, halt
from sptrader_desktop.runtime.scratch import owner

LONGEST_LINE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Task:
    """A script and the variables that are set for it alone; `slot` asks for the worker in one place, and so for its hash seed.

    `loads` says in what state a library is that stays in the process: no worker runs it that holds another.
    """

    script: str
    environment: Mapping[str, str]
    slot: int | None = None
    loads: Mapping[str, str] = field(default_factory=dict)


class WorkerProcess(Protocol):
    """A process that was started, however it was."""

    @property
    def pid(self) -> int: ...

    def send(self, line: bytes) -> None: ...

    async def gone(self) -> None:
        """Once it was killed: until nothing is left of it."""
        ...


Heard = Callable[[bytes], None]
Ended = Callable[[str], None]


class StartWorker(Protocol):
    """Starts a command; what it writes goes to `heard`, how it ended to `ended`, its complaints to the file `errors`."""

    def __call__(
        self, command: Sequence[str], environment: Mapping[str, str], errors: Path, heard: Heard, ended: Ended
    ) -> Awaitable[WorkerProcess]: ...


@dataclass(frozen=True, slots=True)
class Line:
    text: bytes


@dataclass(frozen=True, slots=True)
class End:
    how: str


class LiveWorker:
    """One live process, the lines it wrote, and where its scripts' output goes."""

    def __init__(self, folder: Path) -> None:
        name = uuid.uuid4().hex
        self.mark = f"{owner()}:{name}"
        self.stdout, self.stderr, self.errors = (folder / f"{kind}-{name}" for kind in ("out", "err", "worker"))
        self.inbox: asyncio.Queue[Line | End] = asyncio.Queue()
        self.process: WorkerProcess | None = None
        self.warm_bytes = self.job = 0
        self._before, self._holds = Strain(), dict[str, str]()
        self._unread = b""

    def heard(self, data: bytes) -> None:
        *lines, self._unread = (self._unread + data).split(b"\n")
        for line in lines:
            self.inbox.put_nowait(Line(line))
        if len(self._unread) > LONGEST_LINE:
            self.ended("wrote to the program's own connection")
            self._unread = b""

    def ended(self, how: str) -> None:
        self.inbox.put_nowait(End(how))

    def can_run(self, task: Task) -> bool:
        """Nothing was heard from it that nobody asked for, and it holds no library in another state."""
        return self.inbox.empty() and all(self._holds.get(name, state) == state for name, state in task.loads.items())

    def next_job(self, task: Task) -> bytes:
        self.job += 1
        self._before = self._strain()
        self._holds |= task.loads
        asked = {"job": self.job, "script": task.script, "environment": dict(task.environment)}
        return json.dumps(asked | {"stdout": str(self.stdout), "stderr": str(self.stderr)}).encode() + b"\n"

    def strain(self) -> Strain:
        """Since the job began."""
        return self._strain().since(self._before)

    def _strain(self) -> Strain:
        return strain_of(self.process.pid) if self.process else Strain()

    def halt(self) -> None:
        if self.process is not None:
            halt(self.process.pid)

    def end(self) -> None:
        """Takes as long as the computer has processes."""
        if self.process is not None:
            end_tree(self.process.pid, self.mark)
        for path in (self.stdout, self.stderr, self.errors):
            with suppress(OSError):  # some systems keep it until the process is gone; it goes with the folder
                path.unlink(missing_ok=True)


def size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def shown(path: Path, most: int) -> str:
    try:
        with path.open("rb") as file:
            text = file.read(most).decode(errors="replace")
    except OSError:
        return ""
    more = size_of(path) - most
    return f"{text}\n… {more:,} bytes more\n" if more > 0 else text
