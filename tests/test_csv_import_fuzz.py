"""Cut, flipped and hostile files: one clear sentence, or exactly the rows that plain Python reads in the file; never anything else."""

import csv
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sptrader_desktop.adapters import csv_import_table
from sptrader_desktop.adapters.candle_files import load_candles
from sptrader_desktop.adapters.csv_import import ImportAsked, import_csv
from sptrader_desktop.adapters.csv_import_table import _decoded, _every_line
from sptrader_desktop.adapters.parquet_writer import parquet_bytes
from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.errors import DataError
from tests import vendor_files
from tests.candle_builders import assert_valid
from tests.kept_candles import hourly
from tests.vendor_files import SPRING, Writer, market

Row = tuple[int, int, int, int, int]
SAID = ImportAsked(timeframe="1h", zone="UTC", stamp="open", points=False)


@dataclass(frozen=True, slots=True)
class Vendor:
    """How plain Python reads the vendor's rows: a pattern for the stamp, which is the first `cells` cells, and where the prices stand."""

    write: Writer
    head: int
    delimiter: str
    pattern: str
    cells: int = 1
    prices: tuple[int, int, int, int] = (1, 2, 3, 4)
    mark: str = "."


VENDORS = (
    Vendor(vendor_files.metatrader_4, 0, ",", "%Y.%m.%d %H:%M", 2, (2, 3, 4, 5)),
    Vendor(vendor_files.metatrader_5, 1, "\t", "%Y.%m.%d %H:%M:%S", 2, (2, 3, 4, 5)),
    Vendor(vendor_files.histdata, 0, ";", "%Y%m%d %H%M%S"),
    Vendor(vendor_files.dukascopy, 1, ",", "%d.%m.%Y %H:%M:%S.%f"),
    Vendor(vendor_files.german, 1, ";", "%d.%m.%Y %H:%M", 2, (2, 3, 4, 5), ","),
    Vendor(vendor_files.american, 1, ",", "%m/%d/%Y %I:%M:%S %p", 2, (2, 3, 4, 5)),
    Vendor(vendor_files.lean, 0, ",", "%Y%m%d %H:%M"),
)

HOSTILE = [
    *("1e309 -1.1 +1.1 0 0.0 nan inf -inf NULL 1,1 1.1.1 1_1 0x1p3 1e5 １.１ ٣.١ =1+1 '1.1 '' -- .5 5. 1.1e-400 00000001.1 #REF!").split(),
    *("9999999999999999999999 1.10000000000000000000001 2024-02-30 00:00 24:00 1970.01.01 9999.12.31 0000.00.00 99999999").split(),
    *('"1.1', '1.1"', "\u202e1.1", "", ";", ",", "|", "\t"),
]


def cut(text: str, rng: random.Random) -> bytes:
    content = text.encode()
    return content[: rng.randrange(len(content))]


def flipped(text: str, rng: random.Random) -> bytes:
    content = bytearray(text.encode())
    for _ in range(rng.choice([1, 1, 1, 2, 20])):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    return bytes(content)


def a_hostile_cell(text: str, rng: random.Random) -> bytes:
    lines = text.split("\n")
    at = rng.randrange(len(lines))
    delimiter = max("\t;,", key=lines[-2].count)
    cells = lines[at].split(delimiter)
    cells[rng.randrange(len(cells))] = rng.choice(HOSTILE)
    lines[at] = delimiter.join(cells)
    return "\n".join(lines).encode()


def lines_moved(text: str, rng: random.Random) -> bytes:
    lines = text.split("\n")
    a, b = rng.randrange(len(lines)), rng.randrange(len(lines))
    change = rng.randrange(5)
    if change == 0:
        lines[a], lines[b] = lines[b], lines[a]
    elif change == 1:
        lines.insert(a, lines[b])
    elif change == 2:
        del lines[a]
    elif change == 3:
        lines[a] += lines[b]
    else:
        lines.insert(a, rng.choice(["", " ", "# remark", "\ufeff", "\x1a", lines[a] * 300, "," * 999, '"']))
    return "\n".join(lines).encode()


def bytes_moved(text: str, rng: random.Random) -> bytes:
    content = text.encode()
    a, b = sorted(rng.randrange(len(content)) for _ in range(2))
    piece = rng.choice([b"\0", b"\r", b"\n", b'"', b"\xff\xfe", b" ", b",", b";", b"\t", b".", b"-", rng.randbytes(9)])
    return rng.choice(
        [content[:a] + content[b:], content[:a] + piece + content[a:], piece + content, content[a:b], content[:b] + content[a:]]
    )


DAMAGES: Sequence[Callable[[str, random.Random], bytes]] = (
    *(cut, flipped, flipped, a_hostile_cell),
    *(a_hostile_cell, lines_moved, bytes_moved),
)


