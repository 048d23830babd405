"""Rows of the watchlist, from candles and from live prices, worked out by hand; and live prices over a real Valkey."""

import json
from dataclasses import replace

import numpy as np
import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from sptrader_desktop.adapters.price_messages import STREAM
from sptrader_desktop.adapters.redis_live_prices import StreamPrices
from sptrader_desktop.adapters.redis_server import RedisServer
from sptrader_desktop.core.calendar import HOUR_US
from sptrader_desktop.core.candles import Candles, Prices
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.instruments import CATALOGUE
from sptrader_desktop.ports import LivePrice
from sptrader_desktop.present.columns import SortKey, ordered
from sptrader_desktop.present.watchlist import (
    Watched,
    age_text,
    moved_symbol,
    quickest,
    symbols_read,
    typed_symbols,
    watched_of,
    watchlist_columns,
)
from sptrader_desktop.ui.desk import Series

TUESDAY = 1_704_153_600_000_000  # 2024-01-02, midnight UTC: New York's Tuesday began two hours before


def hourly(closes: list[int], first: int = TUESDAY) -> Candles:
    stamps, close = first + np.arange(len(closes)) * HOUR_US, np.array(closes)
    return Candles(CATALOGUE["EURUSD"], "1h", HOUR_US, stamps, Prices(close, close, close, close))


def test_a_row_from_candles_has_the_last_close_and_what_came_since_the_day_before() -> None:
    closes = [110_000 + 10 * hour for hour in range(30)]  # Tuesday's last bar is that of 21:00
    row = watched_of(hourly(closes), "1h")
    assert (row.last, row.reference) == (closes[29], closes[21])
    assert row.stamp == TUESDAY + 30 * HOUR_US
    table = watchlist_columns([row], row.stamp + 5_000_000, is_connected=False)
    said = {column.key: column.text(0) for column in table.columns}
    assert said == {"symbol": "EURUSD", "last": "1.10290", "change": "+8.0", "share": "+0.07", "spread": "–", "age": "5 s", "origin": "1h"}
    assert table.muted is None
    assert watched_of(hourly(closes[:20]), "1h").reference is None, "there is no day before"


def test_a_live_price_is_compared_with_the_day_before_and_with_nothing_where_that_is_unknown() -> None:
    row = watched_of(hourly([110_000 + 10 * hour for hour in range(30)]), "1h")
    same_day = row.at(LivePrice("EURUSD", TUESDAY + 31 * HOUR_US, 110_500, 110_512))
    assert (same_day.reference, same_day.last, same_day.ask) == (110_210, 110_500, 110_512)
    next_day = row.at(LivePrice("EURUSD", TUESDAY + 50 * HOUR_US, 110_500))
    assert next_day.reference == 110_290
    assert row.at(LivePrice("EURUSD", TUESDAY + 400 * HOUR_US, 110_500)).reference is None
    assert same_day.at(LivePrice("EURUSD", TUESDAY, 1)) is same_day, "an older one"
    table = watchlist_columns([same_day], same_day.stamp, is_connected=True)
    assert table["spread"].text(0) == "1.2"
    assert table["change"].text(0) == "+29.0"


def test_rows_without_a_fresh_price_are_muted_while_connected() -> None:
    fresh, old = (replace(Watched("EURUSD"), last=1, stamp=stamp, is_live=True) for stamp in (100_000_000, 80_000_000))
    muted = watchlist_columns([fresh, old], 105_000_000, is_connected=True).muted
    assert muted is not None
    assert muted.tolist() == [False, True]


def test_a_symbol_that_is_not_known_any_more_has_a_row_without_prices() -> None:
    table = watchlist_columns([Watched("US30", last=5, ask=6, stamp=1)], 2, is_connected=False)
    assert [table[key].text(0) for key in ("symbol", "last", "spread", "origin")] == ["US30", "–", "–", "symbol not known"]


def test_last_prices_are_sorted_as_numbers_and_what_has_none_stands_last() -> None:
    rows = [Watched("USDJPY", last=152_300), Watched("US30"), Watched("EURUSD", last=108_500), Watched("CADJPY", last=98_000)]
    table = watchlist_columns(rows, 2, is_connected=False)
    assert [table["last"].text(row) for row in range(4)] == ["152.300", "–", "1.08500", "98.000"]
    assert ordered(table, (SortKey("last"),), np.arange(4)).tolist() == [2, 3, 0, 1]
    assert ordered(table, (SortKey("last", is_descending=True),), np.arange(4)).tolist() == [0, 3, 2, 1]


