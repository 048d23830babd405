"""Candles of scripts run alone, from the stores and the prices that the environment names: real servers, each with other candles."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from sptrader_desktop import sdk
from sptrader_desktop.adapters.catalogue_candles import CandleCatalogue
from sptrader_desktop.adapters.component_frames import candle_frame
from sptrader_desktop.adapters.embedded_valkey import valkey_socket
from sptrader_desktop.adapters.pooled_components import SILENCED
from sptrader_desktop.adapters.postgres_candles import PostgresCandles
from sptrader_desktop.adapters.postgres_server import PostgresServer
from sptrader_desktop.adapters.price_messages import STREAM
from sptrader_desktop.adapters.redis_server import RedisServer
from sptrader_desktop.core.candles import Candles
from sptrader_desktop.settings import load_settings
from tests.command_line import ROOT
from tests.http_servers import Answer, Asked, closed_port, serving
from tests.kept_candles import hourly

Setter = Callable[..., None]
MINUTE_MS = 60_000
IN_CATALOGUE, IN_POSTGRES, AT_SERVER = (hourly(range(30), seed) for seed in (1, 2, 3))


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Setter:
    def put(**variables: str) -> None:
        for name, value in ({"SPTRADER_CANDLES": str(tmp_path / "candles")} | variables).items():
            monkeypatch.setenv(name, value)

    return put


@pytest.fixture
def live(environment: Setter, tmp_path: Path) -> Setter:
    """What is asked for, and a catalogue that has it."""
    CandleCatalogue(tmp_path / "candles").keep(IN_CATALOGUE)

    def put(**variables: str) -> None:
        environment(**{"DATA_SOURCE": "live", "LIVE_SYMBOL": "EURUSD", "LIVE_TIMEFRAME": "1h"} | variables)

    return put


def is_of(candles: Candles, rows: slice = slice(None)) -> bool:
    found = sdk.load_data_from_env()
    pd.testing.assert_frame_equal(found, candle_frame(candles)[rows])
    assert (found.attrs["symbol"], found.attrs["timeframe"], found.attrs["ticks_per_one"]) == ("EURUSD", "1h", 100_000)
    return True


def refusal() -> str:
    with pytest.raises(SystemExit) as left:
        sdk.load_data_from_env()
    sentence = str(left.value.code)
    assert "\n" not in sentence
    return sentence


def served(asked: Asked) -> Answer:
    named = {name: asked.query[name] for name in ("symbol", "timeframe")}
    frame = candle_frame(AT_SERVER).drop(columns="volume").reset_index()
    frame["timestamp"] = [stamp.isoformat() for stamp in frame["timestamp"]]
    return Answer(body=json.dumps({**named, "candles": frame.to_dict("records")}).encode())


# A store


def test_live_candles_are_those_of_the_catalogue_when_no_address_is_set(live: Setter) -> None:
    live()
    assert is_of(IN_CATALOGUE)
    live(LIVE_FROM="2024-01-29T05:00:00Z", LIVE_TO="2024-01-29T10:00:00+01:00")
    assert is_of(IN_CATALOGUE, slice(5, 9))


def test_the_server_of_candles_is_asked_when_its_address_is_set_and_postgres_before_it(live: Setter, postgres: PostgresServer) -> None:
    PostgresCandles(postgres).keep(IN_POSTGRES)
    with serving(served) as server:
        live(WS_MARKET_DATA_URL=server.url)
        assert is_of(AT_SERVER)
        assert len(server.asked) == 1
        live(DATABASE_URL=postgres.address)
        assert is_of(IN_POSTGRES)
        assert len(server.asked) == 1


@pytest.mark.parametrize("variable", ["DATABASE_URL", "WS_MARKET_DATA_URL"])
def test_an_address_that_does_not_answer_is_an_error_and_no_reason_to_read_elsewhere(
    live: Setter, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sptrader_desktop.adapters.http_fetch._FIRST_WAIT", 0.001)
    scheme = "postgresql://me:geheim@" if variable == "DATABASE_URL" else "http://"
    live(**{variable: f"{scheme}127.0.0.1:{closed_port()}/x"})
    said = refusal()
    assert "127.0.0.1" in said
    assert "geheim" not in said


# Prices


def publish(valkey: RedisServer, minutes_ago: list[int]) -> list[int]:
    """Two prices in each minute; the opens of these minutes."""
    now = time.time_ns() // 1_000_000
    opens = [(now // MINUTE_MS - ago) * MINUTE_MS for ago in minutes_ago]
    for number, at in enumerate(opens):
        for second, price in ((1, 1.1 + number / 1000), (30, 1.2 + number / 1000)):
            valkey.client.xadd(STREAM, {"data": json.dumps({"EURUSD": round(price, 5)})}, id=f"{at + second * 1000}-0")
    return opens


@pytest.mark.parametrize("is_named", [False, True])
def test_realtime_candles_are_the_last_closed_of_the_stream(environment: Setter, valkey: RedisServer, *, is_named: bool) -> None:
    settings = load_settings()
    address = {"REDIS_URL": f"unix://{valkey_socket(settings.servers, settings.sockets)}"} if is_named else {}
    opens = publish(valkey, [9, 8, 6, 5])
    window = {"REALTIME_SYMBOL": "EURUSD", "REALTIME_TIMEFRAME": "1m", "REALTIME_WINDOW": "3"}
    environment(DATA_SOURCE="realtime", **window, **address)
    frame = sdk.load_data_from_env()
    assert frame.index.tolist() == [datetime.fromtimestamp(at / 1000, UTC) for at in opens[1:]]
    assert frame["open"].tolist() == [1.101, 1.102, 1.103]
    assert frame["high"].tolist() == frame["close"].tolist() == [1.201, 1.202, 1.203]
    assert frame["volume"].tolist() == [2, 2, 2]


def test_a_window_without_a_closed_candle_is_refused_and_the_server_is_left_to_others(environment: Setter, valkey: RedisServer) -> None:
    environment(DATA_SOURCE="realtime", REALTIME_SYMBOL="EURUSD", REALTIME_TIMEFRAME="1m", REALTIME_WINDOW="3")
    assert refusal() == f"{STREAM}: no 1m candle of EURUSD has closed yet: wait for one, or see whether prices are published"
    assert valkey.client.ping()


# What is missing or wrong

ASKED = {"LIVE_SYMBOL": "EURUSD", "LIVE_TIMEFRAME": "1h", "REALTIME_SYMBOL": "EURUSD", "REALTIME_TIMEFRAME": "1h", "REALTIME_WINDOW": "9"}


@pytest.mark.parametrize(
    ("source", "changed", "words"),
    [
        ("live", {"LIVE_SYMBOL": ""}, "LIVE_SYMBOL is not set: name a symbol, for example EURUSD"),
        ("live", {"LIVE_TIMEFRAME": ""}, "LIVE_TIMEFRAME is not set: name a timeframe, for example 1h"),
        ("live", {"LIVE_SYMBOL": "EURXXX"}, "EURXXX"),
        ("live", {"LIVE_TIMEFRAME": "soon"}, "soon"),
        ("live", {"LIVE_FROM": "yesterday"}, "LIVE_FROM yesterday: give a date like 2024-03-01"),
        ("live", {"LIVE_TO": "1706486400"}, "LIVE_TO 1706486400: give a"),
        ("live", {"LIVE_FROM": "2024-02-01", "LIVE_TO": "2024-01-01"}, "is empty: give a later end"),
        ("live", {"LIVE_SYMBOL": "GBPUSD"}, "it holds no 1h candles of GBPUSD (it holds EURUSD 1h): import them"),
        ("realtime", {"REALTIME_SYMBOL": ""}, "REALTIME_SYMBOL is not set: name a symbol, for example EURUSD"),
        ("realtime", {"REALTIME_TIMEFRAME": ""}, "REALTIME_TIMEFRAME is not set: name a timeframe, for example 1h"),
        ("realtime", {"REALTIME_WINDOW": ""}, "REALTIME_WINDOW is not set: say how many closed candles at most, for example 100"),
        ("realtime", {"REALTIME_WINDOW": "many"}, "REALTIME_WINDOW=many: give a whole number of candles, for example 100"),
        ("realtime", {"REALTIME_WINDOW": "-5"}, "REALTIME_WINDOW=-5: give a whole number of candles, for example 100"),
        ("realtime", {"REALTIME_WINDOW": "0"}, "a window of 0 candles: give a number from 1 to"),
        ("realtime", {"REALTIME_SYMBOL": "EURXXX"}, "EURXXX"),
        ("realtime", {"REALTIME_TIMEFRAME": "soon"}, "soon"),
        ("moon", {}, "DATA_SOURCE=moon: give one of parquet, live, realtime, cache"),
    ],
)
def test_what_is_missing_or_wrong_is_one_sentence(
    live: Setter, valkey: RedisServer, source: str, changed: dict[str, str], words: str
) -> None:
    live(DATA_SOURCE=source, **ASKED | changed)
    assert words in refusal()


def test_a_job_of_the_program_hears_none_of_what_scripts_run_alone_are_told() -> None:
    """Or what a person's shell holds would reach a script in a worker."""
    assert {*ASKED, "LIVE_FROM", "LIVE_TO", "TEST_DATASET", "INDICATORS", "PUBLISH_LIVE"} == set(SILENCED)
    assert set(SILENCED.values()) == {""}


# The file that scripts of old import


def test_the_data_loader_is_found_by_scripts_of_old_and_prints_what_it_loaded(live: Setter, tmp_path: Path) -> None:
    live()
    folder = ROOT / "workspace" / "core" / "data"
    script = tmp_path / "old.py"
    old = "import sys\nsys.path.append({!r})\nfrom data_loader import load_data_from_env\nprint(load_data_from_env()['close'].sum())\n"
    script.write_text(old.format(str(folder)))
    shown, used = (
        subprocess.run([sys.executable, "-B", str(path)], cwd=path.parent, capture_output=True, text=True, check=False)
        for path in (folder / "data_loader.py", script)
    )
    assert (shown.returncode, shown.stderr) == (used.returncode, used.stderr) == (0, "")
    assert shown.stdout.startswith("EURUSD 1h: 30 candles, 2024-01-29 00:00 to 2024-01-30 05:00 UTC\n")
    assert used.stdout == f"{candle_frame(IN_CATALOGUE)['close'].sum()}\n"
