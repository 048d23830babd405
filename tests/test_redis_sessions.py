"""One live session to a database of Redis, on a real Valkey: a second one is refused as long as the first lives, and no longer."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from threading import Barrier, get_ident
from typing import Any

import pytest

from sptrader_desktop.adapters.redis_server import RedisServer
from sptrader_desktop.adapters.redis_sessions import SessionClaim
from sptrader_desktop.core.errors import DataError

FIRST = """
import sys
from pathlib import Path
from sptrader_desktop.adapters.redis_server import RedisServer
from sptrader_desktop.adapters.redis_sessions import SessionClaim
claim = SessionClaim(RedisServer(None, "here", address=sys.argv[1]), Path(sys.argv[2]), print)
print("up", flush=True)
sys.stdin.read()
"""


def begin(server: RedisServer, folder: Path, told: list[str] | None = None) -> None:
    with closing(SessionClaim(server, folder, ([] if told is None else told).append)):
        pass


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "the first", tmp_path / "the second"


def test_a_second_session_on_a_database_is_refused_until_the_first_is_killed(valkey: RedisServer, folders: tuple[Path, Path]) -> None:
    first, second = folders
    words = [sys.executable, "-c", FIRST, valkey.address, str(first)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        try:
            assert program.stdout is not None
            assert program.stdout.readline() == b"up\n"
            with pytest.raises(DataError, match=f"^the live session in {first} has database 0 .* by REDIS_URL, such as"):
                begin(valkey, second)
            begin(valkey, first)  # its own predecessor, dying
            begin(replace(valkey, address=f"{valkey.address}?db=1"), second)
        finally:
            program.kill()
    begin(valkey, second)


def test_of_two_that_begin_at_once_one_is_refused(valkey: RedisServer, folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are connected before either looks."""
    both, look, met = Barrier(2), SessionClaim._other, set[int]()

    def looked(claim: SessionClaim) -> Any:
        claim._client.ping()
        if get_ident() not in met:
            met.add(get_ident())
            both.wait(30)
        return look(claim)

    monkeypatch.setattr(SessionClaim, "_other", looked)
    with ThreadPoolExecutor(2) as threads:
        claims = list(threads.map(lambda folder: outcome(valkey, folder), folders))
    for each in claims:
        if isinstance(each, SessionClaim):
            each.close()
    assert sorted(isinstance(each, DataError) for each in claims) == [False, True]


def outcome(server: RedisServer, folder: Path) -> SessionClaim | DataError:
    try:
        return SessionClaim(server, folder, print)
    except DataError as error:
        return error


def test_a_server_that_does_not_say_who_is_connected_is_told_and_let_be(valkey: RedisServer, folders: tuple[Path, Path]) -> None:
    told: list[str] = []
    user: dict[str, Any] = {"enabled": True, "passwords": ["+secret"], "categories": ["+@all"], "commands": ["-client|list"], "keys": ["*"]}
    valkey.client.acl_setuser("blind", **user)
    address = valkey.address.replace("unix://", "unix://blind@") + "?password=secret"
    begin(replace(valkey, address=address), folders[0], told)
    assert ["does not say who is connected" in text for text in told] == [True]
    assert "secret" not in told[0]
    valkey.client.acl_deluser("blind")
