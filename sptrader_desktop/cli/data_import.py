"""`sptrader data import` and `data list`: what they take and what they say. What was recognised is shown before anything is kept."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sptrader_desktop import compose_data
from sptrader_desktop.cli.data_download import new_place
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.settings import load_settings

if TYPE_CHECKING:
    from sptrader_desktop.adapters.csv_import import ImportAsked

DONE = 0
LAYOUTS = ("metatrader", "histdata", "dukascopy", "truefx", "oanda", "lean", "plain")
MARKS = {"point": ".", "comma": ","}


def add_import(command: argparse.ArgumentParser) -> None:
    many: dict[str, Any] = {"nargs": "+", "type": Path, "metavar": "FILE"}
    command.add_argument("files", **many, help="CSV files of any vendor's layout")
    said = command.add_argument_group("what the file says, where it does not say it clearly")
    said.add_argument("--symbol", default="", metavar="S", help="when neither its rows nor its name say it")
    said.add_argument("--timeframe", default="", metavar="T", help="of the bars; of the candles to build from ticks")
    said.add_argument("--zone", default="", metavar="Z", help="the file's clock: UTC, EET, UTC+2, America/New_York, America/New_York+7")
    said.add_argument("--stamp", choices=["open", "close"], help="which end of a bar its time is")
    said.add_argument("--layout", choices=LAYOUTS, default="", help="the vendor, whose clock is tried first")
    said.add_argument("--dates", choices=["day-first", "month-first"], help="when 03/04 could be either")
    said.add_argument("--decimal", choices=list(MARKS), help="the decimal mark, when prices could be read two ways")
    said.add_argument("--points", choices=["yes", "no"], help="whether prices are whole ticks")
    said.add_argument("--side", choices=["bid", "mid", "ask"], help="which prices these are")
    said.add_argument("--day", default="", metavar="D", help="when stamps count from a midnight the file does not name")
    said.add_argument("--instruments", default="", metavar="FILE", help="your own instruments")
    said.add_argument("--force", action="store_true", help="believe --zone and --stamp against the market's hours")
    kept = command.add_argument_group("where the candles go")
    kept.add_argument("--out", default="", metavar="PATH", help="a new Parquet file, or a folder for new files; else the catalogue")
    kept.add_argument("--replace", action="store_true", help="let these bars replace others of the catalogue")
    kept.add_argument("--dry-run", action="store_true", help="show what is recognised and keep nothing")


def import_files(chosen: argparse.Namespace) -> int:
    settings, out = load_settings(), _new_place(chosen)
    for path in chosen.files:
        found = compose_data.import_candles(path, _asked(chosen), chosen.instruments)
        print(path)
        widest = max(len(subject) for subject, _ in found.notes)
        for subject, text in found.notes:
            print(f"  {subject:<{widest}}  {text}")
        if chosen.dry_run:
            print("  nothing was kept, as told")
            continue
        where = compose_data.keep_candles(settings, found.candles, chosen.instruments, out, replace=chosen.replace)
        print(f"  kept in {where}")
    return DONE


def list_datasets(_: argparse.Namespace) -> int:
    settings = load_settings()
    held = compose_data.catalogue(settings).datasets()
    if not held:
        print(f"The catalogue in {settings.candles} is empty: `sptrader data import FILE` fills it.")
    for each in held:
        sides = f"{each.side} with ask" if each.has_ask else each.side
        span = f"{each.first:%Y-%m-%d %H:%M} to {each.last:%Y-%m-%d %H:%M} UTC"
        label = ", synthetic" if each.is_synthetic else ""
        print(f"{each.symbol:<8} {each.timeframe:>4}  {sides:<12} {each.rows:>12,} bars  {span}{label}")
    return DONE


def _asked(chosen: argparse.Namespace) -> "ImportAsked":
    from sptrader_desktop.adapters.csv_import import ImportAsked

    return ImportAsked(
        symbol=chosen.symbol,
        timeframe=chosen.timeframe,
        zone=chosen.zone,
        stamp=chosen.stamp,
        layout=chosen.layout,
        dates=chosen.dates,
        decimal={"point": ".", "comma": ",", None: None}[chosen.decimal],
        side=chosen.side,
        day=chosen.day,
        points={"yes": True, "no": False, None: None}[chosen.points],
        force=chosen.force,
    )


def _new_place(chosen: argparse.Namespace) -> Path | None:
    out = new_place(chosen.out)
    if out is not None and len(chosen.files) > 1 and not out.is_dir():
        raise DataError(f"--out {out}: several files go into a folder that exists: name one")
    return out


ACTIONS: dict[str, Callable[[argparse.Namespace], int]] = {"import": import_files, "list": list_datasets}
