"""The preview of an import: what a person sees of a file before it is kept, and how each answer changes it."""

from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sptrader_desktop.adapters import csv_import_layouts
from sptrader_desktop.compose_data import preview_import
from sptrader_desktop.core.errors import Cancelled
from sptrader_desktop.present.import_form import ROLES, ImportAnswers, ImportPreview, refusal_of
from tests.vendor_files import SPRING, german, market, metatrader_5, price, written

EET = ZoneInfo("Europe/Athens")
BARS = market(SPRING, weeks=4)
UTC = ZoneInfo("UTC")


def seen(path: Path, columns: dict[str, int] | None = None, **values: str) -> ImportPreview:
    return preview_import(path, ImportAnswers(values, columns or {}), lambda _: None)


def same_bars(preview: ImportPreview) -> bool:
    """As the market was written, whatever the file."""
    candles = preview.candles
    stamps = [int(bar.opens.timestamp()) * 1_000_000 for bar in BARS]
    return candles is not None and candles.timestamp.tolist() == stamps and candles.prices.close.tolist() == [bar.close for bar in BARS]


def test_a_known_file_is_shown_as_text_as_columns_and_as_candles(tmp_path: Path) -> None:
    found = seen(written(tmp_path, metatrader_5(BARS, EET)))
    assert found.refusal is None
    assert found.lines[0][1].startswith("<DATE>  →  <TIME>")
    assert dict(zip(found.names, found.roles, strict=True))["<CLOSE>"] == "close"
    assert found.cells[0][2] == price(BARS[0].open)
    assert found.head == ("Open time UTC", "Open", "High", "Low", "Close", "Volume")
    assert found.rows[0] == ("2024-02-25 22:00", *map(price, (BARS[0].open, BARS[0].high, BARS[0].low, BARS[0].close)), f"{BARS[0].volume}")
    assert dict(found.notes)["clock"].startswith("EET")
    assert same_bars(found)


def test_what_is_asked_names_its_question_and_the_answer_settles_it(tmp_path: Path) -> None:
    short = written(tmp_path, metatrader_5(BARS[30:50], EET), "export.csv")
    asked = seen(short)
    assert asked.refusal is not None
    assert asked.refusal.key == "symbol"
    asked = seen(short, symbol="EURUSD")
    assert asked.refusal is not None
    assert asked.refusal.key == "zone"
    assert "--" not in asked.refusal.sentence
    assert str(short) not in asked.refusal.sentence
    told = seen(short, symbol="EURUSD", zone="EET")
    assert told.refusal is None
    assert told.candles.timestamp.tolist() == [int(bar.opens.timestamp()) * 1_000_000 for bar in BARS[30:50]]


def test_a_refused_row_is_shown_with_the_lines_around_it(tmp_path: Path) -> None:
    lines = metatrader_5(BARS, EET).splitlines()
    lines[300] = lines[300].replace("\t1.", "\t-1.", 1)
    found = seen(written(tmp_path, "\n".join(lines)))
    assert found.refusal is not None
    assert found.refusal.line == 301
    numbers = [number for number, _ in found.lines]
    assert 301 in numbers
    assert dict(found.lines)[301] == lines[300].replace("\t", "  →  ")
    assert found.candles is None


STRANGE = "Wann;Erster;Hoch;Tief;Letzter;Stücke\n"


def test_an_unknown_table_is_mapped_by_hand(tmp_path: Path) -> None:
    text = STRANGE + "\n".join(";".join(row) for row in strange_rows()) + "\n"
    path = written(tmp_path, text)
    unknown = seen(path)
    assert unknown.refusal is not None
    assert unknown.refusal.key == "columns"
    assert unknown.names == ("Wann", "Erster", "Hoch", "Tief", "Letzter", "Stücke")
    roles = {"stamp": 0, "open": 1, "high": 2, "low": 3, "close": 4, "volume": 5}
    partly = seen(path, {role: at for role, at in roles.items() if role != "low"})
    assert partly.refusal is not None
    assert "hold the low" in partly.refusal.sentence
    assert same_bars(seen(path, roles, zone="UTC"))


def test_words_of_an_old_encoding_are_shown_as_they_are_read(tmp_path: Path) -> None:
    path = tmp_path / "alt.csv"
    path.write_bytes((STRANGE + "\n".join(";".join(row) for row in strange_rows()) + "\n").encode("latin-1"))
    found = seen(path)
    assert found.names[-1] == "Stücke"
    assert found.lines[0][1].endswith("Stücke")


