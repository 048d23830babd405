"""What trades comes before other programs and behind the guardian, and nothing that it starts comes along."""

import os
import subprocess
import sys

import pytest

SAY = "import os; print(os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK, os.sched_getparam(0).sched_priority)"
ASK = f"""
import subprocess, sys
from sptrader_desktop.guardian.precedence import GUARDS, TRADES, ask_for_precedence
from sptrader_desktop.runtime.loop_thread import sharing_threads
ask_for_precedence({{}})
{SAY}
sys.stdout.flush()
subprocess.run([sys.executable, "-c", {SAY!r}])
sharing_threads().submit(exec, {SAY!r}).result()
"""


def told(rank: str) -> list[tuple[int, ...]]:
    """Policy and priority of the one that asks, of a program that it starts, and of a thread that shares it."""
    done = subprocess.run([sys.executable, "-c", ASK.format(rank)], capture_output=True, text=True, check=True)
    return [tuple(map(int, line.split())) for line in done.stdout.splitlines()]


@pytest.mark.skipif(not hasattr(os, "SCHED_RESET_ON_FORK"), reason="only Linux knows it")
def test_who_trades_comes_before_what_it_starts_and_behind_the_guardian() -> None:
    trades, guards = told("TRADES"), told("GUARDS")
    if trades[0][0] != os.SCHED_RR:
        pytest.skip("this system grants no precedence")
    assert [each[1] for each in (trades, guards)] == [(os.SCHED_OTHER, 0)] * 2
    assert trades[0] == trades[2]
    assert guards[0] == guards[2] == (os.SCHED_RR, trades[0][1] + 1)
