"""`python -m sptrader_desktop` and the `sptrader` command."""

import sys

from sptrader_desktop.cli import run


def main() -> None:
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
