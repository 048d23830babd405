"""The reference market and the trade lists that independent programs made on it: the same case for the oracle and for the engine."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from sptrader_desktop.core import records as rec
from sptrader_desktop.core.candles import Candles, Int64Array, Prices
from sptrader_desktop.core.instruments import CATALOGUE
from sptrader_desktop.core.rules import RuleHits
from sptrader_desktop.core.strategy import EntryRule, ExitRule, Exits, Level, Size, Strategy
from tests.markets import ALWAYS

HOUR_US = 3_600_000_000
NEXT_OPEN_LISTS = {
    "S1": "S1_long_sl2_tp4__next_open__backtestingpy",
    "S2": "S2_ls_sl2_tp4__next_open__backtestingpy",
    "S3": "S3_ls_sl03_tp06__next_open__backtestingpy",
    "S4": "S4_long_nostop__next_open__backtestingpy",
}
CLOSE_LISTS = {
    "S1": ("S1_long_sl2_tp4__close__nautilus-1.221.0-BA", "-4345.40"),
    "S4": ("S4_long_nostop__close__nautilus-1.221.0-BA", "-5142.60"),
}


@dataclass(frozen=True, slots=True)
class GoldenCase:
    candles: Candles
    hits: RuleHits
    strategy: Strategy


@cache
def fxcm(folder: Path, *, with_ask: bool) -> Candles:
    def read(side: str) -> tuple[Int64Array, Prices]:
        table = pq.read_table(folder / "data" / f"EURUSD_1h_2009-10-01_2018-07-05_fxcm_{side}.parquet")
        columns = [np.rint(table[name].to_numpy() * 100_000).astype(np.int64) for name in ("open", "high", "low", "close")]
        return table["timestamp"].to_numpy().astype("datetime64[us]").astype(np.int64), Prices(*columns)

    stamps, bid = read("bid")
    return Candles(CATALOGUE["EURUSD"], "1h", HOUR_US, stamps, bid, ask=read("ask")[1] if with_ask else None)


LEVELS = {"S1": ("0.02", "0.04"), "S2": ("0.02", "0.04"), "S3": ("0.003", "0.006")}


def crossover(spec: str) -> Strategy:
    """S1 and S4 are long on golden and leave on death; S2 and S3 reverse."""
    size = Size("units", Decimal(10_000))
    exits = Exits()
    if spec in LEVELS:
        stop, target = (Level("percentage", Decimal(value)) for value in LEVELS[spec])
        exits = Exits(stop_loss=stop, take_profit=target)
    if spec in {"S1", "S4"}:
        leaving = replace(exits, rules=(ExitRule(ALWAYS, "close_all"),))
        return Strategy(spec, "1", (EntryRule(ALWAYS, "long", size),), leaving)
    return Strategy(spec, "1", tuple(EntryRule(ALWAYS, side, size, reverse=True) for side in ("long", "short")), exits)


def golden_case(folder: Path, spec: str, *, with_ask: bool) -> GoldenCase:
    table = pq.read_table(folder / "golden" / "trades" / "EURUSD_1h_fxcm_ma20_50_signals.parquet")
    golden, death = (table[name].to_numpy() for name in ("golden", "death"))
    strategy = crossover(spec)
    both, nothing = np.array([golden, death]), np.zeros((0, len(golden)), bool)
    found = RuleHits(both, nothing) if len(strategy.entries) == 2 else RuleHits(both[:1], both[1:])
    return GoldenCase(fxcm(folder, with_ask=with_ask), found, strategy)


def rows_like(trades: Iterable[Any]) -> list[tuple[object, ...]]:
    """Our trade rows in the columns of the lists."""

    def stamp(time: Any) -> str:
        return datetime.fromtimestamp(int(time) // 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S")

    side = {rec.LONG: "long", rec.SHORT: "short"}
    return [
        (
            stamp(row["entry_time"]),
            stamp(row["exit_time"]),
            side[int(row["side"])],
            Decimal(int(row["quantity"])),
            Decimal(int(row["entry_price"])).scaleb(-5),
            Decimal(int(row["exit_price"])).scaleb(-5),
            Decimal(int(row["gross"])).scaleb(-8),
        )
        for row in trades
    ]


def listed(folder: Path, name: str) -> list[tuple[object, ...]]:
    (path,) = (folder / "golden" / "trades").glob(f"fxcm__{name}*.csv")
    numbers = ("size", "entry_price", "exit_price", "pnl")
    with path.open(encoding="utf-8") as file:
        return [
            (row["entry_time"], row["exit_time"], row["side"], *(Decimal(row[name]) for name in numbers)) for row in csv.DictReader(file)
        ]
