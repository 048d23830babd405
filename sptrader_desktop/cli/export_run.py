"""`sptrader export`: a kept run as a page to read, as a table of trades, or as a file that others can verify."""

import argparse
from pathlib import Path

from sptrader_desktop import compose
from sptrader_desktop.core.errors import RunError
from sptrader_desktop.runtime.whole_files import refuse_existing, write_new
from sptrader_desktop.settings import load_settings


def add_export(export: argparse.ArgumentParser) -> None:
    export.add_argument("run", metavar="RUN", help="a stored run, or 'latest'")
    kinds = export.add_mutually_exclusive_group(required=True)
    kinds.add_argument("--html", type=Path, metavar="OUT", help="one page with figures, pictures, trades and assumptions; loads nothing")
    kinds.add_argument("--csv", type=Path, metavar="OUT", help="the trades, with exact values")
    kinds.add_argument("--bundle", type=Path, metavar="OUT", help="the whole run, for `sptrader verify OUT`; name it ….sptrun")


def export(chosen: argparse.Namespace) -> int:
    """Never over a file that is there."""
    out: Path = chosen.html or chosen.csv or chosen.bundle
    if chosen.bundle and not compose.is_bundle(out.name):
        raise RunError(f"--bundle {out}: `sptrader verify` knows bundles by their ending, name it {out.stem}.sptrun")
    refuse_existing(out)
    store = compose.run_store(load_settings())
    stored = store.load(chosen.run)
    content = compose.html_of(stored, store) if chosen.html else compose.csv_of(stored) if chosen.csv else compose.bundle_of(stored)
    write_new(out, content)
    print(f"{stored.id} written to {out}")
    return 0
