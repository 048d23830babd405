"""`sptrader export`: a kept run as a page to read, as a table of trades, or as a file that others can verify."""

import argparse
from pathlib import Path

from sptrader_desktop import compose_runs
from sptrader_desktop.settings import load_settings


def add_export(export: argparse.ArgumentParser) -> None:
    export.add_argument("run", metavar="RUN", help="a stored run, or 'latest'")
    kinds = export.add_mutually_exclusive_group(required=True)
    kinds.add_argument("--html", type=Path, metavar="OUT", help="one page with figures, pictures, trades and assumptions; loads nothing")
    kinds.add_argument("--csv", type=Path, metavar="OUT", help="the trades, with exact values")
    kinds.add_argument("--bundle", type=Path, metavar="OUT", help="the whole run, for `sptrader verify OUT`; name it ….sptrun")


def export(chosen: argparse.Namespace) -> int:
    """Never over a file that is there."""
    kind, out = next((kind, getattr(chosen, kind)) for kind in ("html", "csv", "bundle") if getattr(chosen, kind))
    print(f"{compose_runs.export_run(load_settings(), chosen.run, kind, out)} written to {out}")
    return 0
