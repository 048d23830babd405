"""`sptrader data inspect` and `repair`: what they take and what they say. An inspection never changes a file."""

import argparse
import sys
from pathlib import Path
from typing import Any

from sptrader_desktop import compose_data
from sptrader_desktop.core.errors import SptraderError

DONE, FAILED = 0, 1


def add_inspect(inspect: argparse.ArgumentParser) -> None:
    many: dict[str, Any] = {"nargs": "+", "type": Path, "metavar": "PATH"}
    inspect.add_argument("paths", **many, help="candle files (Parquet or CSV)")
    _add_meaning(inspect)
    inspect.add_argument("--json", action="store_true", help="print all of it as JSON, every missing span included")


def add_repair(repair: argparse.ArgumentParser) -> None:
    repair.add_argument("path", metavar="PATH", type=Path, help="the candle file to mend; it is not touched")
    _add_meaning(repair)
    repair.add_argument("--out", required=True, type=Path, metavar="NEW", help="the Parquet file to write; the ledger goes beside it")
    repair.add_argument("--fix", nargs="+", action="extend", default=[], metavar="KIND", help="what to mend, by the words of inspect")
    clock = repair.add_mutually_exclusive_group()
    clock.add_argument("--zone", default="", metavar="ZONE", help="the stamps are the wall clock of this zone: make them UTC")
    clock.add_argument("--shift", default="", metavar="±HH:MM", help="move every stamp, with `=`: --shift=-02:00")


def _add_meaning(command: argparse.ArgumentParser) -> None:
    command.add_argument("--symbol", default="", metavar="S", help="when the file is not named <SYMBOL>_<timeframe>_…")
    command.add_argument("--timeframe", default="", metavar="T", help="for example 1m, 15m, 1h, 4h, 1d")
    command.add_argument("--instruments", default="", metavar="FILE", help="your own instruments")


def inspect(chosen: argparse.Namespace) -> int:
    """1 when a file is anything but sound: scripts ask before they trust. An unreadable file does not keep the others from being seen."""
    found, unread = [], 0
    for path in chosen.paths:
        try:
            found.append(compose_data.inspect_data(path, chosen.symbol, chosen.timeframe, chosen.instruments))
        except SptraderError as error:
            print(f"sptrader: {error}", file=sys.stderr)
            unread += 1
        else:
            if not chosen.json:
                print(compose_data.inspection_text(found[-1]))
    if chosen.json:
        print(compose_data.inspections_json(found))
    return DONE if not unread and all(item.is_sound for item in found) else FAILED


def repair(chosen: argparse.Namespace) -> int:
    """1 when the new file still holds what no backtest takes."""
    done = compose_data.repair_data(
        chosen.path,
        chosen.out,
        fixes=chosen.fix,
        zone=chosen.zone,
        shift=chosen.shift,
        symbol=chosen.symbol,
        timeframe=chosen.timeframe,
        instruments=chosen.instruments,
    )
    for kind, count in done.changes.items():
        print(f"{kind:<14} {count:,}")
    print(f"{done.rows_before:,} rows became {done.rows_after:,} in {done.out}; every change is in {done.ledger}")
    print(compose_data.inspection_text(done.inspection).splitlines()[-1])
    return FAILED if done.inspection.worst == "refused" else DONE


ACTIONS = {"inspect": inspect, "repair": repair}
