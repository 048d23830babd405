"""Bundles: what is handed on comes back to the byte, says nothing of where it was made, and what is hostile is refused in one sentence."""

import hashlib
import io
import json
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sptrader_desktop.adapters.run_store import SqliteRunStore
from sptrader_desktop.adapters.zip_run_bundle import LIST, ZipRunBundle, bundle_bytes
from sptrader_desktop.core.errors import RunError
from sptrader_desktop.ports import StoredRun
from tests.command_line import SAMPLE, STRATEGY, refused, sptrader
from tests.small_runs import TEXT
from tests.test_run_compare import keep

CANDLES = "EURUSD_1h.csv"
RECIPE = {"strategy": "/srv/someone/s.yaml", "data": [f"/srv/someone/candles/{CANDLES}"], "spread": "0.8"}


@pytest.fixture
def stored(tmp_path: Path) -> StoredRun:
    store = SqliteRunStore(tmp_path / "runs")
    return replace(store.load(keep(store)), recipe=RECIPE)


def opened(path: Path, content: bytes, tmp_path: Path) -> StoredRun:
    path.write_bytes(content)
    folder = tmp_path / "unpacked"
    folder.mkdir(exist_ok=True)
    (tmp_path / CANDLES).touch()
    return ZipRunBundle(path, folder, (tmp_path,)).load(str(path))


def test_a_run_comes_back_to_the_byte_with_its_files_at_hand(stored: StoredRun, tmp_path: Path) -> None:
    found = opened(tmp_path / "a.sptrun", bundle_bytes(stored), tmp_path)
    assert (found.id, found.document, found.strategy_text, found.tables) == (
        stored.id,
        stored.document,
        stored.strategy_text,
        stored.tables,
    )
    assert found.recipe["data"] == [str(tmp_path / CANDLES)]
    assert Path(found.recipe["strategy"]).read_text(encoding="utf-8") == TEXT
    assert found.recipe["spread"] == "0.8"


def test_the_same_run_gives_the_same_bytes_and_names_no_folder(stored: StoredRun) -> None:
    content = bundle_bytes(stored)
    assert content == bundle_bytes(stored)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert all(b"someone" not in archive.read(name) for name in archive.namelist())
        assert archive.namelist()[0] == LIST


def test_files_read_beside_the_candles_travel_with_the_run(stored: StoredRun, tmp_path: Path) -> None:
    rates = tmp_path / "my_rates.yaml"
    rates.write_text("EURUSD: {long: -0.01, short: 0}\n", encoding="utf-8")
    run = replace(stored, recipe=RECIPE | {"financing": str(rates)})
    found = opened(tmp_path / "a.sptrun", bundle_bytes(run), tmp_path)
    assert Path(found.recipe["financing"]).read_bytes() == rates.read_bytes()
    rates.unlink()
    with pytest.raises(RunError, match=r"cannot be read .*: put it back first"):
        bundle_bytes(run)


def test_two_files_of_one_name_cannot_be_told_apart(stored: StoredRun) -> None:
    with pytest.raises(RunError, match=r"reads two files called EURUSD_1h\.csv"):
        bundle_bytes(replace(stored, recipe=RECIPE | {"rates": [f"C:\\rates\\{CANDLES}"]}))


@pytest.mark.parametrize("name", ["EURUSD_1h_a:b.csv", "EURUSD_1h_a\\b.csv"])
def test_a_name_that_is_none_elsewhere_is_told_before_it_travels(stored: StoredRun, name: str) -> None:
    with pytest.raises(RunError, match="not every system has such names, rename it and run again") as caught:
        bundle_bytes(replace(stored, recipe=RECIPE | {"finer": [f"/srv/{name}"]}))
    assert f"reads a file called {name}:" in str(caught.value)


def test_candles_that_are_not_here_are_named(stored: StoredRun, tmp_path: Path) -> None:
    path = tmp_path / "a.sptrun"
    path.write_bytes(bundle_bytes(stored))
    with pytest.raises(RunError, match=r"needs the candles EURUSD_1h\.csv, which it names and does not hold: put the file beside it"):
        ZipRunBundle(path, tmp_path, (tmp_path / "elsewhere",)).load("a.sptrun")


# Hostile


