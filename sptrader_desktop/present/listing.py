"""A table of what happened in a run, and which bars each of its rows is about: what links tables and charts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sptrader_desktop.present.columns import Columns, Rows
from sptrader_desktop.present.selection import BarAt

if TYPE_CHECKING:
    from sptrader_desktop.core.results import Result

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """Row i is about the bars of `symbols[symbol[i]]` that opened in [first[i], last[i]], microseconds UTC."""

    table: Columns
    symbols: tuple[str, ...]
    symbol: Ints
    first: Ints
    last: Ints

    def __len__(self) -> int:
        return len(self.symbol)

    def bar_of(self, row: int) -> BarAt:
        return BarAt(self.symbols[self.symbol[row]], int(self.first[row]))

    def rows_at(self, bar: BarAt) -> Rows:
        """Those that begin on the bar, then those it lies within."""
        if bar.symbol not in self.symbols:
            return np.empty(0, np.intp)
        own = self.symbol == self.symbols.index(bar.symbol)
        found = np.flatnonzero(own & (self.first <= bar.stamp) & (bar.stamp <= self.last))
        return found[np.argsort(self.first[found] != bar.stamp, kind="stable")]


def symbols_of(result: "Result") -> tuple[str, ...]:
    return tuple(candles.symbol for candles in result.request.traded)


def stamps_of(result: "Result", symbol: Any, bar: Any) -> Ints:
    """Opens of bars, by arrays of symbols and of places in their candles."""
    found = np.zeros(len(bar), np.int64)
    for place, candles in enumerate(result.request.traded):
        own = np.asarray(symbol) == place
        found[own] = candles.timestamp[np.asarray(bar)[own]]
    return found


def codes(values: Sequence[object] | NDArray[Any]) -> tuple[Ints, list[str]]:
    """Texts as places in the list of those that occur."""
    known: dict[str, int] = {}
    places = np.fromiter((known.setdefault(str(value), len(known)) for value in values), np.int64, len(values))
    return places, list(known)
