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
            slippage = result.job.plan.symbols[symbol]["slippage"] * (orders["kind"][own] == STOP)
            raw = _prices(result, symbol, -side)
            opens[own] = raw.open[fills["bar"][own]] + raw.shift + side * slippage
    at_open = np.where(is_market, result.request.terms.fill != "close", fills["price"] == opens)
    order = np.argsort(fills["position"], kind="stable")
    place = order[np.searchsorted(fills["position"][order], outcome.trades["position"])] if len(order) else order
    return np.asarray(at_open[place])


def _extremes(result: "Result", symbol: int, side: int, own: NDArray[np.intp], first: Ints, past: Ints) -> tuple[Ints, Ints]:
    trades = result.outcome.trades[own]
    raw = _prices(result, symbol, side)
    entry, left = trades["entry_price"], trades["exit_price"]
    lowest, highest = np.minimum(entry, left), np.maximum(entry, left)
    # Whoever held when the bar opened saw its open, whatever came after; a part closed twice in one bar too.
    held = trades["exit_bar"] >= first
    at_open = np.where(held, raw.open[trades["exit_bar"]] + raw.shift, entry)
    lowest, highest = np.minimum(lowest, at_open), np.maximum(highest, at_open)
    long = np.flatnonzero(past > first)
    if len(long):
        last = past[long] - 1
        bounds = np.stack([first[long], last], axis=1).ravel()
        lows = np.minimum(np.minimum.reduceat(raw.low, bounds)[::2], raw.low[last])
        highs = np.maximum(np.maximum.reduceat(raw.high, bounds)[::2], raw.high[last])
        lowest[long], highest[long] = np.minimum(lowest[long], lows + raw.shift), np.maximum(highest[long], highs + raw.shift)
    return lowest, highest


class _Raw(NamedTuple):
    """Columns as they are kept, and what turns them into the prices of one side."""

    open: Ints
    high: Ints
    low: Ints
    shift: int


def _prices(result: "Result", symbol: int, side: int) -> _Raw:
    """At which a position of that side would be closed."""
    tape, terms = result.job.tape, result.job.plan.symbols[symbol]
    rows = slice(int(tape.start[symbol]), int(tape.start[symbol + 1]))
    if side == LONG:
        return _Raw(tape.open[rows], tape.high[rows], tape.low[rows], int(terms["bid_shift"]))
    return _Raw(tape.ask_open[rows], tape.ask_high[rows], tape.ask_low[rows], int(terms["ask_shift"]))
