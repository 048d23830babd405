"""When bars are over: weeks and days in which New York changes its clocks, beside hours, traded as the oracle and no later or earlier."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sptrader_desktop.adapters.parquet_writer import file_name, parquet_bytes
from sptrader_desktop.core import kernel
from sptrader_desktop.core.calendar import trading_day, weekday
from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.closes import close_instant, close_instants
from sptrader_desktop.core.closes_inlined import closes_at
from sptrader_desktop.core.errors import RunError
from sptrader_desktop.core.explain import bar_at, explain
from sptrader_desktop.core.instruments import CATALOGUE
from sptrader_desktop.core.metrics import EquityCurve, measure
from sptrader_desktop.core.plan import make_tape
from sptrader_desktop.core.records import END_OF_DATA
from sptrader_desktop.core.resample import closes_in_series, resample
from sptrader_desktop.core.rules import RuleHits
from sptrader_desktop.core.simulation import Job, advance, empty_log, make_job, run, start_state
from sptrader_desktop.core.strategy import EntryRule, Exits, Size, Strategy
from sptrader_desktop.core.terms import Terms
from sptrader_desktop.present.result_orders import all_exits, executed_orders
from sptrader_desktop.runtime.sample import sample_candles
from sptrader_desktop.runtime.sweep import sweep
from tests.clock_markets import CHANGES, HOUR_US, NEW_YORK, clock_case, micros
from tests.command_line import STRATEGY, document
from tests.explained_runs import run_of_case
from tests.markets import ALWAYS, Case, Mood, cut, happened, random_hits, random_market, rows
from tests.parity import compare, expected_of, first_difference, job_of
from tests.reference import Outcome
from tests.reference_bars import close_of

DAY_US = 24 * HOUR_US


@cache
def case_of(number: int) -> Case:
    """The market around the `number`-th change of New York's clocks since 2010."""
    return clock_case(number, CHANGES[number])


@cache
def expected_at(number: int) -> Outcome:
    return expected_of(case_of(number))


# Beside each other


def test_the_years_have_two_changes_each() -> None:
    assert [(change.year, change.month) for change in CHANGES] == [(year, month) for year in range(2010, 2031) for month in (3, 11)]


@pytest.mark.parametrize("number", range(len(CHANGES)))
def test_weeks_and_days_beside_hours_are_traded_as_the_oracle_trades_them(number: int) -> None:
    assert compare(case_of(number), expected_at(number)) is None


@settings(max_examples=40)
@given(st.integers(100, 2**32 - 1), st.sampled_from(CHANGES))
def test_other_markets_around_the_same_changes_are_too(seed: int, change: date) -> None:
    assert compare(clock_case(seed, change)) is None


def test_the_markets_around_the_changes_have_what_could_go_wrong() -> None:
    seen = set().union(*(happened(expected_at(number)) for number in range(len(CHANGES))))
    assert {f"exit:{reason}" for reason in ("stop_loss", "take_profit", "signal_exit", "risk_halt", "end_of_data")} <= seen
    assert {"trade:ambiguous", "trade:resolved", "order:limit:filled", "order:stop:filled", "order:market:filled"} <= seen
    for number in range(len(CHANGES)):
        series = case_of(number).candles
        assert any((np.array(plain_closes(item)) != item.timestamp + item.bar_us).any() for item in series), number
    assert {item.timeframe for number in range(len(CHANGES)) for item in case_of(number).candles} == {"1h", "1d", "1w"}


def with_lengths(job: Job, case: Case) -> Job:
    """The fault: each bar over one length after its open."""
    lengths = np.array([item.bar_us for item in (*case.candles, *case.rates)], np.int64)
    return replace(job, tape=job.tape._replace(bar_us=lengths))


def test_bars_taken_to_be_of_one_length_are_seen_at_every_change_and_often_in_money() -> None:
    other_money = 0
    for number in range(len(CHANGES)):
        case = case_of(number)
        wrong, expected = run(with_lengths(job_of(case), case)), expected_at(number)
        assert first_difference(case, wrong, expected) is not None, number
        other_money += wrong.final_cash != expected.final_cash
    assert other_money >= 6


@pytest.mark.parametrize("number", range(0, len(CHANGES), 5))
def test_one_instant_at_a_time_gives_the_same_bytes_as_all_at_once(number: int) -> None:
    assert_the_same_bit_by_bit(job_of(case_of(number)))


