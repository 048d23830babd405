"""Candles from a server: a real one on this machine, that speaks the guide's format well and badly."""

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sptrader_desktop.adapters import http_fetch
from sptrader_desktop.adapters.candle_files import load_candles
from sptrader_desktop.adapters.http_candles import HttpCandles, open_http
from sptrader_desktop.adapters.http_fetch import HttpFetcher, Patience
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.ports import CandleRequest
from sptrader_desktop.settings import load_settings
from tests.candle_builders import FIRST, at, bars, parquet
from tests.documents import GUIDE, fences
from tests.http_servers import Answer, Asked, Server, closed_port, serving

QUICK = Patience(timeout=0.4, tries=3)
PATIENT = Patience(tries=3)  # who has no time for us on a busy machine is not away
HOURLY = CandleRequest("EURUSD", "1h")
Tree = dict[str, Any]


@pytest.fixture(autouse=True)
def _no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_fetch, "_FIRST_WAIT", 0.001)


def candle_rows(count: int = 5, first: int = 0) -> list[Tree]:
    columns = bars(first + count)
    columns["timestamp"] = [moment.isoformat() for moment in columns["timestamp"]]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)][first:]


def page(candles: list[Tree], **more: Any) -> bytes:
    return json.dumps({"symbol": "EURUSD", "timeframe": "1h", "candles": candles, **more}).encode()


def refusal(answer: Callable[[Asked], Answer], asked: CandleRequest = HOURLY, patience: Patience = PATIENT) -> str:
    with serving(answer) as server, pytest.raises(DataError) as caught:
        HttpCandles(server.url, patience=patience).candles(asked)
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


class Shop:
    """The honest server: holds bars, hands out at most `most` of the range asked for, and says where to go on."""

    def __init__(self, held: list[Tree], most: int) -> None:
        self.held, self.most = held, most

    def __call__(self, asked: Asked) -> Answer:
        start, end = (asked.query.get(name) for name in ("from", "to"))
        wanted = [row for row in self.held if _in_range(row["timestamp"], start, end)]
        more = {"next": wanted[self.most]["timestamp"]} if len(wanted) > self.most else {"next": None}
        return Answer(body=page(wanted[: self.most], **more), headers={"Content-Type": "application/json"})


def _in_range(stamp: str, start: str | None, end: str | None) -> bool:
    moment = datetime.fromisoformat(stamp)
    return (start is None or moment >= datetime.fromisoformat(start)) and (end is None or moment < datetime.fromisoformat(end))


# What is right


@pytest.mark.parametrize("most", [1, 3, 1_000])
def test_pages_are_the_file_they_came_from(tmp_path: Path, most: int) -> None:
    path = parquet(tmp_path / "EURUSD_1h_x.parquet", bars(11))
    with serving(Shop(candle_rows(11), most)) as server:
        got = HttpCandles(server.url + "/", patience=PATIENT).candles(HOURLY)
    assert got.fingerprint == load_candles(path).fingerprint
    assert got.source == f"{server.url} EURUSD 1h"
    assert len(server.asked) == -(-11 // most)
    assert {asked.path for asked in server.asked} == {"/candles"}
    assert server.asked[0].query == {"symbol": "EURUSD", "timeframe": "1h"}


@settings(max_examples=15)
@given(st.integers(0, 19), st.integers(1, 20), st.integers(1, 8))
def test_a_range_is_asked_for_and_got(first: int, count: int, most: int) -> None:
    with serving(Shop(candle_rows(20), most)) as server:
        got = HttpCandles(server.url, patience=PATIENT).candles(CandleRequest("EURUSD", "1h", at(first), at(first + count)))
    expected = [int((FIRST + timedelta(hours=hour)).timestamp()) * 1_000_000 for hour in range(first, min(20, first + count))]
    assert got.timestamp.tolist() == expected
    assert server.asked[0].query["from"] == at(first).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize("most", [3, 1_000])
def test_a_bar_that_is_not_over_yet_is_left_out(most: int) -> None:
    hour = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=30)
    held = candle_rows(6)
    for number, row in enumerate(held):
        row["timestamp"] = (hour + timedelta(hours=number - 4)).isoformat()  # the fifth is open, the sixth is to come
    with serving(Shop(held, most)) as server:
        got = HttpCandles(server.url, patience=PATIENT).candles(HOURLY)
        assert len(got) == 4
        assert got.fingerprint == HttpCandles(server.url, patience=PATIENT).candles(CandleRequest("EURUSD", "1h", end=hour)).fingerprint
    assert "none of its bars is over yet" in refusal(Shop(held[4:], most))


