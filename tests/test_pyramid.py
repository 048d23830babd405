"""Levels of detail tell the truth: any cell of any zoom holds what all its bars hold, by brute force."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sptrader_desktop.core.candles import Prices
from sptrader_desktop.present.heikin_ashi import heikin_ashi
from sptrader_desktop.present.pyramid import FACTOR, Level, Pyramid


def walk(count: int, seed: int) -> Level:
    rng = np.random.default_rng(seed)
    close = 100_000 + np.cumsum(rng.integers(-9, 10, count))
    opened = close - rng.integers(-9, 10, count)
    high, low = np.maximum(opened, close) + rng.integers(0, 5, count), np.minimum(opened, close) - rng.integers(0, 5, count)
    return Level(opened, high, low, close)


views = st.tuples(st.integers(1, 700), st.integers(0, 2**31), st.floats(-50, 700), st.floats(0.5, 900), st.integers(1, 90))


@given(views)
def test_each_cell_holds_what_all_its_bars_hold(view: tuple[int, int, float, float, int]) -> None:
    count, seed, first, span, width = view
    bars = walk(count, seed)
    cells = Pyramid(bars).cells(first, first + span, width)
    stop = last_of_group(min(count, int(np.ceil(first + span))), count, span / width)
    ends = [*cells.bar[1:].tolist(), stop][: len(cells.bar)] if len(cells.bar) else []
    for number, (start, end) in enumerate(zip(cells.bar.tolist(), ends, strict=True)):
        group = slice(start, end)
        assert cells.values.first[number] == bars.first[group][0]
        assert cells.values.high[number] == bars.high[group].max()
        assert cells.values.low[number] == bars.low[group].min()
        assert cells.values.last[number] == bars.last[group][-1]


def last_of_group(stop: int, count: int, per_pixel: float) -> int:
    """The last group may reach past the view, by half a pixel at most."""
    size = 1
    while size * FACTOR * 2 <= per_pixel and -(-count // size) > FACTOR:
        size *= FACTOR
    return min(count, -(-stop // size) * size)


@given(views)
def test_cells_cover_the_view_without_holes_and_at_most_one_a_pixel(view: tuple[int, int, float, float, int]) -> None:
    count, seed, first, span, width = view
    cells = Pyramid(walk(count, seed)).cells(first, first + span, width)
    start, stop = max(0, int(np.floor(first))), min(count, int(np.ceil(first + span)))
    if stop <= start:
        assert len(cells.bar) == 0
        return
    slack = max(1.0, span / width)
    assert start - slack <= cells.bar[0] <= start
    if cells.column is None:
        assert cells.bar.tolist() == list(range(start, stop))
    else:
        assert np.all(np.diff(cells.column) >= 1)
        assert cells.column[0] >= 0
        assert cells.column[-1] < width
        # A cell begins within the pixel column it is drawn in.
        assert np.all(np.abs((cells.bar[1:] - first) / (span / width) - cells.column[1:]) <= 1)


@given(arrays(np.float64, st.integers(1, 400), elements=st.one_of(st.just(np.nan), st.floats(-1e3, 1e3, width=32))), st.integers(1, 40))
def test_a_line_keeps_its_extremes_and_its_gaps(values: np.ndarray[tuple[int], np.dtype[np.float64]], width: int) -> None:
    cells = Pyramid.of_line(values).cells(0, len(values), width)
    if np.isnan(values).all():
        assert np.isnan(cells.values.high).all()
        return
    assert np.fmax.reduce(cells.values.high) == np.nanmax(values)
    assert np.fmin.reduce(cells.values.low) == np.nanmin(values)
    bars = [*cells.bar.tolist(), len(values)]
    for number, (start, stop) in enumerate(pairwise(bars)):
        group = values[start:stop] if cells.column is not None else values[start : start + 1]
        assert np.isnan(cells.values.high[number]) == np.isnan(group).all()
        np.testing.assert_equal(cells.values.first[number], group[0])
        np.testing.assert_equal(cells.values.last[number], group[-1])


@pytest.mark.parametrize("far", [1e39, -1e39, 1e300, -1e300])
def test_values_that_are_finite_stay_so_however_far_they_reach(far: float) -> None:
    """Components may divide by next to nothing, and no pane can be fitted to infinity."""
    values = np.where(np.arange(400) % 7 == 0, far, 1.0)
    shown = Pyramid.of_line(values).cells(0, 400, 10).values
    assert far in (np.max(shown.high), np.min(shown.low))
    assert np.isfinite(shown).all()


@given(st.integers(1, 90), st.lists(st.integers(0, 60), max_size=6), st.integers(0, 2**31))
def test_a_pyramid_that_grows_with_live_bars_is_the_one_built_at_once(count: int, steps: list[int], seed: int) -> None:
    """Every step changes the newest bar and adds some: also past the room kept free and past a level more."""
    total = walk(count + sum(steps), seed)
    grown = Pyramid(total.cut(0, count))
    for step in steps:
        count += step
        now = Level(*(column[:count].copy() for column in total))
        forming = Level(now.first, now.high.copy(), now.low, now.last.copy())
        forming.high[-1] += 50
        forming.last[-1] += 50
        grown.extend(forming)
        grown.extend(now)
    built = Pyramid(total.cut(0, count))
    for width in (1, 3, 17):
        one, other = grown.cells(0, count, width), built.cells(0, count, width)
        assert one.bar.tolist() == other.bar.tolist()
        assert all(np.array_equal(mine, theirs) for mine, theirs in zip(one.values, other.values, strict=True))


def test_prices_beyond_32_bits_are_kept_whole() -> None:
    large = np.array([2**40 + n for n in range(64)])
    cells = Pyramid(Level(large, large + 1, large - 1, large)).cells(0, 64, 2)
    assert cells.values.high.tolist() == [2**40 + 32, 2**40 + 64]
    assert cells.values.low.tolist() == [2**40 - 1, 2**40 + 31]


@pytest.mark.parametrize("start", [0, 1, 63, 64, 65, 200])
def test_averaged_candles_of_a_window_are_those_of_the_whole(start: int) -> None:
    bars = walk(300, 7)
    prices = Prices(bars.first, bars.high, bars.low, bars.last)
    opened = np.empty(300)
    mean = (bars.first + bars.high + bars.low + bars.last) / 4
    opened[0] = (bars.first[0] + bars.last[0]) / 2
    for bar in range(1, 300):
        opened[bar] = (opened[bar - 1] + mean[bar - 1]) / 2
    found = heikin_ashi(prices, start, 260)
    np.testing.assert_allclose(found.first, opened[start:260], rtol=1e-12)
    np.testing.assert_allclose(found.last, mean[start:260], rtol=1e-12)
    np.testing.assert_allclose(found.high, np.maximum.reduce([bars.high, opened, mean])[start:260], rtol=1e-12)
    np.testing.assert_allclose(found.low, np.minimum.reduce([bars.low, opened, mean])[start:260], rtol=1e-12)


def test_many_bars_are_built_on_a_thread_and_waited_for() -> None:
    bars = walk(400_000, 3)
    pyramid = Pyramid(bars)
    near = pyramid.cells(1000, 1100, 100)  # needs no level
    assert np.array_equal(near.values.high, bars.high[1000:1100])
    cells = pyramid.cells(0, 400_000, 10)
    assert cells.values.high.max() == bars.high.max()
    more = walk(400_001, 3)
    pyramid.extend(more)
    assert pyramid.cells(0, 400_001, 10).values.last[-1] == more.last[-1]
