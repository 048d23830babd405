"""A repair as files: a new Parquet file that remembers where it comes from, and its ledger beside it. The old file is never written to."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sptrader_desktop.adapters.candle_files import open_candles
from sptrader_desktop.adapters.candle_findings import inspection_of
from sptrader_desktop.adapters.candle_layout import ASK_PRICES, PRICES
from sptrader_desktop.adapters.candle_raw_table import RawTable, raw_table
from sptrader_desktop.adapters.candle_repair import MECHANICAL, Mended, SetClock, counts, ledger_text, mend, wanted_fixes
from sptrader_desktop.adapters.parquet_writer import label_of
from sptrader_desktop.adapters.zoneinfo_clocks import clock_named, to_utc
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.instruments import CATALOGUE, Instrument
from sptrader_desktop.present.data_findings import Inspection
from sptrader_desktop.present.market_hours import MINUTE_US
from sptrader_desktop.runtime.whole_files import begun_beside, finish_pair, write_pair

METADATA_KEY = b"sptrader.repair"
LARGEST_IN_METADATA = 1 << 20  # every reader of the file loads its metadata; a longer ledger is named there by its hash


@dataclass(frozen=True, slots=True)
class Repair:
    """`changes` counts rows by rule; `inspection` is of the new file."""

    out: Path
    ledger: Path
    rows_before: int
    rows_after: int
    changes: Mapping[str, int]
    inspection: Inspection


def repair_candles(
    path: Path,
    out: Path,
    *,
    fixes: Sequence[str] = (),
    zone: str = "",
    shift: str = "",
    symbol: str | None = None,
    timeframe: str | None = None,
    instruments: Mapping[str, Instrument] = CATALOGUE,
) -> Repair:
    """Without `fixes`, what needs no judgement; with a clock alone, the clock alone."""
    ledger = _free_places(out)
    clock = _clock(zone, shift)
    chosen = wanted_fixes(fixes or (() if clock else MECHANICAL))
    with open_candles(path, symbol=symbol, timeframe=timeframe, instruments=instruments) as opened:
        old, has_prefix = raw_table(opened.raw), opened.raw.layout.is_sided
    mended = mend(old, opened.instrument, opened.timeframe, str(path), chosen, clock)
    if not len(mended.table):
        raise DataError(f"{path}: nothing would be left of its {len(old)} rows: no file was written, fetch it again")
    text = ledger_text(mended.changes)
    story = {
        "source": path.name,
        "source_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "fixes": list(chosen),
        "clock": zone or shift,
        "changes": counts(mended.changes),
        "ledger_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "ledger": text if len(text) <= LARGEST_IN_METADATA else None,
    }
    write_pair(out, _parquet(path, mended, has_prefix, story), ledger, text.encode())
    return Repair(out, ledger, len(old), len(mended.table), counts(mended.changes), inspection_of(mended.examined))


def _free_places(out: Path) -> Path:
    if out.suffix.lower() != ".parquet":
        raise DataError(f"--out {out}: a mended file is Parquet: end its name with .parquet")
    ledger = out.with_suffix(".ledger.jsonl")
    _finish(out, ledger)
    for place in (out, ledger):
        if place.exists():
            raise DataError(f"--out {out}: {place} exists and is not overwritten: give another name")
    if not out.parent.is_dir():
        raise DataError(f"--out {out}: there is no folder {out.parent}, make it first")
    return ledger


def _finish(out: Path, ledger: Path) -> None:
    """A repair that died between its two files left a mended one that names its ledger by its hash."""
    begun = begun_beside(ledger)
    if begun is None or not out.is_file():
        return
    with suppress(pa.ArrowException, OSError, ValueError, KeyError, TypeError):
        story = json.loads(pq.read_metadata(out).metadata[METADATA_KEY])
        if story["ledger_sha256"] == hashlib.sha256(begun).hexdigest():
            finish_pair(ledger)


def _clock(zone: str, shift: str) -> SetClock | None:
    if shift:
        return partial(np.add, _shift(shift))
    return partial(to_utc, clock=clock_named(zone)) if zone else None


def _shift(text: str) -> int:
    """Of +02:00 or -00:01, in microseconds."""
    found = re.fullmatch(r"([+-])([01]\d|2[0-3]):([0-5]\d)", text, re.ASCII)
    if not found:
        raise DataError(f"--shift {text}: write it like +02:00 or -00:01")
    return (-1 if found[1] == "-" else 1) * (int(found[2]) * 60 + int(found[3])) * MINUTE_US


def _parquet(path: Path, mended: Mended, has_prefix: bool, story: Mapping[str, object]) -> bytes:
    table = mended.table
    if not table.has_time.all():
        raise DataError(f"{path}: rows without a time cannot be written: add --fix no_time")
    if table.is_finer.any():
        raise DataError(f"{path}: stamps finer than a microsecond cannot be written: add --fix nanoseconds")
    columns = {"timestamp": pa.array(table.stamps, pa.timestamp("us", tz="UTC"))} | _prices(table, has_prefix)
    whole = pa.table(columns).replace_schema_metadata(label_of(path) | {METADATA_KEY.decode(): json.dumps(story)})
    sink = pa.BufferOutputStream()
    pq.write_table(whole, sink, compression="zstd", write_page_checksum=True)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _prices(table: RawTable, has_prefix: bool) -> dict[str, object]:
    """A missing number is NaN here as there: what was not to be mended stays as it was."""
    names = [*PRICES, *(name for name in ASK_PRICES if name in table.prices)]
    found: dict[str, object] = {(f"bid_{name}" if has_prefix and name in PRICES else name): pa.array(table.prices[name]) for name in names}
    return found | ({} if table.volume is None else {"volume": pa.array(table.volume)})
