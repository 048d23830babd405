"""Metrics against plain Python definitions on random runs, and at the edges where a figure has no answer."""

import math
import statistics
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sptrader_desktop.core.calendar import HOUR_US, NEW_YORK_CLOSE
from sptrader_desktop.core.metrics import EquityCurve, measure
from sptrader_desktop.core.metrics_daily import DailyEquity, annualised, daily_equity, week_days
from sptrader_desktop.core.metrics_drawdown import drawdown_series
from sptrader_desktop.core.metrics_trades import Trades
from sptrader_desktop.core.money import MONEY_ONE
from sptrader_desktop.core.records import TRADE

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")
CAPITAL = 10_000 * MONEY_ONE
MONDAY = (datetime(2018, 7, 2, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)


def trade_rows(rows: list[dict[str, int]]) -> Trades:
    trades = np.zeros(len(rows), TRADE)
    for trade, row in zip(trades, rows, strict=True):
        for name, value in {"side": 1, "entry_notional": CAPITAL, "entry_time": MONDAY, "exit_time": MONDAY, **row}.items():
            trade[name] = value
    return trades


def curve(equity: list[int], opened: list[int] | None = None, bar_us: int = HOUR_US) -> EquityCurve:
    opens = np.array([MONDAY + n * bar_us for n in range(len(equity))] if opened is None else opened, np.int64)
    return EquityCurve(opens, opens + bar_us, np.array(equity, np.int64))


def by_days(equity: list[int]) -> EquityCurve:
    """One bar each day, Saturdays and Sundays too."""
    return curve(equity, bar_us=24 * HOUR_US)


# --- Random runs against plain definitions

amounts = st.integers(-(10**12), 10**12)
trade_fields = st.fixed_dictionaries(
    {
        "gross": amounts,
        "commission": st.integers(0, 10**9),
        "financing": st.integers(-(10**9), 10**9),
        "side": st.sampled_from([1, -1]),
        "entry_notional": st.integers(1, 10**14),
        "ambiguous": st.integers(0, 1),
        "entry_hour": st.integers(0, 40),
        "hours": st.integers(0, 40),
    }
)
steps = st.one_of(st.just(0), st.integers(-(10**11), 10**11))


@st.composite
def trade_lists(draw: st.DrawFn) -> Trades:
    rows = draw(st.lists(trade_fields, max_size=12))
    for row in rows:
        row["entry_time"] = MONDAY + row.pop("entry_hour") * HOUR_US
        row["exit_time"] = row["entry_time"] + row.pop("hours") * HOUR_US
    return trade_rows(rows)


@st.composite
def curves(draw: st.DrawFn) -> EquityCurve:
    """Hourly bars with gaps over a month or two; equity may die."""
    gaps = draw(st.lists(st.sampled_from([1, 1, 1, 5, 23, 24, 70]), min_size=0, max_size=40))
    opened = [MONDAY + HOUR_US * hours for hours in np.cumsum(gaps).tolist()]
    moves = draw(st.lists(st.one_of(steps, steps, st.integers(-(10**12), 10**12)), min_size=len(gaps), max_size=len(gaps)))
    return curve((CAPITAL + np.cumsum(moves, dtype=np.int64)).tolist(), opened)


def naive_days(equity_curve: EquityCurve, every_day: bool) -> dict[date, int]:
    days: dict[date, int] = {}
    for opened, equity in zip(equity_curve.opened.tolist(), equity_curve.equity.tolist(), strict=True):
        clock = (EPOCH + timedelta(microseconds=opened)).astimezone(NEW_YORK).replace(tzinfo=None)
        day = (clock + timedelta(hours=7)).date()
        while not every_day and day.weekday() > 4:
            day += timedelta(days=1)
        days[day] = equity
    return days


def close(expected: float | None) -> Any:
    return None if expected is None else pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(trade_lists())
def test_trade_figures_are_what_plain_python_says(trades: Trades) -> None:
    rows = [{name: int(trade[name]) for name in TRADE.names or ()} for trade in trades]
    nets = [row["gross"] - row["commission"] + row["financing"] for row in rows]
    percents = [100 * net / row["entry_notional"] for net, row in zip(nets, rows, strict=True)]
    wins, losses = [net for net in nets if net > 0], [net for net in nets if net < 0]
    found = measure(trades, curve([CAPITAL]), CAPITAL).trades
    assert (found.total, found.winning, found.losing) == (len(nets), len(wins), len(losses))
    assert (found.long, found.short) == (sum(row["side"] == 1 for row in rows), sum(row["side"] == -1 for row in rows))
    assert (found.ambiguous, found.resolved) == (sum(row["ambiguous"] for row in rows), 0)
    assert (found.net_pnl, found.gross_profit, found.gross_loss) == (sum(nets), sum(wins), sum(losses))
    assert (found.commission, found.financing) == (sum(row["commission"] for row in rows), sum(row["financing"] for row in rows))
    assert (found.best, found.worst) == (max(nets, default=None), min(nets, default=None))
    assert found.best_percent == close(max(percents, default=None))
    assert found.worst_percent == close(min(percents, default=None))
    assert found.win_rate == close(len(wins) / len(nets) if nets else None)
    assert found.profit_factor == close(sum(wins) / -sum(losses) if losses else None)
    gains, pains = sum(p for p in percents if p > 0), -sum(p for p in percents if p < 0)
    assert found.profit_factor_returns == close(gains / pains if losses else None)
    assert found.expectancy == (round(statistics.mean(nets)) if nets else None)
    assert found.expectancy_percent == close(statistics.fmean(percents) if nets else None)
    assert found.average_win == (round(statistics.mean(wins)) if wins else None)
    assert found.average_loss == (round(statistics.mean(losses)) if losses else None)
    assert found.payoff == close(statistics.fmean(wins) / -statistics.fmean(losses) if wins and losses else None)
    varied = len(set(nets)) > 1
    assert found.sqn == close(math.sqrt(len(nets)) * statistics.mean(nets) / statistics.stdev(nets) if varied else None)
    hours = [(row["exit_time"] - row["entry_time"]) / HOUR_US for row in rows]
    assert found.average_hours == close(statistics.fmean(hours) if hours else None)
    assert found.longest_hours == max(hours, default=None)


@given(curves(), st.booleans())
def test_daily_figures_are_what_plain_python_says(equity_curve: EquityCurve, every_day: bool) -> None:
    values = list(naive_days(equity_curve, every_day).values())
    found = measure(trade_rows([]), equity_curve, CAPITAL, every_day).daily
    year = 365 if every_day else 252
    assert (found.days, found.days_per_year) == (len(values), year)
    if any(value <= 0 for value in values[:-1]):
        ruined = next(index for index, value in enumerate(values) if value <= 0)
        assert len(found.returns) == ruined
        assert (found.cagr, found.sharpe, found.sortino, found.volatility, found.tail_ratio, found.best) == (None,) * 6
        return
    returns = [now / before - 1 for before, now in pairwise(values)]
    assert [value for _, value in found.returns] == pytest.approx(returns, rel=1e-9, abs=1e-15)
    growth = values[-1] / CAPITAL if returns else 0.0
    assert found.cagr == close(growth ** (year / len(returns)) - 1 if growth > 0 else None)
    exact = [(now - before) / before for before, now in pairwise(values)]
    assert found.volatility == close(statistics.stdev(exact) * math.sqrt(year) if len(exact) > 1 else None)
    varied = len(exact) > 1 and len(set(exact)) > 1
    assert found.sharpe == close(statistics.fmean(exact) / statistics.stdev(exact) * math.sqrt(year) if varied else None)
    downside = math.sqrt(statistics.fmean(min(value, 0.0) ** 2 for value in exact)) if exact else 0.0
    assert found.sortino == close(statistics.fmean(exact) / downside * math.sqrt(year) if downside else None)
    assert (found.best, found.worst) == (max(exact, default=None), min(exact, default=None))
    low, *_, high = statistics.quantiles(exact, n=20, method="inclusive") if len(exact) > 1 else exact * 2 or (0.0, 0.0)
    assert found.tail_ratio == close(abs(high) / abs(low) if low else None)
    falls = [1 - value / max(CAPITAL, *values[: index + 1]) for index, value in enumerate(values)]
    assert found.ulcer_index == close(math.sqrt(statistics.fmean(fall**2 for fall in falls)) if falls else None)
    assert found.drawdown.depth == close(max(falls, default=0.0))


@given(curves())
def test_drawdowns_are_what_plain_python_says(equity_curve: EquityCurve) -> None:
    found = measure(trade_rows([]), equity_curve, CAPITAL).drawdown
    depths: list[float] = []
    peak, on_peak, longest = CAPITAL, int(equity_curve.opened[0]) if len(equity_curve.opened) else 0, 0
    for at, equity in zip(equity_curve.closed.tolist(), equity_curve.equity.tolist(), strict=True):
        was_under = bool(depths) and depths[-1] > 0
        if equity < peak or was_under:
            longest = max(longest, at - on_peak)
        if equity >= peak:
            peak, on_peak = equity, at
        depths.append((peak - equity) / peak)
    assert drawdown_series(equity_curve.equity, CAPITAL).tolist() == pytest.approx(depths)
    assert found.depth == pytest.approx(max(depths, default=0.0))
    assert found.longest_hours == pytest.approx(longest / HOUR_US)
    if found.depth:
        closed, equity_at = equity_curve.closed.tolist(), equity_curve.equity.tolist()
        before = equity_at[closed.index(found.peak_at)] if found.peak_at in closed else CAPITAL
        assert (before - equity_at[closed.index(found.trough_at)]) / before == pytest.approx(found.depth)
        assert found.peak_at is not None
        assert found.trough_at is not None
        assert found.peak_at < found.trough_at


@given(trade_lists(), curves())
def test_exposure_counts_each_bar_that_saw_a_position_once(trades: Trades, equity_curve: EquityCurve) -> None:
    # The trades enter and leave on bars that exist, as a run's do.
    if not len(equity_curve.opened):
        assert measure(trades, equity_curve, CAPITAL).exposure is None
        return
    bars = len(equity_curve.opened)
    first = np.arange(len(trades)) * 7 % bars
    last = np.minimum(first + np.arange(len(trades)) % 5, bars - 1)
    trades["entry_time"], trades["exit_time"] = equity_curve.opened[first], equity_curve.opened[last]
    seen = {bar for a, b in zip(first.tolist(), last.tolist(), strict=True) for bar in range(a, b + 1)}
    assert measure(trades, equity_curve, CAPITAL).exposure == len(seen) / bars


@given(trade_lists(), curves(), st.booleans())
def test_years_and_months_add_up_to_the_run(trades: Trades, equity_curve: EquityCurve, every_day: bool) -> None:
    found = measure(trades, equity_curve, CAPITAL, every_day)
    months: dict[str, int] = {}
    base = CAPITAL
    for day, equity in naive_days(equity_curve, every_day).items():
        months[f"{day:%Y-%m}"] = months.get(f"{day:%Y-%m}", 0) + equity - base
        base = equity
    assert {period.name: period.pnl for period in found.by_month} == months
    assert sum(period.pnl for period in found.by_year) == found.total_pnl
    if months:
        assert sum(period.trades for period in found.by_month) == len(trades) == sum(period.trades for period in found.by_year)
        assert sum(period.winning for period in found.by_month) == found.trades.winning
    assert sum(row.trades for row in found.by_session) == len(trades)
    assert sum(row.pnl for row in found.by_session) == found.trades.net_pnl


def leaves(value: object) -> Iterator[object]:
    if is_dataclass(value):
        for field in fields(value):
            yield from leaves(getattr(value, field.name))
    elif isinstance(value, tuple):
        for item in value:
            yield from leaves(item)
    else:
        yield value


@given(trade_lists(), curves(), st.booleans())
def test_every_figure_is_a_plain_finite_number_or_none(trades: Trades, equity_curve: EquityCurve, every_day: bool) -> None:
    for value in leaves(measure(trades, equity_curve, CAPITAL, every_day)):
        assert type(value) in {int, float, str, type(None)}
        assert not isinstance(value, float) or math.isfinite(value)


# --- Edges


def test_a_run_without_bars_has_no_figures_and_does_not_fail() -> None:
    found = measure(trade_rows([]), curve([]), CAPITAL)
    assert (found.total_pnl, found.total_return, found.end_capital) == (0, 0.0, CAPITAL)
    assert (found.cagr, found.calmar, found.exposure, found.daily.ulcer_index) == (None, None, None, None)
    assert (found.drawdown.depth, found.by_year, found.by_month, found.daily.returns) == (0.0, (), (), ())


def test_without_trades_rates_and_averages_are_unknown_and_sums_are_zero() -> None:
    found = measure(trade_rows([]), by_days([CAPITAL] * 5), CAPITAL)
    trades = found.trades
    assert (trades.total, trades.net_pnl, trades.gross_profit, trades.commission) == (0, 0, 0, 0)
    assert (trades.win_rate, trades.profit_factor, trades.expectancy, trades.best, trades.average_hours) == (None,) * 5
    assert found.exposure == 0.0


def test_flat_equity_has_no_sharpe_and_no_drawdown() -> None:
    found = measure(trade_rows([]), by_days([CAPITAL] * 5), CAPITAL)
    daily = found.daily
    assert (daily.volatility, daily.sharpe, daily.sortino, daily.tail_ratio, found.calmar) == (0.0, None, None, None, None)
    assert (found.cagr, daily.cagr, daily.ulcer_index) == (0.0, 0.0, 0.0)
    assert (found.drawdown.depth, found.drawdown.longest_hours, found.drawdown.peak_at) == (0.0, 0.0, None)


def test_equal_growth_every_day_has_no_deviation_however_it_rounds() -> None:
    # 10 % a day, exact in money; the mean of three equal returns is a hair off and would make a Sharpe ratio of 1e17.
    equity = [10**6 * 11**n // 10**n for n in range(4)]
    assert np.array([0.1] * 3).std(ddof=1) > 0
    found = measure(trade_rows([]), by_days(equity), 10**6, every_day=True).daily
    assert (found.volatility, found.sharpe, found.sortino) == (0.0, None, None)
    assert found.best == found.worst == 0.1


def test_one_day_has_a_result_but_no_returns() -> None:
    found = measure(trade_rows([]), curve([CAPITAL, CAPITAL + 5, CAPITAL + 3]), CAPITAL)
    assert (found.total_pnl, found.daily.days, found.daily.returns) == (3, 1, ())
    assert (found.cagr, found.daily.cagr, found.daily.sharpe, found.daily.best) == (None, None, None, None)
    assert [period.pnl for period in found.by_month] == [3]


def test_one_trade_has_no_spread_of_results() -> None:
    found = measure(trade_rows([{"gross": 500, "commission": 70, "financing": -30}]), curve([CAPITAL + 400]), CAPITAL).trades
    assert (found.net_pnl, found.best, found.worst, found.expectancy) == (400, 400, 400, 400)
    assert (found.win_rate, found.sqn, found.profit_factor, found.payoff) == (1.0, None, None, None)


def test_all_winners_have_no_profit_factor_and_no_payoff() -> None:
    found = measure(trade_rows([{"gross": 10}, {"gross": 30}]), curve([CAPITAL + 40]), CAPITAL).trades
    assert (found.win_rate, found.average_win, found.average_loss) == (1.0, 20, None)
    assert (found.profit_factor, found.profit_factor_returns, found.payoff) == (None, None, None)
    assert found.sqn == pytest.approx(20 / math.sqrt(200) * math.sqrt(2))


def test_a_trade_that_made_nothing_counts_but_neither_wins_nor_loses() -> None:
    found = measure(trade_rows([{"gross": 10}, {"gross": 7, "commission": 7}]), curve([CAPITAL + 10]), CAPITAL).trades
    assert (found.winning, found.losing, found.win_rate, found.expectancy) == (1, 0, 0.5, 5)


def test_a_trade_whose_notional_rounds_to_nothing_has_a_result_of_no_percentage() -> None:
    found = measure(trade_rows([{"gross": 10, "entry_notional": 0}]), curve([CAPITAL + 10]), CAPITAL).trades
    assert (found.best, found.best_percent) == (10, 0.0)


def test_sums_of_wins_beyond_64_bits_do_not_wrap() -> None:
    huge = 2**62
    found = measure(trade_rows([{"gross": huge}, {"gross": -huge}] * 5), curve([CAPITAL]), CAPITAL).trades
    assert (found.gross_profit, found.gross_loss, found.net_pnl) == (5 * huge, -5 * huge, 0)
    assert found.profit_factor == 1.0


@pytest.mark.parametrize("end", [0, -CAPITAL // 2])
def test_ruin_on_the_last_day_is_a_return_and_a_drawdown_without_annual_growth(end: int) -> None:
    found = measure(trade_rows([]), by_days([CAPITAL, CAPITAL, end]), CAPITAL, every_day=True)
    assert [value for _, value in found.daily.returns] == [0.0, end / CAPITAL - 1]
    assert found.drawdown.depth == 1 - end / CAPITAL
    assert (found.cagr, found.daily.cagr, found.calmar) == (None, None, None)
    assert found.daily.sharpe is not None


def test_after_ruin_there_are_no_returns_and_no_ratios() -> None:
    found = measure(trade_rows([]), by_days([CAPITAL, 0, CAPITAL // 2, CAPITAL]), CAPITAL, every_day=True)
    assert [value for _, value in found.daily.returns] == [-1.0]
    assert (found.daily.sharpe, found.daily.worst, found.daily.cagr) == (None, None, None)
    assert found.drawdown.depth == 1.0


def test_a_month_that_begins_with_nothing_has_a_result_but_no_growth() -> None:
    equity = [CAPITAL, *[0] * 30, 5, 6]  # from the second of July past the first of August
    found = measure(trade_rows([]), by_days(equity), CAPITAL, every_day=True)
    assert [(period.name, period.pnl, period.growth) for period in found.by_month] == [("2018-07", -CAPITAL, -1.0), ("2018-08", 6, None)]


def test_a_loss_on_the_first_bar_is_under_water_from_its_open() -> None:
    found = measure(trade_rows([]), curve([CAPITAL * 9 // 10, CAPITAL]), CAPITAL).drawdown
    assert (found.depth, found.peak_at, found.trough_at, found.longest_hours) == (0.1, MONDAY, MONDAY + HOUR_US, 2.0)


def test_the_longest_time_under_water_need_not_be_the_deepest() -> None:
    shallow, deep = CAPITAL - 1, CAPITAL // 2
    found = measure(trade_rows([]), curve([CAPITAL, shallow, shallow, shallow, CAPITAL, deep, CAPITAL]), CAPITAL).drawdown
    assert (found.depth, found.longest_hours) == (0.5, 4.0)
    assert (found.peak_at, found.trough_at) == (MONDAY + 5 * HOUR_US, MONDAY + 6 * HOUR_US)


def test_the_close_at_seventeen_hours_belongs_to_the_day_that_ends() -> None:
    before_roll = MONDAY + 20 * HOUR_US  # 16:00 in New York
    daily = daily_equity(*_parts(curve([1, 2], [before_roll, before_roll + HOUR_US])), every_day=True, roll=NEW_YORK_CLOSE)
    assert (np.diff(daily.days).tolist(), daily.equity.tolist()) == ([1], [1, 2])


def test_a_bar_that_spans_the_roll_belongs_to_the_day_on_which_it_opened() -> None:
    # Four hours from 20:00 UTC, an hour before the roll; the next bar opens in the new day.
    opened = [MONDAY + 20 * HOUR_US, MONDAY + 24 * HOUR_US]
    daily = daily_equity(*_parts(curve([1, 2], opened, bar_us=4 * HOUR_US)), every_day=True, roll=NEW_YORK_CLOSE)
    assert daily.equity.tolist() == [1, 2]


def test_of_two_symbols_the_last_equity_before_either_opens_a_new_day_ends_the_old_one() -> None:
    hours = np.arange(MONDAY + 19 * HOUR_US, MONDAY + 25 * HOUR_US, HOUR_US)
    # One symbol in hours, the other in two-hour bars of which one is under way at the roll.
    closed = hours + HOUR_US
    daily = daily_equity(hours, closed, np.arange(6), every_day=True, roll=NEW_YORK_CLOSE)
    opened_late = daily_equity(hours[[0, 1, 4, 5]], closed, np.arange(6), every_day=True, roll=NEW_YORK_CLOSE)
    assert (daily.equity.tolist(), opened_late.equity.tolist()) == ([1, 5], [3, 5])


def test_a_day_on_which_bars_only_opened_has_no_equity() -> None:
    # Four hours from 20:00 UTC; another symbol opens in the new day, before anything closed.
    opened, closed = MONDAY + HOUR_US * np.array([20, 22]), MONDAY + HOUR_US * np.array([24])
    daily = daily_equity(opened, closed, np.array([5]), every_day=True, roll=NEW_YORK_CLOSE)
    assert (daily.days.tolist(), daily.equity.tolist()) == ([MONDAY // (24 * HOUR_US) + 1], [5])


def test_weekend_days_count_to_monday_unless_every_day_trades() -> None:
    equity = [CAPITAL + n for n in range(8)]  # Monday to the next Monday
    found = measure(trade_rows([]), by_days(equity), CAPITAL)
    assert (found.daily.days, found.daily.days_per_year) == (6, 252)
    assert measure(trade_rows([]), by_days(equity), CAPITAL, every_day=True).daily.days == 8
    all_days = daily_equity(*_parts(by_days(equity)), every_day=True, roll=NEW_YORK_CLOSE)
    assert week_days(all_days).equity.tolist() == [CAPITAL + n for n in (0, 1, 2, 3, 4, 7)]
    assert len(week_days(DailyEquity(all_days.days[:0], all_days.equity[:0])).days) == 0


def test_growth_beyond_what_a_float_holds_is_unknown() -> None:
    assert annualised(10.0, 1 / 365) is None
    assert annualised(2.0, 1.0) == pytest.approx(1.0)
    assert (annualised(0.0, 1.0), annualised(2.0, 0.0)) == (None, None)


def test_trades_count_in_the_month_in_which_they_closed() -> None:
    # The last hour of July in New York's trading time, and the first of August.
    august = MONDAY + 29 * 24 * HOUR_US + 21 * HOUR_US
    opened = [august - HOUR_US, august]
    trades = trade_rows([{"gross": 3, "entry_time": opened[0], "exit_time": at} for at in opened])
    found = measure(trades, curve([CAPITAL + 3, CAPITAL + 6], opened), CAPITAL)
    assert [(period.name, period.pnl, period.trades) for period in found.by_month] == [("2018-07", 3, 1), ("2018-08", 3, 1)]
    assert [(period.name, period.winning) for period in found.by_year] == [("2018", 2)]


def _parts(equity_curve: EquityCurve) -> tuple[Any, Any, Any]:
    return equity_curve.opened, equity_curve.closed, equity_curve.equity