def test_quiet_days_end_when_they_are_over() -> None:
    """Days are quiet where no roll is paid for, so on Sundays, on which clocks change, of what FX pairs pay."""
    assert_the_same_bit_by_bit(bought_often(replace(long_market("BTCUSD", "1d"), instrument=CATALOGUE["EURUSD"])))


def assert_the_same_bit_by_bit(job: Job) -> None:
    whole, state = run(job), start_state(job)
    log = empty_log(job, state)
    for stamp in np.unique(np.concatenate([job.tape.time, whole.instants, whole.instants - HOUR_US])):
        log = advance(job, state, log, int(stamp))
        assert state.account["instants"][0] == np.searchsorted(whole.instants, stamp, side="right")
    kernel.finish(job.tape, job.plan, state, advance(job, state, log, kernel.NEVER - 1), END_OF_DATA)
    used = state.account[0]
    for name in ("trades", "fills", "verdicts", "orders"):
        assert getattr(log, name)[: used[name]].tobytes() == getattr(whole, name).tobytes(), name
    assert log.equity[: used["instants"]].tobytes() == whole.equity.tobytes()


def plain_closes(candles: Candles) -> list[int]:
    stamps = candles.timestamp.tolist()
    return [close_of(stamp, follower, candles.bar_us) for stamp, follower in zip(stamps, [*stamps[1:], None], strict=True)]


def test_bars_are_explained_and_listed_with_the_closes_of_the_oracle() -> None:
    decided = 0
    for number in range(0, len(CHANGES), 3):
        case = case_of(number)
        made = run_of_case(case)
        closes = {item.symbol: plain_closes(item) for item in case.candles}
        for candles in case.candles:
            for bar in range(0, len(candles), 1 if len(candles) < 30 else 50):
                assert explain(made, candles.symbol, bar).closed_at == closes[candles.symbol][bar]
        for row in executed_orders(made, all_exits(made)):
            if row["decided_at"] is not None:
                decided += 1
                assert micros(datetime.fromisoformat(row["decided_at"])) in closes[row["symbol"]]
    assert decided > 500


def test_hours_beside_weeks_are_traded_from_files(tmp_path: Path) -> None:
    start = datetime(2024, 2, 1, tzinfo=UTC)
    hours, other = (sample_candles(CATALOGUE[name], "1h", start, start + timedelta(days=100), 1) for name in ("EURUSD", "GBPUSD"))
    weeks, paths = resample(other, "1w"), []
    for candles in (hours, weeks):
        paths.append(tmp_path / file_name(candles))
        paths[-1].write_bytes(parquet_bytes(candles))
    made = document(STRATEGY, "--data", *paths, "--param", "fast_period=2", "--param", "slow_period=3")
    assert {trade["symbol"] for trade in made["completed_trades"]} == {"EURUSD", "GBPUSD"}
    decided = {micros(datetime.fromisoformat(row["timestamp"])) for row in made["order_decisions"] if row["symbol"] == "GBPUSD"}
    assert decided
    assert decided <= set(plain_closes(weeks))


def test_hours_may_go_on_through_the_week_that_is_not_over_and_no_longer() -> None:
    weeks, hours = cut(long_market("EURUSD", "1w"), micros(datetime(2011, 1, 1, tzinfo=UTC))), long_market("GBPUSD", "1h")
    over = plain_closes(weeks)[-1]
    strategy = Strategy("none", "1", (EntryRule(ALWAYS, "long", Size("units", Decimal(1))),))

    def job(until: int) -> Job:
        series = [weeks, cut(hours, until)]
        return make_job(strategy, Terms(), series, [no_hits(len(item)) for item in series])

    assert job(over + 5 * DAY_US).tape.start[2] > len(weeks)
    with pytest.raises(RunError, match="EURUSD ends on 2010-12-26 and GBPUSD goes on"):
        job(over + 8 * DAY_US)


def no_hits(bars: int) -> RuleHits:
    return RuleHits(np.zeros((1, bars), np.bool_), np.zeros((0, bars), np.bool_))


# Alone


def long_market(symbol: str, timeframe: str) -> Candles:
    """2010 to 2030, some hours missing."""
    mood = Mood(symbol, grain=20, pace=1.0, gap_chance=0.02, missing=0.05, side="bid", real_ask=False, with_finer=False, stretched=False)
    start, end = (micros(datetime(year, 1, 3, 22, tzinfo=UTC)) for year in (2010, 2031))
    return resample(random_market(np.random.default_rng(5), symbol, "1h", start, end - start, mood)[0], timeframe)


