"""The window beside a live session that it watches: the real one, on its Live page, painting what it is told."""

import asyncio
import sys
from typing import Any


def child(_: list[str]) -> dict[str, Any]:
    """Until its standard input ends; says `open` on standard output when the session is shown."""
    from sptrader_desktop.ui.host import Host, run_window

    found: dict[str, Any] = {}

    async def live(host: Host) -> None:
        try:
            found.update(await _watched(host))
        finally:
            host.close()

    run_window(live)
    return found


async def _watched(host: Any) -> dict[str, Any]:
    from PySide6.QtCore import QEvent, QObject

    from sptrader_desktop.app.window import open_window
    from sptrader_desktop.settings import load_settings

    class Paints(QObject):
        count = 0

        def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
            self.count += event.type() == QEvent.Type.UpdateRequest
            return False

    window, paints = open_window(host, load_settings()), Paints()
    while window.page.chart.candles is None or host.jobs.running:
        await asyncio.sleep(0.01)
    window.live.open()
    while window.live.session.state is None:
        await asyncio.sleep(0.01)
    await asyncio.sleep(1.0)  # what the page makes when it is first shown
    window.installEventFilter(paints)
    host.lag.forget()
    began = asyncio.get_running_loop().time()
    print("open", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    took, lag = asyncio.get_running_loop().time() - began, host.lag.record.summary()
    return {"paints": paints.count / took, "lag": lag.p999 / 1000, "rss": _rss()}


def _rss() -> int:
    import psutil

    rss: int = psutil.Process().memory_info().rss
    return rss
