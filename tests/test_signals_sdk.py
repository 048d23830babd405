"""What signals are made of: crossings that rounding cannot make, and events from conditions."""

from math import inf, isnan, nan

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sptrader_desktop import sdk

BARS = pd.DataFrame({"close": [1.0, 2.0, 3.0, 4.0]}, index=pd.date_range("2024-03-08T20:00", periods=4, freq="h", tz="UTC", unit="us"))
BARS.attrs = {"symbol": "EURUSD", "timeframe": "1h", "ticks_per_one": 100_000}

prices = st.lists(st.sampled_from([1.0, 1.1, 1.1 + 1e-12, 1.1 - 3e-13, 1.2, nan]), min_size=1, max_size=30)


@given(prices, prices)
def test_a_column_rises_above_another_when_it_was_not_and_is_by_more_than_noise(first: list[float], second: list[float]) -> None:
    first, second = first[: len(second)], second[: len(first)]

    def is_above(a: list[float], b: list[float], bar: int) -> bool:
        return round(a[bar], 9) > round(b[bar], 9)

    for answer, a, b in ((sdk.rises_above(first, second), first, second), (sdk.falls_below(first, second), second, first)):
        for bar, crossed in enumerate(answer):
            known = bar > 0 and not any(map(isnan, (a[bar - 1], b[bar - 1])))
            assert crossed == (known and is_above(a, b, bar) and not is_above(a, b, bar - 1))
    assert sdk.above(first, second).tolist() == [is_above(first, second, bar) for bar in range(len(first))]
    assert sdk.below(first, second).tolist() == [is_above(second, first, bar) for bar in range(len(first))]


def test_beside_a_number_what_counts_as_noise_is_said_by_a_scale() -> None:
    nothing = pd.Series([-1e-12, 1e-12, -1e-12, 1.0])
    assert sdk.rises_above(nothing, 0).tolist() == [False, True, False, True]
    assert sdk.rises_above(nothing, 0, 100).tolist() == [False, False, False, True]
    assert sdk.falls_below(-nothing, 0, 100).tolist() == [False, False, False, True]


def test_events_come_bar_by_bar_in_the_order_of_their_conditions_with_strengths_cut_to_one() -> None:
    events = sdk.events_where(
        BARS,
        {"up": [True, False, True, False], "down": np.array([True, True, False, False])},
        pd.Series([0.5, -1.0, inf, 0.1]),
        close=BARS["close"],
        one=1,
    )
    assert events["type"].tolist() == ["up", "down", "down", "up"]
    assert events.index.tolist() == [BARS.index[bar] for bar in (0, 0, 1, 2)]
    assert events["strength"].tolist() == [0.5, 0.5, 0.0, 1.0]
    assert events["close"].tolist() == [1.0, 1.0, 2.0, 3.0]
    assert events["one"].tolist() == [1.0] * 4


@pytest.mark.parametrize("unknown", [nan, inf, -inf])
def test_a_bar_on_which_an_output_or_the_strength_has_no_value_has_no_event(unknown: float) -> None:
    always, values = {"on": np.ones(4, np.bool_)}, np.array([1.0, unknown, 3.0, 4.0])
    assert sdk.events_where(BARS, always, 1.0, value=values).index.tolist() == [BARS.index[bar] for bar in (0, 2, 3)]
    strengths = sdk.events_where(BARS, always, values)["strength"]
    assert len(strengths) == (3 if isnan(unknown) else 4)


def test_no_condition_that_holds_is_an_empty_table_of_the_same_columns() -> None:
    events = sdk.events_where(BARS, {"on": np.zeros(4, np.bool_)}, 1.0, value=1.0)
    assert (len(events), events.columns.tolist()) == (0, ["type", "strength", "value"])


@pytest.mark.parametrize(
    ("timeframe", "opens", "over"),
    [
        ("1h", "2024-03-08T20:00", "2024-03-08T21:00"),
        ("15m", "2024-03-08T20:45", "2024-03-08T21:00"),
        ("1d", "2024-03-07T22:00", "2024-03-08T22:00"),
        ("1d", "2024-03-10T21:00", "2024-03-11T21:00"),  # New York has put its clocks forward
    ],
)
def test_a_bar_is_known_at_its_close(timeframe: str, opens: str, over: str) -> None:
    bar = BARS.iloc[:1].set_axis(pd.DatetimeIndex([opens]).as_unit("us").tz_localize("UTC"))
    bar.attrs = BARS.attrs | {"timeframe": timeframe}
    closed = sdk.at_close(bar)
    assert (closed.index[0], closed["close"].item(), closed.attrs) == (pd.Timestamp(over, tz="UTC"), 1.0, bar.attrs)


def test_a_session_is_open_on_the_working_days_of_its_own_city() -> None:
    stamps = ["2024-03-10T23:59:59", "2024-03-11T00:00", "2024-03-11T08:59:59", "2024-03-11T09:00", "2024-03-16T03:00"]
    frame = BARS.iloc[[0] * len(stamps)].set_axis(pd.DatetimeIndex(stamps).as_unit("us").tz_localize("UTC"))
    tokyo = sdk.session_clocks(frame)["tokyo"]
    # Monday morning in Tokyo begins on Sunday evening in London, and a Saturday there is no working day.
    assert tokyo.is_open.tolist() == [False, True, True, False, False]
    assert tokyo.hours.round(3).tolist() == [24.0, 0.0, 9.0, 9.0, 3.0]