def rows_by_hand(content: bytes, vendor: Vendor) -> list[Row] | None:
    """None: plain Python cannot read it like this vendor's files."""
    try:
        text = decoded(content).rstrip("\x1a \t\r\n").replace("\r\n", "\n").replace("\r", "\n")
        lines = [line for line in text.split("\n") if line][vendor.head :]
        return [_row(next(csv.reader([line], delimiter=vendor.delimiter, strict=True)), vendor) for line in lines]
    except (ValueError, InvalidOperation, IndexError, csv.Error):
        return None


def decoded(content: bytes) -> str:
    """Words that are no UTF-8 stand in columns nobody reads, or they are no numbers."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _row(cells: list[str], vendor: Vendor) -> Row:
    stamp = " ".join(cell.strip() for cell in cells[: vendor.cells])
    at = datetime.strptime(stamp, vendor.pattern).replace(tzinfo=UTC)
    ticks = [Decimal(cells[place].strip().replace(vendor.mark, ".")) * 100_000 for place in vendor.prices]
    if any(abs(value - round(value)) > Decimal("0.01") for value in ticks):
        raise ValueError(stamp)
    open_, high, low, close = (round(value) for value in ticks)
    return int(at.timestamp()) * 1_000_000, open_, high, low, close


def rows_of(candles: Candles) -> list[Row]:
    prices = candles.prices
    return list(zip(*(column.tolist() for column in (candles.timestamp, prices.open, prices.high, prices.low, prices.close)), strict=True))


def refusal(error: DataError, path: Path) -> str:
    sentence = str(error)
    assert sentence.startswith(str(path)), sentence
    assert sentence.isprintable(), sentence
    assert len(sentence) < 700, sentence
    return "refused"


def damaged_text(seed: int, path: Path) -> str:
    """What became of it: refused, the same or other rows."""
    rng = random.Random(seed)
    vendor = rng.choice(VENDORS)
    text = vendor.write(market(SPRING, weeks=1), UTC)
    content = rng.choice(DAMAGES)(text, rng)
    path.write_bytes(content)
    try:
        candles = import_csv(path, SAID).candles
    except DataError as error:
        return refusal(error, path)
    assert_valid(candles)
    by_hand = rows_by_hand(content, vendor)
    found = rows_of(candles)
    assert found in (by_hand, list(reversed(by_hand or []))), (seed, vendor.write.__name__, content[:200])
    return "same" if content == text.encode() or found == rows_by_hand(text.encode(), vendor) else "other"


def damaged_parquet(seed: int, path: Path) -> str:
    """Our own files carry checksums: nothing can be another price."""
    rng = random.Random(seed)
    made = hourly(range(300), seed % 7, ask=bool(seed % 2), volume=bool(seed % 3))
    content = bytearray(parquet_bytes(made))
    if rng.random() < 0.3:
        content = content[: rng.randrange(len(content))]
    elif rng.random() < 0.2:
        at = rng.randrange(len(content))
        content[at : at + rng.randrange(64)] = rng.randbytes(rng.randrange(64))
    else:
        content[rng.choice([rng.randrange(len(content)), len(content) - 1 - rng.randrange(900)])] ^= 1 << rng.randrange(8)
    path.write_bytes(content)
    try:
        candles = load_candles(path)
    except DataError as error:
        return refusal(error, path)
    assert rows_of(candles) == rows_of(made)
    return "same"


def ran(seeds: range, folder: Path) -> dict[str, int]:
    counts: dict[str, int] = {}
    for seed in seeds:
        parquet, text = folder / "EURUSD_1h_damaged.parquet", folder / "EURUSD damaged.csv"
        what = damaged_parquet(seed, parquet) if seed % 4 == 0 else damaged_text(seed, text)
        counts[what] = counts.get(what, 0) + 1
    return counts


def test_damaged_files_are_refused_or_read_as_they_stand(tmp_path: Path) -> None:
    counts = ran(range(300), tmp_path)
    assert counts["refused"] > 100
    assert counts["same"] > 10
    assert counts["other"] > 10


@pytest.mark.campaign
def test_two_thousand_damaged_files_are_refused_or_read_as_they_stand(tmp_path: Path) -> None:
    counts = ran(range(300, 2300), tmp_path)
    assert sum(counts.values()) == 2_000
    assert counts["refused"] > 700


@given(st.text("ab\r\n", max_size=60), st.integers(1, 9))
def test_lines_taken_piece_by_piece_are_the_lines_of_the_whole(text: str, piece: int) -> None:
    assert list(_every_line(text, piece)) == re.split(r"\r\n|\n|\r", text)


@given(st.text("aü€\r\n \x1a", max_size=40), st.sampled_from(["utf-8-sig", "utf-16", "latin-1"]), st.integers(1, 9))
def test_text_taken_piece_by_piece_is_that_of_the_whole(text: str, encoding: str, piece: int) -> None:
    content = text.encode(encoding, "replace")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_import_table, "_PIECE", piece)
        assert _decoded(content, encoding) == content.decode(encoding).rstrip("\x1a \t\r\n")
