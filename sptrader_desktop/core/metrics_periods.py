"""Results by year and month. Equity is counted from trading day to trading day, so the rows add up to the whole run."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sptrader_desktop.core.calendar import Roll, trading_day
from sptrader_desktop.core.candles import Int64Array
from sptrader_desktop.core.metrics_daily import DailyEquity
from sptrader_desktop.core.metrics_trades import Trades, net_results


@dataclass(frozen=True, slots=True)
class Period:
    """`name` is 2018 or 2018-07. `pnl` and `growth` are of equity, against the end of the period before; growth is None on a base of
    zero or less. Trades count where they closed."""

    name: str
    pnl: int
    growth: float | None
    trades: int
    winning: int


def by_year_and_month(daily: DailyEquity, capital: int, trades: Trades, roll: Roll) -> tuple[tuple[Period, ...], tuple[Period, ...]]:
    closed, is_won = trading_day(trades["exit_time"], roll), net_results(trades) > 0
    return _by("datetime64[Y]", daily, capital, closed, is_won), _by("datetime64[M]", daily, capital, closed, is_won)


def _by(unit: str, daily: DailyEquity, capital: int, closed: Int64Array, is_won: NDArray[np.bool_]) -> tuple[Period, ...]:
    if not len(daily.days):
        return ()
    periods = daily.days.astype("datetime64[D]").astype(unit)
    last = np.append(np.flatnonzero(periods[1:] != periods[:-1]), len(periods) - 1)
    ends = daily.equity[last].tolist()
    bases = [capital, *ends[:-1]]
    # A trade belongs to the first period that does not end before it.
    period = np.minimum(np.searchsorted(daily.days[last], closed), len(last) - 1)
    counts = np.bincount(period, minlength=len(last)).tolist()
    won = np.bincount(period[is_won], minlength=len(last)).tolist()
    return tuple(
        Period(str(name), end - base, (end - base) / base if base > 0 else None, trades, winning)
        for name, base, end, trades, winning in zip(periods[last], bases, ends, counts, won, strict=True)
    )
