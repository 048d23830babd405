"""Makes the sample candles that come with the program: synthetic hourly EURUSD, the same bytes from the same library.

    python packaging/make_sample.py [FILE]

`sptrader data sample` makes more of the same kind.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from sptrader_desktop.core.instruments import CATALOGUE
from sptrader_desktop.runtime.sample import SEED, sample_candles

START, END = datetime(2024, 1, 2, tzinfo=UTC), datetime(2024, 6, 1, tzinfo=UTC)
FILE = Path(__file__).resolve().parent.parent / "workspace" / "data" / "EURUSD_1h_2024-01-02_2024-05-31.parquet"


def write(path: Path) -> None:
    """Fixed options and page checksums; `created_by` carries the library's version, so only that changes the bytes."""
    candles = sample_candles(CATALOGUE["EURUSD"], "1h", START, END)
    prices = {name: getattr(candles.prices, name) / candles.instrument.ticks_per_one for name in ("open", "high", "low", "close")}
    columns = {"timestamp": pa.array(candles.timestamp, pa.timestamp("us", tz="UTC")), **prices, "volume": candles.volume}
    label = {
        "synthetic": "true",
        "description": f"Synthetic EURUSD bid candles made by packaging/make_sample.py, seed {SEED}; not market data",
    }
    table = pa.table(columns).replace_schema_metadata(label)
    pq.write_table(table, path, compression="zstd", compression_level=19, version="2.6", write_page_checksum=True)


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else FILE
    write(target)
    print(f"{target}: {pq.read_metadata(target).num_rows} synthetic bars")
