"""Who publishes signals and prices: what arrives is what was said, numbers outlive every process, and what fails is told."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sptrader_desktop import sdk
from sptrader_desktop.adapters.price_messages import STREAM as PRICES
from sptrader_desktop.adapters.publisher_files import KEY_BYTES, PublisherFiles, known_key
from sptrader_desktop.adapters.redis_publisher import last_closed
from sptrader_desktop.adapters.redis_server import RedisServer, open_redis
from sptrader_desktop.adapters.redis_signals import STREAM
from sptrader_desktop.compose_servers import PUBLISHERS, open_live_redis, price_feed, signal_feed
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.instruments import CATALOGUE
from sptrader_desktop.core.signals import BadSignalError, Signal, read_signal
from sptrader_desktop.ports import LivePrice, PriceRead, SignalRead
from sptrader_desktop.settings import load_settings
from tests.command_line import ROOT, SAMPLE
from tests.http_servers import closed_port
from tests.live_feeds import configured, on_disk
from tests.servers import elsewhere, ends, server_process

HOUR_US = 3_600_000_000
BAR = datetime(2024, 1, 29, 12, tzinfo=UTC)
BAR_US = int(BAR.timestamp()) * 1_000_000


@pytest.fixture
def publisher(valkey: RedisServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[sdk.SignalPublisher]:
    monkeypatch.setattr(sys, "argv", ["desk.py"])
    with sdk.SignalPublisher(symbol="EURUSD", timeframe="1h") as made:
        yield made


def published(server: RedisServer) -> list[Signal]:
    """As a session reads it that believes only what is signed."""
    client: Any = server.client
    keys = partial(known_key, load_settings().servers / PUBLISHERS)
    return [read_signal(fields, keys) for _, fields in client.xrange(STREAM)]


# Signals


def test_what_is_published_is_read_by_a_session_that_wants_it_signed(valkey: RedisServer, publisher: sdk.SignalPublisher) -> None:
    async def story() -> list[Any]:
        server = open_live_redis(load_settings())
        feed = signal_feed(load_settings(), server, None, {}, only_signed=True)
        await feed.read()
        assert publisher.publish_signal("ma_crossover", "golden_cross", np.float64(0.5), {"ma_fast": np.float32(1.25)}, bar_time=BAR)
        found: list[Any] = []
        while not found:
            found += await feed.read()
        await feed.close()
        server.close()
        return found

    (read,) = asyncio.run(story())
    assert isinstance(read, SignalRead)
    signal = read.signal
    assert (signal.name, signal.type, signal.strength, signal.metadata) == ("ma_crossover", "golden_cross", 0.5, {"ma_fast": 1.25})
    assert (signal.symbol, signal.timeframe, signal.bar_time, signal.publisher) == ("EURUSD", "1h", BAR_US, "desk EURUSD 1h")
    assert signal.valid_until == BAR_US + HOUR_US + 60_000_000
    assert read.loss_is_detectable


def test_the_same_signal_has_the_same_id_whenever_it_is_published(valkey: RedisServer, publisher: sdk.SignalPublisher) -> None:
    said: list[tuple[dict[str, Any], datetime | str]] = [
        ({}, BAR),
        ({}, BAR.isoformat()),
        ({}, BAR + timedelta(hours=1)),
        ({"level": 1}, BAR),
    ]
    for metadata, bar in said:
        assert publisher.publish_signal("ma_crossover", "golden_cross", 1, metadata, bar_time=bar)
    signals = published(valkey)
    assert len({signal.id for signal in signals}) == 3
    assert signals[0].id == signals[1].id
    assert np.diff([signal.seq or 0 for signal in signals]).tolist() == [1, 1, 1]


def test_without_a_bar_it_is_about_the_last_one_or_acts_when_it_arrives(valkey: RedisServer, publisher: sdk.SignalPublisher) -> None:
    before = last_closed("1h", now())
    assert publisher.publish_signal("ma_crossover", "golden_cross", 1)
    with sdk.SignalPublisher() as plain:
        assert plain.publish_signal("ma_crossover", "golden_cross", 1)
        assert plain.publish_signal("ma_crossover", "golden_cross", 1)
    ours, first, second = published(valkey)
    assert ours.bar_time in {before, last_closed("1h", now())}
    assert (first.symbol, first.timeframe, first.bar_time) == (None, None, None)
    assert first.valid_until == first.sent_at + 60_000_000
    assert first.id != second.id


def now() -> int:
    return int(datetime.now(UTC).timestamp() * 1e6)


@given(st.integers(0, 4_000_000_000_000_000), st.sampled_from([(1, "1m"), (60, "1h"), (240, "4h")]))
def test_the_last_closed_bar_is_the_one_before_the_open_one(at: int, frame: tuple[int, str]) -> None:
    minutes, timeframe = frame
    assert last_closed(timeframe, at) == (at // (minutes * 60_000_000) - 1) * minutes * 60_000_000


def test_the_last_closed_day_ended_at_new_york_s_close() -> None:
    def opened(timeframe: str, text: str) -> str:
        found = last_closed(timeframe, int(datetime.fromisoformat(text).timestamp()) * 1_000_000)
        return datetime.fromtimestamp(found / 1e6, UTC).strftime("%Y-%m-%dT%H")

    assert opened("1d", "2024-01-30T21:59:00Z") == "2024-01-28T22"
    assert opened("1d", "2024-01-30T22:00:00Z") == "2024-01-29T22"
    assert opened("1w", "2024-01-30T22:00:00Z") == "2024-01-21T22"


@pytest.mark.parametrize(
    ("rule", "given"),
    [
        ("number", {"strength": float("nan")}),
        ("number", {"metadata": {"x": float("inf")}}),
        ("type", {"strength": "strong"}),
        ("type", {"metadata": {"x": object()}}),
        ("text", {"signal_name": ""}),
        ("time", {"bar_time": "soon"}),
        ("time", {"bar_time": datetime(2024, 1, 1)}),  # noqa: DTZ001  # that is the point
        ("time", {"valid_until": datetime(2300, 1, 1, tzinfo=UTC)}),
    ],
)
def test_what_is_no_signal_is_an_error_and_takes_no_number(
    valkey: RedisServer, publisher: sdk.SignalPublisher, rule: str, given: dict[str, Any]
) -> None:
    said: dict[str, Any] = {"signal_name": "ma", "signal_type": "x", "strength": 1.0}
    assert publisher.publish_signal(**said)
    with pytest.raises(BadSignalError) as refusal:
        publisher.publish_signal(**said | given)
    assert refusal.value.rule == rule
    assert publisher.publish_signal(**said)
    first, second = (signal.seq or 0 for signal in published(valkey))
    assert second == first + 1


# Numbers, names and keys


def test_numbers_go_on_in_the_next_process_and_two_at_once_have_two_names(tmp_path: Path) -> None:
    first = PublisherFiles(tmp_path / "publishers", "desk")
    assert [first.next_number() for _ in range(3)] == [1, 2, 3]
    beside = PublisherFiles(tmp_path / "publishers", "desk")
    assert (first.name, beside.name, beside.next_number()) == ("desk", "desk #2", 1)
    assert first.key != beside.key
    first.close()
    again = PublisherFiles(tmp_path / "publishers", "desk")
    assert (again.name, again.next_number(), again.key) == ("desk", 4, first.key)
    for each in (beside, again):
        each.close()
        each.close()


def test_a_key_is_its_owner_s_alone_and_one_that_was_half_written_is_made_anew(tmp_path: Path) -> None:
    files = PublisherFiles(tmp_path / "publishers", "../desk\n")
    files.close()
    (path,) = (tmp_path / "publishers").glob("*.key")
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert known_key(tmp_path / "publishers", "../desk\n") == files.key == path.read_bytes()
    assert known_key(tmp_path / "publishers", "another") is None
    path.write_bytes(b"half")
    assert known_key(tmp_path / "publishers", "../desk\n") is None
    again = PublisherFiles(tmp_path / "publishers", "../desk\n")
    again.close()
    assert len(again.key) == KEY_BYTES
    assert again.key != files.key


def test_a_damaged_number_is_told_and_not_guessed(tmp_path: Path) -> None:
    PublisherFiles(tmp_path / "publishers", "desk").close()
    (path,) = (tmp_path / "publishers").glob("*.number")
    path.write_text("many")
    with pytest.raises(DataError, match="there is no number in it: remove it"):
        PublisherFiles(tmp_path / "publishers", "desk")


# Servers that are away


def test_a_server_that_is_away_is_false_and_a_sentence(publisher: sdk.SignalPublisher, caplog: pytest.LogCaptureFixture) -> None:
    away = sdk.SignalPublisher(f"redis://:hunter2@127.0.0.1:{closed_port()}")
    for done in (away.publish_signal("ma", "x", 1.0), away.publish_price_update({"EURUSD": 1.1})):
        assert not done
        assert "does not answer" in away.problem
        assert "hunter2" not in away.problem + caplog.text
    away.close()
    assert publisher.publish_signal("ma", "x", 1.0)
    assert publisher.problem == ""


def test_a_full_server_takes_nothing_and_the_number_is_missing_after_it(valkey: RedisServer, publisher: sdk.SignalPublisher) -> None:
    assert publisher.publish_signal("ma", "x", 1.0)
    with configured(valkey.client, maxmemory="1mb"):
        assert not publisher.publish_signal("ma", "x", 1.0)
        assert "is full and took nothing: make room" in publisher.problem
    assert publisher.publish_signal("ma", "x", 1.0)
    first, second = (signal.seq or 0 for signal in published(valkey))
    assert second == first + 2


def test_a_server_of_our_own_that_died_is_started_again_by_who_publishes(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = elsewhere("publisher")
    monkeypatch.setenv("SPTRADER_SERVERS", str(settings.servers))
    server = open_redis(settings)
    server.client.flushall()
    with sdk.SignalPublisher() as publisher:
        for number in range(3):
            assert publisher.publish_signal("ma", "x", float(number))
            process = server_process(settings, "valkey")
            assert process is not None
            on_disk(server)
            process.kill()
            assert ends(process)
        assert publisher.publish_signal("ma", "x", 3.0)
        assert [signal.strength for signal in published(server)] == [0.0, 1.0, 2.0, 3.0]
    server.close()


# Prices


def prices_of(found: list[PriceRead]) -> list[LivePrice]:
    return [price for read in found for price in read.prices]


def test_prices_come_newest_first_and_then_each_as_it_was_said(valkey: RedisServer) -> None:
    async def story() -> list[PriceRead]:
        feed = price_feed(valkey, ["EURUSD", "USDJPY"], CATALOGUE)
        found: list[PriceRead] = []
        with sdk.SignalPublisher() as publisher:
            for price in (1.08, 1.09):
                assert publisher.publish_price_update({"EURUSD": price, "XAUUSD": 2000.5})
            found += await feed.read()
            assert publisher.publish_price_update({"USDJPY": {"bid": Decimal("148.501"), "ask": "148.505", "time": BAR}})
            assert publisher.publish_price_update({"EURUSD": np.float64(1.1)})
            while len(prices_of(found)) < 3:
                found += await feed.read()
            valkey.client.flushall()
            while not feed.status.connected or await feed.read():
                pass
            assert publisher.publish_price_update({"EURUSD": 1.2})
            while len(prices_of(found)) < 4:
                found += await feed.read()
        await feed.close()
        return found

    prices = prices_of(asyncio.run(story()))
    assert [(price.symbol, price.price, price.ask) for price in prices] == [
        ("EURUSD", 109_000, None),
        ("USDJPY", 148_501, 148_505),
        ("EURUSD", 110_000, None),
        ("EURUSD", 120_000, None),
    ]
    assert prices[1] == LivePrice("USDJPY", BAR_US, 148_501, 148_505)


@pytest.mark.parametrize(
    "prices", [{}, {"EURUSD": 0}, {"EURUSD": -1.0}, {"EURUSD": float("nan")}, {"EURUSD": "much"}, {"EURUSD": {"bid": 1}}]
)
def test_what_is_no_price_is_an_error(valkey: RedisServer, publisher: sdk.SignalPublisher, prices: dict[str, Any]) -> None:
    with pytest.raises(DataError):
        publisher.publish_price_update(prices)
    assert valkey.client.exists(PRICES) == 0


# Scripts


def script(path: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    file = ROOT / "workspace" / "core" / path
    settings = os.environ | {"TEST_DATASET": SAMPLE.name, "PYTHONDONTWRITEBYTECODE": "1"} | environment
    return subprocess.run(
        [sys.executable, file.name, *arguments], cwd=file.parent, env=settings, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(("name", "kind"), [("session_filter", "open"), ("ma_crossover", "none")])
def test_a_component_run_alone_publishes_what_its_newest_bar_says(valkey: RedisServer, name: str, kind: str, tmp_path: Path) -> None:
    result = str(tmp_path / "r.arrow")
    done = script(f"signals/{name}.py", PUBLISH_LIVE="true", RESULT_PATH=result, COMPONENT_PARAMS="{}")
    assert done.returncode == 0, done.stderr
    (signal,) = published(valkey)
    assert (signal.name, signal.symbol, signal.timeframe) == (name, "EURUSD", "1h")
    assert signal.bar_time == int(datetime(2024, 5, 31, 20, tzinfo=UTC).timestamp()) * 1_000_000
    assert signal.holds == (kind != "none")
    assert done.stdout == f"published of the bar 2024-05-31 20:00 UTC: {signal.type if signal.holds else 'no signal'}\n"


def test_the_publisher_run_alone_publishes_what_it_is_told(valkey: RedisServer) -> None:
    told = "--symbol EURUSD --signal ma_crossover --type golden_cross --strength 0.8".split()
    more = ["--metadata", '{"current_price": 1.086}', "--prices", "EURUSD=1.0850/1.0852,USDJPY=148.5", "--every", "0.01", "--count", "2"]
    done = script("data/signal_publisher.py", *told, *more)
    assert (done.returncode, done.stderr) == (0, "")
    first, second = published(valkey)
    assert (first.name, first.type, first.strength, first.symbol, first.metadata) == (
        "ma_crossover",
        "golden_cross",
        0.8,
        "EURUSD",
        {"current_price": 1.086},
    )
    assert (second.seq or 0) - (first.seq or 0) == 1
    client: Any = valkey.client
    assert [json.loads(fields[b"data"]) for _, fields in client.xrange(PRICES)] == [
        {"EURUSD": {"bid": 1.085, "ask": 1.0852}, "USDJPY": 148.5}
    ] * 2
    away = script("data/signal_publisher.py", "--prices", "EURUSD=1.1", REDIS_URL=f"redis://127.0.0.1:{closed_port()}")
    assert (away.returncode, away.stdout) == (1, "")
    assert away.stderr.startswith("not published: Redis at 127.0.0.1:")


def test_the_lines_and_the_script_of_the_guide_publish(valkey: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "workspace" / "core" / "data"))
    import signal_publisher  # type: ignore[import-not-found]  # a script of the workspace

    chapter = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8").partition("## Live signals")[2]
    lines = [line.split()[2:] for line in chapter.splitlines() if line.startswith("python workspace/core/data/signal_publisher.py")]
    assert [signal_publisher.main([*line, "--count", "1"]) for line in lines] == [0, 0]
    exec(chapter.partition("```python\n")[2].partition("```")[0])
    assert [signal.bar_time for signal in published(valkey)] == [None, BAR_US]
    assert valkey.client.xlen(PRICES) == 2


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 2, "give --signal and --type, --prices, or both"),
        (["--signal", "ma"], 2, "give --signal and --type, --prices, or both"),
        (["--prices", "EURUSD=much"], 2, "invalid prices value"),
        (["--signal", "ma", "--type", "x", "--metadata", "[]"], 2, "invalid metadata value"),
        (["--prices", "EURUSD=1", "--every", "-1"], 2, "invalid seconds value"),
        (["--signal", "ma", "--type", "x", "--bar-time", "soon"], 1, "bar_time 'soon' cannot be used: times are like"),
    ],
)
def test_what_is_wrong_with_the_command_line_is_one_sentence(
    arguments: list[str], code: int, words: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "workspace" / "core" / "data"))
    import signal_publisher

    try:
        found = signal_publisher.main(arguments)
    except SystemExit as left:
        found = left.code
    assert found == code
    assert words in capfd.readouterr().err
