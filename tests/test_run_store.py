"""Stored runs: whole or not at all, found by what a person types, refused when anything about them was changed."""

import json
import multiprocessing
import os
import sqlite3
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from sptrader_desktop.adapters import run_store, sqlite_index
from sptrader_desktop.adapters.run_listing import LISTED
from sptrader_desktop.adapters.run_store import SqliteRunStore
from sptrader_desktop.core.errors import RunError
from sptrader_desktop.core.records import EXIT_REASONS, TRADE
from sptrader_desktop.core.simulation import Outcome
from sptrader_desktop.ports import FinishedRun, RunStore
from sptrader_desktop.runtime.manifest import make_manifest
from tests.small_runs import TEXT, be_of_version, request, runner, small_run

INDEX = "index.sqlite3"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return small_run().outcome


def finished(outcome: Outcome, name: str = "by_eye") -> FinishedRun:
    manifest = make_manifest(request(), TEXT, runner())
    manifest["strategy"]["name"] = name
    return FinishedRun(outcome, b'{"a":1}\n', manifest, TEXT + "# é\r\n", {"strategy": "s.yaml", "data": ["d.csv"]})


def refusal(store: RunStore, asked: str) -> str:
    with pytest.raises(RunError) as caught:
        store.load(asked)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_run_comes_back_to_the_byte(folder: Path, outcome: Outcome) -> None:
    store, run = SqliteRunStore(folder), finished(outcome)
    run_id = store.save(run)
    stored = SqliteRunStore(folder).load(run_id)
    assert (stored.id, stored.document, stored.strategy_text, stored.recipe) == (run_id, run.document, run.strategy_text, run.recipe)
    assert stored.tables == store.tables(run)
    assert (folder / run_id / "strategy.yaml").read_bytes() == run.strategy_text.encode()


def test_tables_are_exact_integers_that_say_their_units(folder: Path, outcome: Outcome) -> None:
    store = SqliteRunStore(folder)
    run_id = store.save(finished(outcome))
    table = pa.ipc.open_file(folder / run_id / "trades.arrow").read_all()
    assert table.column_names == list(TRADE.names or ())
    assert {field.type for field in table.schema} == {pa.int64()}
    for name in table.column_names:
        assert np.array_equal(table.column(name).to_numpy(), outcome.trades[name])
    assert table.schema.field("exit_price").metadata == {b"unit": b"ticks of the symbol"}
    facts = {name: json.loads(value) for name, value in table.schema.metadata.items()}
    assert facts[b"symbols"][0]["symbol"] == "EURUSD"
    assert facts[b"symbols"][0]["tick"] == "0.00001"
    assert facts[b"reasons"] == list(EXIT_REASONS)
    equity = store.rows(store.load(run_id).tables["equity"])
    assert equity == {"instant": outcome.instants.tolist(), "equity": outcome.equity.tolist()}
    assert set(store.load(run_id).tables) == {"trades", "fills", "orders", "verdicts", "equity"}


def test_runs_are_numbered_listed_and_found_as_people_type_them(folder: Path, outcome: Outcome) -> None:
    store = SqliteRunStore(folder)
    assert store.list() == ()
    assert not folder.exists()
    assert [store.save(finished(outcome, name)) for name in ("ma_crossover", "ma_reverse", "breakout")] == [
        "r0001-ma_crossover",
        "r0002-ma_reverse",
        "r0003-breakout",
    ]
    first = store.list()[0]
    assert (first.strategy, first.symbols, first.timeframe, first.trades, first.pnl) == (
        "ma_crossover",
        ("EURUSD",),
        "1h",
        4,
        1_220_000_000,
    )
    assert abs(first.saved_at.timestamp() - time.time()) < 60
    for asked, found in {"latest": 3, "2": 2, "r1": 1, "r0003": 3, "R0002-MA": 2, " r0001-ma_crossover ": 1}.items():
        assert store.load(asked).id.startswith(f"r000{found}-")
    assert refusal(store, "r0") == "run r0 could be r0001-ma_crossover, r0002-ma_reverse, r0003-breakout: write more of it"
    assert refusal(store, "r0002-ma_revers3") == "there is no run r0002-ma_revers3: did you mean r0002-ma_reverse?"
    assert refusal(store, "9") == "there is no run 9: did you mean r0003-breakout?"


