"""The strategies that ship: each is valid, trades on the sample by every one of its rules, and together they use all that there is."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
from ruamel.yaml import YAML

from sptrader_desktop import compose
from sptrader_desktop.core import strategy_rules
from sptrader_desktop.core.records import PLACED
from sptrader_desktop.core.results import Result
from sptrader_desktop.core.rules import rule_hits
from sptrader_desktop.core.strategy import Condition, Not, Operator, SignalMatch, Strategy
from sptrader_desktop.runtime.live.replay import Published, Replay
from sptrader_desktop.runtime.recipe import Recipe
from sptrader_desktop.settings import load_settings
from tests.command_line import SAMPLE, STRATEGIES, document, financing, sptrader
from tests.documents import GUIDE, codes, rows
from tests.indicator_markets import catalogue
from tests.parity import first_unlike

pytestmark = pytest.mark.usefixtures("trusted")
FILES = sorted(STRATEGIES.glob("*.yaml"))
each_strategy = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


@cache
def result(path: Path) -> Result:
    settings, recipe = load_settings(), Recipe(str(path), (str(SAMPLE),))
    return compose.run_prepared(compose.prepare(recipe, settings, compose.strategy_of(recipe, settings)))[0]


@each_strategy
def test_it_passes_the_check_and_a_trader_learns_from_it(path: Path) -> None:
    said = sptrader("check", path)
    assert (said.code, said.err) == (0, "")
    strategy, text = result(path).request.strategy, path.read_text(encoding="utf-8")
    assert strategy.name == path.stem
    assert strategy.author
    assert strategy.description.endswith(".")
    assert text.startswith("# ")
    assert strategy.exits.stop_loss
    assert strategy.risk.max_drawdown
    assert strategy.risk.daily_loss_limit


@each_strategy
def test_live_it_does_what_the_backtest_says(path: Path) -> None:
    """Rules asked bar by bar, decisions by the account, fills by the paper broker: the same rows and the same money."""
    run = result(path)
    symbols = tuple(candles.symbol for candles in (*run.request.traded, *run.request.rates))
    assert first_unlike(Replay(run.job, symbols).run(Published(run.request.strategy, run.events).hits), run.outcome) is None


@each_strategy
def test_it_trades_on_the_sample_by_each_of_its_rules(path: Path) -> None:
    run = result(path)
    strategy, candles = run.request.strategy, run.request.traded[0]
    verdicts = run.outcome.verdicts
    assert set(verdicts["rule"][verdicts["verdict"] == PLACED].tolist()) == set(range(len(strategy.entries)))
    hits = rule_hits(strategy, run.events[0], len(candles))
    assert hits.exits.any(axis=1).all()
    assert {"long": 1, "short": -1}[strategy.entries[0].side] in run.outcome.trades["side"]
    # No limit of loss stops it halfway, so that its rules are seen on all of the sample.
    assert run.outcome.trades["exit_bar"].max() > 0.9 * len(candles)


@each_strategy
def test_each_signal_that_it_names_is_asked_for_and_has_something_to_say(path: Path) -> None:
    run = result(path)
    strategy = run.request.strategy
    assert {match.signal for match in conditions(strategy)} == {use.name for use in strategy.signals}
    assert all(len(run.events[0][use.name]) for use in strategy.signals)


def test_totals_are_the_sums_of_the_trades(tmp_path: Path) -> None:
    costs = ("--commission", "3.5/lot,min=0.1", "--spread", "0.6", "--slippage", "0.1", "--financing", financing(tmp_path))
    for path in FILES:
        assert_books(document(path, "--data", SAMPLE, *costs))


def assert_books(read: dict[str, Any]) -> None:
    """Initial + gross − commissions + financing = end, to the last unit, and every total is that of the rows."""
    trades = read["completed_trades"]
    gross, commission, financed, net = (
        sum((Decimal(trade[key]) for trade in trades), Decimal(0)) for key in ("gross_pnl", "commission", "financing", "pnl")
    )
    start, end = Decimal(read["start_capital"]), Decimal(read["end_capital"])
    assert net == gross - commission + financed
    assert start + net == end == Decimal(read["final_portfolio"]["cash"]) == Decimal(read["final_portfolio"]["equity"])
    assert Decimal(read["total_pnl"]) == net == Decimal(read["equity_band"]["pnl"])
    assert (read["total_trades"], [trade["id"] for trade in trades]) == (len(trades), list(range(1, len(trades) + 1)))
    assert read["winning_trades"] == sum(Decimal(trade["pnl"]) > 0 for trade in trades)
    assert read["losing_trades"] == sum(Decimal(trade["pnl"]) < 0 for trade in trades)
    assert len(read["executed_orders"]) >= len(trades)
    assert commission > 0
    assert financed != 0


def test_every_component_that_ships_is_used() -> None:
    used = set()
    for path in FILES:
        for use in result(path).request.strategy.signals:
            signal = catalogue().signal(use.component)
            used |= {signal.dotted, *(catalogue().indicator(required.type).dotted for required in signal.required_indicators)}
    assert sorted(catalogue().found.keys() - used) == []


def test_together_they_show_the_whole_language() -> None:
    read = [YAML(typ="safe", pure=True).load(path) for path in FILES]
    strategies = [result(path).request.strategy for path in FILES]
    entries = [entry for strategy in strategies for entry in strategy.entries]
    exits = [strategy.exits for strategy in strategies]
    rules = [rule for each in exits for rule in each.rules]
    levels = {level.kind for each in exits for level in (each.stop_loss, each.take_profit) if level}
    comparisons = [test.comparison for strategy in strategies for match in conditions(strategy) for test in match.tests]
    written = {key for data in read for key, _ in pairs(data)}

    assert {entry.size.mode for entry in entries} == set(strategy_rules.SIZE_MODES)
    assert {entry.order.kind for entry in entries} == set(strategy_rules.ORDER_KINDS)
    assert {entry.order.offset.kind for entry in entries if entry.order.offset} == set(strategy_rules.OFFSET_KINDS)
    assert {rule.action for rule in rules} == set(strategy_rules.EXIT_ACTIONS)
    assert {entry.side for entry in entries} == {"long", "short"}
    # A fixed price as a level belongs to one market on one day.
    assert levels == set(strategy_rules.LEVEL_KINDS) - {"price"}
    assert {comparison.operator for comparison in comparisons} == set(get_args(Operator))
    keys = {*strategy_rules.ROOT_KEYS, *strategy_rules.ENTRY_KEYS, *strategy_rules.EXIT_KEYS, *strategy_rules.RISK_KEYS}
    assert keys <= written
    assert written >= {"any", "all", "not", "use", "params"}


def test_the_guide_lists_the_strategies_that_ship() -> None:
    told = [(codes(name), what) for name, what, _ in rows(GUIDE, "strategy")]
    assert told == [([path.stem], result(path).request.strategy.description) for path in FILES]


def conditions(strategy: Strategy) -> Iterator[SignalMatch]:
    for rule in strategy.entries:
        yield from matches(rule.when)
    for leave in strategy.exits.rules:
        yield from matches(leave.when)


def matches(when: Condition) -> Iterator[SignalMatch]:
    if isinstance(when, SignalMatch):
        yield when
    else:
        for inner in (when.condition,) if isinstance(when, Not) else when.conditions:
            yield from matches(inner)


def pairs(data: Any) -> Iterator[tuple[str, Any]]:
    """All keys with their values, however deep."""
    if isinstance(data, Mapping):
        for key, value in data.items():
            yield key, value
            yield from pairs(value)
    elif isinstance(data, list):
        for item in data:
            yield from pairs(item)