def test_texts_milliseconds_both_sides_and_gzip_are_understood() -> None:
    rows = candle_rows()
    for row in rows:
        row |= {f"ask_{name}": f"{row[name] + 0.0001:.5f}" for name in ("open", "high", "low", "close")}
        row["timestamp"] = int(datetime.fromisoformat(row["timestamp"]).timestamp()) * 1_000
        row["volume"] = 7
    body = gzip.compress(page(rows))
    with serving(lambda _: Answer(body=body, headers={"Content-Encoding": "gzip"})) as server:
        got = HttpCandles(server.url, patience=PATIENT).candles(HOURLY)
    assert got.ask is not None
    assert got.volume is not None
    assert (got.ask.close - got.prices.close).tolist() == [10] * 5
    assert got.volume.tolist() == [7.0] * 5
    assert got.timestamp[0] == int(FIRST.timestamp()) * 1_000_000


def test_it_tells_what_it_holds() -> None:
    listed = {"symbol": "EURUSD", "timeframe": "1h", "side": "mid", "rows": 3, "first": "2024-01-02T17:00:00Z", "last": 1_704_222_000_000}
    with serving(lambda _: Answer(body=json.dumps({"datasets": [listed]}).encode())) as server:
        (found,) = HttpCandles(server.url, patience=PATIENT).datasets()
    assert (found.side, found.has_ask, found.rows) == ("mid", False, 3)
    assert (found.first, found.last) == (FIRST, FIRST + timedelta(hours=2))


@pytest.mark.parametrize("wrong", ["{}", '{"datasets": [{}]}', '{"datasets": [{"symbol": "EURUSD", "timeframe": "1h", "rows": "many"}]}'])
def test_a_list_that_says_too_little_is_refused(wrong: str) -> None:
    with serving(lambda _: Answer(body=wrong.encode())) as server, pytest.raises(DataError, match="dataset"):
        HttpCandles(server.url, patience=PATIENT).datasets()


# What passes


@pytest.mark.parametrize(
    "fault",
    [
        Answer(503),
        Answer(429, headers={"Retry-After": "0"}),
        Answer(429, headers={"Retry-After": format_datetime(datetime(2020, 1, 1, tzinfo=UTC))}),
        Answer(502, headers={"Retry-After": "soon"}),
        Answer(502, headers={"Retry-After": "Mon, 01 Jan 2024 00:00:00 +99999999999999"}),
        Answer(body=page(candle_rows()), cut=40),
        Answer(body=page(candle_rows()), hangs=0.6),
        Answer(body=b"no gzip at all", headers={"Content-Encoding": "gzip"}),
    ],
)
def test_what_passes_is_asked_again(fault: Answer) -> None:
    answers = iter([fault, fault, Answer(body=page(candle_rows()))])
    with serving(lambda _: next(answers)) as server:
        assert len(HttpCandles(server.url, patience=QUICK if fault.hangs else PATIENT).candles(HOURLY)) == 5
    assert len(server.asked) == 3


def test_waiting_doubles_and_a_wish_of_the_server_is_kept() -> None:
    waits: list[float] = []
    answers = iter([Answer(503), Answer(503), Answer(429, headers={"Retry-After": "7"}), Answer(body=b"there")])
    with serving(lambda _: next(answers)) as server, HttpFetcher(Patience(tries=4), waits.append) as fetcher:
        assert fetcher.get(server.url).content == b"there"
    assert waits == [0.001, 0.002, 7.0]


def test_requests_keep_their_distance() -> None:
    waits: list[float] = []
    with serving(lambda _: Answer()) as server, HttpFetcher(Patience(pause=5), waits.append) as fetcher:
        for _ in range(3):
            fetcher.get(server.url)
    assert [round(wait) for wait in waits] == [5, 5]


