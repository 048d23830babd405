"""Exact products and quotients, against Python's own integers."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sptrader_desktop.core.arithmetic import at_least, muldiv, muldiv_floor, product
from sptrader_desktop.core.money import INT64_MAX, fixed, money_text, round_ratio

whole = st.integers(-(2**62), 2**62) | st.integers(-1000, 1000) | st.sampled_from([2**31, 2**32 - 1, 2**32, 2**32 + 1, 10**8, 10**16])
natural = whole.map(abs)
positive = natural.filter(bool)


@given(whole, whole, positive)
@example(-5, 1, 2)
@example(7, 1, 2)
@example(2**62, 2**62, 2**62)
@example(2**62 - 1, 2**62 - 1, 2**62 + 1)
def test_muldiv_rounds_half_to_even_or_refuses(a: int, b: int, c: int) -> None:
    expected = round_ratio(a * b, c)
    if abs(expected) > INT64_MAX:
        with pytest.raises(OverflowError):
            muldiv(a, b, c)
    else:
        assert muldiv(a, b, c) == expected


@given(natural, natural, positive)
def test_muldiv_floor_rounds_down_or_refuses(a: int, b: int, c: int) -> None:
    if a * b // c > INT64_MAX:
        with pytest.raises(OverflowError):
            muldiv_floor(a, b, c)
    else:
        assert muldiv_floor(a, b, c) == a * b // c


@given(natural, natural, natural, natural)
@example(3, 2**61, 2, 3 * 2**60)
def test_at_least_compares_products_exactly(a: int, b: int, c: int, d: int) -> None:
    assert at_least(a, b, c, d) == (a * b >= c * d)


@given(whole, whole)
def test_product_is_exact_or_refused(a: int, b: int) -> None:
    if abs(a * b) >= 9.3e18:
        with pytest.raises(OverflowError):
            product(a, b)
    elif abs(a * b) < 8.9e18:
        assert product(a, b) == a * b


@given(st.integers(-(10**20), 10**20), st.integers(1, 10**12))
def test_round_ratio_is_nearest_and_ties_go_to_even(numerator: int, denominator: int) -> None:
    found = round_ratio(numerator, denominator)
    distance = abs(found * denominator - numerator) * 2
    assert distance <= denominator
    assert distance < denominator or found % 2 == 0


def test_money_is_written_plainly_and_read_back_exactly() -> None:
    from decimal import Decimal

    for units in (0, 1, -1, 100_000_000, 123_456_789_012, -10_000_000):
        assert fixed(Decimal(money_text(units))) == units
    assert money_text(150_000_000) == "1.50"
    assert money_text(1) == "0.00000001"
