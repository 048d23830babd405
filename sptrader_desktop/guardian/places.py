"""Where a live session keeps what its processes share, and how they reach each other."""

import contextlib
import os
import socket
import stat
from dataclasses import dataclass
from pathlib import Path

LONGEST_SOCKET = 100  # bytes; macOS takes 103, Linux 107


class GuardianError(Exception):
    """One sentence for a person."""


@dataclass(frozen=True, slots=True)
class Places:
    folder: Path

    @property
    def control(self) -> Path:
        return self.folder / "guardian.sock"

    @property
    def orders(self) -> Path:
        """Where the core says to the broker what it wants."""
        return self.folder / "orders.sock"

    @property
    def core(self) -> Path:
        """Where the core tells its watchers how it is, and is told what a person wants."""
        return self.folder / "core.sock"

    @property
    def held(self) -> Path:
        """Locked by the guardian as long as it lives; holds its process id, by which nobody decides anything."""
        return self.folder / "guardian.pid"

    @property
    def latch(self) -> Path:
        return self.folder / "stopped.json"

    @property
    def account(self) -> Path:
        return self.folder / "guardian-account.json"

    @property
    def log(self) -> Path:
        return self.folder / "guardian.log"


def live_places(folder: Path) -> Places:
    """The folder is there and only ours: whoever reaches the sockets trades."""
    if not hasattr(socket, "AF_UNIX"):
        raise GuardianError("live trading needs local sockets, which this system lacks: use Linux or macOS")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat()
        if stat.S_IMODE(found.st_mode) & 0o077:
            folder.chmod(0o700)
    except OSError as error:
        raise GuardianError(f"{folder}: live trading cannot be kept there ({error.strerror}): make it a folder of your own") from None
    places = Places(folder.absolute())
    if len(os.fsencode(places.control)) > LONGEST_SOCKET:
        raise GuardianError(f"{places.folder}: this path is too long for a socket: name a shorter one with SPTRADER_LIVE")
    return places


def address_of(text: str) -> tuple[socket.AddressFamily, str | tuple[str, int]]:
    """`127.0.0.1:PORT`, or the path of a socket."""
    host, _, port = text.rpartition(":")
    if host and port.isascii() and port.isdigit() and "/" not in host:
        return socket.AF_INET, (host, int(port))
    return socket.AF_UNIX, text


def listening(path: Path) -> socket.socket:
    """Only for whoever holds the lock: a socket that somebody left is taken over."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(before)
    listener.listen(64)
    listener.setblocking(False)
    return listener
