"""`python -m sptrader_desktop` and the `sptrader` command."""

import gc
import os
import sys
from types import ModuleType

from sptrader_desktop.runtime.ending import Ending


def main() -> None:
    ending = Ending()
    try:
        # Here, because a person may stop us while it is loaded, and because each of the two loads what the other does not need.
        if len(sys.argv) == 1:
            sys.exit(loaded_window().open_workstation())
        from sptrader_desktop.cli import run

        ending.code = run(sys.argv[1:])
        sys.exit(ending.code)
    except KeyboardInterrupt:
        sys.exit("sptrader: stopped; nothing was stored")


def loaded_window() -> ModuleType:
    """Nothing that is loaded goes away again, so nobody looks for it meanwhile; later the window collects by itself. And the threads that
    numpy would have wait for large matrices, of which there are none, would turn a processor for a tenth of a second."""
    gc.disable()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from sptrader_desktop.app import window

    return window


if __name__ == "__main__":
    main()
