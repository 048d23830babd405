"""Dukascopy's files from a server on this machine that speaks their format, with the faults of real ones."""

import lzma
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from sptrader_desktop import cli, compose_data
from sptrader_desktop.adapters import http_fetch
from sptrader_desktop.adapters.candle_files import load_candles
from sptrader_desktop.adapters.dukascopy_history import DukascopyHistory
from sptrader_desktop.adapters.http_fetch import HttpFetcher, Patience
from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.errors import Cancelled, DataError
from sptrader_desktop.core.resample import resample
from sptrader_desktop.ports import CandleRequest
from sptrader_desktop.runtime.download import DownloadProgress
from tests.downloads import Got, downloaded
from tests.http_servers import Answer, Asked, Server, serving

QUICK = Patience(timeout=0.5, tries=3)
PATIENT = Patience(tries=3)  # who has no time for us on a busy machine is not away
FRIDAY, MONDAY = datetime(2014, 5, 2, tzinfo=UTC), datetime(2014, 5, 5, tzinfo=UTC)
NAMES = ("open", "high", "low", "close")


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_fetch, "_FIRST_WAIT", 0.001)
    monkeypatch.setattr(compose_data, "BETWEEN_REQUESTS", 0.0)


# The vendor's side, written from the description of its format and not from our reader


def minute_of(at: datetime) -> tuple[int, int, int, int]:
    """Open, high, low, close of the bid in points: a wave over the week."""
    number = int(at.timestamp()) // 60
    opens = 138_000 + number * 37 % 211
    closes = 138_000 + (number + 1) * 37 % 211
    return opens, max(opens, closes) + number % 7, min(opens, closes) - number % 5, closes


def is_open(at: datetime) -> bool:
    """In May New York closes at 21:00 UTC."""
    return not ((at.weekday() == 4 and at.hour >= 21) or at.weekday() == 5 or (at.weekday() == 6 and at.hour < 21))


def records(kind: str, rows: Sequence[tuple[float, ...]]) -> bytes:
    return np.array(rows, np.dtype([(f"f{at}", f">{letter}") for at, letter in enumerate(kind.split())])).tobytes()


def record(kind: str, *numbers: float) -> bytes:
    return records(kind, [numbers])


