"""`sptrader data load`: candle files into PostgreSQL, each wholly or not at all."""

import argparse
from collections.abc import Callable
from typing import Any

from sptrader_desktop import compose_candles
from sptrader_desktop.settings import load_settings

DONE = 0


def add_load(command: argparse.ArgumentParser) -> None:
    many: dict[str, Any] = {"nargs": "+", "metavar": "PATH"}
    command.add_argument("files", **many, help="candle files (Parquet or CSV) named <SYMBOL>_<timeframe>_…")
    command.add_argument("--to", choices=["postgres"], default="postgres", help="the database of DATABASE_URL, else the program's own")
    command.add_argument(
        "--ask", **many, action="extend", default=[], help="real ask candles, kept beside the bid candles of the same symbol"
    )
    command.add_argument("--instruments", default="", metavar="FILE", help="your own instruments")


def load_files(chosen: argparse.Namespace) -> int:
    for candles, shown in compose_candles.load_into_postgres(load_settings(), chosen.files, chosen.ask, chosen.instruments):
        sides = f"{candles.side} with ask" if candles.ask is not None else candles.side
        print(f"{candles.source}: {len(candles):,} {sides} candles of {candles.symbol} {candles.timeframe} kept in {shown}")
    return DONE


ACTIONS: dict[str, Callable[[argparse.Namespace], int]] = {"load": load_files}
