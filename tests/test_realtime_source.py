"""What a publisher changes is told to whoever looks, and the stream of prices is a source of candles like any other, over a real Valkey."""

import json
from contextlib import suppress
from pathlib import Path

import pytest

from sptrader_desktop import cli
from sptrader_desktop.adapters.parquet_writer import parquet_bytes
from sptrader_desktop.adapters.price_messages import STREAM
from sptrader_desktop.adapters.redis_prices import OTHER_KIND
from sptrader_desktop.adapters.redis_server import RedisServer
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.runtime.live.bars_from_prices import CONVINCING
from tests.command_line import STRATEGY
from tests.test_realtime_window import ASKED, Clock, Price, add, bars, every, publish, rows, window


def number(server: RedisServer, price: Price) -> None:
    add(server, {"data": json.dumps({"EURUSD": price.bid / 1e5})}, price.second)


def test_a_publisher_that_goes_over_to_bid_and_ask_is_told_and_followed_from_the_next_whole_bar(valkey: RedisServer) -> None:
    """For one who looks all the time, and for one who comes late and reads it all back."""
    clock, prices = Clock(), every(10, 60)
    follower = window(valkey, clock)
    for price in prices[:21]:
        number(valkey, price)
    clock.show(205)
    assert follower.candles(ASKED).side == "mid"
    for place in range(21, 60):
        publish(valkey, prices[place : place + 1])
        clock.show(prices[place].second)
        with suppress(DataError):  # between the two none has closed
            follower.candles(ASKED)
    clock.show(600)
    late = window(valkey, clock)
    whole = [bar for bar in bars(prices[21:]) if bar[0] >= bars(prices[36:])[0][0]]
    assert rows(follower.candles(ASKED)) == whole
    assert rows(late.candles(ASKED))[-3:] == whole[-3:]
    skipped = 36 - 21
    assert skipped > CONVINCING
    assert follower.skipped == {OTHER_KIND: skipped}
    for viewer in (follower, late):
        told = [notice.text for notice in viewer.notices]
        assert told == [
            f"{STREAM}: EURUSD came as bid and ask at 2024-01-29T12:03:30Z, before that as numbers: "
            "these prices are skipped; if no others follow, the candles begin anew with them",
            f"{STREAM}: EURUSD comes as bid and ask now: the candles begin anew at 2024-01-29T12:06:00Z",
        ]


def test_stray_prices_of_another_kind_are_told_and_change_no_bar(valkey: RedisServer) -> None:
    clock, prices = Clock(), every(10, 60)
    viewer = window(valkey, clock)
    for place, price in enumerate(prices):
        publish(valkey, [price])
        if place in (20, 40):
            for more in range(CONVINCING):
                number(valkey, Price(price.second + more / 10, 1, 2))
    clock.show(600)
    assert rows(viewer.candles(ASKED)) == bars(prices)
    assert viewer.skipped == {OTHER_KIND: 2 * CONVINCING}
    assert [notice.text.split(" at ")[0] for notice in viewer.notices] == [f"{STREAM}: EURUSD came as numbers"] * 2


def test_a_backtest_and_a_component_run_on_the_prices_that_are_there(
    valkey: RedisServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As on a file of the same candles."""
    prices = every(20, 2400)
    publish(valkey, prices[:100])
    number(valkey, prices[100])
    publish(valkey, prices[101:])
    clock = Clock()
    clock.show(2400 * 20)
    path = tmp_path / "EURUSD_1m_kept.parquet"
    path.write_bytes(parquet_bytes(window(valkey, clock, size=1000).candles(ASKED)))
    source = ["--source", "realtime", "--symbol", "EURUSD", "--timeframe", "1m"]
    for place, origin in enumerate((["--data", str(path)], source)):
        assert cli.run(["backtest", str(STRATEGY), *origin, "--no-store", "--json", str(tmp_path / f"{place}.json")]) == 0
        assert cli.run(["components", "run", "sma", *origin, "--out", str(tmp_path / f"{place}.csv")]) == 0
    assert (tmp_path / "0.csv").read_bytes() == (tmp_path / "1.csv").read_bytes()
    there, here = (json.loads((tmp_path / f"{place}.json").read_bytes()) for place in (0, 1))
    assert there["manifest"]["data"][0].pop("file") != here["manifest"]["data"][0].pop("file")
    assert there == here
    assert there["total_trades"] > 0
    assert here["manifest"]["data"][0]["rows"] == 800
    assert f"sptrader: {STREAM}: EURUSD came as numbers at 2024-01-29T12:33:20Z" in capsys.readouterr().err


def test_a_stream_without_prices_or_a_source_without_a_symbol_is_one_line(valkey: RedisServer, capsys: pytest.CaptureFixture[str]) -> None:
    source = ["--source", "realtime", "--timeframe", "1m"]
    assert cli.run(["backtest", str(STRATEGY), *source, "--symbol", "EURUSD", "USDJPY"]) == 1
    assert cli.run(["components", "run", "sma", *source]) == 1
    first, second = capsys.readouterr().err.splitlines()
    assert first == "sptrader: prices:live: no 1m candle of EURUSD has closed yet: wait for one, or see whether prices are published"
    assert second == "sptrader: --source realtime: say which candles with --symbol S and --timeframe T"
