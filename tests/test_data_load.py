"""`sptrader data load` and what `sptrader doctor` says of servers, on the servers of the session."""

from dataclasses import replace
from pathlib import Path

import pytest

from sptrader_desktop import compose_servers
from sptrader_desktop.adapters.candle_files import load_candles
from sptrader_desktop.adapters.postgres_candles import PostgresCandles
from sptrader_desktop.adapters.postgres_server import PostgresServer
from sptrader_desktop.adapters.redis_server import RedisServer
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.ports import CandleRequest
from sptrader_desktop.settings import load_settings
from tests.candle_walks import walk
from tests.command_line import refused, sptrader
from tests.kept_candles import hourly


@pytest.fixture
def database(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("DATABASE_URL", postgres.address)
    return postgres.address


def test_files_are_loaded_and_come_out_as_they_are_in_the_files(database: str, tmp_path: Path) -> None:
    bid, yen = walk(tmp_path, "EURUSD", 100_000, 110_000, 1), walk(tmp_path, "USDJPY", 1_000, 148_000, 2)
    (tmp_path / "asks").mkdir()
    ask = walk(tmp_path / "asks", "EURUSD", 100_000, 110_050, 1)
    said = sptrader("data", "load", bid, yen, "--to", "postgres", "--ask", ask)
    assert (said.code, said.err) == (0, "")
    assert [line.partition(": ")[2].partition(" kept")[0] for line in said.out.splitlines()] == [
        "700 bid with ask candles of EURUSD 1h",
        "700 bid candles of USDJPY 1h",
    ]
    with compose_servers.open_postgres(load_settings()) as store:
        assert store.candles(CandleRequest("EURUSD", "1h")).fingerprint == load_candles(bid, ask=ask).fingerprint
        assert store.candles(CandleRequest("USDJPY", "1h")).fingerprint == load_candles(yen).fingerprint
        assert [(held.symbol, held.rows) for held in store.datasets()] == [("EURUSD", 700), ("USDJPY", 700)]


def test_a_wrong_file_ends_the_loading_and_those_before_it_are_kept(database: str, tmp_path: Path) -> None:
    good = walk(tmp_path, "EURUSD", 100_000, 110_000, 1)
    bad = walk(tmp_path, "GBPUSD", 10_000_000, 110_000, 1)
    said = sptrader("data", "load", good, bad)
    assert said.code == 1
    assert "GBPUSD_1h_walk.parquet: row 1" in said.err
    with compose_servers.open_postgres(load_settings()) as store:
        assert [(held.symbol, held.rows) for held in store.datasets()] == [("EURUSD", 700)]
    assert "there is no such file" in refused("data", "load", tmp_path / "EURUSD_1h.csv")
    assert "no file is of GBPUSD, name the ask file of a symbol that is given" in refused("data", "load", good, "--ask", bad, bad)


def test_without_an_address_the_programs_own_server_keeps_them(postgres: PostgresServer, tmp_path: Path) -> None:
    path = walk(tmp_path, "XAUUSD", 100, 200_000, 3)
    assert "kept in the program's own PostgreSQL" in sptrader("data", "load", path).out
    with compose_servers.open_postgres(load_settings()) as store:
        assert store.candles(CandleRequest("XAUUSD", "1h")).fingerprint == load_candles(path).fingerprint


def test_the_realtime_window_is_opened_on_the_programs_own_server(valkey: RedisServer) -> None:
    for number, price in enumerate((1.1, 1.2)):
        valkey.client.xadd("prices:live", {"data": f'{{"EURUSD": {price}}}'}, id=f"{1_700_000_000_000 + number}-0")
    window = compose_servers.open_realtime(load_settings(), "EURUSD", "1m", 10)
    candles = window.candles(CandleRequest("EURUSD", "1m"))
    assert (candles.prices.high.tolist(), candles.side) == ([120_000], "mid")
    window.close()
    with pytest.raises(DataError, match="give a number from 1 to"):
        compose_servers.open_realtime(load_settings(), "EURUSD", "1m", 0)


def test_doctor_tells_the_servers_and_starts_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SPTRADER_SERVERS", str(tmp_path / "servers"))
    said = sptrader("doctor")
    assert said.code == 0
    for subject in ("redis", "postgres"):
        (line,) = [line for line in said.out.splitlines() if line.startswith(f"ok   {subject} ")]
        assert "started when needed since" in line
    assert not (tmp_path / "servers").exists()


def test_doctor_finds_an_address_that_does_not_answer_and_keeps_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://:hunter2@127.0.0.1:1")
    monkeypatch.setenv("DATABASE_URL", "postgresql://trader:hunter2@127.0.0.1:1/candles")
    said = sptrader("doctor")
    assert said.code == 1
    assert [line.split()[1] for line in said.out.splitlines() if line.startswith("BAD")] == ["redis", "postgres"]
    assert "hunter2" not in said.out + said.err


def test_doctor_is_content_with_addresses_that_answer(database: str, valkey: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    path = valkey.client.connection_pool.connection_kwargs["path"]
    monkeypatch.setenv("REDIS_URL", f"unix://{path}")
    said = sptrader("doctor")
    assert said.code == 0
    assert f"{path}, since REDIS_URL is set; it answers" in said.out
    assert "since DATABASE_URL is set; it answers" in said.out


def test_what_is_synthetic_comes_back_as_such_and_what_was_kept_before_anybody_asked_does_not(postgres: PostgresServer) -> None:
    store = PostgresCandles(postgres)
    store.keep(hourly(range(5)))
    with postgres.connect() as connection:
        connection.execute("ALTER TABLE sptrader.series DROP COLUMN is_synthetic")
        connection.execute("DELETE FROM sptrader.steps WHERE step > 1")
    made = PostgresCandles(postgres)
    made.keep(replace(hourly(range(5), symbol="GBPUSD"), is_synthetic=True))
    assert [(held.symbol, held.is_synthetic) for held in made.datasets()] == [("EURUSD", False), ("GBPUSD", True)]
    assert [made.candles(CandleRequest(symbol, "1h")).is_synthetic for symbol in ("EURUSD", "GBPUSD")] == [False, True]
