"""Vendors' files become the candles they were written from, whatever their layout; what a file leaves open is asked."""

import os
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sptrader_desktop.adapters.candle_files import load_candles
from sptrader_desktop.adapters.csv_import import ImportAsked, Imported, import_csv
from sptrader_desktop.adapters.csv_import_layouts import is_header
from sptrader_desktop.adapters.csv_import_stamps import read_stamps
from sptrader_desktop.adapters.csv_import_table import read_table
from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.errors import DataError
from tests import vendor_files
from tests.vendor_files import AUTUMN, SPRING, Bar, Writer, market, written

EET, NEW_YORK, EST = ZoneInfo("Europe/Athens"), ZoneInfo("America/New_York"), timezone(timedelta(hours=-5))


def read(path: Path, **said: object) -> Imported:
    return import_csv(path, ImportAsked(**said))  # type: ignore[arg-type]


def refused(path: Path, **said: object) -> str:
    with pytest.raises(DataError) as caught:
        read(path, **said)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.startswith((f"{path}: ", "--zone"))
    return sentence.removeprefix(f"{path}: ")


def told(found: Imported, subject: str) -> str:
    return "; ".join(text for name, text in found.notes if name == subject)


def is_same(candles: Candles, bars: list[Bar]) -> bool:
    stamps = [int(bar.opens.timestamp()) * 1_000_000 for bar in bars]
    columns = [(bar.open, bar.high, bar.low, bar.close) for bar in bars]
    prices = candles.prices
    found = list(zip(prices.open.tolist(), prices.high.tolist(), prices.low.tolist(), prices.close.tolist(), strict=True))
    return candles.timestamp.tolist() == stamps and found == columns


# Layouts

VENDORS: dict[str, tuple[Writer, tzinfo, dict[str, object], str]] = {
    "metatrader 5": (vendor_files.metatrader_5, EET, {"zone": "EET"}, "metatrader"),
    "metatrader 4": (vendor_files.metatrader_4, UTC, {}, "metatrader"),
    "metatrader points": (vendor_files.metatrader_points, EET, {"zone": "EET"}, "metatrader"),
    "histdata, as it says": (vendor_files.histdata, EST, {}, "histdata"),
    "histdata, as it is": (vendor_files.histdata, NEW_YORK, {}, "histdata"),
    "dukascopy": (vendor_files.dukascopy, UTC, {}, "dukascopy"),
    "dukascopy, local": (vendor_files.dukascopy_local, ZoneInfo("Europe/Zurich"), {}, "dukascopy"),
    "oanda": (vendor_files.oanda, UTC, {}, "oanda"),
    "oanda, unix": (vendor_files.oanda_unix, UTC, {}, "plain"),
    "lean": (vendor_files.lean, EST, {}, "lean"),
    "decimal commas": (vendor_files.german, ZoneInfo("Europe/Berlin"), {}, "plain"),
    "am and pm": (vendor_files.american, NEW_YORK, {}, "plain"),
    "milliseconds": (vendor_files.milliseconds, UTC, {}, "plain"),
    "newest first": (vendor_files.newest_first, UTC, {}, "plain"),
    "undivided": (vendor_files.undivided, UTC, {}, "plain"),
}


@pytest.mark.parametrize("first", [SPRING, AUTUMN], ids=["spring", "autumn"])
@pytest.mark.parametrize("name", VENDORS)
def test_a_vendors_file_becomes_the_candles_it_was_written_from(tmp_path: Path, name: str, first: datetime) -> None:
    write, zone, said, layout = VENDORS[name]
    bars = market(first, weeks=6)
    found = read(written(tmp_path, write(bars, zone)), **said)
    assert is_same(found.candles, bars)
    assert told(found, "layout").startswith(f"{layout}: ")
    assert (found.candles.symbol, found.candles.timeframe) == ("EURUSD", "1h")
    if found.candles.volume is not None:
        assert found.candles.volume.tolist() == [bar.volume for bar in bars]


def test_both_sides_come_along_and_a_bar_that_is_not_complete_is_left_out(tmp_path: Path) -> None:
    found = read(written(tmp_path, vendor_files.oanda(market(SPRING), UTC)))
    assert found.candles.ask is not None
    assert (found.candles.ask.low - found.candles.prices.low).tolist() == [14] * len(found.candles)
    assert told(found, "left out").endswith("the bar was not complete")
    assert told(found, "unused") == "mid.o"
    assert read(written(tmp_path, vendor_files.oanda_unix(market(SPRING), UTC))).candles.side == "mid"


