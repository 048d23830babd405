"""Synthetic candles: the same from the same seed, labelled as what they are, and with what makes a market's week."""

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow.parquet as pq
import pytest

from sptrader_desktop import cli
from sptrader_desktop.adapters.candle_files import load_candles
from sptrader_desktop.adapters.catalogue_candles import CandleCatalogue
from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.errors import Cancelled, DataError
from sptrader_desktop.core.instruments import CATALOGUE
from sptrader_desktop.core.resample import resample
from sptrader_desktop.ports import CandleRequest
from sptrader_desktop.runtime.sample import STARTS, sample_candles
from tests.candle_builders import HOUR_US, assert_valid
from tests.command_line import STRATEGY

START, END = datetime(2023, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")


@pytest.fixture(scope="module")
def hours() -> Candles:
    return sample_candles(CATALOGUE["EURUSD"], "1h", START, END)


def local(candles: Candles) -> list[datetime]:
    return [datetime.fromtimestamp(int(stamp) // 1_000_000, NEW_YORK) for stamp in candles.timestamp]


def test_every_hour_of_the_market_is_there_and_no_other(hours: Candles) -> None:
    assert_valid(hours)
    every = [START + timedelta(hours=hour) for hour in range(365 * 24)]
    walls = [at.astimezone(NEW_YORK) for at in every]
    expected = [
        at for at, wall in zip(every, walls, strict=True) if not (Counter({4: wall.hour >= 17, 5: 1, 6: wall.hour < 17})[wall.weekday()])
    ]
    assert hours.timestamp.tolist() == [int(at.timestamp()) * 1_000_000 for at in expected]


def test_weeks_open_with_a_gap_and_hours_inside_them_do_not(hours: Candles) -> None:
    jumps = np.abs(hours.prices.open[1:] - hours.prices.close[:-1])
    first_of_week = np.diff(hours.timestamp) > HOUR_US
    assert jumps[~first_of_week].max() == 0
    assert (jumps[first_of_week] > 0).mean() > 0.9
    assert 20 < jumps[first_of_week].mean() < 200


def test_london_and_new_york_are_busier_than_the_evening(hours: Candles) -> None:
    wall = np.array([at.hour for at in local(hours)])
    reach = (hours.prices.high - hours.prices.low).astype(np.float64)
    by_hour = [reach[wall == hour].mean() for hour in range(24)]
    assert min(by_hour[8:11]) > 2 * max(by_hour[17:19])
    assert hours.volume is not None
    assert hours.volume[wall == 9].mean() > 2 * hours.volume[wall == 17].mean()


def test_busy_hours_follow_busy_hours(hours: Candles) -> None:
    """Beyond what the time of day explains: a walk of even hours would show about 1 / sqrt(6,000)."""
    wall = np.array([at.hour for at in local(hours)])
    reach = np.log(hours.prices.high - hours.prices.low)
    even = reach - np.array([reach[wall == hour].mean() for hour in range(24)])[wall]
    near = [float(np.corrcoef(even[:-lag], even[lag:])[0, 1]) for lag in (1, 5, 10)]
    assert min(near) > 0.05
    shuffled = np.random.default_rng(1).permutation(even)
    assert abs(float(np.corrcoef(shuffled[:-1], shuffled[1:])[0, 1])) < 0.04


def test_the_same_seed_gives_the_same_and_another_another() -> None:
    def made(symbol: str = "EURUSD", seed: int = 1) -> Candles:
        return sample_candles(CATALOGUE[symbol], "1h", START, START + timedelta(days=14), seed)

    assert made().prices.close.tolist() == made().prices.close.tolist()
    assert made().prices.close.tolist() != made(seed=2).prices.close.tolist()
    moves = [np.diff(made(symbol).prices.close) for symbol in ("EURUSD", "GBPUSD", "USDJPY")]
    assert np.abs(np.corrcoef(moves) - np.eye(3)).max() < 0.2


def test_longer_bars_are_those_of_its_minutes() -> None:
    minutes, days = (sample_candles(CATALOGUE["USDJPY"], timeframe, START, START + timedelta(days=30)) for timeframe in ("1m", "1d"))
    again = resample(minutes, "1d")
    assert again.timestamp.tolist() == days.timestamp.tolist()
    assert again.prices.high.tolist() == days.prices.high.tolist()
    assert_valid(minutes)


@pytest.mark.parametrize("symbol", STARTS)
def test_each_symbol_stays_where_it_belongs(symbol: str) -> None:
    made = sample_candles(CATALOGUE[symbol], "4h", START, START + timedelta(days=60))
    middle = STARTS[symbol][0] * made.instrument.ticks_per_one
    assert_valid(made)
    assert 0.5 * middle < made.prices.low.min() < made.prices.high.max() < 2 * middle
    assert (np.diff(made.timestamp).max() == 4 * HOUR_US) == (symbol == "BTCUSD")


def test_what_cannot_be_made_is_refused_and_making_can_be_stopped() -> None:
    with pytest.raises(DataError, match="there are no synthetic candles of it: choose one of EURUSD"):
        sample_candles(CATALOGUE["USDCZK"], "1h", START, END)
    with pytest.raises(DataError, match="so not of 30s: choose 1m or longer"):
        sample_candles(CATALOGUE["EURUSD"], "30s", START, END)

    def stop(fraction: float) -> None:
        raise Cancelled(str(fraction))

    with pytest.raises(Cancelled):
        sample_candles(CATALOGUE["EURUSD"], "1h", START, END, report=stop)


def test_the_command_writes_a_labelled_file_and_never_over_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["data", "sample", "--years", "1", "--symbol", "gbpusd", "--timeframe", "4h", "--out"]
    assert cli.run([*asked, str(tmp_path)]) == 0
    assert cli.run([*asked, str(tmp_path)]) == 1
    assert cli.run([*asked, str(tmp_path / "mine.parquet"), "--seed", "5"]) == 0
    assert cli.run(["data", "sample", "--years", "0", "--out", str(tmp_path)]) == 1
    said = capsys.readouterr()
    assert "this is not market data" in said.out
    assert "this file is there already" in said.err
    assert "--years 0: give 1 to 50" in said.err
    named, mine = sorted(tmp_path.glob("*.parquet"))
    assert named.name == "GBPUSD_4h_2023-01-01_2023-12-31_synthetic_bid.parquet"
    for path, seed in ((named, b"seed 314"), (mine, b"seed 5")):
        label = pq.read_schema(path).metadata
        assert label[b"synthetic"] == b"true"
        assert seed in label[b"description"]
    assert load_candles(named).fingerprint != load_candles(mine, symbol="GBPUSD", timeframe="4h").fingerprint


def test_what_is_synthetic_is_said_to_be_in_the_catalogue_the_report_and_the_result(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also after it was resampled and kept; quotes are never mixed into it."""
    monkeypatch.setenv("SPTRADER_CANDLES", str(tmp_path / "catalogue"))
    made = tmp_path / "EURUSD_1h_made.parquet"
    assert cli.run(["data", "sample", "--years", "1", "--timeframe", "1h", "--out", str(made)]) == 0
    assert cli.run(["data", "resample", str(made), "--timeframe", "1d"]) == 0
    capsys.readouterr()
    assert cli.run(["data", "list"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("EURUSD     1d  bid ")
    assert line.endswith(" UTC, synthetic")
    asked = ["backtest", str(STRATEGY), "--source", "catalogue", "--symbol", "EURUSD", "--timeframe", "1d", "--no-store"]
    assert cli.run([*asked, "--json", str(tmp_path / "out.json")]) == 0
    assert "EURUSD 1d synthetic bid, " in capsys.readouterr().out
    assert json.loads((tmp_path / "out.json").read_text())["data_quality"][0]["synthetic"] is True
    store, held = CandleCatalogue(tmp_path / "catalogue"), load_candles(made)
    assert held.is_synthetic
    days = resample(held, "1d")
    with pytest.raises(DataError, match="holds synthetic candles as EURUSD 1d bid, and these are market data: keep them in a file"):
        store.keep(replace(days, is_synthetic=False))
    assert store.keep(days) == len(days)
    assert store.candles(CandleRequest("EURUSD", "1d")).is_synthetic
