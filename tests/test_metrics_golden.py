"""Metrics against what other programs computed from the same trades and the same equity."""

import csv
import json
import math
import statistics
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from sptrader_desktop.core.calendar import HOUR_US
from sptrader_desktop.core.metrics import EquityCurve, Metrics, measure
from sptrader_desktop.core.metrics_daily import annualised
from sptrader_desktop.core.money import MONEY_ONE
from sptrader_desktop.core.records import TRADE

CAPITAL = 10_000 * MONEY_ONE


def near(expected: float) -> Any:
    return pytest.approx(expected, rel=1e-12, abs=0)


def golden_times(column: list[str]) -> Any:
    return np.array(column, "datetime64[us]").astype(np.int64)


@pytest.fixture(scope="module")
def golden(reference: Path) -> dict[str, Any]:
    results: dict[str, Any] = json.loads((reference / "golden/metrics/metrics_golden.json").read_text())["A"]
    return results


@pytest.fixture(scope="module")
def measured(reference: Path) -> Metrics:
    """EURUSD, 10,000 units a trade: a tick of 0.00001 is 0.1 in money, so every figure of the files is a whole number of these."""
    folder = reference / "golden/metrics"
    with (folder / "metrics_A_trades.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    trades = np.zeros(len(rows), TRADE)
    trades["side"] = 1
    for name in ("entry_time", "exit_time"):
        trades[name] = golden_times([row[name] for row in rows])
    trades["gross"] = [round(float(row["pnl"]) * 10) * MONEY_ONE // 10 for row in rows]
    trades["entry_notional"] = [round(float(row["entry_price"]) * 100_000) * MONEY_ONE // 10 for row in rows]
    hourly = pq.read_table(folder / "metrics_A_equity_hourly.parquet")
    opened = hourly["timestamp"].to_numpy().astype("datetime64[us]").astype(np.int64)
    equity = np.round(hourly["equity"].to_numpy() * 10).astype(np.int64) * (MONEY_ONE // 10)
    return measure(trades, EquityCurve(opened, opened + HOUR_US, equity), CAPITAL)


def test_the_golden_days_and_their_returns_are_ours(reference: Path, measured: Metrics, golden: dict[str, Any]) -> None:
    with (reference / "golden/metrics/metrics_A_equity_daily.csv").open(newline="") as file:
        rows = [(date.fromisoformat(row["date"]), float(row["equity"])) for row in csv.DictReader(file)]
    days = [day.toordinal() - date(1970, 1, 1).toordinal() for day, _ in rows]
    assert [day for day, _ in measured.daily.returns] == days[1:]
    expected = [now / before - 1 for (_, before), (_, now) in pairwise(rows)]
    assert [value for _, value in measured.daily.returns] == pytest.approx(expected, rel=0, abs=1e-15)
    assert measured.daily.days == golden["n_daily"]
    returns = [value for _, value in measured.daily.returns]
    assert (len(returns), statistics.fmean(returns), statistics.stdev(returns)) == (
        golden["n_returns"],
        near(golden["mean_r"]),
        near(golden["std_ddof1"]),
    )


def test_daily_figures_agree_with_four_other_programs(measured: Metrics, golden: dict[str, Any]) -> None:
    daily = measured.daily
    for program in ("empyrical-reloaded 0.7.1", "vectorbt 1.2.0 (freq 1D, year_freq 252 days)"):
        theirs = golden[program]
        assert daily.sharpe == near(theirs["sharpe_ratio"])
        assert daily.sortino == near(theirs["sortino_ratio"])
        assert daily.drawdown.depth == near(-theirs["max_drawdown"])
        assert measured.calmar == near(theirs["calmar_ratio"])
        # vectorbt multiplies its curve up from rounded returns: its percentiles are good to ten digits.
        assert daily.tail_ratio == pytest.approx(theirs["tail_ratio"], rel=1e-10)
    assert daily.cagr == near(golden["empyrical-reloaded 0.7.1"]["annual_return"])
    assert daily.volatility == near(golden["empyrical-reloaded 0.7.1"]["annual_volatility"])
    quantstats = golden["quantstats 0.0.86 (on daily returns)"]
    assert (daily.sharpe, daily.sortino, daily.cagr) == (near(quantstats["sharpe"]), near(quantstats["sortino"]), near(quantstats["cagr"]))
    ffn = golden["ffn 1.4.1"]
    assert (daily.sharpe, daily.sortino, daily.volatility) == (
        near(ffn["daily_sharpe"]),
        near(ffn["daily_sortino"]),
        near(ffn["daily_vol"]),
    )
    assert (measured.cagr, measured.total_return) == (near(ffn["cagr"]), near(ffn["total_return"]))


def test_where_other_programs_define_differently_the_difference_is_the_definition(measured: Metrics, golden: dict[str, Any]) -> None:
    # ffn: Calmar from the calendar's growth.
    assert measured.cagr is not None
    assert measured.cagr / measured.daily.drawdown.depth == near(golden["ffn 1.4.1"]["calmar"])
    # quantstats: the ulcer index over returns, of which there is one fewer than days, and one less again.
    assert measured.daily.ulcer_index is not None
    days = measured.daily.days
    theirs = golden["quantstats 0.0.86 (on daily returns)"]["ulcer_index"]
    assert measured.daily.ulcer_index * math.sqrt(days / (days - 2)) == near(theirs)
    # backtesting.py: the years end with the last bar's stamp, not with its day.
    hours = 3199 * 24 + 4
    its_cagr = golden["backtesting.py 0.6.6 (hourly equity)"]["CAGR [%]"] / 100
    assert annualised(1 + measured.total_return, hours / 24 / 365.25) == near(its_cagr)


def test_bar_figures_agree_with_backtesting_py(measured: Metrics, golden: dict[str, Any]) -> None:
    theirs = golden["backtesting.py 0.6.6 (hourly equity)"]
    trades = measured.trades
    assert measured.exposure == near(theirs["Exposure Time [%]"] / 100)
    assert measured.drawdown.depth == near(-theirs["Max. Drawdown [%]"] / 100)
    assert theirs["Max. Drawdown Duration"] == f"{int(measured.drawdown.longest_hours) // 24} days 17:00:00"
    assert measured.drawdown.longest_hours % 24 == 17
    assert (trades.best_percent, trades.worst_percent) == (near(theirs["Best Trade [%]"]), near(theirs["Worst Trade [%]"]))
    assert (trades.profit_factor_returns, trades.sqn) == (near(theirs["Profit Factor"]), near(theirs["SQN"]))
    assert (trades.longest_hours, theirs["Max. Trade Duration"]) == (11 * 24 + 8, "11 days 08:00:00")
    # It rounds the average up to whole hours.
    assert trades.average_hours is not None
    assert (math.ceil(trades.average_hours), theirs["Avg. Trade Duration"]) == (2 * 24 + 15, "2 days 15:00:00")


def test_trade_figures_agree_with_the_golden_definitions(measured: Metrics, golden: dict[str, Any]) -> None:
    trades, theirs = measured.trades, golden["trade list, definition"]
    assert (trades.total, trades.winning, trades.losing) == (golden["n_trades"], theirs["n_win"], theirs["n_loss"])
    assert (trades.gross_profit, trades.gross_loss) == (1_783_240_000_000, -2_149_060_000_000)
    assert trades.net_pnl == measured.total_pnl == -365_820_000_000
    assert trades.win_rate == near(theirs["win_rate"])
    assert trades.profit_factor == near(theirs["profit_factor_currency"])
    assert trades.profit_factor_returns == near(theirs["profit_factor_returns"])
    assert trades.expectancy == round(theirs["expectancy_currency"] * MONEY_ONE)
    assert trades.expectancy_percent == near(theirs["expectancy_pct"])
    assert trades.payoff == near(theirs["payoff"])
    assert trades.sqn == near(theirs["sqn_ddof1"])


def test_golden_periods_and_sessions_add_up(measured: Metrics, golden: dict[str, Any]) -> None:
    for periods in (measured.by_year, measured.by_month):
        assert sum(period.pnl for period in periods) == measured.total_pnl
        assert sum(period.trades for period in periods) == measured.trades.total
        assert sum(period.winning for period in periods) == measured.trades.winning
        assert math.prod(1 + (period.growth or 0.0) for period in periods) == near(1 + measured.total_return)
    years = [period.growth or 0.0 for period in measured.by_year]
    # ffn leaves the first year out, which has no end of a year before it.
    assert sum(growth > 0 for growth in years[1:]) / len(years[1:]) == near(golden["ffn 1.4.1"]["win_year_perc"])
    assert [row.session for row in measured.by_session] == ["Asia", "London", "New York", "other"]
    assert sum(row.pnl for row in measured.by_session) == measured.trades.net_pnl
