"""A component's answer as a file for people and other programs, in the format that the file's name asks for."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from sptrader_desktop.adapters.arrow_components import arrow_table
from sptrader_desktop.adapters.component_checks import Columns
from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.errors import RunError
from sptrader_desktop.core.rules import EventTable
from sptrader_desktop.ports import Values
from sptrader_desktop.runtime.whole_files import write_whole


def _arrow(table: Any, sink: Any) -> None:
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


WRITERS: dict[str, Callable[[Any, Any], object]] = {".csv": pyarrow.csv.write_csv, ".parquet": pq.write_table, ".arrow": _arrow}


def refuse_unknown_format(path: Path) -> None:
    if path.suffix not in WRITERS:
        raise RunError(f"--out {path}: name a file that ends in {', '.join(WRITERS)}")
    if not path.absolute().parent.is_dir():
        raise RunError(f"--out {path}: there is no folder {path.absolute().parent}, make it first")


def write_table(path: Path, candles: Candles, result: EventTable | Values) -> None:
    sink = pa.BufferOutputStream()
    WRITERS[path.suffix](arrow_table(columns_of(candles, result)), sink)
    write_whole(path, sink.getvalue().to_pybytes())


def columns_of(candles: Candles, result: EventTable | Values) -> Columns:
    if isinstance(result, EventTable):
        stamps, named = candles.timestamp[result.bar], {"type": result.type, "strength": result.strength, **result.metadata}
    else:
        stamps, named = candles.timestamp, dict(result)
    return Columns(len(stamps), stamps, tuple(named), tuple(named.values()))
