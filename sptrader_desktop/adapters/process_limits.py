"""What a worker asks of the operating system: to die with its parent, to keep its descendants, to get no more memory than allowed."""

import ctypes
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

if sys.platform != "win32":
    import resource

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36


def die_with(parent: int) -> None:
    """Also make the worker a group of its own, so that it ends as one."""
    if sys.platform == "win32":
        return
    if os.getpgrp() != os.getpid():
        os.setsid()
    if sys.platform == "linux":
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        _prctl(PR_SET_CHILD_SUBREAPER, 1)
        os.register_at_fork(after_in_child=_die_with_worker)
    if os.getppid() != parent:
        os._exit(0)


def limit_memory(more: int) -> None:
    """`more` than this process has now; Linux counts private memory as it is asked for. Elsewhere the pool's watch is all there is."""
    if sys.platform == "linux":
        status = Path("/proc/self/status").read_text(encoding="ascii")
        held = next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmData"))
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_DATA, (held + more, held + more))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _die_with_worker() -> None:
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
