"""Candles in: what loads, what it becomes, which names, sides and ranges there are."""

import importlib.util
import subprocess
import sys
import tracemalloc
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sptrader_desktop.adapters.candle_files import load_candles
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.instruments import CATALOGUE, Instrument
from sptrader_desktop.core.timeframes import parse_timeframe
from tests.candle_builders import FIRST, HOUR_US, Columns, assert_valid, at, bars, csv, long_bars, parquet, refusal

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "workspace" / "data" / "EURUSD_1h_2024-01-02_2024-05-31.parquet"


# What loads


def test_prices_become_whole_ticks_and_stamps_microseconds(tmp_path: Path) -> None:
    candles = load_candles(parquet(tmp_path / "EURUSD_1h_test.parquet", bars()))
    assert (candles.symbol, candles.timeframe, candles.bar_us, candles.side) == ("EURUSD", "1h", HOUR_US, "bid")
    assert candles.prices.open.tolist() == [110_000, 110_010, 110_020, 110_030, 110_040]
    assert candles.prices.high.tolist() == [110_030, 110_040, 110_050, 110_060, 110_070]
    assert candles.prices.low.tolist() == [109_980, 109_990, 110_000, 110_010, 110_020]
    assert candles.prices.close.tolist() == [110_010, 110_020, 110_030, 110_040, 110_050]
    assert candles.timestamp.tolist() == [int(FIRST.timestamp()) * 1_000_000 + row * HOUR_US for row in range(5)]
    assert (candles.ask, candles.volume) == (None, None)
    assert candles.source == str(tmp_path / "EURUSD_1h_test.parquet")


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "+05:30"])
def test_units_and_zones_of_stamps_make_no_difference(tmp_path: Path, unit: str, zone: str) -> None:
    plain = load_candles(parquet(tmp_path / "EURUSD_1h_a.parquet", bars()))
    other = load_candles(parquet(tmp_path / "EURUSD_1h_b.parquet", bars(), stamps=pa.timestamp(unit, tz=zone)))
    assert other.timestamp.tolist() == plain.timestamp.tolist()
    assert other.fingerprint == plain.fingerprint


def test_decimals_and_short_floats_hold_the_same_prices(tmp_path: Path) -> None:
    columns = bars()
    plain = load_candles(parquet(tmp_path / "EURUSD_1h_a.parquet", columns))
    prices = [name for name in columns if name != "timestamp"]
    exact = columns | {name: [Decimal(str(price)) for price in columns[name]] for name in prices}
    short = columns | {name: np.array(columns[name], np.float32) for name in prices}
    assert load_candles(parquet(tmp_path / "EURUSD_1h_b.parquet", exact)).fingerprint == plain.fingerprint
    assert load_candles(parquet(tmp_path / "EURUSD_1h_c.parquet", short)).fingerprint == plain.fingerprint


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_and_parquet_give_the_same_candles(tmp_path: Path, delimiter: str) -> None:
    columns = bars() | {"volume": [0, 1, 2, 3, 4]}
    from_parquet = load_candles(parquet(tmp_path / "EURUSD_1h_a.parquet", columns))
    from_csv = load_candles(csv(tmp_path / "EURUSD_1h_b.csv", columns, delimiter))
    assert from_csv.fingerprint == from_parquet.fingerprint
    assert from_csv.volume is not None
    assert from_csv.volume.tolist() == [0, 1, 2, 3, 4]


def test_csv_takes_headers_in_any_case_offsets_and_a_byte_order_mark(tmp_path: Path) -> None:
    text = "\ufeffTime,OPEN,High, low ,Close,spread\n2024-01-02 12:00-05:00,1.1,1.2,1.0,1.1,7\n\n2024-01-02T18:00:00.0Z,1.1,1.2,1.0,1.1,x\n"
    path = tmp_path / "EURUSD_1h.csv"
    path.write_text(text, encoding="utf-8")
    assert load_candles(path).timestamp.tolist() == [int(FIRST.timestamp()) * 1_000_000 + row * HOUR_US for row in range(2)]


