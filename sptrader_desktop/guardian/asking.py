"""How a person's command reaches the guardian, and what it does where there is none: a stop is on disk either way."""

import getpass
import os
import socket
import time
from collections.abc import Collection
from pathlib import Path

from sptrader_desktop.guardian.latch import new_latch, read_latch, write_latch
from sptrader_desktop.guardian.lines import LONGEST, LONGEST_OF_BROKER, LineBuffer, LineError, Message, parsed, written
from sptrader_desktop.guardian.places import GuardianError, Places, live_places

PATIENCE_S, COMMAND_S = 1.0, 15.0
LOOK_S = 0.01


def ask(places: Places, message: Message, patience: float = PATIENCE_S) -> Message | None:
    """Nothing where no guardian runs. One that runs and does not answer is an error: the sentence says so."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(patience)
        try:
            _connect(sock, places.control, patience)
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        except OSError as error:
            raise silence(places, error) from None
        try:
            sock.sendall(written(message))
            return _answer(sock)
        except (OSError, LineError) as error:
            raise silence(places, error) from None


def core_state(folder: Path, patience: float = PATIENCE_S) -> Message | None:
    """What the program that trades says of itself now, without its curve; nothing where none runs."""
    try:
        found = _ask_core(folder, {"do": "watch"}, patience, {"state"})
    except GuardianError as error:
        return {"state": "silent", "says": str(error)}
    return found and {key: value for key, value in found.items() if key not in {"is", "equity"}}


def command(folder: Path, what: str, about: str, by: str = "", patience: float = COMMAND_S) -> str | None:
    """Why the program that trades refused, an empty text where it did it; nothing where none runs."""
    told = _ask_core(folder, {"do": "command", "id": 1, "what": what, "about": about, "by": by or who()}, patience, {"done", "refused"})
    return None if told is None else str(told.get("why", ""))


def _ask_core(folder: Path, message: Message, patience: float, kinds: Collection[str]) -> Message | None:
    places = live_places(folder)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(patience)
        try:
            _connect(sock, places.core, patience)
            sock.sendall(written(message))
            return _answer(sock, LONGEST_OF_BROKER, kinds)
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        except (OSError, LineError) as error:
            raise GuardianError(f"{places.core}: the program that trades does not answer ({error})") from None


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


def _answer(sock: socket.socket, longest: int = LONGEST, kinds: Collection[str] = ()) -> Message:
    """Events that come before what was asked for are passed over."""
    lines = LineBuffer(longest)
    while True:
        line = lines.pop()
        message = None if line is None else parsed(line)
        if message is not None and (not kinds or message.get("is") in kinds):
            return message
        if message is not None:
            continue
        data = sock.recv(LONGEST)
        if not data:
            raise LineError("it left")
        lines.feed(data)


def silence(places: Places, error: Exception) -> GuardianError:
    try:
        known = f" (process {int(places.held.read_bytes())})"
    except (OSError, ValueError):
        known = ""
    return GuardianError(f"{places.folder}: the guardian{known} does not answer ({error}): while it is silent no order passes it")


def stop(folder: Path, *, flatten: bool, by: str = "") -> Message | None:
    """What the guardian answers, or nothing if there is none. For one that is silent too the latch was written from here."""
    places = live_places(folder)
    by = by or who()
    message: Message = {"do": "stop", "flatten": flatten, "by": by}
    try:
        answer = ask(places, message)
    except GuardianError as error:
        _write_own_latch(places, by, flatten=flatten)
        raise GuardianError(f"{error}; the stop is on disk for whoever starts next, and waits for this one too") from None
    if answer is None:
        _write_own_latch(places, by, flatten=flatten)
        answer = ask(places, message)  # one that began meanwhile may have looked before the latch was there
    return answer


def looked_at(places: Places, answer: Message, seconds: float) -> Message:
    """What is done in a moment is told as done."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and not _is_clear(answer):
        time.sleep(LOOK_S)
        answer = ask(places, {"do": "status"}) or answer
    return answer


def _is_clear(answer: Message) -> bool:
    stop = answer["stop"] or {}
    return stop.get("verify", {}).get("state") in {"watching", "done"} or "cancel" not in stop


def _write_own_latch(places: Places, by: str, *, flatten: bool) -> None:
    standing = read_latch(places.latch)
    if standing is None or (flatten and not standing.flatten):
        try:
            write_latch(places.latch, new_latch(by, flatten=flatten))
        except OSError as error:
            raise GuardianError(f"{places.latch} cannot be written ({error.strerror}): it is not stopped") from None


def rearm(folder: Path, by: str = "") -> Message | None:
    places = live_places(folder)
    answer = ask(places, {"do": "rearm", "by": by or who()})
    if answer is None:
        write_latch(places.latch, None)
    return answer


def status(folder: Path) -> Message:
    """With a guardian what it says, without one what is on disk."""
    places = live_places(folder)
    try:
        answer = ask(places, {"do": "status"})
    except GuardianError as error:
        return silent(str(error), places)
    return on_disk(places) if answer is None else told(answer)


def told(answer: Message) -> Message:
    return {
        "guardian": {"state": "running", "pid": answer.get("pid")},
        **{key: value for key, value in answer.items() if key not in {"is", "pid"}},
    }


def silent(says: str, places: Places) -> Message:
    return on_disk(places) | {"guardian": {"state": "silent", "says": says}}


def on_disk(places: Places) -> Message:
    """Where there is no guardian that could say more."""
    latch = read_latch(places.latch)
    shown = latch and {"at": latch.at, "by": latch.by, "flatten": latch.flatten, "unkept": ""}
    return {"guardian": None, "gate": None, "latch": shown, "heartbeats": {}, "broker": None, "stop": None, "hot_key": None}


def who(where: str = "on the command line") -> str:
    try:
        return f"{getpass.getuser()} {where}"
    except (OSError, KeyError):
        return f"user {getattr(os, 'getuid', int)()} {where}"
