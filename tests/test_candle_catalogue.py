"""The catalogue of candles: what is kept comes back to the bit, whole or not at all, whoever else writes and whenever somebody dies."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from sptrader_desktop.adapters import catalogue_candles
from sptrader_desktop.adapters.candle_files import load_candles
from sptrader_desktop.adapters.catalogue_candles import INDEX, CandleCatalogue
from sptrader_desktop.adapters.parquet_writer import file_name, parquet_bytes
from sptrader_desktop.core.candles import Candles, PriceSide
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.instruments import CATALOGUE
from sptrader_desktop.ports import CandleRequest, CandleStore, Dataset
from tests import kept_candles
from tests.kept_candles import ASKED, HOUR_US, START, STEPS, hourly

FORKS = pytest.mark.skipif(not hasattr(os, "fork"), reason="children are forked")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "candles"


def moment(hours: float) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=START + int(hours * HOUR_US))


def refused(catalogue: CandleCatalogue, asked: CandleRequest | Candles) -> str:
    with pytest.raises(DataError) as caught:
        _ = catalogue.keep(asked) if isinstance(asked, Candles) else catalogue.candles(asked)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# What is kept comes back


@given(pieces=st.lists(st.tuples(st.sets(st.integers(0, 2000), min_size=1, max_size=20), st.integers(0, 9)), min_size=1, max_size=5))
@examples(max_examples=12)
def test_the_last_bar_kept_for_an_hour_is_the_one_that_is_there(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[tuple[set[int], int]]
) -> None:
    store: CandleStore = CandleCatalogue(tmp_path_factory.mktemp("catalogue"))
    seeds: dict[int, int] = {}
    for hours, seed in pieces:
        assert store.keep(hourly(sorted(hours), seed)) == len(hours)
        seeds |= dict.fromkeys(hours, seed)
        found = store.candles(ASKED)
        assert found.timestamp.tolist() == [START + hour * HOUR_US for hour in sorted(seeds)]
        assert found.prices.close.tolist() == [int(hourly([hour], seeds[hour]).prices.close[0]) for hour in sorted(seeds)]
        first, last = moment(min(seeds)), moment(max(seeds))
        assert list(store.datasets()) == [Dataset("EURUSD", "1h", "bid", False, len(seeds), first, last)]


@given(seed=st.integers(0, 2**32), symbol=st.sampled_from(["EURUSD", "USDJPY", "XAUUSD", "BTCUSD"]), scale=st.integers(1, 2**35))
@examples(max_examples=20)
def test_a_round_trip_through_a_file_changes_no_bit(tmp_path_factory: pytest.TempPathFactory, seed: int, symbol: str, scale: int) -> None:
    made = hourly(range(50), seed % 1000, ask=bool(seed % 2), volume=bool(seed % 3), symbol=symbol)
    shift = np.random.default_rng(seed).integers(0, scale, 50)
    prices = replace(made.prices, **{name: getattr(made.prices, name) + shift for name in ("open", "high", "low", "close")})
    path = tmp_path_factory.mktemp("written") / file_name(made)
    path.write_bytes(parquet_bytes(replace(made, prices=prices)))
    read = load_candles(path)
    assert read.prices.low.tolist() == prices.low.tolist()
    store = CandleCatalogue(path.parent / "catalogue")
    store.keep(read)
    assert store.candles(CandleRequest(symbol, "1h")).fingerprint == read.fingerprint
    assert (read.side, read.ask is None, read.volume is None) == ("bid", made.ask is None, made.volume is None)


def test_a_range_is_cut_and_only_its_months_are_read(folder: Path) -> None:
    store = CandleCatalogue(folder)
    store.keep(hourly(range(3000), ask=True, volume=True))
    whole = store.candles(ASKED)
    for low, high in ((0, 3000), (70, 75), (72, 800), (2999, 3000)):
        part = store.candles(CandleRequest("EURUSD", "1h", moment(low), moment(high)))
        assert part.timestamp.tolist() == whole.timestamp[low:high].tolist()
        assert part.volume is not None
        assert part.ask is not None
        assert part.ask.high.tolist() == (part.prices.high + 12).tolist()
    january = next((folder / "EURUSD" / "1h" / "bid").glob("2024-01.*"))
    january.write_bytes(b"damaged")
    assert len(store.candles(CandleRequest("EURUSD", "1h", moment(72)))) == 3000 - 72
    assert f"{january}: it was changed since it was kept: remove it and import its month again" in refused(store, ASKED)


def test_real_candles_are_kept_by_month_with_both_sides(folder: Path, reference: Path) -> None:
    bid, ask = (reference / "data" / f"GBPUSD_1m_2012-02-01_2012-03-01_fxcm_{side}.parquet" for side in ("bid", "ask"))
    candles, store = load_candles(bid, ask=ask), CandleCatalogue(folder)
    assert store.keep(candles) == 30_117
    assert store.candles(CandleRequest("GBPUSD", "1m")).fingerprint == candles.fingerprint
    assert [found.has_ask for found in store.datasets()] == [True]


# One side of several


def test_bid_and_ask_that_came_one_after_the_other_are_one_series_of_both(folder: Path) -> None:
    store, both = CandleCatalogue(folder), hourly(range(100), 1, ask=True, volume=True)
    assert both.ask
    store.keep(replace(both, ask=None))
    store.keep(replace(both, side="ask", prices=both.ask, ask=None, volume=None))
    assert store.candles(ASKED).fingerprint == both.fingerprint
    store.keep(hourly(range(100, 900), 1, volume=True))
    assert "only one of its bid and ask candles has the bar of 2024-02-02T04:00:00Z" in refused(store, ASKED)
    assert store.candles(replace(ASKED, start=moment(800))).ask is None
    assert len(store.candles(replace(ASKED, end=moment(100)))) == 100


def test_of_several_sides_bid_is_meant_and_then_mid(folder: Path) -> None:
    store = CandleCatalogue(folder)
    sides: tuple[tuple[PriceSide, int], ...] = (("ask", 3), ("mid", 2), ("bid", 1))
    for side, seed in sides:
        store.keep(replace(hourly(range(9), seed), side=side))
        found = store.candles(ASKED)
        assert (found.side, found.prices.open.tolist()) == (side, hourly(range(9), seed).prices.open.tolist())
    assert [found.side for found in store.datasets()] == ["ask", "bid", "mid"]


# What cannot be kept or found


def test_what_is_not_there_is_refused_with_what_is(folder: Path) -> None:
    store = CandleCatalogue(folder)
    missing = f"{folder}: it holds no 1h candles of EURUSD (it holds nothing yet): import them with `sptrader data import`"
    assert refused(store, ASKED) == missing
    assert store.datasets() == []
    assert not folder.exists()
    store.keep(hourly(range(5), symbol="GBPUSD"))
    assert "(it holds GBPUSD 1h)" in refused(store, ASKED)
    store.keep(hourly(range(5)))
    late = refused(store, CandleRequest("EURUSD", "1h", moment(10)))
    assert late == f"{folder / 'EURUSD' / '1h' / 'bid'}: no bar opens from 2024-01-29T10:00:00Z: it holds 2024-01-29T00:00:00Z to " + (
        "2024-01-29T04:00:00Z, ask for a part of that"
    )


@pytest.mark.parametrize("hours", [[71], [10]])
def test_bars_that_lie_inside_one_another_are_refused_and_nothing_changes(folder: Path, hours: list[int]) -> None:
    """Hour 71 is the last of its month, so its half past reaches into the next one."""
    store = CandleCatalogue(folder)
    store.keep(hourly(range(100)))
    before = store.candles(ASKED).fingerprint
    shifted = hourly(hours)
    assert "opens inside that of" in refused(store, replace(shifted, timestamp=shifted.timestamp + HOUR_US // 2))
    assert store.candles(ASKED).fingerprint == before


def test_a_bar_that_reaches_into_the_next_month_is_refused(folder: Path) -> None:
    store = CandleCatalogue(folder)
    store.keep(hourly(range(72, 80)))
    late = hourly([71])
    assert "opens inside that of 2024-01-31T23:30:00Z" in refused(store, replace(late, timestamp=late.timestamp + HOUR_US // 2))
    assert store.keep(late) == 1


def test_months_count_together_or_not_at_all(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, rows = CandleCatalogue(folder), []
    store.keep(hourly(range(100)))
    before = store.candles(ASKED).fingerprint

    def full(month: object) -> tuple[object, ...]:
        rows.append(month)
        if len(rows) == 2:
            raise OSError(28, "No space left on device")
        return row(month)  # type: ignore[arg-type]

    row = catalogue_candles._row
    monkeypatch.setattr(catalogue_candles, "_row", full)
    with pytest.raises(OSError, match="No space left"):
        store.keep(hourly(range(100), 5))
    assert store.candles(ASKED).fingerprint == before


def test_a_column_is_neither_dropped_nor_made_up(folder: Path) -> None:
    store = CandleCatalogue(folder)
    store.keep(hourly(range(5), volume=True))
    assert "holds EURUSD 1h bid with volume, and these candles are not" in refused(store, hourly([900]))
    assert "holds EURUSD 1h bid without ask prices, and" in refused(store, hourly([900], ask=True, volume=True))


def test_another_tick_is_met_by_the_checks_of_every_file(folder: Path) -> None:
    coarse = {"EURUSD": replace(CATALOGUE["EURUSD"], tick=Decimal("0.0001"))}
    CandleCatalogue(folder).keep(hourly(range(5)))
    assert "is not a multiple of the tick 0.0001 of EURUSD" in refused(CandleCatalogue(folder, coarse), ASKED)
    assert "'EURUSD' is not a known symbol" in refused(CandleCatalogue(folder, {}), ASKED)


def test_a_file_that_is_missing_is_named(folder: Path) -> None:
    store = CandleCatalogue(folder)
    store.keep(hourly(range(5)))
    (path,) = (folder / "EURUSD").rglob("*.parquet")
    path.unlink()
    assert refused(store, ASKED) == f"{path}: the index names this file, but it is missing: import these candles again"


def test_any_flipped_bit_of_a_kept_file_is_seen(folder: Path) -> None:
    store = CandleCatalogue(folder)
    store.keep(hourly(range(40)))
    (path,) = (folder / "EURUSD").rglob("*.parquet")
    content = path.read_bytes()
    for at in range(0, len(content), 97):
        path.write_bytes(content[:at] + bytes([content[at] ^ (1 << at % 8)]) + content[at + 1 :])
        assert "it was changed since it was kept" in refused(store, ASKED)
    path.write_bytes(content)
    assert len(store.candles(ASKED)) == 40


def test_no_flipped_bit_of_a_written_file_changes_a_price(tmp_path: Path) -> None:
    """Its pages carry checksums, so whoever reads it gets an error or what was written."""
    content, path = parquet_bytes(hourly(range(200), ask=True, volume=True)), tmp_path / "EURUSD_1h.parquet"
    path.write_bytes(content)
    intact, by_checksum = load_candles(path).fingerprint, 0
    for at in range(0, len(content), 23):
        path.write_bytes(content[:at] + bytes([content[at] ^ (1 << at % 8)]) + content[at + 1 :])
        try:
            assert load_candles(path).fingerprint == intact
        except DataError as error:
            by_checksum += "CRC checksum" in str(error)
    assert by_checksum > 50


# Crashes and other processes


def in_children(what: str, folder: Path) -> list[str]:
    # Python 3.12 warns of every fork beside threads, and numpy has some; these children only write and end.
    command = [sys.executable, "-W", "ignore::DeprecationWarning", kept_candles.__file__, what, str(folder)]
    root = str(Path(kept_candles.__file__).parent.parent)
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": root}, capture_output=True, text=True, check=False, timeout=120)
    assert done.stderr == ""
    return done.stdout.splitlines()


@FORKS
def test_whoever_dies_while_keeping_leaves_the_old_candles_or_the_new(folder: Path) -> None:
    store = CandleCatalogue(folder)
    store.keep(hourly(range(200)))
    was, died = store.candles(ASKED).fingerprint, []
    for line in in_children("crash", folder):
        step, killed, fingerprint = line.split()
        new = hourly(range(200), 1 + int(step)).fingerprint
        assert fingerprint in (was, new), line
        assert killed != "0" or fingerprint == new
        died.append((killed != "0", fingerprint == new))
        was = fingerprint
    assert len(died) == STEPS
    assert died.count((True, False)) > 8
    assert (True, True) in died
    assert died[-1] == (False, True)
    store.keep(hourly(range(200)))
    assert list(folder.rglob("*.tmp")) == []


@FORKS
def test_two_processes_that_keep_at_once_lose_nothing(folder: Path) -> None:
    assert in_children("race", folder) == ["[0, 0]"]
    found, both = CandleCatalogue(folder).candles(ASKED), np.arange(1500)
    assert found.timestamp.tolist() == (START + both * HOUR_US).tolist()
    expected = [int(hourly([hour], hour % 2).prices.open[0]) for hour in both.tolist()]
    assert found.prices.open.tolist() == expected
    assert len(list((folder / "EURUSD").rglob("*"))) == 2 + len({str(month) for month in found.timestamp.astype("M8[us]").astype("M8[M]")})


def test_a_catalogue_of_the_version_before_is_brought_up_where_it_stands(folder: Path) -> None:
    store = CandleCatalogue(folder)
    store.keep(hourly(range(100)))
    with closing(sqlite3.connect(folder / INDEX)) as index:
        index.execute("ALTER TABLE months DROP COLUMN is_synthetic")
        index.execute("PRAGMA user_version = 1")
    assert [(found.rows, found.is_synthetic) for found in CandleCatalogue(folder).datasets()] == [(100, False)]
    assert CandleCatalogue(folder).keep(hourly(range(100, 200))) == 100
    assert len(CandleCatalogue(folder).candles(ASKED)) == 200
    with closing(sqlite3.connect(folder / f"{INDEX}.before-version-2")) as aside:
        assert aside.execute("SELECT sum(rows) FROM months").fetchone() == (100,), "as it was before"


def test_a_series_that_is_removed_is_gone_with_its_files_and_no_other_is(tmp_path: Path) -> None:
    catalogue = CandleCatalogue(tmp_path)
    gone, stays = hourly(range(200)), hourly(range(50), symbol="GBPUSD")
    catalogue.keep(gone)
    catalogue.keep(stays)
    catalogue.keep(replace(gone, side="mid"))
    assert catalogue.remove("EURUSD", "1h", "bid") == 200
    assert [(item.symbol, item.side) for item in catalogue.datasets()] == [("EURUSD", "mid"), ("GBPUSD", "bid")]
    assert len(catalogue.candles(ASKED, "mid")) == 200
    assert catalogue.candles(CandleRequest("GBPUSD", "1h")).fingerprint == stays.fingerprint
    assert not list((tmp_path / "EURUSD" / "1h" / "bid").iterdir())
    with pytest.raises(DataError, match="any more: look at the list again"):
        catalogue.remove("EURUSD", "1h", "bid")
    catalogue.keep(gone)
    assert catalogue.candles(ASKED, "bid").fingerprint == gone.fingerprint


def test_one_side_alone_is_read_when_it_is_named(tmp_path: Path) -> None:
    catalogue = CandleCatalogue(tmp_path)
    bid, ask = hourly(range(20)), replace(hourly(range(20), 3), side="ask")
    catalogue.keep(bid)
    catalogue.keep(ask)
    assert catalogue.candles(ASKED, "ask").prices.close.tolist() == ask.prices.close.tolist()
    assert catalogue.candles(ASKED, "bid").ask is None
    assert catalogue.candles(ASKED).ask is not None
    with pytest.raises(DataError, match="no 1h mid candles of EURUSD"):
        catalogue.candles(ASKED, "mid")
