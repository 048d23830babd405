"""Kept runs beyond their own folder: bundles that come from elsewhere, and what is written for others."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sptrader_desktop.compose import run_store
from sptrader_desktop.core.errors import RunError
from sptrader_desktop.settings import Settings

if TYPE_CHECKING:
    from sptrader_desktop.ports import RunReader, StoredRun


@contextmanager
def open_bundle(path: Path, settings: Settings) -> "Iterator[RunReader]":
    """Candles are looked for beside the bundle, where the command was given, and in the workspace."""
    from sptrader_desktop.adapters.zip_run_bundle import ZipRunBundle

    with tempfile.TemporaryDirectory(prefix="sptrader-bundle-") as folder:
        yield ZipRunBundle(path, Path(folder), (path.parent, Path.cwd(), settings.workspace / "data"))


def is_bundle(asked: str) -> bool:
    from sptrader_desktop.adapters.zip_run_bundle import SUFFIX

    return asked.lower().endswith(SUFFIX)


def export_run(settings: Settings, asked: str, kind: str, out: Path, *, over: bool = False) -> str:
    """Write a kept run as `html`, `csv` or `bundle`, over what is there only if that was asked for. The run's id."""
    from sptrader_desktop.runtime.whole_files import refuse_existing, write_new, write_whole

    if kind == "bundle" and not is_bundle(out.name):
        raise RunError(f"{out}: `sptrader verify` knows bundles by their ending, name it {out.stem}.sptrun")
    if not over:
        refuse_existing(out)
    store = run_store(settings)
    stored = store.load(asked)
    (write_whole if over else write_new)(out, _exported(store, stored, kind))
    return stored.id


def _exported(store: "RunReader", stored: "StoredRun", kind: str) -> bytes:
    from sptrader_desktop.adapters.zip_run_bundle import bundle_bytes
    from sptrader_desktop.present.report_html import html_report
    from sptrader_desktop.present.trades_csv import trades_csv

    if kind == "bundle":
        return bundle_bytes(stored)
    document = json.loads(stored.document)  # the store has checked it to be as it was written
    if kind == "csv":
        return trades_csv(document["completed_trades"]).encode()
    return html_report(document, store.rows(stored.tables["equity"]), stored.strategy_text).encode()


def is_made_of(stored: "StoredRun", manifest: dict[str, Any]) -> bool:
    """Was the kept run made from the same things?"""
    from sptrader_desktop.present.result_json import render

    return bool(json.loads(stored.document)["manifest"] == json.loads(render(manifest)))
