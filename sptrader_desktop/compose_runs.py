"""Kept runs beyond their own folder: bundles that come from elsewhere, and what is written for others."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sptrader_desktop.compose import run_store
from sptrader_desktop.compose_candles import EPOCH, CandleSets
from sptrader_desktop.core.errors import DataError, RunError
from sptrader_desktop.settings import Settings

if TYPE_CHECKING:
    from sptrader_desktop.core.candles import Candles
    from sptrader_desktop.core.results import Result
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
    from sptrader_desktop.runtime.stored_runs import read_document

    if kind == "bundle":
        return bundle_bytes(stored)
    document = read_document(stored)
    if kind == "csv":
        return trades_csv(document["completed_trades"]).encode()
    return html_report(document, store.rows(stored.tables["equity"]), stored.strategy_text).encode()


def own_bars(stored: "StoredRun", found: "CandleSets") -> "CandleSets":
    """Files and servers grow: of each source what lies around the bars of the kept run is left out, where these are as they were."""
    from sptrader_desktop.runtime.stored_runs import read_document

    manifest, (traded, rates, finer) = read_document(stored)["manifest"], found
    return (
        tuple(_own_part(manifest["data"], candles) for candles in traded),
        tuple(_own_part(manifest["rates"], candles) for candles in rates),
        {name: _own_part(manifest["finer"], candles) for name, candles in finer.items()},
    )


def _own_part(kept: list[dict[str, Any]], candles: "Candles") -> "Candles":
    """All of them where these are not the bars of then any more."""
    from sptrader_desktop.adapters.candle_series import part_of

    then = next((item for item in kept if (item["symbol"], item["timeframe"]) == (candles.symbol, candles.timeframe)), None)
    if then is None or not then["rows"] or then["fingerprint"] == candles.fingerprint:
        return candles
    first, last = ((datetime.fromisoformat(then[end]) - EPOCH) // timedelta(microseconds=1) for end in ("first", "last"))
    try:
        part = part_of(candles, (first, last + 1))
    except DataError:  # none of them is there any more
        return candles
    return replace(part, asked=candles.asked) if part.fingerprint == then["fingerprint"] else candles


def require_alike(store: "RunReader", stored: "StoredRun", result: "Result", manifest: dict[str, Any]) -> None:
    """As `require_same`; what is made of the same things needs no document to be compared, which takes longer than the run."""
    from sptrader_desktop.present.result_json import render, rendered
    from sptrader_desktop.runtime.stored_runs import read_document

    if read_document(stored)["manifest"] != json.loads(render(manifest)):
        require_same(store, stored, result, rendered(result, manifest))


def require_same(store: "RunReader", stored: "StoredRun", result: "Result", document: bytes) -> None:
    """The kept run's own candles and numbers, to the last unit. Another engine or library, or a remark in a component, may leave these as
    they are."""
    from sptrader_desktop.runtime.stored_runs import compared

    if document == stored.document:
        return
    found = compared(store, stored, result, document)
    if found.difference or found.is_of_other_candles:
        what = "no longer gives the result it was kept with" if found.difference else "was of other candles, which give the same result"
        why = "; ".join(each for each in (*found.causes, found.difference) if each)
        raise RunError(f"{stored.id} {what}: {why} (`sptrader verify {stored.id}` compares them again)")
