"""Finding commands by a few letters, and keys that mean two things."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from sptrader_desktop.present.action_search import How, folded_letters, match
from sptrader_desktop.present.actions import ACTIONS, Action, Menu, Scope
from sptrader_desktop.present.shortcuts import changed, collide, conflicts

NAMES = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), max_size=20)
WORDS = st.text("abRrun btK", max_size=8)


def spells(query: str, text: str) -> bool:
    """Whether each word's letters stand in the text in order: the plainest way to ask."""
    letters: Callable[[str], str] = folded_letters
    for word in letters(query).split():
        rest = iter(letters(text))
        if not all(letter in rest for letter in word):
            return False
    return True


@given(query=st.one_of(WORDS, NAMES), text=st.one_of(WORDS, NAMES))
def test_a_name_is_found_by_its_letters_in_order_and_by_nothing_else(query: str, text: str) -> None:
    found = match(query, text)
    assert (found is not None) == spells(query, text)
    if found:
        assert len(set(found.places)) == len(found.places)
        assert all(0 <= place < len(text) for place in found.places)
        marked = sorted(folded_letters(text)[place] for place in found.places)
        assert set(marked) == set("".join(folded_letters(query).split()))


@given(name=st.text("abc", min_size=1, max_size=12), other=st.text("abc ", max_size=12))
def test_nobody_comes_before_the_one_whose_name_was_typed_whole(name: str, other: str) -> None:
    exact, rival = match(name, name), match(name, other)
    assert exact is not None
    assert rival is None or not exact > rival


def test_the_better_way_of_finding_comes_first() -> None:
    found = {query: match(query, "Run Backtest") for query in ("run", "back", "test", "rb", "rbt", "x")}
    assert [None if one is None else one.worst for one in found.values()] == [*How, None]
    rb = found["rb"]
    assert rb is not None
    assert rb.places == (0, 4)
    swapped = match("backtest run", "Run Backtest")
    assert swapped is not None
    assert swapped.worst is How.WORD


def action(name: str, scope: Scope) -> Action:
    return Action(name, name.title(), Menu.VIEW, scope=scope)


def test_keys_are_in_each_others_way_only_where_both_are_heard() -> None:
    window, chart, table = action("open", Scope.WINDOW), action("zoom", Scope.CHART), action("sort", Scope.TABLE)
    assert collide(Scope.WINDOW, Scope.CHART)
    assert collide(Scope.CHART, Scope.CHART)
    assert not collide(Scope.CHART, Scope.TABLE)
    found = list(conflicts({window: ("Ctrl+O", "F2"), chart: ("F2", "+"), table: ("+", "F3")}))
    assert [(one.keys, one.first, one.second) for one in found] == [("F2", window, chart)]
    assert found[0].sentence() == "F2 means both 'Open' and 'Zoom' in the chart; give one of them other keys"


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), st.tuples(st.sampled_from(["F1", "F2"]))))
def test_only_what_differs_from_the_table_is_kept_and_the_unknown_is_not_lost(chosen: dict[str, tuple[str]]) -> None:
    own: dict[str, tuple[str, ...]] = {"a": ("F1",), "b": ("F2",), "c": ()}
    kept = changed({**own, **chosen}, own, {"later.command": ("F9",), "a": ("F7",)})
    assert kept.pop("later.command") == ("F9",)
    assert {**own, **kept} == {**own, **chosen}
    assert all(kept[name] != own[name] for name in kept)


def test_no_command_of_the_table_is_written_twice() -> None:
    assert len({one.id for one in ACTIONS}) == len(ACTIONS)
    assert [one.id for one in ACTIONS if "&" in one.text or not one.text or "." not in one.id] == []
