"""Candles of one symbol as integer columns, checked by whoever read them; `timestamp` is a bar's open in microseconds UTC."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sptrader_desktop.core.instruments import Instrument

Int64Array = NDArray[np.int64]
PriceSide = Literal["bid", "mid", "ask"]


@dataclass(frozen=True, slots=True, eq=False)
class Prices:
    """Open, high, low and close in ticks, equally long."""

    open: Int64Array
    high: Int64Array
    low: Int64Array
    close: Int64Array


@dataclass(frozen=True, slots=True, eq=False)
class Candles:
    """`ask` holds the real ask prices of bid candles when the source has them; else a fixed spread gives that side.

    `asked` is the range [start, end) that somebody wanted, open where it is None: bars may be missing before the first and after the last.
    """

    instrument: Instrument
    timeframe: str
    bar_us: int
    timestamp: Int64Array
    prices: Prices
    side: PriceSide = "bid"
    ask: Prices | None = None
    volume: NDArray[np.float64] | None = None
    source: str = ""
    fingerprint: str = ""
    asked: tuple[int | None, int | None] = (None, None)
    is_synthetic: bool = False

    def __len__(self) -> int:
        return len(self.timestamp)

    @property
    def symbol(self) -> str:
        return self.instrument.symbol
