"""Runs beside each other: what is different is found and named, what is the same is not; notes never touch a run."""

import json
import sqlite3
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sptrader_desktop.adapters.run_store import SqliteRunStore
from sptrader_desktop.adapters.sqlite_run_notes import NOTES
from sptrader_desktop.core.errors import RunError
from sptrader_desktop.ports import FinishedRun
from sptrader_desktop.present.columns import Columns
from sptrader_desktop.present.document_parts import document_parts
from sptrader_desktop.present.metric_words import METRICS, figure_of
from sptrader_desktop.present.result_json import render, result_document
from sptrader_desktop.present.run_compare import figure_table, input_table, read_run, text_difference
from sptrader_desktop.present.run_rows import newest_first, run_columns
from sptrader_desktop.present.selection import Zone
from sptrader_desktop.runtime.manifest import make_manifest
from tests.small_runs import TEXT, runner, small_run


def keep(store: SqliteRunStore, text: str = TEXT, **terms: Any) -> str:
    result = small_run(text=text, **terms)
    manifest = make_manifest(result.request, text, runner())
    return store.save(FinishedRun(result.outcome, render(result_document(result, manifest)), manifest, text, {"strategy": "s.yaml"}))


@pytest.fixture
def store(tmp_path: Path) -> SqliteRunStore:
    return SqliteRunStore(tmp_path / "runs")


def cells(table: Columns, key: str) -> list[str]:
    return [table[key].text(row) for row in range(len(table))]


def test_a_kept_run_is_read_with_its_figures_and_its_curve(store: SqliteRunStore) -> None:
    run, result = read_run(store, keep(store)), small_run()
    assert cells(figure_table([run]), "run0") == [word.text(figure_of(result.metrics, word.path), "USD") for word in METRICS]
    assert run.instants.tolist() == result.outcome.instants.tolist()
    assert np.allclose(run.growth, result.outcome.equity / result.job.capital - 1)


def test_differences_are_taken_from_the_first_run(store: SqliteRunStore) -> None:
    runs = [read_run(store, keep(store)), read_run(store, keep(store, intrabar="target_first"))]
    table = figure_table(runs)
    assert table.keys == ("figure", "run0", "run1", "more1")
    net = cells(table, "figure").index("Net")
    assert [table[key].text(net) for key in table.keys] == ["Net", "+12.20 USD", "+62.20 USD", "+50.00 USD"]


def test_money_of_two_currencies_is_not_subtracted(store: SqliteRunStore) -> None:
    first = read_run(store, keep(store))
    manifest = dict(first.manifest) | {"terms": dict(first.manifest["terms"]) | {"currency": "EUR"}}
    other = type(first)(first.id, first.metrics, manifest, first.strategy_text, first.instants, first.growth)
    table = figure_table([first, other])
    assert [table[key].text(0) for key in ("run0", "run1", "more1")] == ["+12.20 USD", "+12.20 EUR", "–"]
    assert table["more1"].text(1) == "0.00 points"


def test_only_what_went_in_differently_is_listed(store: SqliteRunStore) -> None:
    text = TEXT.replace("stop: 20", "stop: 25")
    same = [read_run(store, keep(store)) for _ in range(2)]
    assert len(input_table(same)) == 0
    assert text_difference(*same) == ""
    runs = [same[0], read_run(store, keep(store, text=text, leverage=Decimal(20)))]
    table = input_table(runs)
    found = dict(zip(cells(table, "input"), zip(cells(table, "run0"), cells(table, "run1"), strict=True), strict=True))
    assert found.keys() == {"strategy text", "parameter stop", "terms leverage"}
    assert found["parameter stop"] == ("20", "25")
    difference = text_difference(*runs).splitlines()
    assert [line for line in difference if line[0] in "+-" and line[:3] not in ("+++", "---")] == [
        "-parameters: {size: 10000, stop: 20}",
        "+parameters: {size: 10000, stop: 25}",
    ]


def test_other_candles_show_in_their_fingerprint(store: SqliteRunStore) -> None:
    first = read_run(store, keep(store))
    data = [dict(first.manifest["data"][0]) | {"fingerprint": "another file", "rows": 11}]
    other = type(first)(first.id, first.metrics, dict(first.manifest) | {"data": data}, first.strategy_text, first.instants, first.growth)
    assert cells(input_table([first, other]), "input") == ["candles EURUSD bars", "candles EURUSD fingerprint"]


def test_a_document_that_is_none_is_one_sentence(store: SqliteRunStore) -> None:
    result = small_run()
    manifest = make_manifest(result.request, TEXT, runner())
    run_id = store.save(FinishedRun(result.outcome, b"{}\n", manifest, TEXT, {}))
    with pytest.raises(RunError, match=f"the document of run {run_id} cannot be read: run its backtest again"):
        read_run(store, run_id)


def test_parts_of_a_document_are_what_the_whole_says() -> None:
    result = small_run()
    document = render(result_document(result, make_manifest(result.request, TEXT, runner())))
    whole = json.loads(document)
    keys = ("metrics", "manifest", "max_drawdown", "total_pnl", "equity_band")
    assert document_parts(document, keys) == {key: whole[key] for key in keys}


# Notes


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file() and NOTES not in path.name}


