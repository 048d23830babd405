"""The oracle on random markets, where the identities of the books must hold, and against trade lists of independent programs."""

from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings

from sptrader_desktop.core import records as rec
from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.money import MONEY_ONE
from sptrader_desktop.core.terms import Terms
from tests.golden import CLOSE_LISTS, NEXT_OPEN_LISTS, golden_case, listed, rows_like
from tests.markets import Case, cases, features, random_case
from tests.reference import Outcome, simulate
from tests.reference_bars import both_sides

# What holds in every market


@cache
def ran(seed: int) -> tuple[Case, Outcome]:
    case = random_case(seed)
    return case, run(case)


def run(case: Case) -> Outcome:
    return simulate(case.candles, case.hits, case.strategy, case.terms, case.rates, case.finer)


def test_two_hundred_random_markets_see_every_reason_verdict_and_order_state() -> None:
    seen = set().union(*(features(*ran(seed)) for seed in range(200)))
    wanted = {f"exit:{reason}" for reason in rec.EXIT_REASONS} - {"exit:emergency"}
    wanted |= {f"verdict:{verdict}" for verdict in (*rec.VERDICTS, "reduced")}
    wanted |= {f"order:{kind}:{state}" for kind in ("limit", "stop") for state in ("filled", "cancelled", "expired")}
    wanted |= {"order:market:filled", "order:market:cancelled", "trade:ambiguous", "trade:resolved", "trade:in_parts", "trade:financing"}
    wanted |= {f"side:{side}" for side in ("bid", "mid", "ask")} | {f"currency:{currency}" for currency in ("USD", "EUR", "JPY")}
    wanted |= {f"{name}:{kind}" for name in ("stop", "target") for kind in ("pips", "percentage", "atr", "price")}
    wanted |= {"symbols:3", "timeframes:mixed", "ask:real", "trailing:at_once", "trade:in_one_bar", "trade:younger_closed_first"}
    assert wanted - seen == set()


def test_capital_and_all_trade_rows_come_to_the_final_cash() -> None:
    for seed in range(200):
        case, outcome = ran(seed)
        net = sum(row["gross"] - row["commission"] + row["financing"] for row in outcome.trades)
        assert int(case.terms.capital) * MONEY_ONE + net == outcome.final_cash == outcome.equity[-1][1], seed


def test_fills_come_to_flat_and_trade_rows_carry_all_their_commission() -> None:
    for seed in range(200):
        _, outcome = ran(seed)
        left: dict[tuple[int, int], int] = {}
        for fill in outcome.fills:
            key = (fill["symbol"], fill["position"])
            left[key] = left.get(key, 0) + fill["side"] * fill["quantity"]
        assert set(left.values()) <= {0}, seed
        assert sum(row["commission"] for row in outcome.trades) == sum(row["commission"] for row in outcome.fills), seed


def test_every_order_ends_once_and_every_filled_one_has_its_fill() -> None:
    for seed in range(200):
        _, outcome = ran(seed)
        filled = {fill["order"]: (fill["bar"], fill["quantity"], fill["side"]) for fill in outcome.fills if fill["order"] >= 0}
        expected = {
            number: (row["settled_bar"], row["quantity"], row["side"])
            for number, row in enumerate(outcome.orders)
            if row["state"] == rec.FILLED
        }
        assert filled == expected, seed
        assert rec.WORKING not in {row["state"] for row in outcome.orders}, seed
        placed = {row["order"]: row["quantity"] for row in outcome.verdicts if row["verdict"] == rec.PLACED}
        assert placed == {number: row["quantity"] for number, row in enumerate(outcome.orders)}, seed


