"""Processes that a worker started, and theirs: how much memory they take, and their end, also when they hid in sessions of their own."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress

import psutil

# Every process a worker starts inherits this variable with the worker's own value, unless it takes pains not to.
MARK = "SPTRADER_WORKER"
GONE = (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess)


def memory_of(pid: int, *, with_children: bool) -> int:
    """Bytes in memory now; nothing for what is gone."""
    total = 0
    for process in (*_self(pid), *(_children(pid) if with_children else ())):
        with suppress(*GONE):
            total += process.memory_info().rss
    return total


def halt(pid: int) -> None:
    """At once, and as good as dead for all but those in sessions of their own: to find these takes time, and `end_tree` kills them."""
    if sys.platform != "win32" and pid != os.getpgrp():
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGSTOP)


def end_tree(pid: int, mark: str) -> None:
    """Kill the worker, its process group, all descendants, and whatever still carries its mark. It may be dead already.

    It looks through all processes: nothing for a thread that must not wait.
    """
    stopped: dict[int, psutil.Process] = {}
    while found := [process for process in (*_self(pid), *_children(pid)) if process.pid not in stopped]:
        for process in found:  # stopped first, so that none starts another while the rest is killed
            stopped[process.pid] = process
            with suppress(*GONE):
                process.suspend()
    if sys.platform != "win32":
        with suppress(ProcessLookupError, PermissionError):
            if pid != os.getpgrp():
                os.killpg(pid, signal.SIGKILL)
    for process in (*stopped.values(), *marked(mark)):
        with suppress(*GONE):
            process.kill()


def end_orphans(is_gone: Callable[[str], bool]) -> None:
    """Kill what carries the mark of a pool that died too suddenly to do it; a mark begins with the pool's owner and a colon."""
    for process, mark in _with_mark():
        if is_gone(mark.partition(":")[0]):
            with suppress(*GONE):
                process.kill()


def marked(mark: str) -> list[psutil.Process]:
    return [process for process, found in _with_mark() if found == mark]


def _with_mark() -> Iterator[tuple[psutil.Process, str]]:
    for process in psutil.process_iter():
        with suppress(*GONE, OSError):
            mark = process.environ().get(MARK)
            if mark and process.status() != psutil.STATUS_ZOMBIE:
                yield process, mark


def _self(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process] if process.status() != psutil.STATUS_ZOMBIE else []
    except GONE:
        return []


def _children(pid: int) -> list[psutil.Process]:
    try:
        found: list[psutil.Process] = psutil.Process(pid).children(recursive=True)
        return found
    except GONE:
        return []
