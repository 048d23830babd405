"""The real window in a program of its own, driven from inside: `python -m tests.ui.hostile_program WHAT` says what it saw as JSON lines."""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil
from PySide6.QtCore import QPoint, QTimer
from PySide6.QtWidgets import QApplication, QPushButton, QWidget

from sptrader_desktop.app import window as opening
from sptrader_desktop.runtime.recipe import Recipe
from sptrader_desktop.settings import Settings, load_settings
from sptrader_desktop.ui.host import Host, run_window
from sptrader_desktop.ui.main_window import MainWindow

PATIENCE_S = 120.0
SLEEPY = """\
import time
__metadata_version__ = 2
__metadata__ = {"name": "sleepy", "event_types": ["golden_cross", "death_cross"], "warm_up": "1"}


class Sleepy:
    def evaluate(self, data, indicators):
        time.sleep(3600)
"""
THOUGHT = "# a thought that was never saved\n"


def say(**what: Any) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():
            await asyncio.sleep(0.01)


async def settled(host: Host, window: MainWindow) -> None:
    await until(lambda: window.page.chart.candles is not None and not host.jobs.running and not host.jobs.waiting)
    await asyncio.sleep(0.05)


def told(window: MainWindow) -> list[str]:
    return [notice.text for notice in window.notices.waiting()]


async def write_and_run(host: Host, window: MainWindow) -> None:
    """Unsaved text, a component at work, and prices asked for: then somebody ends the program from outside."""
    folder, texts = load_settings().workspace, load_settings().texts
    strategy = folder / "strategies" / "ma_crossover.yaml"
    (folder / "core" / "signals" / "sleepy.py").write_text(SLEEPY)
    text = strategy.read_text().replace("params: {fast_period: parameters.fast_period, slow_period: parameters.slow_period}", "params: {}")
    hanging = strategy.with_name("sleepy.yaml")
    hanging.write_text(text.replace("ma_crossover", "sleepy"))
    await settled(host, window)
    window.texts.documents.open(strategy).edit.insertPlainText(THOUGHT)
    window.research.run(Recipe(str(hanging), data=(window.page.panel.series[0].path,)), hanging.read_text())
    me = psutil.Process()
    await until(lambda: any("sptrader_desktop.worker" in " ".join(child.cmdline()) for child in me.children(recursive=True)))
    await until(lambda: any(THOUGHT.strip() in draft.read_text() for draft in (texts / "drafts").glob("*.json")))
    await asyncio.sleep(0.3)  # the component is at work
    say(children=[child.pid for child in me.children(recursive=True)], running=[job.kind for job in host.jobs.running])
    await asyncio.sleep(PATIENCE_S)


async def begin_again(host: Host, window: MainWindow) -> None:
    """After that: what is offered, and whether a run can be made."""
    await settled(host, window)
    await until(lambda: told(window))
    notices = told(window)
    next(button for button in window.notices.findChildren(QPushButton) if button.text() == "Open").click()
    editor = window.texts.documents.current_editor
    assert editor is not None
    say(notices=notices, text=editor.edit.text(), is_modified=editor.document.is_modified)
    window.page.panel.choose(load_settings().workspace / "strategies" / "ma_crossover.yaml", None)
    window.page.run()
    await until(lambda: window.selection.run.value)
    say(kept=[run.strategy for run in window._desk.runs.list()])
    host.close()


async def look(host: Host, window: MainWindow) -> None:
    """How it came up, whatever was in its files."""
    await settled(host, window)
    screen = window.screen().availableGeometry()
    say(
        notices=told(window),
        is_seen=window.isVisible() and screen.intersects(window.frameGeometry()),
        docks=sorted(name for name, dock in window.layouts.docks.items() if not dock.isHidden()),
        layout=window.layouts.name,
        answers=dict(window.page.panel.answers()),
    )
    host.close()


async def stand_on_the_other_screen(host: Host, window: MainWindow) -> None:
    """The window and a pane of its own beside the first screen; another pane stays on it."""
    await settled(host, window)
    first, other = (screen.availableGeometry() for screen in QApplication.screens())
    window.move(other.topLeft() + QPoint(60, 40))
    for name, place in (("explain", other.topLeft() + QPoint(400, 300)), ("log", first.topLeft() + QPoint(200, 200))):
        dock = window.layouts.docks[name]
        dock.show()
        dock.setFloating(True)
        dock.move(place)
    await asyncio.sleep(0.3)
    say(**where(window))
    host.close()


