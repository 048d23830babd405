"""Repairs that are killed, child n at its n-th step in a folder of its own. Run as `python dying_repairs.py OLD FOLDER`.
It ends with the first child that lives and says how many died.
"""

import os
import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from sptrader_desktop.adapters.parquet_repair import repair_candles

EVENTS = ("open", "os.rename", "os.remove")
NAME = "EURUSD_1h_new.parquet"


def died(old: Path, folder: Path, step: int) -> bool:
    folder.mkdir()
    child = os.fork()
    if not child:
        left = [step]

        def killed(event: str, arguments: tuple[object, ...]) -> None:
            if event in EVENTS and str(arguments[0]).startswith(str(folder)):
                left[0] -= 1
                if left[0] < 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(killed)
        repair_candles(old, folder / NAME)
        os._exit(0)
    return os.waitpid(child, 0)[1] != 0


if __name__ == "__main__":
    with TemporaryDirectory() as elsewhere:
        repair_candles(Path(sys.argv[1]), Path(elsewhere, NAME))  # loads here what every child would load by itself
    step = 0
    while died(Path(sys.argv[1]), Path(sys.argv[2], str(step)), step):
        step += 1
    sys.stdout.write(str(step))
