"""What the tests of the window share: an application that is dressed for one test and undressed after it."""

import gc
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from sptrader_desktop.ui.collector import collect_due
from sptrader_desktop.ui.event_loop import WindowLoop
from sptrader_desktop.ui.host import Host
from sptrader_desktop.ui.theme.look import look, put_in_force
from sptrader_desktop.ui.theme.theme import Theme
from tests.window_files import WindowFile

PATIENCE_MS = 120_000


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> WindowFile | None:
    return WindowFile.from_parent(parent, path=module_path) if parent.config.getoption("windows_apart") else None


@pytest.fixture
def qtbot(qtbot: QtBot) -> QtBot:
    """Waits as long as a busy machine may need: what does not come is a defect, what comes late is none."""
    for wait in (qtbot.waitUntil, qtbot.waitSignal):
        setattr(qtbot, wait.__name__, partial(wait, timeout=PATIENCE_MS))
    return qtbot


# WORKAROUND: without any style sheet Qt forgets which widgets tell it of their death, yet takes those that were measured and never
# shown for known; with the next sheet it dresses them although they are gone, and the program ends. An empty one keeps its memory.
UNDRESSED = "/* */"


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    before = look()
    worn = Theme(qapp)
    yield worn
    worn.deleteLater()
    qapp.setStyleSheet(UNDRESSED)
    put_in_force(before)


@pytest.fixture(autouse=True)
def _collected_between_tests() -> Iterator[None]:
    """As in the program: garbage goes when the window's thread says so, and never in the middle of what Qt does."""
    gc.disable()
    yield
    collect_due()


@pytest.fixture
def host(qapp: QApplication) -> Iterator[Host]:
    """A loop, jobs and failures without a window."""
    loop = WindowLoop(qapp)
    made = Host(qapp, loop)
    yield made
    made.jobs.cancel_all()
    made.bridge.close()
    loop.close()
