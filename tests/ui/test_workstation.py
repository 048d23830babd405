"""From the command to an exported report, on a real screen with a real keyboard: what a person meets in the first minute."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from sptrader_desktop.adapters.run_store import SqliteRunStore
from sptrader_desktop.settings import load_settings
from tests.ui.xvfb import Screen, screen

__all__ = ["screen"]  # the fixture

PATIENCE_S = 240.0  # compiling the engine on a busy machine included
ANSWER_S = 15.0  # until a dialog that stands there still was not answered
OPEN = ("-m", "sptrader_desktop")


def until(holds: Callable[[], object], program: "subprocess.Popen[str]", what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert program.poll() is None, f"the program ended before {what}: {program.communicate()}"
        assert time.monotonic() < deadline, f"waited {PATIENCE_S:.0f} s for {what}"
        time.sleep(0.1)


def runs() -> int:
    return len(SqliteRunStore(load_settings().runs).list())


def answer(screen: Screen, path: Path, program: "subprocess.Popen[str]") -> None:
    """Qt's own dialog completes names as it comes to know folders, and may complete what is typed quicker than that to another one, which a
    person sees and types anew."""
    typed = -ANSWER_S

    def is_written() -> bool:
        nonlocal typed
        if time.monotonic() - typed > ANSWER_S and screen.shows("Export Report"):
            typed = time.monotonic()
            screen.window("Export Report")
            screen.press("ctrl+a")
            screen.type(f"{path}")
            screen.press("Return")
        return path.exists()

    until(is_written, program, "the report")


def test_from_launch_to_an_exported_report(screen: Screen, tmp_path: Path) -> None:
    before, report = runs(), tmp_path / "report.html"
    program = screen.start(*OPEN)
    try:
        screen.window("SPtrader")
        screen.press("F5")
        until(lambda: runs() > before, program, "the run")
        second = screen.start(*OPEN)
        said = second.communicate(timeout=60)
        assert (second.returncode, said) == (0, ("", "")), "a second launch brings the first window to the front and ends"
        screen.window("SPtrader")
        time.sleep(1)  # what was kept is told to the window within a frame
        screen.press("ctrl+shift+e")
        screen.window("Export Report")
        answer(screen, report, program)
        assert "ma_crossover" in report.read_text(encoding="utf-8")
        screen.window("SPtrader")
        screen.press("ctrl+q")
        out, err = program.communicate(timeout=60)
        assert (program.returncode, err) == (0, ""), out
    finally:
        program.kill()
        program.communicate()
    assert load_settings().preferences.exists(), "how the window stood is kept"