def packed(files: dict[str, bytes], **more: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        for name, content in more.items():
            archive.writestr(name.replace("__", "/"), content)
    return out.getvalue()


def contents(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def relisted(files: dict[str, bytes], **changes: Any) -> bytes:
    """With hashes that are right: whoever is hostile makes them so."""
    listed = json.loads(files[LIST]) | {"sha256": {name: hashlib.sha256(body).hexdigest() for name, body in files.items() if name != LIST}}
    return packed(files | {LIST: json.dumps(listed | changes).encode()})


def with_recipe(files: dict[str, bytes], **changes: Any) -> bytes:
    return relisted(files | {"recipe.json": json.dumps(json.loads(files["recipe.json"]) | changes).encode()})


def with_manifest(files: dict[str, bytes], **changes: Any) -> bytes:
    document = json.loads(files["document.json"])
    document["manifest"] |= changes
    return relisted(files | {"document.json": json.dumps(document).encode()})


def with_candles(files: dict[str, bytes], **changes: Any) -> bytes:
    manifest = json.loads(files["document.json"])["manifest"]
    return with_manifest(files, data=[item | changes for item in manifest["data"]])


HOSTILE: dict[str, tuple[Callable[[dict[str, bytes]], bytes], str]] = {
    "no zip": (lambda _: b"PK\x03\x04 but no more", "is no bundle of a run, or is damaged"),
    "empty": (lambda _: b"", "is no bundle of a run, or is damaged"),
    "cut short": (lambda files: packed(files)[:-30], "is no bundle of a run, or is damaged"),
    "a bit turned": (
        lambda files: packed(files | {"document.json": files["document.json"][:-2] + b" \n"}),
        "document.json is not what it was",
    ),
    "a path upwards": (lambda files: packed(files, **{"..__..__evil.arrow": b"x"}), "holds '../../evil.arrow', which no bundle holds"),
    "an absolute path": (lambda files: packed(files, __etc__cron=b"x"), "holds '/etc/cron'"),
    "a file of another kind": (lambda files: packed(files, **{"run.py": b"x"}), "holds 'run.py'"),
    "a file missing": (lambda files: packed({name: body for name, body in files.items() if name != "recipe.json"}), "lacks a file"),
    "a table missing": (lambda files: packed({n: b for n, b in files.items() if n != "trades.arrow"}), "lacks a file that it lists"),
    "a bomb": (lambda files: packed(files | {"fills.arrow": b"\0" * 20_000_000}), "would unpack to more than"),
    "no list": (lambda files: packed(files | {LIST: b"[" * 100_000}), "its list of files cannot be read"),
    "a newer list": (lambda files: relisted(files, version=9), "was written by a newer sptrader"),
    "another format": (lambda files: relisted(files, format="zip"), "is no bundle of a run"),
    "a run named like a path": (lambda files: relisted(files, run="../x"), "its list of files is damaged"),
    "a recipe with a path": (lambda files: with_recipe(files, data=["../../etc/passwd"]), "names a file in a folder"),
    "a recipe with a drive": (lambda files: with_recipe(files, data=["C:passwd"]), "names a file in a folder"),
    "a recipe with another file": (
        lambda files: with_recipe(files, instruments="passwd"),
        "files that a bundle does not hold",
    ),
    "a recipe of numbers": (lambda files: with_recipe(files, capital=5), "capital of its recipe is not"),
    "a recipe of lists": (lambda files: with_recipe(files, spread=["1"]), "spread of its recipe is not"),
    "a document without manifest": (lambda files: relisted(files | {"document.json": b'{"a": 1}'}), "does not say what went into it"),
    "a manifest without engine": (lambda files: with_manifest(files, engine={}), "does not say what went into it"),
    "a manifest of strange candles": (lambda files: with_manifest(files, data=[{"symbol": "EURUSD"}]), "does not say what went into it"),
    "candles of no time": (lambda files: with_candles(files, first=None), "does not say what went into it"),
    "candles of a time without zone": (lambda files: with_candles(files, last="2024-01-02T00:00:00"), "does not say what went into it"),
    "candles of a strange time": (lambda files: with_candles(files, last="soon"), "does not say what went into it"),
    "a strategy that is no text": (lambda files: relisted(files | {"strategy.yaml": b"\xff\xfe"}), "its strategy is no text"),
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_what_is_hostile_is_refused_in_one_sentence_and_writes_nothing(stored: StoredRun, tmp_path: Path, name: str) -> None:
    make, said = HOSTILE[name]
    files = contents(bundle_bytes(stored))
    with pytest.raises(RunError) as caught:
        opened(tmp_path / "a.sptrun", make(files), tmp_path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert {path.name for path in tmp_path.iterdir()} == {"a.sptrun", CANDLES, "unpacked", "runs"}
    assert {path.name for path in (tmp_path / "unpacked").iterdir()} <= {"strategy.yaml"}


def test_a_recipe_with_words_of_a_newer_version_is_refused(stored: StoredRun, tmp_path: Path) -> None:
    content = with_recipe(contents(bundle_bytes(stored)), magic="yes")
    with pytest.raises(RunError, match="magic, which this version does not know"):
        bundle_bytes(opened(tmp_path / "a.sptrun", content, tmp_path))


# On the command line


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a bundle; the candles are in another, and the run is in no store any more."""
    monkeypatch.setenv("SPTRADER_RUNS", str(tmp_path / "runs"))
    (tmp_path / "candles").mkdir()
    shutil.copyfile(SAMPLE, tmp_path / "candles" / "EURUSD_1h_mine.parquet")
    assert sptrader("backtest", STRATEGY, "--data", tmp_path / "candles" / "EURUSD_1h_mine.parquet").code == 0
    return tmp_path


def test_a_bundle_verifies_where_its_candles_are(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sptrader("backtest", STRATEGY, "--data", kept / "candles" / "EURUSD_1h_mine.parquet", "--resample", "4h").code == 0
    said = sptrader("export", "latest", "--bundle", kept / "mine.sptrun")
    assert (said.code, said.out) == (0, f"r0002-ma_crossover written to {kept / 'mine.sptrun'}\n")
    monkeypatch.setenv("SPTRADER_RUNS", str(kept / "others"))
    assert refused("verify", kept / "mine.sptrun").endswith("which it names and does not hold: put the file beside it")
    (kept / "candles" / "EURUSD_1h_mine.parquet").rename(kept / "EURUSD_1h_mine.parquet")
    verified = sptrader("verify", kept / "mine.sptrun")
    assert (verified.code, verified.out, verified.err) == (0, "r0002-ma_crossover: the same to the byte\n", "")


def test_a_bundle_of_another_result_or_beside_other_candles_is_found_out(kept: Path) -> None:
    beside = kept / "EURUSD_1h_mine.parquet"
    shutil.copyfile(SAMPLE, beside)
    sptrader("export", "latest", "--bundle", kept / "mine.sptrun")
    files = contents((kept / "mine.sptrun").read_bytes())
    better = files["document.json"].replace(b'"exit_reason":"signal_exit"', b'"exit_reason":"take_profit"', 1)
    (kept / "better.sptrun").write_bytes(relisted(files | {"document.json": better}))
    said = sptrader("verify", kept / "better.sptrun")
    assert said.code == 1
    assert '.exit_reason was "take_profit", is now "signal_exit"' in said.err
    assert sptrader("data", "sample", "--symbol", "EURUSD", "--timeframe", "1h", "--years", "1", "--out", kept / "other.parquet").code == 0
    (kept / "other.parquet").replace(beside)
    said = sptrader("verify", kept / "mine.sptrun")
    assert said.code == 1
    assert "candles of EURUSD 1h (EURUSD_1h_mine.parquet) were changed" in said.err


def test_pages_and_tables_are_written_and_never_over_what_is_there(kept: Path) -> None:
    for option, name in (("--html", "report.html"), ("--csv", "trades.csv")):
        assert sptrader("export", "latest", option, kept / name).code == 0
        before = (kept / name).read_bytes()
        said = refused("export", "latest", option, kept / name)
        assert said == f"{kept / name}: this file is there already: choose another name, or move it away"
        assert (kept / name).read_bytes() == before
    assert (kept / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert len((kept / "trades.csv").read_text(encoding="utf-8").splitlines()) == 28


def test_what_cannot_be_exported_is_one_sentence(kept: Path) -> None:
    assert "name it run.sptrun" in refused("export", "latest", "--bundle", kept / "run.zip")
    assert "there is no run r77" in refused("export", "r77", "--html", kept / "x.html")
    assert sptrader("export", "latest").code == 2
    assert "there is no such file" in refused("verify", kept / "none.sptrun")
