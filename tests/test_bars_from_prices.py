"""Bars built from prices as they come equal those that are resampled from the same prices at once, whatever the clock does."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sptrader_desktop.core.candles import Candles, Prices
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.instruments import CATALOGUE
from sptrader_desktop.core.resample import Ticks, bar_closes, candles_of_ticks
from sptrader_desktop.core.timeframes import parse_timeframe
from sptrader_desktop.ports import LivePrice
from sptrader_desktop.runtime.live.bars_from_prices import (
    FUTURE,
    GRACE_US,
    INCOMPLETE,
    LATE,
    OTHER_KIND,
    Bar,
    BarsFromPrices,
    Four,
)
from tests.clock_markets import CHANGES

SECOND_US = 1_000_000
TIMEFRAMES = ("5s", "1m", "15m", "1h", "4h", "1d", "1w")


def micros(*parts: int) -> int:
    return (datetime(*parts, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)  # type: ignore[misc,arg-type]


START = micros(2024, 1, 29, 12)


def price(stamp: int, bid: int = 100, ask: int | None = 102) -> LivePrice:
    return LivePrice("EURUSD", stamp, bid, ask)


def resampled(prices: list[LivePrice], timeframe: str, until: int) -> list[Bar]:
    """The oracle: all prices at once, in order of their stamps."""
    prices = sorted(prices, key=lambda price: price.stamp)
    bids, asks = (np.array([getattr(price, name) for price in prices], np.int64) for name in ("price", "ask"))
    stamps = np.array([price.stamp for price in prices], np.int64)
    return bars_of(candles_of_ticks(Ticks(CATALOGUE["EURUSD"], stamps, bids, asks), timeframe, until=until))


def bars_of(candles: Candles) -> list[Bar]:
    def four(prices: Prices, at: int) -> Four:
        return Four(*(int(getattr(prices, name)[at]) for name in ("open", "high", "low", "close")))

    assert candles.ask is not None
    assert candles.volume is not None
    over = bar_closes(candles.timestamp, candles.timeframe)
    return [
        Bar("EURUSD", candles.timeframe, int(opens), int(over[at]), four(candles.prices, at), four(candles.ask, at), candles.volume[at])
        for at, opens in enumerate(candles.timestamp)
    ]


@st.composite
def streams(draw: st.DrawFn) -> tuple[str, list[tuple[int, LivePrice]]]:
    """A timeframe, and prices with the times at which they come: some late, in any order, over weekends and changes of clocks."""
    timeframe = draw(st.sampled_from(TIMEFRAMES))
    change = draw(st.sampled_from(CHANGES))
    now = micros(change.year, change.month, change.day, 3)
    length = parse_timeframe(timeframe)
    found = []
    for _ in range(draw(st.integers(1, 60))):
        now += draw(
            st.sampled_from([0, 1, SECOND_US // 2, SECOND_US, length // 7, length // 2, length, 3 * length, 49 * 3_600 * SECOND_US])
        )
        stamp = now - draw(st.sampled_from([0, 0, 0, 1, SECOND_US // 3, SECOND_US - 1, SECOND_US, 2 * SECOND_US, length, -SECOND_US]))
        bid = draw(st.integers(100_000, 100_009))
        found.append((now, price(stamp, bid, bid + draw(st.integers(-1, 3)))))
    return timeframe, found


@settings(max_examples=150)
@given(streams(), st.data())
def test_bars_equal_those_of_the_same_prices_at_once(stream: tuple[str, list[tuple[int, LivePrice]]], data: st.DataObject) -> None:
    timeframe, arrivals = stream
    builder, made, believed = BarsFromPrices("EURUSD", timeframe), list[Bar](), list[LivePrice]()
    for now, came in arrivals:
        if data.draw(st.booleans()):  # nobody need ask at every price
            made += builder.take(now)
        before = sum(builder.skipped.values())
        builder.add(came, now)
        if sum(builder.skipped.values()) == before:
            believed.append(came)
    end = arrivals[-1][0] + data.draw(st.sampled_from([0, GRACE_US, parse_timeframe(timeframe)]))
    made += builder.take(end)
    assert made == resampled(believed, timeframe, end - GRACE_US)
    # Nothing but what came too late was left out.
    assert set(builder.skipped) <= {LATE}
    assert sum(builder.skipped.values()) + len(believed) == len(arrivals)


@settings(max_examples=60)
@given(streams())
def test_a_price_is_late_exactly_when_its_bar_is_over_by_the_clock(stream: tuple[str, list[tuple[int, LivePrice]]]) -> None:
    timeframe, arrivals = stream
    builder = BarsFromPrices("EURUSD", timeframe)
    for now, came in arrivals:
        (whole,) = bars_of(
            candles_of_ticks(
                Ticks(CATALOGUE["EURUSD"], np.array([came.stamp]), np.array([came.price]), np.array([came.ask])), timeframe, unfinished=True
            )
        )
        before = builder.skipped[LATE]
        builder.add(came, now)
        assert (builder.skipped[LATE] > before) == (now >= whole.closes + GRACE_US)


def test_a_bar_closes_one_second_after_its_time_and_an_empty_minute_has_none() -> None:
    builder = BarsFromPrices("EURUSD", "1m")
    minute = 60 * SECOND_US
    builder.add(price(START), START)
    assert builder.due() == START + minute
    assert builder.take(START + minute + GRACE_US - 1) == []
    (bar,) = builder.take(START + minute + GRACE_US)
    assert (bar.opens, bar.closes, bar.volume) == (START, START + minute, 1.0)
    assert builder.due() is None
    builder.add(price(START + 5 * minute), START + 5 * minute)
    assert [bar.opens for bar in builder.take(START + 9 * minute)] == [START + 5 * minute]


@given(stream=streams())
def test_what_is_forming_is_what_the_bar_becomes(stream: tuple[str, list[tuple[int, LivePrice]]]) -> None:
    """Asking changes nothing, and with the last price of a bar it is that bar."""
    timeframe, prices = stream
    builder, forming = BarsFromPrices("EURUSD", timeframe), dict[int, Bar]()
    taken: list[Bar] = []
    for now, each in prices:
        taken += builder.take(now)
        builder.add(each, now)
        if builder.forming is not None:
            forming[builder.forming.opens] = builder.forming
    taken += builder.take(2**62)
    assert {bar.opens for bar in taken} == forming.keys()
    newest = max(forming, default=None)
    assert all(forming[bar.opens] == bar for bar in taken if bar.opens == newest)


def test_a_clock_that_is_set_back_changes_no_bar_that_was_handed_out() -> None:
    builder = BarsFromPrices("EURUSD", "1m")
    builder.add(price(START), START)
    assert len(builder.take(START + 120 * SECOND_US)) == 1
    builder.add(price(START + 1), START + 2)
    assert builder.skipped == {LATE: 1}
    assert builder.take(START + 240 * SECOND_US) == []


@pytest.mark.parametrize(
    ("timeframe", "opens", "closes"),
    [
        ("1d", micros(2024, 3, 8, 22), micros(2024, 3, 9, 22)),  # the Friday before the clocks change
        ("1d", micros(2024, 3, 10, 21), micros(2024, 3, 11, 21)),  # the Sunday evening after
        ("1d", micros(2024, 3, 9, 22), micros(2024, 3, 10, 21)),  # 23 hours
        ("1d", micros(2024, 11, 2, 21), micros(2024, 11, 3, 22)),  # 25 hours
        ("1w", micros(2024, 3, 3, 22), micros(2024, 3, 10, 21)),
    ],
)
def test_days_and_weeks_follow_the_clocks_of_new_york(timeframe: str, opens: int, closes: int) -> None:
    builder = BarsFromPrices("EURUSD", timeframe)
    for stamp in (opens - 1, opens, closes - 1, closes):
        builder.add(price(stamp), stamp)
    assert [bar.volume for bar in builder.take(closes + GRACE_US) if bar.opens == opens and bar.closes == closes] == [2.0]


def test_nothing_is_believed_from_the_future_or_of_another_kind() -> None:
    builder = BarsFromPrices("EURUSD", "1m")
    builder.add(price(START + 6 * SECOND_US), START)
    builder.add(price(START), START)
    builder.add(price(START + 1, ask=None), START + 1)
    assert builder.skipped == {FUTURE: 1, OTHER_KIND: 1}
    (bar,) = builder.take(START + 61 * SECOND_US)
    assert bar.volume == 1


def test_a_publisher_that_keeps_to_another_kind_is_followed_from_the_next_bar_on() -> None:
    builder = BarsFromPrices("EURUSD", "1m")
    stamps = [START + second * SECOND_US for second in range(180)]
    for second, stamp in enumerate(stamps):
        builder.add(price(stamp, ask=102 if second < 70 else None), stamp)
    bars = builder.take(START + 181 * SECOND_US)
    assert [(bar.opens, bar.ask is None, bar.volume) for bar in bars] == [
        (START, False, 60.0),
        (START + 120 * SECOND_US, True, 60.0),
    ]


def test_a_bar_of_which_prices_may_be_missing_is_not_handed_out() -> None:
    builder = BarsFromPrices("EURUSD", "1m", since=START + 1)
    for minute in range(4):
        stamp = START + minute * 60 * SECOND_US + 2
        builder.add(price(stamp), stamp)
        if minute == 2:
            builder.lost(stamp)
    assert [bar.opens for bar in builder.take(START + 300 * SECOND_US)] == [START + 60 * SECOND_US, START + 180 * SECOND_US]
    assert builder.skipped == {INCOMPLETE: 2}


def test_what_was_had_from_elsewhere_is_not_made_again() -> None:
    builder = BarsFromPrices("EURUSD", "1m")
    builder.add(price(START), START)
    builder.told_until(START + 60 * SECOND_US)
    builder.add(price(START + 1), START + 1)
    assert builder.take(START + 120 * SECOND_US) == []
    assert builder.skipped == {LATE: 2}


def test_a_timeframe_that_no_bars_can_be_made_of_is_refused() -> None:
    with pytest.raises(DataError, match="cannot be resampled to 7m"):
        BarsFromPrices("EURUSD", "7m")


def test_planted_bugs_are_seen() -> None:
    """What the oracle says changes with any of the prices' order, side and stamp."""
    prices = [price(START + 1, 100, 102), price(START + 2, 105, 107), price(START + 3, 103, 104)]
    right = resampled(prices, "1m", START + 60 * SECOND_US)
    for at, wrong in ((0, replace(prices[0], stamp=START + 4)), (1, replace(prices[1], ask=106)), (2, replace(prices[2], price=106))):
        assert resampled([*prices[:at], wrong, *prices[at + 1 :]], "1m", START + 60 * SECOND_US) != right
