"""How far the market went against and for each trade while it was open, in ticks of the side at which the trade would have been closed.

Counted are the prices the position certainly saw: whole bars between, the bar of an entry at its open, the bar of an exit at its
close, and both fills. Of a bar that was entered or left inside, only the fill itself is certain; the open of the exit's bar is too.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sptrader_desktop.core.records import END_OF_DATA, LONG, MARKET, REVERSE, SIGNAL_EXIT, STOP, TIME_EXIT

if TYPE_CHECKING:
    from sptrader_desktop.core.results import Result

Ints = NDArray[np.int64]


class Excursions(NamedTuple):
    """For each trade in ticks: `adverse` is zero or below, `favourable` zero or above."""

    adverse: Ints
    favourable: Ints


def excursions(result: "Result") -> Excursions:
    trades = result.outcome.trades
    low, high = np.zeros(len(trades), np.int64), np.zeros(len(trades), np.int64)
    first, past = _whole_bars(result)
    for symbol in range(len(result.request.traded)):
        for side in (LONG, -LONG):
            own = np.flatnonzero((trades["symbol"] == symbol) & (trades["side"] == side))
            if len(own):
                low[own], high[own] = _extremes(result, symbol, side, own, first[own], past[own])
    entry, is_long = trades["entry_price"], trades["side"] == LONG
    down, up = np.minimum(low - entry, 0), np.maximum(high - entry, 0)
    return Excursions(np.where(is_long, down, -up), np.where(is_long, up, -down))


def _whole_bars(result: "Result") -> tuple[Ints, Ints]:
    """[first, past) of the bars a position saw from open to close."""
    trades, terms = result.outcome.trades, result.request.terms
    first = trades["entry_bar"] + np.where(_entered_at_open(result), 0, 1)
    at_close = trades["reason"] == END_OF_DATA
    if terms.fill == "close":
        at_close |= np.isin(trades["reason"], (SIGNAL_EXIT, REVERSE, TIME_EXIT))
    return first, np.maximum(trades["exit_bar"] + np.where(at_close, 1, 0), first)


def _entered_at_open(result: "Result") -> NDArray[np.bool_]:
    """A market order fills at the open unless fills are at the close; another does where its bar opened beyond the level."""
    outcome = result.outcome
    fills = outcome.fills[outcome.fills["reason"] < 0]
    orders = outcome.orders[fills["order"]]
    is_market = orders["kind"] == MARKET
    opens = np.empty(len(fills), np.int64)
    for symbol in range(len(result.request.traded)):
        for side in (LONG, -LONG):
            own = (fills["symbol"] == symbol) & (fills["side"] == side)
            open_, _, _ = _prices(result, symbol, -side)
            opens[own] = open_[fills["bar"][own]] + side * result.job.plan.symbols[symbol]["slippage"] * (orders["kind"][own] == STOP)
    at_open = np.where(is_market, result.request.terms.fill != "close", fills["price"] == opens)
    order = np.argsort(fills["position"], kind="stable")
    place = order[np.searchsorted(fills["position"][order], outcome.trades["position"])] if len(order) else order
    return np.asarray(at_open[place])


def _extremes(result: "Result", symbol: int, side: int, own: NDArray[np.intp], first: Ints, past: Ints) -> tuple[Ints, Ints]:
    trades = result.outcome.trades[own]
    open_, high, low = _prices(result, symbol, side)
    entry, left = trades["entry_price"], trades["exit_price"]
    lowest, highest = np.minimum(entry, left), np.maximum(entry, left)
    held = trades["exit_bar"] >= first
    at_open = np.where(held, open_[trades["exit_bar"]], entry)
    lowest, highest = np.minimum(lowest, at_open), np.maximum(highest, at_open)
    has_bars = np.flatnonzero(past > first)
    if len(has_bars):
        bounds = np.stack([first[has_bars], past[has_bars]], axis=1).ravel()
        lowest[has_bars] = np.minimum(lowest[has_bars], np.minimum.reduceat(np.append(low, low[-1:]), bounds)[::2])
        highest[has_bars] = np.maximum(highest[has_bars], np.maximum.reduceat(np.append(high, high[-1:]), bounds)[::2])
    return lowest, highest


def _prices(result: "Result", symbol: int, side: int) -> tuple[Ints, Ints, Ints]:
    """Open, high and low at which a position of that side would be closed."""
    tape, terms = result.job.tape, result.job.plan.symbols[symbol]
    rows = slice(int(tape.start[symbol]), int(tape.start[symbol + 1]))
    if side == LONG:
        shift, columns = terms["bid_shift"], (tape.open, tape.high, tape.low)
    else:
        shift, columns = terms["ask_shift"], (tape.ask_open, tape.ask_high, tape.ask_low)
    open_, high, low = (column[rows] + shift for column in columns)
    return open_, high, low
