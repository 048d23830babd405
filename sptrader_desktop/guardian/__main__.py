"""`python -m sptrader_desktop.guardian --live FOLDER --broker ADDRESS`: one for each live folder, until nobody needs it."""

import argparse
import os
import secrets
import sys
from pathlib import Path

from sptrader_desktop.guardian.places import GuardianError, Places, listening, live_places
from sptrader_desktop.guardian.precedence import GUARDS, ask_for_precedence
from sptrader_desktop.guardian.server import Server
from sptrader_desktop.guardian.sweep import Terms

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

FAILED, TAKEN = 1, 3


def main() -> int:
    asked = _arguments()
    try:
        places = live_places(Path(asked.live))
    except GuardianError as error:
        return _failed(str(error), FAILED)
    if not _take(places):
        return _failed(f"{places.folder}: another guardian guards this folder", TAKEN)
    try:
        control, orders = listening(places.control), listening(places.orders)
    except OSError as error:
        return _failed(f"{places.folder}: no socket can be made there ({error.strerror})", FAILED)
    if asked.detach and sys.platform != "win32":
        if os.fork():
            os._exit(0)  # whoever started it may connect from now on
        os.setsid()
    places.held.write_text(f"{os.getpid()}\n", encoding="ascii")
    terms = Terms(quarantine=asked.quarantine, unknown=asked.unknown, idle=asked.idle)
    os.chdir("/")
    ask_for_precedence(GUARDS)
    Server(places, asked.broker, terms, control, orders, secrets.token_hex(4)).run()
    return 0


def _arguments() -> argparse.Namespace:
    terms = Terms()
    parser = argparse.ArgumentParser(prog="python -m sptrader_desktop.guardian", description="Stands between the core and the broker.")
    parser.add_argument("--live", required=True, metavar="FOLDER")
    parser.add_argument("--broker", required=True, metavar="ADDRESS", help="the path of a socket, or 127.0.0.1:PORT")
    parser.add_argument("--quarantine", type=float, default=terms.quarantine, metavar="S", help="how long late arrivals are watched for")
    parser.add_argument("--unknown", type=float, default=terms.unknown, metavar="S", help="how late a lost request may still land")
    parser.add_argument("--idle", type=float, default=terms.idle, metavar="S", help="how long it stays when nobody needs it")
    parser.add_argument("--detach", action="store_true", help="return when it can be reached, and go on as a session of its own")
    return parser.parse_args()


def _take(places: Places) -> bool:
    """Held to the end of this process, however it ends."""
    file = os.open(places.held, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if sys.platform == "win32":
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        os.close(file)
        return False
    return True


def _failed(why: str, code: int) -> int:
    sys.stderr.write(f"{why}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
