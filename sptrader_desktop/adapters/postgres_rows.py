"""Candles in PostgreSQL's binary formats, by whole columns: rows of COPY on the way in, arrays on the way out.

A million candles take COPY eight times as long on the way out as arrays: the server sends a message for each row.
"""

import struct
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sptrader_desktop.adapters.candle_layout import ASK_PRICES, PRICES
from sptrader_desktop.core.candles import Candles, Int64Array
from sptrader_desktop.core.errors import DataError

BEGIN, END = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
ROWS = 65_536
_Y2K_US = 946_684_800_000_000  # PostgreSQL counts from the year 2000
_ARRAY = struct.Struct(">iiIii")  # dimensions, whether any is null, type, length, lower bound


def columns_of(has_ask: bool, has_volume: bool) -> tuple[str, ...]:
    return ("stamp", *PRICES, *(ASK_PRICES if has_ask else ()), *(("volume",) if has_volume else ()))


def copied(candles: Candles, series: int) -> Iterator[memoryview]:
    """Rows of `series` and `columns_of` the candles, a piece at a time."""
    arrays = _arrays(candles)
    kinds: list[Any] = [("count", ">i2"), ("series_length", ">i4"), ("series", ">i4")]
    for name, array in arrays.items():
        kinds += [(f"{name}_length", ">i4"), (name, array.dtype.newbyteorder(">"))]
    for start in range(0, len(candles), ROWS):
        part = slice(start, start + ROWS)
        rows = np.empty(len(candles.timestamp[part]), kinds)
        rows["count"], rows["series_length"], rows["series"] = len(arrays) + 1, 4, series
        for name, array in arrays.items():
            rows[f"{name}_length"], rows[name] = 8, array[part]
        yield rows.data.cast("B")


def whole_numbers(value: bytes) -> Int64Array:
    return _values(value, ">i8").astype(np.int64)


def numbers(value: bytes) -> NDArray[np.float64]:
    return _values(value, ">f8").astype(np.float64)


def stamps(value: bytes) -> Int64Array:
    return whole_numbers(value) + _Y2K_US


def _arrays(candles: Candles) -> dict[str, NDArray[Any]]:
    sides = ((PRICES, candles.prices), (ASK_PRICES, candles.ask))
    arrays: dict[str, NDArray[Any]] = {"stamp": candles.timestamp - _Y2K_US}
    for names, prices in sides:
        if prices is not None:
            arrays |= {name: getattr(prices, of) for name, of in zip(names, PRICES, strict=True)}
    if candles.volume is not None:
        arrays["volume"] = candles.volume
    return arrays


def _values(value: bytes, kind: str) -> NDArray[Any]:
    count = _ARRAY.unpack_from(value)[3]
    if len(value) != _ARRAY.size + 12 * count:  # a null is its length alone
        raise DataError("a bar in PostgreSQL lacks a price or volume that the others of its series have: remove or complete it there")
    return np.frombuffer(value, [("length", ">i4"), ("value", kind)], count, _ARRAY.size)["value"]


def aggregated(names: Sequence[str]) -> str:
    return ", ".join(f"array_agg({name})" for name in names)
