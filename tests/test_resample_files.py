"""`sptrader data resample` on files of candles and of ticks, whole and damaged."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sptrader_desktop import cli
from sptrader_desktop.adapters.candle_files import load_candles
from sptrader_desktop.adapters.catalogue_candles import CandleCatalogue
from sptrader_desktop.adapters.parquet_ticks import read_ticks
from sptrader_desktop.adapters.parquet_writer import parquet_bytes
from sptrader_desktop.compose_candles import recipe_candles
from sptrader_desktop.compose_data import resampled
from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.instruments import CATALOGUE
from sptrader_desktop.core.resample import resample
from sptrader_desktop.runtime.recipe import Recipe
from sptrader_desktop.runtime.sample import sample_candles
from sptrader_desktop.settings import load_settings
from tests.candle_builders import HOUR_US, long_bars, parquet

EURUSD = CATALOGUE["EURUSD"]
FIRST = datetime(2024, 1, 2, 10, tzinfo=UTC)
PAST_64_BITS = (2**64 + 1_704_153_600_000_384) // 1_000  # milliseconds that would come round to January 2024 as microseconds


def test_a_file_of_minutes_becomes_hours_and_days(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = parquet(tmp_path / "EURUSD_1m_x.parquet", long_bars(4_000))
    for timeframe in ("1h", "1d"):
        assert cli.run(["data", "resample", str(source), "--timeframe", timeframe, "--out", str(tmp_path)]) == 0
        (made,) = tmp_path.glob(f"EURUSD_{timeframe}_*_bid.parquet")
        torn = timeframe == "1d"  # its first day began hours before the file
        assert load_candles(made).prices.close.tolist() == resample(load_candles(source), timeframe).prices.close.tolist()[torn:]
    assert "66 bid bars of EURUSD 1h, 2024-01-02 17:00 to 2024-01-05 10:00 UTC" in capsys.readouterr().out
    assert cli.run(["data", "resample", str(source), "--timeframe", "1w", "--out", str(tmp_path)]) == 1
    assert cli.run(["data", "resample", str(source), "--timeframe", "30s", "--out", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert "no bar of 1w begins and is over in it: choose a shorter timeframe" in said
    assert "1m candles of EURUSD cannot be made into 30s" in said


@pytest.mark.parametrize("timeframe", ["15m", "4h", "1d", "1w"])
def test_a_file_that_begins_inside_a_bar_makes_no_bar_of_the_rest(tmp_path: Path, timeframe: str) -> None:
    """Of the whole file's bars those are made that begin in the part, and one in which the market was closed until then."""
    path, part = tmp_path / "EURUSD_1m_whole.parquet", tmp_path / "EURUSD_1m_part.parquet"
    minutes = sample_candles(EURUSD, "1m", datetime(2024, 3, 1, tzinfo=UTC), datetime(2024, 3, 20, tzinfo=UTC))
    path.write_bytes(parquet_bytes(minutes))
    whole = bars_of(resample(minutes, timeframe))
    week_opens = datetime(2024, 3, 3, 22, tzinfo=UTC)
    for later in (timedelta(), timedelta(minutes=1), timedelta(hours=31, minutes=7), timedelta(days=2)):
        begin = int((week_opens + later).timestamp()) * 1_000_000
        part.write_bytes(parquet_bytes(load_candles(path, start=week_opens + later)))
        from_then = [bar for bar in whole if bar[0] >= (begin if later else begin - 2 * HOUR_US)]
        assert bars_of(resampled(part, timeframe)) == from_then


@pytest.fixture(scope="module")
def weeks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, Path]]]:
    """Quarters of an hour over weekends and a change of clocks, and files of longer candles made of them; the catalogue has them too."""
    folder = tmp_path_factory.mktemp("weeks")
    quarters = sample_candles(EURUSD, "15m", datetime(2024, 2, 28, 3, 15, tzinfo=UTC), datetime(2024, 4, 10, 14, 30, tzinfo=UTC))
    (folder / "EURUSD_15m_x.parquet").write_bytes(parquet_bytes(quarters))
    catalogue = CandleCatalogue(load_settings().candles)
    catalogue.keep(quarters)
    for timeframe in LONG:
        (folder / f"EURUSD_{timeframe}_x.parquet").write_bytes(parquet_bytes(resampled(folder / "EURUSD_15m_x.parquet", timeframe)))
    yield folder / "EURUSD_15m_x.parquet", {timeframe: folder / f"EURUSD_{timeframe}_x.parquet" for timeframe in LONG}
    catalogue.remove("EURUSD", "15m", quarters.side)


LONG = ("1h", "4h", "1d", "1w")
HOURS = st.integers(0, 42 * 24).map(lambda hour: f"{datetime(2024, 2, 28, tzinfo=UTC) + timedelta(hours=hour):%Y-%m-%d %H:%M}")
RANGES = st.lists(HOURS | st.just(""), min_size=2, max_size=2).filter(lambda two: "" in two or two[0] < two[1]).map(tuple)


