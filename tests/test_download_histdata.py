"""HistData's site as a server on this machine: a page with a token, a form that wants it back, zipped minutes on New York's clock."""

import io
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq
import pytest

from sptrader_desktop import cli, compose_data
from sptrader_desktop.adapters import http_fetch
from sptrader_desktop.adapters.candle_files import load_candles
from sptrader_desktop.adapters.histdata_history import HistdataHistory
from sptrader_desktop.adapters.http_fetch import HttpFetcher, Patience
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.ports import CandleRequest
from tests.downloads import Got, downloaded
from tests.http_servers import Answer, Asked, Server, serving

# What a minute of the ticks below is in halves: how late, first and last price above that of the minute, how many.
HALVES = ((0, 0, 7, 2), (30_000_000, 41, 41, 1))
NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2019, 3, 8, 12, tzinfo=UTC)
PAGE = "/download-free-forex-historical-data/"


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_fetch, "_FIRST_WAIT", 0.001)
    monkeypatch.setattr(compose_data, "BETWEEN_REQUESTS", 0.0)


# The site


def walls(first: date, after: date) -> list[datetime]:
    """The first and the last two hours of each week, by New York's clock."""
    found = []
    for number in range((after - first).days):
        day = datetime.combine(first + timedelta(days=number), datetime.min.time())
        begins = {6: 17, 4: 15}.get(day.weekday())
        if begins is not None:
            found += [day + timedelta(hours=begins, minutes=minute) for minute in range(120)]
    return found


def points(wall: datetime) -> int:
    return 120_000 + (wall.day * 37 + wall.hour * 11 + wall.minute) % 400


def archive(name: str, moments: list[datetime]) -> bytes:
    lines = []
    for wall in moments:
        middle, high, low = (f"{(points(wall) + more) / 1e5:.5f}" for more in (0, 5, -5))
        lines.append(f"{wall:%Y%m%d %H%M%S};{middle};{high};{low};{middle};0\n")
    return zipped({f"DAT_ASCII_{name}.csv": "".join(lines), f"DAT_ASCII_{name}.txt": "gaps"})


