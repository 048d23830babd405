"""Strategy files: all that the format offers loads as written, and all that is wrong with a file is said at once, at its place."""

import subprocess
import sys
from copy import deepcopy
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sptrader_desktop.adapters.component_catalogue import load_catalogue
from sptrader_desktop.adapters.marked_data import MarkedData
from sptrader_desktop.adapters.yaml_strategy import read_strategy
from sptrader_desktop.adapters.yaml_tree import read_tree
from sptrader_desktop.core.errors import StrategyError
from sptrader_desktop.core.strategy import (
    AllOf,
    AnyOf,
    Comparison,
    EntryOrder,
    EntryRule,
    ExitRule,
    Exits,
    Level,
    Not,
    OutputTest,
    RiskLimits,
    SignalMatch,
    SignalUse,
    Size,
    Strategy,
    TrailingStop,
)
from sptrader_desktop.core.strategy_fields import Plain
from sptrader_desktop.core.strategy_rules import ROOT_KEYS, resolve_strategy
from tests.edits import bad_edits, edited, ids
from tests.strategy_texts import FULL, SMALL, complaints, parsed

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = sorted((ROOT / "strategies").glob("*.yaml"))


def dec(text: str) -> Decimal:
    return Decimal(text)


def small_with(entry: str = "", rest: str = "") -> Strategy:
    return parsed(SMALL.replace("size: 0.5}", f"{entry or 'size: 0.5'}}}") + rest)


# What loads


def test_every_form_of_the_format_becomes_the_record_it_describes() -> None:
    cross = SignalMatch(
        "ma_crossover",
        (
            OutputTest("crossover_type", Comparison("==", ("golden_cross",))),
            OutputTest("signal_strength", Comparison(">", (dec("0.1"),))),
        ),
    )
    ranged = SignalMatch("ma_crossover", (OutputTest("ma_fast", Comparison("range", (dec("1"), dec("2")))),))
    death = SignalMatch("ma_crossover", (OutputTest("crossover_type", Comparison("==", ("death_cross",))),))
    assert parsed(FULL) == Strategy(
        name="everything",
        version="1.0.0",
        author="somebody",
        description="all forms at once",
        entries=(
            EntryRule(
                when=AllOf((cross, AnyOf((SignalMatch("session_filter"), Not(ranged))))),
                side="long",
                size=Size("fraction", dec("0.02")),
                order=EntryOrder("limit", Level("atr", dec("1.5"), 10), 3),
                scale_in=True,
                max_positions=3,
                reverse=True,
            ),
            EntryRule(when=death, side="short", size=Size("risk", dec("0.01"))),
        ),
        exits=Exits(
            rules=(ExitRule(SignalMatch("ma_crossover"), "close_partial"),),
            stop_loss=Level("percentage", dec("0.02")),
            take_profit=Level("pips", dec("40")),
            trailing_stop=TrailingStop(dec("0.01"), dec("0.005")),
            scale_out=True,
            partial_close_pct=dec("0.5"),
            time_exit=48,
        ),
        risk=RiskLimits(dec("0.15"), dec("0.03"), dec("5"), 4),
        signals=(SignalUse("signals.session_filter"), SignalUse("signals.ma_crossover", {"fast_period": dec("20")})),
        indicators=("indicators.trend.sma",),
        parameters={"fast": dec("20"), "size": dec("0.02"), "stop": dec("0.02"), "low": dec("0.1"), "kind": "golden_cross"},
    )


def test_a_file_with_only_what_is_required_gets_the_defaults() -> None:
    assert parsed(SMALL) == Strategy(
        name="small",
        version="1",
        entries=(EntryRule(SignalMatch("ma_crossover"), "long", Size("fraction", dec("0.5"))),),
        signals=(SignalUse("signals.ma_crossover"),),
    )


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_the_samples_load_against_the_components_that_ship_with_them(path: Path) -> None:
    strategy, text = read_strategy(path, load_catalogue(ROOT / "workspace"))
    assert strategy.name == path.stem
    assert text == path.read_text(encoding="utf-8")
    assert strategy.exits.stop_loss
    assert strategy.risk.max_drawdown


def test_the_samples_trade_one_way_the_other_and_both() -> None:
    sides = {path.stem: [entry.side for entry in read_strategy(path)[0].entries] for path in SAMPLES}
    chosen = {"death_cross_short": ["short"], "ma_crossover": ["long"], "ma_crossover_reverse": ["long", "short"]}
    assert {name: sides[name] for name in chosen} == chosen


@pytest.mark.parametrize(
    ("written", "size"),
    [
        ("size: {mode: fraction, value: 100}", Size("fraction", dec("100"))),
        ("size: {mode: units, value: 12345}", Size("units", dec("12345"))),
        ("size: {mode: lots, value: 0.01}", Size("lots", dec("0.01"))),
        ("size: 1e-4", Size("fraction", dec("0.0001"))),
    ],
)
def test_each_sizing_mode_loads(written: str, size: Size) -> None:
    assert small_with(written).entries[0].size == size


