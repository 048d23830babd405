"""Conditions over whole histories against a slow reading of the same words, one event at a time; and one bar against the whole."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, get_args

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sptrader_desktop.core.rules import EventTable, holds, rule_hits
from sptrader_desktop.core.strategy import (
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    EntryRule,
    ExitRule,
    Exits,
    Not,
    Operator,
    OutputTest,
    Scalar,
    SignalMatch,
    Size,
    Strategy,
)

BARS = 8
SIGNALS = ("cross", "filter")
# Few values, so that equal ones meet; a text that looks like a number is a text, and true is not 1.
NUMBERS = ("0", "0.1", "0.5", "1", "1.00001", "-2")
TEXTS = ("golden_cross", "death_cross", "1", "")
NAMES = ("crossover_type", "signal_strength", "number", "word", "mixed", "flag", "nowhere")


@dataclass(frozen=True, slots=True)
class Event:
    bar: int
    kind: str
    strength: float
    metadata: dict[str, Any]


Histories = dict[str, list[Event]]

numbers = st.sampled_from(NUMBERS)
values = st.one_of(numbers.map(float), st.sampled_from(TEXTS), st.booleans())
operands = st.one_of(numbers.map(Decimal), st.sampled_from(TEXTS), st.booleans())
events = st.builds(
    Event,
    st.integers(0, BARS - 1),
    st.sampled_from(TEXTS[:2]),
    numbers.map(float),
    st.fixed_dictionaries({"number": numbers.map(float), "word": st.sampled_from(TEXTS), "mixed": values, "flag": st.booleans()}),
)
histories = st.fixed_dictionaries({name: st.lists(events, max_size=6) for name in SIGNALS})


@st.composite
def comparisons(draw: st.DrawFn) -> Comparison:
    operator = draw(st.sampled_from(get_args(Operator)))
    if operator in {">", ">=", "<", "<="}:
        return Comparison(operator, (Decimal(draw(numbers)),))
    if operator == "range":
        return Comparison(operator, tuple(sorted(Decimal(draw(numbers)) for _ in range(2))))
    if operator == "in":
        same_kind: st.SearchStrategy[Any] = draw(st.sampled_from([numbers.map(Decimal), st.sampled_from(TEXTS), operands]))
        return Comparison(operator, tuple(draw(st.lists(same_kind, min_size=1, max_size=3))))
    return Comparison(operator, (draw(operands),))


matches = st.builds(
    SignalMatch,
    st.sampled_from(SIGNALS),
    st.lists(st.builds(OutputTest, st.sampled_from(NAMES), comparisons()), max_size=3).map(tuple),
)
conditions: st.SearchStrategy[Condition] = st.recursive(
    matches,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: AllOf(tuple(parts))),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: AnyOf(tuple(parts))),
        inner.map(Not),
    ),
    max_leaves=6,
)


# The same words read slowly


def slowly(condition: Condition, history: Histories, bar: int) -> bool:
    match condition:
        case SignalMatch(signal=signal, tests=tests):
            now = [event for event in history[signal] if event.bar == bar]
            return any(all(passes(test, event) for test in tests) for event in now)
        case AllOf(conditions=parts):
            return all(slowly(part, history, bar) for part in parts)
        case AnyOf(conditions=parts):
            return any(slowly(part, history, bar) for part in parts)
        case Not(condition=part):
            return not slowly(part, history, bar)


def passes(test: OutputTest, event: Event) -> bool:
    outputs = {"crossover_type": event.kind, "signal_strength": event.strength, **event.metadata}
    return test.output in outputs and compares(test.comparison, outputs[test.output])


def compares(comparison: Comparison, value: Any) -> bool:
    """Numbers are ordered among numbers; across kinds nothing is equal and everything differs."""
    first = comparison.operands[0]
    match comparison.operator:
        case "==":
            return same(value, first)
        case "!=":
            return not same(value, first)
        case "in":
            return any(same(value, operand) for operand in comparison.operands)
    if isinstance(value, str | bool):
        return False
    assert isinstance(first, Decimal)
    number, low = float(value), float(first)
    match comparison.operator:
        case ">":
            return number > low
        case ">=":
            return number >= low
        case "<":
            return number < low
        case "<=":
            return number <= low
        case _:
            high = comparison.operands[1]
            assert isinstance(high, Decimal)
            return low <= number <= float(high)


def same(value: Any, operand: Scalar) -> bool:
    if isinstance(operand, Decimal):
        return not isinstance(value, str | bool) and float(value) == float(operand)
    return type(value) is type(operand) and value == operand


# Tables as components' answers become them


def tables(history: Histories) -> dict[str, EventTable]:
    return {name: table(sorted(found, key=lambda event: event.bar)) for name, found in history.items()}


def table(found: list[Event]) -> EventTable:
    def column(name: str, kind: Any) -> Any:
        array = np.empty(len(found), kind)
        array[:] = [event.metadata[name] for event in found]
        return array

    return EventTable(
        np.array([event.bar for event in found], np.int64),
        np.array([event.kind for event in found], object),
        np.array([event.strength for event in found], np.float64),
        {
            "number": column("number", np.float64),
            "word": column("word", object),
            "mixed": column("mixed", object),
            "flag": column("flag", bool),
        },
    )


@settings(max_examples=250)
@given(conditions, histories)
def test_a_condition_holds_on_exactly_the_bars_where_a_slow_reading_says_so(condition: Condition, history: Histories) -> None:
    assert holds(condition, tables(history), BARS).tolist() == [slowly(condition, history, bar) for bar in range(BARS)]


@settings(max_examples=200)
@given(conditions, histories)
def test_one_live_bar_is_judged_as_it_is_within_the_whole_history(condition: Condition, history: Histories) -> None:
    whole = tables(history)
    judged = holds(condition, whole, BARS)
    for bar in range(BARS):
        now = {name: found.at(bar) for name, found in whole.items()}
        assert all((found.bar == bar).all() for found in now.values())
        assert bool(holds(condition, now, BARS)[bar]) is bool(judged[bar])


@settings(max_examples=100)
@given(conditions, histories)
def test_what_comes_later_changes_no_earlier_bar(condition: Condition, history: Histories) -> None:
    until = BARS // 2
    known = {name: [event for event in found if event.bar < until] for name, found in history.items()}
    assert holds(condition, tables(known), BARS)[:until].tolist() == holds(condition, tables(history), BARS)[:until].tolist()


def test_each_rule_has_its_row_and_a_strategy_without_exits_has_none() -> None:
    history = {"cross": [Event(2, "golden_cross", 0.5, NOTHING), Event(5, "death_cross", 0.5, NOTHING)], "filter": []}
    when = [SignalMatch("cross", (OutputTest("crossover_type", Comparison("==", (kind,))),)) for kind in TEXTS[:2]]
    entries = tuple(EntryRule(condition, "long", Size("units", Decimal(1))) for condition in when)
    hits = rule_hits(Strategy("s", "1", entries, Exits((ExitRule(AnyOf(tuple(when)), "close_all"),))), tables(history), BARS)
    assert [np.flatnonzero(row).tolist() for row in (*hits.entries, *hits.exits)] == [[2], [5], [2, 5]]
    assert rule_hits(Strategy("s", "1", entries), tables(history), BARS).exits.shape == (0, BARS)


NOTHING: dict[str, Any] = {"number": 0.0, "word": "", "mixed": 0.0, "flag": False}


def test_two_events_of_one_bar_are_judged_each_by_itself() -> None:
    """Neither is both strong and golden, so no event passes both tests."""
    history = {"cross": [Event(3, "golden_cross", 0.1, NOTHING), Event(3, "death_cross", 1.0, NOTHING)], "filter": []}
    golden, strong = OutputTest("crossover_type", Comparison("==", ("golden_cross",))), OutputTest("signal_strength", number(">", "0.5"))
    assert not holds(SignalMatch("cross", (golden, strong)), tables(history), BARS).any()
    both = AllOf((SignalMatch("cross", (golden,)), SignalMatch("cross", (strong,))))
    assert np.flatnonzero(holds(both, tables(history), BARS)).tolist() == [3]


def number(operator: Operator, *operands: str) -> Comparison:
    return Comparison(operator, tuple(map(Decimal, operands)))


def test_numbers_truths_and_texts_of_a_component_are_met_in_whatever_type_they_come() -> None:
    kinds = [np.array([0, 1], kind) for kind in (np.int64, np.uint8, np.float32)] + [np.array([np.int64(0), np.int64(1)], object)]
    found = [found_at(column, number(operator, "1")) for column in kinds for operator in ("==", ">=")]
    assert found == [[1]] * len(found)
    truths = (np.array([False, True]), np.array([np.False_, np.True_], object), np.array([False, True], object))
    assert [found_at(column, Comparison("==", (True,))) for column in truths] == [[1]] * 3
    assert [found_at(column, number("==", "1")) for column in truths] == [[]] * 3
    texts = (np.array(["a", "b"], object), np.array([np.str_("a"), np.str_("b")], object))
    assert [found_at(column, Comparison(operator, ("b",))) for column in texts for operator in ("==", "in")] == [[1]] * 4
    assert [found_at(column, Comparison("!=", ("b",))) for column in texts] == [[0]] * 2


def found_at(column: Any, comparison: Comparison) -> list[int]:
    """The bars of two events on which a column of metadata passes."""
    cross = EventTable(np.arange(2), np.array(["up", "up"], object), np.ones(2), {"column": column})
    found: list[int] = np.flatnonzero(holds(SignalMatch("cross", (OutputTest("column", comparison),)), {"cross": cross}, BARS)).tolist()
    return found


def test_a_range_holds_its_ends_and_an_exact_decimal_meets_its_float() -> None:
    strengths = [0.1, 0.3, np.nextafter(0.3, 1), 0.7]
    history = {"cross": [Event(bar, "up", strength, NOTHING) for bar, strength in enumerate(strengths)], "filter": []}

    def bars(comparison: Comparison) -> list[int]:
        return np.flatnonzero(holds(SignalMatch("cross", (OutputTest("signal_strength", comparison),)), tables(history), BARS)).tolist()

    assert bars(number("range", "0.1", "0.3")) == [0, 1]
    assert bars(number("==", "0.3")) == [1]
    assert bars(number("in", "0.7", "0.3")) == [1, 3]
    assert bars(number(">", "0.3")) == [2, 3]