@cache
def candle_file(begin: datetime, end: datetime, step: timedelta, shift: int) -> bytes:
    bars: list[tuple[float, ...]] = []
    at = begin
    last = 138_000
    while at < end:
        if is_open(at):
            inside = [minute_of(at + timedelta(minutes=more)) for more in range(int(step.total_seconds()) // 60)]
            opens, highs, lows, closes = inside[0][0], max(m[1] for m in inside), min(m[2] for m in inside), inside[-1][3]
            volume, last = 1.5, closes
        else:
            opens = highs = lows = closes = last
            volume = 0.0
        prices = (price + shift for price in (opens, closes, lows, highs))
        bars.append((int((at - begin).total_seconds()), *prices, volume))
        at += step
    return lzma.compress(records("u4 u4 u4 u4 u4 f4", bars), lzma.FORMAT_ALONE)


@cache
def tick_file(begin: datetime) -> bytes:
    if not is_open(begin):
        return b""
    base = 138_000 + begin.hour * 10
    moments = [(ms, base + ms // 1_000 % 13) for ms in range(0, 3_600_000, 1_700)]
    return lzma.compress(records("u4 u4 u4 f4 f4", [(ms, bid + 2, bid, 1.0, 0.75) for ms, bid in moments]), lzma.FORMAT_ALONE)


def vendor(asked: Asked) -> Answer:
    symbol, year, month, *rest = asked.path.strip("/").split("/")
    assert symbol in {"EURUSD", "USDJPY"}
    shift = 2 if "ASK" in rest[-1] else 0
    first = datetime(int(year), int(month) + 1, 1, tzinfo=UTC)
    if rest[-1].endswith("_candles_hour_1.bi5"):
        after = (first + timedelta(days=32)).replace(day=1)
        return Answer(body=candle_file(first, after, timedelta(hours=1), shift))
    day = first.replace(day=int(rest[0]))
    if rest[-1].endswith("_candles_min_1.bi5"):
        return Answer(body=candle_file(day, day + timedelta(days=1), timedelta(minutes=1), shift))
    content = tick_file(day.replace(hour=int(rest[1][:2])))
    return Answer(body=content) if content else Answer(404)


# Ours


def asking(timeframe: str, start: datetime = FRIDAY, end: datetime = MONDAY, symbol: str = "EURUSD") -> CandleRequest:
    return CandleRequest(symbol, timeframe, start, end)


def fetched(
    server: Server,
    folder: Path,
    asked: CandleRequest,
    report: Callable[[DownloadProgress], None] | None = None,
    patience: Patience = PATIENT,
) -> Got:
    with HttpFetcher(patience) as fetcher:
        return downloaded(DukascopyHistory(fetcher, address=server.url), asked, folder, report)


def expected_minutes(start: datetime, end: datetime) -> list[tuple[int, ...]]:
    moments = [start + timedelta(minutes=n) for n in range(int((end - start).total_seconds()) // 60)]
    return [(int(at.timestamp()) * 1_000_000, *minute_of(at)) for at in moments if is_open(at)]


def rows(candles: Candles) -> list[tuple[int, ...]]:
    return [tuple(row) for row in np.column_stack([candles.timestamp, *(getattr(candles.prices, name) for name in NAMES)]).tolist()]


def same(first: Candles, second: Candles) -> bool:
    return rows(first) == rows(second) and (first.ask is None) == (second.ask is None)


def test_minutes_come_with_bid_and_ask_and_without_the_closed_hours(tmp_path: Path) -> None:
    with serving(vendor) as server:
        got = fetched(server, tmp_path, asking("1m"))
    assert rows(got.candles) == expected_minutes(FRIDAY, MONDAY)
    assert got.candles.ask is not None
    assert all((getattr(got.candles.ask, name) - getattr(got.candles.prices, name) == 2).all() for name in NAMES)
    assert {asked.path for asked in server.asked} == {
        f"/EURUSD/2014/04/{day}/{side}_candles_min_1.bi5" for day in ("02", "04") for side in ("BID", "ASK")
    }
    assert (got.pieces, got.fetched, got.empty) == (4, 4, 0)


def test_hours_and_days_come_from_the_files_of_months(tmp_path: Path) -> None:
    start, end = datetime(2014, 4, 27, tzinfo=UTC), datetime(2014, 5, 18, tzinfo=UTC)
    with serving(vendor) as server:
        hours = fetched(server, tmp_path, asking("1h", start, end)).candles
        days = fetched(server, tmp_path, asking("1d", start, end)).candles
        weeks = fetched(server, tmp_path, asking("1w", start, end)).candles
    assert [asked.path.split("/", 2)[2] for asked in server.asked] == [
        f"2014/{month}/{side}_candles_hour_1.bi5" for month in ("03", "04") for side in ("BID", "ASK")
    ]
    assert len(hours) == 3 * 5 * 24
    assert same(days, resample(hours, "1d"))
    assert [str(np.datetime64(int(at), "us")) for at in weeks.timestamp] == [
        f"2014-{day}T21:00:00.000000" for day in ("04-27", "05-04", "05-11")
    ]


@pytest.mark.parametrize("timeframe", ["4h", "1d", "1w"])
def test_months_fetched_one_by_one_are_the_months_fetched_together(tmp_path: Path, timeframe: str) -> None:
    """Also the bar that begins in one and ends in the next."""
    april, may, june = (datetime(2014, month, 1, tzinfo=UTC) for month in (4, 5, 6))
    with serving(vendor) as server:
        one, other = (fetched(server, tmp_path, asking(timeframe, *span)).candles for span in ((april, may), (may, june)))
        both = fetched(server, tmp_path, asking(timeframe, april, june)).candles
    assert rows(one) + rows(other) == rows(both)
    asked_for = {asked.path.split("/")[3] for asked in server.asked}
    assert asked_for == ({"03", "04"} if timeframe == "4h" else {"03", "04", "05"})


def test_seconds_are_made_of_ticks_hour_by_hour(tmp_path: Path) -> None:
    end = datetime(2014, 5, 4, 23, tzinfo=UTC)
    with serving(vendor) as server:
        got = fetched(server, tmp_path, asking("10s", FRIDAY + timedelta(hours=19), end))
        again = fetched(server, tmp_path, asking("10s", FRIDAY + timedelta(hours=20), end))
    hours = [asked.path.removeprefix("/EURUSD/2014/04/") for asked in server.asked]
    assert hours == ["02/19h_ticks.bi5", "02/20h_ticks.bi5", "04/21h_ticks.bi5", "04/22h_ticks.bi5"]
    assert len(got.candles) == 4 * 360
    assert got.candles.volume is not None
    assert got.candles.volume.sum() == 4 * 2_118
    first = [bid for ms, bid in ((ms, 138_190 + ms // 1_000 % 13) for ms in range(0, 10_000, 1_700))]
    assert rows(got.candles)[0][1:] == (first[0], max(first), min(first), first[-1])
    assert rows(again.candles) == rows(got.candles)[360:]


def test_a_timeframe_that_cannot_be_made_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    with serving(vendor) as server, pytest.raises(DataError, match="cannot be resampled to 7h"):
        fetched(server, tmp_path, asking("7h"))
    assert server.asked == []


def test_yen_pairs_have_fewer_points(tmp_path: Path) -> None:
    with serving(vendor) as server:
        got = fetched(server, tmp_path, asking("1h", symbol="USDJPY")).candles
        assert 137_000 < got.prices.open[0] < 139_000
        assert got.instrument.ticks_per_one == 1_000
        with HttpFetcher(PATIENT) as fetcher, pytest.raises(DataError, match="how Dukascopy scales its prices is not known"):
            DukascopyHistory(fetcher).pieces(asking("1h", symbol="BTCUSD"))


# Stopping and going on


def test_what_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    with serving(vendor) as server:
        first = fetched(server, tmp_path, asking("1m"))
        asked = len(server.asked)
        second = fetched(server, tmp_path, asking("1m"))
        assert len(server.asked) == asked
        longer = fetched(server, tmp_path, asking("1m", end=MONDAY + timedelta(days=1)))
    assert second.candles.fingerprint == first.candles.fingerprint
    assert (second.fetched, longer.fetched, longer.pieces) == (0, 2, 6)


@pytest.mark.parametrize("stop_after", [1, 2, 3])
def test_stopped_anywhere_it_goes_on_from_there(tmp_path: Path, stop_after: int) -> None:
    def stop(at: DownloadProgress) -> None:
        if at.done == stop_after:
            raise Cancelled("enough")

    seen: list[DownloadProgress] = []
    with serving(vendor) as server:
        with pytest.raises(Cancelled):
            fetched(server, tmp_path, asking("1m"), stop)
        got = fetched(server, tmp_path, asking("1m"), seen.append)
    assert len(server.asked) == 4
    assert [(at.done, at.total) for at in seen] == [(done, 4 - stop_after) for done in range(1, 5 - stop_after)]
    assert seen[-1].fraction == 1
    assert seen[-1].bytes > 1_000
    assert rows(got.candles) == expected_minutes(FRIDAY, MONDAY)


def test_half_a_file_of_a_writer_that_died_does_not_count(tmp_path: Path) -> None:
    with serving(vendor) as server:
        fetched(server, tmp_path, asking("1m"))
        (piece,) = (tmp_path / "dukascopy").rglob("04/BID*.bi5")
        half = piece.read_bytes()[:200]
        piece.unlink()
        piece.with_name(f"{piece.name}.tmp").write_bytes(half)
        again = fetched(server, tmp_path, asking("1m"))
    assert again.fetched == 1
    assert rows(again.candles) == expected_minutes(FRIDAY, MONDAY)


def test_what_was_fetched_before_it_was_complete_is_fetched_again(tmp_path: Path) -> None:
    with serving(vendor) as server:
        fetched(server, tmp_path, asking("1m"))
        early = MONDAY.timestamp() + 3_600
        for piece in tmp_path.rglob("*.bi5"):
            os.utime(piece, (early, early))
        assert fetched(server, tmp_path, asking("1m")).fetched == 2


def test_the_bar_under_way_and_the_future_are_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = FRIDAY + timedelta(hours=10, seconds=30)
    monkeypatch.setattr(time, "time", now.timestamp)
    with serving(vendor) as server:
        got = fetched(server, tmp_path, asking("1m"))
    assert rows(got.candles) == expected_minutes(FRIDAY, FRIDAY + timedelta(hours=10))
    assert len(server.asked) == 2


# Faults


@pytest.mark.parametrize("fault", [Answer(503), Answer(429, headers={"Retry-After": "0"}), "cut", "hangs", "damaged", "short"])
def test_what_passes_is_asked_again_and_leaves_no_trace(tmp_path: Path, fault: Any) -> None:
    count = 0

    def ill(asked: Asked) -> Answer:
        nonlocal count
        count += 1
        whole = vendor(asked)
        match fault if count % 3 else "":
            case "cut":
                return Answer(body=whole.body, cut=100)
            case "hangs":
                return Answer(body=whole.body, hangs=0.7 if count == 1 else 0)
            case "damaged":
                return Answer(body=whole.body[:40] + bytes(20) + whole.body[60:])
            case "short":
                return Answer(body=lzma.compress(bytes(25), lzma.FORMAT_ALONE))
            case Answer() as answer:
                return answer
        return whole

    with serving(ill) as server:
        got = fetched(server, tmp_path, asking("1m"), patience=QUICK if fault == "hangs" else PATIENT)
    assert rows(got.candles) == expected_minutes(FRIDAY, MONDAY)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(503), "no answer after 3 tries"),
        (Answer(403), "answered 403"),
        (Answer(body=b"<html>blocked</html>"), "the file is damaged"),
        (Answer(body=lzma.compress(bytes(25), lzma.FORMAT_ALONE)), "cut short: 25 bytes are no whole number of records of 24"),
        (Answer(404), "there are no quotes in this range"),
        (Answer(body=lzma.compress(record("u4 u4 u4 u4 u4 f4", 90_000, 1, 1, 1, 1, 1.0), lzma.FORMAT_ALONE)), "its stamps leave its time"),
        (Answer(body=lzma.compress(record("u4 u4 u4 u4 u4 f4", 0, 5, 5, 6, 4, 1.0), lzma.FORMAT_ALONE)), "prices or times that cannot be"),
    ],
)
def test_what_does_not_pass_is_said_and_nothing_bad_is_kept(tmp_path: Path, answer: Answer, said: str) -> None:
    with serving(lambda _: answer) as server, pytest.raises(DataError) as caught:
        fetched(server, tmp_path, asking("1m"))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_ask_that_does_not_belong_to_its_bid_is_refused(tmp_path: Path) -> None:
    with serving(lambda asked: Answer(404) if "ASK" in asked.path else vendor(asked)) as server, pytest.raises(DataError) as caught:
        fetched(server, tmp_path, asking("1m"))
    assert "its bars are not those of EURUSD/2014/04/02/BID_candles_min_1.bi5" in str(caught.value)


def test_a_kept_file_that_was_damaged_on_disk_is_named(tmp_path: Path) -> None:
    with serving(vendor) as server:
        fetched(server, tmp_path, asking("1m"))
        (piece,) = (tmp_path / "dukascopy").rglob("04/ASK*.bi5")
        piece.write_bytes(piece.read_bytes()[:-50])
        with pytest.raises(DataError, match=r"04/ASK_candles_min_1\.bi5: the file is damaged"):
            fetched(server, tmp_path, asking("1m"))


# The command


def command(server: Server, *more: str) -> list[str]:
    return ["data", "download", "eurusd", "--from", "2014-05-02", "--to", "2014-05-05", "--address", server.url, *more]


def test_the_command_fills_the_catalogue_or_writes_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SPTRADER_DOWNLOADS", str(tmp_path / "downloads"))
    monkeypatch.setenv("SPTRADER_CANDLES", str(tmp_path / "candles"))
    with serving(vendor) as server:
        assert cli.run(command(server)) == 0
        assert cli.run(command(server)) == 0
        for piece in (tmp_path / "downloads").rglob("*.bi5"):
            piece.write_bytes(candle_file(datetime(2014, 5, 1, tzinfo=UTC), datetime(2014, 6, 1, tzinfo=UTC), timedelta(hours=1), 77))
        assert cli.run(command(server)) == 1
        assert cli.run(command(server, "--replace")) == 0
        assert cli.run(command(server, "--timeframe", "1m", "--out", str(tmp_path))) == 0
        assert cli.run(command(server, "--out", str(tmp_path / "mine.parquet"))) == 0
        assert cli.run(command(server, "--out", str(tmp_path / "mine.parquet"))) == 1
        assert cli.run(command(server, "--out", str(tmp_path / "mine.txt"))) == 1
    said = capsys.readouterr()
    assert "24 bid and ask bars of EURUSD 1h, 2014-05-02 00:00 to 2014-05-04 23:00 UTC" in said.out
    assert "2 files of dukascopy, 0 fetched now, 0 in which it has nothing" in said.out
    assert "--replace lets them take their place" in said.err
    assert "this file is there already" in said.err
    assert "end the name with .parquet" in said.err
    (written,) = tmp_path.glob("EURUSD_1m_*.parquet")
    assert rows(load_candles(written)) == expected_minutes(FRIDAY, MONDAY)
    assert any((tmp_path / "candles").rglob("*.parquet"))


def test_ticks_come_as_a_file_of_which_candles_can_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SPTRADER_DOWNLOADS", str(tmp_path / "downloads"))
    span = ["--from", "2014-05-02T19:30", "--to", "2014-05-04T22:00"]
    with serving(vendor) as server:
        asked = ["data", "download", "EURUSD", *span, "--timeframe", "tick", "--address", server.url]
        assert cli.run([*asked, "--out", str(tmp_path)]) == 0
        assert cli.run([*asked, "--out", str(tmp_path)]) == 1
        assert cli.run(asked) == 1
        assert cli.run([*asked, "--vendor", "histdata"]) == 1
        seconds = fetched(server, tmp_path / "downloads", asking("10s", FRIDAY + timedelta(hours=19.5), MONDAY - timedelta(hours=2)))
    said = capsys.readouterr()
    (ticks,) = tmp_path.glob("EURUSD_tick_2014-05-02_2014-05-04_dukascopy.parquet")
    assert f"{ticks}: {pq.read_metadata(ticks).num_rows:,} quotes of EURUSD" in said.out
    for sentence in ("this file is there already", "where the file goes with --out"):
        assert sentence in said.err
    assert cli.run(["data", "resample", str(ticks), "--timeframe", "10s", "--out", str(tmp_path)]) == 0
    (made,) = tmp_path.glob("EURUSD_10s_*.parquet")
    assert rows(load_candles(made)) == rows(seconds.candles)[:-1]
    assert not list(tmp_path.glob("*.tmp"))


@pytest.mark.parametrize(("sent", "after"), [(signal.SIGINT, 2), (signal.SIGKILL, 1), (signal.SIGKILL, 3)])
def test_however_it_is_stopped_what_is_done_is_kept(tmp_path: Path, sent: signal.Signals, after: int) -> None:
    answered, free = 0, False

    def dawdling(asked: Asked) -> Answer:
        nonlocal answered
        answered += 1
        return Answer(body=vendor(asked).body, hangs=0 if free or answered <= after else 20)

    environment = os.environ | {"SPTRADER_DOWNLOADS": str(tmp_path), "NO_PROXY": "127.0.0.1"}
    with serving(dawdling) as server:
        started = [sys.executable, "-m", "sptrader_desktop", *command(server, "--timeframe", "1m")]
        running = subprocess.Popen(started, env=environment, stderr=subprocess.PIPE, text=True)
        waited = time.monotonic() + 120
        while answered <= after and time.monotonic() < waited:
            time.sleep(0.01)
        running.send_signal(sent)
        _, said = running.communicate(timeout=60)
        assert len(list(tmp_path.rglob("*.bi5"))) == after
        free = True
        got = fetched(server, tmp_path, asking("1m"))
    assert running.returncode == (1 if sent == signal.SIGINT else -sent)
    assert (sent == signal.SIGINT) == ("what was fetched is kept, the same command goes on from there" in said)
    assert got.fetched == 4 - after
    assert rows(got.candles) == expected_minutes(FRIDAY, MONDAY)


def test_a_disk_that_fails_leaves_no_half_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path, target: Path) -> Path:
        raise OSError(f"no space left for {target}")

    with serving(vendor) as server:
        with monkeypatch.context() as failing:
            failing.setattr(Path, "replace", fail)
            with pytest.raises(OSError, match="no space left"):
                fetched(server, tmp_path, asking("1m"))
        assert not list(tmp_path.rglob("*.bi5"))
        assert fetched(server, tmp_path, asking("1m")).fetched == 4