def strange_rows() -> list[tuple[str, ...]]:
    return [
        (f"{bar.opens:%Y-%m-%d %H:%M}", *(price(value) for value in (bar.open, bar.high, bar.low, bar.close)), f"{bar.volume}")
        for bar in BARS
    ]


def test_a_table_without_names_is_mapped_by_hand_too_and_its_first_row_counts(tmp_path: Path) -> None:
    rows = [(row[4], row[0], *row[1:4], "x") for row in strange_rows()]
    path = written(tmp_path, "\n".join(";".join(row) for row in rows) + "\n")
    assert seen(path).refusal is not None
    assert same_bars(seen(path, {"close": 0, "stamp": 1, "open": 2, "high": 3, "low": 4}, zone="UTC"))


@pytest.mark.parametrize("with_zone", [True, False])
def test_a_parquet_table_of_any_columns_is_understood_like_text(tmp_path: Path, with_zone: bool) -> None:
    opens = pa.array([bar.opens for bar in BARS], pa.timestamp("us", tz="UTC"))
    columns = {name: [getattr(bar, name) / 100_000 for bar in BARS] for name in ("open", "high", "low", "close")}
    stamps = opens if with_zone else opens.cast(pa.timestamp("us"))
    path = tmp_path / "EURUSD other.parquet"
    pq.write_table(pa.table({"Date and time": stamps, **columns}), path)
    found = seen(path)
    assert found.refusal is None
    assert same_bars(found), "with a zone by its stamps, without one by the market's weekends"


def test_a_candle_file_is_taken_as_it_is_and_stays_synthetic(tmp_path: Path) -> None:
    columns = {name: [getattr(bar, name) / 100_000 for bar in BARS] for name in ("open", "high", "low", "close")}
    table = pa.table({"timestamp": pa.array([bar.opens for bar in BARS], pa.timestamp("us", tz="UTC")), **columns})
    path = tmp_path / "EURUSD_1h_x.parquet"
    pq.write_table(table.replace_schema_metadata({"synthetic": "true"}), path)
    found = seen(path)
    assert same_bars(found)
    assert found.candles.is_synthetic
    assert "no market data" in dict(found.notes)["label"]
    by_hand = seen(path, {"stamp": 0, "open": 1, "high": 2, "low": 3, "close": 4})
    assert same_bars(by_hand)
    assert by_hand.candles.is_synthetic


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02", b"a", b"PAR1 no", "„nur Text“\nund noch einer\n".encode()])
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_what_is_no_table_is_refused_in_one_sentence(tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"EURUSD{suffix}"
    path.write_bytes(content)
    found = seen(path)
    assert found.refusal is not None
    assert found.candles is None
    assert "\n" not in found.refusal.sentence
    assert seen(tmp_path / f"missing{suffix}").refusal is not None


def test_it_can_be_stopped_on_the_way(tmp_path: Path) -> None:
    path = written(tmp_path, metatrader_5(BARS, EET))
    heard: list[float] = []

    def stop(fraction: float) -> None:
        heard.append(fraction)
        if len(heard) == 3:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        preview_import(path, ImportAnswers(), stop)
    assert heard == sorted(heard)


def test_a_comma_is_a_decimal_mark_when_it_is_said(tmp_path: Path) -> None:
    path = written(tmp_path, german(BARS, EET))
    assert same_bars(seen(path))
    point = seen(path, decimal=".")
    assert point.refusal is not None
    assert point.refusal.key == "decimal"


def test_every_role_that_can_be_chosen_is_one_the_import_knows() -> None:
    assert {role for role, _ in ROLES if role} == set(csv_import_layouts.ROLES)


def test_keeping_that_would_replace_says_so() -> None:
    refusal = refusal_of(
        "/a/b.csv: 3 of its bars in 2024-01 differ from those the catalogue holds: --replace lets them take their place", "/a/b.csv"
    )
    assert refusal.replaceable
    assert refusal.key == ""
    assert refusal.sentence.startswith("3 of its bars")


def test_numbers_in_the_preview_are_the_ticks_that_are_kept(tmp_path: Path) -> None:
    found = seen(written(tmp_path, metatrader_5(BARS, EET)))
    shown = np.array([[int(cell.replace(".", "")) for cell in row[1:5]] for row in found.rows])
    prices = found.candles.prices
    assert np.array_equal(shown, np.column_stack([getattr(prices, name)[: len(shown)] for name in ("open", "high", "low", "close")]))
