"""Where nobody can see a window: the sample is run through the real one all the same, and a picture and a report of it are written."""

import asyncio
import sys
from pathlib import Path

from sptrader_desktop import compose
from sptrader_desktop.core.errors import RunError
from sptrader_desktop.runtime.whole_files import write_whole
from sptrader_desktop.ui.desk import Finished
from sptrader_desktop.ui.host import Host
from sptrader_desktop.ui.main_window import SIZE, MainWindow

# What is painted after a run: the indicators come behind the result.
SETTLED_S = 1.0


async def take_first_look(host: Host, window: MainWindow, folder: Path) -> None:
    try:
        window.resize(SIZE)  # a screen that is not there has no say in it
        finished = await _ran(window)
        await asyncio.sleep(SETTLED_S)
        folder.mkdir(parents=True, exist_ok=True)
        picture, report = folder / "window.png", folder / "report.txt"
        write_whole(report, compose.report_text(finished.result).encode())
        if not window.grab().save(str(picture)):
            raise RunError(f"{picture} could not be written: make room in its folder, or set SPTRADER_WORKSPACE to another")
        sys.stdout.write(f"{picture}\n{report}\n")
    finally:
        host.close()


async def _ran(window: MainWindow) -> Finished:
    done: asyncio.Future[Finished] = asyncio.get_running_loop().create_future()
    window.research.runFinished.connect(lambda finished: done.set_result(finished) if not done.done() else None)
    window.research.failed.connect(lambda _, error: done.set_exception(error) if not done.done() else None)
    window.page.run()
    return await done
