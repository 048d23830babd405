"""What an editor knows of a strategy: its numbers, their ranges, and how one of them changes without touching anything else."""

import difflib
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sptrader_desktop.adapters.yaml_strategy import examine_strategy
from sptrader_desktop.core import strategy_rules
from sptrader_desktop.core.strategy_fields import Span
from sptrader_desktop.present.strategy_numbers import SliderSpec, numbers, sensible_range, sliders
from sptrader_desktop.present.strategy_schema import SECTIONS, Quantity
from sptrader_desktop.present.strategy_text import StrategyText, written
from tests.command_line import STRATEGIES
from tests.indicator_markets import catalogue
from tests.strategy_texts import FULL, complaints

FILES = sorted(STRATEGIES.glob("*.yaml"))


def examined(text: str) -> StrategyText:
    return examine_strategy(text, catalogue())


def changed_lines(old: str, new: str) -> list[str]:
    return [line for line in difflib.ndiff(old.splitlines(keepends=True), new.splitlines(keepends=True)) if line[0] in "+-"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_slider_of_each_strategy_changes_one_line_to_the_value_it_was_moved_to(path: Path) -> None:
    before = examined(path.read_text(encoding="utf-8"))
    found = sliders(before, catalogue())
    assert found
    for spec in found:
        assert spec.minimum <= spec.value <= spec.maximum
        wanted = spec.maximum if spec.maximum != spec.value else spec.minimum
        text = before.with_value(spec.path, wanted)
        after = examined(text)
        assert after.value(spec.path) == wanted
        assert len(changed_lines(before.text, text)) == 2, spec
        assert after.strategy is not None, (spec, [problem.message for problem in after.problems])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_number_of_a_strategy_has_a_slider_but_for_what_events_are_compared_with(path: Path) -> None:
    text = examined(path.read_text(encoding="utf-8"))
    written = {path for path, value in text.scalars() if isinstance(value, Decimal) and "outputs" not in path}
    assert {spec.path for spec in sliders(text, catalogue())} == written


def slider(text: str, *path: str | int) -> SliderSpec:
    return next(spec for spec in sliders(examined(text), catalogue()) if spec.path == path)


def test_a_parameter_is_counted_in_what_it_is_used_for() -> None:
    units = {spec.label: (spec.unit, spec.is_whole) for spec in sliders(examined(FULL), catalogue())}
    assert units["fast"] == ("", True)
    assert units["size"] == ("%", False)
    assert units["stop"] == ("%", False)
    assert units["entry 1 · order · offset · value"] == ("× ATR", False)
    assert units["entry 1 · order · expiry"] == ("bars", True)
    assert units["entry 2 · size · value"] == ("%", False)
    assert units["exit · take_profit · value"] == ("pips", False)
    assert units["risk · position_limit"] == ("× equity", False)
    assert units["risk · max_positions"] == ("", True)
    assert slider(FULL, "risk", "max_drawdown").shown(Decimal("0.155")) == "15.5 %"


def test_a_range_stays_while_the_hand_moves_and_follows_a_value_typed_outside_of_it() -> None:
    before = sliders(examined(FULL), catalogue())
    path = ("parameters", "stop")
    spec = next(spec for spec in before if spec.path == path)
    moved = sliders(examined(examined(FULL).with_value(path, spec.maximum)), catalogue(), before)
    assert next(each for each in moved if each.path == path) == SliderSpec(
        path, "stop", spec.maximum, spec.minimum, spec.maximum, spec.step, "%", group="Parameters"
    )
    typed = sliders(examined(examined(FULL).with_value(path, Decimal("0.5"))), catalogue(), before)
    assert next(each for each in typed if each.path == path).maximum > spec.maximum


SPANS = [getattr(strategy_rules, name) for name in ("PART", "ACTIVATION", "LIMIT", "NOTIONAL", "AMOUNT")]
WIDE = Span(Decimal(-1000), Decimal(1000), has_low=True)


@given(st.data(), st.sampled_from([*SPANS, WIDE]), st.booleans())
def test_a_range_is_valid_holds_its_value_and_has_room_on_its_grid(data: st.DataObject, span: Span, is_whole: bool) -> None:
    is_whole = is_whole and span.high > 1
    value = data.draw(st.decimals(span.low, span.high, places=0 if is_whole else 4))
    if value not in span:
        return
    low, high, step = sensible_range(value, Quantity(span, is_whole=is_whole))
    assert low <= value <= high
    assert low in span
    assert high in span
    assert step > 0
    assert low < high or high - low < step
    assert not is_whole or step % 1 == 0
    spec = SliderSpec((), "", value, low, high, step)
    for position in (low, high, value, (low + high) / 2):
        assert spec.snapped(position) in span
        assert abs(spec.snapped(position) - position) <= step


@pytest.mark.parametrize(
    ("value", "span", "is_whole", "expected"),
    [
        ("0.02", strategy_rules.PART, False, "0.005 0.08 0.001"),
        ("20", Span(Decimal(1), Decimal(10_000), has_low=True), True, "5 80 1"),
        ("1", Span(Decimal(1), Decimal(10_000), has_low=True), True, "1 8 1"),
        ("0", strategy_rules.ACTIVATION, False, "0 0.08 0.001"),
        ("-100", WIDE, False, "-400 -25 5"),
        ("0.9", strategy_rules.PART, False, "0.22 0.98 0.02"),
    ],
)
def test_a_range_goes_from_a_quarter_to_four_times_on_round_numbers(value: str, span: Span, is_whole: bool, expected: str) -> None:
    found = sensible_range(Decimal(value), Quantity(span, is_whole=is_whole))
    assert found == tuple(map(Decimal, expected.split())), [str(each) for each in found]


@given(st.text(max_size=12) | st.sampled_from(["null", "true", "1", "0x1", "a: b", "- a", "it's", '"', "parameters.x", "ä\u2028b", "😀"]))
def test_any_text_is_written_so_that_it_is_read_again(value: str) -> None:
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        return
    for before in ("golden_cross", '"x"', "'x'"):
        text = f"parameters: {{kind: {before}, more: 1}}\n"
        path = ("parameters", "kind")
        assert examine_strategy(examine_strategy(text).with_value(path, value)).value(path) == value, written(value, before)


def test_comments_spaces_and_the_lines_around_stay_byte_for_byte() -> None:
    text = FULL.replace("parameters: {fast: 20,", "parameters:   {  fast :   20   ,  ").replace("risk:\n", "risk:   # limits\n")
    assert examined(text).with_value(("parameters", "fast"), Decimal(21)) == text.replace("20   ,", "21   ,")
    folded = FULL.replace("description: all forms at once", "description: >\n  all\n  forms\n")
    new = examined(folded).with_value(("description",), "Other words.")
    assert new == folded.replace(">\n  all\n  forms\n", '"Other words."\n')


def test_a_text_with_problems_still_shows_where_its_values_stand() -> None:
    text = examined(FULL.replace("stop: 0.02", "stop: 2"))
    assert text.strategy is None
    assert [problem.line for problem in text.problems]
    assert text.value(("parameters", "stop")) == 2
    assert "stop" not in {spec.label for spec in sliders(text, catalogue())}
    assert "size" in {spec.label for spec in sliders(text, catalogue())}
    assert not list(numbers(examined("a: [1"), catalogue()))


@pytest.mark.parametrize(
    "broken", [FULL.replace("buy", "bye"), FULL.replace("0.15", "15"), FULL.replace("version", "verzion"), "", "a: [", "a:\n\tb"]
)
def test_a_problem_lies_in_one_line_and_is_never_nothing(broken: str) -> None:
    text = examined(broken)
    assert text.problems
    for problem in text.problems:
        assert 0 <= problem.at.start <= problem.at.end <= len(broken)
        assert problem.at.end > problem.at.start or not broken
        assert "\n" not in broken[problem.at.start : problem.at.end].rstrip("\n")


def test_a_problem_underlines_the_word_that_is_wrong() -> None:
    text = examined(FULL.replace("action: buy", "action: bye"))
    (problem,) = text.problems
    assert text.text[problem.at.start : problem.at.end] == "bye"
    assert problem.nearest == "buy"
    (problem,) = examined(FULL.replace("time_exit", "time_exits")).problems
    assert FULL.replace("time_exit", "time_exits")[problem.at.start : problem.at.end] == "time_exits"


def test_the_table_of_keys_knows_exactly_the_keys_that_are_accepted() -> None:
    assert tuple(SECTIONS["file"]) == strategy_rules.ROOT_KEYS
    assert tuple(SECTIONS["entry"]) == strategy_rules.ENTRY_KEYS
    assert tuple(SECTIONS["exit"]) == strategy_rules.EXIT_KEYS
    assert tuple(SECTIONS["risk"]) == strategy_rules.RISK_KEYS
    asked = {
        "dependencies": FULL.replace("indicators: [", "wrong: ["),
        "use": FULL.replace("use: signals", "wrong: signals"),
        "condition": FULL.replace("- signal: ma_crossover\n", "- wrong: ma_crossover\n"),
        "size": FULL.replace("{mode: risk", "{wrong: risk"),
        "order": FULL.replace("expiry: 3", "wrong: 3"),
        "offset": FULL.replace("period: 10", "wrong: 10"),
        "signal_exit": FULL.replace("action: close_partial", "wrong: close_partial"),
        "level": FULL.replace("{type: pips", "{wrong: pips"),
        "trailing": FULL.replace("trail_pct", "wrong"),
        "time_exit": FULL.replace("{bars: 48}", "{wrong: 48}"),
    }
    for section, text in asked.items():
        said = next(line for line in complaints(text) if "is no key here" in line)
        assert said.partition("the keys are ")[2].partition(";")[0].split(", ") == [*SECTIONS[section]], section