def test_the_name_gives_the_side_and_the_caller_beats_the_name(tmp_path: Path) -> None:
    path = parquet(tmp_path / "eurusd_1h_2024_MID.parquet", bars())
    assert (load_candles(path).side, load_candles(path).symbol) == ("mid", "EURUSD")
    told = load_candles(path, symbol="GBPUSD", timeframe="30m", side="ask")
    assert (told.symbol, told.timeframe, told.bar_us, told.side) == ("GBPUSD", "30m", HOUR_US // 2, "ask")
    nameless = parquet(tmp_path / "export.parquet", bars())
    assert load_candles(nameless, symbol="EURUSD", timeframe="1h").side == "bid"


@pytest.mark.parametrize("prefix", ["", "bid_"])
def test_columns_of_both_sides_are_bid_candles_with_ask_prices(tmp_path: Path, prefix: str) -> None:
    bid, ask = bars(), bars(first=1.1001)
    columns = {"timestamp": bid.pop("timestamp")} | {prefix + name: values for name, values in bid.items()}
    columns |= {f"ask_{name}": values for name, values in ask.items() if name != "timestamp"}
    candles = load_candles(parquet(tmp_path / "EURUSD_1h_ba.parquet", columns))
    assert candles.side == "bid"
    assert candles.ask is not None
    assert (candles.ask.open - candles.prices.open).tolist() == [10] * 5
    assert "its side cannot be mid" in refusal(tmp_path / "EURUSD_1h_ba.parquet", side="mid")


def test_bid_columns_beat_plain_ones(tmp_path: Path) -> None:
    columns = bars(first=1.2) | {f"bid_{name}": values for name, values in bars().items() if name != "timestamp"}
    assert load_candles(parquet(tmp_path / "EURUSD_1h.parquet", columns)).prices.open[0] == 110_000


def test_the_instrument_says_what_a_tick_is(tmp_path: Path) -> None:
    index = Instrument("US30", "US30", "USD", Decimal("0.25"), Decimal(1), Decimal("0.1"), Decimal(1))
    columns = {"timestamp": [FIRST], "open": [38_000.25], "high": [38_001.0], "low": [38_000.0], "close": [38_000.5]}
    candles = load_candles(parquet(tmp_path / "US30_1h.parquet", columns), instruments=CATALOGUE | {"US30": index})
    assert [int(column[0]) for column in (candles.prices.open, candles.prices.high)] == [152_001, 152_004]


@given(
    st.sampled_from(sorted(CATALOGUE)),
    st.lists(st.tuples(*[st.integers(1, 3_000_000)] * 4, st.integers(1, 1_000)), min_size=1, max_size=40),
)
def test_every_price_on_the_lattice_comes_back_exactly(tmp_path_factory: pytest.TempPathFactory, symbol: str, rows: list[Any]) -> None:
    tick = CATALOGUE[symbol].tick
    ordered = [(a, max(a, b, c, d), min(a, b, c, d), d) for a, b, c, d, _ in rows]
    hours = np.cumsum(
        [1 if row == 1 else gap for row, (*_, gap) in enumerate(rows)]
    ).tolist()  # bars that never touch are of another timeframe
    columns: Columns = {"timestamp": [FIRST + timedelta(hours=int(hour)) for hour in hours]}
    for place, name in enumerate(("open", "high", "low", "close")):
        columns[name] = [float(row[place] * tick) for row in ordered]
    candles = load_candles(parquet(tmp_path_factory.getbasetemp() / f"{symbol}_1h.parquet", columns))
    prices = candles.prices
    assert list(zip(*(c.tolist() for c in (prices.open, prices.high, prices.low, prices.close)), strict=True)) == ordered


# The range


def test_a_range_takes_its_start_and_leaves_its_end(tmp_path: Path) -> None:
    path = parquet(tmp_path / "EURUSD_1h.parquet", bars(10))
    whole = load_candles(path)
    new_york = ZoneInfo("America/New_York")
    part = load_candles(path, start=(FIRST + timedelta(hours=2)).astimezone(new_york), end=FIRST + timedelta(hours=5))
    assert part.prices.open.tolist() == [110_020, 110_030, 110_040]
    assert part.fingerprint != whole.fingerprint
    assert load_candles(path, start=FIRST - timedelta(days=9), end=FIRST + timedelta(days=9)).fingerprint == whole.fingerprint


@pytest.mark.parametrize(
    ("start", "end"),
    [(FIRST + timedelta(hours=10), None), (None, FIRST), (FIRST + timedelta(minutes=1), FIRST + timedelta(minutes=59))],
)
def test_a_range_without_bars_is_refused_with_what_the_file_holds(tmp_path: Path, start: datetime | None, end: datetime | None) -> None:
    path = parquet(tmp_path / "EURUSD_1h.parquet", bars(10))
    assert f"{path}: no bar opens" in refusal(path, start=start, end=end)
    assert "it holds 2024-01-02T17:00:00Z to 2024-01-03T02:00:00Z" in refusal(path, start=start, end=end)


def test_a_naive_or_reversed_range_is_refused(tmp_path: Path) -> None:
    path = parquet(tmp_path / "EURUSD_1h.parquet", bars())
    assert "has no time zone: give it one" in refusal(path, start=FIRST.replace(tzinfo=None))
    assert "is empty: give a later end" in refusal(path, start=FIRST, end=FIRST)


def test_a_bad_row_outside_the_range_is_still_refused(tmp_path: Path) -> None:
    columns = bars(10)
    columns["low"][9] = 9.0
    path = parquet(tmp_path / "EURUSD_1h.parquet", columns)
    assert "row 10 " in refusal(path, end=FIRST + timedelta(hours=2))


# Names


def test_an_unknown_symbol_is_refused_with_the_nearest(tmp_path: Path) -> None:
    assert "'EURUDS' is not a known symbol: did you mean EURUSD? Else name the file" in refusal(
        parquet(tmp_path / "EURUDS_1h.parquet", bars())
    )
    path = parquet(tmp_path / "EURUSD_1h.parquet", bars())
    assert "'QQQQQQ' is not a known symbol: name the file" in refusal(path, symbol="QQQQQQ")


@pytest.mark.parametrize("name", ["EURUSD.parquet", "EURUSD_H1.parquet", "EURUSD_1M.parquet", "EURUSD_0h.parquet"])
def test_a_name_without_timeframe_is_refused(tmp_path: Path, name: str) -> None:
    assert "its name does not say the timeframe: name it" in refusal(parquet(tmp_path / name, bars()))
    assert load_candles(tmp_path / name, timeframe="1h").timeframe == "1h"


def test_timeframes_are_whole_numbers_of_a_fixed_unit() -> None:
    seconds = {"1s": 1, "30s": 30, "1m": 60, "90m": 5_400, "1h": 3_600, "12h": 43_200, "1d": 86_400, "1w": 604_800}
    assert {text: parse_timeframe(text) for text in seconds} == {text: length * 1_000_000 for text, length in seconds.items()}
    for text in ("", "h", "1", "0h", "01h", "-1h", "1.5h", "1H", "1M", "1mo", "1 h", "1h\n", "٣h", "1234567s"):
        with pytest.raises(DataError, match="is not a timeframe: write a whole number and s, m, h, d or w"):
            parse_timeframe(text)


# Bid and ask files


def pair(folder: Path, ask: Columns, bid: Columns | None = None) -> tuple[Path, Path]:
    return parquet(folder / "EURUSD_1h_bid.parquet", bid or bars()), parquet(folder / "EURUSD_1h_ask.parquet", ask)


def test_an_ask_file_gives_the_other_side(tmp_path: Path) -> None:
    bid, ask = pair(tmp_path, bars(first=1.1002))
    candles = load_candles(bid, ask=ask)
    assert candles.ask is not None
    assert (candles.ask.close - candles.prices.close).tolist() == [20] * 5
    assert candles.fingerprint != load_candles(bid).fingerprint
    part = load_candles(bid, ask=ask, start=FIRST + timedelta(hours=3))
    assert part.ask is not None
    assert part.ask.open.tolist() == [110_050, 110_060]


def test_single_crossed_bars_are_kept_and_swapped_files_refused(tmp_path: Path) -> None:
    crossed = bars()
    crossed["low"][2] = crossed["close"][2] = 1.0999
    bid, ask = pair(tmp_path, crossed)
    candles = load_candles(bid, ask=ask)
    assert candles.ask is not None
    assert candles.ask.close[2] < candles.prices.close[2]
    bid, ask = pair(tmp_path, bars(first=1.0999))
    assert "5 of 5 bars close below the bid of" in refusal(bid, ask=ask)
    assert "check that the two files are not swapped" in refusal(bid, ask=ask)


def test_ask_bars_that_are_not_the_bid_bars_are_refused_by_row(tmp_path: Path) -> None:
    shifted = bars(first=1.1002)
    shifted["timestamp"][4] += timedelta(hours=1)
    bid, ask = pair(tmp_path, shifted)
    tail = "both files need the same bars, remove those that only one has"
    assert refusal(bid, ask=ask) == f"{ask}: row 5 is 2024-01-02T22:00:00Z, but in {bid} row 5 is 2024-01-02T21:00:00Z: {tail}"
    bid, ask = pair(tmp_path, bars(4, first=1.1002))
    assert refusal(bid, ask=ask) == f"{ask}: there is no row 5, but in {bid} row 5 is 2024-01-02T21:00:00Z: {tail}"
    bid, ask = pair(tmp_path, bars(6, first=1.1002))
    late = FIRST + timedelta(hours=2)
    assert refusal(bid, ask=ask, start=late) == f"{ask}: row 6 is 2024-01-02T22:00:00Z, but in {bid} there is no row 6: {tail}"
    assert len(load_candles(bid, ask=ask, start=late, end=FIRST + timedelta(hours=5))) == 3


def test_ask_prices_join_only_bid_prices_of_the_same_bars(tmp_path: Path) -> None:
    bid, ask = pair(tmp_path, bars(first=1.1002))
    assert "its prices are mid: give a file of bid prices" in refusal(bid, ask=ask, side="mid")
    assert "its name says bid prices: give a file of ask prices" in refusal(bid, ask=bid)
    other = parquet(tmp_path / "GBPUSD_1h_ask.parquet", bars(first=1.1002))
    assert "its name says GBPUSD_1h, the bid file's EURUSD_1h" in refusal(bid, ask=other)
    both = parquet(
        tmp_path / "EURUSD_1h.parquet", bars() | {f"ask_{name}": values for name, values in bars().items() if name != "timestamp"}
    )
    assert "it carries ask columns itself" in refusal(both, ask=ask)


# The fingerprint


def test_the_fingerprint_hears_every_cell_the_side_and_the_symbol(tmp_path: Path) -> None:
    columns = bars() | {"volume": [1.0] * 5}
    path = parquet(tmp_path / "EURUSD_1h.parquet", columns)
    seen = {load_candles(path).fingerprint, load_candles(path, side="mid").fingerprint, load_candles(path, symbol="GBPUSD").fingerprint}
    seen |= {load_candles(path, timeframe="30m").fingerprint}
    changes = {"timestamp": at(4.5), "open": 1.10041, "high": 1.1008, "low": 1.1, "close": 1.10051, "volume": 2.0}
    for name, value in changes.items():
        seen.add(load_candles(parquet(path, columns | {name: [*columns[name][:4], value]})).fingerprint)
    assert len(seen) == 4 + len(changes)
    assert load_candles(parquet(path, columns)).fingerprint in seen


def test_the_peak_of_memory_is_little_more_than_the_candles(tmp_path: Path) -> None:
    path = parquet(tmp_path / "EURUSD_1m.parquet", long_bars(600_000))
    tracemalloc.start()
    candles = load_candles(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.4 * 5 * 8 * len(candles)


# The sample and the reference


def test_reading_candles_loads_neither_pandas_nor_arrow_compute() -> None:
    code = (
        "import sys; from pathlib import Path; from sptrader_desktop.adapters.candle_files import load_candles\n"
        "load_candles(Path(sys.argv[1]))\n"
        "print({'pandas', 'numba', 'pyarrow.compute', 'ruamel'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(SAMPLE)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("set()\n", "")


def test_the_sample_is_labelled_synthetic_and_lies_on_the_fx_week() -> None:
    metadata = pq.read_schema(SAMPLE).metadata
    assert metadata[b"synthetic"] == b"true"
    assert "**synthetic**" in (SAMPLE.parent / "README.md").read_text(encoding="utf-8")
    candles = load_candles(SAMPLE)
    assert_valid(candles)
    assert (len(candles), candles.side, candles.timeframe) == (2_614, "bid", "1h")
    new_york = [datetime.fromtimestamp(int(us) // 1_000_000, UTC).astimezone(ZoneInfo("America/New_York")) for us in candles.timestamp]
    weekly_opens = [at for at, step in zip(new_york[1:], np.diff(candles.timestamp), strict=True) if step > HOUR_US]
    assert {(at.weekday(), at.hour) for at in weekly_opens} == {(6, 17)}
    assert set(np.diff(candles.timestamp) // HOUR_US) <= {1, 48 + 1, 48, 48 + 2}
    assert len(weekly_opens) == 21


def test_the_sample_can_be_made_again(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("make_sample", ROOT / "packaging" / "make_sample.py")
    assert spec is not None
    assert spec.loader is not None
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    again = tmp_path / SAMPLE.name
    maker.write(again)
    assert load_candles(again).fingerprint == load_candles(SAMPLE).fingerprint
    if pq.read_metadata(again).created_by == pq.read_metadata(SAMPLE).created_by:
        assert again.read_bytes() == SAMPLE.read_bytes()


def test_every_candle_file_of_the_reference_loads(reference: Path) -> None:
    files = sorted((reference / "data").glob("*.parquet"))
    candles = [load_candles(path) for path in files if "_tick_" not in path.name]
    assert len(candles) == 12
    for each in candles:
        assert_valid(each)
        assert len(each) == pq.read_metadata(each.source).num_rows
    ticks = [path for path in files if "_tick_" in path.name]
    assert [refusal(path).endswith("its name says ticks, not candles: build candles from them first") for path in ticks] == [True]
    assert "these are ticks (bid and ask), not candles" in refusal(ticks[0], symbol="EURUSD", timeframe="1s")


def test_the_bid_and_ask_files_of_the_reference_join(reference: Path) -> None:
    crossed = {}
    for bid in sorted((reference / "data").glob("*_bid.parquet")):
        ask = bid.with_name(bid.name.replace("_bid", "_ask"))
        if ask.exists():
            candles = load_candles(bid, ask=ask)
            assert candles.ask is not None
            crossed[bid.name[:9] + bid.stem.split("_")[-2]] = int(np.count_nonzero(candles.ask.open < candles.prices.open))
    assert crossed == {"EURUSD_1hoanda": 0, "EURUSD_1hfxcm": 1_415, "GBPUSD_1mfxcm": 347}
