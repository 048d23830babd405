"""Running a stored run again: the same to the byte, or a sentence that names what was changed. Real files, the real engine."""

import json
import shutil
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from sptrader_desktop.adapters.candle_files import load_candles
from sptrader_desktop.adapters.component_catalogue import load_catalogue
from sptrader_desktop.adapters.inprocess_components import InProcessRunner
from sptrader_desktop.adapters.run_store import SqliteRunStore
from sptrader_desktop.adapters.yaml_strategy import parse_strategy
from sptrader_desktop.core.errors import DataError, RunError
from sptrader_desktop.core.results import Request, Result
from sptrader_desktop.core.terms import Terms
from sptrader_desktop.ports import FinishedRun, StoredRun
from sptrader_desktop.present.result_json import render, result_document
from sptrader_desktop.runtime import manifest as manifests
from sptrader_desktop.runtime.backtest import backtest
from sptrader_desktop.runtime.manifest import engine_hash, make_manifest
from sptrader_desktop.runtime.recipe import Recipe
from sptrader_desktop.runtime.stored_runs import Verification, verify_run
from tests.edits import edited

ROOT = Path(__file__).resolve().parent.parent
HEADER = "timestamp,open,high,low,close\n"


class Desk:
    """A workspace, a strategy and candles of one's own, a store, and one run in it."""

    def __init__(self, home: Path) -> None:
        self.workspace, self.strategy, self.data = home / "workspace", home / "s.yaml", home / "EURUSD_1h_2024.csv"
        shutil.copytree(ROOT / "workspace" / "core", self.workspace / "core", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copyfile(ROOT / "strategies" / "ma_crossover.yaml", self.strategy)
        self.data.write_text(HEADER + "".join(line(bar) for bar in range(400)), encoding="utf-8")
        self.store = SqliteRunStore(home / "runs")
        self.recipe = Recipe(str(self.strategy), (str(self.data),))
        text = self.strategy.read_text(encoding="utf-8")
        result, document = self.run(self.recipe, text)
        assert len(result.outcome.trades) > 3
        manifest = json.loads(document)["manifest"]
        self.id = self.store.save(FinishedRun(result.outcome, document, manifest, text, self.recipe.as_json()))

    def run(self, recipe: Recipe, text: str) -> tuple[Result, bytes]:
        catalogue = load_catalogue(self.workspace)
        runner = InProcessRunner(self.workspace, catalogue)
        candles = tuple(load_candles(Path(path)) for path in recipe.data)
        request = Request(parse_strategy(text, recipe.strategy, catalogue), Terms(capital=Decimal(recipe.capital)), candles)
        result = backtest(request, runner)
        return result, render(result_document(result, make_manifest(request, text, runner)))

    def verify(self) -> Verification:
        return verify_run(self.store, "latest", self.again)

    def again(self, stored: StoredRun) -> tuple[Result, bytes]:
        return self.run(Recipe.from_json(stored.recipe), stored.strategy_text)

    def edit(self, path: Path, old: str, new: str) -> None:
        path.write_text(edited(path.read_text(encoding="utf-8"), old, new), encoding="utf-8")


def line(bar: int) -> str:
    """Slow waves, so that averages cross."""
    day, hour = divmod(bar, 24)
    close = 110_000 + 400 * abs(bar % 80 - 40) // 10 + bar % 7
    shown = ",".join(price(points) for points in (close, close + 9, close - 9, close))
    return f"2024-{1 + day // 28:02d}-{1 + day % 28:02d}T{hour:02d}:00:00Z,{shown}\n"


def price(points: int) -> str:
    return f"{points / 100_000:.5f}"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_nothing_changed_is_the_same_to_the_byte(desk: Desk) -> None:
    found = desk.verify()
    assert found == Verification("r0001-ma_crossover", (), None)
    assert found.is_same
    assert found.sentences() == ("r0001-ma_crossover: the same to the byte",)


def test_an_edited_component_is_named_even_when_the_result_stays(desk: Desk) -> None:
    source = desk.workspace / "core" / "signals" / "ma_crossover.py"
    source.write_text(source.read_text(encoding="utf-8") + "# a remark\n", encoding="utf-8")
    found = desk.verify()
    assert not found.is_same
    assert found.sentences() == (
        "component signals.ma_crossover, or an indicator it requires, was edited",
        "r0001-ma_crossover: the result itself is the same",
    )


def test_an_edited_indicator_is_traced_to_the_first_trade_that_differs(desk: Desk) -> None:
    desk.edit(desk.workspace / "core" / "signals" / "ma_crossover.py", '"golden_cross", "death_cross")', '"death_cross", "golden_cross")')
    cause, effect = desk.verify().sentences()
    assert "was edited" in cause
    assert effect.startswith("r0001-ma_crossover: completed_trades[0].")
    assert " was " in effect
    assert ", is now " in effect


def test_edited_data_says_how_they_were_changed(desk: Desk) -> None:
    lines = desk.data.read_text(encoding="utf-8")
    desk.edit(desk.data, line(399), line(399).replace(price(110_000 + 400 * abs(399 % 80 - 40) // 10 + 399 % 7 - 9), "1.09000"))
    assert desk.verify().causes == ("candles of EURUSD 1h (EURUSD_1h_2024.csv) were changed: as many bars, other values",)
    desk.data.write_text(lines.removesuffix(line(399)), encoding="utf-8")
    found = desk.verify()
    assert found.causes == ("candles of EURUSD 1h (EURUSD_1h_2024.csv) were changed: 400 bars then, 399 now",)
    assert found.difference


def test_an_edited_strategy_file_is_a_note_because_the_stored_text_is_run(desk: Desk) -> None:
    desk.edit(desk.strategy, "stop_loss: 0.02 ", "stop_loss: 0.01 ")
    found = desk.verify()
    assert found.is_same
    assert found.sentences()[1:] == (f"{desk.strategy} was edited since; the stored text was run",)
    desk.strategy.unlink()
    assert desk.verify().notes == (f"{desk.strategy} cannot be read any more; the stored text was run",)


def test_another_engine_and_other_libraries_are_named(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifests, "engine_hash", lambda: "another")
    monkeypatch.setattr(manifests, "_version", lambda _name: "99.0")
    first, *updated = desk.verify().causes
    assert first.startswith("the source of the engine was edited; it still calls itself ")
    assert [cause.split(" was updated: ")[0] for cause in updated] == ["numba", "numpy", "pandas", "pyarrow"]
    assert updated[0].endswith(" then, 99.0 now")


def test_an_edit_of_any_rule_changes_the_engine(tmp_path: Path) -> None:
    (tmp_path / "rules.py").write_text("a = 1\n")
    before = engine_hash(tmp_path)
    (tmp_path / "rules.py").write_text("a = 2\n")
    edited = engine_hash(tmp_path)
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "more.py").write_text("b = 1\n")
    assert len({before, edited, engine_hash(tmp_path)}) == 3
    (tmp_path / "inner" / "more.py").unlink()
    assert engine_hash(tmp_path) == edited


def test_rules_that_nobody_edited_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rules.py").write_text("a = 1\n")
    before = engine_hash(tmp_path)
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("it was read already"))
    assert engine_hash(tmp_path) == before


def test_another_capital_is_a_difference_of_the_terms(desk: Desk) -> None:
    found = verify_run(desk.store, "1", lambda stored: desk.run(replace(desk.recipe, capital="20000"), stored.strategy_text))
    assert found.causes == ('terms.capital was "10000", is now "20000"',)
    assert found.difference
    assert found.difference.startswith("completed_trades[0].")


def test_a_result_that_changes_without_a_cause_is_called_a_defect(desk: Desk) -> None:
    def unlike(stored: StoredRun) -> tuple[Result, bytes]:
        result, document = desk.again(stored)
        return result, document.replace(b'"exit_reason":"signal_exit"', b'"exit_reason":"take_profit"', 1)

    found = verify_run(desk.store, "latest", unlike)
    assert found.causes == ()
    assert found.sentences()[0].endswith('.exit_reason was "signal_exit", is now "take_profit"')
    assert "this is a defect" in found.sentences()[1]


def test_tables_are_compared_even_where_the_document_is_the_same(desk: Desk) -> None:
    def unlike(stored: StoredRun) -> tuple[Result, bytes]:
        result, document = desk.again(stored)
        result.outcome.equity[7] += 1
        return result, document

    found = verify_run(desk.store, "latest", unlike)
    assert found.difference
    assert found.difference.startswith("table equity: equity[7] was ")


def test_a_damaged_table_stops_the_comparison_with_a_sentence(desk: Desk) -> None:
    path = desk.store._folder / desk.id / "fills.arrow"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(RunError, match="was changed since it was stored"):
        desk.verify()


def test_missing_candles_are_told_by_their_reader(desk: Desk) -> None:
    desk.data.unlink()
    with pytest.raises(DataError, match="EURUSD_1h_2024"):
        desk.verify()
