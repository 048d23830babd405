"""Rows of a table as text for other programs: exact values, one header line. CSV for files, tabs for the clipboard."""

import csv
import io
from collections.abc import Iterable, Sequence

from sptrader_desktop.present.columns import Column


def csv_text(columns: Sequence[Column], rows: Iterable[int]) -> str:
    """Headed by keys, as the JSON result names them; lines end as spreadsheets and pandas both read them."""
    return _written(columns, rows, [column.key for column in columns], ",")


def tabbed_text(columns: Sequence[Column], rows: Iterable[int]) -> str:
    """Headed by the titles that people see."""
    return _written(columns, rows, [column.header for column in columns], "\t")


def _written(columns: Sequence[Column], rows: Iterable[int], head: Sequence[str], delimiter: str) -> str:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerow(head)
    writer.writerows([column.exact(row) for column in columns] for row in rows)
    return out.getvalue()