@pytest.mark.parametrize("asked", ["", "../x", "r0001-a/../../etc", "%", "' OR 1=1 --", "\0"])
def test_what_is_asked_for_never_becomes_a_path_or_a_query(folder: Path, outcome: Outcome, asked: str) -> None:
    store = SqliteRunStore(folder)
    with pytest.raises(RunError, match="nothing is stored yet"):
        store.load(asked)
    store.save(finished(outcome))
    with pytest.raises(RunError, match="did you mean r0001-by_eye"):
        store.load(asked)


@pytest.mark.parametrize(("name", "slug"), [("../../etc", "etc"), ("Übung Nr. 1", "bung-nr-1"), ("¿?", "run"), ("a" * 99, "a" * 40)])
def test_a_name_becomes_a_folder_that_every_system_allows(folder: Path, outcome: Outcome, name: str, slug: str) -> None:
    run_id = SqliteRunStore(folder).save(finished(outcome, name))
    assert run_id == f"r0001-{slug}"
    assert SqliteRunStore(folder).load("latest").id == run_id
    assert sorted(path.name for path in folder.parent.iterdir()) == ["runs"]


def test_a_run_that_fails_halfway_leaves_nothing(folder: Path, outcome: Outcome, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SqliteRunStore(folder)
    store.save(finished(outcome))
    written: list[Path] = []

    def full(path: Path, content: bytes) -> None:
        if len(written) == 3:
            raise OSError(28, "No space left on device")
        written.append(path)
        path.write_bytes(content)

    with monkeypatch.context() as on_full_disk:
        on_full_disk.setattr(run_store, "write_through", full)
        with pytest.raises(RunError, match="No space left"):
            store.save(finished(outcome))
    assert [run.id for run in store.list()] == ["r0001-by_eye"]
    assert [path.name for path in folder.iterdir() if path.is_dir()] == ["r0001-by_eye"]


def test_what_a_crash_left_behind_is_never_listed_and_goes_with_the_next_save(folder: Path, outcome: Outcome) -> None:
    store = SqliteRunStore(folder)
    store.save(finished(outcome))
    named, old, young, own = (folder / name for name in ("r0002-crashed", ".unfinished-old", ".unfinished-young", "my notes"))
    for left in (named, old, young, own):
        left.mkdir()
        (left / "trades.arrow").touch()
    os.utime(old, (time.time() - 7200,) * 2)
    assert [run.id for run in store.list()] == ["r0001-by_eye"]
    assert refusal(store, "r0002-crashed").startswith("there is no run")
    assert store.save(finished(outcome)) == "r0002-by_eye"
    # Another process may still be writing the young one; what is not ours stays.
    assert [path.exists() for path in (named, old, young, own)] == [False, False, True, True]


def test_a_run_goes_to_the_trash_and_is_itself_again_when_it_is_put_back(folder: Path, tmp_path: Path, outcome: Outcome) -> None:
    store, trash = SqliteRunStore(folder), tmp_path / "trash"
    kept = [store.save(finished(outcome)) for _ in range(3)]
    store.annotate(kept[1], ["london"], "wider")
    before, was = store.list(), store.load(kept[1])
    with pytest.raises(RunError, match="nothing was deleted"):
        store.throw_away(kept[1], lambda _: False)
    assert store.list() == before
    assert store.throw_away(kept[1], lambda path: bool(path.rename(trash)))
    assert [run.id for run in SqliteRunStore(folder).list()] == [kept[0], kept[2]]
    with pytest.raises(RunError, match="any more"):
        store.throw_away(kept[1], lambda _: True)
    trash.rename(folder / kept[1])
    assert store.save(finished(outcome)) == "r0004-by_eye", "a save deletes nothing that came back, and no number is given twice"
    assert store.list()[:3] == before
    back = store.load(kept[1])
    assert (back.document, back.tables) == (was.document, was.tables)
    (folder / kept[0]).rename(trash)
    assert not store.throw_away(kept[0], lambda _: pytest.fail("there is nothing to throw away"))
    assert [run.id for run in store.list()] == [*kept[1:], "r0004-by_eye"]


def test_a_row_that_was_changed_in_the_trash_brings_nothing_back_and_hides_nothing(folder: Path, outcome: Outcome) -> None:
    store = SqliteRunStore(folder)
    first, second = store.save(finished(outcome)), store.save(finished(outcome))
    store.throw_away(first, lambda _: True)
    listed = folder / first / LISTED
    row = json.loads(listed.read_text())
    for place, value in ((0, 2), (0, 1 << 63), (1, second), (3, None), (9, "x")):
        listed.write_text(json.dumps([*row[:place], value, *row[place + 1 :]]))
        assert [run.id for run in store.list()] == [second], (place, value)
    listed.write_text(json.dumps(row))
    assert [run.id for run in store.list()] == [first, second]


def lose(folder: Path, how: str) -> None:
    for more in ("-wal", "-shm"):
        (folder / f"{INDEX}{more}").unlink(missing_ok=True)
    whole = (folder / INDEX).read_bytes()
    damaged = {"no database": b"no database at all " * 200, "a page": whole[:4096] + bytes(len(whole) - 4096), "empty": b""}
    if how == "gone":
        (folder / INDEX).unlink()
    else:
        (folder / INDEX).write_bytes(damaged[how])


@pytest.mark.parametrize("first", ["list", "load", "save", "throw away"])
@pytest.mark.parametrize("how", ["no database", "a page", "empty", "gone"])
def test_a_list_that_is_damaged_or_gone_is_made_anew_from_the_folders_of_the_runs(
    folder: Path, outcome: Outcome, how: str, first: str
) -> None:
    before = SqliteRunStore(folder)
    kept = [before.save(finished(outcome)) for _ in range(3)]
    before.annotate(kept[0], ["london"], "wider")
    was, document = before.list(), folder / kept[1] / "document.json"
    lose(folder, how)
    broken = (folder / INDEX).read_bytes() if how != "gone" else b""
    store = SqliteRunStore(folder)
    if first == "load":
        assert store.load("latest").id == kept[2]
    elif first == "save":
        assert store.save(finished(outcome)) == "r0004-by_eye", "no number is given twice"
    elif first == "throw away":
        assert store.throw_away(kept[2], lambda path: bool(path.rename(folder.parent / "trash")))
        was = was[:2]
    assert store.list()[: len(was)] == was
    aside = [path for path in folder.iterdir() if ".broken-" in path.name]
    assert [path.read_bytes() for path in aside] == ([broken] if how in ("no database", "a page") else []), "kept as it was"
    what = f"was damaged and is kept as {aside[0].name}" if aside else "was missing"
    assert store.fault() == f"{INDEX} {what}: the list of runs was made anew from their folders."
    assert SqliteRunStore(folder).fault() == ""
    document.write_bytes(b"{}")
    assert "was changed since it was stored" in refusal(store, "2"), "what was known of the files is known"


def test_a_folder_that_is_not_whole_is_left_out_of_a_new_list_and_named(folder: Path, outcome: Outcome) -> None:
    store = SqliteRunStore(folder)
    whole, half = store.save(finished(outcome)), store.save(finished(outcome))
    (folder / half / LISTED).unlink()
    (folder / half / "trades.arrow").unlink()
    lose(folder, "no database")
    again = SqliteRunStore(folder)
    assert [run.id for run in again.list()] == [whole]
    assert again.fault().endswith(f"Not listed, because files in their folders are missing or damaged: {half}.")
    assert again.save(finished(outcome)) == "r0003-by_eye"
    assert (folder / half).is_dir()


def test_an_index_that_cannot_be_set_aside_hides_nothing_behind_an_empty_list(
    folder: Path, outcome: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    SqliteRunStore(folder).save(finished(outcome))
    lose(folder, "no database")

    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as held:
        held.setattr(Path, "rename", refused)
        with pytest.raises(RunError, match=r"could not be set aside \(Permission denied\): move it away, and the list is made anew"):
            SqliteRunStore(folder).list()
    assert [run.id for run in SqliteRunStore(folder).list()] == ["r0001-by_eye"]


def save_some(folder: Path, outcome: Outcome, count: int) -> list[str]:
    return [SqliteRunStore(folder).save(finished(outcome, f"process_{os.getpid()}")) for _ in range(count)]


def test_two_processes_save_at_once_and_every_run_is_whole(folder: Path, outcome: Outcome) -> None:
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        saved = [run_id for ids in pool.map(save_some, [folder] * 2, [outcome] * 2, [8] * 2) for run_id in ids]
    store = SqliteRunStore(folder)
    assert sorted(saved) == [run.id for run in store.list()]
    assert [int(run.id[1:5]) for run in store.list()] == list(range(1, 17))
    assert all(len(store.load(run.id).tables) == 5 for run in store.list())


@pytest.mark.parametrize("name", ["trades.arrow", "document.json", "strategy.yaml", "recipe.json"])
def test_a_file_that_was_changed_or_lost_is_named(folder: Path, outcome: Outcome, name: str) -> None:
    store = SqliteRunStore(folder)
    path = folder / store.save(finished(outcome)) / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    trust = "run r0001-by_eye cannot be trusted any more, run its backtest again"
    assert refusal(store, "1") == f"{path} was changed since it was stored: {trust}"
    path.unlink()
    assert refusal(store, "1") == f"{path} is missing: {trust}"


def test_an_index_that_stays_locked_asks_for_patience_and_not_for_its_removal(
    folder: Path, outcome: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SqliteRunStore(folder)
    store.save(finished(outcome))
    monkeypatch.setattr(sqlite_index, "WAIT_SECONDS", 0)
    other = sqlite3.connect(folder / INDEX, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(RunError, match="in use by another process for 0 s: try again"):
        store.save(finished(outcome))
    assert [run.id for run in store.list()] == ["r0001-by_eye"]
    other.execute("ROLLBACK")
    other.close()
    assert store.save(finished(outcome)) == "r0002-by_eye"


def test_an_index_from_a_newer_version_is_refused_and_left_alone(folder: Path, outcome: Outcome) -> None:
    store = SqliteRunStore(folder)
    store.save(finished(outcome))
    be_of_version(folder / INDEX, 7)
    expected = r"written by a newer sptrader \(version 7, this one knows 1\): update sptrader"
    with pytest.raises(RunError, match=expected):
        store.list()
    with pytest.raises(RunError, match=expected):
        store.save(finished(outcome))
    assert [path.name for path in folder.iterdir() if path.is_dir()] == ["r0001-by_eye"]


def test_an_index_that_was_made_to_point_elsewhere_is_refused(folder: Path, outcome: Outcome) -> None:
    store = SqliteRunStore(folder)
    store.save(finished(outcome))
    index = sqlite3.connect(folder / INDEX, isolation_level=None)
    index.execute("UPDATE runs SET hashes = ?", ('{"../../secret": "0"}',))
    assert "the index was changed by something else" in refusal(store, "1")
    index.execute("UPDATE runs SET hashes = 'x'")
    assert "is damaged at run r0001-by_eye" in refusal(store, "1")
    index.close()


def test_a_table_that_is_no_arrow_file_is_one_clear_sentence(folder: Path) -> None:
    with pytest.raises(RunError, match="a stored table is damaged"):
        SqliteRunStore(folder).rows(b"ARROW1 but nothing else")
