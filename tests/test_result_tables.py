"""The tables of a run hold what its JSON result holds, row for row, and the excursions that a plain walk over the bars finds."""

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import cache
from typing import Any

import numpy as np
import pytest

from sptrader_desktop.core.records import END_OF_DATA, LONG, ORDER_KINDS, REVERSE, SIGNAL_EXIT, TIME_EXIT
from sptrader_desktop.core.results import Result
from sptrader_desktop.present.decision_rows import decision_listing
from sptrader_desktop.present.excursions import excursions
from sptrader_desktop.present.listing import Listing
from sptrader_desktop.present.order_rows import order_listing
from sptrader_desktop.present.result_json import render, result_document
from sptrader_desktop.present.selection import BarAt, Zone
from sptrader_desktop.present.signal_rows import signal_listing
from sptrader_desktop.present.trade_rows import money_of, trade_listing, worth
from tests.markets import random_case
from tests.small_runs import FIRST, HOUR_US, small_run
from tests.test_result_json import random_result

LISTINGS: dict[str, Callable[[Result, Zone], Listing]] = {
    "completed_trades": trade_listing,
    "executed_orders": order_listing,
    "order_decisions": decision_listing,
    "signals_generated": signal_listing,
}
SEEDS = range(30)


@cache
def market(seed: int) -> tuple[Result, dict[str, Any]]:
    result = random_result(random_case(seed, 120))
    return result, json.loads(render(result_document(result, {})))


def results() -> Iterator[tuple[Result, dict[str, Any]]]:
    for result in (small_run(), small_run(fill="close")):
        yield result, json.loads(render(result_document(result, {})))
    yield from (market(seed) for seed in SEEDS)


