"""A program that wants to be the only one: `python -m tests.ui.launched_program ARGUMENT…` says what became of it; `end` ends the first."""

import logging
import sys

from PySide6.QtWidgets import QWidget

from sptrader_desktop.app.launch import launch
from sptrader_desktop.settings import load_settings
from sptrader_desktop.ui import single_instance
from sptrader_desktop.ui.host import Host
from sptrader_desktop.ui.single_instance import SingleInstance, come_to_front


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def open_window(host: Host, first: SingleInstance) -> QWidget:
    window = QWidget()
    window.showMinimized()

    def hear(arguments: list[str]) -> None:
        come_to_front(window)
        say(f"raised {arguments} {'shown' if window.isVisible() and not window.isMinimized() else 'hidden'}")
        if "end" in arguments:
            host.close()

    first.raised.connect(hear)
    host.shutdown.add("window", window.close)
    logging.getLogger("sptrader.window").info("opened with token=hunter2hunter2")
    say("first")
    return window


if __name__ == "__main__":
    if "in a hurry" in sys.argv:
        single_instance.PATIENCE_MS = 200
    sys.exit(launch(load_settings(), open_window, sys.argv[1:]))