def zipped(files: dict[str, str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as made:
        for name, text in files.items():
            made.writestr(name, text)
    return content.getvalue()


def fields(period: str, frame: str = "M1") -> dict[str, str]:
    year, _, month = period.partition("/")
    told = {"tk": f"token-{period}", "date": year, "datemonth": year + month.zfill(2) if month else year}
    return told | {"platform": "ASCII", "timeframe": frame, "fxpair": "EURUSD"}


def form(period: str, frame: str = "M1") -> bytes:
    inputs = "".join(f'<input type="hidden" name="{name}" id="{name}" value="{value}"/>' for name, value in fields(period, frame).items())
    bait = '<form id="search"><input name="tk" value="bait"></form>'
    return f'<html>{bait}<form id="file_down" name="file_down">{inputs}</form></html>'.encode()


def tick_file(period: str, first: date | None = None, after: date | None = None) -> bytes:
    """Three quotes in each minute, by New York's clock."""
    year, month = map(int, period.split("/"))
    first = first or date(year, month, 1)
    lines = []
    for wall in walls(first, after or min((first + timedelta(days=32)).replace(day=1), NOW.date())):
        for second in (0, 7, 41):
            bid = points(wall) + second
            lines.append(f"{wall + timedelta(seconds=second):%Y%m%d %H%M%S}123,{bid / 1e5:.6f},{(bid + 9) / 1e5:.6f},0\n")
    return zipped({f"DAT_ASCII_EURUSD_T_{year}{month:02d}.csv": "".join(lines)})


def site(asked: Asked, year_file: Callable[[int], bytes] | None = None) -> Answer:
    if asked.method == "GET":
        assert asked.path == PAGE
        (query,) = asked.query
        *_, quotes, symbol, period = query.split("/", 4)
        assert symbol == "eurusd"
        frame = {"1-minute-bar-quotes": "M1", "tick-data-quotes": "T"}[quotes]
        return Answer(body=form(period, frame)) if int(period[:4]) >= 2017 else Answer(404)
    period = asked.form["tk"].removeprefix("token-")
    year, _, month = period.partition("/")
    assert asked.headers["referer"].endswith(f"/eurusd/{period}")
    assert asked.form == fields(period, asked.form["timeframe"])
    if asked.form["timeframe"] == "T":
        return Answer(body=tick_file(period))
    if year_file and not month:
        return Answer(body=year_file(int(year)))
    return Answer(body=period_file(period))


@cache
def period_file(period: str) -> bytes:
    year, _, month = period.partition("/")
    first = date(int(year), int(month or 1), 1)
    after = (first + timedelta(days=32)).replace(day=1) if month else date(int(year) + 1, 1, 1)
    return archive(f"EURUSD_M1_{period.replace('/', '')}", walls(first, min(after, NOW.date())))


def fetched(server: Server, folder: Path, start: datetime, end: datetime, timeframe: str = "1m") -> Got:
    with HttpFetcher(Patience(timeout=2, tries=3)) as fetcher:
        return downloaded(HistdataHistory(fetcher, address=server.url, now=NOW), CandleRequest("EURUSD", timeframe, start, end), folder)


def expected(start: datetime, end: datetime) -> list[tuple[int, int]]:
    moments = ((wall, wall.replace(tzinfo=NEW_YORK).astimezone(UTC)) for wall in walls(date(2017, 1, 1), NOW.date()))
    return [(int(at.timestamp()) * 1_000_000, points(wall)) for wall, at in moments if start <= at < end]


# Ours


def test_years_and_months_are_joined_on_the_clock_their_weekends_show(tmp_path: Path) -> None:
    start, end = datetime(2018, 2, 1, tzinfo=UTC), datetime(2019, 3, 4, tzinfo=UTC)
    with serving(site) as server:
        got = fetched(server, tmp_path, start, end)
        again = fetched(server, tmp_path, start, end)
    assert list(zip(got.candles.timestamp.tolist(), got.candles.prices.open.tolist(), strict=True)) == expected(start, end)
    assert (got.candles.side, got.candles.ask) == ("bid", None)
    posted = [asked.form["datemonth"] for asked in server.asked if asked.method == "POST"]
    assert posted == ["2018", "201901", "201902", "201903"]
    assert (got.pieces, got.fetched, again.fetched) == (4, 4, 0)
    assert again.candles.fingerprint == got.candles.fingerprint


@pytest.mark.parametrize("timeframe", ["1d", "4h", "1h"])
def test_the_last_bar_of_a_year_is_whole(tmp_path: Path, timeframe: str) -> None:
    """The market closes in the middle of the last four hours."""
    span = datetime(2017, 12, 1, tzinfo=UTC), datetime(2018, 1, 1, tzinfo=UTC)
    with serving(site) as server:
        alone = fetched(server, tmp_path, *span, timeframe).candles.timestamp.tolist()
        longer = fetched(server, tmp_path, span[0], datetime(2018, 3, 1, tzinfo=UTC), timeframe).candles.timestamp.tolist()
    assert alone == [at for at in longer if at < span[1].timestamp() * 1e6]


def test_the_first_days_of_a_month_are_on_the_clock_of_the_months_before(tmp_path: Path) -> None:
    start, end = datetime(2019, 1, 7, tzinfo=UTC), datetime(2019, 3, 2, tzinfo=UTC)

    def early(asked: Asked) -> Answer:
        march = archive("EURUSD_M1_201903", walls(date(2019, 3, 1), date(2019, 3, 2)))
        return Answer(body=march) if asked.form.get("datemonth") == "201903" else site(asked)

    with serving(early) as server:
        got = fetched(server, tmp_path, start, end)
    assert got.candles.timestamp.tolist() == [at for at, _ in expected(start, end)]


def test_a_range_at_the_turn_of_a_year_takes_both_files_and_longer_bars_are_made(tmp_path: Path) -> None:
    with serving(site) as server:
        got = fetched(server, tmp_path, datetime(2018, 1, 1, 2, tzinfo=UTC), datetime(2018, 2, 1, tzinfo=UTC), "1h")
    assert [asked.form["date"] for asked in server.asked if asked.method == "POST"] == ["2017", "2018"]
    assert {int(stamp) % 3_600_000_000 for stamp in got.candles.timestamp} == {0}
    assert len(got.candles) == 4 * 2 + 4 * 2


def test_real_minutes_of_2018_are_on_new_yorks_clock(reference: Path, tmp_path: Path) -> None:
    text = (reference / "data" / "raw_fixtures" / "histdata_EURUSD_M1_201803_2days.csv").read_text()
    with serving(lambda asked: site(asked, lambda _: zipped({"DAT_ASCII_EURUSD_M1_2018.csv": text}))) as server:
        got = fetched(server, tmp_path, datetime(2018, 3, 1, tzinfo=UTC), datetime(2018, 4, 1, tzinfo=UTC))
    first = datetime.strptime(text[:15], "%Y%m%d %H%M%S").replace(tzinfo=NEW_YORK)
    assert got.candles.timestamp[0] == int(first.timestamp()) * 1_000_000
    assert len(got.candles) == len(text.splitlines())


def test_a_year_that_fits_no_clock_is_refused_and_stays_at_hand(tmp_path: Path) -> None:
    def shifted(year: int) -> bytes:
        return archive("x", [wall + timedelta(hours=2 + 3 * (wall.month % 3)) for wall in walls(date(year, 1, 1), date(year + 1, 1, 1))])

    with serving(lambda asked: site(asked, shifted)) as server, pytest.raises(DataError) as caught:
        fetched(server, tmp_path, datetime(2018, 3, 1, tzinfo=UTC), datetime(2018, 4, 1, tzinfo=UTC))
    assert "histdata EURUSD/2018" in str(caught.value)
    assert "can be imported by itself" in str(caught.value)
    assert (tmp_path / "histdata" / "EURUSD" / "2018.zip").exists()


@pytest.mark.parametrize("fault", [Answer(503), "cut", "flipped", "apology", "empty"])
def test_what_passes_is_asked_again(tmp_path: Path, fault: Answer | str) -> None:
    count = 0

    def ill(asked: Asked) -> Answer:
        nonlocal count
        whole = site(asked)
        if asked.method == "GET":
            return whole
        count += 1
        if count > 2:
            return whole
        match fault:
            case "cut":
                return Answer(body=whole.body, cut=1_000)
            case "flipped":
                return Answer(body=whole.body[:500] + bytes([whole.body[500] ^ 4]) + whole.body[501:])
            case "apology":
                return Answer(body=b"<html>too many downloads</html>")
            case "empty":
                return Answer(body=zipped({"read.me": "sorry"}))
            case Answer() as answer:
                return answer
        raise AssertionError(fault)

    start, end = datetime(2018, 2, 1, tzinfo=UTC), datetime(2018, 3, 4, tzinfo=UTC)
    with serving(ill) as server:
        got = fetched(server, tmp_path, start, end)
    assert got.candles.timestamp.tolist() == [at for at, _ in expected(start, end)]
    assert count == 3


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (Answer(body=b"<html>who are you</html>"), "it has no form with a token"),
        (Answer(404), "it has nothing in this range"),
        (Answer(403), "answered 403"),
    ],
)
def test_a_page_without_its_form_is_no_empty_year(tmp_path: Path, page: Answer, said: str) -> None:
    with serving(lambda _: page) as server, pytest.raises(DataError, match=said):
        fetched(server, tmp_path, datetime(2018, 3, 1, tzinfo=UTC), datetime(2018, 4, 1, tzinfo=UTC))


