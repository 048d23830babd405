"""What a condition saw on a bar, and that every change an explanation names is enough."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache

import numpy as np

from sptrader_desktop.core.explain import explain
from sptrader_desktop.core.explain_conditions import look
from sptrader_desktop.core.explained import EventNeed, GroupSeen, LimitNeed, MatchSeen
from sptrader_desktop.core.results import Request, Result
from sptrader_desktop.core.rules import EventTable
from sptrader_desktop.core.strategy import (
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Exits,
    Not,
    OutputTest,
    RiskLimits,
    SignalMatch,
    Strategy,
)
from sptrader_desktop.core.terms import Terms
from tests.explained_runs import buying, number, ran, single, table, verdict_rows, walked

COMPARISONS = {
    "crossover_type": [Comparison("==", ("up",)), Comparison("!=", ("up",)), Comparison("in", ("down", "flat"))],
    "signal_strength": [number(">", "0.3"), number(">=", "0.7"), number("<", "0.5"), number("<=", "0.2"), number("range", "0.2", "0.6")],
    "width": [number("==", "3"), number("!=", "2"), number("in", "1", "4")],
    "calm": [Comparison("==", (True,)), Comparison("!=", (True,))],
}


def random_condition(rng: np.random.Generator, depth: int) -> Condition:
    kind = int(rng.integers(4)) if depth else 3
    if kind == 3:
        outputs = rng.permutation(list(COMPARISONS))[: int(rng.integers(0, 3))]
        tests = [OutputTest(str(name), COMPARISONS[name][int(rng.integers(len(COMPARISONS[name])))]) for name in outputs]
        return SignalMatch(str(rng.choice(["first", "second"])), tuple(tests))
    if kind == 2:
        return Not(random_condition(rng, depth - 1))
    parts = tuple(random_condition(rng, depth - 1) for _ in range(int(rng.integers(1, 4))))
    return AllOf(parts) if kind == 0 else AnyOf(parts)


def random_events(rng: np.random.Generator, bars: int) -> EventTable:
    """None, one or two on a bar."""
    at = np.sort(rng.integers(0, bars, bars))
    at = at[np.concatenate([[True, True], at[2:] != at[:-2]])]
    kinds, strengths = rng.choice(["up", "down", "flat"], len(at)), rng.integers(0, 11, len(at)) / 10
    calm = np.array([bool(value) for value in rng.integers(0, 2, len(at))], np.object_)
    return EventTable(at, kinds.astype(np.object_), strengths, {"width": rng.integers(1, 5, len(at)), "calm": calm})


@cache
def condition_run(seed: int) -> Result:
    rng = np.random.default_rng(seed)
    strategy = Strategy("c", "1", (buying(random_condition(rng, 3), scale_in=True, max_positions=99),), Exits(time_exit=1))
    return ran(Request(strategy, Terms(), (walked(40, seed),)), {"first": random_events(rng, 40), "second": random_events(rng, 40)})


def meeting(test: OutputTest) -> object:
    """A value that passes: thresholds here are a tenth apart, so a thousandth beyond one is near enough."""
    first = test.comparison.operands[0]
    if not isinstance(first, Decimal):
        return first if test.comparison.operator != "!=" else (not first if isinstance(first, bool) else "other")
    return float(first) + {">": 0.001, "<": -0.001, "!=": 1}.get(test.comparison.operator, 0)


def with_need(events: EventTable, bar: int, need: EventNeed) -> EventTable:
    """The history with the change made, event by event."""
    names = ["crossover_type", "signal_strength", *events.metadata]
    rows = [(int(events.bar[i]), {name: events.output(name)[i] for name in names}) for i in range(len(events))]  # type: ignore[index]
    if need.change == "no_event":
        rows = [row for row in rows if row[0] != bar or not passes_all(row[1], need.tests)]
    elif need.change == "event":
        blank = {"crossover_type": "flat", "signal_strength": 0.0, "width": 0, "calm": False}
        rows = sorted([*rows, (bar, blank | {test.output: meeting(test) for test in need.tests})], key=lambda row: row[0])
    else:
        first = next(i for i, row in enumerate(rows) if row[0] == bar)
        rows[first + need.event][1][need.tests[0].output] = meeting(need.tests[0])
    columns = {name: [row[1][name] for row in rows] for name in names}
    return EventTable(
        np.array([row[0] for row in rows], np.int64),
        np.array(columns["crossover_type"], np.object_),
        np.array(columns["signal_strength"], np.float64),
        {"width": np.array(columns["width"], np.float64), "calm": np.array(columns["calm"], np.object_)},
    )


def passes_all(event: Mapping[str, object], tests: Sequence[OutputTest]) -> bool:
    """Plain Python, so that the change is not made by the code it checks."""
    for test in tests:
        value, operator = event[test.output], test.comparison.operator
        operands = [float(o) if isinstance(o, Decimal) else o for o in test.comparison.operands]
        if operator in ("==", "!=", "in"):
            if (value in operands) == (operator == "!="):
                return False
        elif operator == "range":
            if not operands[0] <= value <= operands[1]:  # type: ignore[operator]
                return False
        elif not {">": value > operands[0], ">=": value >= operands[0], "<": value < operands[0], "<=": value <= operands[0]}[operator]:  # type: ignore[operator]
            return False
    return True


def test_the_tree_of_a_condition_agrees_with_the_rules_on_every_bar() -> None:
    passed = 0
    for seed in range(100):
        made = condition_run(seed)
        candles, when = made.request.traded[0], made.request.strategy.entries[0].when
        for bar in range(len(candles)):
            seen = look(when, made.events[0], bar, candles.timestamp)
            assert seen.passed == made.hits[0].entries[0, bar], (seed, bar)
            passed += seen.passed
    assert 1000 < passed < 3000


def test_each_named_change_of_an_event_makes_the_run_place_the_order() -> None:
    changes: dict[str, int] = {}
    for seed in range(60):
        made = condition_run(seed)
        for bar in range(0, 40, 3):
            for need in explain(made, "EURUSD", bar).entries[0].would_need:
                assert isinstance(need, EventNeed)
                events = {**made.events[0], need.signal: with_need(made.events[0][need.signal], bar, need)}
                again = ran(made.request, events)
                assert verdict_rows(again.outcome, 0, bar)[0][0] == "placed", (seed, bar, need)
                changes[need.change] = changes.get(need.change, 0) + 1
    assert min(changes[change] for change in ("value", "event", "no_event")) > 20


def test_one_failed_value_among_joined_conditions_is_the_one_change_named() -> None:
    weak = OutputTest("signal_strength", number(">", "0.083"))
    strategy = Strategy("c", "1", (buying(AllOf((SignalMatch("cross", (weak,)), SignalMatch("other")))),))
    events = {"cross": table([3], strengths=[0.05]), "other": table([3, 4])}
    entry = explain(ran(Request(strategy, Terms(), (walked(8, 1),)), events), "EURUSD", 3).entries[0]
    assert entry.would_need == (EventNeed("cross", "value", (weak,), 0, 0.05),)
    assert isinstance(entry.blocker, MatchSeen)
    assert entry.blocker.signal == "cross"


def test_two_failed_conditions_or_a_change_that_breaks_another_leave_no_single_change() -> None:
    up, down = (SignalMatch("cross", (OutputTest("crossover_type", Comparison("==", (kind,))),)) for kind in ("up", "down"))
    both = explain(single(AllOf((up, SignalMatch("other"))), {"cross": table([3], ["down"]), "other": table([])}), "EURUSD", 3)
    torn = explain(single(AllOf((up, down)), {"cross": table([3], ["down"]), "other": table([])}), "EURUSD", 3)
    assert both.entries[0].would_need == torn.entries[0].would_need == ()


def test_a_test_of_an_output_the_signal_does_not_have_fails_and_has_no_remedy() -> None:
    missing = SignalMatch("cross", (OutputTest("width", number(">", "1")),))
    entry = explain(single(missing, {"cross": table([3])}), "EURUSD", 3).entries[0]
    assert isinstance(entry.condition, MatchSeen)
    assert [value.value for value in entry.condition.events[0]] == [None]
    assert entry.would_need == ()


def test_a_size_cut_to_nothing_by_the_position_limit_names_the_limit_that_leaves_a_step() -> None:
    made = single(SignalMatch("cross"), {"cross": table([3])}, RiskLimits(position_limit=Decimal("0.00000001")))
    entry = explain(made, "EURUSD", 3).entries[0]
    assert entry.verdict == "zero_size"
    (need,) = entry.would_need
    assert isinstance(need, LimitNeed)
    assert need.setting == "position_limit"
    price = int(made.request.traded[0].prices.close[3])  # one euro, in 1e-5 dollars of ten thousand
    assert need.at_least == -(-price // 10)


def test_a_group_that_failed_is_its_own_blocker() -> None:
    events = {"cross": table([3]), "other": table([])}
    forbidden = explain(single(AllOf((Not(SignalMatch("cross")),)), events), "EURUSD", 3).entries[0]
    either = AnyOf((SignalMatch("other"), Not(SignalMatch("cross"))))
    neither = explain(single(either, events, scale_in=True, max_positions=9), "EURUSD", 3).entries[0]
    assert [getattr(entry.blocker, "joined", None) for entry in (forbidden, neither)] == ["not", "any"]
    assert isinstance(neither.condition, GroupSeen)
    assert {need.change for need in neither.would_need if isinstance(need, EventNeed)} == {"event", "no_event"}
