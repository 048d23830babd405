"""Each file of window tests as one test, in a process of its own: a program has one window, and Qt does not outlive several.

`make test` asks for it with `--windows-apart`; without it the tests of such a file run as any others.
"""

import faulthandler
import multiprocessing
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

# Copies of one process that has loaded everything, where Qt bears being copied.
PROCESSES = multiprocessing.get_context("forkserver") if sys.platform == "linux" else multiprocessing.get_context("spawn")
PROCESSES.set_forkserver_preload(["tests.window_imports"])


class WindowFile(pytest.File):
    def collect(self) -> "Iterator[WindowTests]":
        tests = WindowTests.from_parent(self, name="in a process of its own")
        tests.add_marker(pytest.mark.timeout(0))  # each of them has its own
        yield tests


class WindowTests(pytest.Item):
    def runtest(self) -> None:
        faulthandler.cancel_dump_traceback_later()  # each of them has its own
        code, text = tried(self.path)
        if code:
            pytest.fail(f"ended with {code}:\n{text}", pytrace=False)
        for outcome in ("passed", "skipped"):
            self.user_properties.append((outcome, sum(map(int, re.findall(rf"(\d+) {outcome}", text)))))


def tried(path: Path) -> tuple[int | None, str]:
    """How the process of a file ended, and what it printed."""
    with tempfile.TemporaryDirectory(prefix="sptrader-tests-", ignore_cleanup_errors=True) as folder:
        printed = Path(folder) / "printed"
        process = PROCESSES.Process(target=run_file, args=(path, printed))
        process.start()
        process.join()
        return process.exitcode, printed.read_text(encoding="utf-8", errors="replace") if printed.exists() else ""


def run_file(path: Path, printed: Path) -> None:
    os.environ.setdefault("PYTEST_XDIST_WORKER", "window")  # it is one of several, whoever started it
    target = os.open(printed, os.O_WRONLY | os.O_CREAT, 0o600)
    for stream in (1, 2):
        os.dup2(target, stream)
    loaded = "ignore:Module already imported:pytest.PytestAssertRewriteWarning"
    sys.exit(pytest.main([str(path), "-W", loaded, f"--basetemp={printed.parent / 'files'}"]))