def test_seconds_are_made_of_months_of_ticks_on_the_clock_that_each_shows(tmp_path: Path) -> None:
    start, end = datetime(2019, 2, 1, tzinfo=UTC), datetime(2019, 3, 5, tzinfo=UTC)
    with serving(site) as server:
        got = fetched(server, tmp_path, start, end, "30s")
        again = fetched(server, tmp_path, start, end, "30s")
    posted = [(asked.form["timeframe"], asked.form["datemonth"]) for asked in server.asked if asked.method == "POST"]
    assert posted == [("T", "201901"), ("T", "201902"), ("T", "201903")]
    assert (got.fetched, again.fetched) == (3, 0)
    halves = [(at + late, price + first, price + last, count) for at, price in expected(start, end) for late, first, last, count in HALVES]
    made = got.candles
    assert made.ask is not None
    assert made.volume is not None
    found = zip(made.timestamp.tolist(), made.prices.open.tolist(), made.prices.close.tolist(), made.volume.tolist(), strict=True)
    assert [*found] == halves
    assert (made.ask.low - made.prices.low).tolist() == [9] * len(halves)
    assert made.fingerprint == again.candles.fingerprint


def test_a_month_of_ticks_without_a_weekend_is_on_the_clock_of_the_month_before(tmp_path: Path) -> None:
    """In summer, when the clock that the vendor names and the one it mostly keeps are an hour apart."""
    friday = date(2018, 7, 6)

    def early(asked: Asked) -> Answer:
        is_july = asked.form.get("datemonth") == "201807"
        return Answer(body=tick_file("2018/7", friday, friday + timedelta(days=1))) if is_july else site(asked)

    with serving(early) as server:
        got = fetched(server, tmp_path, datetime(2018, 6, 10, tzinfo=UTC), datetime(2018, 7, 8, tzinfo=UTC), "30s")
        with pytest.raises(DataError, match="no weekend in this one settles it: say --zone"):
            fetched(server, tmp_path, datetime(2018, 7, 6, tzinfo=UTC), datetime(2018, 7, 8, tzinfo=UTC), "30s")
    opens = [datetime.combine(friday, datetime.min.time(), NEW_YORK) + timedelta(hours=15, seconds=30 * half) for half in range(240)]
    assert got.candles.timestamp.tolist()[-240:] == [int(at.timestamp()) * 1_000_000 for at in opens]


