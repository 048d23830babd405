"""The host, in real programs: no fault ends it, the end is bounded and named, and starting it loads none of what is heavy."""

import ast
import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sptrader_desktop.present.failures import BY_ERRNO

ROOT = Path(__file__).resolve().parent.parent.parent


def program(what: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.ui.window_program", what]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ran(what: str) -> "subprocess.CompletedProcess[str]":
    started = program(what)
    out, err = started.communicate(timeout=400)
    return subprocess.CompletedProcess([], started.returncode, out, err)


def test_a_fault_of_any_kind_is_told_and_the_program_goes_on() -> None:
    done = ran("fail")
    told = [line for line in done.stdout.splitlines() if line.startswith("told ")]
    assert {line.partition(":")[0] for line in told} == {
        "told Something in the window failed",
        "told Something in the background failed",
        "told The task failed",
        "told The thread helper failed",
        "told The job failed",
    }
    assert [line for line in told if "mistake" not in line] == ["told The job failed: a job's sentence"]
    assert len(told) == 5
    assert done.returncode == 0
    assert "Traceback" not in done.stdout


def test_a_failure_is_shown_also_where_no_file_can_be_opened_any_more() -> None:
    said = BY_ERRNO[errno.EMFILE]
    assert ran("no files").stdout.splitlines() == ["told Reading the candles failed: Too many open files", f"shown {said}"]


def test_what_does_not_stop_is_named_within_the_bound_and_left_behind() -> None:
    began = time.monotonic()
    done = ran("hang")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "sptrader: these did not stop and were left behind: the server, threads, The deaf job"
    assert time.monotonic() - began < 300  # what hangs would hang for 600 s


def test_a_step_that_holds_the_windows_own_thread_is_ended_from_outside_and_named() -> None:
    done = ran("hold")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "sptrader: these did not stop and were left behind: the pane that sleeps"


def test_an_exit_in_a_callback_still_stops_in_order() -> None:
    assert ran("exit").returncode == 7


def test_ctrl_c_in_a_slot_stops_in_order() -> None:
    done = ran("interrupt")
    assert (done.stdout, done.returncode) == ("stopped in order\n", 0)


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ("refuse", "sptrader: the workspace is used by another window: close that one"),
        ("break", "sptrader: the window could not be opened (ZeroDivisionError: at the start); the log has the details"),
    ],
)
def test_a_window_that_cannot_open_says_why_in_one_line(what: str, sentence: str) -> None:
    done = ran(what)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (1, sentence)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_asks_for_the_orderly_end(number: signal.Signals) -> None:
    with program("wait") as started:
        assert started.stdout
        assert started.stdout.readline() == "up\n"
        os.kill(started.pid, number)
        out, _ = started.communicate(timeout=30)
    assert (out, started.returncode) == ("stopped in order\n", 0)


def test_starting_the_host_loads_nothing_heavy() -> None:
    code = "import sys, sptrader_desktop.ui.host; print(*sorted({name.partition('.')[0] for name in sys.modules}), sep='\\n')"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "PySide6" in loaded
    assert not loaded & {"pandas", "numba", "pyarrow", "redis", "psycopg", "ruamel", "httpx", "pyqtgraph"}


def test_nothing_in_the_window_turns_a_loop_of_its_own_or_ends_the_program() -> None:
    """Dialogs and menus are opened, not executed; the host alone ends the program."""
    forbidden = {"exec", "exec_", "processEvents", "exit", "_exit", "asyncSlot", "asyncClose", "waitForFinished"}
    allowed = {("shutdown.py", "_exit"), ("data_child.py", "_exit")}  # the end by force, and of a process that is no window
    called = {
        (path.name, node.func.attr)
        for folder in ("ui", "app")
        for path in (ROOT / "sptrader_desktop" / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in forbidden
    }
    assert called == allowed