def test_notes_come_back_and_no_file_of_a_run_changes(store: SqliteRunStore, tmp_path: Path) -> None:
    first, second = keep(store), keep(store)
    before = files(tmp_path)
    store.annotate(second, ["london", " draft  two ", "london"], "wider stop: übel")
    runs = {run.id: run for run in SqliteRunStore(tmp_path / "runs").list()}
    assert (runs[second].tags, runs[second].note) == (("london", "draft two"), "wider stop: übel")
    assert (runs[first].tags, runs[first].note) == ((), "")
    store.annotate(second, [], "")
    assert store.list()[1].tags == ()
    assert files(tmp_path) == before


def test_a_list_says_range_and_drawdown_also_of_runs_that_were_kept_before_it_did(store: SqliteRunStore, tmp_path: Path) -> None:
    keep(store)
    result = small_run()
    for _ in range(2):
        (run,) = store.list()
        assert run.drawdown == result.metrics.drawdown.depth
        assert run.first is not None
        assert run.first.isoformat() == "2024-01-02T08:00:00+00:00"
        assert run.last is not None
        assert run.last.hour == 17
    (tmp_path / "runs" / NOTES).unlink()
    assert store.list()[0].drawdown == result.metrics.drawdown.depth


def test_figures_are_kept_with_the_run_so_that_a_list_reads_no_documents(store: SqliteRunStore, tmp_path: Path) -> None:
    run_id = keep(store)
    (tmp_path / "runs" / run_id / "document.json").unlink()
    assert store.list()[0].drawdown == small_run().metrics.drawdown.depth


def test_runs_that_were_kept_before_their_folders_said_their_row_are_listed_by_what_their_files_say(
    store: SqliteRunStore, tmp_path: Path
) -> None:
    kept = [keep(store) for _ in range(2)]
    before = store.list()
    for path in (*(tmp_path / "runs").glob("*/listed.json"), *(tmp_path / "runs").glob("index.sqlite3*")):
        path.unlink()
    again = SqliteRunStore(tmp_path / "runs")
    found = again.list()
    assert [replace(run, saved_at=was.saved_at) for run, was in zip(found, before, strict=True)] == list(before)
    assert all(abs((run.saved_at - was.saved_at).total_seconds()) < 60 for run, was in zip(found, before, strict=True))
    assert again.fault().endswith("Whether files of 2 runs were changed before that cannot be told any more.")
    assert again.load(kept[1]).id == kept[1]


def test_broken_notes_never_keep_a_run_from_being_kept(store: SqliteRunStore, tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / NOTES).write_bytes(b"no database, but long enough to be taken for one" * 100)
    run_id = keep(store)
    assert store.load(run_id).id == run_id
    assert [run.id for run in store.list()] == [run_id]
    assert "tags and notes are not shown" in store.fault()


def test_a_damaged_document_leaves_the_list_readable(store: SqliteRunStore, tmp_path: Path) -> None:
    run_id = keep(store)
    (tmp_path / "runs" / NOTES).unlink()
    (tmp_path / "runs" / run_id / "document.json").write_bytes(b"\xff{")
    assert store.list()[0].drawdown is None
    assert run_columns(store.list(), Zone.UTC)["drawdown"].text(0) == "–"


@pytest.mark.parametrize(
    ("tags", "note", "said"),
    [
        (["x" * 41], "", "give at most 40 letters and no comma"),
        (["a,b"], "", "no comma"),
        ([str(n) for n in range(21)], "", "a run has at most 20"),
        ([], "x" * 4001, "keep it to 4,000"),
    ],
)
def test_what_is_too_much_is_refused(store: SqliteRunStore, tags: list[str], note: str, said: str) -> None:
    run_id = keep(store)
    with pytest.raises(RunError, match=said):
        store.annotate(run_id, tags, note)
    with pytest.raises(RunError, match="there is no run"):
        store.annotate("r9999-none", [], "")


def test_notes_from_a_newer_version_are_left_alone_and_hide_no_run(store: SqliteRunStore, tmp_path: Path) -> None:
    run_id = keep(store)
    store.annotate(run_id, ["a"], "")
    index = sqlite3.connect(tmp_path / "runs" / NOTES)
    index.execute("PRAGMA user_version = 9")
    index.close()
    assert [(run.id, run.tags) for run in store.list()] == [(run_id, ())]
    assert "was written by a newer sptrader" in store.fault()
    with pytest.raises(RunError, match="was written by a newer sptrader"):
        store.annotate(run_id, ["b"], "")
    assert [path.name for path in (tmp_path / "runs").glob("notes*")] == [NOTES]


def test_runs_are_rows_newest_first(store: SqliteRunStore) -> None:
    first, second = keep(store), keep(store)
    store.annotate(first, ["london", "draft"], "line one\nline two")
    runs = newest_first(store.list())
    table = run_columns(runs, Zone.UTC)
    assert cells(table, "id") == [name.partition("-")[0] for name in (second, first)] == ["r0002", "r0001"]
    assert cells(table, "pnl") == ["+12.20", "+12.20"]
    assert table["pnl"].header == "Net USD"
    assert cells(table, "tags") == ["", "london, draft"]
    assert cells(table, "note") == ["", "line one line two"]
    assert cells(table, "first") == ["2024-01-02 08:00"] * 2
