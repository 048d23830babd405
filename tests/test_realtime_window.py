"""The realtime window over a real Valkey, against bars computed from the same prices in plain Python."""

import json
import os
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sptrader_desktop.adapters import redis_prices
from sptrader_desktop.adapters.price_messages import STREAM, MalformedError, quote_in
from sptrader_desktop.adapters.redis_prices import LOST, RealtimeWindow
from sptrader_desktop.adapters.redis_server import RedisServer, open_redis
from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.timeframes import parse_timeframe
from sptrader_desktop.ports import CandleRequest
from tests.servers import elsewhere, ends, server_process, use

MINUTE_US = 60_000_000
START = datetime(2024, 1, 29, 12, tzinfo=UTC)
START_US = int(START.timestamp()) * 1_000_000
ASKED = CandleRequest("EURUSD", "1m")
Row = tuple[int, ...]  # stamp, four bids, four asks, how many


class Clock:
    def __init__(self) -> None:
        self.now = START_US

    def __call__(self) -> int:
        return self.now

    def show(self, second: float) -> None:
        self.now = START_US + int(second * 1e6)


@dataclass(frozen=True, slots=True)
class Price:
    second: float
    bid: int
    ask: int

    def fields(self) -> dict[Any, Any]:
        told = {"bid": self.bid / 1e5, "ask": self.ask / 1e5, "time": (START + timedelta(seconds=self.second)).isoformat()}
        return {"data": json.dumps({"EURUSD": told, "USDJPY": 148.5})}


def publish(server: RedisServer, prices: Sequence[Price]) -> None:
    for price in prices:
        add(server, price.fields(), price.second)


def add(server: RedisServer, fields: dict[Any, Any], second: float) -> None:
    """Entries are named by the test's clock, so that their order is that of the messages."""
    server.client.xadd(STREAM, fields, id=f"{START_US // 1000 + int(second * 1000)}-*")


