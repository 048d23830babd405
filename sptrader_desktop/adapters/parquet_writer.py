"""Candles as a Parquet file that reads back bit for bit: prices are the doubles nearest to whole ticks, every page has its checksum."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sptrader_desktop.adapters.candle_layout import PRICES, SYNTHETIC
from sptrader_desktop.core.candles import Candles, Prices

STAMP = "timestamp"
LABEL = (SYNTHETIC, "description")


def parquet_bytes(candles: Candles, label: Mapping[str, str] | None = None) -> bytes:
    """`label` travels in the file's metadata, and always whether they are synthetic."""
    label = {**(label or {}), **({SYNTHETIC: "true"} if candles.is_synthetic else {})}
    sink = pa.BufferOutputStream()
    pq.write_table(
        _table(candles).replace_schema_metadata(label or None), sink, compression="zstd", write_page_checksum=True, use_dictionary=False
    )
    content: bytes = sink.getvalue().to_pybytes()
    return content


def label_of(path: Path) -> dict[str, str]:
    """What a file says of itself, for those made of it: what is synthetic stays so."""
    found = (pq.read_metadata(path).metadata or {}) if path.suffix.lower() == ".parquet" else {}
    return {name: found[name.encode()].decode("utf-8", "replace") for name in LABEL if name.encode() in found}


def file_name(candles: Candles) -> str:
    """In the scheme by which a file is recognised: `EURUSD_1h_2024-01-02_2024-05-31_bid.parquet`, the word `synthetic` before the side."""
    word = SYNTHETIC if candles.is_synthetic else ""
    first, last = (str(candles.timestamp[at].astype("M8[us]").astype("M8[D]")) for at in (0, -1))
    side = "ba" if candles.ask is not None else candles.side
    return "_".join(part for part in (candles.symbol, candles.timeframe, first, last, word, side) if part) + ".parquet"


def _table(candles: Candles) -> Any:
    per_one = candles.instrument.ticks_per_one
    columns: dict[str, Any] = {STAMP: pa.array(candles.timestamp, pa.timestamp("us", tz="UTC"))}

    def add(prefix: str, prices: Prices) -> None:
        for name in PRICES:
            columns[prefix + name] = pa.array(getattr(prices, name) / per_one)

    add("", candles.prices)
    if candles.ask is not None:
        add("ask_", candles.ask)
    if candles.volume is not None:
        columns["volume"] = pa.array(candles.volume)
    return pa.table(columns)
