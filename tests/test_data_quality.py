"""What a backtest says about its candles: bars counted against an hour-by-hour calendar, trades against the bars they were held over."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sptrader_desktop.adapters.candle_files import load_candles
from sptrader_desktop.core.candles import Candles, Prices
from sptrader_desktop.core.instruments import CATALOGUE
from sptrader_desktop.core.records import TRADE
from sptrader_desktop.present import data_quality as module
from sptrader_desktop.present.bar_shapes import Mask
from sptrader_desktop.present.data_quality import DataQuality, data_quality, quality_line, suspicious_bars
from sptrader_desktop.present.market_hours import Closures, gaps, holidays, market_hours, week_ends
from sptrader_desktop.present.report import report
from sptrader_desktop.present.result_json import result_document
from tests.candle_builders import bars, parquet
from tests.command_line import STRATEGY, document, sptrader
from tests.data_defects import HOUR, PLANTERS, SECOND, clean_market
from tests.small_runs import small_run
from tests.test_data_doctor import SEEDS

NEW_YORK = ZoneInfo("America/New_York")
BARS = [60 * SECOND, 420 * SECOND, HOUR, 4 * HOUR, 24 * HOUR, 7 * 24 * HOUR]


def is_expected(middle_us: int) -> bool:
    """By the wall clock: open from Sunday to Friday 17:00 in New York, but for noon of the eves to 20:00 of Christmas and New Year."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=middle_us)
    wall = moment.astimezone(NEW_YORK)
    past = wall.hour >= 17
    in_week = wall.weekday() < 4 or (wall.weekday() == 4 and not past) or (wall.weekday() == 6 and past)
    is_eve = (wall.month, wall.day) in {(12, 24), (12, 31)} and wall.hour >= 12
    is_day = (wall.month, wall.day) in {(12, 25), (1, 1)} and wall.hour < 20
    return in_week and not is_eve and not is_day