def bought_often(candles: Candles) -> Job:
    strategy = Strategy("often", "1", (EntryRule(ALWAYS, "long", Size("units", Decimal(1))),), Exits(time_exit=3))
    return make_job(strategy, Terms(), [candles], [random_hits(np.random.default_rng(6), strategy, len(candles))])


@pytest.mark.parametrize(("symbol", "timeframe"), [("EURUSD", "1w"), ("BTCUSD", "1w"), ("BTCUSD", "1d")])
def test_the_equity_of_a_bar_whose_clocks_change_counts_to_its_own_day(symbol: str, timeframe: str) -> None:
    """A close an hour late would lie after the next open, and a whole bar would have no day of its own."""
    candles, every_day = long_market(symbol, timeframe), CATALOGUE[symbol].charged_every_day
    job = bought_often(candles)
    outcome, swept = run(job), sweep([job], every_day=every_day)
    daily = measure(outcome.trades, EquityCurve(candles.timestamp, outcome.instants, outcome.equity), job.capital, every_day).daily
    assert daily.days == len(candles) == len(swept.days[0])
    assert swept.sharpe[0] == daily.sharpe is not None
    assert outcome.instants.tolist() == plain_closes(candles)
    assert (np.diff(outcome.instants) > 0).all()
    lengths = set(((outcome.instants - candles.timestamp - candles.bar_us) // HOUR_US).tolist())
    assert lengths == {-1, 0, 1}


def test_only_series_whose_bars_differ_have_a_column_of_closes() -> None:
    hours, days, weeks = (long_market("EURUSD", timeframe) for timeframe in ("4h", "1d", "1w"))
    workdays = keep(days, weekday(trading_day(days.timestamp)) < 5)
    tape = make_tape([hours, workdays, weeks], [], {})
    assert tape.bar_us.tolist() == [4 * HOUR_US, DAY_US, 0]
    assert len(tape.over) == len(weeks)
    for symbol, candles in enumerate((hours, workdays, weeks)):
        assert close_instants(tape, symbol).tolist() == plain_closes(candles)
        for bar in range(0, len(candles), 97):
            assert close_instant(tape, symbol, bar) == closes_at(tape, symbol, bar) == close_instants(tape, symbol)[bar]


def keep(candles: Candles, which: NDArray[np.bool_]) -> Candles:
    return replace(candles, timestamp=candles.timestamp[which], prices=rows(candles.prices, which))


@pytest.mark.parametrize("change", [date(2024, 3, 10), date(2024, 11, 3)])
def test_an_instant_belongs_to_the_week_that_is_not_over(change: date) -> None:
    weeks = long_market("EURUSD", "1w")
    over = micros(datetime.combine(change, time(17), NEW_YORK))
    bar = bar_at(weeks, over - 1)
    assert bar_at(weeks, over) == bar + 1
    assert weeks.timestamp[bar + 1] == over
    last = keep(weeks, np.arange(len(weeks)) <= bar)
    assert bar_at(last, over - 1) == bar
    with pytest.raises(RunError, match="is outside the EURUSD candles"):
        bar_at(last, over)


# Sources with other clocks


@settings(max_examples=200)
@given(
    st.sampled_from(["America/New_York", "Europe/London", "Europe/Athens", "UTC"]),
    st.integers(0, 23),
    st.sampled_from([1, 7]),
    st.dates(date(2010, 1, 1), date(2030, 12, 31)),
    st.lists(st.integers(1, 3), min_size=1, max_size=60),
)
def test_days_of_any_clock_end_where_the_next_begins_and_never_later(
    zone: str, hour: int, days: int, first: date, steps: list[int]
) -> None:
    dates = [first + timedelta(days=int(n) * days) for n in np.cumsum([0, *steps])]
    opens = np.array([micros(datetime.combine(day, time(hour), ZoneInfo(zone))) for day in dates])
    closes = closes_in_series(opens, f"{days}d")
    followers: list[int | None] = [*opens[1:].tolist(), None]
    assert closes.tolist() == [close_of(at, after, days * DAY_US) for at, after in zip(opens.tolist(), followers, strict=True)]
    assert (closes[:-1] <= opens[1:]).all()
    assert (closes[:-1][np.array(steps) == 1] == opens[1:][np.array(steps) == 1]).all()
    assert (np.abs(closes - opens - days * DAY_US) <= HOUR_US).all()