def test_ticks_come_as_a_file_of_which_candles_can_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPTRADER_DOWNLOADS", str(tmp_path / "downloads"))
    span = ["--from", "2018-03-01", "--to", "2018-04-10"]
    asked = ["data", "download", "EURUSD", "--vendor", "histdata", *span, "--timeframe", "tick", "--out", str(tmp_path)]
    with serving(site) as server:
        assert cli.run([*asked, "--address", server.url]) == 0
    (ticks,) = tmp_path.glob("EURUSD_tick_2018-03-01_2018-04-09_histdata.parquet")
    start, end = datetime(2018, 3, 1, tzinfo=UTC), datetime(2018, 4, 10, tzinfo=UTC)
    moments = expected(start, end)
    table = pq.read_table(ticks)
    assert table["timestamp"].cast("int64").to_pylist() == [at + late for at, _ in moments for late in (123_000, 7_123_000, 41_123_000)]
    assert table["bid"].to_pylist()[:3] == [(moments[0][1] + second) / 1e5 for second in (0, 7, 41)]
    assert cli.run(["data", "resample", str(ticks), "--timeframe", "1m", "--out", str(tmp_path)]) == 0
    (minutes,) = tmp_path.glob("EURUSD_1m_*.parquet")
    assert [at for at, _ in moments][:-1] == load_candles(minutes).timestamp.tolist()


def test_the_command_takes_it_as_a_vendor(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPTRADER_DOWNLOADS", str(tmp_path / "downloads"))
    asked = ["data", "download", "EURUSD", "--vendor", "histdata", "--from", "2018-03-01", "--to", "2018-04-01", "--timeframe", "1h"]
    with serving(site) as server:
        assert cli.run([*asked, "--out", str(tmp_path), "--address", server.url]) == 0
    assert "bid bars of EURUSD 1h" in capsys.readouterr().out
    assert [path.name for path in tmp_path.glob("*.parquet")] == ["EURUSD_1h_2018-03-02_2018-03-30_bid.parquet"]
