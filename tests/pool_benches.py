"""One bench for each way to host the worker pool: asyncio in a thread as commands have it, QProcess on qasync as the window will."""

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from sptrader_desktop.adapters import asyncio_workers
from sptrader_desktop.adapters.component_cache import ComponentCache
from sptrader_desktop.adapters.component_catalogue import load_catalogue
from sptrader_desktop.adapters.pooled_components import PooledRunner, Workers
from sptrader_desktop.core.candles import Candles
from sptrader_desktop.ports import Answer, ComponentJob
from sptrader_desktop.runtime.loop_thread import HostedLoop, LoopThread
from sptrader_desktop.runtime.worker_pool import MIB, Limits
from tests.component_files import workspace
from tests.edits import edited
from tests.small_runs import hourly

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

TOKEN = "POOL_TEST_TOKEN"
LIMITS = Limits(deadline_s=2.0, memory=300 * MIB, output=8 * MIB, shown=2000)
# Where nothing is stopped for its time.
PATIENT = replace(LIMITS, deadline_s=200.0)
KINDS = ("asyncio", "qprocess")
# Qt's application must not be collected while a process lives: whoever asks for it later would get one that is half gone.
KEPT: list["QApplication"] = []


class Bench:
    """Two workers, strict limits, and a mark in the environment by which every process they leave is found again."""

    def __init__(self, folder: Path, limits: Limits = LIMITS) -> None:
        self.token, self.folder = folder.as_posix(), folder
        os.environ[TOKEN] = self.token
        self.workers = self.made(limits)

    def made(self, limits: Limits) -> Workers:
        return Workers(asyncio_workers.start_worker, LoopThread(), self.cache(), self.folder, size=2, limits=limits)

    def cache(self) -> ComponentCache:
        return ComponentCache(self.folder / "cache")

    def runner(self, workspace: Path) -> PooledRunner:
        return PooledRunner(self.workers, load_catalogue(workspace))

    def run(self, workspace: Path, jobs: Sequence[ComponentJob]) -> list[Answer]:
        return self.runner(workspace).run(jobs)

    def turn(self) -> None:
        """Give the loop a moment."""
        time.sleep(0.01)

    def close(self) -> None:
        self.workers.close()
        os.environ.pop(TOKEN, None)

    def processes(self) -> list[psutil.Process]:
        """Alive and started here, however they hid."""
        found = []
        for process in psutil.process_iter():
            try:
                is_ours = process.pid != os.getpid() and process.environ().get(TOKEN) == self.token
                if is_ours and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except (psutil.Error, OSError):
                continue
        return found

    def left(self, most: int = 0) -> list[psutil.Process]:
        """What is there, once the system had time to take away what was killed: a busy machine shows it a moment longer."""
        until = time.monotonic() + 20
        while len(found := self.processes()) > most and time.monotonic() < until:
            time.sleep(0.01)
        return found


class QtBench(Bench):
    def made(self, limits: Limits) -> Workers:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        from sptrader_desktop.adapters import qprocess_workers
        from sptrader_desktop.ui.event_loop import WindowLoop
        from sptrader_desktop.ui.host import make_app

        KEPT.append(make_app())
        self.loop: asyncio.AbstractEventLoop = WindowLoop(KEPT[-1])
        return Workers(qprocess_workers.start_worker, HostedLoop(self.loop), self.cache(), self.folder, size=2, limits=limits)

    def run(self, workspace: Path, jobs: Sequence[ComponentJob]) -> list[Answer]:
        """As a backtest of the window does it: from a thread of its own, while the window's thread turns the loop."""
        return self.loop.run_until_complete(asyncio.to_thread(self.runner(workspace).run, jobs))

    def turn(self) -> None:
        self.loop.run_until_complete(asyncio.sleep(0.01))

    def close(self) -> None:
        self.loop.run_until_complete(self.workers.aclose())
        self.loop.close()
        os.environ.pop(TOKEN, None)


def bench(kind: str, folder: Path, limits: Limits = LIMITS) -> Bench:
    return (QtBench if kind == "qprocess" else Bench)(folder, limits)


def cross(candles: Candles | None = None, attempt: int = 0, **params: Decimal) -> ComponentJob:
    return ComponentJob("signals.cross", params, candles or hourly(), attempt)


def acting(folder: Path, act: str) -> Path:
    path = workspace(folder) / "core" / "signals" / "cross.py"
    path.write_text(edited(path.read_text(), "        at = data", f"        {act}        at = data"))
    (path.parent / "_beside.py").write_text("NUMBER = 1\n")
    return folder
