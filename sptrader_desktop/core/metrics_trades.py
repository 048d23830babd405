"""Figures from the list of trades. A trade's result is net: gross profit less commission, plus financing."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sptrader_desktop.core.calendar import HOUR_US, SESSION_NAMES, session_of
from sptrader_desktop.core.candles import Int64Array
from sptrader_desktop.core.money import round_ratio
from sptrader_desktop.core.records import LONG, SHORT

Trades = NDArray[Any]


@dataclass(frozen=True, slots=True)
class TradeMetrics:
    """Each row of the list is one trade, a part closed included. One that made nothing is neither winning nor losing, but counts in
    rates and averages. Percentages are 100 × net / entry notional. Losses and financing paid are negative, commission is positive.
    """

    total: int
    winning: int
    losing: int
    long: int
    short: int
    ambiguous: int
    resolved: int
    net_pnl: int
    gross_profit: int
    gross_loss: int
    commission: int
    financing: int
    best: int | None
    worst: int | None
    best_percent: float | None
    worst_percent: float | None
    average_win: int | None
    average_loss: int | None
    win_rate: float | None
    profit_factor: float | None
    profit_factor_returns: float | None
    expectancy: int | None
    expectancy_percent: float | None
    payoff: float | None
    sqn: float | None
    average_hours: float | None
    longest_hours: float | None


@dataclass(frozen=True, slots=True)
class SessionTrades:
    session: str
    trades: int
    winning: int
    pnl: int
    win_rate: float | None


def net_results(trades: Trades) -> Int64Array:
    net: Int64Array = trades["gross"] - trades["commission"] + trades["financing"]
    return net


def percent_results(net: Int64Array, notional: Int64Array) -> NDArray[np.float64]:
    """A notional that rounds to nothing has no percentage and counts as 0."""
    percent = np.zeros(len(net))
    np.divide(100.0 * net, notional, out=percent, where=notional > 0)
    return percent


def exact_sum(values: Int64Array) -> int:
    """Wins alone, or losses alone, can be more than 64 bits hold where their sum is a modest result: numpy would wrap in silence."""
    return (int((values >> 32).sum()) << 32) + int((values & 0xFFFFFFFF).sum())


def measure_trades(trades: Trades) -> TradeMetrics:
    count = len(trades)
    net = net_results(trades)
    percent = percent_results(net, trades["entry_notional"])
    winning, losing = int((net > 0).sum()), int((net < 0).sum())
    profit, loss = exact_sum(net[net > 0]), exact_sum(net[net < 0])
    # Between the open stamps of the bars of entry and exit: a trade that lived inside one bar has held for 0 hours.
    hours = (trades["exit_time"] - trades["entry_time"]) / HOUR_US
    return TradeMetrics(
        total=count,
        winning=winning,
        losing=losing,
        long=int((trades["side"] == LONG).sum()),
        short=int((trades["side"] == SHORT).sum()),
        ambiguous=int((trades["ambiguous"] != 0).sum()),
        resolved=int((trades["resolved"] != 0).sum()),
        net_pnl=profit + loss,
        gross_profit=profit,
        gross_loss=loss,
        commission=exact_sum(trades["commission"]),
        financing=exact_sum(trades["financing"]),
        best=int(net.max()) if count else None,
        worst=int(net.min()) if count else None,
        best_percent=float(percent.max()) if count else None,
        worst_percent=float(percent.min()) if count else None,
        average_win=round_ratio(profit, winning) if winning else None,
        average_loss=round_ratio(loss, losing) if losing else None,
        win_rate=winning / count if count else None,
        # Of money. backtesting.py's profit factor is the one of returns.
        profit_factor=profit / -loss if loss else None,
        profit_factor_returns=_profit_factor(percent),
        expectancy=round_ratio(profit + loss, count) if count else None,
        # The plain mean; backtesting.py's average trade is the geometric one.
        expectancy_percent=float(percent.mean()) if count else None,
        payoff=(profit * losing) / (-loss * winning) if winning and losing else None,
        sqn=_sqn(net),
        average_hours=float(hours.mean()) if count else None,
        longest_hours=float(hours.max()) if count else None,
    )


def by_session(trades: Trades) -> tuple[SessionTrades, ...]:
    """By the session in which the bar of entry opened; always a row for each."""
    sessions, net = session_of(trades["entry_time"]), net_results(trades)
    rows = []
    for code, name in enumerate(SESSION_NAMES):
        part = net[sessions == code]
        winning = int((part > 0).sum())
        rows.append(SessionTrades(name, len(part), winning, exact_sum(part), winning / len(part) if len(part) else None))
    return tuple(rows)


def _profit_factor(results: NDArray[np.float64]) -> float | None:
    loss = float(results[results < 0].sum())
    return float(results[results > 0].sum()) / -loss if loss else None


def _sqn(net: Int64Array) -> float | None:
    """Mean over deviation (ddof 1) of the results in money, times the root of the count. Van Tharp caps the count at 100, we do not."""
    if len(net) < 2 or net.min() == net.max():
        return None
    return float(net.mean()) / float(net.std(ddof=1)) * math.sqrt(len(net))
