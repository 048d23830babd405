"""Worker processes started by Qt, for the window's own loop; the only adapter that knows Qt, and of it no more than QtCore."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from PySide6.QtCore import QByteArray, QProcess, QProcessEnvironment

from sptrader_desktop.adapters.asyncio_workers import signal_name
from sptrader_desktop.runtime.worker_process import Ended, Heard


async def start_worker(command: Sequence[str], environment: Mapping[str, str], errors: Path, heard: Heard, ended: Ended) -> "QtWorker":
    worker = QtWorker(heard, ended)
    await worker.start(command, environment, errors)
    return worker


class QtWorker:
    """A QProcess must live until it has finished: Qt warns and blocks when one is dropped before."""

    _alive: ClassVar[set["QtWorker"]] = set()

    def __init__(self, heard: Heard, ended: Ended) -> None:
        self._heard, self._ended = heard, ended
        self._process = QProcess()
        self._started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._gone = asyncio.Event()
        self.pid = 0

    async def start(self, command: Sequence[str], environment: Mapping[str, str], errors: Path) -> None:
        process, variables = self._process, QProcessEnvironment()
        for name, value in environment.items():
            variables.insert(name, value)
        process.setProcessEnvironment(variables)
        process.setStandardErrorFile(str(errors))
        process.readyReadStandardOutput.connect(self._read)
        process.started.connect(self._on_started)
        process.errorOccurred.connect(self._on_error)
        process.finished.connect(self._on_finished)
        process.start(command[0], list(command[1:]))
        await self._started

    def send(self, line: bytes) -> None:
        self._process.write(QByteArray(line))

    async def gone(self) -> None:
        await self._gone.wait()

    def _read(self) -> None:
        self._heard(bytes(self._process.readAllStandardOutput().data()))

    def _on_started(self) -> None:
        self.pid = self._process.processId()
        self._alive.add(self)
        if not self._started.done():
            self._started.set_result(None)

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart and not self._started.done():
            self._started.set_exception(OSError(self._process.errorString()))
            self._gone.set()

    def _on_finished(self, code: int, status: QProcess.ExitStatus) -> None:
        crashed = status == QProcess.ExitStatus.CrashExit
        self._ended(f"died of {signal_name(code)}" if crashed else f"ended its process with exit code {code}")
        self._alive.discard(self)
        self._gone.set()
