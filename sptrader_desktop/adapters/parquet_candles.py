"""Candles in Parquet: opens the file, insists on column types that cannot be misread, hands out batches of plain arrays.

Stamps must be timestamps with a zone (any zone: Parquet stores the instant); prices floats or decimals. Page checksums are
verified where the file has them. Memory mapping is not used: a file cut short meanwhile would end the process.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sptrader_desktop.adapters.candle_checks import FloatArray, RawBatch, RawCandles
from sptrader_desktop.adapters.candle_layout import SYNTHETIC, Layout, find_layout, printable
from sptrader_desktop.core.candles import Int64Array
from sptrader_desktop.core.errors import DataError

_BATCH_ROWS = 65_536
_STREAM_BYTES = 1 << 20  # column chunks are read through a window of this size instead of whole


@contextmanager
def open_parquet(path: Path, content: bytes | None = None) -> Iterator[RawCandles]:
    """`content` is given by those who have read the file already."""
    source, data = str(path), path if content is None else pa.BufferReader(content)
    with _arrow_errors(source), pq.ParquetFile(data, page_checksum_verification=True, buffer_size=_STREAM_BYTES) as file:
        schema = file.schema_arrow
        layout = find_layout(source, schema.names)
        types = {name: schema.field(schema.get_field_index(column)).type for name, column in layout.prices.items()}
        unit = _time_unit(source, layout.timestamp, schema.field(layout.timestamp).type)
        _check_types(source, layout, types)
        is_synthetic = (schema.metadata or {}).get(SYNTHETIC.encode()) == b"true"
        yield RawCandles(source, layout, file.metadata.num_rows, unit, _batches(source, file, layout), is_synthetic=is_synthetic)
    # Arrow would keep its buffers for the next file: 150 MB after ten million candles, just when the components need theirs.
    del file
    pa.default_memory_pool().release_unused()


@contextmanager
def _arrow_errors(source: str) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, EOFError, UnicodeDecodeError) as error:
        reason = printable(" ".join(str(error).split()), 160).rstrip(".")
        raise DataError(f"{source}: this is not a readable Parquet file ({reason}): fetch or export it again") from error


def _batches(source: str, file: Any, layout: Layout) -> Iterator[RawBatch]:
    names = [layout.timestamp, *layout.prices.values()]
    with _arrow_errors(source):
        for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=names):
            prices = {name: _floats(batch.column(column)) for name, column in layout.prices.items()}
            yield RawBatch(_stamps(batch.column(layout.timestamp)), prices)


def _stamps(column: Any) -> Int64Array:
    stamps: Int64Array = _array(column if column.null_count else column.view(pa.int64())).view(np.int64)
    return stamps


def _floats(column: Any) -> FloatArray:
    values: FloatArray = _array(column if pa.types.is_float64(column.type) else column.cast(pa.float64()))
    return values


def _array(column: Any) -> Any:
    """Arrow's own conversion would import pandas; it is left to columns with nulls, whose file is refused by the checks."""
    return column.to_numpy(zero_copy_only=False) if column.null_count else np.from_dlpack(column)


def _time_unit(source: str, name: str, kind: Any) -> Any:
    if not pa.types.is_timestamp(kind):
        raise DataError(f"{source}: column '{name}' holds {kind}, not times: store timestamps with a time zone")
    if kind.tz is None:
        raise DataError(f"{source}: the times in column '{name}' have no time zone: store them with one (in pandas: tz_localize)")
    return kind.unit


def _check_types(source: str, layout: Layout, types: dict[str, Any]) -> None:
    for name, kind in types.items():
        if pa.types.is_floating(kind) or pa.types.is_decimal(kind) or (name == "volume" and pa.types.is_integer(kind)):
            continue
        hint = "divide points into prices" if pa.types.is_integer(kind) else "store prices"
        raise DataError(f"{source}: column '{layout.prices[name]}' holds {kind}: {hint} as floats or decimals")
