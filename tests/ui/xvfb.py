"""A screen of the test's own, without a monitor, and a hand that clicks and types on it: the window as a person meets it."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
NEEDED = ("Xvfb", "xdotool")
PATIENCE_S = 180.0


@dataclass(frozen=True, slots=True)
class Screen:
    display: str

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"DISPLAY": self.display, "QT_QPA_PLATFORM": "xcb"}

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """`python ARGUMENTS…` with this screen."""
        command = [sys.executable, *arguments]
        return subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def window(self, title: str) -> str:
        """The id of the visible window of that title, when it has come and can be used."""
        found = _until(lambda: self.shows(title), f"no window is titled {title!r}")
        self._do("windowfocus", "--sync", found[0])
        return found[0]

    def shows(self, title: str) -> list[str]:
        """The ids of the visible windows of that title."""
        return self._do("search", "--onlyvisible", "--name", f"^{title}$").split()

    def click(self, window: str, x: int, y: int) -> None:
        """At a point of the window, with the left button."""
        self._do("mousemove", "--sync", "--window", window, str(x), str(y))
        self._do("click", "1")

    def type(self, text: str) -> None:
        """To what has the focus."""
        self._do("type", "--delay", "2", text)

    def press(self, *keys: str) -> None:
        """By X's names, such as `F5`, `ctrl+k` and `Return`."""
        self._do("key", *keys)

    def _do(self, *words: str) -> str:
        done = subprocess.run(["xdotool", *words], env=self.environment, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
        return done.stdout


def _until(ask: Callable[[], Sequence[str]], otherwise: str) -> Sequence[str]:
    deadline = time.monotonic() + PATIENCE_S
    while not (found := ask()):
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.05)
    return found


@contextmanager
def private_screen(width: int = 1600, height: int = 900) -> Iterator[Screen]:
    """Xvfb chooses a display that nobody uses and says which."""
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp", "-noreset"]
    server = subprocess.Popen(command, pass_fds=[writing], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        with os.fdopen(reading) as said:
            number = said.readline().strip()
        assert number, "Xvfb did not start"
        yield Screen(f":{number}")
    finally:
        server.terminate()
        server.wait(PATIENCE_S)


@pytest.fixture
def screen() -> Iterator[Screen]:
    """Skips where there is no Xvfb, except where the whole suite must run."""
    missing = [name for name in NEEDED if not shutil.which(name)]
    if missing:
        said = f"{', '.join(missing)} not found: `make test` installs it where it may"
        pytest.fail(said) if os.environ.get("REQUIRE_REFERENCE") == "1" else pytest.skip(said)
    with private_screen() as screen:
        yield screen
