"""A repair mends what it is told to and nothing else, its ledger applied backwards gives the old rows, and the old file is left alone."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sptrader_desktop.adapters.candle_files import load_candles
from sptrader_desktop.adapters.candle_findings import inspection_of
from sptrader_desktop.adapters.candle_repair import FIXES, Mended, counts, ledger_text, mend
from sptrader_desktop.adapters.parquet_repair import METADATA_KEY
from sptrader_desktop.adapters.zoneinfo_clocks import clock_named, nearest_utc, to_utc
from sptrader_desktop.core.instruments import CATALOGUE
from tests import data_defects, dying_repairs
from tests.candle_builders import bars, parquet
from tests.command_line import ROOT, refused, sptrader
from tests.data_defects import HOUR, NOT_A_TIME, PLANTERS, SECOND, Market, Random, clean_market, wall_clock
from tests.test_data_doctor import SEEDS

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Row = dict[str, Any]


def mended(market: Market, *fixes: str, zone: str = "") -> Mended:
    clock = partial(to_utc, clock=clock_named(zone)) if zone else None
    return mend(market.table(), CATALOGUE["EURUSD"], market.stated, "made up", fixes, clock)


def iso(stamp: int) -> str:
    return (EPOCH + timedelta(microseconds=stamp)).isoformat().replace("+00:00", "Z")


def rows_of(stamps: list[str | None], columns: dict[str, Any]) -> list[Row]:
    return [{"timestamp": stamp} | {name: float(column[i]) for name, column in columns.items()} for i, stamp in enumerate(stamps)]


def old_rows(market: Market) -> list[Row]:
    def text(stamp: int) -> str | None:
        if stamp == NOT_A_TIME:
            return None
        per = 1000 if market.unit == "ns" else 1
        is_time = stamp % per == 0 and abs(stamp) < 8e15 * per
        return iso(stamp // per) if is_time else f"{stamp} {market.unit}"

    return rows_of([text(stamp) for stamp in market.stamps.tolist()], market.prices | {"volume": market.volume})


def backwards(new: list[Row], ledger: str) -> list[Row]:
    """The old rows, from the new ones and the ledger alone."""
    lines = [json.loads(line) for line in ledger.splitlines()]
    moved = {line["after"] - 1: line["row"] - 1 for line in lines if line["column"] == "position"}
    taken = {line["row"] - 1 for line in lines if line["column"] == "row"} | set(moved.values())
    free = iter(n for n in range(len(new) + len(lines) + 1) if n not in taken)
    rows = {moved[place] if place in moved else next(free): dict(row) for place, row in enumerate(new)}
    for line in reversed(lines):
        if "to_row" in line:
            by = datetime.fromisoformat(line["after"]) - datetime.fromisoformat(line["before"])
            for row in range(line["row"] - 1, line["to_row"]):
                stamp = rows[row]["timestamp"]
                rows[row]["timestamp"] = (datetime.fromisoformat(stamp) - by).isoformat().replace("+00:00", "Z")
        elif line["column"] == "row":
            rows[line["row"] - 1] = {name: value if name == "timestamp" else float(value) for name, value in line["before"].items()}
        elif line["column"] != "position":
            is_number = line["column"] != "timestamp"
            rows[line["row"] - 1][line["column"]] = float(line["before"]) if is_number else line["before"]
    return [rows[row] for row in sorted(rows)]


def assert_same(ours: list[Row], theirs: list[Row]) -> None:
    assert len(ours) == len(theirs)
    for number, (one, other) in enumerate(zip(ours, theirs, strict=True)):
        assert one["timestamp"] == other["timestamp"], number
        for name in one.keys() - {"timestamp"}:
            assert one[name] == other[name] or (np.isnan(one[name]) and np.isnan(other[name])), (number, name)


def new_rows(done: Mended) -> list[Row]:
    return rows_of([iso(stamp) for stamp in done.table.stamps.tolist()], done.table.columns)


MENDABLE = [kind for kind in PLANTERS if kind in FIXES]


@pytest.mark.parametrize("kind", MENDABLE)
@settings(max_examples=6)
@given(seed=SEEDS)
def test_what_is_to_be_mended_is_gone_and_the_ledger_gives_the_old_rows(kind: str, seed: int) -> None:
    planted = PLANTERS[kind](np.random.default_rng(seed))
    done = mended(planted.market, kind)
    left = {finding.kind for finding in inspection_of(done.examined).findings if finding.severity != "note"}
    assert left <= {"hole"}  # many rows that went leave one
    gone = [change.row for change in done.changes if change.column == "row"]
    assert len(gone) == len(set(gone))
    assert len(done.changes) >= planted.count
    assert_same(backwards(new_rows(done), ledger_text(done.changes)), old_rows(planted.market))


def test_rows_that_were_mended_are_counted_and_not_their_cells() -> None:
    planted = PLANTERS["swapped"](np.random.default_rng(5))
    done = mended(planted.market, "swapped")
    assert len(done.changes) == 2 * planted.count
    assert counts(done.changes) == {"swapped": planted.count}


CHAINED = "unordered duplicate conflict missing_price infinite not_positive decimal_shift swapped bad_volume weekend spike stale".split()


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=SEEDS, kinds=st.lists(st.sampled_from(CHAINED), min_size=2, max_size=4, unique=True))
def test_several_defects_at_once_are_mended_and_the_ledger_still_gives_the_old_rows(
    monkeypatch: pytest.MonkeyPatch, seed: int, kinds: list[str]
) -> None:
    rng = np.random.default_rng(seed)
    market = clean_market(rng)
    ordered = sorted(kinds, key=lambda kind: (kind in {"unordered", "conflict", "duplicate"}, kind))
    for kind in ordered:

        def so_far(_: Random, held: Market = market, **__: bool) -> Market:
            return held

        with monkeypatch.context() as patched:
            patched.setattr(data_defects, "_any_market", so_far)
            market = PLANTERS[kind](rng).market
    done = mended(market, *FIXES)
    found = {finding.kind for finding in inspection_of(done.examined).findings}
    assert found & set(FIXES) == set()
    gone = [change.row for change in done.changes if change.column == "row"]
    assert len(gone) == len(set(gone))
    assert_same(backwards(new_rows(done), ledger_text(done.changes)), old_rows(market))


@settings(max_examples=8)
@given(seed=SEEDS, zone=st.sampled_from(["Europe/Athens", "America/New_York", "+02:00", "-05:00"]))
def test_a_clock_is_set_right_and_can_be_set_back(seed: int, zone: str) -> None:
    """Bars of the hour that a clock shows twice cannot be told apart: markets are closed then."""
    market = clean_market(np.random.default_rng(seed), HOUR, 30)
    wrong = Market(wall_clock(market.stamps, zone), market.prices, market.volume, market.bar, market.stated)
    done = mended(wrong, zone=zone)
    assert done.table.stamps.tolist() == market.stamps.tolist()
    assert inspection_of(done.examined).findings == ()
    assert len(done.changes) < 5
    assert_same(backwards(new_rows(done), ledger_text(done.changes)), old_rows(wrong))


# Files


def spoiled(folder: Path) -> Path:
    """Hourly bars with a repeated row, a missing price, two rows exchanged, a weekend bar and a spike."""
    market = clean_market(np.random.default_rng(7), HOUR, 3)
    rows = np.r_[0:10, 9, 10:40, 41, 40, 42:119, 118, 119 : len(market)]
    market = market.taken(rows).put("close", 20, np.nan).put("high", 60, 1.5)
    market = market.stamped(120, market.stamps[119] + 5 * HOUR)
    path = folder / "EURUSD_1h_spoiled.parquet"
    columns = {"timestamp": pa.array(market.stamps, pa.timestamp("us", tz="UTC"))} | {**market.prices, "volume": market.volume}
    pq.write_table(pa.table(columns), path)
    return path


def test_a_mended_file_loads_remembers_its_story_and_the_old_one_is_untouched(tmp_path: Path) -> None:
    old = spoiled(tmp_path)
    before = old.read_bytes()
    assert sptrader("data", "inspect", old).code == 1
    out = tmp_path / "EURUSD_1h_mended.parquet"
    said = sptrader("data", "repair", old, "--out", out)
    assert said.err == ""
    assert said.out.splitlines()[-1] == "Verdict    doubtful: a backtest would run on it and could be wrong: spike"
    assert said.code == 0
    candles = load_candles(out)
    assert old.read_bytes() == before
    ledger = (tmp_path / "EURUSD_1h_mended.ledger.jsonl").read_text(encoding="utf-8")
    story = json.loads(pq.read_schema(out).metadata[b"sptrader.repair"])
    assert story["ledger"] == ledger
    assert story["source"] == old.name
    assert story["changes"] == {"duplicate": 1, "missing_price": 1, "weekend": 1, "unordered": 1}
    columns = {name: column.to_numpy() for name, column in zip(pq.read_table(old).column_names, pq.read_table(old).columns, strict=True)}
    stamps = pq.read_table(old)["timestamp"].cast("int64").to_pylist()
    del columns["timestamp"]
    fresh = pq.read_table(out)
    new = rows_of(
        [iso(stamp) for stamp in fresh["timestamp"].cast("int64").to_pylist()], {name: fresh[name].to_numpy() for name in columns}
    )
    assert len(new) == len(candles)
    assert_same(backwards(new, ledger), rows_of([iso(stamp) for stamp in stamps], columns))


def test_what_needs_judgement_is_mended_only_when_it_is_named(tmp_path: Path) -> None:
    old, out = spoiled(tmp_path), tmp_path / "EURUSD_1h_mended.parquet"
    said = sptrader("data", "repair", old, "--out", out, "--fix", "unordered", "duplicate", "--fix", "missing_price", "weekend", "spike")
    assert (said.code, said.out.splitlines()[-1]) == (0, "Verdict    sound: nothing found that would make a backtest wrong")
    assert sptrader("data", "inspect", out).code == 0


def test_a_shift_moves_every_stamp_and_names_no_row_twice(tmp_path: Path) -> None:
    old, out = spoiled(tmp_path), tmp_path / "moved.parquet"
    said = sptrader("data", "repair", old, "--out", out, "--shift=-02:00", "--symbol", "EURUSD", "--timeframe", "1h")
    assert said.err == ""
    moved, before = (pq.read_table(path)["timestamp"].cast("int64").to_numpy() for path in (out, old))
    assert (moved == before - 7200 * SECOND).all()
    assert len((tmp_path / "moved.ledger.jsonl").read_text().splitlines()) == 1


def test_a_repair_refuses_in_one_sentence(tmp_path: Path) -> None:
    old, out = spoiled(tmp_path), tmp_path / "new.parquet"
    assert f"{old} exists and is not overwritten" in refused("data", "repair", old, "--out", old)
    (tmp_path / "new.ledger.jsonl").write_text("mine")
    assert "new.ledger.jsonl exists and is not overwritten" in refused("data", "repair", old, "--out", out)
    (tmp_path / "new.ledger.jsonl").unlink()
    assert "end its name with .parquet" in refused("data", "repair", old, "--out", tmp_path / "new.csv")
    assert "there is no folder" in refused("data", "repair", old, "--out", tmp_path / "none" / "new.parquet")
    assert "did you mean spike?" in refused("data", "repair", old, "--out", out, "--fix", "spikes")
    assert "no rule could mend this: fetch what is missing" in refused("data", "repair", old, "--out", out, "--fix", "hole")
    assert "there is no such time zone" in refused("data", "repair", old, "--out", out, "--zone", "Europe/Atlantis")
    assert "write it like +02:00" in refused("data", "repair", old, "--out", out, "--shift=2h")
    assert "there is no such file" in refused("data", "repair", tmp_path / "EURUSD_1h.parquet", "--out", out)
    assert not out.exists()


def test_a_row_that_is_bad_in_two_ways_goes_once() -> None:
    market = clean_market(np.random.default_rng(4)).put("close", 50, np.nan)
    volume = market.volume.copy()
    volume[50] = -1
    done = mended(replace(market, volume=volume), "missing_price", "bad_volume")
    assert [(change.row, change.rule) for change in done.changes] == [(51, "missing_price")]


def test_a_clock_that_the_stamps_cannot_be_of_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    """Two in the morning was not shown in New York when clocks were put forward, and one was shown twice when they were put back."""
    out = tmp_path / "EURUSD_1h_mended.parquet"
    for day, hours, said in (
        (10, (1, 2, 3), "row 2: 2024-03-10T02:00:00Z does not exist by America/New_York, where clocks are put forward then"),
        (3, (0, 1, 2), "row 2: 2024-11-03T01:00:00Z is shown twice by America/New_York"),
    ):
        stamps = [datetime(2024, 3 if day == 10 else 11, day, hour, tzinfo=UTC) for hour in hours]
        old = parquet(tmp_path / f"EURUSD_1h_{day}.parquet", bars(3) | {"timestamp": stamps})
        assert said in refused("data", "repair", old, "--out", out, "--zone", "America/New_York")
    assert {path.name for path in tmp_path.iterdir()} == {"EURUSD_1h_10.parquet", "EURUSD_1h_3.parquet"}


@settings(max_examples=60)
@given(
    days=st.lists(st.integers(0, 9000), min_size=1, max_size=30),
    minute=st.integers(0, 1439),
    zone=st.sampled_from(["Europe/Athens", "America/New_York", "Europe/London", "America/New_York+7", "UTC-5", "+02:00"]),
)
def test_a_suspected_clock_and_one_that_is_told_agree_where_an_hour_is_shown_once(days: list[int], minute: int, zone: str) -> None:
    """And both what the standard library says."""
    walls = np.array([day * 24 * HOUR + minute * 60 * SECOND for day in sorted(days)])
    clock = clock_named(zone)
    once = np.array([first == second for first, second in clock.offsets(walls.tolist())])
    nearest = nearest_utc(walls, clock)
    assert nearest[once].tolist() == to_utc(walls[once], clock).tolist()
    city, ahead = (ZoneInfo(clock.zone) if clock.zone else UTC), timedelta(microseconds=clock.ahead_us)
    expected = [(EPOCH + timedelta(microseconds=wall) - ahead).replace(tzinfo=city) for wall in walls.tolist()]
    assert nearest.tolist() == [(at - EPOCH) // timedelta(microseconds=1) for at in expected]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="children are forked")
def test_whoever_dies_while_repairing_leaves_no_ledger_of_nothing_and_the_next_makes_the_pair_whole(tmp_path: Path) -> None:
    """Killed at each of its steps in the new folder, one after the other."""
    table = bars(200)
    old, states = parquet(tmp_path / "EURUSD_1h_old.parquet", table | {"timestamp": table["timestamp"][::-1]}), set()
    # Python 3.12 warns of every fork beside threads; these children only write and end.
    command = [sys.executable, "-W", "ignore::DeprecationWarning", dying_repairs.__file__, str(old), str(tmp_path)]
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True, timeout=120)
    steps = int(done.stdout)
    assert steps > 3
    for step in range(steps):
        out = tmp_path / str(step) / dying_repairs.NAME
        ledger, was_there = out.with_suffix(".ledger.jsonl"), out.exists()
        states.add((was_there, ledger.exists()))
        again = sptrader("data", "repair", old, "--out", out)
        assert again.code == int(was_there)
        assert ("not overwritten" in again.err) == was_there
        story = json.loads(pq.read_metadata(out).metadata[METADATA_KEY])
        assert story["ledger_sha256"] == hashlib.sha256(ledger.read_bytes()).hexdigest()
        assert {path.name for path in out.parent.iterdir() if ".tmp" not in path.name} == {out.name, ledger.name}
    assert states == {(False, False), (True, False)}
