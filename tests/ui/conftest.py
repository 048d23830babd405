"""What the tests of the window share: an application that is dressed for one test and undressed after it."""

import gc
from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication

from sptrader_desktop.ui.collector import collect_due
from sptrader_desktop.ui.theme.look import look, put_in_force
from sptrader_desktop.ui.theme.theme import Theme

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