@settings(max_examples=40)
@given(timeframe=st.sampled_from(LONG), asked=RANGES, is_kept=st.booleans())
def test_a_run_on_longer_candles_is_asked_on_those_that_are_made_first(
    weeks: tuple[Path, dict[str, Path]], timeframe: str, asked: Sequence[str], is_kept: bool
) -> None:
    """Whatever the range, of a file and of a source; and all that lies in them, nothing else, settles what happened inside."""
    data: dict[str, Any] = {"source": "catalogue", "symbols": ("EURUSD",), "timeframe": "15m"} if is_kept else {"data": (str(weeks[0]),)}
    span: dict[str, Any] = {"start": asked[0], "end": asked[1]}
    theirs = candles_of_recipe(Recipe("", data=(str(weeks[1][timeframe]),), **span))
    ours = candles_of_recipe(Recipe("", resample=timeframe, **data, **span))
    if theirs is None or ours is None:
        assert theirs is ours
        return
    assert (ours[0].fingerprint, ours[0].asked, ours[0].is_synthetic) == (theirs[0].fingerprint, theirs[0].asked, True)
    inside = ours[1]["EURUSD"]
    assert np.array_equal(resample(inside, timeframe, unfinished=True).prices.close, ours[0].prices.close)
    assert inside.timestamp[0] >= ours[0].timestamp[0]


def candles_of_recipe(recipe: Recipe) -> tuple[Candles, dict[str, Candles]] | None:
    try:
        traded, _, finer = recipe_candles(recipe, load_settings())
    except DataError:  # there is no bar in that range
        return None
    return traded[0], finer


def bars_of(candles: Candles) -> list[tuple[int, ...]]:
    prices = candles.prices
    return list(zip(*(column.tolist() for column in (candles.timestamp, prices.open, prices.high, prices.low, prices.close)), strict=True))


def test_what_is_made_of_synthetic_candles_says_that_it_is(tmp_path: Path) -> None:
    assert cli.run(["data", "sample", "--years", "1", "--timeframe", "1h", "--out", str(tmp_path)]) == 0
    (sample,) = tmp_path.glob("*.parquet")
    mended = tmp_path / "EURUSD_1h_mended.parquet"
    assert cli.run(["data", "resample", str(sample), "--timeframe", "1d", "--out", str(tmp_path)]) == 0
    assert cli.run(["data", "repair", str(sample), "--out", str(mended)]) == 0
    (days,) = tmp_path.glob("EURUSD_1d_*_synthetic_bid.parquet")
    told = pq.read_metadata(sample).metadata
    for path in (days, mended):
        assert {name: pq.read_metadata(path).metadata[name] for name in (b"synthetic", b"description")}.items() <= told.items()


def test_ticks_of_the_reference_become_its_seconds(reference: Path, tmp_path: Path) -> None:
    ticks = reference / "data" / "EURUSD_tick_2014-05-01_2014-05-15_oanda.parquet"
    assert cli.run(["data", "resample", str(ticks), "--timeframe", "1s", "--out", str(tmp_path / "EURUSD_1s_made.parquet")]) == 0
    made = load_candles(tmp_path / "EURUSD_1s_made.parquet")
    theirs = load_candles(reference / "data" / "EURUSD_1s_2014-05-01_2014-05-15_oanda_ba.parquet")
    assert made.ask is not None
    assert theirs.ask is not None
    assert made.timestamp.tolist() == theirs.timestamp[: len(made)].tolist()
    assert made.ask.low.tolist() == theirs.ask.low[: len(made)].tolist()
    assert len(theirs) - len(made) == 1  # the last second is not over


def tick_table(**changed: Any) -> pa.Table:
    columns = {
        "timestamp": pa.array([FIRST, FIRST + timedelta(seconds=1)], pa.timestamp("ns", tz="UTC")),
        "bid": [1.1, 1.2],
        "ask": [1.1, 1.2],
    }
    return pa.table(columns | changed)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (tick_table(timestamp=pa.array([1, 2])), "holds int64: store timestamps with a time zone"),
        (tick_table(timestamp=pa.array([FIRST, None], pa.timestamp("us", tz="UTC"))), "1 of its timestamps are missing"),
        (tick_table(timestamp=pa.array([1, 2**60], pa.timestamp("us", tz="UTC"))), "row 2: its timestamp lies outside the years"),
        (tick_table(timestamp=pa.array([1, PAST_64_BITS], pa.timestamp("ms", tz="UTC"))), "no readable Parquet file"),
        (tick_table(bid=[1.1, float("nan")]), "row 2: bid is missing"),
        (tick_table(ask=[1.1, 1.100005]), "row 2: ask 1.100005 is not a multiple of the tick"),
        (tick_table(bid=["1", "x"]), "no readable Parquet file of timestamp, bid and ask"),
        (tick_table().drop_columns("ask"), "no readable Parquet file of timestamp, bid and ask"),
    ],
)
def test_ticks_that_cannot_be_believed_are_refused(tmp_path: Path, table: pa.Table, said: str) -> None:
    pq.write_table(table, tmp_path / "EURUSD_tick_x.parquet")
    with pytest.raises(DataError) as caught:
        read_ticks(tmp_path / "EURUSD_tick_x.parquet", EURUSD)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "EURUSD_tick_x.parquet").write_bytes(b"PAR1 and no more")
    for path in ("EURUSD_tick_x.parquet", "missing_tick.parquet"):
        with pytest.raises(DataError, match="no readable Parquet file"):
            read_ticks(tmp_path / path, EURUSD)
