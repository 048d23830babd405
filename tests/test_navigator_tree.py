"""What there is to open: the tree, what a search leaves of it, the names of copies, and templates that run as they are."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sptrader_desktop.adapters.component_catalogue import load_catalogue
from sptrader_desktop.adapters.inprocess_components import InProcessRunner
from sptrader_desktop.adapters.yaml_strategy import examine_strategy
from sptrader_desktop.core.errors import ComponentError
from sptrader_desktop.ports import ComponentJob, RunSummary
from sptrader_desktop.present.file_names import copy_name, name_fault, renamed_text, told_apart
from sptrader_desktop.present.navigator import (
    MOST_RUNS,
    Item,
    Kind,
    Node,
    component_item,
    dataset_item,
    filtered,
    run_item,
    strategy_item,
    tree,
)
from sptrader_desktop.present.selection import Zone
from sptrader_desktop.present.templates import new_text
from sptrader_desktop.runtime.honesty import Subject, examine
from tests.command_line import ROOT, SAMPLE
from tests.indicator_markets import catalogue

NAMES = st.text(alphabet="ab_ ", min_size=1, max_size=5)
GROUPS = st.lists(NAMES, max_size=2).map(tuple)
ITEMS = st.lists(
    st.builds(lambda kind, name, groups: Item(kind, f"{kind}{name}{groups}", name, groups=groups), st.sampled_from(Kind), NAMES, GROUPS),
    max_size=12,
    unique_by=lambda item: item.key,
)  # fmt: skip


def leaves(nodes: tuple[Node, ...], above: tuple[str, ...] = ()) -> list[tuple[Item, tuple[str, ...]]]:
    return [
        found
        for node in nodes
        for found in ([(node.item, above)] if node.item else leaves(node.children, (*above, node.title)))
    ]  # fmt: skip


@given(ITEMS)
def test_every_item_hangs_once_on_its_branches(items: list[Item]) -> None:
    found = leaves(tree(items))
    assert sorted(item.key for item, _ in found) == sorted(item.key for item in items)
    for item, above in found:
        assert above[1:] == item.groups
    assert [node.kind for node in tree(items)] == [Kind.STRATEGY, Kind.SIGNAL, Kind.INDICATOR, Kind.DATASET, Kind.RUN]


@given(ITEMS, st.text(alphabet="ab ", max_size=4))
def test_a_search_leaves_exactly_what_holds_all_its_words(items: list[Item], search: str) -> None:
    left = leaves(filtered(tree(items), search))
    expected = [
        (item, above) for item, above in leaves(tree(items))
        if all(word in " ".join([*above, item.name, item.note]).lower() for word in search.split())
    ]  # fmt: skip
    assert left == expected
    assert all(node.items() for node in filtered(tree(items), search)) or not search.split()


def test_what_ships_is_found_by_name_and_by_family() -> None:
    core = ROOT / "workspace" / "core"
    items = [component_item(dotted, found, core) for dotted, found in catalogue().found.items()]
    assert all(item.path is not None and item.path.is_file() for item in items)
    trend = [item.name for item, _ in leaves(filtered(tree(items), "indicators trend"))]
    assert {"sma", "ema"} <= set(trend)
    assert "rsi" not in trend
    broken = component_item("signals.x", ComponentError("x.py:1: is broken"), core)
    assert (broken.fault, broken.note) == ("x.py:1: is broken", "broken")
    nested = strategy_item(Path("/w/strategies/old/x.yaml"), Path("/w/strategies"))
    assert (nested.name, nested.groups) == ("x", ("old",))
    assert dataset_item("EURUSD", "1h", source="catalogue").path is None


def test_runs_are_newest_first_and_only_so_many() -> None:
    runs = [
        run_item(RunSummary(str(number), datetime(2024, 1, 1, tzinfo=UTC), "x", ("EURUSD",), "1h", 1, -(10**8), "USD"))
        for number in range(MOST_RUNS + 5)
    ]
    root = next(node for node in tree(runs) if node.kind is Kind.RUN)
    assert root.note == f"the newest {MOST_RUNS} of {MOST_RUNS + 5}, times UTC"
    assert [item.key for item, _ in leaves((root,))][:2] == [str(MOST_RUNS + 4), str(MOST_RUNS + 3)]
    assert runs[0].note == "EURUSD 1h, 1 trade, -1.00 USD"


def test_times_of_runs_are_told_by_the_chosen_clock_and_say_so_whatever_is_searched() -> None:
    run = RunSummary("r1", datetime(2024, 1, 1, 2, 30, 59, tzinfo=UTC), "x", ("EURUSD",), "1h", 1, 0, "USD")
    items = [run_item(run), run_item(replace(run, id="r2", note="a good one"))]
    for zone, at in ((Zone.UTC, "2024-01-01 02:30"), (Zone.NEW_YORK, "2023-12-31 21:30")):
        for search in ("", "eurusd", at):
            root = next(node for node in filtered(tree(items, zone), search) if node.kind is Kind.RUN)
            named, plain = root.children
            assert (root.note, plain.title) == (f"2, times {zone.value}", f"{at} x")
            assert (named.title, named.note[: len(at) + 2]) == ("a good one", f"{at} x")


# Names


@given(st.sampled_from(["a", "a_copy", "a_copy2"]), st.sets(st.sampled_from(["a", "a_copy", "a_copy2", "a_copy3"])))
def test_a_copy_has_a_free_name_that_does_not_grow(name: str, taken: set[str]) -> None:
    new = copy_name(name, taken)
    assert new not in taken
    assert new.startswith("a_copy")
    assert new.count("_copy") == 1


def test_names_that_no_file_can_have_are_refused() -> None:
    assert name_fault(Kind.STRATEGY, "my_strategy2") == ""
    assert name_fault(Kind.DATASET, "EURUSD_1h_2024 of mine") == ""
    for kind, name in (
        (Kind.STRATEGY, "My"),
        (Kind.SIGNAL, "2x"),
        (Kind.SIGNAL, "a-b"),
        (Kind.DATASET, "../x"),
        (Kind.DATASET, ".x"),
        (Kind.DATASET, " "),
        (Kind.DATASET, "my candles"),
        (Kind.DATASET, "EURUSD 1h"),
        (Kind.DATASET, "EURUSD_of_mine"),
        (Kind.DATASET, "EUR USD_1h_2024"),
        (Kind.DATASET, "EUR.USD_1h"),
    ):
        assert name_fault(kind, name), (kind, name)


def test_the_name_inside_follows_the_name_of_the_file() -> None:
    assert renamed_text(Kind.STRATEGY, "# name: a\nname: a   # mine\nx: a\n", "a", "b") == "# name: a\nname: b   # mine\nx: a\n"
    assert renamed_text(Kind.STRATEGY, "name: other\n", "a", "b") == "name: other\n"
    source = '__metadata__ = {\n    "name": "sma",\n    "outputs": ["sma"],\n}\n'
    assert renamed_text(Kind.INDICATOR, source, "sma", "sma2") == source.replace('"name": "sma"', '"name": "sma2"')


@pytest.mark.parametrize("line", ["name: {}\r\n", "\ufeffname: {}\n", 'name: "{}"\r\n', "name: '{}'  # mine\n"])
def test_the_name_inside_follows_however_it_is_written(line: str) -> None:
    text = f"{line}version: 1\n"
    assert renamed_text(Kind.STRATEGY, text.format("a"), "a", "b") == text.format("b")
    assert renamed_text(Kind.STRATEGY, text.format("ab"), "a", "b") == text.format("ab")


# Templates


def test_the_template_of_a_strategy_passes_the_check() -> None:
    assert name_fault(Kind.STRATEGY, "my_idea") == ""
    read = examine_strategy(new_text(Kind.STRATEGY, "my_idea"), catalogue())
    assert read.problems == ()
    assert read.strategy is not None
    assert read.strategy.name == "my_idea"


@pytest.mark.parametrize(("kind", "folder"), [(Kind.INDICATOR, "indicators/trend"), (Kind.SIGNAL, "signals")])
def test_the_templates_of_components_run_and_are_found_honest(kind: Kind, folder: str, tmp_path: Path) -> None:
    from sptrader_desktop.adapters.candle_files import load_candles

    workspace = tmp_path / "workspace"
    sma = Path("core/indicators/trend/sma.py")
    (workspace / sma).parent.mkdir(parents=True)
    (workspace / sma).write_bytes((ROOT / "workspace" / sma).read_bytes())
    path = workspace / "core" / folder / "my_idea.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(new_text(kind, "my_idea", path.parent.name), encoding="utf-8")
    found = load_catalogue(workspace)
    spec, candles = found.named("my_idea"), load_candles(SAMPLE)
    runner = InProcessRunner(workspace, found)
    (answer,) = runner.run([ComponentJob(spec.dotted, {"period": Decimal(10)}, candles)])
    assert not isinstance(answer.result, ComponentError)
    assert len(answer.result) > 0
    (verdict,) = examine([Subject(spec, {})], candles, runner)
    assert [finding.check for finding in verdict.findings if finding.is_honest is False] == []


PATHS = st.builds(
    lambda folders, stem, ending: Path("/", *folders, f"{stem}.{ending}"),
    st.lists(st.sampled_from("ab"), max_size=3),
    st.sampled_from(["a", "b", "fast", "a.b"]),
    st.sampled_from(["yaml", "yml"]),
)


@given(st.lists(PATHS, max_size=10, unique=True))
def test_no_two_files_are_told_by_one_name(paths: list[Path]) -> None:
    names = told_apart(paths)
    assert len(set(names)) == len(paths)
    for path, name in zip(paths, names, strict=True):
        assert path.match(name) or path.with_suffix("").match(name)
        if sum(other.stem == path.stem for other in paths) == 1:
            assert name == path.stem


def test_what_shares_a_name_is_told_by_as_little_as_is_needed() -> None:
    paths = [
        Path("/s/fx/fast/ma.yaml"),
        Path("/s/metal/fast/ma.yaml"),
        Path("/s/ma.yaml"),
        Path("/s/rsi.yaml"),
        Path("/s/rsi.yml"),
        Path("/s/x.yaml"),
    ]
    assert told_apart(paths) == ["fx/fast/ma", "metal/fast/ma", "s/ma", "rsi.yaml", "rsi.yml", "x"]