# What does not


def test_a_server_that_never_recovers_is_given_up_with_what_it_said() -> None:
    assert "no answer after 3 tries (the server answered 503): check the connection and try again later" in refusal(lambda _: Answer(503))
    later = Answer(429, headers={"Retry-After": "86400"})
    assert "asks to come back in 86400 s: try again then" in refusal(lambda _: later)
    assert "after 3 tries (RemoteProtocolError" in refusal(lambda _: Answer(body=page(candle_rows()), cut=40))
    with pytest.raises(DataError, match="no answer after 2 tries \\(ConnectError"):
        HttpCandles(f"http://127.0.0.1:{closed_port()}", patience=Patience(tries=2)).candles(HOURLY)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(404), "answered 404: it does not have this, check the address, symbol and range"),
        (Answer(401), "answered 401: it wants other credentials"),
        (Answer(body=b"<html>"), "its answer is not JSON"),
        (Answer(body=page(candle_rows())[:-30]), "its answer is not JSON"),
        (Answer(body=gzip.compress(page(candle_rows()))[:-40], headers={"Content-Encoding": "gzip"}), "its answer is not JSON"),
        (Answer(body=b"[" * 100_000), "its answer is not JSON"),
        (Answer(body=b"[]"), "its answer is not a JSON object"),
        (Answer(body=b'{"symbol": "EURUSD", "timeframe": "1h"}'), "no list 'candles' of objects"),
        (Answer(body=page(candle_rows()).replace(b"1.1001", b"NaN")), "NaN is not a number"),
        (Answer(body=page(candle_rows(), symbol="GBPUSD")), "its symbol is 'GBPUSD', asked was EURUSD"),
        (Answer(body=page(candle_rows(), timeframe="1m")), "its timeframe is '1m', asked was 1h"),
        (Answer(body=page(candle_rows(), side="best")), "its side is 'best'"),
        (Answer(body=page(candle_rows(), next="tomorrow")), "'tomorrow' is not a time"),
        (Answer(body=page(candle_rows(), next="2024-01-02T17:00:00Z")), "does not come after this one"),
        (Answer(body=page(candle_rows(), next="2024-01-02T21:00:00Z")), "does not come after this one"),
        (Answer(body=page([])), "the server has no bar in this range"),
        (Answer(body=page(candle_rows()[::-1])), "row 2 (2024-01-02T20:00:00Z): it comes after 2024-01-02T21:00:00Z: sort the rows"),
        (Answer(body=page(candle_rows(3) + candle_rows(1, 2))), "row 4 (2024-01-02T19:00:00Z): it repeats the timestamp"),
        (Answer(body=page([*candle_rows(2), {"timestamp": "2024-01-02T19:00:00Z"}])), "row 3 (2024-01-02T19:00:00Z): open is missing"),
        (Answer(body=page([row | {"open": True} for row in candle_rows()])), "open True is not a number"),
        (Answer(body=page([row | {"open": 10**400} for row in candle_rows()])), "row 1: open"),
        (Answer(body=page([row | {"high": 1.0} for row in candle_rows()])), "high 1.0 is below"),
        (Answer(body=page([row | {"open": 1.100001} for row in candle_rows()])), "is not a multiple of the tick"),
        (Answer(body=page([row | {"timestamp": None} for row in candle_rows()])), "timestamp None is not a time"),
        (Answer(body=page([row | {"timestamp": "2024-01-02 17:00"} for row in candle_rows()])), "has no time zone"),
    ],
)
def test_what_cannot_be_believed_is_refused(answer: Answer, said: str) -> None:
    assert said in refusal(lambda _: answer)


def test_bars_outside_the_range_pages_that_repeat_and_pages_of_another_kind_are_refused() -> None:
    asked = CandleRequest("EURUSD", "1h", at(1), at(3))
    assert "it sent the bar of 2024-01-02T17:00:00Z, which lies outside the range" in refusal(
        lambda _: Answer(body=page(candle_rows())), asked
    )
    second = Answer(body=page(candle_rows(2, 1)))

    def repeats(asked: Asked) -> Answer:
        return second if "from" in asked.query else Answer(body=page(candle_rows(3), next="2024-01-02T19:30:00Z"))

    assert "lies outside the range" in refusal(repeats)

    def changes(asked: Asked) -> Answer:
        return Answer(
            body=page(candle_rows(2, 2), side="mid")
            if "from" in asked.query
            else page(candle_rows(2), next=candle_rows(1, 2)[0]["timestamp"])
        )

    assert "its pages have different sides or columns" in refusal(changes)


