"""What components compute with: windows, long averages and trading days, each against the plain way to say the same."""

import inspect
import re
import statistics
from collections.abc import Callable
from datetime import UTC, datetime
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sptrader_desktop import sdk
from tests.command_line import ROOT
from tests.indicator_markets import candles, markets
from tests.indicator_oracles import trading_date

Answer = Callable[[list[int]], float]
VALUES = st.lists(st.integers(-50, 50), min_size=1, max_size=60)


def weighted(window: list[int]) -> float:
    return float(Fraction(sum(n * value for n, value in enumerate(window, 1)), sum(range(1, len(window) + 1))))


WINDOWS: dict[str, tuple[Callable[[pd.Series, int], pd.Series], Answer]] = {
    "window_sum": (sdk.window_sum, sum),
    "mean": (sdk.mean, lambda window: float(Fraction(sum(window), len(window)))),
    "highest": (sdk.highest, max),
    "lowest": (sdk.lowest, min),
    "bars_since_highest": (sdk.bars_since_highest, lambda window: window[::-1].index(max(window))),
    "bars_since_lowest": (sdk.bars_since_lowest, lambda window: window[::-1].index(min(window))),
    "weighted_average": (sdk.weighted_average, weighted),
}


@pytest.mark.parametrize("name", WINDOWS)
@settings(max_examples=40)
@given(values=VALUES, period=st.integers(1, 60))
def test_a_window_of_whole_numbers_says_exactly_what_its_bars_say(name: str, values: list[int], period: int) -> None:
    windowed, answer = WINDOWS[name]
    found = windowed(pd.Series(values), period).tolist()
    expected = [answer(values[bar - period + 1 : bar + 1]) if bar >= period - 1 else None for bar in range(len(values))]
    assert [None if np.isnan(value) else value for value in found] == expected


@settings(max_examples=60)
@given(values=VALUES, period=st.integers(2, 60), ddof=st.sampled_from([0, 1]))
def test_deviations_are_those_of_their_windows_and_zero_when_all_are_equal(values: list[int], period: int, ddof: int) -> None:
    found = sdk.deviation(pd.Series(values) / 7, period, ddof)
    for bar in range(period - 1, len(values)):
        window = values[bar - period + 1 : bar + 1]
        expected = (statistics.pstdev, statistics.stdev)[ddof](window) / 7
        assert found[bar] == (0.0 if len(set(window)) == 1 else pytest.approx(expected, rel=1e-12))
    assert found.iloc[: period - 1].isna().all()


@settings(max_examples=40)
@given(market=markets(200), period=st.integers(2, 70), cut=st.integers(1, 120))
def test_windows_have_the_same_bits_wherever_the_data_starts(market: pd.DataFrame, period: int, cut: int) -> None:
    def all_of(data: pd.DataFrame) -> pd.DataFrame:
        close, volume = data["close"], data["volume"]
        line = sdk.regression(close, period)
        return line.assign(
            total=sdk.window_sum(volume * close, period),
            deviation=sdk.deviation(close, period),
            correlation=sdk.correlation(close, volume, period),
            average=sdk.average(data, "close", period),
        )

    late, whole = all_of(market.iloc[cut:]), all_of(market).iloc[cut:]
    pd.testing.assert_frame_equal(late.iloc[period - 1 :], whole.iloc[period - 1 :], check_exact=True)
    assert late.iloc[: period - 1].isna().all(axis=None)


def test_a_hole_is_in_the_windows_that_hold_it_and_in_no_other() -> None:
    values = pd.Series([1.0, 2.0, np.nan, *range(4, 20)])
    for windowed in (sdk.window_sum, sdk.highest, sdk.deviation, sdk.weighted_average):
        assert windowed(values, 5).isna().to_numpy().nonzero()[0].tolist() == [0, 1, 2, 3, 4, 5, 6]


def test_a_wild_past_leaves_nothing_in_a_window() -> None:
    """Where a running sum would keep the rounding of 10**16."""
    values = pd.Series([1e16, -3e15, 7.7e15, *[0.1] * 10])
    assert sdk.window_sum(values, 4).iloc[-1] == 0.1 + 0.1 + (0.1 + 0.1)
    assert sdk.deviation(values, 4).iloc[-1] == 0.0
    assert values.cumsum().diff(4).iloc[-1] != 0.4


# Long averages


@settings(max_examples=40)
@given(values=st.lists(st.integers(1, 1000), min_size=1, max_size=80), period=st.integers(1, 20))
def test_long_averages_are_the_recursions_everybody_knows(values: list[int], period: int) -> None:
    """In fractions, so exactly; values that change on every bar, since a standing one is forgotten."""
    moving = [value * 2 + bar % 2 for bar, value in enumerate(values)]
    for average, weight in ((sdk.ema, Fraction(2, period + 1)), (sdk.wilder, Fraction(1, period))):
        found = average(pd.Series(moving, dtype=np.float64), period)
        assert found.iloc[: period - 1].isna().all()
        expected = Fraction(sum(moving[:period]), period)
        for bar in range(period - 1, len(moving)):
            expected = expected if bar == period - 1 else weight * moving[bar] + (1 - weight) * expected
            assert found[bar] == pytest.approx(float(expected), rel=1e-12)


