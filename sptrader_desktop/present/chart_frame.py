"""Where bars and values lie on a picture: the one home of the arithmetic between them and pixels.

Bar i covers i to i + 1 on the horizontal axis, whatever its time: weekends take no room.
"""

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Drawn = TypeVar("Drawn", float, NDArray[np.float64])
LARGEST = 300.0  # powers of ten; a float holds a few more


@dataclass(frozen=True, slots=True)
class Frame:
    """`width` × `height` device pixels that show the bars from `first` to `last` and the values from `low` to `high`.

    On a logarithmic scale `low` and `high` are logarithms. `scale` is the device pixels of a logical one.
    """

    width: int
    height: int
    first: float
    last: float
    low: float
    high: float
    is_log: bool = False
    is_inverted: bool = False
    scale: float = 1.0

    @property
    def bar_px(self) -> float:
        return self.width / (self.last - self.first)

    @property
    def line_px(self) -> int:
        """The width of a line of one logical pixel."""
        return max(1, round(self.scale))

    @property
    def columns(self) -> float:
        """Where bars are narrower than a line, all of those in a column as wide as a line are drawn as one."""
        return self.width / self.line_px

    def x(self, bars: Array) -> NDArray[np.float64]:
        return np.asarray((bars - self.first) * self.bar_px)

    def y(self, values: Array) -> NDArray[np.float64]:
        """Rows may lie far outside; they are kept within what 32 bits hold."""
        return np.clip(self._row(to_scale(values, self.is_log)), -self.height, 2 * self.height)

    def x_of(self, bar: float) -> float:
        return (bar - self.first) * self.bar_px

    def y_of(self, value: float) -> float:
        """The same of one value: without numpy's detours, since a frame asks for a hundred."""
        row = self._row(to_scale(np.array(value), is_log=True).item() if self.is_log else value)
        return min(max(row, -self.height), 2.0 * self.height)

    def _row(self, drawn: Drawn) -> Drawn:
        share = (drawn - self.low) / (self.high - self.low)
        return (share if self.is_inverted else 1 - share) * self.height

    def bar_at(self, x: float) -> float:
        return self.first + x / self.bar_px

    def value_at(self, y: float) -> float:
        share = y / self.height if self.is_inverted else 1 - y / self.height
        return float(from_scale(self.low + share * (self.high - self.low), self.is_log))


def to_scale(values: Array, is_log: bool) -> NDArray[np.float64]:
    """What is drawn linearly. A logarithmic scale has no place for what is not above zero: it lies below every picture."""
    if not is_log:
        return np.asarray(values, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(np.asarray(values) > 0, np.log10(values), np.where(np.isnan(values), np.nan, -1e6)))


def from_scale(drawn: float, is_log: bool) -> float:
    return float(10.0 ** min(drawn, LARGEST)) if is_log else drawn


@dataclass(frozen=True, slots=True)
class Bars:
    """The horizontal range: from `first` to `last`, of `count` bars that exist. Every move keeps some bar in sight."""

    first: float
    last: float
    count: int

    LEAST = 8.0  # bars that are always shown
    MARGIN = 0.03  # of the width, free after the newest bar

    @property
    def span(self) -> float:
        return self.last - self.first

    @property
    def most(self) -> float:
        """The span that shows all there are, with the margin."""
        return max(self.LEAST, self.count / (1 - self.MARGIN))

    @classmethod
    def newest(cls, count: int, shown: float) -> "Bars":
        return cls(count - shown, float(count), count).zoomed(1.0, count).moved(shown)

    def moved(self, bars: float) -> "Bars":
        return Bars(self.first + bars, self.last + bars, self.count).held()

    def zoomed(self, factor: float, at: float) -> "Bars":
        """`factor` below 1 shows fewer bars; what is at `at` stays where it is."""
        factor = min(max(factor, self.LEAST / self.span), self.most / self.span)
        return Bars(at + (self.first - at) * factor, at + (self.last - at) * factor, self.count).held()

    def showing(self, bar: int) -> "Bars":
        """The same where the bar is in sight, else with the bar in the middle."""
        if self.first <= bar and bar + 1 <= self.last:
            return self
        return Bars(bar + 0.5 - self.span / 2, bar + 0.5 + self.span / 2, self.count).held()

    def held(self) -> "Bars":
        """No empty space before the first bar, and only a margin after the newest."""
        first = max(0.0, min(self.first, self.count + self.span * self.MARGIN - self.span))
        return Bars(first, first + self.span, self.count)
