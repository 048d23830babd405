"""`python -m sptrader_desktop` and the `sptrader` command."""

import sys

from sptrader_desktop.runtime.ending import Ending


def main() -> None:
    ending = Ending()
    try:
        # Here, because a person may stop us while it is loaded, and because each of the two loads what the other does not need.
        if len(sys.argv) == 1:
            from sptrader_desktop.app.loading import loaded_window

            sys.exit(loaded_window().open_workstation())
        from sptrader_desktop.cli import run

        ending.code = run(sys.argv[1:])
        sys.exit(ending.code)
    except KeyboardInterrupt:
        sys.exit("sptrader: stopped; nothing was stored")


if __name__ == "__main__":
    main()
