"""Tables as columns of numbers: sorted and filtered as numbers, made into text only for the cells that somebody sees.

A table of 100,000 trades is a handful of arrays; its half million strings are never made.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Values = NDArray[Any]
Rows = NDArray[np.intp]
Text = Callable[[int], str]

# In a column of integers: there is no value. It stands last however a table is sorted, and passes no filter.
NOTHING = -(2**63)
LAST = 2**63 - 1


class Kind(Enum):
    NUMBER = "number"
    TIME = "time"  # microseconds since 1970, UTC
    WORD = "word"  # places in `words`


class Meant(NamedTuple):
    """What a typed value stands for: exactly [first, past), and what reads like it where something else than its last digit is rounded."""

    first: float
    past: float
    near_first: float
    near_past: float


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """`text` is what people see in a row, `exact` what programs are given; `read` understands what is typed into a filter."""

    key: str
    title: str
    values: Values
    text: Text
    exact: Text
    kind: Kind = Kind.NUMBER
    unit: str = ""
    tip: str = ""
    words: Sequence[str] = ()
    read: Callable[[str], Meant | None] | None = None
    is_right: bool = False  # words that are figures stand to the right too
    is_signed: bool = False  # good above zero, bad below
    is_shown: bool = True  # until a person chooses otherwise

    @property
    def header(self) -> str:
        return f"{self.title} {self.unit}".rstrip()


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """A table: equally long columns, each with a key of its own. Rows that are `muted` are there, but count for less now."""

    columns: tuple[Column, ...] = ()
    muted: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.columns[0].values) if self.columns else 0

    def __getitem__(self, key: str) -> Column:
        return next(column for column in self.columns if column.key == key)

    def taken(self, rows: Rows) -> "Columns":
        """Some rows as a table of their own."""
        return Columns(tuple(_taken(column, rows) for column in self.columns), None if self.muted is None else self.muted[rows])

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(column.key for column in self.columns)


def _taken(column: Column, rows: Rows) -> Column:
    text, exact = column.text, column.exact
    return replace(column, values=column.values[rows], text=lambda row: text(int(rows[row])), exact=lambda row: exact(int(rows[row])))


class SortKey(NamedTuple):
    key: str
    is_descending: bool = False


def ordered(table: Columns, keys: Iterable[SortKey], rows: Rows) -> Rows:
    """`rows` by the first key, ties by the next; what is equal in all of them stays as it was."""
    for key in reversed(tuple(keys)):
        places = _places(table[key.key], key.is_descending)
        rows = rows[np.argsort(places[rows], kind="stable")]
    return rows


def _places(column: Column, is_descending: bool) -> Values:
    """Numbers that ascend in the order asked for."""
    values = _ranks(column.words)[column.values] if column.kind is Kind.WORD else column.values
    if values.dtype.kind == "f":
        return -values if is_descending else values  # NaN is last either way
    missing = values == NOTHING
    # The complement turns the order round without leaving 64 bits.
    places = ~values if is_descending else values
    return np.where(missing, LAST, places) if missing.any() else places


def _ranks(words: Sequence[str]) -> NDArray[np.int64]:
    """Words that differ in case alone are told apart by it, so that the order is one."""
    ranks = np.empty(len(words), np.int64)
    ranks[sorted(range(len(words)), key=lambda place: (words[place].casefold(), words[place]))] = np.arange(len(words))
    return ranks