@pytest.mark.parametrize("kind", ["percentage", "pips", "atr", "price"])
def test_each_kind_of_stop_and_target_loads(kind: str) -> None:
    exits = small_with(rest=f"exit: {{stop_loss: {{type: {kind}, value: 0.5}}, take_profit: {{type: {kind}, value: 0.25}}}}\n").exits
    assert exits.stop_loss
    assert exits.take_profit
    assert (exits.stop_loss.kind, exits.stop_loss.value) == (kind, dec("0.5"))
    assert (exits.take_profit.kind, exits.take_profit.value) == (kind, dec("0.25"))


@pytest.mark.parametrize("kind", ["percentage", "pips", "atr"])
@pytest.mark.parametrize("order", ["limit", "stop"])
def test_each_entry_order_loads_with_each_offset(order: str, kind: str) -> None:
    rule = small_with(f"size: 1, order: {{type: {order}, offset: {{type: {kind}, value: 0.5}}}}").entries[0]
    assert (rule.order.kind, rule.order.expiry) == (order, None)
    assert rule.order.offset
    assert (rule.order.offset.kind, rule.order.offset.value) == (kind, dec("0.5"))


def test_a_bare_number_is_a_percentage_and_exit_beats_risk() -> None:
    exits = small_with(rest="exit: {stop_loss: 0.01, time_exit: 7}\nrisk: {stop_loss: 0.02, take_profit: {type: atr, value: 3}}\n").exits
    assert exits == Exits(stop_loss=Level("percentage", dec("0.01")), take_profit=Level("atr", dec("3")), time_exit=7)


def test_max_position_size_is_position_limit() -> None:
    assert small_with(rest="risk: {max_position_size: 0.1}\n").risk == RiskLimits(position_limit=dec("0.1"))


def test_several_exit_rules_keep_their_order() -> None:
    one = "{when: {signal: ma_crossover}, action: close_%s}"
    exits = small_with(rest=f"exit: {{signal_exit: [{one % 'long'}, {one % 'short'}, {one % 'all'}]}}\n").exits
    assert [rule.action for rule in exits.rules] == ["close_long", "close_short", "close_all"]


def condition(written: str) -> object:
    return parsed(SMALL.replace("[{signal: ma_crossover}]", written)).entries[0].when


def test_conditions_nest_and_a_group_of_one_is_its_member() -> None:
    match = SignalMatch("ma_crossover")
    one = "{signal: ma_crossover}"
    assert condition(one) == condition(f"[{one}]") == condition(f"[[{one}]]"[1:-1]) == match
    assert condition(f"[{one}, {one}]") == condition(f"{{all: [{one}, {one}]}}") == AllOf((match, match))
    assert condition(f"{{not: [{one}, {{any: [{one}]}}]}}") == Not(AllOf((match, AnyOf((match,)))))


@pytest.mark.parametrize(
    ("written", "comparison"),
    [
        ('"> 0.1"', Comparison(">", (dec("0.1"),))),
        ('">=0.1"', Comparison(">=", (dec("0.1"),))),
        ('"< -1e-3"', Comparison("<", (dec("-0.001"),))),
        ('"<= .5"', Comparison("<=", (dec("0.5"),))),
        ('"== 3"', Comparison("==", (dec("3"),))),
        ('"== up"', Comparison("==", ("up",))),
        ("\"!= '3'\"", Comparison("!=", ("3",))),
        ('"!= true"', Comparison("!=", (True,))),
        ("in [1, up, true]", Comparison("in", (dec("1"), "up", True))),
        ("in up, down", Comparison("in", ("up", "down"))),
        ("[1, up, false]", Comparison("in", (dec("1"), "up", False))),
        ("0.1..0.5", Comparison("range", (dec("0.1"), dec("0.5")))),
        ("-1 .. -1", Comparison("range", (dec("-1"), dec("-1")))),
        ("parameters.low..parameters.high", Comparison("range", (dec("1"), dec("2")))),
        ("parameters.high", Comparison("==", (dec("2"),))),
        ("[parameters.low, 7]", Comparison("in", (dec("1"), dec("7")))),
        ("parameters.rule", Comparison(">", (dec("5"),))),
        ("3", Comparison("==", (dec("3"),))),
        ('"3"', Comparison("==", ("3",))),
        ("up", Comparison("==", ("up",))),
        ("inside", Comparison("==", ("inside",))),
        ("true", Comparison("==", (True,))),
        ("no", Comparison("==", ("no",))),
    ],
)
def test_each_form_of_comparison_is_read(written: str, comparison: Comparison) -> None:
    parameters = 'parameters: {low: 1, high: 2, rule: "> 5"}\n'
    text = SMALL.replace("[{signal: ma_crossover}]", f"\n    - signal: ma_crossover\n      outputs:\n        level: {written}\n ")
    text = text.replace("entry: {when:", "entry:\n  when:").replace(" , action: buy, size: 0.5}", "  action: buy\n  size: 0.5")
    assert parsed(text + parameters).entries[0].when == SignalMatch("ma_crossover", (OutputTest("level", comparison),))


