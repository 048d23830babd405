"""The part of checked candles that was asked for: bars whose open lies in [start, end). An empty part is refused with what there is."""

from datetime import UTC, datetime, timedelta

import numpy as np

from sptrader_desktop.adapters.candle_checks import Columns, stamp_text
from sptrader_desktop.adapters.candle_layout import PRICES
from sptrader_desktop.core.calendar import DAY_US
from sptrader_desktop.core.candles import Int64Array, Prices
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.timeframes import parse_timeframe

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Span = tuple[int | None, int | None]


def span_of(start: datetime | None, end: datetime | None) -> Span:
    for name, at in (("start", start), ("end", end)):
        if at is not None and at.tzinfo is None:
            raise DataError(f"the {name} of the range, {at.isoformat()}, has no time zone: give it one, such as {at.isoformat()}+00:00")
    if start is not None and end is not None and start >= end:
        raise DataError(f"the range from {start.isoformat()} to {end.isoformat()} is empty: give a later end")
    return (None if start is None else _microseconds(start), None if end is None else _microseconds(end))


def past_midnight(timeframe: str) -> int:
    """How much later than a range its last bar may end: days and weeks of New York lie across the ends of files, others do not."""
    length = parse_timeframe(timeframe)
    return length if length >= DAY_US else 0


def cut(source: str, columns: Columns, span: Span) -> tuple[Columns, int]:
    """The bars in the span and how many come before them."""
    low, high = _rows(source, columns.timestamp, span)
    if high - low == len(columns.timestamp):
        return columns, 0
    return _slice(columns, low, high), low


def no_bar(source: str, first: int, last: int, span: Span) -> DataError:
    start, end = span
    asked = " ".join(f"{word} {stamp_text(at)}" for word, at in (("from", start), ("to", end)) if at is not None)
    return DataError(f"{source}: no bar opens {asked}: it holds {stamp_text(first)} to {stamp_text(last)}, ask for a part of that")


def _microseconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)


def _rows(source: str, stamps: Int64Array, span: Span) -> tuple[int, int]:
    start, end = span
    low = 0 if start is None else int(np.searchsorted(stamps, start))
    high = len(stamps) if end is None else int(np.searchsorted(stamps, end))
    if low >= high:
        raise no_bar(source, int(stamps[0]), int(stamps[-1]), span)
    return low, high


def _slice(columns: Columns, low: int, high: int) -> Columns:
    """Copies, so that the rest of the file's memory is given back."""

    def part(prices: Prices) -> Prices:
        return Prices(*(getattr(prices, name)[low:high].copy() for name in PRICES))

    return Columns(
        columns.timestamp[low:high].copy(),
        part(columns.prices),
        None if columns.ask is None else part(columns.ask),
        None if columns.volume is None else columns.volume[low:high].copy(),
    )