async def look_where(host: Host, window: MainWindow) -> None:
    await settled(host, window)
    say(**where(window))
    host.close()


def where(window: MainWindow) -> dict[str, Any]:
    """On which screen the window and each pane of its own stand by their upper edge; an empty word for none."""

    def screen_of(widget: QWidget) -> str:
        frame = widget.frameGeometry()
        heading = frame.adjusted(0, 0, 0, 1 - frame.height())
        return next((screen.name() for screen in QApplication.screens() if screen.geometry().intersects(heading)), "")

    docks = window.layouts.docks
    floating = {name: screen_of(dock) for name, dock in docks.items() if dock.isFloating()}
    shown = sorted(name for name, dock in docks.items() if dock.isVisible())
    return {
        "window": screen_of(window),
        "size": [window.frameGeometry().width(), window.frameGeometry().height()],
        "floating": floating,
        "shown": shown,
    }


async def close_while_importing(host: Host, window: MainWindow) -> None:
    """The file is argument two; argument three says whether it is being read or kept."""
    await settled(host, window)
    page = window.data.open()
    page.open_file(Path(sys.argv[2]))
    if sys.argv[3] == "kept":
        await until(page.imports.keep.isEnabled)
        page.imports.keep.click()
    await until(lambda: any(job.kind.startswith("data-") for job in host.jobs.running))
    window.close()


async def keep_secrets(host: Host, window: MainWindow) -> None:
    """A password in the environment and one in the form, and errors of every kind that hold them; argument two takes the diagnostics."""
    settings: Settings = load_settings()
    await settled(host, window)
    page = window.data.open()
    page.tabs.setCurrentWidget(page.database)
    page.database.by_url.setChecked(True)
    page.database.url.setText("postgresql://me:typedsecret@127.0.0.1:1/none")
    for button in (page.database.test, page.database.connect_button):
        button.click()
        await until(lambda: not page.work.is_at_work("database"))
        say(said=page.database.foot.said.text())
    QTimer.singleShot(0, window, lambda: int(settings.database_url))
    nothing: dict[str, object] = {}
    host.jobs.start("secret", "asking", lambda _: nothing[page.database.url.text()])
    await until(lambda: len(host.failures.said.value) >= 2)
    say(said=[f"{failure.why} {failure.details}" for failure in host.failures.said.value])
    say(said=host._diagnostics(host.failures.said.value))
    await settled(host, window)
    window.help.write_diagnostics(Path(sys.argv[2]))
    await until(lambda: Path(sys.argv[2]).exists())
    host.close()


WHAT: dict[str, Callable[[Host, MainWindow], Awaitable[None]]] = {
    "write and run": write_and_run,
    "begin again": begin_again,
    "look": look,
    "stand on the other screen": stand_on_the_other_screen,
    "look where": look_where,
    "close while importing": close_while_importing,
    "keep secrets": keep_secrets,
}


def open_it(host: Host) -> None:
    made: list[MainWindow] = []
    really = opening.open_window

    def kept(host: Host, settings: Settings, scale: int = 100) -> MainWindow:
        made.append(really(host, settings, scale))
        return made[0]

    opening.open_window = kept
    if sys.argv[1] != "close while importing":  # there it is looked at how soon all ends; elsewhere a busy machine may take its time
        host.shutdown._bound_s = PATIENCE_S
    opening.open_first_window(host, load_settings(), 100)
    if made:
        host.task(_driven(host, made[0]), "the test")


async def _driven(host: Host, window: MainWindow) -> None:
    try:
        await WHAT[sys.argv[1]](host, window)
    except BaseException as error:
        if not isinstance(error, asyncio.CancelledError):
            say(failed=f"{type(error).__name__}: {error}")
            host.close()
        raise


def main() -> int:
    with opening.logging_to(load_settings().logs):
        ended = run_window(open_it)
    assert QApplication.instance() is not None
    return ended


def play(arguments: Sequence[str], surroundings: Mapping[str, str], folder: Path) -> None:
    """In a copy of a process that has everything loaded; what it prints is in that folder."""
    os.environ.clear()
    os.environ.update(surroundings)
    sys.argv[1:] = arguments
    for stream, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT, 0o600), stream)
    sys.exit(main())


if __name__ == "__main__":
    sys.exit(main())
