"""Texts as numbers: which mark divides units from decimals is decided by the whole file, and where that is open it is asked."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sptrader_desktop.adapters.candle_checks import FloatArray
from sptrader_desktop.adapters.csv_import_table import Table
from sptrader_desktop.core.errors import DataError

Mark = Literal[".", ","]
WORDS = {".": "point", ",": "comma"}
_MISSING = ("", "nan", "null", "na", "n/a", "-", "none")
_SPACES = " '\u2019\u00a0\u202f"  # between thousands, in several countries


def decimal_mark(table: Table, columns: Sequence[int]) -> Mark:
    marks: set[Mark] = set()
    seen: set[str] = set()
    for at in columns:
        column = pc.unique(table.columns[at])
        marks |= {mark for mark, pattern in _BOTH.items() if _any(column, pattern)}
        seen |= {mark for mark in ".," if _any(column, f"[{mark}]")}
    if len(marks) == 1:
        return marks.pop()
    if marks or len(seen) == 2:
        raise _undecided(table, columns, "some with points and some with commas")
    if seen == {","}:
        if any(_any(pc.unique(table.columns[at]), r",(\d{1,2}|\d{4,})$") for at in columns):
            return ","
        raise _undecided(table, columns, "with three digits after every comma")
    return "."


# Both marks in one number: the last is the decimal mark.
_BOTH: dict[Mark, str] = {".": r",.*\.", ",": r"\..*,"}


def _undecided(table: Table, columns: Sequence[int], how: str) -> DataError:
    shown = table.columns[columns[0]][0].as_py()
    return DataError(f"{table.source}: its prices are written like '{shown}', {how}: say what the mark is with --decimal point or comma")


def numbers(table: Table, column: int, mark: Mark) -> FloatArray:
    """Each number as it is written; where there is none, NaN."""
    texts = table.columns[column]
    missing = pc.is_in(pc.utf8_lower(texts), pa.array(_MISSING))
    good = pc.or_(missing, pc.match_substring_regex(texts, _number(mark)))
    if not pc.all(good).as_py():
        row = pc.index(good, False).as_py()
        raise table.refusal(row, column, f"is not a number with a decimal {WORDS[mark]}: mend it, or say the mark with --decimal")
    plain = pc.replace_substring_regex(pc.if_else(missing, "nan", texts), rf"[{_SPACES}{'.' if mark == ',' else ','}]", "")
    values: FloatArray = np.array(pc.cast(pc.replace_substring(plain, ",", "."), pa.float64()).to_numpy(zero_copy_only=False))
    return values


def _number(mark: Mark) -> str:
    thousands = "|".join(rf"\d{{1,3}}(?:[{other}]\d{{3}})+" for other in ("." if mark == "," else ",", _SPACES))
    return rf"^[+-]?(?:(?:{thousands}|\d+)(?:[{mark}]\d*)?|[{mark}]\d+)(?:[eE][+-]?\d{{1,3}})?$"


def _any(column: Any, pattern: str) -> bool:
    return bool(pc.any(pc.match_substring_regex(column, pattern)).as_py())
