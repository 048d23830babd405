"""A program that wants to be the only one: `python -m tests.ui.launched_program FOLDER ARGUMENT…` says what became of it."""

import sys
from pathlib import Path

from sptrader_desktop.core.errors import SptraderError
from sptrader_desktop.ui.host import Host, make_app, run_window
from sptrader_desktop.ui.single_instance import SingleInstance, take_first_place


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def keep_open(host: Host, first: SingleInstance) -> None:
    first.raised.connect(lambda arguments: say(f"raised {arguments}"))
    first.raised.connect(lambda arguments: host.close() if "end" in arguments else None)
    host.shutdown.add("first place", first.close)
    say("first")


def main() -> int:
    _app = make_app()
    try:
        first = take_first_place(Path(sys.argv[1]), sys.argv[2:], 200 if "in a hurry" in sys.argv else 10_000)
    except SptraderError as error:
        say(str(error))
        return 1
    return run_window(lambda host: keep_open(host, first)) if first else 0


if __name__ == "__main__":
    sys.exit(main())