@given(
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1"]),
    line=st.sampled_from(["\n", "\r\n", "\r"]),
    end=st.sampled_from(["", "\n", "\n\n", "\x1a"]),
    head=st.sampled_from(["", "sep=,\n", "\n"]),
    quoted=st.booleans(),
    trailing=st.booleans(),
)
@settings(max_examples=30)
def test_encoding_line_ends_quotes_and_trailing_marks_change_nothing(
    tmp_path_factory: pytest.TempPathFactory, encoding: str, line: str, end: str, head: str, quoted: bool, trailing: bool
) -> None:
    bars = market(SPRING, weeks=1)
    text = (
        "Gmt time,Open,High,Low,Close,Volume,Währung\n"
        + vendor_files.dukascopy(bars, UTC).split("\n", 1)[1].strip().replace("\n", ",x\n")
        + ",x"
    )
    if quoted:
        text = "\n".join(",".join(f'"{cell}"' for cell in row.split(",")) for row in text.split("\n"))
    if trailing:
        text = text.replace("\n", ",\n") + ","
    path = written(tmp_path_factory.mktemp("written"), (head + text + end).replace("\n", line), encoding=encoding)
    assert is_same(read(path).candles, bars)


@given(seed=st.integers(0, 10**6), mark=st.sampled_from([".", ","]), thousands=st.sampled_from(["", " ", "'", "\u00a0", "other"]))
@settings(max_examples=40)
def test_decimal_and_thousands_marks_are_told_apart(tmp_path_factory: pytest.TempPathFactory, seed: int, mark: str, thousands: str) -> None:
    rng = np.random.default_rng(seed)
    between = ({".": ",", ",": "."}[mark]) if thousands == "other" else thousands
    ticks = rng.integers(100_000, 99_999_999, 30)
    rows = [f"{whole:,}".replace(",", between) + mark + f"{rest:02d}" for whole, rest in zip(ticks // 100, ticks % 100, strict=True)]
    lines = ["time;open;high;low;close", *(f"2024-01-02T{n:02d}:00:00Z;{r};{r};{r};{r}" for n, r in enumerate(rows[:24]))]
    found = read(written(tmp_path_factory.mktemp("written"), "\n".join(lines), "BTCUSD.csv"))
    assert found.candles.prices.open.tolist() == ticks[:24].tolist()


def test_names_of_columns_are_taken_as_people_write_them(tmp_path: Path) -> None:
    row = "2024-01-02T17:00:00Z,1.1,1.2,1.0,1.15,9\n2024-01-02T18:00:00Z,1.1,1.2,1.0,1.15,9"
    for names in (
        "time,O,H,L,C,Vol",
        "Date Time,Open Price,High Price,Low Price,Close Price,Tick Volume",
        "TIMESTAMP,Bid Open,Bid High,Bid Low,Bid Close,Volume",
        "<DATETIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>",
        "Open time,price_open,price_high,price_low,price_close,v",
        "Date,openBid,highBid,lowBid,closeBid,volume",
    ):
        found = read(written(tmp_path, f"{names}\n{row}")).candles
        assert (found.prices.close.tolist(), found.volume is not None) == ([115_000] * 2, True), names


# Real files


def test_histdata_minutes_are_on_new_york_time_whatever_their_vendor_says(reference: Path) -> None:
    path = reference / "data" / "raw_fixtures" / "histdata_EURUSD_M1_201803_2days.csv"
    found = read(path)
    assert told(found, "clock") == "America/New_York: the file says UTC-5, but 1 of 1 weekends fit America/New_York and 0 fit UTC-5"
    whole = load_candles(reference / "data" / "EURUSD_1m_2018-01-01_2019-12-31_histdata_bid.parquet")
    rows = np.searchsorted(whole.timestamp, found.candles.timestamp)
    assert whole.timestamp[rows].tolist() == found.candles.timestamp.tolist()
    for name in ("open", "high", "low", "close"):
        assert getattr(whole.prices, name)[rows].tolist() == getattr(found.candles.prices, name).tolist()
    assert "by the clock UTC-5 the week opens 1 h late around Sunday 2018-03-11, and only 0 of 1 weekends fit" in refused(
        path, zone="UTC-5"
    )
    assert len(read(path, zone="UTC-5", force=True).candles) == 4300


def test_a_vendor_whose_word_is_not_kept_is_not_believed_without_a_weekend(tmp_path: Path) -> None:
    summer, winter = (
        [bar for bar in market(first, weeks=1, minutes=15) if bar.opens.weekday() == 2]
        for first in (datetime(2024, 7, 7, 21, tzinfo=UTC), SPRING)
    )
    asked = refused(written(tmp_path, vendor_files.histdata(summer, NEW_YORK)))
    assert asked == (
        "its vendor says UTC-5, but other files of it are on America/New_York, and no weekend in this one settles it: "
        "say --zone UTC-5 or --zone America/New_York"
    )
    assert is_same(read(written(tmp_path, vendor_files.histdata(winter, NEW_YORK))).candles, winter)


def test_an_hour_that_is_missing_or_there_twice_is_told(reference: Path) -> None:
    folder = reference / "data" / "raw_fixtures"
    assert told(read(folder / "histdata_EURUSD_M1_20190329-0401_dst_gap.csv"), "holes").endswith(
        "the first of 60 min at 2019-03-31T23:00:00Z"
    )
    twice = folder / "histdata_EURUSD_M1_20191027_dst_repeated_hour.csv"
    for said, clock in (({}, "UTC-5"), ({"zone": "America/New_York"}, "America/New_York")):
        assert refused(twice, **said) == (
            f"line 267: 2019-10-27 19:00:00 comes after 2019-10-27 19:59:00, and {clock} is not put back then: "
            "sort the rows, or give their clock"
        )


def test_lean_files_are_on_the_clock_their_weekend_shows(reference: Path) -> None:
    """Held against the same vendors' candles, which somebody else converted."""
    raw = reference / "data" / "raw_fixtures"
    for path, clock, vendor in (
        (raw / "lean_oanda_EURUSD_H1_quote_UTC_2016-12-09_2016-12-23_gap151h.csv", "UTC", "2007-01-01_2018-12-31_oanda"),
        (raw / "lean_fxcm_EURUSD_H1_quote_UTC-5_clock_break_200909-10.csv", "UTC-5", "2009-10-01_2018-07-05_fxcm"),
    ):
        found = read(path)
        assert told(found, "clock") == f"{clock}; 1 of 1 weekends fit the market's hours"
        bid, ask = (reference / "data" / f"EURUSD_1h_{vendor}_{side}.parquet" for side in ("bid", "ask"))
        whole, candles = load_candles(bid, ask=ask), found.candles
        both, ours, theirs = np.intersect1d(candles.timestamp, whole.timestamp, return_indices=True)
        assert len(both) > 100
        assert candles.ask is not None
        assert whole.ask is not None
        assert candles.prices.close[ours].tolist() == whole.prices.close[theirs].tolist()
        assert candles.ask.open[ours].tolist() == whole.ask.open[theirs].tolist()


def test_points_on_a_brokers_clock_need_the_clock_and_nothing_else(reference: Path) -> None:
    path = reference / "data" / "raw_fixtures" / "mt5_GBPUSD_H1_points_EET.csv"
    assert refused(path).startswith("its weekends do not settle which clock it was written by; nearest are EET (1 of 4 weekends)")
    found = read(path, zone="EET")
    assert told(found, "prices") == "taken as bid, since nothing says otherwise, in points of 0.00001"
    assert int(found.candles.prices.open[0]) == 131_781
    # The broker closes on Friday with New York, whose clocks changed on 10 March; Europe's changed on the 31st.
    ends = [str(stamp.astype("M8[us]")) for stamp in found.candles.timestamp[:-1][np.diff(found.candles.timestamp) > 86_400_000_000]]
    assert [end[:16] for end in ends] == ["2019-03-08T21:00", "2019-03-15T20:00", "2019-03-22T20:00", "2019-03-29T20:00"]


def test_bars_stamped_with_their_close_are_seen_and_put_back_when_told(reference: Path, tmp_path: Path) -> None:
    text = (reference / "data" / "raw_fixtures" / "xcme_6EH4_1m_closestamped_head2000.csv").read_text()
    path = written(tmp_path, text)
    assert refused(path).startswith("its bars look stamped with their close: pauses begin and end at 3 full or half hours that way")
    closes, opens = (read(path, stamp=stamp).candles.timestamp for stamp in ("close", "open"))
    assert (opens - closes).tolist() == [60_000_000] * len(opens)
    assert str(closes[0].astype("M8[us]")) == "2024-01-01T23:00:00.000000"
    assert refused(written(tmp_path, vendor_files.metatrader_4(market(SPRING, 2, 15), UTC)), stamp="close").startswith(
        "its bars look stamped"
    )


def test_ticks_become_candles_of_both_sides(reference: Path) -> None:
    raw = reference / "data" / "raw_fixtures"
    path = raw / "histdata_EURUSD_T_20200101_ticks_bid_ask_EST.csv"
    assert refused(path) == "these are ticks: say which candles are to be built from them, such as --timeframe 1m"
    found = read(path, timeframe="1h").candles
    first = [line.split(",") for line in path.read_text().splitlines() if line.startswith("20200101 17")]
    assert found.ask is not None
    for side, prices in ((1, found.prices), (2, found.ask)):
        ticks = [round(float(row[side]) * 100_000) for row in first]
        assert (prices.open[0], prices.high[0], prices.low[0], prices.close[0]) == (ticks[0], max(ticks), min(ticks), ticks[-1])
    assert found.volume is not None
    assert found.volume[0] == len(first)
    crossed = read(raw / "lean_fxcm_EURUSD_tick_20140501_crossed_quotes_first20000.csv", timeframe="1m", zone="UTC")
    assert "1,530 of them with the ask below the bid" in told(crossed, "candles")
    assert "milliseconds since midnight of 2014-05-01" in told(crossed, "layout")


def test_truefx_ticks_say_their_symbol(tmp_path: Path) -> None:
    rows = [
        f"GBP/USD,20240102 17:{n // 60:02d}:{n % 60:02d}.{n % 1000:03d},1.{27_000 + n % 7:05d},1.{27_010 + n % 5:05d}" for n in range(400)
    ]
    found = read(written(tmp_path, "\n".join(rows), "export.csv"), timeframe="1m")
    assert (found.candles.symbol, told(found, "symbol"), len(found.candles)) == ("GBPUSD", "GBPUSD, as each row says", 6)
    assert told(found, "clock") == "UTC, as the file says; no weekend in the file confirms it"
    other = written(tmp_path, "\n".join([*rows, rows[-1].replace("GBP", "EUR")]), "export.csv")
    assert (
        refused(other, timeframe="1m") == "line 401: column 1 'EUR/USD' is another symbol than GBP/USD: split the file, one symbol in each"
    )


def test_a_tick_that_changes_one_side_leaves_the_other(tmp_path: Path) -> None:
    head = "<DATE>\t<TIME>\t<BID>\t<ASK>\t<LAST>\t<VOLUME>\t<FLAGS>\n"
    quotes = [("", "1.10010"), ("1.10000", ""), ("1.10005", ""), ("", "1.10020"), ("1.09990", "1.10030")]
    rows = [f"2024.01.02\t17:00:{n:02d}.000\t{bid}\t{ask}\t\t\t6" for n, (bid, ask) in enumerate(quotes)]
    path = written(tmp_path, head + "\n".join([*rows, "2024.01.02\t17:01:00.000\t1.1\t1.2\t\t\t6"]))
    found = read(path, timeframe="1m", zone="UTC")
    prices, ask = found.candles.prices, found.candles.ask
    assert ask is not None
    assert [int(column[0]) for column in (prices.open, prices.high, prices.low, prices.close)] == [110_000, 110_005, 109_990, 109_990]
    assert [int(column[0]) for column in (ask.open, ask.high, ask.low, ask.close)] == [110_010, 110_030, 110_010, 110_030]
    assert told(found, "left out") == "1 quotes at the beginning, until both sides are known"


def test_of_other_vendors_a_tick_with_one_side_is_damaged(tmp_path: Path) -> None:
    path = written(tmp_path, "time,bid,ask\n2024-01-02T10:00:00Z,1.1,1.2\n2024-01-02T10:00:01Z,,1.2\n2024-01-02T10:01:00Z,1.1,1.2\n")
    assert refused(path, timeframe="1m") == "line 3: bid is missing: fill it in or remove the row"


# What a file leaves open

HEAD = "time,open,high,low,close\n"
FOUR = "1.1,1.2,1.0,1.1"


def rows(*stamps: str, prices: str = FOUR) -> str:
    return HEAD + "\n".join(f"{stamp},{prices}" for stamp in stamps)


ASKED = {
    "day or month first": (
        rows("03/04/2024 10:00", "03/04/2024 11:00"),
        "may be day-first or month-first, and no date in the file settles it",
    ),
    "both orders": (rows("13/04/2024 10:00", "04/14/2024 11:00"), "is written the other way round than dates before it"),
    "a year of two digits": (rows("03/04/24 10:00"), "line 2: 'time' '03/04/24' has a year of two digits"),
    "no clock": (rows("2024-01-02 10:00", "2024-01-02 11:00"), "nothing in it says by which clock 2024-01-02 10:00:00 was written"),
    "one row": (rows("2024-01-02T10:00Z"), "one row does not show how long its bars are: say it, such as --timeframe 1h"),
    "months": (rows("2024-01-01T00:00Z", "2024-02-01T00:00Z"), "its rows are 2.6784e+06 s apart, which is no timeframe"),
    "three digits after every comma": (
        rows("2024-01-02T10:00Z", prices='"1,234","1,235","1,233","1,234"'),
        "say what the mark is with --decimal",
    ),
    "some zones": (
        rows("2024-01-02T10:00Z", "2024-01-02T11:00"),
        "line 3: 'time' '2024-01-02T11:00' has no zone, and the rows before have one",
    ),
    "no such day": (rows("2024-02-30T10:00Z"), "line 2: 'time' '2024-02-30T10:00Z' is no date between 1900 and 2200"),
    "the first year": (rows("0001-01-01 00:00", "0001-01-01 00:30"), "line 2: 'time' '0001-01-01 00:00' is no date between 1900 and 2200"),
    "the last year": (
        rows("9999-12-31 23:00Z", "9999-12-31 23:30Z"),
        "line 2: 'time' '9999-12-31 23:00Z' is no date between 1900 and 2200",
    ),
    "no such hour": (rows("2024-02-03T24:00Z"), "line 2: 'time' '2024-02-03T24:00Z' is no time of day"),
    "not a time": (rows("yesterday"), "line 2: 'time' 'yesterday' is not a date and time that is understood"),
    "not a number": (rows("2024-01-02T10:00Z", prices="1.1,1.2,x,1.1"), "line 2: 'low' 'x' is not a number with a decimal point"),
    "no price": (rows("2024-01-02T10:00Z", "2024-01-02T11:00Z", prices="1.1,1.2,,1.1"), "line 2 (2024-01-02T10:00:00Z): low is missing"),
    "off the lattice": (
        rows("2024-01-02T10:00Z", "2024-01-02T11:00Z", prices="1.1,1.2,1.0,1.100004"),
        "close 1.100004 is not a multiple",
    ),
    "cells": (rows("2024-01-02T10:00Z", "2024-01-02T11:00Z") + ",7\n", "line 3: it has 6 cells, the lines before have 5"),
    "words": ("a,b,c\n1,2,3\n", "line 1: 'a,b,c': no layout is known that begins like this: put a header above it"),
    "no columns": ("words\nand words\n", "line 1: 'words' gives fewer than 3 columns, split at tabs, semicolons or commas"),
    "two columns": ("day;price\n2024-01-02;1\n", "line 1: 'day;price' gives fewer than 3 columns, split at tabs, semicolons or commas"),
    "nothing": ("\n\n", "it is empty"),
    "only a header": (HEAD, "it holds no rows"),
    "unordered": (
        rows("2024-01-02T10:00Z", "2024-01-02T12:00Z", "2024-01-02T11:00Z"),
        "line 4: 2024-01-02 11:00:00 comes after 2024-01-02 12:00:00",
    ),
    "twice": (
        rows("2024-01-02T10:00Z", "2024-01-02T11:00Z", "2024-01-02T11:00Z"),
        "line 4 (2024-01-02T11:00:00Z): it repeats the timestamp",
    ),
    "bytes": ("time,open\0,high,low,close\n", "it holds bytes that are no text"),
}


@pytest.mark.parametrize("case", ASKED)
def test_what_cannot_be_settled_is_refused_with_line_column_value_and_what_to_do(tmp_path: Path, case: str) -> None:
    text, words = ASKED[case]
    assert words in refused(written(tmp_path, text))


def test_what_is_asked_for_can_be_said(tmp_path: Path) -> None:
    doubtful = written(tmp_path, rows("03/04/2024 10:00", "03/04/2024 11:00"))
    april, march = (read(doubtful, dates=order, zone="UTC").candles.timestamp[0] for order in ("day-first", "month-first"))
    assert [str(stamp.astype("M8[us]").astype("M8[D]")) for stamp in (april, march)] == ["2024-04-03", "2024-03-04"]
    commas = written(tmp_path, rows("2024-01-02T10:00Z", "2024-01-02T11:00Z", prices='"1,234","1,235","1,233","1,234"'))
    assert read(commas, decimal=",").candles.prices.open.tolist() == [123_400] * 2
    assert read(commas, decimal=".", points=False, symbol="BTCUSD").candles.prices.open.tolist() == [123_400] * 2
    gold = written(tmp_path, rows("2024-01-02T10:00Z", "2024-01-02T11:00Z", prices="2000,2001,1999,2000"), "XAUUSD.csv")
    assert refused(gold) == "prices like 2000 may be prices or points of 0.01: say --points yes or --points no"
    assert [int(read(gold, points=points).candles.prices.open[0]) for points in (True, False)] == [2_000, 200_000]
    four_digits = written(tmp_path, rows("2024-01-02T10:00Z", "2024-01-02T11:00Z", prices="13100,13110,13090,13100"))
    assert "prices like 13100 may be prices or points of 0.00001" in refused(four_digits)
    nameless = written(tmp_path, rows("2024-01-02T10:00Z", "2024-01-02T11:00Z"), "export.csv")
    assert refused(nameless).startswith("no known symbol is in its name, and its rows name none: say which it is")
    assert read(nameless, symbol="GBPUSD", side="ask").candles.side == "ask"
    day = written(tmp_path, "1000,1.1,1.2\n2000,1.1,1.2\n61000,1.1,1.2\n")
    assert "say it, such as --day 2014-05-01" in refused(day, timeframe="1m")
    assert len(read(day, timeframe="1m", zone="UTC", day="2014-05-01").candles) == 1


def test_two_columns_that_could_both_be_one_are_named(tmp_path: Path) -> None:
    text = "time,open,Open Price,high,low,close\n2024-01-02T10:00Z,1,1,1,1,1\n"
    assert refused(written(tmp_path, text)) == "the columns 'open' and 'Open Price' could both be 'open': rename or remove one of them"


def test_stamps_are_read_to_the_microsecond(tmp_path: Path) -> None:
    second = int(datetime(2024, 1, 2, 17, 0, 5, tzinfo=UTC).timestamp()) * 1_000_000
    for text, fraction in (
        ("2024-01-02T17:00:05.25Z", 250_000),
        ("20240102 170005123", 123_000),
        ("02.01.2024 17:00:05.000007", 7),
        ("2024/1/2 5:00:05,5 pm", 500_000),
        ("1704214805.000250000", 250),
        ("1704214805123", 123_000),
        ("1704214805000009", 9),
    ):
        table = read_table(written(tmp_path, f'time;bid;ask\n"{text}";1.1;1.2\n'), is_header)
        assert read_stamps(table, [0], "day-first").wall.tolist() == [second + fraction], text


# Clocks


@given(
    hours=st.lists(st.integers(0, 24 * 400), min_size=2, max_size=60, unique=True),
    zone=st.sampled_from(["EET", "America/New_York", "UTC+2"]),
)
@settings(max_examples=25)
def test_wall_times_come_back_as_the_instants_they_were(tmp_path_factory: pytest.TempPathFactory, hours: list[int], zone: str) -> None:
    """Python's own zones say what the wall showed; hours that it shows twice or never are left to the tests below."""
    city = {"EET": EET, "America/New_York": NEW_YORK, "UTC+2": timezone(timedelta(hours=2))}[zone]
    instants = [datetime(2023, 1, 1, tzinfo=UTC) + timedelta(hours=hour) for hour in sorted({*hours, min(hours) + 1})]
    walls = [at.astimezone(city) for at in instants]
    kept = [
        (at, wall) for at, wall in zip(instants, walls, strict=True) if wall.replace(fold=0).utcoffset() == wall.replace(fold=1).utcoffset()
    ]
    path = written(tmp_path_factory.mktemp("written"), rows(*(f"{wall:%Y-%m-%d %H:%M}" for _, wall in kept)), "BTCUSD.csv")
    found = read(path, zone=zone, timeframe="1h", points=False, stamp="open").candles
    assert found.timestamp.tolist() == [int(at.timestamp()) * 1_000_000 for at, _ in kept]


def test_an_hour_shown_twice_is_settled_by_the_order_of_the_rows_or_refused(tmp_path: Path) -> None:
    walls = ["2024-10-27 02:00", "2024-10-27 03:00", "2024-10-27 03:00", "2024-10-27 04:00"]
    halves = ["2024-10-27 03:00", "2024-10-27 03:30", "2024-10-27 03:00", "2024-10-27 03:30"]
    found = read(written(tmp_path, rows(*halves), "BTCUSD.csv"), zone="EET", timeframe="30m").candles
    assert np.diff(found.timestamp).tolist() == [1_800_000_000] * 3
    once = refused(written(tmp_path, rows(walls[0], walls[1], walls[3]), "BTCUSD.csv"), zone="EET", timeframe="1h")
    assert once == (
        "line 3: 2024-10-27 03:00:00 is shown twice by EET, where clocks are put back then, and the rows do not say which time is meant: "
        "give the file in UTC, or without this hour"
    )
    never = refused(written(tmp_path, rows("2024-03-31 02:00", "2024-03-31 03:00"), "BTCUSD.csv"), zone="EET", timeframe="1h")
    assert never == "line 3: 2024-03-31 03:00:00 does not exist by EET, where clocks are put forward then: this file is of another clock"


def test_a_clock_that_the_market_refutes_is_refused_unless_forced(tmp_path: Path) -> None:
    bars = market(SPRING, weeks=6)
    path = written(tmp_path, vendor_files.metatrader_4(bars, NEW_YORK))
    sentence = refused(path, zone="EET")
    assert sentence.startswith(
        "by the clock EET the week closes 7 h early and opens 7 h early around Sunday 2024-03-03, and only 0 of 6 weekends"
    )
    assert sentence.endswith("7 of 7 weekends fit --zone America/New_York; --force takes it as it is")
    assert len(read(path, zone="EET", force=True).candles) == len(bars)
    assert is_same(read(path).candles, bars)
    seven = market(SPRING, weeks=6)
    ahead = [Bar(bar.opens, bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in seven]
    text = "".join(
        f"{(bar.opens.astimezone(NEW_YORK).replace(tzinfo=None) + timedelta(hours=7)):%Y.%m.%d,%H:%M},1.1,1.2,1.0,1.1,1\n" for bar in ahead
    )
    assert told(read(written(tmp_path, text)), "clock") == "America/New_York+7; 7 of 7 weekends fit the market's hours"
    late = "".join(f"{bar.opens + timedelta(hours=1):%Y.%m.%d,%H:%M},1.1,1.2,1.0,1.1,1\n" for bar in seven)
    assert "if bars are stamped with their close say --stamp close" in refused(written(tmp_path, late), zone="UTC")


@pytest.mark.parametrize("zone", ["Atlantis", "UTC+20", "../../etc/passwd", "+", "UTC+2:99"])
def test_a_zone_that_does_not_exist_is_refused(tmp_path: Path, zone: str) -> None:
    assert refused(written(tmp_path, rows("2024-01-02 10:00", "2024-01-02 11:00")), zone=zone).startswith(f"--zone {zone}: ")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_what_would_never_end_is_not_begun(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "EURUSD_pipe.csv")
    (tmp_path / "EURUSD_folder.csv").mkdir()
    for name in ("EURUSD_pipe.csv", "EURUSD_folder.csv"):
        assert refused(tmp_path / name) == "it is no file but a folder, a pipe or a device: give the file itself"
