"""Explanations agree with their runs on random markets, name only settings that are enough, and refuse what disagrees."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from sptrader_desktop.core import records as rec
from sptrader_desktop.core import simulation
from sptrader_desktop.core.errors import RunError
from sptrader_desktop.core.explain import bar_at, explain
from sptrader_desktop.core.explained import Explanation, LimitNeed, MatchSeen
from sptrader_desktop.core.results import Result
from sptrader_desktop.core.simulation import make_job
from sptrader_desktop.core.strategy import (
    SignalMatch,
)
from sptrader_desktop.present.explanation import COLUMNS, explanation_text
from tests.explained_runs import FIRST, HOUR_US, ran, run_of_case, single, table, verdict_rows, walked
from tests.markets import random_case

CASES = 150


@cache
def random_run(seed: int) -> Result:
    return run_of_case(random_case(seed))


def some_bars(made: Result, symbol: int, seed: int) -> list[int]:
    """Bars with verdicts, bars with exits, and bars on which nothing need have happened."""
    rng, outcome = np.random.default_rng(seed), made.outcome
    judged = outcome.verdicts["bar"][outcome.verdicts["symbol"] == symbol]
    trades = outcome.trades[outcome.trades["symbol"] == symbol]
    unsure = trades["exit_bar"][(trades["ambiguous"] | trades["resolved"]) > 0]
    pools = [np.unique(judged), np.unique(trades["exit_bar"]), np.unique(unsure), np.arange(len(made.request.traded[symbol]))]
    return sorted({int(bar) for pool in pools for bar in rng.permutation(pool)[:3]})


def explanations(seeds: range) -> list[tuple[int, Result, int, Explanation]]:
    found = []
    for seed in seeds:
        made = random_run(seed)
        for number, candles in enumerate(made.request.traded):
            found += [(seed, made, number, explain(made, candles.symbol, bar)) for bar in some_bars(made, number, seed)]
    return found


@cache
def sample() -> list[tuple[int, Result, int, Explanation]]:
    return explanations(range(CASES))


# Agreement on random markets


def test_verdicts_and_orders_are_those_of_the_run_for_every_rule_whose_conditions_held() -> None:
    seen = set()
    for seed, made, number, explained in sample():
        recorded = verdict_rows(made.outcome, number, explained.bar)
        held = {rule: entry for rule, entry in enumerate(explained.entries) if entry.condition.passed}
        assert recorded.keys() == held.keys(), (seed, explained.bar)
        for rule, entry in held.items():
            order = -1 if entry.order is None else entry.order.number
            quantity = entry.quantity if entry.order else 0
            assert (entry.verdict, quantity, order) == recorded[rule], (seed, explained.bar, rule)
            seen.add(entry.verdict)
    assert seen == set(rec.VERDICTS)


def test_the_first_failed_check_is_the_verdict_and_blocks_only_when_the_conditions_held() -> None:
    for seed, _, _, explained in sample():
        for entry in explained.entries:
            failed = [check.name for check in entry.checks if check.passed is False]
            assert entry.verdict == (failed[0] if failed else "placed"), (seed, explained.bar)
            if not entry.condition.passed:
                assert isinstance(entry.blocker, MatchSeen)
            else:
                assert getattr(entry.blocker, "name", "placed") == entry.verdict


@pytest.mark.parametrize("seeds", [(51, 62, 123, 144), pytest.param(range(CASES), marks=pytest.mark.campaign)], ids=["few", "many"])
def test_every_fill_of_a_run_is_told_once_on_its_bar_and_in_its_order(seeds: Sequence[int]) -> None:
    reasons = set()
    for seed in seeds:
        made = random_run(seed)
        for number, candles in enumerate(made.request.traded):
            told = [(bar, fill) for bar in range(len(candles)) for fill in explain(made, candles.symbol, bar).fills]
            fills = made.outcome.fills[made.outcome.fills["symbol"] == number]
            expected = [tuple(int(row[name]) for name in ("bar", "side", "quantity", "price", "commission")) for row in fills]
            assert [(bar, fill.side, fill.quantity, fill.price, fill.commission) for bar, fill in told] == expected, seed
            assert [fill.reason for _, fill in told] == [None if r < 0 else rec.EXIT_REASONS[r] for r in fills["reason"]], seed
            reasons |= {fill.reason for _, fill in told}
    assert reasons == {None, *rec.EXIT_REASONS} - {"emergency"}


def test_a_reading_is_true_of_the_bar_it_is_told_of() -> None:
    """A gap fills at the open, and a level, slippage aside, at the level; only what was ambiguous was decided by a policy."""
    seen = set()
    for seed, made, _, explained in sample():
        slippage = int(made.request.terms.slippage_pips * explained.instrument.ticks_per_pip)
        for fill in explained.fills:
            if fill.reading is None or fill.reason is None or fill.level is None:
                continue
            prices = explained.bid if fill.side < 0 else explained.ask
            slipped = fill.price - fill.side * (slippage if fill.reason in ("stop_loss", "trailing_stop") else 0)
            if fill.reading == "gap":
                assert slipped == prices.open, (seed, explained.bar)
            elif fill.reading == "level":
                assert slipped == fill.level, (seed, explained.bar)
            else:
                assert prices.low <= slipped <= prices.high, (seed, explained.bar)
            if fill.reading in ("stop_first", "target_first"):
                assert fill.reading == made.request.terms.intrabar
                left = made.outcome.trades[made.outcome.trades["exit_time"] == explained.opened_at]
                assert left["ambiguous"].any(), (seed, explained.bar)
            seen.add(fill.reading)
    assert seen == {"gap", "level", "stop_first", "target_first", "finer"}


def test_equity_at_the_close_is_what_the_run_recorded_where_nothing_filled_at_that_close() -> None:
    compared = 0
    for seed, made, _, explained in sample():
        instants = made.outcome.instants
        if made.request.terms.fill == "next_open" and explained.closed_at < instants[-1]:
            recorded = int(made.outcome.equity[np.searchsorted(instants, explained.closed_at)])
            assert explained.marks.equity == recorded, (seed, explained.bar)
            compared += 1
    assert compared > 200


def test_every_explanation_of_a_random_bar_reads_within_its_columns() -> None:
    for _, _, _, explained in sample():
        assert max(map(len, explanation_text(explained).splitlines())) <= COLUMNS


def test_the_named_setting_lets_the_entry_pass_and_the_next_smaller_one_does_not() -> None:
    seen = set()
    for seed, made, number, explained in sample():
        for rule, entry in enumerate(explained.entries):
            for need in entry.would_need:
                if isinstance(need, LimitNeed):
                    assert judged_with(made, number, explained, rule, need, 0) == "placed", (seed, explained.bar, need)
                    assert judged_with(made, number, explained, rule, need, -1) == entry.verdict, (seed, explained.bar, need)
                    seen.add(need.setting)
    assert seen == {"reverse", "entry max_positions", "max_positions", "max_drawdown", "daily_loss_limit", "leverage", "size"}


def judged_with(made: Result, number: int, explained: Explanation, rule: int, need: LimitNeed, change: int) -> str:
    """Run to just before the close, change the setting in the plan, run the close, read the verdict."""
    asked = made.request
    job = make_job(asked.strategy, asked.terms, asked.traded, made.hits, asked.rates, asked.finer)
    state = simulation.start_state(job)
    log = simulation.advance(job, state, simulation.empty_log(job, state), explained.closed_at - 1)
    column = {"entry max_positions": "most", "daily_loss_limit": "daily_loss"}.get(need.setting, need.setting)
    if need.setting in ("reverse", "entry max_positions", "size"):
        job.plan.entries[column][number, rule] = need.at_least + change
    else:
        job.plan.terms[column] = need.at_least + change
    log = simulation.advance(job, state, log, explained.closed_at)
    rows = log.verdicts[: state.account["verdicts"][0]]
    row = rows[(rows["symbol"] == number) & (rows["bar"] == explained.bar) & (rows["rule"] == rule)][0]
    return rec.VERDICTS[row["verdict"]]


def test_every_entry_short_of_one_event_trades_when_that_event_is_there() -> None:
    tried = 0
    for seed, made, number, explained in sample()[::7]:
        for rule, entry in enumerate(explained.entries):
            if entry.condition.passed or not entry.would_need:
                continue
            changed = [dict(events) for events in made.events]
            bars = changed[number][f"entry{rule}"].bar.tolist()
            changed[number][f"entry{rule}"] = table(sorted([*bars, explained.bar]))
            again = ran(made.request, *changed)
            assert verdict_rows(again.outcome, number, explained.bar)[rule][0] == "placed", (seed, explained.bar, rule)
            tried += 1
    assert tried > 50


# Disagreement


def traded_run() -> Result:
    return single(SignalMatch("cross"), {"cross": table([1, 3, 5])}, scale_in=True, max_positions=9)


def tampered(made: Result, name: str, row: int, column: str, value: int) -> Result:
    rows = getattr(made.outcome, name).copy()
    rows[column][row] = value
    return replace(made, outcome=replace(made.outcome, **{name: rows}))


def test_a_verdict_that_does_not_follow_from_the_rules_is_refused_by_name() -> None:
    wrong = tampered(traded_run(), "verdicts", 1, "verdict", rec.MARGIN)
    with pytest.raises(RunError, match=r"verdict 2 has verdict 8 where its rules give 0; .* run it again"):
        explain(wrong, "EURUSD", 3)
    assert explain(wrong, "EURUSD", 1).entries[0].verdict == "placed"


def test_a_verdict_more_or_less_than_the_rules_give_is_refused() -> None:
    made = traded_run()
    fewer = replace(made, outcome=replace(made.outcome, verdicts=made.outcome.verdicts[1:]))
    with pytest.raises(RunError, match="disagrees with the run"):
        explain(fewer, "EURUSD", 1)
    later = tampered(made, "verdicts", 1, "time", int(made.outcome.verdicts["time"][0]))
    with pytest.raises(RunError, match="verdict 2 was recorded but does not follow"):
        explain(later, "EURUSD", 1)


def test_a_fill_at_another_price_is_refused() -> None:
    wrong = tampered(traded_run(), "fills", 0, "price", 1)
    with pytest.raises(RunError, match=r"fill 1 has price 1 where its rules give \d+"):
        explain(wrong, "EURUSD", 4)


def test_conditions_that_held_in_the_run_and_do_not_now_are_refused() -> None:
    made = traded_run()
    gone = replace(made, events=({"cross": table([1, 5])},))
    with pytest.raises(RunError, match="conditions of entry rule 1 do not hold, in the run it was the other way"):
        explain(gone, "EURUSD", 3)


# Which bar


def test_any_time_inside_a_bar_is_that_bar_and_its_close_the_next() -> None:
    candles = walked(8, 1)
    assert [bar_at(candles, FIRST + at) for at in (0, 1, HOUR_US - 1, HOUR_US, 8 * HOUR_US - 1)] == [0, 0, 0, 1, 7]


def test_a_time_outside_the_candles_names_their_range_and_one_between_bars_the_nearest() -> None:
    candles = walked(8, 1)
    weekend = replace(candles, timestamp=candles.timestamp + np.where(np.arange(8) >= 4, 48 * HOUR_US, 0))
    span = "give a time from 2024-01-02T08:00:00Z to 2024-01-02T15:59:59Z"
    for at in (FIRST - 1, FIRST + 8 * HOUR_US):
        with pytest.raises(RunError, match=f"is outside the EURUSD candles: {span}"):
            bar_at(candles, at)
    with pytest.raises(RunError, match="nearest bars open at 2024-01-02T11:00:00Z and at 2024-01-04T12:00:00Z"):
        bar_at(weekend, FIRST + 4 * HOUR_US)


def test_a_symbol_the_run_does_not_trade_is_refused_with_those_it_does() -> None:
    with pytest.raises(RunError, match="does not trade GBPUSD: give one of EURUSD"):
        explain(traded_run(), "GBPUSD", 3)
    with pytest.raises(RunError, match="bar 8 of EURUSD does not exist: its bars are 0 to 7"):
        explain(traded_run(), "EURUSD", 8)
