"""`sptrader data inspect` as people and scripts meet it: text, JSON, exit codes; and no table, however wild, that it cannot read."""

import json
import warnings
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sptrader_desktop.adapters.candle_checks import TimeUnit
from sptrader_desktop.adapters.candle_files import load_candles
from sptrader_desktop.adapters.candle_findings import inspect_candles
from sptrader_desktop.adapters.candle_layout import PRICES
from sptrader_desktop.adapters.candle_repair import FIXES
from sptrader_desktop.adapters.parquet_repair import repair_candles
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.present.data_findings import KINDS
from sptrader_desktop.present.data_report import inspection_text, inspections_json, timeframe_text, verdict
from tests.candle_builders import Columns, at, bars, csv, parquet, refusal
from tests.command_line import SAMPLE, sptrader
from tests.data_defects import HOUR, NEW_YORK, NOT_A_TIME, PLANTERS, Market, clean_market, inspect_market
from tests.test_data_doctor import SEEDS

SPOILED = """\
{path}
Candles    EURUSD one side, stated 1h, seen 1h, 6 rows
Range      2024-01-02 17:00 to 2024-01-02 22:00 UTC
Coverage   83.33 %: 5 of 6 bars the market could have made
Missing    1 span, longest first
           2024-01-02 21:00 to 2024-01-02 22:00  1 bar
Unmoved    0 bars with high and low the same

refused    duplicate: 1 × rows that repeat a row
           rule: there may be none
           row 3  2024-01-02 18:00  O 1.1001 H 1.1004 L 1.0999 C 1.1002
           to do: drop them (--fix duplicate)

refused    missing_price: 1 × empty prices
           rule: there may be none
           row 5  2024-01-02 20:00  O 1.1003 H 1.1006 L 1.1001 C nan
           to do: drop the rows (--fix missing_price)

note       gap: 1 × short spans of market time without bars
           1 bar in all

Verdict    refused: no backtest takes it before this is settled: duplicate, missing_price

"""


def spoiled() -> Columns:
    columns = {name: [values[row] for row in (0, 1, 1, 2, 3, 5)] for name, values in bars(6).items()}
    columns["close"][4] = float("nan")
    return columns


def test_an_inspection_reads_like_this(tmp_path: Path) -> None:
    path = parquet(tmp_path / "EURUSD_1h.parquet", spoiled())
    said = sptrader("data", "inspect", path)
    assert (said.out, said.err, said.code) == (SPOILED.format(path=path), "", 1)


def test_csv_and_parquet_are_judged_alike(tmp_path: Path) -> None:
    one, other = (
        inspect_candles(csv(tmp_path / "EURUSD_1h.csv", spoiled())),
        inspect_candles(parquet(tmp_path / "EURUSD_1h.parquet", spoiled())),
    )
    assert inspection_text(replace(one, source="")) == inspection_text(replace(other, source=""))


def test_the_sample_is_sound_and_json_holds_everything(tmp_path: Path) -> None:
    bad = parquet(tmp_path / "EURUSD_1h.parquet", spoiled())
    said = sptrader("data", "inspect", SAMPLE, bad, "--json")
    sound, spoilt = json.loads(said.out)
    assert (said.code, sound["is_sound"], spoilt["is_sound"]) == (1, True, False)
    assert spoilt["coverage"] == {
        "expected": 6,
        "present": 5,
        "share": 5 / 6,
        "missing": [{"from": "2024-01-02T21:00:00Z", "to": "2024-01-02T22:00:00Z", "bars": 1}],
    }
    assert [finding["kind"] for finding in spoilt["findings"]] == ["duplicate", "missing_price", "gap"]
    assert spoilt["findings"][1]["first"] == [
        {"row": 5, "timestamp": "2024-01-02T20:00:00Z", "values": {"open": 1.1003, "high": 1.1006, "low": 1.1001, "close": "nan"}}
    ]
    assert sptrader("data", "inspect", SAMPLE).code == 0


def test_a_file_that_cannot_be_read_gets_the_loaders_sentence_and_the_others_are_still_seen(tmp_path: Path) -> None:
    torn = tmp_path / "EURUSD_1h_torn.parquet"
    torn.write_bytes(SAMPLE.read_bytes()[:5000])
    with pytest.raises(DataError) as caught:
        load_candles(torn)
    said = sptrader("data", "inspect", torn, SAMPLE)
    assert (said.code, said.err) == (1, f"sptrader: {caught.value}\n")
    assert "Verdict    sound" in said.out


