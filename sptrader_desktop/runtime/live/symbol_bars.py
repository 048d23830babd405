"""The closed bars of one symbol, as many as its components need, as columns that grow in place."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sptrader_desktop.core.candles import Candles, Prices
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.instruments import Instrument
from sptrader_desktop.core.timeframes import parse_timeframe
from sptrader_desktop.runtime.live.bars_from_prices import Bar, Four

LEAST = 64
NO_ASK = Four(0, 0, 0, 0)
# Columns of whole numbers: opens, four prices, four asks.
WIDTH = 9


class SymbolBars:
    """`keep` of the last bars; None keeps all. Bars of two sides are never held together: those of the last stay. An ask is told where all
    have one, since a source knows none of what prices had later."""

    def __init__(self, instrument: Instrument, timeframe: str, keep: int | None = None) -> None:
        self.instrument, self.timeframe, self.keep = instrument, timeframe, keep
        self.length_us = parse_timeframe(timeframe)
        self.last: Bar | None = None
        self._rows: NDArray[np.int64] = np.empty((LEAST, WIDTH), np.int64)
        self._volume: NDArray[np.float64] = np.empty(LEAST)
        self._first, self._end = 0, 0

    def __len__(self) -> int:
        return self._end - self._first

    def append(self, bar: Bar) -> None:
        if self.last is not None and bar.opens <= self.last.opens:
            raise DataError(
                f"{bar.symbol} {bar.timeframe}: a bar of {bar.opens} comes after one of {self.last.opens}: stop whoever sends it"
            )
        if self.last is not None and bar.side != self.last.side:
            self.clear()
        if self._end == len(self._rows):
            self._make_room()
        self._rows[self._end] = (bar.opens, *bar.prices, *(bar.ask or NO_ASK))
        self._volume[self._end] = bar.volume
        self._end += 1
        self.last = bar
        if self.keep is not None:
            self._first = max(self._first, self._end - self.keep)

    def clear(self) -> None:
        self._first, self._end, self.last = 0, 0, None

    def forget_since(self, opens: int) -> None:
        """Those that opened then or later were made by a clock that was wrong."""
        self._end = self._first + int(np.searchsorted(self._rows[self._first : self._end, 0], opens))
        if self.last is not None and self.last.opens >= opens:
            at, volume = self._rows[self._end - 1].tolist(), float(self._volume[self._end - 1])
            ask = None if Four(*at[5:9]) == NO_ASK else Four(*at[5:9])
            closes = at[0] + self.length_us
            self.last = replace(self.last, opens=at[0], closes=closes, prices=Four(*at[1:5]), ask=ask, volume=volume) if len(self) else None

    def candles(self, since: int = 0, until: int | None = None) -> Candles:
        """A copy, to be read by another thread: the bars from the one that opens at `since` up to the one that opens at `until`."""
        opens = self._rows[self._first : self._end, 0]
        first = self._first + int(np.searchsorted(opens, since))
        end = self._end if until is None else self._first + int(np.searchsorted(opens, until, side="right"))
        columns = [column.copy() for column in self._rows[first:end].T]
        has_ask = len(columns[5]) > 0 and bool(columns[5].all())
        return Candles(
            self.instrument,
            self.timeframe,
            self.length_us,
            columns[0],
            Prices(*columns[1:5]),
            "bid" if self.last is None else self.last.side,
            Prices(*columns[5:9]) if has_ask else None,
            self._volume[first:end].copy(),
            f"live {self.instrument.symbol} {self.timeframe}",
        )

    def _make_room(self) -> None:
        """Over what was given up, else in twice the room."""
        count = len(self)
        size = max(LEAST, 2 * count)
        rows, volume = np.empty((size, WIDTH), np.int64), np.empty(size)
        rows[:count], volume[:count] = self._rows[self._first : self._end], self._volume[self._first : self._end]
        self._rows, self._volume, self._first, self._end = rows, volume, 0, count
