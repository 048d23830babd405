"""Trades as a chart marks them: the levels they had, and which of them comes next."""

from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sptrader_desktop.core.records import TRADE
from sptrader_desktop.core.tables import ATR, DISTANCE, EXITS, NO_LEVEL, PERCENTAGE, PRICE
from sptrader_desktop.present import trade_marks as marks

prices, fractions = st.integers(1, 10**7), st.integers(1, 99_999_999)


@given(
    st.lists(st.tuples(prices, st.sampled_from([1, -1]), st.integers(0, 1)), min_size=1, max_size=20),
    fractions,
    fractions,
    st.integers(1, 500),
)
def test_levels_are_those_of_the_rules(rows: list[tuple[int, int, int]], stop: int, target: int, distance: int) -> None:
    """Two symbols: percentages for the one, a distance and an absolute price for the other."""
    trades = np.zeros(len(rows), TRADE)
    trades["entry_price"], trades["side"], trades["symbol"] = np.array(rows).T
    exits = np.zeros(2, EXITS)
    exits["stop_kind"], exits["stop_value"] = [PERCENTAGE, DISTANCE], [stop, distance]
    exits["target_kind"], exits["target_value"] = [PERCENTAGE, PRICE], [target, 4711]
    stops, targets = marks.protective_levels(trades, exits)
    for (price, side, symbol), found in zip(rows, zip(stops.tolist(), targets.tolist(), strict=True), strict=True):
        if symbol == 0:
            moved = [price * (1 + Decimal(direction * side * value).scaleb(-8)) for direction, value in ((-1, stop), (1, target))]
            assert list(found) == [int(level.to_integral_value(ROUND_HALF_EVEN)) for level in moved]
        else:
            assert found == (price - side * distance, 4711)


def test_levels_that_trades_do_not_tell_are_none() -> None:
    exits = np.zeros(1, EXITS)
    exits["stop_kind"], exits["target_kind"] = ATR, NO_LEVEL
    trades = np.zeros(2, TRADE)
    trades["entry_price"], trades["side"] = 100, 1
    assert [level.tolist() for level in marks.protective_levels(trades, exits)] == [[0, 0], [0, 0]]


@given(st.lists(st.integers(0, 50), max_size=30), st.integers(-1, 51))
def test_next_and_previous_are_the_nearest_entries(bars: list[int], at: int) -> None:
    """Of several on one bar the first of them comes next, and the last of them comes before."""
    trades = np.zeros(len(bars), TRADE)
    trades["entry_bar"], trades["exit_bar"] = bars, bars
    found = marks.trade_marks(trades, 0)
    later, earlier = [bar for bar in bars if bar > at], [bar for bar in bars if bar < at]
    assert found.after(at) == (bars.index(min(later)) if later else None)
    assert found.before(at) == (len(bars) - 1 - bars[::-1].index(max(earlier)) if earlier else None)


def test_marks_are_of_one_symbol_and_net() -> None:
    trades = np.zeros(3, TRADE)
    trades["symbol"], trades["entry_bar"] = [0, 1, 0], [5, 6, 7]
    trades["gross"], trades["commission"], trades["financing"] = [100, 200, 300], [10, 20, 30], [-1, -2, -3]
    found = marks.trade_marks(trades, 0, stop=np.array([1, 2, 3]))
    assert found.entry_bar.tolist() == [5, 7]
    assert found.pnl.tolist() == [89, 267]
    assert found.stop.tolist() == [1, 3]
    assert found.target.tolist() == [marks.NO_LEVEL, marks.NO_LEVEL]
