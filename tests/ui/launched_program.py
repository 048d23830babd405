"""A program that wants to be the only one: `python -m tests.ui.launched_program ARGUMENT…` says what became of it; `end` ends the first."""

import sys

from sptrader_desktop.runtime.file_lock import lock_workspace
from sptrader_desktop.settings import load_settings
from sptrader_desktop.ui import single_instance
from sptrader_desktop.ui.host import Host, run_window


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def open_window(host: Host) -> None:
    settings = load_settings()
    first = single_instance.take_first_place(settings.sockets, sys.argv[1:])
    if first is None:
        host.close()
        return
    lock = lock_workspace(settings.workspace)
    first.raised.connect(lambda arguments: say(f"raised {arguments}"))
    first.raised.connect(lambda arguments: host.close() if "end" in arguments else None)
    host.shutdown.add("the lock of the workspace", lock.give)
    host.shutdown.add("the place of the first window", first.close)
    say("first")


if __name__ == "__main__":
    if "in a hurry" in sys.argv:
        single_instance.PATIENCE_MS = 200
    sys.exit(run_window(open_window))
