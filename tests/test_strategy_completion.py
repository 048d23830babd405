"""What an editor offers at the cursor of a strategy, also of one that is half written, and what it says of a word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sptrader_desktop.adapters.yaml_strategy import examine_strategy
from sptrader_desktop.present.strategy_completion import StrategyWords
from sptrader_desktop.present.yaml_place import place_at
from tests.command_line import STRATEGIES
from tests.indicator_markets import catalogue
from tests.strategy_texts import FULL

TEXTS = [FULL, *(path.read_text(encoding="utf-8") for path in sorted(STRATEGIES.glob("*.yaml")))]
WHOLE = examine_strategy(FULL)
HALF = "dependencies:\n  signals:\n    - {use: signals.ma_crossover, params: {fast_period: parameters.fast}}\n"


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text.partition("name: ")[2].partition("\n")[0])
def test_the_place_of_every_value_is_the_path_that_the_reader_knows(text: str) -> None:
    read = examine_strategy(text)
    for path, span in read.spans.items():
        place = place_at(text, span.end if text[span.start] not in "\"'" else span.start + 1)
        # A single entry may be written without a list's dash; then the path has no number, in both.
        if "\n" not in text[span.start : span.end]:
            assert (place.path, place.is_comment) == (path, False), text[span.start - 30 : span.end]
            assert not place.is_key or place.is_item


def offered(text: str) -> list[str]:
    """At the |."""
    before, bar, after = text.partition("|")
    assert bar
    words = StrategyWords(catalogue(), examine_strategy("parameters: {fast: 20, size: 0.02, low: 0.1}"))
    start, found = words.candidates(before + after, len(before))
    assert start <= len(before)
    return [each.name for each in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("|", ["name", "version"]),
        ("na|", ["name"]),
        ("entry:\n  - when:\n      - signal: ma_crossover\n    |", ["when", "action", "size"]),
        ("entry:\n  - wh|", ["when"]),
        ("entry:\n  - wehn|", ["when"]),
        ("entry:\n  action: |", ["buy", "sell"]),
        ("entry:\n  size: {mode: r|", ["risk"]),
        ("entry:\n  order: {type: limit, offset: {ty|", ["type"]),
        ("entry:\n  size: par|", ["parameters.fast", "parameters.size"]),
        ("exit:\n  stop_loss: {type: |}", ["percentage", "pips", "atr", "price"]),
        ("exit:\n  stop_loss:\n    type: p|", ["pips", "percentage"]),
        ("exit:\n  trailing_stop:\n    |", ["activation_pct", "trail_pct"]),
        ("dependencies:\n  signals:\n    - signals.ma_cr|", ["signals.ma_crossover"]),
        ("dependencies:\n  indicators: [indicators.trend.sm|", ["indicators.trend.sma"]),
        ("dependencies:\n  signals:\n    - u|", ["use"]),
        ("dependencies:\n  signals:\n    - {use: signals.ma_crossover, params: {f|", ["fast_period"]),
        ("dependencies:\n  signals:\n    - use: signals.ma_crossover\n      params:\n        |", ["fast_period", "slow_period"]),
        (HALF + "entry:\n  when:\n    - signal: |", ["ma_crossover"]),
        (HALF + "entry:\n  when:\n    - {signal: ma_crossover, outputs: {|", ["crossover_type", "signal_strength", "ma_fast"]),
        (HALF + "entry:\n  when:\n    - {signal: ma_crossover, outputs: {crossover_type: g|", ["golden_cross"]),
        (HALF + "entry:\n  when:\n    - signal: ma_crossover\n      outputs: {crossover_type: [golden_cross, d|", ["death_cross"]),
        (HALF + 'entry:\n  when:\n    - signal: ma_crossover\n      outputs: {signal_strength: "> parameters.lo|', ["parameters.low"]),
        (HALF + "entry:\n  when:\n    - any:\n        - s|", ["signal"]),
    ],
)
def test_what_may_stand_at_the_cursor_is_offered(text: str, expected: list[str]) -> None:
    assert set(expected) <= set(offered(text)), offered(text)
    if not text.endswith("|}"):
        word = text.rpartition("|")[0]
        assert "buy" not in offered(text) or word.endswith("action: ")


@pytest.mark.parametrize("text", ["# na|", "name: x # wh|", "entry:\n  action: buy # |"])
def test_nothing_is_offered_in_a_comment(text: str) -> None:
    assert offered(text) == []


def test_keys_that_are_there_already_are_not_offered_again() -> None:
    words = StrategyWords(catalogue(), examine_strategy(FULL))
    text = FULL + "  |"
    _, found = words.candidates(text.replace("|", ""), text.index("|"))
    assert {each.name for each in found} == {"max_position_size", "take_profit"}


def test_what_is_chosen_takes_the_place_of_the_word() -> None:
    text = FULL.replace("action: sell", "act")
    start, found = StrategyWords(catalogue(), examine_strategy(FULL.replace("    action: sell\n", ""))).candidates(
        text, text.index("act\n") + 3
    )
    assert text[:start] + next(each.text for each in found) + "sell" + text[start + 3 :] == FULL


@pytest.mark.parametrize(
    ("word", "part"),
    [
        ("max_drawdown", "fall from the highest equity"),
        ("trail_pct", "behind the best close"),
        ("parameters.stop}", "parameters.stop is 0.02"),
        ("signals.ma_crossover", "fast_period, a whole number from 1 to 10000 (default 20)"),
        ("fast_period", "a whole number"),
        ("ma_fast", "An output of ma_crossover"),
        ("signal_strength", "How strong"),
        ("pips", "multiples of the average true range"),
        ("fast: 20", "A value of your own"),
    ],
)
def test_the_word_under_the_cursor_is_explained(word: str, part: str) -> None:
    words = StrategyWords(catalogue(), examine_strategy(FULL))
    for offset in (FULL.index(word), FULL.index(word) + 2):
        assert part in words.help_at(FULL, offset)


@given(st.text(alphabet="ab:-{}[]\"'#, \n.\t", max_size=60), st.integers(0, 60))
def test_no_text_however_broken_is_too_much(text: str, offset: int) -> None:
    words = StrategyWords(catalogue(), WHOLE)
    words.candidates(text, min(offset, len(text)))
    words.help_at(text, min(offset, len(text)))
