"""The data doctor on real candles: exactly what is known about them, nothing where they are clean, planted defects among real bars."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from sptrader_desktop.adapters.candle_files import load_candles
from sptrader_desktop.adapters.candle_findings import inspect_candles
from sptrader_desktop.present.data_findings import Inspection
from tests import data_defects
from tests.data_defects import PLANTERS, SECOND, Market, Random, inspect_market
from tests.test_data_doctor import SEEDS

# Rows, or spans of `hole`; what is not here must not be told of.
KNOWN = {
    "EURUSD_1h_2009-10-01_2018-07-05_fxcm_bid": {"weekend": 686, "hole": 10},
    "EURUSD_1h_2009-10-01_2018-07-05_fxcm_ask": {"weekend": 686, "hole": 10},
    "EURUSD_1h_2007-01-01_2018-12-31_oanda_bid": {"hole": 2},
    "EURUSD_1m_2018-01-01_2019-12-31_histdata_bid": {"weekend": 56},
    "USDJPY_1m_2018-01-01_2019-12-31_histdata_bid": {"weekend": 60},
    "GBPUSD_1m_2012-02-01_2012-03-01_fxcm_bid": {},
    "GBPUSD_1m_2012-02-01_2012-03-01_fxcm_ask": {},
    "USDJPY_1h_2012-11-16_2022-03-04_mt5_ejtrader": {},
    "XAUUSD_1h_2012-05-17_2022-03-04_mt5_ejtrader": {"hole": 1},
    "BTCUSD_1h_2017-05-23_2023-09-11_snowguru": {"hole": 387},
    "EURUSD_1s_2014-05-01_2014-05-15_oanda_ba": {},
}


@pytest.fixture(scope="module")
def inspected(reference: Path) -> dict[str, Inspection]:
    return {name: inspect_candles(reference / "data" / f"{name}.parquet") for name in KNOWN}


@pytest.mark.parametrize("name", KNOWN)
def test_of_real_candles_what_is_known_is_told_and_no_more(inspected: dict[str, Inspection], name: str) -> None:
    told = {finding.kind: finding.count for finding in inspected[name].findings if finding.severity != "note"}
    assert told == KNOWN[name]
    assert inspected[name].is_sound == (not told)


def test_the_known_holes_are_found_where_they_are(inspected: dict[str, Inspection]) -> None:
    oanda = inspected["EURUSD_1h_2007-01-01_2018-12-31_oanda_bid"].coverage.missing[0]
    assert datetime.fromtimestamp(oanda.start / 1e6, UTC) == datetime(2016, 12, 9, 22, tzinfo=UTC)
    assert (oanda.end - oanda.start) // 3_600_000_000 == 151
    assert len(inspected["EURUSD_1h_2009-10-01_2018-07-05_fxcm_bid"].coverage.missing) == 45


def test_a_known_day_off_is_no_hole(inspected: dict[str, Inspection]) -> None:
    """The 1,442 minutes about New Year 2019."""
    histdata = inspected["EURUSD_1m_2018-01-01_2019-12-31_histdata_bid"]
    new_year = int(datetime(2019, 1, 1, tzinfo=UTC).timestamp()) * SECOND
    assert [span for span in histdata.coverage.missing if span.start < new_year < span.end] == []
    (off,) = [finding for finding in histdata.findings if finding.kind == "holiday"]
    assert off.severity == "note"


def test_a_daily_break_is_told_once_and_not_as_two_thousand_gaps(inspected: dict[str, Inspection]) -> None:
    gold = inspected["XAUUSD_1h_2012-05-17_2022-03-04_mt5_ejtrader"]
    (habit,) = [finding for finding in gold.findings if finding.kind == "daily_break"]
    assert habit.rule.startswith("60 min after 17:00 in New York")
    assert len(gold.coverage.missing) < 300


@pytest.fixture(scope="module")
def real(reference: Path) -> Market:
    candles = load_candles(reference / "data" / "GBPUSD_1m_2012-02-01_2012-03-01_fxcm_bid.parquet")
    prices = {name: getattr(candles.prices, name) / 1e5 for name in ("open", "high", "low", "close")}
    return Market(candles.timestamp, prices, np.ones(len(candles)), candles.bar_us, "1m")


# The others need bars without volume, a second side or another timeframe.
AMONG_REAL = (
    "no_time nanoseconds unordered duplicate conflict missing_price infinite not_positive decimal_shift off_tick columns swapped range "
    "bad_volume weekend spike flat stale"
).split()


@pytest.mark.parametrize("kind", AMONG_REAL)
@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=SEEDS)
def test_a_defect_planted_among_real_minutes_is_found_and_nothing_else(
    real: Market, monkeypatch: pytest.MonkeyPatch, kind: str, seed: int
) -> None:
    def stretch(rng: Random, **_: bool) -> Market:
        start = int(rng.integers(0, len(real) - 15_000))
        return real.taken(np.arange(start, start + 15_000))

    with monkeypatch.context() as patched:
        patched.setattr(data_defects, "_any_market", stretch)
        planted = PLANTERS[kind](np.random.default_rng(seed))
    found = inspect_market(planted.market)
    told = [(finding.kind, finding.count) for finding in found.findings if finding.severity != "note"]
    assert told == [(planted.kind, planted.count)]
    assert found.findings[0].first[0].row == planted.first


# Vendor files, their clocks called UTC as a careless import would


def vendor_file(reference: Path, name: str, pattern: str, delimiter: str = ",", points: float = 1.0) -> Market:
    lines = (reference / "data" / "raw_fixtures" / name).read_text(encoding="utf-8").splitlines()
    cells = [line.split(delimiter) for line in lines if line[0].isdigit()]
    stamps = [int(datetime.strptime(row[0], pattern).replace(tzinfo=UTC).timestamp()) * SECOND for row in cells]
    names = ("open", "high", "low", "close", "", "ask_open", "ask_high", "ask_low", "ask_close")
    prices = {name: np.array([float(row[at + 1]) / points for row in cells]) for at, name in enumerate(names[: len(cells[0]) - 2]) if name}
    return Market(np.array(stamps, np.int64), prices, np.zeros(len(cells)), 0, "1m" if "_M1_" in name else "1h")


def test_a_metatrader_clock_is_recognised(reference: Path) -> None:
    found = inspect_market(vendor_file(reference, "mt5_GBPUSD_H1_points_EET.csv", "%Y-%m-%d %H:%M:%S", points=1e5))
    (zone,) = [finding for finding in found.findings if finding.severity != "note"]
    assert zone.kind == "time_zone"
    assert "Europe/Athens" in zone.rule


def test_a_clock_of_new_york_is_recognised_from_one_weekend(reference: Path) -> None:
    found = inspect_market(vendor_file(reference, "histdata_EURUSD_M1_201803_2days.csv", "%Y%m%d %H%M%S", ";"))
    assert [(finding.kind, finding.severity) for finding in found.findings] == [("time_zone", "doubtful"), ("gap", "note")]
    assert "the clock of America/New_York or" in found.findings[0].rule


def test_an_hour_that_comes_twice_is_recognised(reference: Path) -> None:
    found = inspect_market(vendor_file(reference, "histdata_EURUSD_M1_20191027_dst_repeated_hour.csv", "%Y%m%d %H%M%S", ";"))
    assert (found.findings[0].kind, found.findings[0].count, found.findings[0].first[0].row) == ("repeated_hour", 60, 267)
    assert found.worst == "refused"


def test_crossed_quotes_and_a_fixed_offset_are_recognised_together(reference: Path) -> None:
    found = inspect_market(vendor_file(reference, "lean_fxcm_EURUSD_H1_quote_UTC-5_clock_break_200909-10.csv", "%Y%m%d %H:%M"))
    assert [(finding.kind, finding.count) for finding in found.findings] == [("time_zone", 192), ("crossed", 15)]
    assert "the clock of -05:00," in found.findings[0].rule


def test_a_hole_of_a_week_is_found(reference: Path) -> None:
    found = inspect_market(vendor_file(reference, "lean_oanda_EURUSD_H1_quote_UTC_2016-12-09_2016-12-23_gap151h.csv", "%Y%m%d %H:%M"))
    assert [(finding.kind, finding.count) for finding in found.findings] == [("hole", 1)]
    assert [span.bars for span in found.coverage.missing] == [103]
