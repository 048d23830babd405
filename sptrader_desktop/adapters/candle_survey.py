"""What a candle file holds, told without believing it: its stamps are read and no price is checked. For lists of many files."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sptrader_desktop.adapters.candle_checks import RawBatch
from sptrader_desktop.adapters.candle_files import open_candles
from sptrader_desktop.adapters.candle_layout import printable
from sptrader_desktop.adapters.candle_raw_table import raw_table
from sptrader_desktop.adapters.parquet_ticks import is_tick_file
from sptrader_desktop.core.candles import Int64Array
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.timeframes import parse_timeframe
from sptrader_desktop.present.coverage_days import covered

# A CSV file is read line by line, which takes longer than a list may.
LARGEST_CSV = 20_000_000


@dataclass(frozen=True, slots=True)
class Surveyed:
    """`present` of `expected` bars; None where nothing was counted."""

    symbol: str
    timeframe: str
    has_ask: bool
    is_synthetic: bool
    rows: int | None = None
    first: int | None = None
    last: int | None = None
    present: int | None = None
    expected: int | None = None


def survey(path: Path) -> Surveyed:
    """DataError: it is no candle file, or is not named as one."""
    if is_tick_file(path):
        return Surveyed(path.stem.split("_")[0].upper(), "tick", True, False, _quotes(path))
    with open_candles(path) as opened:
        raw, symbol, timeframe = opened.raw, opened.instrument.symbol, opened.timeframe
        if not timeframe:
            raise DataError(f"{path}: its name does not say the timeframe: name it <SYMBOL>_<timeframe>_…")
        told = Surveyed(symbol, timeframe, raw.layout.has_ask, raw.is_synthetic, raw.rows)
        every_day = opened.instrument.charged_every_day
        if path.suffix.lower() == ".csv" and path.stat().st_size > LARGEST_CSV:
            return told
        stamps_only = (RawBatch(batch.timestamp, {}) for batch in raw.batches)
        table = raw_table(replace(raw, layout=replace(raw.layout, prices={}), batches=stamps_only))
    return _counted(told, np.unique(table.stamps[table.has_time]), every_day)


def _quotes(path: Path) -> int:
    try:
        rows: int = pq.read_metadata(path).num_rows
    except (pa.ArrowException, OSError) as error:
        reason = printable(" ".join(str(error).split()), 160).rstrip(".")
        raise DataError(f"{path}: this is not a readable Parquet file ({reason}): fetch it again") from None
    return rows


def _counted(told: Surveyed, stamps: Int64Array, every_day: bool) -> Surveyed:
    if not len(stamps):
        return told
    present, expected = covered(stamps, parse_timeframe(told.timeframe), every_day)
    return replace(told, first=int(stamps[0]), last=int(stamps[-1]), present=present, expected=expected)