def bars(prices: Sequence[Price], length: int = 60) -> list[Row]:
    """In plain Python, one price after the other."""
    made: dict[int, list[Price]] = {}
    for price in prices:
        made.setdefault(int(price.second // length), []).append(price)
    return [
        (
            START_US + number * length * 1_000_000,
            *(value for side in ([each.bid for each in inside], [each.ask for each in inside]) for value in four(side)),
            len(inside),
        )
        for number, inside in sorted(made.items())
    ]


def four(side: list[int]) -> tuple[int, int, int, int]:
    return side[0], max(side), min(side), side[-1]


def rows(candles: Candles) -> list[Row]:
    assert candles.ask
    assert candles.volume is not None
    sides = [getattr(side, name).tolist() for side in (candles.prices, candles.ask) for name in ("open", "high", "low", "close")]
    return list(zip(candles.timestamp.tolist(), *sides, (int(count) for count in candles.volume), strict=True))


@pytest.fixture
def clock() -> Clock:
    return Clock()


def window(server: RedisServer, clock: Clock, size: int = 50, timeframe: str = "1m") -> RealtimeWindow:
    return RealtimeWindow(server, "EURUSD", timeframe, size, clock)


def every(step: float, count: int, first: float = 0) -> list[Price]:
    return [Price(first + step * number, 110_000 + number * 37 % 101, 110_008 + number * 53 % 97) for number in range(count)]


# Bars


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(
    gaps=st.lists(st.integers(0, 240), min_size=1, max_size=60),
    looks=st.lists(st.integers(0, 60), max_size=6),
    size=st.integers(1, 12),
    page=st.sampled_from([1, 7, 1000]),
)
def test_however_often_one_looks_the_window_is_what_all_prices_make(
    valkey: RedisServer, gaps: list[int], looks: list[int], size: int, page: int
) -> None:
    """Also for one who begins to look in the middle, and reads back."""
    valkey.client.delete(STREAM)
    prices = [Price(sum(gaps[: number + 1]), 110_000 + gap * 3, 110_009 + number) for number, gap in enumerate(gaps)]
    clock, published = Clock(), 0
    follower = window(valkey, clock, size)
    before, redis_prices.PAGE = redis_prices.PAGE, page
    try:
        for upto in [*sorted(looks), len(prices)]:
            publish(valkey, prices[published : max(upto, published)])
            published = max(upto, published)
            clock.show(max([0.0, *(price.second for price in prices[:published])]))
            closed = [bar for bar in bars(prices[:published]) if bar[0] + MINUTE_US <= clock()][-size:]
            for viewer in (follower, window(valkey, clock, size)):
                if closed:
                    assert rows(viewer.candles(ASKED)) == closed
                else:
                    with pytest.raises(DataError, match="has closed yet"):
                        viewer.candles(ASKED)
    finally:
        redis_prices.PAGE = before


def test_a_bar_closes_by_the_clock_and_gaps_stay_gaps(valkey: RedisServer, clock: Clock) -> None:
    prices = [*every(10, 6), *every(10, 6, first=300)]
    viewer = window(valkey, clock)
    for second, closed, new in ((59.9, 0, prices[:6]), (60, 1, []), (359.999, 1, prices[6:]), (360, 2, [])):
        publish(valkey, new)
        clock.show(second)
        if closed:
            assert rows(viewer.candles(ASKED)) == bars(prices)[:closed]
        else:
            with pytest.raises(DataError, match="no 1m candle of EURUSD has closed yet: wait for one"):
                viewer.candles(ASKED)
    (held,) = viewer.datasets()
    assert (held.rows, held.has_ask, held.first, held.last) == (2, True, START, START + timedelta(minutes=5))


def test_numbers_as_old_publishers_send_them_make_mid_candles(valkey: RedisServer, clock: Clock) -> None:
    for second, price in ((1, 1.0860), (30, 1.0871), (59, 1.0855)):
        add(valkey, {"data": json.dumps({"EURUSD": price, "USDJPY": 148.50})}, second)
    clock.show(61)
    candles = window(valkey, clock).candles(ASKED)
    assert (candles.side, candles.ask) == ("mid", None)
    assert [int(getattr(candles.prices, name)[0]) for name in ("open", "high", "low", "close")] == [108600, 108710, 108550, 108550]
    yen = RealtimeWindow(valkey, "USDJPY", "1m", 5, clock).candles(CandleRequest("USDJPY", "1m"))
    assert yen.prices.close.tolist() == [148500]


def test_the_range_asked_for_is_cut_and_another_series_is_refused(valkey: RedisServer, clock: Clock) -> None:
    prices = every(20, 30)
    publish(valkey, prices)
    clock.show(600)
    viewer = window(valkey, clock)
    part = viewer.candles(replace(ASKED, start=START + timedelta(minutes=2), end=START + timedelta(minutes=5)))
    assert rows(part) == bars(prices)[2:5]
    assert part.fingerprint != viewer.candles(ASKED).fingerprint == window(valkey, clock).candles(ASKED).fingerprint != ""
    with pytest.raises(DataError, match="this window is of EURUSD 1m, not of EURUSD 5m"):
        viewer.candles(CandleRequest("EURUSD", "5m"))


def test_days_are_new_yorks(valkey: RedisServer, clock: Clock) -> None:
    prices = every(3600, 60)
    publish(valkey, prices)
    clock.show(3600 * 60)
    days = window(valkey, clock, timeframe="1d").candles(CandleRequest("EURUSD", "1d"))
    assert [datetime.fromtimestamp(stamp / 1e6, UTC) for stamp in days.timestamp.tolist()] == [
        START.replace(day=day, hour=22) for day in (28, 29, 30)
    ]


def test_windows_and_timeframes_that_make_no_sense_are_refused(valkey: RedisServer, clock: Clock) -> None:
    for size in (0, -1, 100_001):
        with pytest.raises(DataError, match="give a number from 1 to 100000"):
            window(valkey, clock, size)
    for timeframe in ("7m", "1x"):
        with pytest.raises(DataError):
            window(valkey, clock, timeframe=timeframe)
    with pytest.raises(DataError, match="not a known symbol"):
        RealtimeWindow(valkey, "EURXYZ", "1m", 5, clock)


# Prices not believed


def test_what_is_out_of_order_late_repeated_or_from_the_future_is_counted_and_changes_nothing(valkey: RedisServer, clock: Clock) -> None:
    good = every(10, 12)
    publish(valkey, good)
    clock.show(115)
    viewer = window(valkey, clock)
    assert rows(viewer.candles(ASKED)) == bars(good)[:1]
    for price, at in ((good[-1], 111), (Price(105, 1, 2), 112), (Price(59, 1, 2), 113), (Price(500, 1, 2), 114)):
        add(valkey, price.fields(), at)
    add(valkey, {"data": json.dumps({"EURUSD": 1.1})}, 114.5)
    clock.show(120)
    assert rows(viewer.candles(ASKED)) == bars(good)
    assert viewer.skipped == {
        "repeated": 1,
        "out of order": 1,
        "too late, its candle has closed": 1,
        "from the future": 1,
        "of another kind than the prices before it": 1,
    }


OF_NO_TIME = "its time lies outside the years 1900 to 2200"
MALFORMED: list[tuple[Any, str]] = [
    ("{", "not JSON"),
    ("[" * 100_000, "not JSON"),
    ("[1]", "not a JSON object of symbols"),
    ('{"EURUSD": null}', ""),
    ('{"EURUSD": true}', "not a price"),
    ('{"EURUSD": "abc"}', "not a price"),
    ('{"EURUSD": NaN}', "not a price"),
    ('{"EURUSD": 1e400}', "not a price"),
    ('{"EURUSD": 1e999999}', "not a price"),
    ('{"EURUSD": "1e999999999"}', "not a price"),
    ('{"EURUSD": 0}', "not a price"),
    ('{"EURUSD": -1.1}', "not a price"),
    ('{"EURUSD": 0.000000001}', "between two ticks"),
    ('{"EURUSD": 1.100005}', "between two ticks"),
    ('{"EURUSD": {"bid": 1.1}}', "neither a number nor bid and ask"),
    ('{"EURUSD": {"bid": 1.1, "ask": [1.2]}}', "not a price"),
    ('{"EURUSD": {"bid": 1.1, "ask": 1.2, "time": "noon"}}', "its time is not like 2024-01-02T17:00:00Z"),
    ('{"EURUSD": {"bid": 1.1, "ask": 1.2, "time": 12}}', "its time is not like 2024-01-02T17:00:00Z"),
    ('{"EURUSD": {"bid": 1.1, "ask": 1.2, "time": "2024-01-29T12:00:00"}}', "its time has no zone"),
    ('{"EURUSD": {"bid": 1.1, "ask": 1.2, "time": "0001-01-01T00:00:00+14:00"}}', OF_NO_TIME),
    ('{"EURUSD": {"bid": 1.1, "ask": 1.2, "time": "1850-06-01T00:00:00Z"}}', OF_NO_TIME),
    ('{"EURUSD": {"bid": 1.1, "ask": 1.2, "time": "9999-12-31T23:59:59-14:00"}}', OF_NO_TIME),
    (" " * (1 << 20) + "{}", "longer than a mebibyte"),
    ("\udcff".encode("utf-8", "surrogateescape"), "not JSON"),
]


@pytest.mark.parametrize("timeframe", ["1m", "1d"])
def test_malformed_prices_are_counted_by_reason_and_the_rest_is_used(valkey: RedisServer, clock: Clock, timeframe: str) -> None:
    good = every(10, 12)
    for number, (text, _) in enumerate(MALFORMED):
        valkey.client.xadd(STREAM, {"data": text}, id=f"{START_US // 1000 - 1000 + number}-*")
    publish(valkey, good)
    clock.show(120 if timeframe == "1m" else 2 * 86_400)
    viewer = window(valkey, clock, timeframe=timeframe)
    found = viewer.candles(CandleRequest("EURUSD", timeframe))
    assert rows(found) == (bars(good) if timeframe == "1m" else [(START_US - 14 * 3_600_000_000, *bars(good, 86_400)[0][1:])])
    assert viewer.skipped == Counter(reason for _, reason in MALFORMED if reason)


def test_an_entry_named_by_a_publisher_for_no_time_at_all_is_skipped(valkey: RedisServer, clock: Clock) -> None:
    """Redis takes any number of milliseconds in a name; such an entry is the last that the stream can take."""
    good = every(10, 12)
    publish(valkey, good)
    valkey.client.xadd(STREAM, {"data": '{"EURUSD": 1.1}'}, id=f"{2**64 - 1}-*")
    clock.show(120)
    viewer = window(valkey, clock)
    assert rows(viewer.candles(ASKED)) == bars(good)
    assert viewer.skipped == {OF_NO_TIME: 1}


@pytest.mark.parametrize(
    "fields", [{"EURUSD": "1.10005"}, {"prices": '{"EURUSD": "1.10005"}'}, {"payload": '{"EURUSD": 1.1000500000000001}'}]
)
def test_every_way_of_writing_a_price_is_understood(fields: dict[str, str]) -> None:
    told = {name.encode(): value.encode() for name, value in fields.items()}
    quote = quote_in(told, 5, "EURUSD", 100_000)
    assert quote
    assert (quote.stamp, quote.price, quote.ask) == (5, 110_005, None)
    assert quote_in(told, 5, "USDJPY", 1_000) is None


@given(
    st.dictionaries(st.sampled_from([b"data", b"prices", b"EURUSD", b"x"]), st.binary(max_size=60) | st.text(max_size=40).map(str.encode))
)
def test_no_message_does_more_harm_than_being_skipped(fields: dict[bytes, bytes]) -> None:
    try:
        quote = quote_in(fields, 0, "EURUSD", 100_000)
    except MalformedError:
        return
    assert quote is None or quote.price >= 1


# The stream


@pytest.mark.parametrize("page", [1, 2, 3, 7, 1000])
def test_one_who_begins_late_reads_back_until_the_window_is_full(
    valkey: RedisServer, clock: Clock, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    """The oldest bar that was reached is not whole, and the youngest is still open; neither counts."""
    monkeypatch.setattr(redis_prices, "PAGE", page)
    prices = every(17, 40)
    publish(valkey, prices)
    clock.show(prices[-1].second)
    for size in range(1, 14):
        assert rows(window(valkey, clock, size).candles(ASKED)) == bars(prices)[:-1][-size:]


def test_of_the_first_bar_of_a_trimmed_stream_nothing_is_believed(valkey: RedisServer, clock: Clock) -> None:
    prices = every(10, 60)
    publish(valkey, prices)
    clock.show(600)
    assert rows(window(valkey, clock).candles(ASKED)) == bars(prices)
    valkey.client.xtrim(STREAM, maxlen=57, approximate=False)
    assert rows(window(valkey, clock).candles(ASKED)) == bars(prices)[1:]


def test_prices_trimmed_before_they_were_read_are_missed_and_the_window_begins_after_them(valkey: RedisServer, clock: Clock) -> None:
    prices = every(10, 120)
    publish(valkey, prices[:60])
    clock.show(600)
    viewer = window(valkey, clock)
    assert len(viewer.candles(ASKED)) == 10
    publish(valkey, prices[60:])
    valkey.client.xtrim(STREAM, maxlen=40, approximate=False)
    clock.show(1200)
    assert rows(viewer.candles(ASKED)) == bars(prices)[14:]
    assert viewer.skipped == {LOST: 1}
    client: Any = valkey.client
    client.xdel(STREAM, client.xrevrange(STREAM, count=1)[0][0])
    assert rows(viewer.candles(ASKED)) == bars(prices)[14:]


def test_a_stream_that_is_removed_and_begun_anew_is_read_anew(valkey: RedisServer, clock: Clock) -> None:
    viewer = window(valkey, clock)
    with pytest.raises(DataError, match="has closed yet"):
        viewer.candles(ASKED)
    prices = every(10, 12)
    publish(valkey, prices)
    clock.show(120)
    assert rows(viewer.candles(ASKED)) == bars(prices)
    valkey.client.xtrim(STREAM, maxlen=0)
    assert rows(viewer.candles(ASKED)) == bars(prices)
    valkey.client.delete(STREAM)
    valkey.client.xadd(STREAM, prices[0].fields(), id="5-0")
    with pytest.raises(DataError, match="has closed yet"):
        window(valkey, clock, timeframe="4h").candles(CandleRequest("EURUSD", "4h"))
    assert viewer.candles(ASKED).timestamp.tolist() == [START_US]
    assert viewer.skipped == {LOST: 1}


def test_what_is_no_stream_is_said(valkey: RedisServer, clock: Clock) -> None:
    valkey.client.set(STREAM, "1")
    with pytest.raises(DataError, match=r"prices:live at .* cannot be read \(WRONGTYPE"):
        window(valkey, clock).candles(ASKED)


def test_memory_is_that_of_the_window_however_long_the_stream(valkey: RedisServer, clock: Clock) -> None:
    viewer = window(valkey, clock, 3)
    pipeline = valkey.client.pipeline()
    for price in every(2, 3000):
        pipeline.xadd(STREAM, price.fields(), id=f"{START_US // 1000 + int(price.second * 1000)}-*")
    pipeline.execute()
    clock.show(6000)
    assert rows(viewer.candles(ASKED)) == bars(every(2, 3000))[-3:]
    assert viewer._held is not None
    assert len(viewer._held) <= 4


# A server that dies


@pytest.fixture
def own() -> Iterator[RedisServer]:
    server = open_redis(elsewhere("realtime"))
    server.client.flushall()
    yield server
    server.close()


def test_a_server_that_is_killed_and_comes_back_goes_on_from_the_last_price(own: RedisServer, clock: Clock) -> None:
    prices = every(10, 240)
    viewer = window(own, clock)
    again = []
    for round_ in range(4):
        part = prices[60 * round_ : 60 * (round_ + 1)]
        publish(own, part)
        own.client.waitaof(1, 0, 2000)
        clock.show(part[-1].second + 10)
        assert rows(viewer.candles(ASKED)) == bars(prices[: 60 * (round_ + 1)])[-50:]
        process = server_process(elsewhere("realtime"), "valkey")
        assert process is not None
        os.kill(process.pid, signal.SIGKILL)
        assert ends(process)
        again.append(use("valkey", elsewhere("realtime")))
    for held in again:
        held.close()
    assert viewer.skipped == {}


def test_a_server_that_stays_away_is_said_and_the_window_goes_on_when_it_is_back(
    own: RedisServer, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    prices = every(10, 30)
    publish(own, prices[:20])
    own.client.waitaof(1, 0, 2000)
    clock.show(200)
    viewer = window(replace(own, in_use=None), clock)
    before = viewer.candles(ASKED)
    process = server_process(elsewhere("realtime"), "valkey")
    assert process is not None
    process.kill()
    assert ends(process)
    with pytest.raises(DataError, match=r"does not answer .*: start it again; the window continues where it was"):
        viewer.candles(ASKED)
    held = use("valkey", elsewhere("realtime"))
    assert viewer.candles(ASKED).fingerprint == before.fingerprint
    publish(own, prices[20:])
    clock.show(300)
    assert rows(viewer.candles(ASKED)) == bars(prices)
    held.close()


def test_the_program_s_own_server_is_started_again_where_it_died(own: RedisServer, clock: Clock) -> None:
    prices = every(10, 30)
    publish(own, prices)
    own.client.waitaof(1, 0, 2000)
    clock.show(300)
    viewer = window(own, clock)
    before = viewer.candles(ASKED)
    process = server_process(elsewhere("realtime"), "valkey")
    assert process is not None
    process.kill()
    assert ends(process)
    assert viewer.candles(ASKED).fingerprint == before.fingerprint
    assert rows(before) == bars(prices)


def test_the_bars_of_this_file_are_minutes() -> None:
    assert parse_timeframe(ASKED.timeframe) == MINUTE_US
