"""What an editor does to lines of code and which words it tells apart, without a window."""

from hypothesis import given
from hypothesis import strategies as st

from sptrader_desktop.present.code_lines import Utf16, indent_after, matching_bracket, toggled
from sptrader_desktop.present.code_words import Role, python_words, yaml_words


@given(st.lists(st.text(alphabet="ab #", max_size=8), max_size=6))
def test_commenting_twice_changes_nothing(lines: list[str]) -> None:
    if not any(line.strip() for line in lines) or all(line.lstrip().startswith("#") for line in lines if line.strip()):
        return
    assert toggled(toggled(lines)) == lines


def test_a_key_after_a_dash_is_where_the_next_line_starts() -> None:
    assert indent_after("  - signal: x", 2) == "    "
    assert indent_after("  - {signal: x}", 2) == "  "
    assert indent_after("- - a: 1", 2) == "    "
    assert indent_after("    'a: b'", 2) == "    "


def naive_partner(text: str, at: int) -> int | None:
    """By counting, for text without quotes and comments."""
    opens, closes = "([{", ")]}"
    stack: list[int] = []
    for index, letter in enumerate(text):
        if letter in opens:
            stack.append(index)
        elif letter in closes:
            if not stack or opens.index(text[stack[-1]]) != closes.index(letter):
                if at == index:
                    return None
                continue
            partner = stack.pop()
            if at in {index, partner}:
                return partner if at == index else index
    return None


@given(st.text(alphabet="([{)]}a\n", max_size=40), st.integers(0, 39))
def test_the_partner_of_a_bracket_is_found_as_by_counting(text: str, at: int) -> None:
    found = matching_bracket(text, at)
    if at < len(text) and text[at] in "()[]{}":
        assert found == (at, naive_partner(text, at))


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=30), st.data())
def test_positions_of_qt_and_python_translate_into_each_other(text: str, data: st.DataObject) -> None:
    offset, places = data.draw(st.integers(0, len(text))), Utf16(text)
    position = len(text[:offset].encode("utf-16-le")) // 2
    assert places.position_of(offset) == position
    assert places.offset_at(position) == offset
    if text[offset - 1 : offset] > "\uffff":
        assert places.offset_at(position - 1) == offset - 1


def test_words_of_yaml_are_told_apart() -> None:
    line = 'stop_loss: {type: atr, value: 2.5, on: true} # "x"'
    roles = {line[start : start + length]: role for start, length, role in yaml_words(line)}
    assert roles == {
        "stop_loss": Role.KEY, "type": Role.KEY, "value": Role.KEY, "on": Role.KEY,
        "2.5": Role.NUMBER, "true": Role.WORD, '# "x"': Role.COMMENT,
    }  # fmt: skip
    assert [role for _, _, role in yaml_words("a: it's 5 o'clock")] == [Role.KEY, Role.NUMBER]


def test_words_of_python_are_told_apart_over_lines() -> None:
    words, state = python_words('def f(x): return len("a") + 1.5 # no', 0)
    line = 'def f(x): return len("a") + 1.5 # no'
    assert {line[start : start + length]: role for start, length, role in words} == {
        "def": Role.WORD, "f": Role.DEFINED, "return": Role.WORD, "len": Role.NAME, '"a"': Role.TEXT,
        "1.5": Role.NUMBER, "# no": Role.COMMENT,
    }  # fmt: skip
    assert state == 0
    words, state = python_words('x = r"""one', 0)
    assert (words[-1].role, state) == (Role.TEXT, 1)
    assert python_words("two ''' still", state) == ([(0, 13, Role.TEXT)], 1)
    words, state = python_words('three""" + if', 1)
    assert ([word.role for word in words], state) == ([Role.TEXT, Role.WORD], 0)


@given(st.text(alphabet="ab\"'#\\ {}[]:,.=0-9rf", max_size=40), st.sampled_from([0, 1, 2]))
def test_no_line_is_too_strange_to_colour(line: str, state: int) -> None:
    for words in (yaml_words(line), python_words(line, state)[0]):
        ends = [0, *(start + length for start, length, _ in words)]
        assert all(end <= start for end, (start, _, _) in zip(ends, words, strict=False))
        assert ends[-1] <= len(line)