def as_text(value: Any) -> str:
    """A value of the JSON result as the exact text of a cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if isinstance(value, dict) else str(value)


@pytest.mark.parametrize("name", sorted(LISTINGS))
def test_every_cell_is_what_the_json_result_says(name: str) -> None:
    rows, shared = 0, set[str]()
    for result, document in results():
        listing = LISTINGS[name](result, Zone.UTC)
        assert len(listing) == len(listing.table) == len(document[name])
        for row, told in enumerate(document[name]):
            for key in set(told) & set(listing.table.keys) - {"rule"}:
                assert listing.table[key].exact(row) == as_text(told[key]), (key, row)
            if "rule" in told and not told["action"].startswith("close"):
                assert listing.table["rule"].exact(row) == str(told["rule"] + 1)
            shared |= set(told) & set(listing.table.keys)
            rows += 1
    assert rows >= 18
    counts = {"completed_trades": 16, "executed_orders": 13, "order_decisions": 7, "signals_generated": 6}
    assert len(shared) == counts[name]


def test_every_text_can_be_read_in_every_zone() -> None:
    for result, _ in (next(results()), market(1), market(7)):
        for make in LISTINGS.values():
            for zone in Zone:
                listing = make(result, zone)
                texts = [column.text(row) for column in listing.table.columns for row in range(len(listing))]
                assert all(isinstance(text, str) for text in texts)


# Excursions


def plain_walk(result: Result, number: int) -> tuple[int, int]:
    """Every price at which the trade could have been closed for certain, bar by bar, in plain Python."""
    trade, terms, symbol = result.outcome.trades[number], result.request.terms, int(result.outcome.trades["symbol"][number])
    candles, shifts = result.request.traded[symbol], result.job.plan.symbols[symbol]
    side, fill_close = int(trade["side"]), terms.fill == "close"
    prices = candles.prices if side == LONG or candles.ask is None else candles.ask
    shift = int(shifts["bid_shift"] if side == LONG else shifts["ask_shift"])
    enters = next(row for row in result.outcome.fills if row["position"] == trade["position"] and row["reason"] < 0)
    order = result.outcome.orders[enters["order"]]
    entry_side = candles.prices if side != LONG or candles.ask is None else candles.ask
    opened = int(entry_side.open[trade["entry_bar"]]) + int(shifts["ask_shift"] if side == LONG else shifts["bid_shift"])
    kind = ORDER_KINDS[order["kind"]]
    beyond = opened <= order["level"] if (kind == "limit") == (side == LONG) else opened >= order["level"]
    saw_entry_bar = not fill_close if kind == "market" else bool(beyond)
    at_close = trade["reason"] == END_OF_DATA or (fill_close and trade["reason"] in (SIGNAL_EXIT, REVERSE, TIME_EXIT))
    seen = [int(trade["entry_price"]), int(trade["exit_price"])]
    for bar in range(int(trade["entry_bar"]), int(trade["exit_bar"]) + 1):
        if bar == trade["entry_bar"] and not saw_entry_bar:
            continue
        seen.append(int(prices.open[bar]) + shift)
        if bar < trade["exit_bar"] or at_close:
            seen += [int(prices.high[bar]) + shift, int(prices.low[bar]) + shift]
    moves = [side * (price - int(trade["entry_price"])) for price in seen]
    return min(0, *moves), max(0, *moves)


def test_excursions_are_those_of_a_plain_walk_over_the_bars() -> None:
    kinds, compared = set(), 0
    for result, _ in results():
        found = excursions(result)
        for number in range(len(result.outcome.trades)):
            assert (int(found.adverse[number]), int(found.favourable[number])) == plain_walk(result, number), number
            compared += 1
        kinds |= {ORDER_KINDS[kind] for kind in result.outcome.orders["kind"][result.outcome.orders["state"] == 1]}
    assert compared > 100
    assert kinds == {"market", "limit", "stop"}


def test_excursions_by_eye() -> None:
    listing = trade_listing(small_run(), Zone.UTC)
    cells = [(listing.table["mae_pips"].text(row), listing.table["mfe_pips"].text(row)) for row in range(len(listing))]
    # Bought at 0: low −50, left at the target 300. Bought at 300 and stopped at 100: the bar's 700 may have come later.
    assert cells[:2] == [("-5.0", "+30.0"), ("-20.0", "0.0")]
    assert listing.table["mae"].text(1) == "-20.00"


def test_what_a_move_is_worth_is_what_the_engine_booked() -> None:
    for result, _ in results():
        trades = result.outcome.trades
        moved = trades["side"] * (trades["exit_price"] - trades["entry_price"])
        exact = money_of(result, moved)
        assert [exact(row) for row in range(len(trades))] == trades["gross"].tolist()
        assert np.allclose(worth(result, moved), trades["gross"], rtol=1e-12, atol=1)


# Links to the chart


def test_rows_and_bars_find_each_other() -> None:
    listing = trade_listing(small_run(), Zone.UTC)
    assert listing.bar_of(0) == BarAt("EURUSD", FIRST + HOUR_US)
    assert listing.rows_at(BarAt("EURUSD", FIRST + 2 * HOUR_US)).tolist() == [0]
    assert listing.rows_at(BarAt("EURUSD", FIRST + 8 * HOUR_US)).tolist() == [2]
    assert listing.rows_at(BarAt("EURUSD", FIRST + 3 * HOUR_US)).tolist() == []
    assert listing.rows_at(BarAt("GBPUSD", FIRST)).tolist() == []


def test_decisions_say_what_failed_with_its_numbers() -> None:
    table = decision_listing(small_run(), Zone.UTC).table
    refused = [row for row in range(len(table)) if table["reason"].text(row) == "already in"]
    assert [table["compared"].text(row) for row in refused] == ["1 against 1"]
    assert "enough was open this way" in table["meaning"].text(refused[0])
    for seed in SEEDS:
        result, document = market(seed)
        compared = decision_listing(result, Zone.UTC).table["compared"]
        for row, told in enumerate(document["order_decisions"]):
            if told["figure"] is not None and told["reason"] in ("margin", "max_drawdown", "daily_loss", "halted"):
                assert f"{Decimal(told['figure']):,.2f} of {Decimal(told['limit']):,.2f}" in compared.text(row)
