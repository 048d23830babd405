"""Processes that a worker started, and theirs: how much memory they take, and their end, also when they hid in sessions of their own."""

import os
import signal
import sys
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


def end_tree(pid: int, mark: str) -> None:
    """Kill the worker, its process group, all descendants, and whatever still carries its mark. It may be dead already."""
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


def marked(mark: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with suppress(*GONE, OSError):
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


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
