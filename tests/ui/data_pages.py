"""The Data page on a real desk and a real host, in a window of its own, and a person's steps on it."""

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLineEdit, QPushButton, QTableWidget, QWidget

from sptrader_desktop.app.data_desk import WindowDataDesk
from sptrader_desktop.present.datasets import DatasetRow
from sptrader_desktop.present.selection import Selection
from sptrader_desktop.settings import Settings
from sptrader_desktop.ui.data.data_page import DataPage
from sptrader_desktop.ui.event_loop import WindowLoop
from sptrader_desktop.ui.host import Host
from sptrader_desktop.ui.theme.theme import Theme
from tests.servers import own_settings
from tests.ui.windows import Driver
from tests.vendor_files import SPRING, market

# What vendors' files are made of, and the clock that they are on.
BARS = market(SPRING, weeks=4)
EET = ZoneInfo("Europe/Athens")
SAMPLE = "EURUSD_1h_2024-01-02_2024-05-31.parquet"


def page_settings(home: Path) -> Settings:
    return replace(own_settings(), workspace=home / "workspace", candles=home / "candles", downloads=home / "downloads")


class DrivenPage(Driver):
    """`heard` are the exceptions that nobody foresaw; a test ends with none."""

    def __init__(self, host: Host, settings: Settings) -> None:
        self.heard: list[BaseException] = []
        self.used: list[str] = []
        self.desk = WindowDataDesk(settings, self.used.append)
        self.selection = Selection()
        self.page = DataPage(self.desk, host.jobs, self.selection, lambda error, _doing: self.heard.append(error))
        super().__init__(host, self.page)

    def settle(self) -> None:
        """What is known of a file is shown in steps."""
        super().settle()
        if "imports" in vars(self.page):  # to ask the page for the panel would make it
            self.until(lambda: self.page.imports.is_settled, "the file to be shown")


@contextmanager
def driven_page(app: QApplication, settings: Settings) -> Iterator[DrivenPage]:
    loop = WindowLoop(app)
    asyncio.set_event_loop(loop)
    host, theme = Host(app, loop), Theme(app)
    ended: list[Awaitable[Any]] = []
    made: list[DrivenPage] = []

    def open_page(host: Host) -> None:
        made.append(DrivenPage(host, settings))
        made[0].page.resize(1366, 700)
        made[0].page.show()

    async def begin() -> None:
        ended.append(asyncio.ensure_future(host.live(open_page)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def end() -> Any:
        return await ended[0]

    loop.run_until_complete(begin())
    try:
        made[0].page.activateWindow()
        yield made[0]
    finally:
        host.close()
        left = loop.run_until_complete(end())
        made[0].page.deleteLater()
        theme.deleteLater()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
        asyncio.set_event_loop(None)
    assert not left, f"these did not stop: {left}"
    assert made[0].heard == []


def page_fixtures(name: str) -> tuple[Any, Any, Any]:
    """`settings`, `opened` and `page` of a file of tests, all on one page in a home of its own."""

    @pytest.fixture(scope="module")
    def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
        return page_settings(tmp_path_factory.mktemp(name))

    @pytest.fixture(scope="module")
    def opened(qapp: QApplication, settings: Settings) -> Iterator[DrivenPage]:
        with driven_page(qapp, settings) as driven:
            driven.settle()
            yield driven

    @pytest.fixture
    def page(opened: DrivenPage) -> DataPage:
        opened.settle()
        return opened.page

    return settings, opened, page


# A person's steps


def go_to(opened: DrivenPage, title: str) -> None:
    """By a click on its tab."""
    bar = opened.page.tabs.tabBar()
    place = next(at for at in range(bar.count()) if bar.tabText(at) == title)
    QTest.mouseClick(bar, Qt.MouseButton.LeftButton, pos=bar.tabRect(place).center())


def press(opened: DrivenPage, name: str) -> None:
    opened.click(opened.find(QPushButton, name))
    opened.settle()


def pick(opened: DrivenPage, name: str, words: str) -> None:
    """By the keyboard, as one does who knows the list."""
    box = opened.find(QComboBox, name)
    box.setFocus()
    place = box.findText(words)
    assert place >= 0, f"{name} offers no {words}"
    while box.currentIndex() != place:
        QTest.keyClick(box, Qt.Key.Key_Down if box.currentIndex() < place else Qt.Key.Key_Up)
    opened.settle()


def type_into(opened: DrivenPage, name: str, text: str, kind: type[QLineEdit] = QLineEdit) -> QLineEdit:
    field = opened.find(kind, name)
    field.setFocus()
    field.selectAll()
    QTest.keyClick(field, Qt.Key.Key_Delete)
    QTest.keyClicks(field, text)
    return field


def said(opened: DrivenPage, name: str) -> str:
    return opened.find(QWidget, f"{name}Said").accessibleName()


def choose(opened: DrivenPage, place: str) -> DatasetRow:
    """By a click on its row; `place` is where it is kept."""
    panel = opened.page.datasets
    go_to(opened, "Datasets")
    at = next(at for at, row in enumerate(panel.rows) if row.place == place)
    view = panel.table.view
    index = panel.table.model.index(panel.table.model.row_of(at), 0)
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=view.visualRect(index).center())
    found = panel.chosen()
    assert found is not None
    assert found.place == place
    return found


def cell(table: QTableWidget, row: int, column: int) -> str:
    found = table.item(row, column)
    assert found is not None
    return found.text()
