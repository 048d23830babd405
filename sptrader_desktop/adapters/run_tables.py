"""The tables of a run as Arrow files: exact int64 columns whose metadata says what one unit of each is."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from sptrader_desktop.core.errors import RunError
from sptrader_desktop.core.records import EXIT_REASONS, ORDER_KINDS, ORDER_STATES, VERDICTS

if TYPE_CHECKING:
    from sptrader_desktop.core.simulation import Outcome

TIME, PRICE, QUANTITY, MONEY = "microseconds since 1970-01-01 UTC", "ticks of the symbol", "steps of the symbol", "1e-8 of the currency"
UNITS = {
    **dict.fromkeys(("time", "entry_time", "exit_time", "decided_time", "instant"), TIME),
    **dict.fromkeys(("price", "entry_price", "exit_price", "level"), PRICE),
    **dict.fromkeys(("quantity", "wanted"), QUANTITY),
    **dict.fromkeys(("gross", "commission", "financing", "entry_notional", "equity"), MONEY),
    "symbol": "place in `symbols`",
    "side": "1 long or buy, -1 short or sell",
    "reason": "place in `reasons`, -1 for an entry",
    "verdict": "place in `verdicts`",
    "kind": "place in `kinds`",
    "state": "place in `states`",
    "rate_num": "numerator of the rate from quote to account currency",
    "rate_den": "its denominator",
}
CODES = {"reasons": EXIT_REASONS, "verdicts": VERDICTS, "kinds": ORDER_KINDS, "states": ORDER_STATES}


def encode_tables(outcome: "Outcome", manifest: Mapping[str, Any]) -> dict[str, bytes]:
    """By name; equal tables give equal bytes with one version of Arrow."""
    common = _described(manifest)
    tables = {name: getattr(outcome, name) for name in ("trades", "fills", "orders", "verdicts")}
    encoded = {name: _encode({column: table[column] for column in table.dtype.names}, common) for name, table in tables.items()}
    return encoded | {"equity": _encode({"instant": outcome.instants, "equity": outcome.equity}, common)}


def _described(manifest: Mapping[str, Any]) -> dict[str, str]:
    instruments = manifest["instruments"]
    symbols = [{"symbol": data["symbol"], **instruments[data["symbol"]]} for data in manifest["data"]]
    facts = {"symbols": symbols, "currency": manifest["terms"]["currency"], **CODES}
    return {name: json.dumps(value, sort_keys=True) for name, value in facts.items()}


def _encode(columns: Mapping[str, Any], metadata: Mapping[str, str]) -> bytes:
    fields = [pa.field(name, pa.int64(), nullable=False, metadata={"unit": UNITS.get(name, "count")}) for name in columns]
    arrays = [pa.array(np.ascontiguousarray(column, np.int64)) for column in columns.values()]
    table = pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata=dict(metadata)))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def decode_table(table: bytes) -> dict[str, list[int]]:
    try:
        read = pa.ipc.open_file(pa.BufferReader(table)).read_all()
        read.validate(full=True)
    except (pa.ArrowException, OSError) as error:
        raise RunError(f"a stored table is damaged ({error}): run the backtest again") from None
    return {name: read.column(name).to_pylist() for name in read.column_names}
