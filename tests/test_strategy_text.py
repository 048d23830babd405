"""The text of a strategy file: YAML 1.2 and nothing of it that could surprise, whatever the bytes."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sptrader_desktop.adapters.yaml_strategy import examine_strategy, parse_strategy, read_strategy
from sptrader_desktop.adapters.yaml_text import LARGEST
from sptrader_desktop.adapters.yaml_tree import read_tree
from sptrader_desktop.core.errors import Problem, SptraderError, StrategyError
from sptrader_desktop.core.strategy_fields import Plain
from sptrader_desktop.core.strategy_rules import ROOT_KEYS
from sptrader_desktop.present.strategy_text import StrategyText
from sptrader_desktop.present.text_problems import line_edges
from sptrader_desktop.settings import shipped
from tests.strategy_texts import FULL, SMALL, complaints, parsed

SHIPPED = shipped("strategies")

# Values


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("22:30", "22:30"),
        ("1:30:00", "1:30:00"),
        ("no", "no"),
        ("NO", "NO"),
        ("on", "on"),
        ("y", "y"),
        ("1_000", "1_000"),
        ("2024-01-05", "2024-01-05"),
        ("0b11", "0b11"),
        ("'1'", "1"),
        ('"true"', "true"),
        ("010", Decimal(10)),
        ("0o10", Decimal(8)),
        ("0x10", Decimal(16)),
        ("1e-4", Decimal("0.0001")),
        ("1e5", Decimal(100000)),
        ("+.5", Decimal("0.5")),
        ("0.1000000000000000055511151231", Decimal("0.1000000000000000055511151231")),
        ("True", True),
        ("FALSE", False),
        ("tRUE", "tRUE"),
        ("~", None),
        ("", None),
        ("<<", "<<"),
        ("١٢", "١٢"),
    ],
)
def test_scalars_mean_what_yaml_1_2_says_and_numbers_keep_their_digits(written: str, read: Plain) -> None:
    marked, problems, is_whole = read_tree(f"a: {written}")
    assert (problems, is_whole) == ((), True)
    assert isinstance(marked.data, dict)
    assert (type(marked.data["a"]), marked.data["a"]) == (type(read), read)


@pytest.mark.parametrize("written", [".nan", ".NaN", ".inf", "-.INF", "1e15", "-1e400", "0e9999999", "9" * 41, "1e-29"])
def test_numbers_that_are_no_price_or_share_are_refused(written: str) -> None:
    _, (problem,), _ = read_tree(f"a:\n  b: {written}")
    assert (problem.path, problem.line, problem.column) == (("a", "b"), 2, 6)


def test_half_a_character_is_refused_and_shown_escaped() -> None:
    assert complaints(SMALL + 'author: "\\ud800"\n') == ["5:9: author = '\\ud800': holds half a character: write it out"]


# Documents

DEEP = "a: " + "{a: " * 20 + "1" + "}" * 20
NOT_YAML = "file: is not YAML:"
WHOLE_FILES = {
    "": "1:1: file: is empty: a strategy starts with 'name: …'",
    "# nothing yet\n": "1:1: file: is empty: a strategy starts with 'name: …'",
    "---\n...\n": "1:1: file: is empty: a strategy starts with 'name: …'",
    "[1, 2]": f"1:1: file = a list: must be a mapping with {', '.join(ROOT_KEYS)}",
    "just words": f"1:1: file = just words: must be a mapping with {', '.join(ROOT_KEYS)}",
    SMALL + "---\n" + SMALL: "5:1: file: holds a second document: keep one strategy in one file",
    DEEP: "1:64: file: goes deeper than 16 levels: nothing in a strategy does",
    "[" * 60_000: "1:17: file: goes deeper than 16 levels: nothing in a strategy does",
    "- " * 30_000: "1:33: file: goes deeper than 16 levels: nothing in a strategy does",
    "a: 'x": f"1:6: {NOT_YAML} found unexpected end of stream; close the quote",
    "a: b: c": (f"1:5: {NOT_YAML} mapping values are not allowed here; put a text that holds a colon in quotes, or check the indentation"),
    "a: > 0.1": (f"1:6: {NOT_YAML} expected a comment or a line break, but found '0'; a comparison stands in quotes, as in \"> 0.1\""),
    "a:\n\tb: 1": (
        f"2:1: {NOT_YAML} found character '\\t' that cannot start any token; put the text in quotes, and indent with spaces, not tabs"
    ),
    "a: [1, 2": f"1:9: {NOT_YAML} expected ',' or ']', but got '<stream end>'; close the bracket",
    "a: 1\nb: \x07": "2:4: file: holds the character U+0007, which no text needs: remove it",
    'a: 1\nb: "\\UFFFFFFFF"': f"2:2: {NOT_YAML} an escape or a version number after this place is out of range",
    "? {a: 1}\n: 2": "1:3: file: has a key that is not a plain word: a key is a name followed by a colon",
    f"{'k' * 65}: 1": f"1:1: file: has the key {'k' * 59}…: a key is a name of at most 64 characters",
    "x" * (LARGEST + 1): "1:1: file: is larger than 64 KiB: no strategy file needs that",
}


@pytest.mark.parametrize(("text", "said"), WHOLE_FILES.items(), ids=[repr(text[:30]) for text in WHOLE_FILES])
def test_what_is_no_strategy_at_all_is_refused_in_one_sentence(text: str, said: str) -> None:
    assert complaints(text) == [said]


@pytest.mark.parametrize("directive", ["%YAML 1.1", "%YAML 1.2", "%TAG ! tag:example.com,2000:"])
def test_directives_are_refused_so_that_no_file_switches_back_to_yaml_1_1(directive: str) -> None:
    assert complaints(f"{directive}\n---\n{SMALL}") == ["1:1: file: starts with a % directive: remove it"]


def test_billion_laughs_are_met_as_aliases_and_never_expanded() -> None:
    lines = ["a: &a [lol, lol, lol]"] + [
        f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    found = complaints("\n".join(lines))
    assert len([line for line in found if line.endswith("aliases are not allowed: write the value itself")]) == 72
    assert len([line for line in found if line.endswith("anchors are not allowed: remove it")]) == 9
    marked, _, is_whole = read_tree("\n".join(lines))
    assert is_whole
    assert len(marked.values) == 1 + 9 + 3 + 72


# Files


def test_a_byte_order_mark_and_windows_line_ends_change_nothing(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + FULL.replace("\n", "\r\n").encode())
    assert read_strategy(path)[0] == parsed(FULL)
    path.write_bytes(b"\xef\xbb\xbf" + SMALL.replace("name", "nam").encode())
    with pytest.raises(StrategyError, match=r"s\.yaml:1:1: nam: is no key here"):
        read_strategy(path)


def test_files_that_cannot_be_read_say_so_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SptraderError, match=r"^there is no strategy file .*none\.yaml: check the name$"):
        read_strategy(tmp_path / "none.yaml")
    with pytest.raises(SptraderError, match=r"is a folder: name a strategy file in it$"):
        read_strategy(tmp_path)
    path = tmp_path / "s.yaml"
    path.write_bytes(SMALL.encode("utf-16"))
    with pytest.raises(StrategyError, match=r"s\.yaml:1:1: file: is not UTF-8 text: save it with that encoding$"):
        read_strategy(path)
    path.write_bytes(b"name: a\nauthor: \xe9")
    with pytest.raises(StrategyError, match=r"s\.yaml:2:9: file: is not UTF-8 text"):
        read_strategy(path)
    path.write_bytes(b"\xff" * (LARGEST + 1))
    with pytest.raises(StrategyError, match=r"s\.yaml:1:1: file: is larger than 64 KiB"):
        read_strategy(path)


# Like one that was read before


def outcome(text: str, known: StrategyText | None) -> object:
    try:
        return parse_strategy(text, "it", known=known)
    except StrategyError as error:
        return error.problems


@pytest.mark.parametrize("text", [SMALL, FULL, *(path.read_text(encoding="utf-8") for path in sorted(SHIPPED.rglob("*.yaml")))])
@settings(deadline=None, max_examples=30)
@given(turned=st.data())
def test_a_text_of_other_numbers_is_read_as_if_nothing_were_known(text: str, turned: st.DataObject) -> None:
    """Whether the numbers can be, and whatever else was written over."""
    known = examine_strategy(text)
    numbers = [path for path, value in known.scalars() if isinstance(value, Decimal)]
    other = text
    for path in sorted(turned.draw(st.sets(st.sampled_from(numbers), max_size=3)), key=lambda path: known.spans[path], reverse=True):
        start, end = known.spans[path]
        written = turned.draw(
            st.sampled_from(["7", "-3", "0.025", "+12", "007", "1e2", "5.", "0x10", "1.5 # x", "-", "1_0", "9" * 30, "a"])
        )
        other = other[:start] + written + other[end:]
    place = turned.draw(st.integers(0, len(other)))
    other = other[:place] + turned.draw(st.sampled_from(["", "", "", "", "0", "1", " ", "#", "-", ":", "\n"])) + other[place:]
    assert outcome(other, known) == outcome(other, None)


def test_of_a_text_with_other_numbers_nothing_but_those_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    known = examine_strategy(FULL)
    other = FULL.replace("stop: 0.02", "stop: 0.0175").replace("value: 1.5", "value: 2")
    expected = parsed(other)
    assert expected != parsed(FULL)
    monkeypatch.setattr("sptrader_desktop.adapters.yaml_strategy.read_tree", lambda _: pytest.fail("it was read anew"))
    assert parse_strategy(other, "it", known=known) == expected
    assert known.strategy == parse_strategy(FULL, "it", known=known), "what was known stays what it was"


# Anything at all


def check_any(text: str) -> None:
    """Whatever the text: a strategy, or problems that each have a place inside it, in order."""
    problems: tuple[Problem, ...] | None = None
    try:
        parsed(text)
    except StrategyError as error:
        problems = error.problems
    if problems is not None:
        places = [(problem.line or 0, problem.column or 0) for problem in problems]
        assert places
        assert places == sorted(places)
        # The parser counts a few more characters as line ends than editors do, as splitlines does.
        assert all(1 <= line <= len(text.splitlines()) + 1 and column >= 1 for line, column in places), places
        assert [problem.sentence() for problem in problems if len(problem.sentence().splitlines()) != 1] == []


SNIPPETS = st.sampled_from(
    [
        *"{}[]:,-?#&*!|>'\"%@`\n\t ~",
        "- ",
        ": ",
        "\n  ",
        "<<: ",
        "---\n",
        "&a ",
        "*a",
        "!!str ",
        '"\\u0000"',
        "1e999",
        ".nan",
        "parameters.",
        "in [",
        "..",
    ]
)


@st.composite
def mutations(draw: st.DrawFn) -> str:
    text = draw(st.sampled_from([FULL, SMALL]))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = start + draw(st.sampled_from([0, 0, 1, 2, 5, 20, 200]))
        text = text[:start] + draw(SNIPPETS | st.text(max_size=3) | st.sampled_from(FULL.split())) + text[end:]
    return text[: draw(st.integers(0, len(text)))] if draw(st.booleans()) else text


@settings(max_examples=400)
@given(mutations())
def test_a_mutated_file_is_a_strategy_or_a_list_of_placed_problems(text: str) -> None:
    check_any(text)


@pytest.mark.campaign
@settings(max_examples=20_000)
@given(mutations() | st.text())
def test_many_mutated_files_are_strategies_or_lists_of_placed_problems(text: str) -> None:
    check_any(text)


def test_lines_are_looked_for_once_however_many_problems_a_text_has() -> None:
    """A file of nothing but wrong keys held its editor up for seconds when each problem began at the first line again."""
    line_edges.cache_clear()
    assert len(examine_strategy("wrong: 1\n" * 300).problems) > 300
    assert line_edges.cache_info().misses == 1
