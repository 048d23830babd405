"""Candles changed on purpose keep the past to the bit and stay candles; answers are compared as one would by hand."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sptrader_desktop.core.candles import Candles, Prices
from sptrader_desktop.core.rules import EventTable
from sptrader_desktop.ports import Values
from sptrader_desktop.runtime.honesty_candles import (
    COMES_BACK_US,
    HIGHER,
    LOWER,
    STILL,
    TURNED,
    come_back,
    comes_back,
    data_hash,
    other_candles,
    other_future,
    part,
)
from sptrader_desktop.runtime.honesty_compare import EXACT, ROUNDING, Placed, difference, is_same_whatever_it_is_given
from sptrader_desktop.runtime.honesty_plan import MOST_BARS, make_plan
from tests.candle_builders import assert_valid
from tests.small_runs import HOUR_US, hourly

WAYS = (HIGHER, LOWER, STILL, TURNED)
COLUMNS = ("open", "high", "low", "close")


def walk(bars: int, seed: int, *, bar_us: int = HOUR_US, first: str = "2024-01-01", volume: bool = True, ask: bool = False) -> Candles:
    rng = np.random.default_rng(seed)
    close = np.maximum(50, 2_000 + np.cumsum(rng.integers(-60, 61, bars)))
    opens = np.concatenate([close[:1], close[:-1]])
    high, low = np.maximum(opens, close) + rng.integers(0, 20, bars), np.minimum(opens, close) - rng.integers(0, 20, bars)
    stamps = np.datetime64(first, "us").astype(np.int64) + np.cumsum(rng.choice([1, 1, 1, 50], bars)) * bar_us
    bid = Prices(opens, high, low, close)
    other_side = Prices(opens + 3, high + 3, low + 3, close + 3) if ask else None
    return replace(
        hourly(),
        bar_us=bar_us,
        timestamp=stamps,
        prices=bid,
        ask=other_side,
        volume=rng.random(bars) if volume else None,
        fingerprint=f"{seed}",
    )


candles_drawn = st.builds(walk, st.integers(2, 60), st.integers(0, 10_000), volume=st.booleans(), ask=st.booleans())


# Candles


@settings(max_examples=100)
@given(candles_drawn, st.data())
def test_another_future_leaves_the_past_to_the_bit_and_gives_valid_candles(candles: Candles, data: st.DataObject) -> None:
    cut = data.draw(st.integers(1, len(candles) - 1))
    for way in WAYS:
        changed = other_future(candles, cut, way)
        assert_valid(changed)
        assert (len(changed), changed.fingerprint) == (len(candles), "")
        for one, other in ((candles.prices, changed.prices), (candles.ask, changed.ask)):
            assert (one is None) == (other is None)
            if one is not None and other is not None:
                assert all(np.array_equal(getattr(one, name)[:cut], getattr(other, name)[:cut]) for name in COLUMNS)
        assert np.array_equal(candles.timestamp[:cut], changed.timestamp[:cut])
        assert (candles.volume is None) == (changed.volume is None)
        if candles.volume is not None and changed.volume is not None:
            assert np.array_equal(candles.volume[:cut], changed.volume[:cut])
            assert not np.array_equal(candles.volume[cut:], changed.volume[cut:])
    later = other_future(candles, cut, TURNED).timestamp[cut:] - candles.timestamp[cut:]
    assert set(later.tolist()) == {21 * 24 * HOUR_US}
    moved = [np.sign(other_future(candles, cut, way).prices.close[-1] - candles.prices.close[-1]) for way in (HIGHER, LOWER)]
    assert moved == [1, -1]


@settings(max_examples=50)
@given(candles_drawn)
def test_another_market_has_no_price_and_no_time_in_common(candles: Candles) -> None:
    other = other_candles(candles)
    assert_valid(other)
    assert len(other) == len(candles)
    assert not (other.prices.close[::-1] == candles.prices.open).any()
    assert (other.timestamp != candles.timestamp).all()
    assert sorted(np.diff(other.timestamp).tolist()) == sorted(np.diff(candles.timestamp).tolist())


def local_times(candles: Candles, zone: str) -> list[tuple[int, int, int, int, int]]:
    moments = [
        (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(stamp))).astimezone(ZoneInfo(zone)) for stamp in candles.timestamp
    ]
    return [(at.weekday(), at.month, at.day, at.hour, at.minute) for at in moments]


@pytest.mark.parametrize(
    ("first", "years", "whole"),
    [("2007-04-01", 28, True), ("2019-12-01", 28, True), ("2005-01-01", 28, False), ("1987-05-01", -28, False), ("1975-01-01", -28, False)],
)
def test_the_clocks_show_the_same_when_the_bars_come_back(first: str, years: int, *, whole: bool) -> None:
    candles = walk(1_500, 1, first=first)
    begin, end, shift = comes_back(candles)
    assert 0 <= begin <= end <= len(candles)
    assert shift in {COMES_BACK_US, -COMES_BACK_US}
    kept = part(candles, begin, end)
    back = come_back(kept, shift)
    for zone in ("America/New_York", "Europe/London", "UTC"):
        assert local_times(kept, zone) == local_times(back, zone)
    if whole:
        assert (begin, end, shift) == (0, len(candles), COMES_BACK_US * years // abs(years))


def test_data_is_known_by_its_fingerprint_or_by_what_it_is() -> None:
    candles = walk(30, 1)
    nameless = replace(candles, fingerprint="")
    assert data_hash(candles) == "1"
    assert data_hash(nameless) == data_hash(replace(walk(30, 1), fingerprint=""))
    others = [walk(30, 2), walk(29, 1), other_future(candles, 29, HIGHER)]
    assert len({data_hash(replace(it, fingerprint="")) for it in (candles, *others)}) == 4


# Plans


def events_at(bars: list[int]) -> EventTable:
    return EventTable(np.array(bars, np.int64), np.array(["up"] * len(bars), object), np.ones(len(bars)))


@pytest.mark.parametrize("bars", [MOST_BARS, MOST_BARS + 1, 100_000, 1_000_000])
def test_long_data_costs_no_more_than_the_longest_that_is_tried_whole(bars: int) -> None:
    candles = replace(walk(1_000, 3), fingerprint="a")
    stamps = np.arange(bars, dtype=np.int64) * HOUR_US
    still = np.full(bars, 1_000, np.int64)
    candles = replace(candles, timestamp=stamps, prices=Prices(still, still, still, still), volume=None)
    plan = make_plan(candles, events_at([*range(50, bars, 997)]), 50)
    assert len(plan.questions) < 80
    assert sum(len(question.candles) for question in plan.questions[1:]) < 40 * MOST_BARS
    assert max(len(question.candles) for question in plan.questions[1:]) <= MOST_BARS


@settings(max_examples=60)
@given(st.integers(1, 400), st.integers(0, 100), st.sampled_from([None, 1, 20, 300, 5_000]), st.booleans())
def test_every_comparison_is_of_bars_that_both_have(bars: int, seed: int, warm_up: int | None, is_signal: bool) -> None:
    candles = walk(bars, seed)
    values: Values = {"value": np.zeros(bars)}
    plan = make_plan(candles, events_at([*range(0, bars, 17)]) if is_signal else values, warm_up)
    for item in plan.comparisons:
        for number in (item.one, item.other):
            question = plan.questions[number]
            assert question.first <= item.low <= item.high <= question.first + len(question.candles)
    if bars > 1:
        assert plan.cuts >= 1
    assert {plan.questions[number].attempt for number in plan.repeats} == {0, 1, 2}


# Comparing


def plain(one: EventTable, other: EventTable, low: int, high: int) -> list[int]:
    def by_bar(table: EventTable) -> dict[int, list[tuple[str, float, object]]]:
        rows = zip(table.bar.tolist(), table.type.tolist(), table.strength.tolist(), table.metadata["extra"].tolist(), strict=True)
        return {
            bar: [(kind, strength, extra) for _, kind, strength, extra in group] for bar, group in groupby(rows, key=lambda row: row[0])
        }

    ours, theirs = by_bar(one), by_bar(other)
    return [bar for bar in range(low, high) if ours.get(bar) != theirs.get(bar)]


@st.composite
def tables(draw: st.DrawFn) -> EventTable:
    bars = sorted(draw(st.lists(st.integers(0, 9), max_size=8)))
    kinds = [draw(st.sampled_from(["up", "down"])) for _ in bars]
    strengths = [draw(st.sampled_from([0.0, 0.5, 1.0])) for _ in bars]
    extras = (
        [draw(st.sampled_from([1, "text", 2.5])) for _ in bars]
        if draw(st.booleans())
        else [draw(st.sampled_from([1.0, 2.0])) for _ in bars]
    )
    is_mixed = any(not isinstance(extra, float) for extra in extras)
    return EventTable(
        np.array(bars, np.int64),
        np.array(kinds, object),
        np.array(strengths, np.float64),
        {"extra": np.array(extras, object if is_mixed else np.float64)},
    )


@settings(max_examples=300)
@given(tables(), tables(), st.integers(0, 9), st.integers(0, 9))
def test_events_differ_where_a_plain_look_says_so(one: EventTable, other: EventTable, a: int, b: int) -> None:
    low, high = min(a, b), max(a, b) + 1
    for tolerance in (EXACT, ROUNDING):
        found = difference(Placed(one), Placed(other), low, high, tolerance)
        assert (list(found.bars) if found else []) == plain(one, other, low, high)
    moved = EventTable(other.bar - 3, other.type, other.strength, other.metadata)
    found = difference(Placed(one), Placed(moved, 3), low, high, EXACT)
    assert (list(found.bars) if found else []) == plain(one, other, low, high)


values_drawn = st.lists(st.sampled_from([0.0, 1.0, -1.0, 1e-12, float("nan"), float("inf"), float("-inf")]), min_size=5, max_size=5)


@settings(max_examples=300)
@given(values_drawn, values_drawn)
def test_values_differ_where_a_plain_look_says_so(one: list[float], other: list[float]) -> None:
    found = difference(Placed({"it": np.array(one)}), Placed({"it": np.array(other)}), 0, 5, EXACT)
    expected = [bar for bar, (a, b) in enumerate(zip(one, other, strict=True)) if repr(a + 0.0) != repr(b + 0.0)]
    assert (list(found.bars) if found else []) == expected
    if found:
        assert (float(found.seen), float(found.instead)) == pytest.approx((one[expected[0]], other[expected[0]]), nan_ok=True)


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        (1.0, 1.0 + 9e-10, True),
        (1.0, 1.0 + 2e-9, False),
        (0.0, 9e-10, True),
        (0.0, 2e-9, False),
        (np.inf, 1.0, False),
        (np.nan, 1.0, False),
    ],
)
def test_a_billionth_of_what_is_usual_in_a_column_is_rounding(one: float, other: float, *, is_same: bool) -> None:
    columns = [np.array([1.0, 1.0, value, -1.0]) for value in (one, other)]
    found = difference(Placed({"it": columns[0]}), Placed({"it": columns[1]}), 0, 4, ROUNDING)
    assert (found is None) == is_same
    assert found is None or found.bars == (2,)


def test_an_answer_is_the_same_whatever_it_is_given_only_when_it_varies() -> None:
    varies, other = np.array([np.nan, 1.0, 2.0]), np.array([np.nan, 1.0, 3.0])
    assert is_same_whatever_it_is_given({"a": np.ones(3), "b": varies}, {"a": np.ones(3), "b": varies}) == "b"
    assert is_same_whatever_it_is_given({"a": np.ones(3), "b": varies}, {"a": np.ones(3), "b": other}) is None
    assert is_same_whatever_it_is_given(events_at([1, 5, 9]), events_at([1, 5, 9])) == "crossover_type"
    for one, two in (([1, 5, 9], [1, 5, 8]), ([1, 2, 3], [1, 2, 3]), ([1, 5], [1, 5]), ([], [])):
        assert is_same_whatever_it_is_given(events_at(one), events_at(two)) is None
