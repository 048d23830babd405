"""What a start makes sure of before there is a window: it is the only one, nobody else writes to the workspace, and the log is kept."""

import logging
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager

from sptrader_desktop.adapters.rotating_log import open_log
from sptrader_desktop.core.errors import DataError, SptraderError
from sptrader_desktop.runtime.file_lock import lock_workspace
from sptrader_desktop.settings import Settings
from sptrader_desktop.ui.host import Host, make_app, run_window
from sptrader_desktop.ui.single_instance import SingleInstance, take_first_place

OpenWindow = Callable[[Host, SingleInstance], Awaitable[object] | object]


def launch(settings: Settings, open_window: OpenWindow, arguments: Sequence[str] = ()) -> int:
    """The exit code. A later launch gives its arguments to the first window by `SingleInstance.raised` and is done."""
    make_app()
    try:
        first = take_first_place(settings.sockets, arguments)
        if first is None:
            return 0
        lock = lock_workspace(settings.workspace)
    except SptraderError as error:
        sys.stderr.write(f"sptrader: {error}\n")
        return 1

    def open_first(host: Host) -> Awaitable[object] | object:
        host.shutdown.add("workspace lock", lock.give)
        host.shutdown.add("first place", first.close)
        return open_window(host, first)

    with logged(settings):
        return run_window(open_first)


@contextmanager
def logged(settings: Settings) -> Iterator[None]:
    """A log that cannot be kept keeps nobody from working."""
    try:
        file = open_log(settings.logs)
    except DataError as error:
        sys.stderr.write(f"sptrader: {error}\n")
        yield
        return
    root = logging.getLogger()
    root.addHandler(file)
    try:
        yield
    finally:
        root.removeHandler(file)
        file.close()
