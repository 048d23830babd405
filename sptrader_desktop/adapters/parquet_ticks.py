"""Quotes in Parquet, `<SYMBOL>_tick_….parquet` with columns timestamp, bid and ask, from which candles of any timeframe can be made."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sptrader_desktop.adapters.candle_checks import ticks_into
from sptrader_desktop.adapters.candle_layout import printable
from sptrader_desktop.core.candles import Int64Array
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.instruments import Instrument
from sptrader_desktop.core.resample import Ticks

_SCHEMA = pa.schema([("timestamp", pa.timestamp("us", tz="UTC")), ("bid", pa.float64()), ("ask", pa.float64())])

_EARLIEST, _LATEST = (int(np.datetime64(year, "us").astype(np.int64)) for year in ("1900", "2200"))


def is_tick_file(path: Path) -> bool:
    parts = path.stem.lower().split("_")
    return path.suffix.lower() == ".parquet" and len(parts) > 1 and parts[1] in ("tick", "ticks")


def tick_file_name(symbol: str, first: int, last: int, word: str) -> str:
    days = (str(np.datetime64(at, "us").astype("M8[D]")) for at in (first, last))
    return "_".join([symbol, "tick", *days, word]) + ".parquet"


def read_ticks(path: Path, instrument: Instrument) -> Ticks:
    """Finer stamps than microseconds are cut off: the order of the quotes is that of the file."""
    try:
        table = pq.read_table(path, columns=_SCHEMA.names, page_checksum_verification=True)
        kind = table.schema.field("timestamp").type
        if not pa.types.is_timestamp(kind) or kind.tz is None:
            raise DataError(f"{path}: column 'timestamp' holds {kind}: store timestamps with a time zone")
        stamps = table["timestamp"].cast(_SCHEMA.field("timestamp").type, safe=kind.unit != "ns")
        prices = {name: table[name].cast(pa.float64()) for name in ("bid", "ask")}
    except (pa.ArrowException, OSError, KeyError) as error:
        reason = printable(" ".join(str(error).split()), 160).rstrip(".")
        raise DataError(f"{path}: no readable Parquet file of timestamp, bid and ask ({reason}): fetch or export it again") from None
    if stamps.null_count:
        raise DataError(f"{path}: {stamps.null_count} of its timestamps are missing: remove these rows")
    at: Int64Array = stamps.combine_chunks().view(pa.int64()).to_numpy()
    outside = (at < _EARLIEST) | (at > _LATEST)
    if outside.any():
        raise DataError(f"{path}: row {int(outside.argmax()) + 1}: its timestamp lies outside the years 1900 to 2200: check its unit")
    bid, ask = (_whole(path, name, column, instrument) for name, column in prices.items())
    return Ticks(instrument, at, bid, ask)


def _whole(path: Path, name: str, column: Any, instrument: Instrument) -> Int64Array:
    values = column.to_numpy()
    out = np.empty(len(values), np.int64)
    fault = ticks_into(out, name, values, instrument)
    if fault:
        raise DataError(f"{path}: row {fault.row + 1}: {fault.sentence}")
    return out


def write_ticks(path: Path, instrument: Instrument, parts: Iterable[tuple[Int64Array, Int64Array, Int64Array]]) -> int:
    """Stamps, bids and asks, part by part, so that years need no more memory than a day; whole or not at all. The number of quotes."""
    unfinished, one, count = path.with_name(f"{path.name}.{os.getpid()}.tmp"), instrument.ticks_per_one, 0
    try:
        with pq.ParquetWriter(unfinished, _SCHEMA, compression="zstd", write_page_checksum=True) as writer:
            for stamps, bids, asks in parts:
                count += len(stamps)
                writer.write_table(pa.table([pa.array(stamps).cast(_SCHEMA.field(0).type), bids / one, asks / one], schema=_SCHEMA))
        unfinished.replace(path)
    finally:
        with suppress(FileNotFoundError):
            unfinished.unlink()
    return count
