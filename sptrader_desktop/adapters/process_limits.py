"""What a worker asks of the operating system: to die with its parent, to keep its descendants, to get no more memory than allowed.

And what it says when the system has no more.
"""

import ctypes
import errno
import os
import shutil
import signal
import sys
from contextlib import suppress
from pathlib import Path

if sys.platform != "win32":
    import resource

NONE_LEFT = {errno.ENOSPC, errno.EDQUOT, errno.ENFILE}
LEAST_BYTES = 256 * 1024
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


def shortage(error: BaseException) -> OSError | None:
    """What the system had no more of, if that is behind an error, also where another was made of it."""
    cause: BaseException | None = error
    while cause is not None and not (isinstance(cause, OSError) and cause.errno in NONE_LEFT):
        cause = cause.__cause__ or cause.__context__
    return cause


def lacking(error: OSError, folder: Path) -> str:
    """`folder` is where the program's own files are, which is not the only place that a script may write to."""
    why = os.strerror(error.errno) if error.errno else str(error)
    if error.errno == errno.ENFILE:
        return f"the computer can open no more files ({why})"
    if error.filename:
        return f"{error.filename} cannot be written ({why})"
    is_ours = shutil.disk_usage(folder).free < LEAST_BYTES
    return f"the folder for components' work, {folder}, is full ({why})" if is_ours else f"a place that it writes to is full ({why})"


def _die_with_worker() -> None:
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
