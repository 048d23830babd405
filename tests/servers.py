"""Real servers for tests, one of each for the session, started by the project itself; any other is refused. Run as a script it is a program
that uses one of them: `python servers.py valkey|postgres` says `up` and holds it until its standard input ends."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from sptrader_desktop.settings import Settings, load_settings

if TYPE_CHECKING:
    from sptrader_desktop.adapters.embedded_server import ServerInUse
    from sptrader_desktop.adapters.postgres_server import PostgresServer
    from sptrader_desktop.adapters.redis_server import RedisServer

_NUMBERS = count(1)


def own_settings() -> Settings:
    settings, home = load_settings(), Path(os.environ["HOME"])
    assert (settings.redis_url, settings.database_url) == ("", ""), "tests start their own servers"
    assert settings.servers.is_relative_to(home), "tests keep what is theirs in their own home"
    assert settings.sockets.is_relative_to(home), "tests keep what is theirs in their own home"
    return settings


def elsewhere(name: str) -> Settings:
    """Settings whose servers nobody else uses."""
    settings = own_settings()
    return replace(settings, servers=settings.servers / name)


@pytest.fixture(scope="session")
def postgres_of_session() -> "Iterator[PostgresServer]":
    from sptrader_desktop.adapters.postgres_server import find_server

    server = find_server(own_settings())
    yield server
    server.close()


@pytest.fixture
def postgres(postgres_of_session: "PostgresServer") -> "Iterator[PostgresServer]":
    """A database of this test's own."""
    name = f"test_{next(_NUMBERS)}"
    with postgres_of_session.connect() as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        yield replace(postgres_of_session, address=f"{postgres_of_session.address} dbname={name}", shown=f"own/{name}", in_use=None)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(scope="session")
def valkey_of_session() -> "Iterator[RedisServer]":
    from sptrader_desktop.adapters.redis_server import open_redis

    server = open_redis(own_settings())
    yield server
    server.close()


@pytest.fixture
def valkey(valkey_of_session: "RedisServer") -> "RedisServer":
    """Empty."""
    valkey_of_session.client.flushall()
    return valkey_of_session


def use(kind: str, settings: Settings) -> "ServerInUse":
    from sptrader_desktop.adapters.embedded_postgres import find_postgres, postgres_plan
    from sptrader_desktop.adapters.embedded_server import use_server
    from sptrader_desktop.adapters.embedded_valkey import find_valkey, valkey_plan

    binary = find_valkey() if kind == "valkey" else find_postgres()
    assert binary is not None
    return use_server((valkey_plan if kind == "valkey" else postgres_plan)(binary, settings.servers, settings.sockets))


def server_process(settings: Settings, kind: str) -> psutil.Process | None:
    """The process of the server whose data is in these settings' folder, if it lives; its keeper is the parent."""
    servers = [child for keeper in keepers(settings, kind) for child in keeper.children() if lives(child)]
    assert len(servers) <= 1
    return servers[0] if servers else None


def keepers(settings: Settings, kind: str) -> list[psutil.Process]:
    lock = str(settings.servers / kind / "keeper.lock")
    return [process for process in psutil.process_iter(["cmdline"]) if lock in (process.info["cmdline"] or []) and lives(process)]


def lives(process: psutil.Process) -> bool:
    """One that has ended may wait for long until the system's first process takes note."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def ends(process: psutil.Process | None) -> bool:
    """Within a time that only a defect exceeds."""
    assert process is not None
    deadline = time.monotonic() + 20
    while lives(process) and time.monotonic() < deadline:
        time.sleep(0.005)
    return not lives(process)


@contextmanager
def another_program(kind: str, settings: Settings) -> "Iterator[subprocess.Popen[str]]":
    places = {"SPTRADER_SERVERS": str(settings.servers)}
    command = [sys.executable, "-m", "tests.servers", kind]
    root = Path(__file__).resolve().parent.parent
    with subprocess.Popen(
        command, cwd=root, env=os.environ | places, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        try:
            yield program
        finally:
            program.kill()


if __name__ == "__main__":
    held = use(sys.argv[1], load_settings())
    sys.stdout.write("up\n")
    sys.stdout.flush()
    sys.stdin.read()
    held.close()
