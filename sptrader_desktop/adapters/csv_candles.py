"""Candles in plain CSV: a header line, comma, semicolon or tab, ISO-8601 stamps with a zone, decimal points.

Small on purpose: vendors' formats, naive clocks and points are the import's business.
"""

import csv
import re
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from sptrader_desktop.adapters.candle_checks import RawBatch, RawCandles
from sptrader_desktop.adapters.candle_layout import Layout, find_layout, printable
from sptrader_desktop.core.errors import DataError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# Seven or more decimals of a second are refused unless they are zeros, and a zone may be missing: that gets its own sentence.
_STAMP = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6}0*)?)?(?P<zone>Z|[+-]\d\d:?\d\d)?", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


@contextmanager
def open_csv(path: Path) -> Iterator[RawCandles]:
    source = str(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline()
            delimiter = max(",;\t", key=header.count)
            names = [name.strip() for name in next(csv.reader([header], delimiter=delimiter), [])]
            layout = find_layout(source, names)
            batch = _read(source, layout, names, csv.reader(file, delimiter=delimiter, strict=True))
    except (UnicodeDecodeError, csv.Error, OSError) as error:
        raise DataError(f"{source}: this is not a readable CSV file ({error}): export it again as UTF-8 text") from error
    yield RawCandles(source, layout, len(batch.timestamp), "us", iter([batch]))


def _read(source: str, layout: Layout, names: Sequence[str], rows: Iterator[list[str]]) -> RawBatch:
    stamp_at = names.index(layout.timestamp)
    places = {name: names.index(column) for name, column in layout.prices.items()}
    stamps = array("q")
    values = {name: array("d") for name in places}
    row = 0
    for cells in rows:
        if not cells:
            continue
        row += 1
        if len(cells) != len(names):
            raise DataError(f"{source}: row {row}: it has {len(cells)} cells under {len(names)} column names: mend or remove the row")
        stamps.append(microseconds(source, row, cells[stamp_at].strip()))
        for name, place in places.items():
            values[name].append(number(source, row, name, cells[place].strip()))
    return RawBatch(np.array(stamps, np.int64), {name: np.array(column, np.float64) for name, column in values.items()})


def microseconds(source: str, row: int, text: str) -> int:
    found = _STAMP.fullmatch(text)
    if found is None:
        raise DataError(f"{source}: row {row}: timestamp '{printable(text)}' is not a time: write it like 2024-01-02T17:00:00Z")
    if found["zone"] is None:
        raise DataError(f"{source}: row {row}: timestamp '{text}' has no time zone: end it with Z or an offset such as -05:00")
    try:
        return (datetime.fromisoformat(text) - _EPOCH) // _MICROSECOND
    except ValueError as error:
        raise DataError(f"{source}: row {row}: timestamp '{text}' does not exist ({error}): mend or remove the row") from None


def number(source: str, row: int, name: str, text: str) -> float:
    if _NUMBER.fullmatch(text):
        return float(text)
    if text.lower() in ("", "nan", "null", "na"):
        return float("nan")
    raise DataError(f"{source}: row {row}: {name} '{printable(text)}' is not a number: use digits and a decimal point")
