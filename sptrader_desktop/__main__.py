"""`python -m sptrader_desktop` and the `sptrader` command."""

import sys


def main() -> None:
    try:
        from sptrader_desktop.cli import run  # here, because a person may stop us while it is loaded

        sys.exit(run(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("sptrader: stopped; nothing was stored")


if __name__ == "__main__":
    main()