def test_cash_and_unrealised_profit_recomputed_from_the_fills_are_the_equity_of_every_bar() -> None:
    """One symbol in its own currency and without financing, where a bar's fills alone say what equity must be."""
    compared = 0
    for seed in range(200):
        case = random_case(seed)
        if len(case.candles) > 1:
            continue
        instrument = replace(case.candles[0].instrument, long_rate=Decimal(0), short_rate=Decimal(0))
        candles = replace(case.candles[0], instrument=instrument)
        outcome = run(replace(case, candles=(candles,), terms=replace(case.terms, currency=instrument.quote), rates=()))
        assert [money for _, money in outcome.equity[:-1]] == equity_of_fills(candles, case.terms, outcome)[:-1], seed
        compared += len(outcome.fills)
    assert compared > 2000


def equity_of_fills(candles: Candles, terms: Terms, outcome: Outcome) -> list[int]:
    bid, ask = both_sides(candles, terms.spread_pips)
    held = {rec.LONG: 0, rec.SHORT: 0}
    cash, curve = int(terms.capital) * MONEY_ONE, []
    waiting = [fill for fill in outcome.fills if fill["reason"] != rec.END_OF_DATA][::-1]
    for bar in range(len(candles)):
        while waiting and waiting[-1]["bar"] == bar:
            fill = waiting.pop()
            held[fill["side"] if fill["reason"] < 0 else -fill["side"]] += fill["side"] * fill["quantity"]
            cash -= fill["side"] * fill["quantity"] * fill["price"] * candles.instrument.unit_value + fill["commission"]
        worth = held[rec.LONG] * bid[bar].close + held[rec.SHORT] * ask[bar].close
        curve.append(cash + worth * candles.instrument.unit_value)
    return curve


def test_cutting_the_future_off_changes_nothing_before_it() -> None:
    for seed in range(60):
        case, whole = ran(seed)
        half = run(random_case(seed, 100))
        shortest = min(item.bar_us for item in case.candles)
        end = int(min(item.timestamp[0] for item in case.candles)) + 100 * shortest
        assert [row for row in half.verdicts if row["time"] <= end] == [row for row in whole.verdicts if row["time"] <= end], seed
        known = [point for point in half.equity[:-1] if point[0] <= end]
        assert known == whole.equity[: len(known)], seed


@settings(max_examples=40)
@given(case=cases(60))
def test_the_same_case_runs_the_same_twice(case: Case) -> None:
    again = random_case(case.seed, 60)
    assert again.strategy == case.strategy
    assert run(case) == run(case)


# Trade lists of independent programs


def golden_run(folder: Path, spec: str, terms: Terms, *, with_ask: bool) -> Outcome:
    case = golden_case(folder, spec, with_ask=with_ask)
    return simulate([case.candles], [case.hits], case.strategy, terms)


@pytest.mark.parametrize("spec", [pytest.param(spec, marks=() if spec == "S3" else pytest.mark.campaign) for spec in NEXT_OPEN_LISTS])
def test_the_trades_are_those_of_backtesting_py_but_for_the_one_open_at_the_end(reference: Path, spec: str) -> None:
    outcome = golden_run(reference, spec, Terms(Decimal(1_000_000)), with_ask=False)
    ours, theirs = rows_like(outcome.trades), listed(reference, NEXT_OPEN_LISTS[spec])
    left_open = outcome.trades[-1]["reason"] == rec.END_OF_DATA
    assert len(ours) == len(theirs)
    assert ours[: -1 if left_open else None] == theirs[: -1 if left_open else None]
    assert ours[-1][0] == theirs[-1][0]


@pytest.mark.parametrize("spec", [pytest.param(spec, marks=() if spec == "S1" else pytest.mark.campaign) for spec in CLOSE_LISTS])
def test_with_real_bid_and_ask_the_closes_are_those_of_nautilus(reference: Path, spec: str) -> None:
    name, total = CLOSE_LISTS[spec]
    outcome = golden_run(reference, spec, Terms(Decimal(1_000_000), fill="close"), with_ask=True)
    assert sum(row["gross"] for row in outcome.trades) == int(Decimal(total) * MONEY_ONE)
    assert rows_like(outcome.trades) == listed(reference, name)