# Parameters


def test_overrides_replace_parameters_wherever_they_are_used() -> None:
    strategy = parsed(FULL, fast=dec("5"), low=dec("0.75"))
    assert strategy.signals[1].params == {"fast_period": dec("5")}
    assert strategy.parameters["low"] == dec("0.75")
    (cross, _) = strategy.entries[0].when.conditions if isinstance(strategy.entries[0].when, AllOf) else (None, None)
    assert isinstance(cross, SignalMatch)
    assert cross.tests[1].comparison.operands == (dec("0.75"),)


def test_an_override_that_makes_no_sense_is_reported_where_it_is_used() -> None:
    with pytest.raises(StrategyError) as caught:
        parsed(FULL, stop=dec("2"), fats=dec("1"), size=dec("NaN"))
    assert str(caught.value).splitlines() == [
        "s.yaml:10:1: parameters.fats: names no parameter of this strategy; did you mean 'fast'?",
        "s.yaml:10:30: parameters.size = NaN: must be a number, a text, true or false",
        "s.yaml:27:40: exit.stop_loss.value = parameters.stop (2): must be above 0 and below 1; 2 percent is written 0.02",
    ]


# What is refused


BAD = bad_edits("bad_strategies.txt")


@pytest.mark.parametrize(("old", "new", "said"), BAD, ids=ids(BAD))
def test_a_bad_edit_is_told_in_full_at_its_place(old: str, new: str, said: list[str]) -> None:
    assert said
    assert complaints(edited(FULL, old, new)) == said


def test_a_file_that_is_wrong_everywhere_says_so_at_once_and_in_its_own_order() -> None:
    text = (
        SMALL.replace('version: "1"', "version: 1").replace("action: buy", "action: hold").replace("0.5", "-1").replace("name:", "names:")
    )
    assert complaints(text) == [
        f"1:1: names: is no key here; the keys are {', '.join(ROOT_KEYS)}; did you mean 'name'?",
        "1:1: name: is missing: add it here",
        '2:10: version = 1: must be text: write it in quotes, "1"',
        "4:49: entry.action = hold: must be one of buy, sell",
        "4:61: entry.size = -1: must be above 0 and at most 100",
    ]


def test_thousands_of_problems_are_all_told() -> None:
    assert len(complaints("".join(f"k{number}: 1\n" for number in range(3000)))) == 3000 + 4


def test_messages_quote_values_short_and_on_one_line() -> None:
    (line,) = complaints(SMALL.replace("action: buy", f'action: "{"long " * 30}\\n"'))
    assert line == f"4:49: entry.action = {'long ' * 11}long…: must be one of buy, sell"
    (line,) = complaints(SMALL.replace("action: buy", 'action: "buy\\n"'))
    assert line == "4:49: entry.action = 'buy\\n': must be one of buy, sell; did you mean 'buy'?"


def test_reading_a_strategy_loads_no_numpy_numba_pandas_or_qt() -> None:
    script = (
        "import sys, pathlib, sptrader_desktop.adapters.yaml_strategy as y, sptrader_desktop.adapters.component_catalogue as c\n"
        "y.read_strategy(pathlib.Path('strategies/ma_crossover.yaml'), c.load_catalogue(pathlib.Path('workspace')))\n"
        "print(sorted({'numpy', 'numba', 'pandas', 'pyarrow', 'PySide6', 'asyncio'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# Anything at all


LEAVES: st.SearchStrategy[Plain] = (
    st.none()
    | st.booleans()
    | st.decimals(-(10**15), 10**15)
    | st.sampled_from(
        ["buy", "parameters.fast", "parameters.x", "> 1", "1..2", "in [a", "signals.ma_crossover", "ma_crossover", "", "atr", "risk"]
    )
)
PLAIN = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from("signal outputs any not type value mode bars when".split()), inner, max_size=3)
    ),
    max_leaves=6,
)


@cache
def full() -> MarkedData:
    return read_tree(FULL)[0]


@settings(max_examples=400)
@given(st.integers(0, 10_000), PLAIN)
def test_any_value_in_any_place_gives_a_strategy_or_problems_under_that_place_or_about_it(place: int, value: Plain) -> None:
    marked = deepcopy(full())
    places = [path for path in marked.values if path]
    path = places[place % len(places)]
    holder: Plain = marked.data
    for part in path[:-1]:
        holder = holder[part]  # type: ignore[index]
    holder[path[-1]] = value  # type: ignore[index]
    result = resolve_strategy(marked.data)
    if not isinstance(result, Strategy):
        assert result
        # Only names that others refer to, and what scale-out and risk sizing need, show elsewhere.
        referred = {"dependencies", "parameters", "exit", "risk"}
        assert path[0] in referred or all(problem.path[: len(path) - 1] == path[:-1] for problem in result), (path, value, result)
