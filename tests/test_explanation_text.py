"""What a person reads about a bar, whole."""

from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from sptrader_desktop.core.explain import explain
from sptrader_desktop.core.results import Request, Result
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
    Size,
    Strategy,
)
from sptrader_desktop.core.terms import Commission, Terms
from sptrader_desktop.present.explanation import explanation_text
from tests.explained_runs import hourly, number, ran, table

EXPECTED = Path(__file__).with_name("explained_bars.txt")
BARS = [
    (110_000, 110_030, 109_980, 110_010),
    (110_010, 110_040, 109_990, 110_020),
    (110_020, 110_050, 110_000, 110_030),
    (110_030, 110_040, 109_700, 109_750),
    (109_750, 109_800, 109_700, 109_760),
    (109_760, 109_800, 109_740, 109_790),
]


def cross(kind: str, *tests: OutputTest) -> SignalMatch:
    return SignalMatch("cross", (OutputTest("crossover_type", Comparison("==", (kind,))), *tests))


@cache
def told() -> Result:
    """A buy at the open of bar 1 that is stopped out in bar 3, a limit sell placed at the close of bar 4 that fills in bar 5."""
    strong = OutputTest("signal_strength", number(">", "0.083"))
    fade = EntryOrder("limit", Level("pips", Decimal(1)), 2)
    entries = (
        EntryRule(cross("golden_cross", strong), "long", Size("units", Decimal(20_000))),
        EntryRule(SignalMatch("fade"), "short", Size("fraction", Decimal("0.5")), fade),
    )
    leaving = ExitRule(AnyOf((cross("death_cross"), AllOf((SignalMatch("fade"), Not(SignalMatch("cross")))))), "close_all")
    exits = Exits((leaving,), Level("pips", Decimal(20)), Level("percentage", Decimal("0.01")), time_exit=24)
    limits = RiskLimits(Decimal("0.15"), Decimal("0.03"), Decimal("0.4"), 2)
    strategy = Strategy("told", "1", entries, exits, limits)
    terms = Terms(spread_pips=Decimal("0.5"), commission=Commission(per_lot=Decimal(5)))
    kinds = ["golden_cross", "golden_cross", "golden_cross", "death_cross"]
    events = {"cross": table([0, 1, 2, 3], kinds, [0.3, 0.05, 0.5, 0.9]), "fade": table([4])}
    return ran(Request(strategy, terms, (hourly(BARS),)), events)


def expected() -> dict[str, str]:
    """Each text follows a line `=== name`."""
    parts = EXPECTED.read_text(encoding="utf-8").split("=== ")[1:]
    return {name: text for name, _, text in (part.partition("\n") for part in parts)}


NAMES = {
    0: "an order is placed",
    1: "a condition failed on a bar with a fill",
    2: "a check failed",
    3: "a protective exit and an exit rule",
    4: "a limit order is placed in a smaller size",
    5: "no event",
}


@pytest.mark.parametrize("bar", list(NAMES), ids=list(NAMES.values()))
def test_a_bar_reads(bar: int) -> None:
    assert explanation_text(explain(told(), "EURUSD", bar)) == expected()[NAMES[bar]]


def test_every_text_in_the_file_is_compared() -> None:
    assert sorted(expected()) == sorted(NAMES.values())


# The one setting that would have done


def last_line(bar: int, terms: Terms, limits: RiskLimits, *entries: EntryRule) -> str:
    """Every rule's conditions hold on bars 0 to 2; the last rule's line is given."""
    strategy = Strategy("s", "1", entries, Exits(), limits)
    made = ran(Request(strategy, terms, (hourly(BARS),)), {"on": table([0, 1, 2])})
    return explanation_text(explain(made, "EURUSD", bar)).splitlines()[-1].strip()


def test_a_blocked_entry_names_the_setting_and_the_smallest_value_that_would_have_let_it_trade() -> None:
    one = EntryRule(SignalMatch("on"), "long", Size("units", Decimal(1_000)))
    more = replace(one, scale_in=True, max_positions=5)
    large = replace(one, size=Size("fraction", Decimal(40)))
    tiny = replace(one, size=Size("fraction", Decimal("0.00000001")))
    short = replace(one, side="short")
    none = RiskLimits()
    lines = [
        last_line(1, Terms(), none, one),
        last_line(1, Terms(), RiskLimits(max_positions=1), more),
        last_line(0, Terms(), none, large),
        last_line(0, Terms(), none, tiny),
        last_line(1, Terms(), none, one, short),
    ]
    assert lines == [
        "→ would have traded with scale_in: true and 2 positions allowed by its max_positions",
        "→ would have traded with max_positions at 2 or more",
        "→ would have traded with leverage at 40 or more",
        "→ would have traded with size at 0.011001 % or more",
        "→ would have traded with reverse: true, which closes the opposite side first",
    ]


def test_a_halted_account_says_which_limit_halted_it() -> None:
    large = EntryRule(SignalMatch("on"), "long", Size("fraction", Decimal(20)))
    strategy = Strategy("s", "1", (large,), Exits(), RiskLimits(daily_loss_limit=Decimal("0.02")))
    made = ran(Request(strategy, Terms(), (hourly(BARS),)), {"on": table([0, 5])})
    text = explanation_text(explain(made, "EURUSD", 5))
    assert "Entry rule 1, buy: blocked by a check, halted" in text
    assert "✗ failed  trading not halted: by daily_loss_limit at an earlier close" in text
