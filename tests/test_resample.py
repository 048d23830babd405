"""Longer bars from shorter ones and from ticks: rebuilt against a vendor's own bars, pandas, a plain loop, and by what must hold of any."""

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sptrader_desktop.adapters.candle_files import load_candles
from sptrader_desktop.adapters.catalogue_candles import CandleCatalogue
from sptrader_desktop.adapters.parquet_writer import file_name, parquet_bytes
from sptrader_desktop.core.candles import Candles, Int64Array, Prices
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.instruments import CATALOGUE
from sptrader_desktop.core.resample import Ticks, bar_closes, candles_of_ticks, resample
from sptrader_desktop.core.timeframes import parse_timeframe
from sptrader_desktop.ports import CandleRequest
from tests.candle_builders import bars, parquet, refusal

EURUSD = CATALOGUE["EURUSD"]
NEW_YORK = ZoneInfo("America/New_York")
MINUTE_US, HOUR_US, DAY_US = 60_000_000, 3_600_000_000, 86_400_000_000
NAMES = ("open", "high", "low", "close")
Row = tuple[int, ...]


def micros(text: str) -> int:
    return (datetime.fromisoformat(text).replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def rows(candles: Candles) -> list[Row]:
    """Everything there is to know of each bar."""
    sides = [candles.prices, *([candles.ask] if candles.ask else [])]
    columns = [candles.timestamp, *(getattr(side, name) for side in sides for name in NAMES)]
    if candles.volume is not None:
        columns.append(candles.volume.astype(np.int64))
    return [tuple(row) for row in np.column_stack(columns).tolist()]


def assert_same(ours: Int64Array, theirs: Int64Array, what: str) -> None:
    assert np.array_equal(ours, theirs), what


def candles_at(opens: Int64Array, timeframe: str, seed: int = 1) -> Candles:
    """Bars of both sides and a volume, moving at random."""
    rng = np.random.default_rng(seed)
    closes = 110_000 + rng.integers(-30, 31, len(opens)).cumsum()
    starts = closes + rng.integers(-20, 21, len(opens))
    highs, lows = np.maximum(starts, closes) + rng.integers(0, 9, len(opens)), np.minimum(starts, closes) - rng.integers(0, 9, len(opens))
    ask = Prices(*(column + 7 for column in (starts, highs, lows, closes)))
    volume = rng.integers(0, 100, len(opens)).astype(np.float64)
    return Candles(EURUSD, timeframe, parse_timeframe(timeframe), opens, Prices(starts, highs, lows, closes), "bid", ask, volume)


# Against others


def test_ticks_rebuild_every_second_of_a_vendor(reference: Path) -> None:
    table = pq.read_table(reference / "data" / "EURUSD_tick_2014-05-01_2014-05-15_oanda.parquet")
    stamps = table["timestamp"].to_numpy().astype("M8[us]").astype(np.int64)
    bid, ask = (np.rint(table[side].to_numpy() * EURUSD.ticks_per_one).astype(np.int64) for side in ("bid", "ask"))
    made = candles_of_ticks(Ticks(EURUSD, stamps, bid, ask), "1s", unfinished=True)
    theirs = load_candles(reference / "data" / "EURUSD_1s_2014-05-01_2014-05-15_oanda_ba.parquet")
    assert made.volume is not None
    assert made.volume.sum() == len(stamps)
    assert len(made) == 208_472
    assert theirs.ask is not None
    assert made.ask is not None
    assert_same(made.timestamp, theirs.timestamp, "timestamp")
    one_sided = candles_of_ticks(Ticks(EURUSD, stamps, ask, side="ask"), "1s", unfinished=True)
    assert (one_sided.side, one_sided.ask) == ("ask", None)
    for name in NAMES:
        assert_same(getattr(made.prices, name), getattr(theirs.prices, name), name)
        assert_same(getattr(made.ask, name), getattr(theirs.ask, name), name)
        assert_same(getattr(one_sided.prices, name), getattr(theirs.ask, name), name)


def test_hours_of_two_years_of_minutes_are_those_of_pandas(reference: Path) -> None:
    minutes = load_candles(reference / "data" / "USDJPY_1m_2018-01-01_2019-12-31_histdata_bid.parquet")
    made = resample(minutes, "1h", unfinished=True)
    frame = pd.DataFrame({name: getattr(minutes.prices, name) for name in NAMES}, index=minutes.timestamp.view("M8[us]"))
    theirs = frame.resample("1h").agg({"open": "first", "high": "max", "low": "min", "close": "last"}).dropna().astype(np.int64)
    assert (made.timestamp == theirs.index.to_numpy().astype("M8[us]").view(np.int64)).all()
    for name in NAMES:
        assert (getattr(made.prices, name) == theirs[name].to_numpy()).all(), name


def plain_bar(inside: list[Row], at: int) -> Row:
    return inside[0][at], max(bar[at + 1] for bar in inside), min(bar[at + 2] for bar in inside), inside[-1][at + 3]


def plain_days(hourly: Candles, by_week: bool) -> list[Row]:
    """The rule once more, bar by bar: the New York date seven hours later, a week by its Monday."""
    days: defaultdict[date, list[Row]] = defaultdict(list)
    for row in rows(hourly):
        day = (datetime.fromtimestamp(row[0] / 1e6, NEW_YORK).replace(tzinfo=None) + timedelta(hours=7)).date()
        days[day - timedelta(days=day.weekday()) if by_week else day].append(row)
    made: list[Row] = []
    for day, inside in sorted(days.items()):
        opens = datetime(day.year, day.month, day.day, 17, tzinfo=NEW_YORK) - timedelta(days=1)
        stamp = int(opens.timestamp()) * 1_000_000
        made.append((stamp, *plain_bar(inside, 1), *plain_bar(inside, 5), sum(bar[9] for bar in inside)))
    return made


@given(st.integers(0, 30 * 365 * 24), st.lists(st.integers(1, 40), min_size=1, max_size=200), st.booleans())
def test_days_and_weeks_are_those_of_a_plain_loop_over_new_york_time(first: int, steps: list[int], by_week: bool) -> None:
    hourly = candles_at((first + np.cumsum(steps)) * HOUR_US, "1h", seed=first)
    assert rows(resample(hourly, "1w" if by_week else "1d", unfinished=True)) == plain_days(hourly, by_week)


# What holds of any


@given(
    st.lists(st.integers(1, 300), min_size=1, max_size=300),
    st.integers(0, 20_000_000),
    st.sampled_from([("5m", "1h"), ("15m", "4h"), ("1h", "1d"), ("5m", "1w"), ("1d", "1w"), ("1m", "30m")]),
)
def test_by_way_of_a_third_timeframe_comes_out_the_same(steps: list[int], first: int, way: tuple[str, str]) -> None:
    minutes = candles_at((first + np.cumsum(steps)) * MINUTE_US, "1m")
    middle, last = way
    through = resample(resample(minutes, middle, unfinished=True), last, unfinished=True)
    assert rows(through) == rows(resample(minutes, last, unfinished=True))
    assert rows(resample(minutes, "1m")) == rows(minutes)


@given(st.lists(st.integers(1, 90), min_size=2, max_size=200), st.data(), st.sampled_from(["5m", "1h", "4h", "1d", "1w"]))
def test_a_finished_bar_is_never_changed_by_what_comes_later(steps: list[int], data: st.DataObject, timeframe: str) -> None:
    minutes = candles_at(np.cumsum(steps) * MINUTE_US * 10 + micros("2024-03-06"), "1m")
    cut = data.draw(st.integers(1, len(minutes)))
    known = Candles(EURUSD, "1m", MINUTE_US, minutes.timestamp[:cut], Prices(*(getattr(minutes.prices, name)[:cut] for name in NAMES)))
    finished, later = rows(resample(known, timeframe)), rows(replace(resample(minutes, timeframe, unfinished=True), ask=None, volume=None))
    assert later[: len(finished)] == finished
    reached = int(known.timestamp[-1]) + MINUTE_US
    closes = bar_closes(np.array([row[0] for row in later], np.int64), timeframe)
    assert len(finished) == np.count_nonzero(closes <= reached)


@given(st.lists(st.tuples(st.integers(0, 3_000_000), st.integers(-5, 5)), min_size=1, max_size=100))
def test_quotes_make_bars_that_hold_each_of_them_once(moves: list[tuple[int, int]]) -> None:
    stamps, bids = (np.cumsum(column) for column in np.array(moves).T)
    bids += 100_000
    made = candles_of_ticks(Ticks(EURUSD, stamps, bids, bids + 3), "1s", unfinished=True)
    assert made.volume is not None
    assert made.ask is not None
    assert made.volume.sum() == len(moves)
    for row, opened in enumerate(made.timestamp):
        inside = bids[(stamps >= opened) & (stamps < opened + 1_000_000)].tolist()
        got = tuple(int(getattr(made.prices, name)[row]) for name in NAMES)
        assert got == (inside[0], max(inside), min(inside), inside[-1])
        assert tuple(int(getattr(made.ask, name)[row]) - 3 for name in NAMES) == got


# When a bar is over


@pytest.mark.parametrize(
    ("timeframe", "opened", "closed"),
    [
        ("4h", "2024-03-10T04:00", "2024-03-10T08:00"),
        ("1d", "2024-03-08T22:00", "2024-03-09T22:00"),  # Saturday's, in winter
        ("1d", "2024-03-09T22:00", "2024-03-10T21:00"),  # clocks go forward
        ("1d", "2024-11-02T21:00", "2024-11-03T22:00"),  # and back
        ("1w", "2024-03-03T22:00", "2024-03-10T21:00"),
        ("1w", "2024-10-27T21:00", "2024-11-03T22:00"),
        ("1w", "2024-06-02T21:00", "2024-06-09T21:00"),
        ("1d", "2024-03-10T00:00", "2024-03-11T00:00"),  # a vendor's days of UTC
        ("1d", "2024-03-30T22:00", "2024-03-31T22:00"),
    ],
)
def test_a_bar_is_over_when_its_days_are(timeframe: str, opened: str, closed: str) -> None:
    assert bar_closes(np.array([micros(opened)]), timeframe).tolist() == [micros(closed)]


def test_the_last_bar_is_left_out_until_its_time_is_over() -> None:
    minutes = candles_at(micros("2024-03-06T10:00") + np.arange(119) * MINUTE_US, "1m")
    assert resample(minutes, "1h").timestamp.tolist() == [micros("2024-03-06T10:00")]
    assert len(resample(minutes, "1h", unfinished=True)) == 2
    assert len(resample(minutes, "1h", until=micros("2024-03-06T12:00"))) == 2
    whole = candles_at(micros("2024-03-06T10:00") + np.arange(120) * MINUTE_US, "1m")
    assert len(resample(whole, "1h")) == 2
    quotes = Ticks(EURUSD, np.array([micros("2024-03-06T10:00:30"), micros("2024-03-06T10:01")]), np.array([1, 2]))
    assert len(candles_of_ticks(quotes, "1m")) == 1
    assert len(candles_of_ticks(quotes, "1m", until=micros("2024-03-06T10:02"))) == 2
    assert len(candles_of_ticks(Ticks(EURUSD, quotes.stamp[:0], quotes.price[:0]), "1d")) == 0


@pytest.mark.parametrize(
    ("stamps", "fine", "coarse", "said"),
    [
        ([micros("2024-01-02T20:00")], "4h", "1d", "the bar of 2024-01-02T20:00:00Z reaches over 2024-01-02T22:00:00Z"),
        ([micros("2024-01-02T09:59:30")], "1m", "1h", "reaches over 2024-01-02T10:00:00Z"),
        ([0], "1h", "5m", "1h candles of EURUSD cannot be made into 5m: give finer candles"),
        ([0], "1h", "7h", "cannot be resampled to 7h: choose a timeframe that divides a day, or 1d or 1w"),
        ([0], "1h", "2d", "choose a timeframe that divides a day"),
    ],
)
def test_what_does_not_fit_is_refused(stamps: list[int], fine: str, coarse: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        resample(candles_at(np.array(stamps), fine), coarse)


def test_quotes_out_of_order_or_of_a_doubtful_side_are_refused() -> None:
    two = np.array([2, 1])
    with pytest.raises(DataError, match="quote 2 is earlier than the one before it"):
        candles_of_ticks(Ticks(EURUSD, two, two), "1m")
    with pytest.raises(DataError, match="prices are bids, not ask"):
        candles_of_ticks(Ticks(EURUSD, two[::-1], two, two, side="ask"), "1m")


# As candle files


@pytest.mark.parametrize(("timeframe", "most"), [("1d", 260), ("1w", 105)])
def test_days_and_weeks_of_new_york_are_kept_and_read_like_any(tmp_path: Path, timeframe: str, most: int) -> None:
    every_hour = candles_at(micros("2023-01-01T22:00") + np.arange(2 * 365 * 24) * HOUR_US, "1h")
    made = resample(every_hour, timeframe)
    stamps = made.timestamp
    assert len(made) >= most - 3
    assert sorted(set(np.diff(stamps).tolist())) == [parse_timeframe(timeframe) + hours * HOUR_US for hours in (-1, 0, 1)]
    path = tmp_path / file_name(made)
    path.write_bytes(parquet_bytes(made))
    loaded, catalogue = load_candles(path), CandleCatalogue(tmp_path / "kept")
    assert rows(loaded) == rows(made)
    for _ in range(2):
        catalogue.keep(made)
    assert catalogue.candles(CandleRequest("EURUSD", timeframe)).fingerprint == loaded.fingerprint


def test_daily_bars_that_overlap_by_anything_else_are_refused(tmp_path: Path) -> None:
    made = bars(12)
    for hours in (22, 23.5):
        made["timestamp"] = [datetime(2024, 3, 1, tzinfo=UTC) + timedelta(days=day) for day in range(11)]
        made["timestamp"].append(made["timestamp"][-1] + timedelta(hours=hours))
        assert "it opens inside the 1d bar" in refusal(parquet(tmp_path / "EURUSD_1d.parquet", made))
