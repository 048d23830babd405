"""Trades and signals as a chart marks them: equally long columns, so that a hundred thousand are looked through at once."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sptrader_desktop.core.candles import Int64Array
from sptrader_desktop.core.money import FRACTION_ONE
from sptrader_desktop.core.tables import DISTANCE, PERCENTAGE, PRICE

NO_LEVEL = 0  # where a trade had no stop or no target


@dataclass(frozen=True, slots=True, eq=False)
class TradeMarks:
    """Bars of the chart's candles, prices in ticks, `side` +1 long and −1 short, `pnl` net in 1e-8 of the account currency."""

    entry_bar: Int64Array
    entry_price: Int64Array
    exit_bar: Int64Array
    exit_price: Int64Array
    side: Int64Array
    pnl: Int64Array
    stop: Int64Array
    target: Int64Array

    def __len__(self) -> int:
        return len(self.entry_bar)

    def touching(self, first: float, last: float) -> NDArray[np.intp]:
        """The trades that were open on any bar from `first` to `last`."""
        return np.flatnonzero((self.exit_bar >= first - 1) & (self.entry_bar <= last))

    def is_same(self, other: "TradeMarks", first: float, last: float) -> bool:
        """Are the trades of the bars from `first` to `last` the same, whatever they had for a stop and a target, and won or lost alike?"""
        one, two = self.touching(first, last), other.touching(first, last)
        columns = ("entry_bar", "entry_price", "exit_bar", "exit_price", "side")
        is_same = len(one) == len(two) and all(np.array_equal(getattr(self, name)[one], getattr(other, name)[two]) for name in columns)
        return is_same and np.array_equal(self.pnl[one] >= 0, other.pnl[two] >= 0)

    def after(self, bar: int) -> int | None:
        """The trade that was entered next after a bar."""
        later = np.flatnonzero(self.entry_bar > bar)
        return int(later[np.argmin(self.entry_bar[later])]) if len(later) else None

    def before(self, bar: int) -> int | None:
        earlier = np.flatnonzero(self.entry_bar < bar)
        return int(earlier[len(earlier) - 1 - np.argmax(self.entry_bar[earlier][::-1])]) if len(earlier) else None


def trade_marks(trades: NDArray[Any], symbol: int, stop: Int64Array | None = None, target: Int64Array | None = None) -> TradeMarks:
    """From a run's table of trades, those of one symbol; `stop` and `target` by row of that table."""
    rows = trades[trades["symbol"] == symbol]
    none = np.full(len(trades), NO_LEVEL)
    stops, targets = ((none if level is None else level)[trades["symbol"] == symbol] for level in (stop, target))
    pnl = rows["gross"] - rows["commission"] + rows["financing"]
    entry, left = (rows["entry_bar"], rows["entry_price"]), (rows["exit_bar"], rows["exit_price"])
    return TradeMarks(*entry, *left, rows["side"], pnl, stops, targets)


def protective_levels(trades: NDArray[Any], exits: NDArray[Any]) -> tuple[Int64Array, Int64Array]:
    """Stop and target of each trade, from its entry price and the plan's exits (a row for each symbol).

    NO_LEVEL where there is none and where it hung on an ATR, which trades do not tell.
    """
    rows = exits[trades["symbol"]]
    stop, target = (
        _levels(trades["entry_price"], direction * trades["side"], rows[f"{name}_kind"], rows[f"{name}_value"])
        for name, direction in (("stop", -1), ("target", 1))
    )
    return stop, target


def _levels(price: Int64Array, direction: Int64Array, kind: Int64Array, value: Int64Array) -> Int64Array:
    """As the rules round them: to the tick, half to even."""
    scaled = price * (FRACTION_ONE + direction * value)
    whole, rest = np.divmod(scaled, FRACTION_ONE)
    is_more = (2 * rest > FRACTION_ONE) | ((2 * rest == FRACTION_ONE) & (whole % 2 == 1))
    found = [whole + is_more, price + direction * value, value]
    return np.asarray(np.select([kind == PERCENTAGE, kind == DISTANCE, kind == PRICE], found, NO_LEVEL), np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class SignalMarks:
    """One signal's events: `direction` +1 points up and is drawn below its bar, −1 down and above, 0 neither."""

    name: str
    bar: Int64Array
    direction: Int64Array
