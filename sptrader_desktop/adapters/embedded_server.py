"""Private servers shared by all programs of one person: whoever comes first starts one, the last to leave ends it.

Three lock files beside the data decide: `users.lock` is shared by all who use the server, `start.lock` lets one at a time start it,
and `keeper.lock` is held by the keeper as long as its server lives. No process id is stored, so none of somebody else's is ever ended.
"""

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sptrader_desktop.core.errors import DataError

if sys.platform != "win32":
    import fcntl

KEEPER = Path(__file__).with_name("embedded_keeper.py")
PATIENCE_S = 30.0
LONGEST_SOCKET = 100  # bytes; macOS takes 103, Linux 107
LONGEST_LOG = 1 << 20
ATTEMPTS = 3  # what a killed server left behind may take a moment to go away


@dataclass(frozen=True, slots=True)
class ServerPlan:
    """`prepare` makes the data when there is none; `answers` asks whether the server can be used now."""

    name: str
    folder: Path
    command: tuple[str, ...]
    stop: signal.Signals
    prepare: Callable[[], None]
    answers: Callable[[], bool]


class ServerInUse:
    """The server stays at least until `close`, or until this program ends."""

    def __init__(self, plan: ServerPlan, users: int) -> None:
        self._plan, self._users = plan, users

    def revive(self) -> None:
        """Start it again where it died; nobody else does while it is in use."""
        if self._users >= 0:
            with _writable(self._plan.folder, self._plan.name):
                _start_unless_it_answers(self._plan)

    def close(self) -> None:
        """Returns when the server has stopped, or at once when others use it."""
        if self._users < 0:
            return
        os.close(self._users)
        self._users = -1
        deadline = time.monotonic() + PATIENCE_S
        folder = self._plan.folder
        while time.monotonic() < deadline and _is_held(folder / "keeper.lock") and not _is_shared(folder / "users.lock"):
            time.sleep(0.01)


def use_server(plan: ServerPlan) -> ServerInUse:
    """Find the server running, or start it."""
    private_folder(plan.folder, plan.name)
    with _writable(plan.folder, plan.name):
        users = _taken(plan, "users.lock", exclusive=False)
        try:
            _start_unless_it_answers(plan)
        except BaseException:
            os.close(users)
            raise
    return ServerInUse(plan, users)


def _start_unless_it_answers(plan: ServerPlan) -> None:
    with _starting(plan):
        if not plan.answers():
            _start(plan)


@contextmanager
def _writable(folder: Path, what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = f"{error.strerror}: {error.filename}" if error.filename else str(error)
        places = "name another place with SPTRADER_SERVERS, for sockets with XDG_RUNTIME_DIR"
        raise DataError(f"{folder}: {what} cannot be kept there ({why}): make it a folder you may write in, or {places}") from None


def private_folder(folder: Path, what: str) -> Path:
    """Nobody else may enter it: whoever reaches the socket of a private server may do everything there."""
    if sys.platform == "win32":
        raise DataError(
            f"{what}: private servers need locks and sockets that Windows lacks: run one yourself and name it in its _URL variable"
        )
    with _writable(folder, what):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat()
    if found.st_uid != os.geteuid():
        raise DataError(f"{folder}: it belongs to another person, so {what} cannot be kept there: remove it or choose another place")
    if found.st_mode & 0o077:
        folder.chmod(0o700)
    return folder


def socket_folder(sockets: Path, data: Path, what: str) -> Path:
    """A short name for each data folder."""
    private_folder(sockets, what)
    folder = private_folder(sockets / hashlib.sha256(str(data).encode()).hexdigest()[:12], what)
    if len(os.fsencode(folder)) > LONGEST_SOCKET - len("/.s.PGSQL.5432"):
        raise DataError(f"{folder}: this path is too long for a socket: set XDG_RUNTIME_DIR to a folder with a shorter name")
    return folder


def _start(plan: ServerPlan) -> None:
    plan.prepare()
    log = plan.folder / "server.log"
    if log.exists() and log.stat().st_size > LONGEST_LOG:
        log.replace(log.with_suffix(".log.old"))
    deadline, attempts, said_from = time.monotonic() + PATIENCE_S, 0, 0
    while not plan.answers():
        if not _is_held(plan.folder / "keeper.lock"):
            attempts += 1
            if attempts > ATTEMPTS:
                raise DataError(f"{plan.name} does not start ({_last_words(log, said_from)}): see {log}")
            time.sleep(0.3 * (attempts - 1))
            said_from = log.stat().st_size if log.exists() else 0
            _spawn(plan, log)
        if time.monotonic() > deadline:
            raise DataError(f"{plan.name} was started and does not answer after {PATIENCE_S:.0f} s: see {log}")
        time.sleep(0.01)


def _spawn(plan: ServerPlan, log: Path) -> None:
    locks = [str(plan.folder / name) for name in ("users.lock", "keeper.lock")]
    command = [sys.executable, "-I", "-S", str(KEEPER), *locks, str(int(plan.stop)), *plan.command]
    with log.open("ab") as out:
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=plan.folder, check=False)


def _last_words(log: Path, since: int) -> str:
    with log.open("rb") as file:
        file.seek(since)
        lines = [line.strip() for line in file.read(LONGEST_LOG).decode(errors="replace").splitlines() if line.strip()]
    telling = [line for line in lines if "FATAL:" in line] or lines[-2:] or ["it said nothing"]
    return " ".join(telling)[-300:]


# Locks


def _taken(plan: ServerPlan, name: str, *, exclusive: bool) -> int:
    """Whoever holds it now is starting or stopping the server, which takes a moment."""
    lock = _opened(plan.folder / name)
    deadline = time.monotonic() + PATIENCE_S
    while not _try(lock, exclusive=exclusive):
        if time.monotonic() > deadline:
            os.close(lock)
            raise DataError(f"{plan.name} in {plan.folder} is being started or stopped by another program for too long: end that program")
        time.sleep(0.01)
    return lock


@contextmanager
def _starting(plan: ServerPlan) -> Iterator[None]:
    lock = _taken(plan, "start.lock", exclusive=True)
    try:
        yield
    finally:
        os.close(lock)


def _is_held(path: Path) -> bool:
    return not _could_take(path, exclusive=True)


def _is_shared(path: Path) -> bool:
    """Held by programs that use the server; its keeper holds it alone."""
    return _is_held(path) and _could_take(path, exclusive=False)


def _could_take(path: Path, *, exclusive: bool) -> bool:
    lock = _opened(path)
    try:
        return _try(lock, exclusive=exclusive)
    finally:
        os.close(lock)


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def _try(lock: int, *, exclusive: bool) -> bool:
    try:
        fcntl.flock(lock, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
