"""Who comes first where processors are scarce: the guardian before those that trade, and those before everything else."""

import contextlib
import gc
import os

TRADES, GUARDS = 1, 2  # ranks
NICE = -5  # for each rank, where a system knows no real time
_asked: list[int] = []


def ask_for_precedence(rank: int) -> None:
    """For this thread, where the system grants it; elsewhere it takes its turn. Programs that it starts take their own."""
    _asked[:] = [rank]
    if hasattr(os, "sched_setscheduler"):
        policy = os.SCHED_RR | getattr(os, "SCHED_RESET_ON_FORK", 0)
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, policy, os.sched_param(os.sched_get_priority_min(os.SCHED_RR) + rank - 1))
            return
    if hasattr(os, "setpriority"):
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, rank * NICE)


def share_precedence() -> None:
    """For another thread of a program that asked: while it holds the interpreter's lock, all others wait for it."""
    if _asked:
        ask_for_precedence(_asked[0])


def settle() -> None:
    """What is there now stays to the end: no collection of garbage looks through it while orders pass."""
    gc.collect()
    gc.freeze()
