"""From the command to the window that a person sees, in the order that makes it quick: first what is painted, then the engine."""

import asyncio
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from sptrader_desktop import compose_components
from sptrader_desktop.adapters.json_preferences import JsonPreferences
from sptrader_desktop.adapters.rotating_log import open_log
from sptrader_desktop.adapters.text_drafts import TextDrafts
from sptrader_desktop.app.data_process import CALLED, ProcessDataDesk
from sptrader_desktop.app.desk import WindowDesk
from sptrader_desktop.app.first_look import take_first_look
from sptrader_desktop.app.live_desk import WindowLiveDesk
from sptrader_desktop.core.errors import DataError, SptraderError
from sptrader_desktop.present.preferences import Preferences, read
from sptrader_desktop.runtime.file_lock import lock_workspace
from sptrader_desktop.settings import Settings, load_settings
from sptrader_desktop.ui.desk import Series
from sptrader_desktop.ui.host import Host, run_window
from sptrader_desktop.ui.jobs import Report
from sptrader_desktop.ui.kept_preferences import KeptPreferences
from sptrader_desktop.ui.main_window import MainWindow
from sptrader_desktop.ui.single_instance import take_first_place
from sptrader_desktop.ui.theme.theme import Theme, scaled_start

SAMPLE_STRATEGY = "ma_crossover"
LATER = (
    "sptrader_desktop.app.data_desk",
    "sptrader_desktop.ui.data.data_page",
    "sptrader_desktop.ui.live.live_page",
    "sptrader_desktop.present.diagnostics",
)


def open_workstation() -> int:
    settings = load_settings()
    with logging_to(settings.logs), scaled_start(wanted_scale(settings)) as scale:
        if has_display():
            return run_window(lambda host: open_first_window(host, settings, scale))
        sys.stderr.write("sptrader: there is no display: the sample is run through the window unseen\n")
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        return run_window(lambda host: take_first_look(host, open_window(host, settings, scale), settings.workspace / "first look"))


def wanted_scale(settings: Settings) -> int:
    """Asked for before there is anybody to tell what is wrong with the file: that is told when the window loads it."""
    try:
        content = settings.preferences.read_bytes()
    except OSError:
        return Preferences().scale
    return read(content, settings.preferences.name).preferences.scale


def open_first_window(host: Host, settings: Settings, scale: int) -> None:
    """A second launch brings the first window to the front and ends."""
    place = take_first_place(settings.sockets)
    if place is None:
        host.close()
        return
    try:
        lock = lock_workspace(settings.workspace)
    except SptraderError:
        place.close()  # a launch while the refusal is read is the first
        raise
    host.shutdown.add("the lock of the workspace", lock.give)
    host.shutdown.add("the place of the first window", place.close)
    window = open_window(host, settings, scale)
    place.raised.connect(lambda _: window.come_to_front())


@contextmanager
def logging_to(folder: Path) -> Iterator[None]:
    """A log that cannot be written is said, and is no reason not to open."""
    try:
        file = open_log(folder)
    except DataError as error:
        sys.stderr.write(f"sptrader: {error}\n")
        yield
        return
    logging.getLogger().addHandler(file)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(file)
        file.close()


def has_display() -> bool:
    """Of Linux only it can be known beforehand; elsewhere there always is one."""
    if not sys.platform.startswith("linux"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


def open_window(host: Host, settings: Settings, scale: int = 100) -> MainWindow:
    """`scale` is the percent that the application was started at."""
    theme, desk = Theme(host.app, scale, waits=True), WindowDesk(settings)
    preferences = KeptPreferences(JsonPreferences(settings.preferences), host.tell)
    data_desk = ProcessDataDesk(settings, desk.use_database)
    live_desk = WindowLiveDesk(settings, desk.strategies, desk.instruments)
    window = MainWindow(desk, data_desk, live_desk, host, settings, TextDrafts(settings.texts), preferences, theme)
    theme.put_sheet_on()
    window.closeAsked.connect(host.close)
    window.painted.connect(host.lag.forget)  # nobody waited for it before it was there
    window.painted.connect(
        lambda: window.afterwards.do(
            lambda: compose_components.window_workers(settings, host.loop), lambda: warm_up(host, desk), window.settle_in
        )
    )
    host.shutdown.add("components", lambda: compose_components.end_window_workers(settings))
    host.shutdown.add(CALLED, lambda: asyncio.to_thread(data_desk.close))
    host.shutdown.add("window", window.leave)
    window.offer(*_first_choice(desk, preferences.now.value))
    window.show()
    return window


def warm_up(host: Host, desk: WindowDesk) -> None:
    """And load what a person may ask for next: pages only have to be made then, and diagnostics come also where no file can be opened."""

    def work(report: Report) -> None:
        desk.warm_up(report.check)
        for name in LATER:
            import_module(name)

    job = host.jobs.start("warm-up", "getting the engine ready", work)
    job.finished.connect(host.collector.settle)


def _first_choice(desk: WindowDesk, preferences: Preferences) -> tuple[Path | None, Series | None]:
    """What was open last, else the sample."""
    strategies, series = desk.strategies(), desk.series()
    strategy = next((path for path in strategies if str(path) == preferences.strategy), None)
    sample = next((path for path in strategies if path.stem == SAMPLE_STRATEGY), None)
    looked_at = next((item for item in series if item.label == preferences.dataset), None)
    return strategy or sample or next(iter(strategies), None), looked_at or next(iter(series), None)
