"""Levels of detail: four bars become one, and four of those the next, so that what a screen shows costs what the screen is wide.

A level keeps the first, highest, lowest and last value of each group. Candles are such groups as they come; a line is one whose four
values are equal, and NaN is a gap in it. Level 0 is the given arrays themselves. Any thread may build one.
"""

from collections.abc import Callable
from functools import lru_cache
from threading import Thread
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sptrader_desktop.core.candles import Int64Array, Prices

Values = NDArray[Any]
Fold = Callable[[Values, Values], Values]

FACTOR = 4
MANY = 300_000  # bars; fewer are done in the time of a frame
LARGEST = float(np.finfo(np.float32).max)
SLACK = 8  # one part in so many is kept free for bars to come


class Level(NamedTuple):
    first: Values
    high: Values
    low: Values
    last: Values

    def cut(self, start: int, stop: int) -> "Level":
        return Level(*(column[start:stop] for column in self))


class Cells(NamedTuple):
    """What stands side by side on the screen: `bar` is the first bar of each cell; `column` where it stands, None where bars are wider."""

    bar: Int64Array
    values: Level
    column: Int64Array | None


class Pyramid:
    """`count` bars. Cells are exact: their values are those of all bars from their first to the next cell's.

    Where bars are many their levels are built on a thread of their own; who asks for them earlier waits.
    """

    __slots__ = ("_builder", "_kind", "_levels", "count")

    def __init__(self, base: Level) -> None:
        self.count = len(base.first)
        self._levels = [base]
        self._builder: Thread | None = None
        if self.count > MANY:
            self._builder = Thread(target=self._build, name="levels of detail", daemon=True)
            self._builder.start()
        else:
            self._build()

    def _build(self) -> None:
        self._kind = _kind(self._levels[0])
        while len(self._levels[-1].first) > FACTOR:
            below = self._levels[-1]
            groups = _groups(len(below.first))
            capacity = groups + groups // SLACK + FACTOR
            level = Level(*(np.empty(capacity, self._kind)[:groups] for _ in range(4)))
            _fill(level, below, 0)
            self._levels.append(level)

    def wait(self) -> None:
        """Until all levels are there."""
        if self._builder is not None:
            self._builder.join()
            self._builder = None

    @classmethod
    def of_prices(cls, prices: Prices) -> "Pyramid":
        return cls(Level(prices.open, prices.high, prices.low, prices.close))

    @classmethod
    def of_line(cls, values: Values) -> "Pyramid":
        return cls(Level(values, values, values, values))

    def extend(self, base: Level) -> None:
        """Show `base` instead, which differs in the last bar known so far and has any number of newer ones: what a live price changes."""
        self.wait()
        changed, self.count, self._levels[0] = max(0, self.count - 1), len(base.first), base
        for depth in range(1, len(self._levels)):
            changed //= FACTOR
            self._levels[depth] = _grown(self._levels[depth], _groups(len(self._levels[depth - 1].first)))
            _fill(self._levels[depth], self._levels[depth - 1], changed)
        if len(self._levels[-1].first) > FACTOR:
            del self._levels[1:]  # a level more is needed, once in four times as many bars
            self._build()

    def cells(self, first: float, last: float, columns: float) -> Cells:
        """The bars from `first` to `last` (bar i covers i to i + 1) in so many columns of a screen: at most one cell a column."""
        start, stop = max(0, int(np.floor(first))), min(self.count, int(np.ceil(last)))
        each = (last - first) / columns
        if stop <= start:
            return Cells(np.empty(0, np.int64), self._levels[0].cut(0, 0), None)
        if each <= 1:
            return Cells(np.arange(start, stop), self._levels[0].cut(start, stop), None)
        self.wait()
        depth, size = self._depth(each)
        begin, end = start // size, -(-stop // size)
        bars, column, heads, tails = _cut(begin, end, size, first, each)
        part = self._levels[depth].cut(begin, end)
        high, low = _folds(part.high)
        folded = Level(part.first[heads], high.reduceat(part.high, heads), low.reduceat(part.low, heads), part.last[tails])
        return Cells(bars, folded, column)

    def extent(self, first: int, last: int) -> tuple[float, float] | None:
        """The lowest and highest value of bars `first` up to but without `last`; None where there is none."""
        first, last = max(0, first), min(self.count, last)
        if last <= first:
            return None
        cells = self.cells(first, last, 1).values if last - first > 1 else self._levels[0].cut(first, last)
        low, high = float(np.min(cells.low)), float(np.max(cells.high))
        return None if np.isnan(low) else (low, high)

    def _depth(self, each: float) -> tuple[int, int]:
        """The coarsest level with two groups or more to a column, and the bars of a group."""
        depth, size = 0, 1
        while size * FACTOR * 2 <= each and depth + 1 < len(self._levels):
            depth, size = depth + 1, size * FACTOR
        return depth, size


