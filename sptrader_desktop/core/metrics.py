"""How well a run did: every figure from its trades, its equity and the instants at which bars opened, and nothing else.

Money is an integer of 1e-8, ratios are floats. What has no answer (a win rate without trades, a Sharpe ratio of a flat line) is
None: no figure is ever infinite or not a number. Each definition stands at the line that computes it, with what other tools do.
"""

from dataclasses import dataclass

import numpy as np

from sptrader_desktop.core.calendar import NEW_YORK_CLOSE, Roll
from sptrader_desktop.core.candles import Int64Array
from sptrader_desktop.core.metrics_daily import DailyEquity, DailyMetrics, annualised, daily_equity, measure_days, years_between
from sptrader_desktop.core.metrics_drawdown import Drawdown, deepest_drawdown
from sptrader_desktop.core.metrics_periods import Period, by_year_and_month
from sptrader_desktop.core.metrics_trades import SessionTrades, TradeMetrics, Trades, by_session, measure_trades


@dataclass(frozen=True, slots=True, eq=False)
class EquityCurve:
    """One `equity` per instant in `closed`, at which bars closed; `opened` are the instants at which any bar opened. Both ascend.

    With one symbol they are as long as its candles (`of_one_symbol`); with several they are the union over all of them.
    """

    opened: Int64Array
    closed: Int64Array
    equity: Int64Array
    of_one_symbol: bool = False


@dataclass(frozen=True, slots=True)
class Metrics:
    start_capital: int
    end_capital: int
    total_pnl: int
    total_return: float
    cagr: float | None
    calmar: float | None
    exposure: float | None
    drawdown: Drawdown
    daily: DailyMetrics
    trades: TradeMetrics
    by_year: tuple[Period, ...]
    by_month: tuple[Period, ...]
    by_session: tuple[SessionTrades, ...]


def measure(trades: Trades, curve: EquityCurve, capital: int, every_day: bool = False, roll: Roll = NEW_YORK_CLOSE) -> Metrics:
    """`trades` are rows of `records.TRADE`; `every_day` says that something traded is charged every day: its weekends count as days."""
    days = daily_equity(curve.opened, curve.closed, curve.equity, every_day, roll)
    end = int(curve.equity[-1]) if len(curve.equity) else capital
    daily = measure_days(days, capital, every_day)
    years, months = by_year_and_month(days, capital, trades, roll)
    return Metrics(
        start_capital=capital,
        end_capital=end,
        # Open positions count: it equals the trades' net profit only once everything is closed.
        total_pnl=end - capital,
        total_return=(end - capital) / capital,
        cagr=_cagr(days, end, capital),
        calmar=_calmar(daily),
        exposure=_exposure(trades, curve),
        drawdown=deepest_drawdown(curve.closed, curve.equity, capital, int(curve.opened[0]) if len(curve.opened) else 0),
        daily=daily,
        trades=measure_trades(trades),
        by_year=years,
        by_month=months,
        by_session=by_session(trades),
    )


def _cagr(days: DailyEquity, end: int, capital: int) -> float | None:
    """By the calendar: years of 365.25 days between the first and the last trading day, as ffn. `daily.cagr` counts returns instead."""
    return annualised(end / capital, years_between(days))


def _calmar(daily: DailyMetrics) -> float | None:
    """Both from daily equity, as empyrical, quantstats and vectorbt; ffn takes the calendar's growth, backtesting.py bars' drawdown."""
    if daily.cagr is None or not daily.drawdown.depth:
        return None
    return daily.cagr / daily.drawdown.depth


def _exposure(trades: Trades, curve: EquityCurve) -> float | None:
    """The share of recorded instants whose bar saw a position, the bars of entry and exit included (as backtesting.py), overlaps once."""
    if not len(curve.closed):
        return None
    first, past = _bars_held(trades, curve)
    # With both in order, no position is left where the next entry comes after as many exits as there were entries.
    is_gap = first[1:] >= past[:-1]
    covered = past[np.append(is_gap, True)[: len(past)]].sum() - first[np.append(True, is_gap)[: len(first)]].sum()
    return int(covered) / len(curve.closed)


def _bars_held(trades: Trades, curve: EquityCurve) -> tuple[Int64Array, Int64Array]:
    """First instants and those one past the last, each in order. Of one symbol the trades know their bars; else they are looked up."""
    if curve.of_one_symbol:
        return np.sort(trades["entry_bar"]), np.sort(trades["exit_bar"]) + 1
    first = np.searchsorted(curve.closed, np.sort(trades["entry_time"]), side="right")
    # One past the first close after the exit's bar opened, which is that bar's own close.
    past = np.searchsorted(curve.closed, np.sort(trades["exit_time"]), side="right") + 1
    return first.astype(np.int64), np.minimum(past, len(curve.closed)).astype(np.int64)