def test_what_a_name_does_not_say_is_asked_for_or_seen(tmp_path: Path) -> None:
    path = parquet(tmp_path / "mine.parquet", bars(30))
    assert "'MINE' is not a known symbol" in sptrader("data", "inspect", path).err
    said = sptrader("data", "inspect", path, "--symbol", "EURUSD")
    assert "no timeframe stated, seen 1h, 30 rows" in said.out
    assert "stated 1h, seen 1h" in sptrader("data", "inspect", path, "--symbol", "EURUSD", "--timeframe", "1h").out
    assert "'soon' is not a timeframe" in sptrader("data", "inspect", path, "--symbol", "EURUSD", "--timeframe", "soon").err


def test_what_trades_every_day_has_no_weekend(tmp_path: Path) -> None:
    columns = bars(7 * 24)
    for name in ("open", "high", "low", "close"):
        columns[name] = [round(10_000 + 1_000 * value, 2) for value in columns[name]]
    assert inspect_candles(parquet(tmp_path / "BTCUSD_1h.parquet", columns)).findings == ()
    weekdays = [row for row, stamp in enumerate(columns["timestamp"]) if stamp.weekday() < 5]
    closed = inspect_candles(
        parquet(tmp_path / "BTCUSD_1h_weekdays.parquet", {name: [v[r] for r in weekdays] for name, v in columns.items()})
    )
    assert [(span.bars, finding.kind) for span, finding in zip(closed.coverage.missing, closed.findings, strict=True)] == [(48, "hole")]


def test_the_loader_refuses_what_is_called_refused_and_takes_the_rest(tmp_path: Path) -> None:
    """The two must not drift apart: each defect through both."""
    for kind, plant in PLANTERS.items():
        path = written(tmp_path / f"EURUSD_1h_{kind}.parquet", plant(np.random.default_rng(11)).market)
        stated = plant(np.random.default_rng(11)).market.stated
        worst = inspect_candles(path, timeframe=stated).worst
        try:
            load_candles(path, timeframe=stated)
        except DataError:
            assert worst == "refused", kind
            assert KINDS[kind].severity == "refused" or kind == "decimal_shift", kind
        else:
            assert worst == KINDS[kind].severity == "doubtful", kind


@pytest.mark.parametrize(("cells", "by", "worst"), [(["close"], 10, "refused"), (PRICES, 10, "doubtful"), (PRICES, 0.01, "refused")])
def test_a_moved_point_is_refused_where_the_loader_refuses_it(tmp_path: Path, cells: Sequence[str], by: float, worst: str) -> None:
    columns = bars(30)
    for name in cells:
        columns[name][7] *= by
    path = parquet(tmp_path / "EURUSD_1h.parquet", columns)
    found = inspect_candles(path)
    assert [(finding.kind, finding.severity) for finding in found.findings] == [("decimal_shift", worst)]
    assert verdict(found).startswith(worst)
    if worst == "refused":
        refusal(path)
        same = sptrader("data", "repair", path, "--out", tmp_path / "EURUSD_1h_same.parquet")
        assert same.code == 1
    else:
        load_candles(path)
    assert sptrader("data", "repair", path, "--out", tmp_path / "EURUSD_1h_mended.parquet", "--fix", "decimal_shift").code == 0
    assert load_candles(tmp_path / "EURUSD_1h_mended.parquet").fingerprint == load_candles(sound(tmp_path)).fingerprint


@settings(max_examples=60)
@given(seed=SEEDS)
def test_whatever_is_wrong_with_a_file_inspect_and_the_loader_agree_on_it(seed: int) -> None:
    """Also of what a repair has written, which is refused only when the inspection of it says so."""
    rng = np.random.default_rng(seed)
    columns: Columns = {name: np.array(values) for name, values in bars(30).items() if name != "timestamp"}
    if rng.random() < 0.5:
        columns |= {f"ask_{name}": np.round(columns[name] + 0.0002, 5) for name in PRICES}
    stamps = np.array([int(at(row).timestamp()) * 1_000_000 for row in range(30)])
    for _ in range(rng.integers(1, 4)):
        row, other = rng.integers(0, 30, 2)
        if rng.random() < 0.7:
            columns[rng.choice(list(columns))][row] *= rng.choice([np.nan, np.inf, -1, 0, 0.01, 0.1, 10, 1000, 1.000003, 1.001])
        else:
            stamps[row] = stamps[other] + HOUR // 4 * rng.integers(-3, 4)
    with TemporaryDirectory() as folder:
        path, mended = Path(folder, "EURUSD_1h.parquet"), Path(folder, "EURUSD_1h_mended.parquet")
        parquet(path, {"timestamp": stamps, **columns})
        assert loads(path) == (inspect_candles(path).worst != "refused")
        done = repair_candles(path, mended, fixes=FIXES if rng.random() < 0.5 else ())
        assert loads(mended) == (done.inspection.worst != "refused")


def loads(path: Path) -> bool:
    try:
        load_candles(path)
    except DataError:
        return False
    return True


