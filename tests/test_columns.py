"""Tables of results sort and filter as plain Python would: by number, to the last unit, stable, what has no value last."""

import math
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sptrader_desktop.core.money import MONEY_ONE, money_text
from sptrader_desktop.present import zone_clock
from sptrader_desktop.present.column_filters import FilterError, chosen_rows, read_number
from sptrader_desktop.present.column_makers import count, money, ratio, times, word
from sptrader_desktop.present.columns import NOTHING, Columns, SortKey, ordered
from sptrader_desktop.present.selection import Zone
from sptrader_desktop.present.zone_clock import clock_in, typed_span

WORDS = ("long", "Short", "stop loss", "")
HOUR_US = 3_600_000_000
ROW = st.tuples(
    st.one_of(st.just(NOTHING), st.integers(-5, 5), st.integers(-(2**62), 2**62)),
    st.one_of(st.just(math.nan), st.floats(-3, 3)),
    st.integers(0, len(WORDS) - 1),
)


def table(rows: list[tuple[int, float, int]]) -> Columns:
    ints, floats, codes = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [])
    return Columns(
        (
            money("pnl", "Net", np.array(ints, np.int64), "USD"),
            ratio("percent", "Percent", np.array(floats, np.float64), "%"),
            word("side", "Side", np.array(codes, np.int64), WORDS),
        )
    )


def place(value: float, is_missing: bool, is_descending: bool) -> tuple[bool, float]:
    return is_missing, 0 if is_missing else -value if is_descending else value


@given(st.lists(ROW, max_size=30), st.booleans(), st.booleans())
def test_a_table_is_sorted_as_python_sorts_by_several_columns(rows: list[tuple[int, float, int]], first: bool, second: bool) -> None:
    keys = (SortKey("percent", first), SortKey("pnl", second))
    found = ordered(table(rows), keys, np.arange(len(rows)))
    expected = sorted(
        range(len(rows)), key=lambda i: (place(rows[i][1], math.isnan(rows[i][1]), first), place(rows[i][0], rows[i][0] == NOTHING, second))
    )
    assert found.tolist() == expected


@given(st.lists(ROW, max_size=30), st.booleans())
def test_words_are_sorted_whatever_their_case_and_equal_ones_keep_their_order(rows: list[tuple[int, float, int]], down: bool) -> None:
    found = ordered(table(rows), (SortKey("side", down),), np.arange(len(rows))).tolist()
    ranks = [sorted(WORDS, key=str.casefold).index(WORDS[rows[i][2]]) for i in found]
    assert ranks == sorted(ranks, reverse=down)
    assert all(a < b for a, b in pairwise(found) if rows[a][2] == rows[b][2])


AMOUNT = st.decimals(-50, 50, places=2)
COMPARED = {
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
}


@given(st.lists(st.integers(-51 * MONEY_ONE, 51 * MONEY_ONE), max_size=20), AMOUNT, st.sampled_from(sorted(COMPARED)))
def test_amounts_are_compared_exactly(units: list[int], bound: Decimal, sign: str) -> None:
    near = [int(bound * MONEY_ONE) + n for n in (-1, 0, 1)]
    column = Columns((money("pnl", "Net", np.array([*units, *near, NOTHING], np.int64), "USD"),))
    found = chosen_rows(column, "", {"pnl": f"{sign} {bound}"}).tolist()
    assert found == [i for i, value in enumerate([*units, *near]) if COMPARED[sign](Decimal(value).scaleb(-8), bound)]


@given(st.lists(st.integers(-3 * MONEY_ONE, 3 * MONEY_ONE), max_size=20), st.decimals(-3, 3, places=1), st.decimals(-3, 3, places=1))
def test_a_range_holds_both_ends_and_a_bare_number_what_reads_like_it(units: list[int], low: Decimal, high: Decimal) -> None:
    column = Columns((money("pnl", "Net", np.array(units, np.int64), "USD"),))
    exact = [Decimal(value).scaleb(-8) for value in units]
    assert chosen_rows(column, "", {"pnl": f"{low}..{high}"}).tolist() == [i for i, value in enumerate(exact) if low <= value <= high]
    half = Decimal("0.05")
    assert chosen_rows(column, "", {"pnl": f"{low}"}).tolist() == [i for i, value in enumerate(exact) if low - half <= value < low + half]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("long", [0]),
        ("LO", [0, 2]),
        ("=long", [0]),
        ("long, short", [0, 1]),
        ("!loss", [0, 1, 3]),
        ("o, !stop", [0, 1]),
        ("x", []),
        ("", [0, 1, 2, 3]),
    ],
)
def test_words_are_found_by_their_parts(typed: str, expected: list[int]) -> None:
    found = chosen_rows(Columns((word("side", "Side", np.arange(4), WORDS),)), "", {"side": typed})
    assert found.tolist() == expected


