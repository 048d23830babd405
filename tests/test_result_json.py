"""The JSON document: the contract's keys, exact texts, the same bytes each time, and a reason for everything that was ordered."""

import json
from collections import Counter
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.metrics import EquityCurve, measure
from sptrader_desktop.core.money import fixed
from sptrader_desktop.core.results import Band, Request, Result
from sptrader_desktop.core.simulation import run
from sptrader_desktop.core.strategy import AllOf, AnyOf, Not, SignalMatch
from sptrader_desktop.present.result_json import plain_json, render, rendered, result_document
from sptrader_desktop.present.triggers import triggers
from sptrader_desktop.runtime.manifest import make_manifest
from tests.markets import Case, random_case
from tests.parity import job_of
from tests.small_runs import TEXT, runner, small_run

ORDERED = {"signal_exit", "reverse", "time_exit", "risk_halt", "stop_out"}
KEYS = (
    "completed_trades daily_returns data_quality end_capital equity_band executed_orders final_portfolio losing_trades manifest "
    "max_drawdown metrics order_decisions sharpe_ratio signals_generated start_capital total_pnl total_trades winning_trades".split()
)


def document(**terms: Any) -> dict[str, Any]:
    result = small_run(**terms)
    read: dict[str, Any] = json.loads(render(result_document(result, make_manifest(result.request, TEXT, runner()))))
    return read


def random_result(case: Case) -> Result:
    """A random market's run as a result; its rules hold without events."""
    request = Request(case.strategy, case.terms, case.candles, case.rates, case.finer)
    job = job_of(case)
    outcome = run(job)
    ambiguous = int(np.count_nonzero(outcome.trades["ambiguous"]))
    band = Band(ambiguous, 0, outcome.final_cash - job.capital, outcome.final_cash - job.capital)
    opened = np.unique(np.concatenate([candles.timestamp for candles in case.candles]))
    measured = measure(outcome.trades, EquityCurve(opened, outcome.instants, outcome.equity), fixed(case.terms.capital))
    return Result(request, tuple({} for _ in case.candles), case.hits, job, outcome, band, measured)


def test_the_document_has_exactly_the_keys_of_the_contract() -> None:
    assert list(document()) == KEYS


def test_a_trade_has_exact_texts_and_net_results() -> None:
    assert document()["completed_trades"][1] == {
        "id": 2,
        "symbol": "EURUSD",
        "side": "long",
        "entry_time": "2024-01-02T12:00:00Z",
        "entry_price": "1.10300",
        "exit_time": "2024-01-02T12:00:00Z",
        "exit_price": "1.10100",
        "quantity": "10000",
        "gross_pnl": "-20.00",
        "commission": "0.70",
        "financing": "0.00",
        "pnl": "-20.70",
        "currency": "USD",
        "pnl_percent": 100 * -20.70 / 11_030,
        "exit_reason": "stop_loss",
        "holding_period_hours": 0.0,
        "ambiguous": True,
    }


def test_totals_and_band_say_what_the_trades_say() -> None:
    read = document()
    totals = [read[name] for name in ("total_trades", "winning_trades", "losing_trades", "total_pnl", "start_capital", "end_capital")]
    assert totals == [4, 3, 1, "12.20", "10000.00", "10012.20"]
    assert read["equity_band"] == {
        "policy": "stop_first",
        "ambiguous_trades": 1,
        "resolved_trades": 0,
        "pnl": "12.20",
        "low": "12.20",
        "high": "62.20",
        "stop_first": "12.20",
        "target_first": "62.20",
        "trades": [2],
    }
    assert read["final_portfolio"] == {
        "cash": "10012.20",
        "equity": "10012.20",
        "positions": [],
        "high_water_mark": "10029.30",
        "currency": "USD",
    }


def test_every_decision_names_its_moment_its_verdict_and_the_events_behind_it() -> None:
    up, on, down = ({"name": name, "type": kind} for name, kind in (("cross", "up"), ("filter", "on"), ("cross", "down")))
    told = [(row["timestamp"][11:13], row["action"], row["reason"], row["size"], row["signals"]) for row in document()["order_decisions"]]
    assert told == [
        ("09", "buy", "placed", "10000", [up | {"strength": 0.25}, on | {"strength": 0.75}]),
        ("12", "buy", "placed", "10000", [up | {"strength": 1.0}]),
        ("14", "buy", "placed", "10000", [up | {"strength": 0.5}, on | {"strength": 1.0}]),
        ("15", "buy", "already_in", "0", [up | {"strength": 0.5}]),
        ("16", "close_long", "signal_exit", "10000", [{"name": "cross", "type": "out", "strength": 0.125}]),
        ("17", "buy", "placed", "10000", [up | {"strength": 0.75}]),
        ("18", "sell", "opposite", "0", [down | {"strength": 0.0}]),
    ]


def test_orders_stand_in_the_order_of_their_fills() -> None:
    told = [(row["purpose"], row["kind"], row["reason"], row["price"], row["trade"]) for row in document()["executed_orders"]]
    assert told == [
        ("entry", "market", None, "1.10000", None),
        ("exit", "limit", "take_profit", "1.10300", 1),
        ("entry", "market", None, "1.10300", None),
        ("exit", "stop", "stop_loss", "1.10100", 2),
        ("entry", "market", None, "1.10410", None),
        ("exit", "market", "signal_exit", "1.10440", 3),
        ("entry", "market", None, "1.10450", None),
        ("exit", "market", "end_of_data", "1.10470", 4),
    ]


def test_an_exit_at_the_close_was_decided_at_that_close() -> None:
    read = document(fill="close")
    left = next(row for row in read["executed_orders"] if row["reason"] == "signal_exit")
    assert (left["settled_at"], left["decided_at"]) == ("2024-01-02T15:00:00Z", "2024-01-02T16:00:00Z")


