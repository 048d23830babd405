"""`sptrader trades`: what the live account has traded since it began, by its journal; whether or not a session runs."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from sptrader_desktop import compose
from sptrader_desktop.runtime.whole_files import refuse_existing, write_new
from sptrader_desktop.settings import load_settings

DONE = 0
SHOWN = "id symbol side quantity entry_time entry_price exit_time exit_price pnl currency exit_reason".split()
ON_THE_RIGHT = {"id", "quantity", "entry_price", "exit_price", "pnl"}


def add_trades(trades: argparse.ArgumentParser) -> None:
    kinds = trades.add_mutually_exclusive_group()
    kinds.add_argument("--csv", type=Path, metavar="OUT", help="all columns of a backtest's trades, with exact values, to a new file")
    kinds.add_argument("--json", action="store_true", help="the same as JSON on standard output")


def trades(chosen: argparse.Namespace) -> int:
    """Never over a file that is there."""
    from sptrader_desktop import compose_live
    from sptrader_desktop.present.trades_csv import trades_csv

    settings = load_settings()
    if chosen.csv:
        refuse_existing(chosen.csv)
    compose.ready_engine(settings, lambda said: print(said, file=sys.stderr))
    found = compose_live.trades_so_far(settings)
    if chosen.csv:
        write_new(chosen.csv, trades_csv(found).encode())
        print(f"{len(found):,} {'trade' if len(found) == 1 else 'trades'} written to {chosen.csv}")
    elif chosen.json:
        print(json.dumps(found, indent=1))
    elif not found:
        print(f"Nothing that was opened in {settings.live} is closed yet.")
    else:
        _print_table(found)
    return DONE


def _print_table(found: list[dict[str, Any]]) -> None:
    rows = [[name.replace("_", " ") for name in SHOWN], *([str(row[name]) for name in SHOWN] for row in found)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (f"{cell:{'>' if name in ON_THE_RIGHT else '<'}{width}}" for name, cell, width in zip(SHOWN, row, widths, strict=True))
        print("  ".join(cells).rstrip())