def test_the_quick_filter_looks_into_every_column() -> None:
    rows = table([(12 * MONEY_ONE, 1.0, 0), (5 * MONEY_ONE, 12.2, 1), (NOTHING, math.nan, 2)])
    assert chosen_rows(rows, "12", {}).tolist() == [0, 1]
    assert chosen_rows(rows, "loss", {}).tolist() == [2]
    assert chosen_rows(rows, "12", {"side": "short"}).tolist() == [1]


@pytest.mark.parametrize("typed", ["> x", "..", "1..", "one", ">"])
def test_what_is_no_number_is_told_how_to_be_written(typed: str) -> None:
    with pytest.raises(FilterError, match=r"Net: .*write > 10, <= 3\.5, -5\.\.5 or a number"):
        chosen_rows(table([(1, 1.0, 0)]), "", {"pnl": typed})


@pytest.mark.parametrize("typed", ["1e9999", "1e999999", "-1e99999999", "1e-999999", "1e-999999999", "9" * 5_000])
@pytest.mark.parametrize("is_whole", [False, True])
def test_a_number_of_more_digits_than_any_value_has_is_none_and_takes_no_time(typed: str, is_whole: bool) -> None:
    """Written out, that of six typed letters would take minutes."""
    assert read_number(typed, 100, is_whole=is_whole) is None
    assert chosen_rows(table([(1, 1.0, 0)]), typed, {}).tolist() == []


def test_numbers_are_read_as_they_are_shown() -> None:
    assert read_number("1,234.50", 100, is_whole=True) == (123450, 123451, 123450, 123451)
    assert read_number("-0.5 %", 1, is_whole=True) == (0, 0, 0, 0)
    assert [read_number(text, 1, is_whole=True) for text in ("nan", "inf", "", "1e400 x")] == [None] * 4


def stamp(text: str) -> int:
    return int(np.datetime64(text, "us").astype(np.int64))


@pytest.mark.parametrize(
    ("zone", "typed", "first", "past"),
    [
        (Zone.UTC, "2024", "2024-01-01", "2025-01-01"),
        (Zone.UTC, "2024-12", "2024-12-01", "2025-01-01"),
        (Zone.UTC, "2024-02-29", "2024-02-29", "2024-03-01"),
        (Zone.UTC, "2024-02-29 23", "2024-02-29T23:00", "2024-03-01"),
        (Zone.UTC, "2024-02-29 23:59", "2024-02-29T23:59", "2024-03-01"),
        (Zone.NEW_YORK, "2024-03-10", "2024-03-10T05:00", "2024-03-11T04:00"),
    ],
)
def test_a_typed_time_means_the_whole_of_what_it_names(zone: Zone, typed: str, first: str, past: str) -> None:
    assert typed_span(typed, zone) == (stamp(first), stamp(past))
    assert clock_in(stamp(first), zone).startswith(typed[:10])


@pytest.mark.parametrize("typed", ["2024-13", "2024-02-30", "24", "2024-1-1-1", "x", "99999"])
def test_what_is_no_time_is_none(typed: str) -> None:
    assert typed_span(typed, Zone.UTC) is None


def test_a_time_that_the_system_cannot_tell_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def before_1970(*_: object) -> int:
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(zone_clock, "stamp_of", before_1970)
    assert typed_span("1969", Zone.LOCAL) is None


def test_times_are_filtered_by_the_zones_clock() -> None:
    stamps = np.array([stamp("2024-03-10T04:59"), stamp("2024-03-10T05:00"), stamp("2024-03-11T03:59"), stamp("2024-03-11T04:00")])
    rows = Columns((times("at", "At", stamps, Zone.NEW_YORK),))
    found = {
        typed: chosen_rows(rows, "", {"at": typed}).tolist()
        for typed in ("2024-03-10", "> 2024-03-10", "< 2024-03-10", "<= 2024-03-10", "2024-03-10..2024-03-11", "!= 2024-03-10")
    }
    assert list(found.values()) == [[1, 2], [3], [0], [0, 1, 2], [1, 2, 3], [0, 3]]


def test_texts_are_made_for_people_and_exact_for_programs() -> None:
    column = money("pnl", "Net", np.array([412_345_678_901, NOTHING], np.int64), "USD")
    assert (column.header, column.text(0), column.exact(0)) == ("Net USD", "+4,123.46", money_text(412_345_678_901))
    assert (column.text(1), column.exact(1)) == ("–", "")
    assert count("n", "N", np.array([12_000])).text(0) == "12,000"