@lru_cache(maxsize=4)
def _cut(begin: int, end: int, size: int, first: float, each: float) -> tuple[Int64Array, Int64Array, Int64Array, Int64Array]:
    """The groups `begin` to `end` of so many bars in columns of `each` bars from `first` on: of every column its first bar and its number,
    and where its groups begin and end. All series of a chart ask for the same.
    """
    bars = np.arange(begin, end) * size
    column = np.maximum(np.floor((bars - first) / each), 0).astype(np.int64)
    heads = np.flatnonzero(np.diff(column, prepend=-1))
    tails = np.append(heads[1:], len(bars)) - 1
    return bars[heads], column[heads], heads, tails


def _kind(base: Level) -> type:
    """Half the memory where it holds all values: prices in ticks nearly always fit 32 bits, and a pixel never needs more digits than a
    float32 has."""
    if base.first.dtype.kind == "f":
        reach = max(np.fmax.reduce(base.high, initial=0), -np.fmin.reduce(base.low, initial=0))
        return np.float32 if reach < LARGEST else np.float64
    reach = max(abs(int(base.high.max())), abs(int(base.low.min()))) if len(base.first) else 0
    return np.int32 if reach < 2**30 else np.int64


def _folds(column: Values) -> tuple[Any, Any]:
    """Of floats the ones that pass over NaN."""
    return (np.fmax, np.fmin) if column.dtype.kind == "f" else (np.maximum, np.minimum)


def _groups(count: int) -> int:
    return -(-count // FACTOR)


def _fill(level: Level, below: Level, start: int) -> None:
    """Groups `start` and on of a level, from the bars below."""
    count = len(below.first)
    whole = count // FACTOR
    body = slice(start * FACTOR, whole * FACTOR)
    high, low = _folds(below.high)
    if start < whole:
        level.first[start:whole] = below.first[body][::FACTOR]
        level.last[start:whole] = below.last[body][FACTOR - 1 :: FACTOR]
        level.high[start:whole] = _four(high, below.high[body])
        level.low[start:whole] = _four(low, below.low[body])
    if whole * FACTOR < count:
        rest = below.cut(whole * FACTOR, count)
        for column, value in zip(level, (rest.first[0], high.reduce(rest.high), low.reduce(rest.low), rest.last[-1]), strict=True):
            column[whole] = value


def _four(fold: Fold, column: Values) -> Values:
    """Strided halves: many times as fast as reducing rows of four."""
    halves = fold(column[0::2], column[1::2])
    return fold(halves[0::2], halves[1::2])


def _grown(level: Level, groups: int) -> Level:
    """The same memory, a little more of it, where there is room."""
    return Level(*(_grown_column(column, groups) for column in level))


def _grown_column(column: Values, groups: int) -> Values:
    memory = column if column.base is None else column.base
    if groups <= len(memory):
        return np.asarray(memory[:groups])
    larger = np.empty(groups + groups // SLACK + FACTOR, column.dtype)
    larger[: len(column)] = column
    return larger[:groups]