def test_signals_carry_the_open_of_their_bar_and_come_in_time_order() -> None:
    found = document()["signals_generated"]
    assert found[0] == {
        "timestamp": "2024-01-02T08:00:00Z",
        "signal_name": "cross",
        "signal_type": "up",
        "strength": 0.25,
        "metadata": {"fast": 0.0},
        "symbol": "EURUSD",
    }
    assert [row["signal_name"] for row in found[:2]] == ["cross", "filter"]
    assert [row["timestamp"] for row in found] == sorted(row["timestamp"] for row in found)


def test_strange_metadata_becomes_json_and_never_a_number_that_is_none() -> None:
    assert [plain_json(value) for value in (float("nan"), float("inf"), np.int64(3), np.bool_(True), None, "a", Decimal("1.5"))] == [
        None,
        None,
        3,
        True,
        None,
        "a",
        "1.5",
    ]
    with pytest.raises(ValueError, match="not JSON compliant"):
        render({"a": float("nan")})


def test_the_same_inputs_give_the_same_bytes_and_no_folder_is_named() -> None:
    first, second = (render(result_document(r, make_manifest(r.request, TEXT, runner()))) for r in (small_run(), small_run()))
    assert first == second
    assert b"folder" not in first
    assert b'"file":"EURUSD_1h.csv"' in first


def test_bytes_made_list_by_list_are_those_of_the_whole_document() -> None:
    for seed in range(20):
        result = random_result(random_case(seed, 120))
        assert rendered(result, {"a": [1]}) == render(result_document(result, {"a": [1]}))


def test_each_row_of_a_list_is_a_line() -> None:
    result = small_run()
    lines = render(result_document(result, make_manifest(result.request, TEXT, runner()))).decode().splitlines()
    assert sum(line.startswith('{"ambiguous":') for line in lines) == 4


def test_the_manifest_changes_with_each_input_and_with_nothing_else() -> None:
    result = small_run()
    manifest = make_manifest(result.request, TEXT, runner())
    assert manifest == make_manifest(small_run().request, TEXT, runner())
    assert make_manifest(result.request, TEXT + "# read again\n", runner())["strategy"] != manifest["strategy"]
    assert make_manifest(small_run(leverage=Decimal(20)).request, TEXT, runner())["terms"] != manifest["terms"]
    stopped = TEXT.replace("stop: 20", "stop: 21")
    assert make_manifest(small_run(text=stopped).request, TEXT, runner())["parameters"] == {"size": "10000", "stop": "21"}
    assert manifest["data"][0] | {"fingerprint": "f00d", "rows": 10, "first": "2024-01-02T08:00:00Z"} == manifest["data"][0]


def test_only_the_events_that_made_a_condition_hold_are_named() -> None:
    result = small_run()
    cross, on = SignalMatch("cross"), SignalMatch("filter")
    bars = np.array([0, 1, 3, 5], np.int64)

    def names(condition: AllOf | AnyOf | Not) -> list[list[str] | None]:
        return [None if held is None else [name for name, _ in held] for held in triggers(condition, result.events[0], bars)]

    assert names(AllOf((cross, on))) == [["cross", "filter"], None, None, ["cross", "filter"]]
    assert names(AnyOf((cross, AllOf((on, Not(cross)))))) == [["cross"], None, ["cross"], ["cross"]]
    assert names(AnyOf((on, cross, on))) == [["filter", "cross"], None, ["cross"], ["filter", "cross"]]
    assert names(Not(on)) == [None, [], [], None]
    assert names(Not(Not(on))) == [[], None, None, []]


def test_on_random_markets_every_exit_has_its_reason_and_every_sum_adds_up() -> None:
    seen: Counter[str] = Counter()
    for seed in range(60):
        result = random_result(random_case(seed, 120))
        read = json.loads(render(result_document(result, {})))
        trades, exits = read["completed_trades"], [row for row in read["executed_orders"] if row["purpose"] == "exit"]
        assert [row["id"] for row in trades] == list(range(1, len(trades) + 1))
        assert sum(Decimal(row["pnl"]) for row in trades) == Decimal(read["total_pnl"])
        assert sorted(row["trade"] for row in exits) == [row["id"] for row in trades]
        assert sum(Decimal(row["commission"]) for row in read["executed_orders"]) == sum(Decimal(row["commission"]) for row in trades)
        assert_ordered_exits_are_decided(result, read, exits)
        seen.update(row["reason"] for row in read["order_decisions"])
    assert {*ORDERED, "partial", "placed", "opposite", "already_in"} <= set(seen)


def assert_ordered_exits_are_decided(result: Result, read: dict[str, Any], exits: list[dict[str, Any]]) -> None:
    by_symbol = {candles.symbol: candles for candles in result.request.traded}
    for row in exits:
        if row["reason"] != "partial":
            assert (row["decided_at"] is not None) == (row["reason"] in ORDERED), row
        if row["decided_at"] is not None:
            assert is_close_of(by_symbol[row["symbol"]], row["decided_at"])
        assert Fraction(row["rate"]) > 0
    decided = [row for row in read["order_decisions"] if row["action"].startswith("close_")]
    assert all((row["rule"] is not None) == (row["reason"] in {"signal_exit", "reverse", "partial"}) for row in decided)
    assert all(a["timestamp"] <= b["timestamp"] for a, b in pairwise(read["order_decisions"]))


def is_close_of(candles: Candles, text: str) -> bool:
    closes = (candles.timestamp + candles.bar_us).astype("M8[us]")
    return bool(np.isin(np.datetime64(text.removesuffix("Z"), "us"), closes))