def sound(folder: Path) -> Path:
    return parquet(folder / "EURUSD_1h_sound.parquet", bars(30))


@pytest.mark.parametrize(("symbol", "timeframe", "step"), [("EURUSD", "1w", 7), ("BTCUSD", "1d", 1), ("BTCUSD", "1w", 7)])
def test_a_day_or_week_that_loses_an_hour_in_spring_overlaps_nothing(tmp_path: Path, symbol: str, timeframe: str, step: int) -> None:
    columns = bars(150)
    columns["timestamp"] = [(datetime(2022, 1, 2, 17, tzinfo=NEW_YORK) + timedelta(days=step * row)).astimezone(UTC) for row in range(150)]
    for name in ("open", "high", "low", "close"):
        columns[name] = [round(100 * value, 2) for value in columns[name]]
    assert min(row - before for before, row in pairwise(columns["timestamp"])) == timedelta(days=step, hours=-1)
    path = parquet(tmp_path / f"{symbol}_{timeframe}.parquet", columns)
    assert len(load_candles(path)) == 150
    assert inspect_candles(path).worst is None
    columns["timestamp"][60] -= timedelta(hours=2)
    found = inspect_candles(parquet(tmp_path / f"{symbol}_{timeframe}_early.parquet", columns)).findings
    assert [(finding.kind, finding.first[0].row) for finding in found] == [("overlap", 61)]


def test_what_the_loader_refuses_for_its_name_or_for_being_no_tick_is_not_called_sound(tmp_path: Path) -> None:
    both = bars(12) | {f"ask_{name}": bars(12)[name] for name in ("open", "high", "low", "close")}
    mid = parquet(tmp_path / "EURUSD_1h_2024_mid.parquet", both)
    with pytest.raises(DataError, match="its side cannot be mid"):
        inspect_candles(mid)
    tiny = bars(12) | {name: [4e-8] * 12 for name in ("open", "high", "low", "close")}
    path = parquet(tmp_path / "EURUSD_1h.parquet", tiny)
    assert "not a multiple of the tick" in refusal(path)
    assert "off_tick" in {finding.kind for finding in inspect_candles(path).findings}


def written(path: Path, market: Market) -> Path:
    stamps = pa.array(market.stamps, mask=market.stamps == NOT_A_TIME).cast(pa.timestamp(market.unit, tz="UTC"))
    pq.write_table(pa.table({"timestamp": stamps, **market.prices, "volume": market.volume}), path)
    return path


@settings(max_examples=80)
@given(st.data())
def test_no_table_is_too_wild_to_be_inspected(data: st.DataObject) -> None:
    """Anything finite a file can hold is told of in text and in JSON, and a table with a bad row is never called sound."""
    count = data.draw(st.integers(0, 12))
    base = int(at(0).timestamp()) * 1_000_000
    stamp = st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(0, 60).map(lambda n: base + n * HOUR // 2))
    price = st.one_of(st.floats(), st.sampled_from([1.1, 1.10001, 11.0, 1.100015, 0.0]))

    def column() -> list[float]:
        return data.draw(st.lists(price, min_size=count, max_size=count))

    stamps = np.array(data.draw(st.lists(stamp, min_size=count, max_size=count)), np.int64)
    names = ["open", "high", "low", "close"]
    names += [f"ask_{name}" for name in names] if data.draw(st.booleans()) else []
    prices = {name: np.array(column(), float) for name in names}
    units: list[TimeUnit] = ["s", "ms", "us", "ns"]
    unit = data.draw(st.sampled_from(units))
    market = Market(stamps, prices, np.array(column(), float), HOUR, data.draw(st.sampled_from(["1h", "1s", "30m", "1w", ""])), unit)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = inspect_market(market)
    assert json.loads(inspections_json([found]))[0]["rows"] == count
    assert inspection_text(found).count("Verdict") == 1
    if any(not np.all(column > 0) or not np.isfinite(column).all() for column in prices.values()):
        assert found.worst == "refused"


def test_timeframes_are_written_as_people_write_them() -> None:
    assert [timeframe_text(seconds * 1_000_000) for seconds in (30, 900, 3600, 14_400, 86_400, 604_800, 5400)] == [
        "30s",
        "15m",
        "1h",
        "4h",
        "1d",
        "1w",
        "90m",
    ]


def test_an_inspection_changes_nothing(tmp_path: Path) -> None:
    path = written(tmp_path / "EURUSD_1h.parquet", clean_market(np.random.default_rng(1)))
    before = path.read_bytes()
    sptrader("data", "inspect", path)
    assert (path.read_bytes(), [each.name for each in tmp_path.iterdir()]) == (before, ["EURUSD_1h.parquet"])
