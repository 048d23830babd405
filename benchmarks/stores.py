"""A million candles from Parquet, into PostgreSQL and out of it again, checks and fingerprint included."""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks.market import minute_candles
from benchmarks.report import Line, Options, duration, seconds
from sptrader_desktop import compose_servers
from sptrader_desktop.adapters.candle_files import load_candles
from sptrader_desktop.adapters.parquet_writer import parquet_bytes
from sptrader_desktop.core.candles import PriceSide
from sptrader_desktop.ports import CandleRequest
from sptrader_desktop.settings import load_settings

TITLE = "stores: 1,000,000 candles, best of the runs"
ROWS = 1_000_000
READ_TARGET, POSTGRES_TARGET = 0.5, 4.0
SIDES: tuple[PriceSide, ...] = ("bid", "mid", "ask")  # each a series that is not there yet


def lines(options: Options) -> Iterator[Line]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        candles = minute_candles(ROWS)
        path = folder / f"{candles.symbol}_{candles.timeframe}_bench.parquet"
        path.write_bytes(parquet_bytes(candles))
        yield line("from Parquet", min(seconds(lambda: load_candles(path)) for _ in range(options.runs)), READ_TARGET)
        loaded = load_candles(path)
        settings = replace(load_settings(), servers=folder / "servers", database_url="")
        with compose_servers.open_postgres(settings) as store:
            empty = [replace(loaded, side=side) for side in SIDES[: options.runs]]
            into = min(seconds(partial(store.keep, series)) for series in empty)
            yield line("into PostgreSQL, a new series", into, POSTGRES_TARGET)
            asked = CandleRequest(loaded.symbol, loaded.timeframe)
            assert store.candles(asked).fingerprint == loaded.fingerprint
            yield line("out of PostgreSQL", min(seconds(lambda: store.candles(asked)) for _ in range(options.runs)), POSTGRES_TARGET)
            yield Line("into PostgreSQL, every bar replaced", duration(seconds(lambda: store.keep(loaded))))


def line(what: str, ours: float, target: float) -> Line:
    return Line(what, duration(ours), target=f"{target:g} s", met=ours < target)