@settings(max_examples=40)
@given(seed=SEEDS, bar=st.sampled_from(BARS))
def test_missing_bars_are_counted_as_an_hour_by_hour_calendar_counts_them(seed: int, bar: int) -> None:
    rng = np.random.default_rng(seed)
    first = int(datetime(2012, 1, 1, 22, tzinfo=UTC).timestamp()) * SECOND + int(rng.integers(0, 8 * 365 * 24)) * HOUR
    grid = first + bar * np.arange(3 + int(rng.integers(0, 400)))
    kept = np.sort(rng.choice(len(grid), int(rng.integers(2, len(grid) + 1)), replace=False))
    stamps = grid[kept]
    closed = week_ends(int(stamps[0]), int(stamps[-1])) | holidays(int(stamps[0]), int(stamps[-1]))
    found = gaps(stamps, bar, closed)
    opens = np.array([is_expected(stamp + bar // 2) for stamp in grid.tolist()])
    by_gap = {row: int(opens[kept[row] + 1 : kept[row + 1]].sum()) for row in range(len(kept) - 1)}
    assert dict(zip(found.row.tolist(), found.bars.tolist(), strict=True)) == {row: count for row, count in by_gap.items() if count}
    assert closed.hold(grid + bar // 2)[kept[0] : kept[-1]].tolist() == (~opens[kept[0] : kept[-1]]).tolist()


@pytest.mark.parametrize("days", [1, 7])
def test_each_missing_day_or_week_of_new_york_is_counted_whatever_clocks_do(days: int) -> None:
    opens = [datetime(2024, 1, 7, 17, tzinfo=NEW_YORK) + timedelta(days=day) for day in range(0, 340, days)]
    stamps = np.array([int(at.timestamp()) * SECOND for at in opens if at.weekday() not in (4, 5)])
    closed = week_ends(int(stamps[0]), int(stamps[-1]))
    assert len(gaps(stamps, days * 24 * HOUR, closed).bars) == 0
    for row in range(1, len(stamps) - 1):
        assert gaps(np.delete(stamps, row), days * 24 * HOUR, closed).bars.tolist() == [1], opens[row]


@pytest.mark.parametrize("eve", [datetime(2013, 12, 24, tzinfo=UTC), datetime(2013, 12, 31, tzinfo=UTC)])
def test_days_off_begin_and_end_to_the_hour(eve: datetime) -> None:
    first = int(eve.timestamp()) * SECOND
    hours = first + HOUR * np.arange(72)
    assert holidays(first, first + HOUR).hold(hours).tolist() == [17 <= hour < 49 for hour in range(72)]
    assert [not is_expected(stamp) for stamp in hours.tolist()] == [17 <= hour < 49 for hour in range(72)]


def test_a_long_history_of_one_second_bars_with_a_hole_of_centuries_is_counted_at_once() -> None:
    stamps = np.array([-2_000_000_000 * SECOND, 7_000_000_000 * SECOND])
    found = gaps(stamps, SECOND, week_ends(int(stamps[0]), int(stamps[1])))
    assert abs(found.bars[0] / 9e9 - 5 / 7) < 0.0001


def test_a_break_after_every_roll_is_a_habit_and_not_a_gap() -> None:
    stamps = clean_market(np.random.default_rng(3), HOUR, 12).stamps
    at_roll = np.array([datetime.fromtimestamp(stamp / SECOND, NEW_YORK).hour == 17 for stamp in stamps.tolist()])
    with_break = stamps[~at_roll]
    habit = market_hours(with_break, HOUR, every_day=False)
    assert habit.daily_break == HOUR
    assert len(gaps(with_break, HOUR, habit.closed).bars) == 0
    assert market_hours(stamps, HOUR, every_day=False).daily_break == 0
    assert market_hours(with_break[:200], HOUR, every_day=False).daily_break == 0  # too few days to tell a habit
    assert len(market_hours(stamps, HOUR, every_day=True).closed.start) == 0


def test_closures_that_touch_are_one() -> None:
    joined = Closures(np.array([0, 50]), np.array([10, 60])) | Closures(np.array([5, 70]), np.array([50, 80]))
    assert (joined.start.tolist(), joined.end.tolist()) == ([0, 70], [60, 80])


# Trades


def candles_of(market: Any) -> Candles:
    ticks = {name: np.rint(column * 1e5).astype(np.int64) for name, column in market.prices.items()}
    four = [Prices(*(ticks[side + name] for name in ("open", "high", "low", "close"))) for side in ("", "ask_") if side + "open" in ticks]
    ask = four[1] if len(four) > 1 else None
    return Candles(CATALOGUE["EURUSD"], market.stated, market.bar, market.stamps, four[0], ask=ask)


def quality(candles: Candles, spans: list[tuple[int, int]]) -> DataQuality:
    trades = np.zeros(len(spans), TRADE)
    trades["entry_bar"], trades["exit_bar"] = zip(*spans, strict=True) if spans else ((), ())
    result: Any = SimpleNamespace(outcome=SimpleNamespace(trades=trades), request=SimpleNamespace(traded=(candles,)))
    return data_quality(result)[0]


@pytest.mark.parametrize("kind", ["spike", "flat", "stale", "crossed", "weekend"])
@settings(max_examples=8)
@given(seed=SEEDS)
def test_trades_that_touched_a_bad_bar_are_named_and_no_others(kind: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    planted = PLANTERS[kind](rng)
    candles = candles_of(planted.market)
    ends = np.sort(rng.integers(0, len(candles), (30, 2)), axis=1)
    found = quality(candles, [(int(low), int(high)) for low, high in ends])
    bad = set(np.flatnonzero(suspicious_bars(candles)).tolist())
    if kind == "weekend":
        bad |= set(range(planted.first - 1, planted.first - 1 + planted.count))
    assert found.suspicious == len(bad) == planted.count
    assert min(bad) == planted.first - 1
    touching = {number + 1 for number, (low, high) in enumerate(ends.tolist()) if bad & set(range(low, high + 1))}
    assert set(found.trades) == touching


def test_a_trade_held_over_missing_bars_is_named_and_one_that_ends_before_them_is_not() -> None:
    market = clean_market(np.random.default_rng(5), HOUR, 8)
    market = market.taken(np.r_[0:50, 53 : len(market)])
    found = quality(candles_of(market), [(10, 49), (10, 50), (49, 50), (50, 60), (49, 49)])
    assert (found.missing_spans, found.longest_missing, found.trades) == (1, 3, (2, 3))
    assert found.expected - found.present == 3


@settings(max_examples=60)
@given(seed=SEEDS, bar=st.sampled_from(BARS[:4]), head=st.integers(0, 300), tail=st.integers(0, 300), odd=st.integers(0, 10**9))
def test_what_is_missing_before_the_first_bar_and_after_the_last_is_missing(seed: int, bar: int, head: int, tail: int, odd: int) -> None:
    """Counted slot by slot; a range that begins or ends inside a slot."""
    rng = np.random.default_rng(seed)
    first = int(datetime(2012, 1, 1, 22, tzinfo=UTC).timestamp()) * SECOND + int(rng.integers(0, 365 * 24)) * HOUR
    stamps = first + bar * np.arange(50)
    flat = np.full(50, 110_000)
    whole = Candles(CATALOGUE["EURUSD"], "1h", bar, stamps, Prices(flat, flat, flat, flat))
    start, end = first - head * bar - odd % bar, int(stamps[-1]) + tail * bar + odd % bar + 1
    slots = [first + bar * slot for slot in range(-head - 1, 50 + tail + 1)]
    expected = [stamp for stamp in slots if start <= stamp < end and is_expected(stamp + bar // 2)]
    found = quality(replace(whole, asked=(start, end)), [(0, 49)])
    assert found.expected == len(expected)
    assert found.present == len([stamp for stamp in expected if stamps[0] <= stamp <= stamps[-1]])
    assert found.trades == quality(whole, [(0, 49)]).trades
    assert quality(replace(whole, asked=(None, end)), []).expected <= found.expected


def test_of_minutes_only_silences_of_an_hour_are_told_of_trades() -> None:
    market = clean_market(np.random.default_rng(5), 60 * SECOND, 1)
    market = market.taken(np.r_[0:500, 501:1000, 1061 : len(market)])
    found = quality(candles_of(market), [(490, 510), (990, 1005)])
    assert (found.missing_spans, found.longest_missing, found.trades) == (2, 61, (2,))


def test_one_run_is_looked_at_once_and_another_again(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = []

    def look(candles: Candles) -> Mask:
        looked.append(candles)
        return suspicious_bars(candles)

    monkeypatch.setattr(module, "suspicious_bars", look)
    first, second = small_run(), small_run()
    told = [result_document(first, {})["data_quality"], report(first), result_document(second, {})["data_quality"], report(second)]
    assert told[:2] == told[2:]
    assert len(looked) == 2


def test_the_line_of_the_report_says_it_in_words() -> None:
    sound = DataQuality("EURUSD", 100, 100, 0, 0, 0, ())
    assert quality_line(sound) == "coverage 100.00 %, no suspicious bar"
    bad = replace(sound, expected=200, missing_spans=2, longest_missing=99, suspicious=1, trades=(4, 7))
    assert quality_line(bad) == "coverage 50.00 %, 2 spans missing, longest 99 bars, 1 suspicious bar, 2 trades touched"


def test_a_backtest_states_its_coverage_and_names_the_trades(tmp_path: Path) -> None:
    """The trade that is held over the hole is named in the result, and the report says so under its candles."""
    rows = 600
    columns = bars(rows)
    wave = 1.1 + np.round(0.01 * np.sin(np.arange(rows) / 12), 5)
    for name, by in (("open", 0.0), ("high", 0.001), ("low", -0.001), ("close", 0.0002)):
        columns[name] = [round(price + by, 5) for price in wave.tolist()]
    kept = [row for row in range(rows) if row not in range(300, 303) and is_expected(int(columns["timestamp"][row].timestamp() * 1e6))]
    path = parquet(tmp_path / "EURUSD_1h_holed.parquet", {name: [values[row] for row in kept] for name, values in columns.items()})
    read = document(STRATEGY, "--data", path)
    (told,) = read["data_quality"]
    hole = columns["timestamp"][300].isoformat().replace("+00:00", "Z")
    over = [trade["id"] for trade in read["completed_trades"] if trade["entry_time"] < hole <= trade["exit_time"]]
    assert len(over) == 1
    assert told == {
        "symbol": "EURUSD",
        "synthetic": False,
        "expected_bars": len(kept) + 3,
        "present_bars": len(kept),
        "coverage": len(kept) / (len(kept) + 3),
        "missing_spans": 1,
        "longest_missing_bars": 3,
        "suspicious_bars": 0,
        "trades": over,
    }
    asked = ("--from", "2024-01-01", "--to", "2024-03-01")
    (wide,) = document(STRATEGY, "--data", path, *asked)["data_quality"]
    opens = [datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=hour) for hour in range(60 * 24)]
    assert wide["expected_bars"] == sum(is_expected(int(at.timestamp() * 1e6) + HOUR // 2) for at in opens)
    assert wide["present_bars"] == told["present_bars"]
    said = sptrader("backtest", STRATEGY, "--data", path, "--no-store").out
    assert "1 span missing, longest 3 bars, no suspicious bar, 1 trade touched" in said


def test_real_candles_state_what_is_known_of_them(reference: Path) -> None:
    fxcm = load_candles(reference / "data" / "EURUSD_1h_2009-10-01_2018-07-05_fxcm_bid.parquet")
    found = quality(fxcm, [])
    assert (found.missing_spans, found.suspicious, found.trades) == (45, 686, ())
