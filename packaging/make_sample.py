"""Makes the sample candles that come with the program: synthetic hourly EURUSD, the same bytes from the same library.

    python packaging/make_sample.py [FILE]

Nothing here is a quote: a seeded random walk by the minute, busier in London and New York hours, with spells of trend,
on the FX week's hours (Sunday 17:00 to Friday 17:00 New York). Prices are bids.
"""

import math
import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq

SEED = 314
START, END = datetime(2024, 1, 2, tzinfo=UTC), datetime(2024, 6, 1, tzinfo=UTC)
FILE = Path(__file__).resolve().parent.parent / "workspace" / "data" / "EURUSD_1h_2024-01-02_2024-05-31.parquet"
NEW_YORK = ZoneInfo("America/New_York")
FIRST_PRICE, TICK_DECIMALS = 1.0950, 5
MINUTE_SD = 0.00068  # of the logarithm, per square root of an hour, before the hour's weight
TREND_PER_HOUR = 0.00013
PULL_PER_HOUR = 0.0030  # towards the first price, so that five months stay in a believable range
WEEKEND_SD = 0.0008
# How busy each hour of New York is, from midnight; the square root of its share of the day's variance.
BUSY = (0.8, 0.8, 1.1, 1.5, 1.4, 1.2, 1.1, 1.2, 1.6, 1.6, 1.5, 1.3, 1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.5, 0.6, 0.8, 0.8, 0.7, 0.7)


def is_open(at: datetime) -> bool:
    local = at.astimezone(NEW_YORK)
    weekday, evening = local.weekday(), local.hour >= 17
    return weekday < 4 or (weekday == 4 and not evening) or (weekday == 6 and evening)


def hours() -> Iterator[datetime]:
    at = START
    while at < END:
        if is_open(at):
            yield at
        at += timedelta(hours=1)


def trends(rng: random.Random) -> Iterator[float]:
    """The drift of each hour: spells of a few days up, down or nowhere."""
    while True:
        drift = rng.choice((-1.0, -0.6, 0.0, 0.0, 0.6, 1.0)) * TREND_PER_HOUR
        for _ in range(rng.randint(30, 130)):
            yield drift


def candles() -> dict[str, list[object]]:
    rng = random.Random(SEED)
    columns: dict[str, list[object]] = {name: [] for name in ("timestamp", "open", "high", "low", "close", "volume")}
    log_price, mood, previous = math.log(FIRST_PRICE), 1.0, START
    for at, drift in zip(hours(), trends(rng), strict=False):
        if at - previous > timedelta(hours=1):
            log_price += rng.gauss(0, WEEKEND_SD)
        mood = 1.0 + 0.94 * (mood - 1.0) + rng.gauss(0, 0.06)  # busy days follow busy days
        weight = max(0.5, mood) * BUSY[at.astimezone(NEW_YORK).hour]
        pull = PULL_PER_HOUR * (math.log(FIRST_PRICE) - log_price)
        path = [log_price]
        for _ in range(60):
            path.append(path[-1] + (drift + pull) / 60 + rng.gauss(0, MINUTE_SD * weight / math.sqrt(60)))
        prices = [round(math.exp(value), TICK_DECIMALS) for value in path]
        ticks = round(2_400 * weight * rng.uniform(0.85, 1.15))
        for name, value in zip(columns, (at, prices[0], max(prices), min(prices), prices[-1], float(ticks)), strict=True):
            columns[name].append(value)
        log_price, previous = path[-1], at
    return columns


def write(path: Path) -> None:
    """Fixed options and page checksums; `created_by` carries the library's version, so only that changes the bytes."""
    kinds = {"timestamp": pa.timestamp("us", tz="UTC")}
    columns = {name: pa.array(values, kinds.get(name, pa.float64())) for name, values in candles().items()}
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
