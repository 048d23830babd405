"""Small candle files for tests, written as a vendor would, and the sentence with which one is refused."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sptrader_desktop.adapters.candle_files import load_candles
from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.errors import DataError

FIRST = datetime(2024, 1, 2, 17, tzinfo=UTC)
HOUR_US = 3_600_000_000
Columns = dict[str, Any]  # lists, or arrays where they are long


def bars(rows: int = 5, first: float = 1.1) -> Columns:
    """Hourly bars that rise ten ticks each; row r opens at `first + r / 10_000`."""
    opens = [round(first + row / 10_000, 5) for row in range(rows)]
    return {
        "timestamp": [FIRST + timedelta(hours=row) for row in range(rows)],
        "open": opens,
        "high": [round(price + 0.0003, 5) for price in opens],
        "low": [round(price - 0.0002, 5) for price in opens],
        "close": [round(price + 0.0001, 5) for price in opens],
    }


def long_bars(rows: int) -> Columns:
    """A random walk by the minute."""
    rng = np.random.default_rng(5)
    close = 110_000 + np.cumsum(rng.integers(-3, 4, rows))
    opens = np.concatenate([[110_000], close[:-1]])
    stamps = np.arange(rows, dtype=np.int64) * 60_000_000 + int(FIRST.timestamp()) * 1_000_000
    high, low = np.maximum(opens, close) + 2, np.minimum(opens, close) - 2
    return {"timestamp": stamps, "open": opens / 1e5, "high": high / 1e5, "low": low / 1e5, "close": close / 1e5}


def parquet(path: Path, columns: Columns, *, stamps: pa.DataType | None = None, **options: Any) -> Path:
    kinds = {"timestamp": stamps or pa.timestamp("us", tz="UTC")}
    pq.write_table(pa.table({name: pa.array(values, kinds.get(name)) for name, values in columns.items()}), path, **options)
    return path


def csv(path: Path, columns: Columns, delimiter: str = ",") -> Path:
    rows = [list(columns), *zip(*columns.values(), strict=True)]
    lines = [delimiter.join(cell.isoformat() if isinstance(cell, datetime) else str(cell) for cell in row) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def at(hours: float) -> datetime:
    return FIRST + timedelta(hours=hours)


def refusal(path: Path, **asked: Any) -> str:
    with pytest.raises(DataError) as caught:
        load_candles(path, **asked)
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


def assert_valid(candles: Candles) -> None:
    assert len(candles) > 0
    assert (np.diff(candles.timestamp) >= candles.bar_us).all()
    for prices in filter(None, (candles.prices, candles.ask)):
        assert (prices.low >= 1).all()
        assert (prices.low <= np.minimum(prices.open, prices.close)).all()
        assert (prices.high >= np.maximum(prices.open, prices.close)).all()
