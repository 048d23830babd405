"""Whatever is doubtful about candles is refused in one sentence with file, row and next step."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from sptrader_desktop.adapters.candle_files import load_candles
from sptrader_desktop.core.candles import Candles, Int64Array
from sptrader_desktop.core.errors import DataError
from tests.candle_builders import Columns, assert_valid, at, bars, csv, long_bars, parquet, refusal

# Bad rows


def put(column: str, row: int, value: Any) -> Callable[[Columns], None]:
    def spoil(columns: Columns) -> None:
        columns[column][row - 1] = value

    return spoil


BAD_ROWS = {
    "nan": (put("close", 3, float("nan")), "row 3 (2024-01-02T19:00:00Z): close is missing: fill it in or remove the row"),
    "null": (put("open", 3, None), "row 3 (2024-01-02T19:00:00Z): open is missing: fill it in or remove the row"),
    "infinite": (put("high", 3, float("inf")), "row 3 (2024-01-02T19:00:00Z): high inf is too large for a price: mend or remove the row"),
    "enormous": (put("high", 3, 1e300), "row 3 (2024-01-02T19:00:00Z): high 1e+300 is too large for a price: mend or remove the row"),
    "zero": (put("low", 3, 0.0), "row 3 (2024-01-02T19:00:00Z): low 0.0 is not above zero: mend or remove the row"),
    "negative": (put("low", 3, -1.1), "row 3 (2024-01-02T19:00:00Z): low -1.1 is not above zero: mend or remove the row"),
    "high below low": (put("high", 3, 1.0999), "row 3 (2024-01-02T19:00:00Z): high 1.0999 is below low 1.1: mend or remove the row"),
    "high below close": (
        put("close", 3, 1.1006),
        "row 3 (2024-01-02T19:00:00Z): high 1.1005 is below close 1.1006: mend or remove the row",
    ),
    "low above open": (put("open", 3, 1.09), "row 3 (2024-01-02T19:00:00Z): low 1.1 is above open 1.09: mend or remove the row"),
    "off the lattice": (
        put("open", 3, 1.100015),
        "row 3 (2024-01-02T19:00:00Z): open 1.100015 is not a multiple of the tick 0.00001 of EURUSD: "
        "define a finer tick in an instruments file, or round the prices yourself",
    ),
    "repeated": (
        put("timestamp", 3, at(1)),
        "row 3 (2024-01-02T18:00:00Z): it repeats the timestamp of the row before: remove one of the two",
    ),
    "unordered": (
        put("timestamp", 3, at(0.5)),
        "row 3 (2024-01-02T17:30:00Z): it comes after 2024-01-02T18:00:00Z: sort the rows by timestamp",
    ),
    "overlapping": (
        put("timestamp", 3, at(1.5)),
        "row 3 (2024-01-02T18:30:00Z): it opens inside the 1h bar of 2024-01-02T18:00:00Z: "
        "remove one of the two, or give the true timeframe",
    ),
}


@pytest.mark.parametrize("case", BAD_ROWS)
def test_a_bad_row_is_named_with_its_time_value_and_next_step(tmp_path: Path, case: str) -> None:
    spoil, sentence = BAD_ROWS[case]
    columns = bars()
    spoil(columns)
    path = parquet(tmp_path / "EURUSD_1h.parquet", columns)
    assert refusal(path) == f"{path}: {sentence}"


@pytest.mark.parametrize("case", sorted(BAD_ROWS.keys() - {"infinite"}))
def test_a_bad_row_in_csv_gets_the_same_sentence(tmp_path: Path, case: str) -> None:
    spoil, sentence = BAD_ROWS[case]
    columns = bars()
    spoil(columns)
    cells = {name: ["" if value is None else value for value in values] for name, values in columns.items()}
    path = csv(tmp_path / "EURUSD_1h.csv", cells)
    assert refusal(path) == f"{path}: {sentence}"


def test_a_missing_stamp_is_named(tmp_path: Path) -> None:
    columns = bars()
    columns["timestamp"][3] = None
    path = parquet(tmp_path / "EURUSD_1h.parquet", columns)
    assert refusal(path) == f"{path}: row 4: the timestamp is missing: fill it in or remove the row"


def test_stamps_finer_than_a_microsecond_or_in_the_wrong_unit_are_refused(tmp_path: Path) -> None:
    columns = bars(2)
    fine = [int(stamp.timestamp()) * 10**9 + 7 for stamp in columns["timestamp"]]
    path = parquet(tmp_path / "EURUSD_1h.parquet", columns | {"timestamp": fine}, stamps=pa.timestamp("ns", tz="UTC"))
    assert "row 1 (2024-01-02T17:00:00Z): the timestamp has 7 nanoseconds: round it to whole microseconds" in refusal(path)
    milliseconds = [int(stamp.timestamp()) * 1_000 for stamp in columns["timestamp"]]
    path = parquet(tmp_path / "EURUSD_1h.parquet", columns | {"timestamp": milliseconds}, stamps=pa.timestamp("s", tz="UTC"))
    assert "lies outside the years 1900 to 2200: check its unit" in refusal(path)


def test_a_negative_or_missing_volume_is_refused(tmp_path: Path) -> None:
    for value, shown in ((-1.0, "-1.0"), (None, "nan"), (float("inf"), "inf")):
        path = parquet(tmp_path / "EURUSD_1h.parquet", bars() | {"volume": [1.0, 1.0, 1.0, value, 1.0]})
        assert f"row 4 (2024-01-02T20:00:00Z): volume {shown} is not a number of zero or more" in refusal(path)


def test_bad_ask_columns_are_refused_under_their_own_name(tmp_path: Path) -> None:
    columns = bars() | {f"ask_{name}": list(values) for name, values in bars().items() if name != "timestamp"}
    columns["ask_high"][1] = 1.0
    path = parquet(tmp_path / "EURUSD_1h.parquet", columns)
    assert "row 2 (2024-01-02T18:00:00Z): ask_high 1.0 is below ask_low 1.0999" in refusal(path)


LONG_ROWS = 140_000


DEFECTS: tuple[tuple[str, float, str], ...] = (
    ("close", float("nan"), "close is missing"),
    ("low", -1.0, "low -1.0 is not"),
    ("high", 0.5, "high 0.5 is below"),
    ("open", 1.1000004, "not a multiple"),
)


@pytest.mark.parametrize("row", [0, 1, 65_535, 65_536, 65_537, 131_071, 131_072, LONG_ROWS - 1])
def test_rows_are_counted_through_batches_and_row_groups(tmp_path: Path, row: int) -> None:
    columns = long_bars(LONG_ROWS)
    for name, value, words in DEFECTS:
        spoiled = columns | {name: columns[name].copy()}
        spoiled[name][row] = value
        spoiled["high"] = spoiled["high"].copy()
        if row + 1 < LONG_ROWS:
            spoiled["high"][row + 1 :] = np.nan  # a later fault must not hide the first
        path = parquet(tmp_path / "EURUSD_1m.parquet", spoiled, row_group_size=50_000)
        assert f": row {row + 1} (" in refusal(path)
        assert words in refusal(path)


@pytest.mark.parametrize("row", [1, 65_536, 131_072])
def test_order_is_checked_across_batches(tmp_path: Path, row: int) -> None:
    columns = long_bars(LONG_ROWS)
    stamps = columns["timestamp"].copy()
    stamps[row] = stamps[row - 1]
    path = parquet(tmp_path / "EURUSD_1m.parquet", columns | {"timestamp": stamps})
    assert f": row {row + 1} (" in refusal(path)
    assert "it repeats the timestamp of the row before" in refusal(path)


# Bad files


def test_missing_files_folders_and_other_formats_are_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "EURUSD_1h.parquet") == f"{tmp_path / 'EURUSD_1h.parquet'}: there is no such file: check the path"
    (tmp_path / "EURUSD_1h.csv").mkdir()
    assert "it is a folder: name a file in it" in refusal(tmp_path / "EURUSD_1h.csv")
    assert "it is a folder: name a file in it" in refusal(tmp_path)
    (tmp_path / "EURUSD_1h.xlsx").write_bytes(b"PK")
    assert "candles come in .parquet or .csv files" in refusal(tmp_path / "EURUSD_1h.xlsx")


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1PAR1", b"not parquet at all" * 9, b"PAR1" + b"\xff" * 64 + b"PAR1"])
def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "EURUSD_1h.parquet"
    path.write_bytes(content)
    assert f"{path}: this is not a readable Parquet file (" in refusal(path)
    assert refusal(path).endswith("): fetch or export it again")


def test_an_empty_table_is_refused(tmp_path: Path) -> None:
    empty = {name: np.array([], float) for name in ("open", "high", "low", "close")} | {"timestamp": np.array([], np.int64)}
    assert "it holds 0 rows: fetch or export it again" in refusal(parquet(tmp_path / "EURUSD_1h.parquet", empty))
    (tmp_path / "EURUSD_1h.csv").write_text("timestamp,open,high,low,close\n", encoding="utf-8")
    assert "it holds 0 rows: fetch or export it again" in refusal(tmp_path / "EURUSD_1h.csv")
    (tmp_path / "EURUSD_1h.csv").write_bytes(b"")
    assert "there is no timestamp column (it has no columns)" in refusal(tmp_path / "EURUSD_1h.csv")


def test_wrong_columns_are_refused_with_what_is_there(tmp_path: Path) -> None:
    columns = bars()
    path = tmp_path / "EURUSD_1h.parquet"
    without = {name: values for name, values in columns.items() if name not in ("low", "close")}
    assert "low, close missing (it has timestamp, open, high): candles need" in refusal(parquet(path, without))
    no_stamp = {name: values for name, values in columns.items() if name != "timestamp"}
    assert "there is no timestamp column (it has open, high, low, close)" in refusal(parquet(path, no_stamp))
    assert "ask_high, ask_low, ask_close missing" in refusal(parquet(path, columns | {"ask_open": columns["open"]}))
    assert "'open' and 'Open' have the same name" in refusal(parquet(path, columns | {"Open": columns["open"]}))
    ticks = {"timestamp": columns["timestamp"], "bid": columns["open"], "ask": columns["open"]}
    assert "these are ticks (bid and ask), not candles" in refusal(parquet(path, ticks))


def test_column_types_that_can_be_misread_are_refused(tmp_path: Path) -> None:
    path, columns = tmp_path / "EURUSD_1h.parquet", bars()
    naive = "the times in column 'timestamp' have no time zone: store them with one (in pandas: tz_localize)"
    assert naive in refusal(parquet(path, columns, stamps=pa.timestamp("ns")))
    epoch = columns | {"timestamp": [int(stamp.timestamp()) for stamp in columns["timestamp"]]}
    assert "column 'timestamp' holds int64, not times" in refusal(parquet(path, epoch, stamps=pa.int64()))
    text = columns | {"timestamp": [stamp.isoformat() for stamp in columns["timestamp"]]}
    assert "column 'timestamp' holds string, not times" in refusal(parquet(path, text, stamps=pa.string()))
    days = columns | {"timestamp": [stamp.date() for stamp in columns["timestamp"]]}
    assert "holds date32[day], not times" in refusal(parquet(path, days, stamps=pa.date32()))
    points = columns | {"open": [110_000] * 5}
    assert "column 'open' holds int64: divide points into prices as floats or decimals" in refusal(parquet(path, points))
    words = columns | {"open": ["1.1"] * 5}
    assert "column 'open' holds string: store prices as floats or decimals" in refusal(parquet(path, words))


CSV_HEAD = "timestamp,open,high,low,close\n2024-01-02T17:00:00Z,1.1,1.2,1.0,1.1\n"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("2024-01-02T18:00:00,1,1,1,1", "row 2: timestamp '2024-01-02T18:00:00' has no time zone: end it with Z or an offset"),
        ("1704218400,1,1,1,1", "row 2: timestamp '1704218400' is not a time"),
        ("2024-01-02T18:00:00.0000001Z,1,1,1,1", "row 2: timestamp '2024-01-02T18:00:00.0000001Z' is not a time"),
        ("2024-02-30T18:00:00Z,1,1,1,1", "row 2: timestamp '2024-02-30T18:00:00Z' does not exist"),
        ("2024-01-02T18:00:00Z,1,1,1", "row 2: it has 4 cells under 5 column names"),
        ("2024-01-02T18:00:00Z,1_0,1,1,1", "row 2: open '1_0' is not a number"),
        ('2024-01-02T18:00:00Z,"1,1",1,1,1', "row 2: open '1,1' is not a number: use digits and a decimal point"),
        ('2024-01-02T18:00:00Z,"1\x1b\n1",1,1,1', "row 2: open '1??1' is not a number"),
        ('2024-01-02T18:00:00Z,"1.1,1,1,1', "this is not a readable CSV file"),
        ("2024-01-02T18:00:00Z,1,inf,1,1", "row 2: high 'inf' is not a number: use digits and a decimal point"),
        ("2024-01-02T18:00:00Z,,1,1,1", "row 2 (2024-01-02T18:00:00Z): open is missing"),
    ],
)
def test_a_bad_line_of_csv_is_refused(tmp_path: Path, line: str, words: str) -> None:
    path = tmp_path / "EURUSD_1h.csv"
    path.write_text(CSV_HEAD + line + "\n", encoding="utf-8")
    assert f"{path}: {words}" in refusal(path)


def test_a_csv_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "EURUSD_1h.csv").write_bytes(CSV_HEAD.encode() + b"\xff\xfe\n")
    assert "this is not a readable CSV file" in refusal(tmp_path / "EURUSD_1h.csv")


@pytest.mark.parametrize("checksums", [True, False])
def test_no_damage_gets_past_as_anything_but_an_error_or_valid_candles(tmp_path: Path, checksums: bool) -> None:
    """A flipped price bit can be a price again; then the fingerprint tells. With checksums only headers are open to it."""
    whole = parquet(tmp_path / "EURUSD_1h_whole.parquet", bars(50), write_page_checksum=checksums, row_group_size=25)
    intact, content = load_candles(whole), whole.read_bytes()
    rng = random.Random(11)
    path = tmp_path / "EURUSD_1h_damaged.parquet"
    refused, changed = 0, 0
    for offset in [*range(0, len(content), 16), *range(len(content) - 200, len(content))]:
        damaged = bytearray(content)
        damaged[offset] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        candles = loaded_or_refused(path)
        if candles is None:
            refused += 1
            continue
        assert_valid(candles)
        is_same = all(
            mine.tolist() == theirs.tolist()
            for mine, theirs in ((candles.timestamp, intact.timestamp), *zip(four(candles), four(intact), strict=True))
        )
        assert is_same == (candles.fingerprint == intact.fingerprint)
        changed += not is_same
    assert refused > 50
    assert (changed > 0) is not checksums


def loaded_or_refused(path: Path) -> Candles | None:
    try:
        return load_candles(path)
    except DataError as error:
        if str(path) not in str(error):
            raise
        return None


def four(candles: Candles) -> tuple[Int64Array, ...]:
    prices = candles.prices
    return prices.open, prices.high, prices.low, prices.close


def test_a_file_cut_short_anywhere_is_refused(tmp_path: Path) -> None:
    content = parquet(tmp_path / "EURUSD_1h_whole.parquet", bars(50), row_group_size=25).read_bytes()
    path = tmp_path / "EURUSD_1h_cut.parquet"
    for length in [*range(0, len(content), 24), *range(len(content) - 40, len(content))]:
        path.write_bytes(content[:length])
        assert str(path) in refusal(path)