def test_prices_that_the_first_bar_lacks_are_not_left_out_in_silence() -> None:
    rows = candle_rows()
    for row in rows[1:]:
        row |= {f"ask_{name}": row[name] + 0.0001 for name in ("open", "high", "low", "close")}
    said = refusal(lambda _: Answer(body=page(rows)))
    assert "row 2: it has ask_open, ask_high, ask_low, ask_close, which the first bar has not" in said
    assert "row 4: it has volume" in refusal(lambda _: Answer(body=page([*candle_rows(3), candle_rows(4)[3] | {"volume": 3}])))
    with serving(lambda _: Answer(body=page([*candle_rows(3), candle_rows(4)[3] | {"complete": True}]))) as server:
        assert len(HttpCandles(server.url, patience=PATIENT).candles(HOURLY)) == 4


def test_an_answer_without_end_is_cut_off() -> None:
    bomb = Answer(body=gzip.compress(bytes(4 * 1024**2)), headers={"Content-Encoding": "gzip"})
    assert "its answer is larger than 1 MiB: ask for a shorter range" in refusal(lambda _: bomb, patience=Patience(most=1024**2))


def test_a_password_in_the_address_is_used_and_not_shown() -> None:
    with serving(lambda asked: Answer(500 if "authorization" in asked.headers else 403)) as server, pytest.raises(DataError) as caught:
        HttpCandles(server.url.replace("//", "//me:secret@"), patience=PATIENT).candles(HOURLY)
    assert "secret" not in str(caught.value)
    assert "answered 500" in str(caught.value)


@pytest.mark.parametrize(
    ("address", "said"), [("ftp://host", "with http:// or https://"), ("http://host:port", "an address that can be asked")]
)
def test_an_address_that_is_none_is_refused(address: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        HttpCandles(address, patience=PATIENT).candles(HOURLY)


def test_the_server_is_the_one_the_settings_name(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="WS_MARKET_DATA_URL is not set"):
        open_http(load_settings())
    with serving(Shop(candle_rows(), 5)) as server:
        monkeypatch.setenv("WS_MARKET_DATA_URL", f" {server.url}/\n")
        assert len(open_http(load_settings()).candles(HOURLY)) == 5
        for more in ("?token=geheim", "#part"):
            monkeypatch.setenv("WS_MARKET_DATA_URL", f"{server.url}{more}")
            with pytest.raises(DataError, match=r"has a \? or #, .*: give the address without$"):
                open_http(load_settings())
            assert "geheim" not in repr(load_settings())


def test_the_guides_example_is_read_as_it_says() -> None:
    (example,) = fences(GUIDE, "json")
    second = page([row | {"volume": 5} for row in candle_rows(1, 2)])
    with serving(lambda asked: Answer(body=second if "from" in asked.query else example.encode())) as server:
        got = HttpCandles(server.url, patience=PATIENT).candles(HOURLY)
    assert got.prices.open.tolist() == [110_000, 110_010, 110_020]


def test_unknown_symbols_and_naive_times_are_refused_before_anything_is_asked() -> None:
    def none(asked: Asked) -> Answer:
        raise AssertionError(asked)

    assert "'XXXYYY' is not a known symbol" in refusal(none, CandleRequest("XXXYYY", "1h"))
    naive = datetime(2024, 1, 1)  # noqa: DTZ001  # that is the point
    assert "has no time zone" in refusal(none, CandleRequest("EURUSD", "1h", naive))


def test_a_page_of_thousands_comes_out_as_it_went_in() -> None:
    rows = candle_rows(3_000)
    with serving(Shop(rows, 1_000)) as server:
        got = HttpCandles(server.url, patience=PATIENT).candles(HOURLY)
    assert np.array_equal(got.prices.close, [round(row["close"] * 100_000) for row in rows])
    assert isinstance(server, Server)
