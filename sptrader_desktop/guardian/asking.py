"""How a person's command reaches the guardian, and what it does where there is none: a stop is on disk either way."""

import getpass
import os
import socket
import time
from pathlib import Path

from sptrader_desktop.guardian.latch import new_latch, read_latch, write_latch
from sptrader_desktop.guardian.lines import LONGEST, LONGEST_OF_BROKER, LineBuffer, LineError, Message, parsed, written
from sptrader_desktop.guardian.places import GuardianError, Places, live_places

PATIENCE_S = 1.0


def ask(places: Places, message: Message, patience: float = PATIENCE_S) -> Message | None:
    """Nothing where no guardian runs. One that runs and does not answer is an error: the sentence says so."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(patience)
        try:
            _connect(sock, places.control, patience)
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        except OSError as error:
            raise _silent(places, error) from None
        try:
            sock.sendall(written(message))
            return _answer(sock)
        except (OSError, LineError) as error:
            raise _silent(places, error) from None


def core_state(folder: Path, patience: float = PATIENCE_S) -> Message | None:
    """What the program that trades says of itself now, without its curve; nothing where none runs."""
    places = live_places(folder)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(patience)
        try:
            _connect(sock, places.core, patience)
            sock.sendall(written({"do": "watch"}))
            found = _answer(sock, LONGEST_OF_BROKER, "state")
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        except (OSError, LineError) as error:
            return {"state": "silent", "says": f"{places.core}: the program that trades does not answer ({error})"}
    return {key: value for key, value in found.items() if key not in {"is", "equity"}}


def _connect(sock: socket.socket, address: Path, patience: float) -> None:
    """Where many wait to be let in, the system says so instead of waiting."""
    until = time.monotonic() + patience
    while True:
        try:
            sock.connect(str(address))
            return
        except BlockingIOError:
            if time.monotonic() > until:
                raise
            time.sleep(0.001)


def _answer(sock: socket.socket, longest: int = LONGEST, kind: str = "") -> Message:
    """Events that come before what was asked for are passed over."""
    lines = LineBuffer(longest)
    while True:
        line = lines.pop()
        message = None if line is None else parsed(line)
        if message is not None and kind in {"", message.get("is")}:
            return message
        if message is not None:
            continue
        data = sock.recv(LONGEST)
        if not data:
            raise LineError("it left")
        lines.feed(data)


def _silent(places: Places, error: Exception) -> GuardianError:
    try:
        known = f" (process {int(places.held.read_bytes())})"
    except (OSError, ValueError):
        known = ""
    return GuardianError(f"{places.folder}: the guardian{known} does not answer ({error}): while it is silent no order passes it")


def stop(folder: Path, *, flatten: bool) -> tuple[Message | None, str]:
    """What the guardian answers, or nothing if there is none; and what went wrong, for which the latch was written from here."""
    places = live_places(folder)
    message: Message = {"do": "stop", "flatten": flatten, "by": who()}
    try:
        answer = ask(places, message)
    except GuardianError as error:
        _write_own_latch(places, flatten=flatten)
        return None, str(error)
    if answer is None:
        _write_own_latch(places, flatten=flatten)
        answer = ask(places, message)  # one that began meanwhile may have looked before the latch was there
    return answer, ""


def _write_own_latch(places: Places, *, flatten: bool) -> None:
    standing = read_latch(places.latch)
    if standing is None or (flatten and not standing.flatten):
        try:
            write_latch(places.latch, new_latch(who(), flatten=flatten))
        except OSError as error:
            raise GuardianError(f"{places.latch} cannot be written ({error.strerror}): it is not stopped") from None


def rearm(folder: Path) -> Message | None:
    places = live_places(folder)
    answer = ask(places, {"do": "rearm", "by": who()})
    if answer is None:
        write_latch(places.latch, None)
    return answer


def status(folder: Path) -> Message:
    """With a guardian what it says, without one what is on disk."""
    places = live_places(folder)
    latch = read_latch(places.latch)
    on_disk = latch and {"at": latch.at, "by": latch.by, "flatten": latch.flatten, "unkept": ""}
    nothing: Message = {"gate": None, "latch": on_disk, "heartbeats": {}, "broker": None, "stop": None}
    try:
        answer = ask(places, {"do": "status"})
    except GuardianError as error:
        return {"guardian": {"state": "silent", "says": str(error)}, **nothing}
    if answer is None:
        return {"guardian": None, **nothing}
    answer.pop("is", None)
    return {"guardian": {"state": "running", "pid": answer.pop("pid", None)}, **answer}


def who() -> str:
    try:
        return f"{getpass.getuser()} on the command line"
    except (OSError, KeyError):
        return f"user {getattr(os, 'getuid', int)()} on the command line"
