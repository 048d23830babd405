"""`sptrader data download`, whose fetched files stay however it ends, `data resample` and `data sample`."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sptrader_desktop import compose, compose_data
from sptrader_desktop.cli.progress import ProgressLine
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.runtime.recipe_values import moment
from sptrader_desktop.runtime.whole_files import refuse_existing
from sptrader_desktop.settings import load_settings

if TYPE_CHECKING:
    from sptrader_desktop.core.candles import Candles
    from sptrader_desktop.ports import CandleRequest
    from sptrader_desktop.runtime.download import DownloadProgress, Fetched, Report

DONE, FAILED = 0, 1
VENDORS = ("dukascopy", "histdata")
TICKS = "tick"
MOST_YEARS = 50


def add_download(download: argparse.ArgumentParser) -> None:
    download.add_argument("symbol", metavar="SYMBOL")
    download.add_argument("--from", dest="start", required=True, metavar="D", help="first bar's open, inclusive")
    download.add_argument("--to", dest="end", required=True, metavar="D", help="last bar's open, exclusive")
    download.add_argument("--timeframe", default="1h", metavar="T", help="for example 1s, 1m, 1h, 1d, or tick")
    download.add_argument("--vendor", choices=VENDORS, default=VENDORS[0])
    download.add_argument("--address", default="", metavar="URL", help="of a mirror of the vendor's files")
    _kept(download)


def add_resample(resample: argparse.ArgumentParser) -> None:
    resample.add_argument("file", metavar="FILE", type=Path)
    resample.add_argument("--timeframe", required=True, metavar="T", help="of the bars to make, for example 15m, 4h, 1d, 1w")
    resample.add_argument("--symbol", default="", metavar="S", help="when the file is not named <SYMBOL>_<timeframe>_…")
    _kept(resample)


def _kept(made: argparse.ArgumentParser) -> None:
    made.add_argument("--out", default="", metavar="PATH", help="a new Parquet file, or a folder for one; without it the catalogue")
    made.add_argument("--replace", action="store_true", help="let these bars replace others of the catalogue")
    made.add_argument("--instruments", default="", metavar="FILE", help="your own instruments")


def add_sample(sample: argparse.ArgumentParser) -> None:
    sample.add_argument("--years", type=int, required=True, metavar="N", help=f"1 to {MOST_YEARS}")
    sample.add_argument("--symbol", default="EURUSD", metavar="S")
    sample.add_argument("--timeframe", default="1h", metavar="T", help="1m or longer")
    sample.add_argument("--seed", type=int, metavar="N", help="other candles of the same kind")
    sample.add_argument("--out", required=True, metavar="PATH", help="a new Parquet file, or a folder for one")


def download(chosen: argparse.Namespace) -> int:
    from sptrader_desktop import ports

    settings, out = load_settings(), new_place(chosen.out)
    asked = ports.CandleRequest(chosen.symbol.upper(), chosen.timeframe, moment(chosen.start, "--from"), moment(chosen.end, "--to"))
    line = ProgressLine()

    def report(at: "DownloadProgress") -> None:
        if compose.is_terminal():
            line.show(at.fraction, f"{at.done:,} of {at.total:,} files  {at.bytes / 1e6:,.1f} MB")

    try:
        if asked.timeframe == TICKS:
            path, count, got = _ticks(chosen, asked, out, report)
            where, told = path, f"{count:,} quotes of {asked.symbol}"
        else:
            candles, got = compose_data.download_history(settings, chosen.vendor, asked, chosen.instruments, chosen.address, report)
            where, told = _keep(chosen, candles, out), described(candles)
    except KeyboardInterrupt:
        print("sptrader: stopped; what was fetched is kept, the same command goes on from there", file=sys.stderr)
        return FAILED
    finally:
        line.wipe()
    print(f"{where}: {told}")
    print(f"{len(got.pieces):,} files of {chosen.vendor}, {got.new:,} fetched now, {got.empty:,} in which it has nothing")
    return DONE


def _keep(chosen: argparse.Namespace, candles: "Candles", out: Path | None, made_of: Path | None = None) -> Path:
    return compose_data.keep_candles(load_settings(), candles, chosen.instruments, out, replace=chosen.replace, made_of=made_of)


def _ticks(chosen: argparse.Namespace, asked: "CandleRequest", out: Path | None, report: "Report") -> "tuple[Path, int, Fetched]":
    if out is None:
        raise DataError(f"--timeframe {TICKS}: the catalogue holds candles: say where the file goes with --out PATH")
    return compose_data.download_ticks(load_settings(), chosen.vendor, asked, out, chosen.instruments, chosen.address, report)


def resample(chosen: argparse.Namespace) -> int:
    out = new_place(chosen.out)
    candles = compose_data.resampled(chosen.file, chosen.timeframe, chosen.symbol.upper(), chosen.instruments)
    print(f"{_keep(chosen, candles, out, chosen.file)}: {described(candles)}")
    return DONE


def sample(chosen: argparse.Namespace) -> int:
    if not 1 <= chosen.years <= MOST_YEARS:
        raise DataError(f"--years {chosen.years}: give 1 to {MOST_YEARS}")
    out, line = new_place(chosen.out), ProgressLine()
    assert out is not None, "argparse asks for it"

    def report(fraction: float) -> None:
        if compose.is_terminal():
            line.show(fraction, "making candles")

    try:
        path, candles = compose_data.sample_file(chosen.symbol.upper(), chosen.timeframe, chosen.years, chosen.seed, out, report)
    finally:
        line.wipe()
    print(f"{path}: synthetic, {described(candles)}; this is not market data")
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


ACTIONS: dict[str, Callable[[argparse.Namespace], int]] = {"download": download, "resample": resample, "sample": sample}