def test_a_long_average_starts_anew_after_a_hole() -> None:
    part = pd.Series(np.arange(30.0) ** 2)
    values = pd.concat([part, pd.Series([np.nan] * 3), part, pd.Series([np.nan]), part.iloc[:4]], ignore_index=True)
    for average in (sdk.ema, sdk.above_ema, sdk.wilder):
        alone, found = average(part, 5), average(values, 5)
        pd.testing.assert_series_equal(found.iloc[:30], alone, check_exact=True)
        pd.testing.assert_series_equal(found.iloc[33:63].reset_index(drop=True), alone, check_exact=True)
        assert found.iloc[63:].isna().all()


def test_what_stood_still_for_ten_time_constants_is_forgotten() -> None:
    """A period of 9 weighs the last value a fifth: fifty bars."""
    values = pd.Series([1.0, 2.0] * 20 + [2.0] * 100)
    distance = sdk.above_ema(values, 9)
    assert distance.iloc[38 + 50] > 0.0
    assert (distance.iloc[39 + 50 :] == 0.0).all()
    assert (sdk.ema(values, 9).iloc[39 + 50 :] == 2.0).all()
    rises = sdk.wilder(values.diff().abs(), 5)
    assert rises.iloc[38 + 50] > 0.0
    assert (rises.iloc[39 + 50 :] == 0.0).all()


def test_a_distance_that_shrinks_keeps_its_digits() -> None:
    """A jump of one tick, then nothing: each bar the distance is (1 - 2 / 21) of the one before, to the last digits."""
    values = pd.Series([110_000.0] * 40 + [110_001.0] * 90)
    distance = sdk.above_ema(values, 20).to_numpy()[41:130]
    np.testing.assert_allclose(distance[1:] / distance[:-1], 19 / 21, rtol=1e-14)
    plain = (values - values.ewm(span=20, adjust=False).mean()).to_numpy()[41:130]
    assert not np.allclose(plain[1:] / plain[:-1], 19 / 21, rtol=1e-12, atol=0.0)


# Candles


def test_a_share_of_nothing_is_no_value_and_never_infinite() -> None:
    found = sdk.ratio(pd.Series([1.0, 1.0, 0.0, -1.0, np.nan]), pd.Series([2.0, 0.0, 0.0, 0.0, 1.0]))
    np.testing.assert_equal(found.to_numpy(), [0.5, np.nan, np.nan, np.nan, np.nan])


@pytest.mark.parametrize("first", ["2024-03-06T05:00", "2024-10-30T05:00", "2023-12-27T05:00"])
def test_trading_days_begin_at_five_in_the_afternoon_in_new_york_all_year(first: str) -> None:
    data = candles([("walk", 300)], seed=1, first=first)
    found = sdk.trading_day(data)
    assert [day.date() for day in found] == [trading_date(stamp.to_pydatetime()) for stamp in data.index]
    assert {day.weekday() for day in found} <= set(range(5))


def stray(symbol: str) -> pd.Series:
    index = pd.DatetimeIndex([datetime(2024, 1, day, 12, tzinfo=UTC) for day in (5, 6, 7, 8)])
    data = pd.DataFrame({"close": 1.0}, index=index)
    data.attrs = {"symbol": symbol, "timeframe": "4h", "ticks_per_one": 100}
    return sdk.trading_day(data)


def test_the_weekend_is_mondays_unless_the_symbol_trades_through_it() -> None:
    assert [day.day for day in stray("EURUSD")] == [5, 8, 8, 8]
    assert [day.day for day in stray("BTCUSD")] == [5, 6, 7, 8]


@pytest.mark.parametrize(
    ("symbol", "timeframe", "expected"),
    [("EURUSD", "1h", 252 * 24), ("EURUSD", "15m", 252 * 96), ("XAUUSD", "1d", 252), ("BTCUSD", "4h", 365 * 6), ("EURUSD", "1w", 365 / 7)],
)
def test_a_year_has_as_many_bars_as_its_trading_days_hold(symbol: str, timeframe: str, expected: float) -> None:
    data = candles([("walk", 3)], seed=1)
    data.attrs |= {"symbol": symbol, "timeframe": timeframe}
    assert sdk.bars_per_year(data) == expected


def test_a_true_range_takes_the_gap_in_and_the_first_bar_has_none() -> None:
    data = pd.DataFrame({"high": [5.0, 9.0, 4.0], "low": [4.0, 8.0, 3.0], "close": [4.0, 8.0, 3.0]})
    np.testing.assert_equal(sdk.true_range(data).to_numpy(), [np.nan, 5.0, 5.0])


def test_the_guide_explains_every_name_of_the_sdk_as_it_is_called() -> None:
    guide = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
    rows = [
        line.split("|")[1] for line in guide.partition("| function | what |")[2].partition("\n\n")[0].splitlines() if line.startswith("| `")
    ]
    shown = [call for row in rows for call in re.findall(r"`(\w+)\(([^`]*)\)`", row)]
    assert sorted(name for name, _ in shown) == sdk.__all__
    for name, arguments in shown:
        given = [argument.partition("=")[0] for argument in arguments.split(", ") if argument and argument != "…"]
        own = [taken.rstrip("_") for taken in inspect.signature(getattr(sdk, name)).parameters]
        assert [own[at] if text.startswith('"') else text for at, text in enumerate(given)] == own[: len(given)], name
