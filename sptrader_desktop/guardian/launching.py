"""Starts a guardian where none runs. It is nobody's child, and what is installed beside us is out of its sight."""

import subprocess
import sys
from pathlib import Path

from sptrader_desktop.guardian.lines import LONGEST
from sptrader_desktop.guardian.places import GuardianError, Places

CHECKOUT = Path(__file__).resolve().parents[2]
ATTEMPTS, PAUSE_S = 20, 0.05  # another may be starting it, or it may just be leaving
STARTED, TAKEN = 0, 3
LONGEST_LOG = 1 << 20


def launch(places: Places, broker: str, options: tuple[str, ...] = ()) -> bool:
    """Returns when it can be reached; whether it is ours."""
    command = [sys.executable, "-E", "-S", "-m", "sptrader_desktop.guardian", "--live", str(places.folder), "--broker", broker, "--detach"]
    try:
        if places.log.exists() and places.log.stat().st_size > LONGEST_LOG:
            places.log.replace(places.log.with_suffix(".log.old"))
        with places.log.open("ab") as log:
            command += options
            done = subprocess.run(command, cwd=CHECKOUT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False)
    except OSError as error:
        raise GuardianError(f"{places.folder}: the guardian cannot be started ({error.strerror}): make room, or get the right to") from None
    if done.returncode not in {STARTED, TAKEN}:
        raise GuardianError(f"the guardian does not start: {_last_line(places.log)}")
    return done.returncode == STARTED


def _last_line(log: Path) -> str:
    lines = log.read_bytes()[-LONGEST:].decode(errors="replace").split("\n")
    return next((line for line in reversed(lines) if line.strip()), f"see {log}")
