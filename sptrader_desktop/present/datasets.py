"""What candles there are, as rows of a table: files, the catalogue and databases side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from sptrader_desktop.present.column_makers import count, ratio, times, word
from sptrader_desktop.present.columns import NOTHING, Column, Columns
from sptrader_desktop.present.listing import codes
from sptrader_desktop.present.numbers import clock, counted, share
from sptrader_desktop.present.selection import Zone

Where = Literal["file", "catalogue", "postgres"]
WHERE = {"file": "File", "catalogue": "Catalogue", "postgres": "PostgreSQL"}
TICKS = "tick"


@dataclass(frozen=True, slots=True)
class DatasetRow:
    """`first` and `last` are opens in microseconds UTC, `present` of `expected` its bars; None where it was not counted.

    `problem` is why nothing more is known of it.
    """

    symbol: str
    timeframe: str
    where: Where
    side: str = ""
    has_ask: bool = False
    path: str = ""
    rows: int | None = None
    first: int | None = None
    last: int | None = None
    present: int | None = None
    expected: int | None = None
    is_synthetic: bool = False
    bytes: int | None = None
    problem: str = ""

    @property
    def name(self) -> str:
        """What a person types to confirm that this one is meant."""
        return Path(self.path).name if self.path else " ".join(part for part in (self.symbol, self.timeframe, self.side) if part)

    @property
    def place(self) -> str:
        return Path(self.path).name if self.path else WHERE[self.where]

    @property
    def sides(self) -> str:
        return f"{self.side} + ask" if self.has_ask else self.side

    @property
    def is_fault(self) -> bool:
        """No candles, but a place that could not be asked for its candles."""
        return bool(self.problem) and not self.path and not self.symbol

    @property
    def label(self) -> str:
        return "unreadable" if self.problem else "synthetic" if self.is_synthetic else "market data"

    @property
    def coverage(self) -> float | None:
        return self.present / self.expected if self.expected and self.present is not None else None

    @property
    def is_candles(self) -> bool:
        return self.timeframe != TICKS and not self.problem

    def sentence(self) -> str:
        if self.problem:
            return self.problem
        parts = [f"{self.symbol} {self.timeframe}", self.sides, WHERE[self.where].lower() if not self.path else self.place]
        if self.rows is not None:
            parts.append(counted(self.rows, "quote" if self.timeframe == TICKS else "bar"))
        if self.first is not None and self.last is not None:
            parts.append(f"{clock(self.first)} to {clock(self.last)} UTC")
        if self.coverage is not None:
            parts.append(f"coverage {share(self.coverage)}")
        return " · ".join([*parts, *(["synthetic, no market data"] if self.is_synthetic else [])])


def dataset_columns(rows: Sequence[DatasetRow], zone: Zone) -> Columns:
    def whole(values: Sequence[int | None]) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
        return np.array([NOTHING if value is None else value for value in values], np.int64)

    def named(key: str, title: str, values: Sequence[str], tip: str = "") -> Column:
        return word(key, title, *codes(values), tip)

    coverage = np.array([np.nan if row.coverage is None else 100 * row.coverage for row in rows])
    kilobytes = np.array([np.nan if row.bytes is None else row.bytes / 1_000 for row in rows])
    return Columns(
        (
            named("symbol", "Symbol", [row.symbol for row in rows]),
            named("timeframe", "Timeframe", [row.timeframe for row in rows]),
            named("side", "Side", [row.sides for row in rows], "Which prices the candles are of"),
            count("rows", "Rows", whole([row.rows for row in rows])),
            times("first", "First bar", whole([row.first for row in rows]), zone, "Its open"),
            times("last", "Last bar", whole([row.last for row in rows]), zone, "Its open"),
            ratio("coverage", "Coverage", coverage, "%", "Bars that are there, of those the market could have made between first and last"),
            named("label", "Label", [row.label for row in rows], "Synthetic candles are made up; they are no market data"),
            ratio("size", "Size", kilobytes, "kB", "On the disk", places=1),
            named("place", "Kept in", [row.place for row in rows]),
        )
    )
