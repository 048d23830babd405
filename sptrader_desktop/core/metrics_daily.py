"""Figures from one equity value a trading day: what Sharpe, Sortino and their like mean everywhere, whatever the timeframe of the run."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sptrader_desktop.core.calendar import DAY_US, Roll, day_starts, week_trading_day
from sptrader_desktop.core.candles import Int64Array
from sptrader_desktop.core.metrics_drawdown import Drawdown, deepest_drawdown, drawdown_series

Floats = NDArray[np.float64]

# How many daily returns make a year: days of the week without holidays, or all of them. Other tools assume 252 whatever is traded.
DAYS_PER_YEAR = 252
EVERY_DAY_PER_YEAR = 365
CALENDAR_YEAR = 365.25
LARGEST_EXPONENT = 700.0


@dataclass(frozen=True, slots=True, eq=False)
class DailyEquity:
    """Trading days with bars, ascending, and the last equity of each."""

    days: Int64Array
    equity: Int64Array


@dataclass(frozen=True, slots=True)
class DailyMetrics:
    """`returns` are (day since 1970-01-01, return) from the second day on.

    Ruin, an equity of zero or less, ends them, for what follows has no base; the figures made of them are None then.
    """

    days_per_year: int
    days: int
    returns: tuple[tuple[int, float], ...]
    cagr: float | None
    volatility: float | None
    sharpe: float | None
    sortino: float | None
    tail_ratio: float | None
    best: float | None
    worst: float | None
    ulcer_index: float | None
    drawdown: Drawdown


def daily_equity(opened: Int64Array, closed: Int64Array, equity: Int64Array, every_day: bool, roll: Roll) -> DailyEquity:
    """An equity belongs to the day on which its bar opened: a bar that closes at 17:00, or is longer than what is left of the day, ends it.

    Unless `every_day`, Saturday and Sunday count to Monday: sources have stray bars then, and each would make a day of no return.
    """
    days, starts = day_starts(opened, roll)
    # At one instant closes come before opens: the close at a day's first open still belongs to the day before.
    bounds = np.append(np.searchsorted(closed, opened[starts], side="right"), len(closed))
    has_equity = bounds[1:] > bounds[:-1]
    daily = DailyEquity(days[has_equity], equity[bounds[1:][has_equity] - 1])
    return daily if every_day else week_days(daily)


def week_days(daily: DailyEquity) -> DailyEquity:
    """All seven days as those of a market that is closed at weekends."""
    days = week_trading_day(daily.days)
    is_last = np.append(days[1:] != days[:-1], True)[: len(days)]
    return DailyEquity(days[is_last], daily.equity[is_last])


def measure_days(daily: DailyEquity, capital: int, every_day: bool) -> DailyMetrics:
    year = _days_per_year(every_day)
    returns = _returns(daily.equity)
    whole = _whole(returns, daily)
    # Days stand for themselves as midnights: a daily drawdown lasts whole days.
    stamps = daily.days * DAY_US
    return DailyMetrics(
        days_per_year=year,
        days=len(daily.days),
        returns=tuple(zip(daily.days[1 : len(returns) + 1].tolist(), returns.tolist(), strict=True)),
        # The capital against the last day, in as many years as there are daily returns: empyrical's and quantstats' annual return.
        cagr=annualised(int(daily.equity[-1]) / capital, len(whole) / year) if len(whole) else None,
        volatility=_deviation(whole) * math.sqrt(year) if len(whole) > 1 else None,
        sharpe=_sharpe(whole, year),
        sortino=_sortino(whole, year),
        tail_ratio=_tail_ratio(whole),
        best=float(whole.max()) if len(whole) else None,
        worst=float(whole.min()) if len(whole) else None,
        ulcer_index=_ulcer_index(daily.equity, capital),
        drawdown=deepest_drawdown(stamps, daily.equity, capital, int(stamps[0]) if len(stamps) else 0),
    )


def sharpe_ratio(daily: DailyEquity, every_day: bool) -> float | None:
    """The same figure alone, for those who run a thousand times and read nothing else."""
    return _sharpe(_whole(_returns(daily.equity), daily), _days_per_year(every_day))


def _days_per_year(every_day: bool) -> int:
    return EVERY_DAY_PER_YEAR if every_day else DAYS_PER_YEAR


def _whole(returns: Floats, daily: DailyEquity) -> Floats:
    """A list that ruin cut short says nothing about the whole run."""
    return returns if len(returns) == len(daily.equity) - 1 else returns[:0]


def years_between(daily: DailyEquity) -> float:
    return int(daily.days[-1] - daily.days[0]) / CALENDAR_YEAR if len(daily.days) else 0.0


def annualised(growth: float, years: float) -> float | None:
    """None for a lost account, for no time at all, and for what a float cannot hold: a good hour makes no annual rate."""
    if growth <= 0 or years <= 0:
        return None
    exponent = math.log(growth) / years
    return math.expm1(exponent) if exponent < LARGEST_EXPONENT else None


def _returns(equity: Int64Array) -> Floats:
    """From day to day, the first being the second day against the first, as pct_change does: the first day's own result is in no return."""
    ruined = np.flatnonzero(equity <= 0)
    alive = equity[: ruined[0] + 1] if len(ruined) else equity
    # The difference is taken in integers: equal growth gives equal returns, to the bit.
    return np.diff(alive) / alive[:-1]


def _deviation(returns: Floats) -> float:
    """Of a sample (ddof 1). Equal returns deviate by nothing, where the mean's rounding would say 1e-19."""
    return float(returns.std(ddof=1)) if np.ptp(returns) > 0 else 0.0


def _sharpe(returns: Floats, year: int) -> float | None:
    """Mean over deviation, without a risk-free rate. backtesting.py divides the annual growth instead and gets another figure."""
    if len(returns) < 2 or not (deviation := _deviation(returns)):
        return None
    return float(returns.mean()) / deviation * math.sqrt(year)


def _sortino(returns: Floats, year: int) -> float | None:
    """Mean over downside deviation, which is the root mean square of the losses over all days, days without loss counting as zero."""
    if not len(returns) or returns.min() >= 0:
        return None
    downside = math.sqrt(float(np.square(np.minimum(returns, 0.0)).mean()))
    return float(returns.mean()) / downside * math.sqrt(year)


def _tail_ratio(returns: Floats) -> float | None:
    """The 95th percentile of daily returns over the 5th, both as magnitudes, interpolated linearly between days."""
    if not len(returns):
        return None
    low, high = np.abs(np.percentile(returns, (5, 95)))
    return float(high / low) if low > 0 else None


def _ulcer_index(equity: Int64Array, capital: int) -> float | None:
    """Root mean square of the daily drawdowns, as fractions (Martin). quantstats divides by one day less."""
    if not len(equity):
        return None
    return math.sqrt(float(np.square(drawdown_series(equity, capital)).mean()))
