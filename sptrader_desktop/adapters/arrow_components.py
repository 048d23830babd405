"""Arrow files between the program and its workers: candles in, answers out, both read where they lie and never copied."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sptrader_desktop.adapters.component_checks import NUMBERS, Columns
from sptrader_desktop.adapters.component_columns import candle_attrs, candle_columns
from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.errors import ComponentError

STAMP = "timestamp"
STAMPS = pa.timestamp("us", tz="UTC")
SUFFIX = ".arrow"
DIGEST_BYTES = 32
# Columns of mixed texts, truths and numbers travel as JSON, each value for itself.
MIXED = {b"values": b"json"}
# Nothing is decompressed or converted: handing a few columns to threads takes longer than reading them.
AT_ONCE = pa.ipc.IpcReadOptions(use_threads=False)


def write_candles(candles: Candles, path: Path) -> None:
    attrs = {b"candles": json.dumps(candle_attrs(candles)).encode()}
    columns = candle_columns(candles)
    table = pa.table([pa.array(candles.timestamp).cast(STAMPS), *map(pa.array, columns.values())], names=[STAMP, *columns])
    _write(table.replace_schema_metadata(attrs), path)


def write_answer(columns: Columns, path: Path) -> None:
    """Whoever waits for the file finds it whole; a pipe or a device is written as it is."""
    if path.exists() and not path.is_file():
        _write(arrow_table(columns), path)
        return
    temporary = path.with_name(path.name + ".tmp")
    try:
        _write(arrow_table(columns), temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def read_answer(path: Path, source: str) -> Columns:
    """Whatever a script may have written; `source` is the script."""
    try:
        return columns_of(mapped(path))
    except (OSError, pa.ArrowException, ValueError) as error:
        said = " ".join(str(error).split())[:200]
        raise ComponentError(f"{source}: its result is no Arrow file that can be read ({said}): write it whole to RESULT_PATH") from error


def packed(columns: Columns) -> bytes:
    """As bytes that notice when they were changed."""
    sink = pa.BufferOutputStream()
    _write(arrow_table(columns), sink)
    content: bytes = sink.getvalue().to_pybytes()
    return content + hashlib.sha256(content).digest()


def unpacked(path: Path) -> Columns | None:
    """None for what is damaged."""
    try:
        whole = pa.memory_map(str(path)).read_buffer()
        content = whole[: whole.size - DIGEST_BYTES]
        if whole.size <= DIGEST_BYTES or hashlib.sha256(content).digest() != whole[whole.size - DIGEST_BYTES :].to_pybytes():
            return None
        return columns_of(pa.ipc.open_file(content, options=AT_ONCE).read_all())
    except (OSError, pa.ArrowException, ValueError):
        return None


def arrow_table(columns: Columns) -> Any:
    assert columns.stamps is not None, "answers without stamps are refused before they are written"
    fields, arrays = [pa.field(STAMP, STAMPS)], [pa.array(columns.stamps).cast(STAMPS)]
    for name, values in zip(columns.names, columns.arrays, strict=True):
        field, array = _packed_array(name, values)
        fields.append(field)
        arrays.append(array)
    return pa.table(arrays, schema=pa.schema(fields))


def _write(table: Any, target: Any) -> None:
    with pa.ipc.new_file(str(target) if isinstance(target, Path) else target, table.schema) as writer:
        writer.write_table(table)


def mapped(path: Path) -> Any:
    return pa.ipc.open_file(pa.memory_map(str(path)), options=AT_ONCE).read_all()


def _packed_array(name: str, values: NDArray[Any]) -> tuple[Any, Any]:
    if values.dtype.kind in NUMBERS:
        array = pa.array(values)
        return pa.field(name, array.type), array
    found = values.tolist()
    if all(isinstance(value, str) for value in found):
        array = pa.array(found, pa.string()).dictionary_encode()
        return pa.field(name, array.type), array
    return pa.field(name, pa.string(), metadata=MIXED), pa.array([json.dumps(value) for value in found], pa.string())


def columns_of(table: Any) -> Columns:
    table.validate(full=True)
    stamps = _stamps(_one(table.column(STAMP))) if STAMP in table.schema.names else None
    fields = [(place, field) for place, field in enumerate(table.schema) if field.name != STAMP]
    arrays = tuple(_array(field, _one(table.column(place))) for place, field in fields)
    return Columns(table.num_rows, stamps, tuple(field.name for _, field in fields), arrays)


def _stamps(column: Any) -> NDArray[Any]:
    """A stamp that is missing becomes NaT, which no candle has."""
    known = (column if column.type == STAMPS else column.cast(STAMPS, safe=False)).view(pa.int64())
    return _numbers(known.fill_null(np.iinfo(np.int64).min) if known.null_count else known)


def _numbers(array: Any) -> NDArray[Any]:
    """Where they lie; what Arrow converts by itself it converts through pandas, which takes longer to load than all else here."""
    is_plain = pa.types.is_integer(array.type) or pa.types.is_floating(array.type)
    found: NDArray[Any] = np.from_dlpack(array) if is_plain and not array.null_count else array.to_numpy(zero_copy_only=False)
    return found


def _one(column: Any) -> Any:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _array(field: Any, array: Any) -> NDArray[Any]:
    if pa.types.is_dictionary(array.type):
        known = _objects(array.dictionary.to_pylist())
        return known[_numbers(array.indices)] if not array.null_count else _objects(array.to_pylist())
    if field.metadata and MIXED.items() <= field.metadata.items():
        return _objects([json.loads(text) for text in array.to_pylist()])
    values = _numbers(array)
    return values if values.dtype.kind in NUMBERS else _objects(array.to_pylist())


def _objects(values: list[Any]) -> NDArray[np.object_]:
    """One place for each, whatever it is: numpy would make two dimensions of a list of lists."""
    return np.fromiter(values, dtype=object, count=len(values))
