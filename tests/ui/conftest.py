"""What the tests of the window share: an application that is dressed for one test and undressed after it."""

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication

from sptrader_desktop.ui.theme.look import look, put_in_force
from sptrader_desktop.ui.theme.theme import Theme


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    before = look()
    worn = Theme(qapp)
    yield worn
    worn.deleteLater()
    qapp.setStyleSheet("")
    put_in_force(before)
