"""One bar's rules against the whole history's, on random strategies and events."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sptrader_desktop.core.rules import EventTable, holds
from sptrader_desktop.core.rules_now import Event, holds_now, signals_named
from sptrader_desktop.core.strategy import AllOf, AnyOf, Comparison, Condition, Not, OutputTest, SignalMatch

NAMES = ("cross", "filter")
operands = st.one_of(st.decimals(-2, 2, places=1), st.sampled_from(["up", "down", "1"]))
comparisons = st.one_of(
    st.builds(Comparison, st.sampled_from([">", ">=", "<", "<=", "==", "!="]), st.tuples(operands)),
    st.builds(Comparison, st.just("in"), st.lists(operands, min_size=1, max_size=3).map(tuple)),
    st.builds(Comparison, st.just("range"), st.tuples(st.decimals(-2, 0, places=1), st.decimals(0, 2, places=1))),
)
tests = st.builds(OutputTest, st.sampled_from(["crossover_type", "signal_strength", "level", "nothing"]), comparisons)
matches = st.builds(SignalMatch, st.sampled_from(NAMES), st.lists(tests, max_size=2).map(tuple))
conditions: st.SearchStrategy[Condition] = st.recursive(
    matches,
    lambda inner: st.one_of(
        st.builds(AllOf, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(AnyOf, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(Not, inner),
    ),
    max_leaves=5,
)
events = st.lists(st.tuples(st.sampled_from(["up", "down", "1"]), st.sampled_from([-1.0, 0.0, 0.1, 0.5, 2.0])), max_size=3)


def table(found: list[tuple[str, float]]) -> EventTable:
    kinds, strengths = np.array([kind for kind, _ in found], dtype=object), np.array([strength for _, strength in found], np.float64)
    return EventTable(np.zeros(len(found), np.int64), kinds, strengths, {"level": strengths * 2})


def now(found: list[tuple[str, float]]) -> list[Event]:
    return [Event(kind, strength, {"level": strength * 2}) for kind, strength in found]


@given(condition=conditions, found=st.fixed_dictionaries(dict.fromkeys(NAMES, events)))
def test_a_bar_alone_holds_what_it_holds_in_a_history(condition: Condition, found: Any) -> None:
    whole = holds(condition, {name: table(of) for name, of in found.items()}, 1)
    assert holds_now(condition, {name: now(of) for name, of in found.items()}) is bool(whole[0])
    assert signals_named(condition) <= set(NAMES)
