"""One window for each person, in real processes: a second launch raises the first, and nothing that a crash leaves behind is in the way."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PySide6.QtNetwork import QLocalSocket
from pytestqt.qtbot import QtBot

from sptrader_desktop.core.errors import DataError
from sptrader_desktop.runtime.file_lock import WORKSPACE_LOCK, FileLock, lock_workspace
from sptrader_desktop.ui.single_instance import LOCK, SOCKET, take_first_place

ROOT = Path(__file__).resolve().parent.parent.parent


@contextmanager
def launched(home: Path, *arguments: str) -> "Iterator[subprocess.Popen[str]]":
    """With its own places below `home`."""
    places = {"XDG_RUNTIME_DIR": str(home), "SPTRADER_WORKSPACE": str(home / "workspace")}
    command = [sys.executable, "-m", "tests.ui.launched_program", *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=os.environ | places, stdout=pipe, stderr=pipe, text=True) as program:
        try:
            yield program
        finally:
            program.kill()


def line(program: "subprocess.Popen[str]") -> str:
    assert program.stdout
    return program.stdout.readline().rstrip()


def complaint(program: "subprocess.Popen[str]") -> str:
    assert program.stderr
    return next((text for text in program.stderr if text.startswith("sptrader: ")), "")


def test_a_second_launch_raises_the_first_with_its_arguments_and_ends_well(tmp_path: Path) -> None:
    with launched(tmp_path) as first:
        assert line(first) == "first"
        for arguments in ([], ["strategies/größe ü.yaml", "end"]):
            with launched(tmp_path, *arguments) as second:
                assert (second.wait(30), line(second)) == (0, "")
            assert line(first) == f"raised {arguments}"
        assert first.wait(30) == 0
    assert [path.name for path in (tmp_path / "sptrader").iterdir()] == [LOCK]


def test_what_a_killed_program_left_behind_is_in_nobodys_way(tmp_path: Path) -> None:
    with launched(tmp_path) as first:
        assert line(first) == "first"
        first.send_signal(signal.SIGKILL)
        first.wait()
    assert (tmp_path / "sptrader" / SOCKET).exists(), "the test needs the socket that a crash leaves behind"
    with launched(tmp_path) as second:
        assert line(second) == "first"


def test_a_first_window_that_does_not_answer_is_said_to_run(tmp_path: Path) -> None:
    with launched(tmp_path) as first:
        assert line(first) == "first"
        os.kill(first.pid, signal.SIGSTOP)
        with launched(tmp_path, "in a hurry") as second:
            assert "its window does not answer" in complaint(second)
            assert second.wait(30) == 1


def test_a_workspace_that_another_window_writes_to_is_refused_in_one_line(tmp_path: Path) -> None:
    lock = lock_workspace(tmp_path / "workspace")
    with launched(tmp_path) as program:
        assert "another window uses this workspace" in complaint(program)
        assert program.wait(30) == 1
    lock.give()


def test_a_caller_that_talks_nonsense_is_hung_up_on(tmp_path: Path, qtbot: QtBot) -> None:
    first = take_first_place(tmp_path)
    assert first
    raised: list[list[str]] = []
    first.raised.connect(raised.append)
    socket = QLocalSocket()
    socket.connectToServer(str(tmp_path / SOCKET))
    qtbot.waitUntil(lambda: socket.state() == QLocalSocket.LocalSocketState.ConnectedState)
    socket.write(b"x" * (1 << 18))
    qtbot.waitUntil(lambda: socket.state() == QLocalSocket.LocalSocketState.UnconnectedState)
    assert raised == []
    first.close()


def test_nobody_else_may_use_the_socket(tmp_path: Path, qtbot: QtBot) -> None:
    first = take_first_place(tmp_path)
    assert first
    assert (tmp_path / SOCKET).stat().st_mode & 0o077 == 0
    first.close()


# The workspace


def test_a_workspace_has_one_writer_and_the_next_may_write_when_it_is_gone(tmp_path: Path) -> None:
    lock = lock_workspace(tmp_path / "workspace")
    with pytest.raises(DataError, match="another window uses this workspace"):
        lock_workspace(tmp_path / "workspace")
    lock.give()
    lock.give()
    lock_workspace(tmp_path / "workspace").give()


def test_the_lock_of_a_killed_program_is_free(tmp_path: Path) -> None:
    code = "import sys, time; from pathlib import Path; from sptrader_desktop.runtime.file_lock import lock_workspace as take"
    code += "; held = take(Path(sys.argv[1])); print('held', flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True) as holder:
        assert line(holder) == "held"
        assert not FileLock(tmp_path / WORKSPACE_LOCK).take()
        holder.kill()
        holder.wait()
    lock_workspace(tmp_path).give()


def test_a_workspace_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="the workspace cannot be written"):
        lock_workspace(tmp_path / "file" / "workspace")
