"""`sptrader data download`: what was fetched stays, however it ends."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sptrader_desktop import compose
from sptrader_desktop.cli.progress import ProgressLine
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.runtime.recipe_values import moment
from sptrader_desktop.runtime.whole_files import refuse_existing
from sptrader_desktop.settings import load_settings

if TYPE_CHECKING:
    from sptrader_desktop.core.candles import Candles
    from sptrader_desktop.runtime.download import DownloadProgress

DONE, FAILED = 0, 1


def download(chosen: argparse.Namespace) -> int:
    from sptrader_desktop.ports import CandleRequest

    settings, out = load_settings(), new_place(chosen.out)
    asked = CandleRequest(chosen.symbol.upper(), chosen.timeframe, moment(chosen.start, "--from"), moment(chosen.end, "--to"))
    line = ProgressLine()

    def report(at: "DownloadProgress") -> None:
        if compose.is_terminal():
            line.show(at.fraction, f"{at.done:,} of {at.total:,} files  {at.bytes / 1e6:,.1f} MB")

    try:
        got = compose.download_history(settings, chosen.vendor, asked, chosen.instruments, chosen.address, report)
    except KeyboardInterrupt:
        print("sptrader: stopped; what was fetched is kept, the same command goes on from there", file=sys.stderr)
        return FAILED
    finally:
        line.wipe()
    where = compose.keep_candles(settings, got.candles, chosen.instruments, out)
    print(f"{where}: {described(got.candles)}")
    print(f"{got.pieces:,} files of {chosen.vendor}, {got.fetched:,} fetched now, {got.empty:,} in which it has nothing")
    return DONE


def new_place(out: str) -> Path | None:
    """Refused before anything is done for it."""
    if not out:
        return None
    path = Path(out).expanduser().absolute()
    if path.is_dir():
        return path
    if path.suffix != ".parquet":
        raise DataError(f"--out {path}: candles are written as Parquet: end the name with .parquet, or name a folder that exists")
    refuse_existing(path)
    return path


def described(candles: "Candles") -> str:
    first, last = (str(candles.timestamp[at].astype("M8[us]").astype("M8[m]")).replace("T", " ") for at in (0, -1))
    sides = "bid and ask" if candles.ask is not None else candles.side
    return f"{len(candles):,} {sides} bars of {candles.symbol} {candles.timeframe}, {first} to {last} UTC"


DATA_ACTIONS: dict[str, Callable[[argparse.Namespace], int]] = {"download": download}
