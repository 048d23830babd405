"""The Data page on a real desk and a real host, in a window of its own, and a person's steps on it."""

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import Any

from PySide6.QtWidgets import QApplication

from sptrader_desktop.app.data_desk import WindowDataDesk
from sptrader_desktop.present.selection import Selection
from sptrader_desktop.settings import Settings
from sptrader_desktop.ui.data.data_page import DataPage
from sptrader_desktop.ui.event_loop import WindowLoop
from sptrader_desktop.ui.host import Host
from sptrader_desktop.ui.theme.theme import Theme
from tests.ui.windows import Driver


class DrivenPage(Driver):
    """`heard` are the exceptions that nobody foresaw; a test ends with none."""

    def __init__(self, host: Host, settings: Settings) -> None:
        self.heard: list[BaseException] = []
        self.used: list[str] = []
        self.desk = WindowDataDesk(settings, self.used.append)
        self.selection = Selection()
        self.page = DataPage(self.desk, host.jobs, self.selection, lambda error, _doing: self.heard.append(error))
        super().__init__(host, self.page)


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