@pytest.mark.parametrize(
    ("age", "said"), [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7_199, "119 min"), (7_200, "2 h"), (172_800, "2 d")]
)
def test_ages_are_said_in_the_unit_that_fits(age: int, said: str) -> None:
    assert age_text(age * 1_000_000) == said


def test_the_longest_bars_up_to_a_day_are_the_quickest_to_read() -> None:
    offered = [Series("EURUSD", name, f"{name}.parquet") for name in ("1m", "1w", "1d", "1h")] + [Series("GBPUSD", "1w", "w.parquet")]
    assert quickest("EURUSD", offered) == offered[2]
    assert quickest("GBPUSD", offered) == offered[4]
    assert quickest("USDJPY", offered) is None


def test_symbols_are_typed_and_read() -> None:
    assert typed_symbols("eurusd, gbp/usd USDJPY") == ("EURUSD", "GBPUSD", "USDJPY")
    with pytest.raises(DataError, match="NOSUCH: this symbol is not known"):
        typed_symbols("EURUSD nosuch")
    assert symbols_read(["EURUSD", "EURUSD"]) == ("EURUSD",)
    assert typed_symbols("us30", {"US30"}) == ("US30",)
    assert symbols_read(["US30"]) == ("US30",), "it is known again when its instruments file is"
    for held in ("EURUSD", ["no such"], [1], None):
        with pytest.raises(DataError):
            symbols_read(held)


@given(st.lists(st.sampled_from(sorted(CATALOGUE)), unique=True, max_size=6), st.integers(-1, 6), st.sampled_from([-1, 1]))
def test_moving_a_symbol_loses_none_and_there_and_back_is_as_before(symbols: list[str], place: int, step: int) -> None:
    before = tuple(symbols)
    after = moved_symbol(before, place, step)
    assert sorted(after) == sorted(before)
    if after != before:
        assert after[place + step] == before[place]
        assert moved_symbol(after, place + step, -step) == before


# Live


def publish(server: RedisServer, **prices: object) -> None:
    server.client.xadd(STREAM, {"data": json.dumps(prices)})


def quote(bid: float, ask: float) -> dict[str, object]:
    return {"bid": bid, "ask": ask, "time": "2024-01-29T12:00:00Z"}


def reader(server: RedisServer) -> StreamPrices:
    return StreamPrices(replace(server, in_use=None), CATALOGUE)


SYMBOLS = ("EURUSD", "USDJPY")


def test_first_the_last_known_price_of_each_then_every_one_that_comes(valkey: RedisServer) -> None:
    publish(valkey, EURUSD=1.1, USDJPY=quote(150.0, 150.01))
    publish(valkey, EURUSD=1.2)
    prices = reader(valkey)
    assert {(price.symbol, price.price, price.ask) for price in prices.read(SYMBOLS)} == {
        ("EURUSD", 120_000, None),
        ("USDJPY", 150_000, 150_010),
    }
    for bid in (1.3, 1.4, 1.5):
        publish(valkey, EURUSD=quote(bid, bid + 0.0001))
    publish(valkey, EURUSD="nonsense", USDJPY=True)
    publish(valkey, GBPUSD=1.5)
    assert [(price.symbol, price.price) for price in prices.read(SYMBOLS)] == [("EURUSD", ticks) for ticks in (130_000, 140_000, 150_000)]
    assert prices.read(SYMBOLS) == []


def test_a_symbol_that_is_asked_for_later_has_its_last_price_and_none_is_lost_meanwhile(valkey: RedisServer) -> None:
    publish(valkey, EURUSD=1.1, USDJPY=150)
    prices = reader(valkey)
    assert len(prices.read(["EURUSD"])) == 1
    publish(valkey, EURUSD=1.2)
    assert [price.price for price in prices.read(SYMBOLS)] == [150_000]
    assert [price.price for price in prices.read(SYMBOLS)] == [120_000]


def test_a_stream_that_began_anew_is_followed(valkey: RedisServer) -> None:
    publish(valkey, EURUSD=1.1)
    prices = reader(valkey)
    prices.read(SYMBOLS)
    valkey.client.delete(STREAM)
    assert prices.read(SYMBOLS) == []
    valkey.client.xadd(STREAM, {"data": json.dumps({"EURUSD": 1.25})}, id="5-1")
    assert [price.price for price in prices.read(SYMBOLS)] == [125_000]


def test_a_server_that_is_gone_is_told_with_what_to_do() -> None:
    gone = RedisServer(redis.Redis(port=1, socket_connect_timeout=0.1), "localhost:1")
    with pytest.raises(DataError, match=r"Redis at localhost:1 does not answer \(ConnectionError\): start it again"):
        StreamPrices(gone, CATALOGUE).read(SYMBOLS)
