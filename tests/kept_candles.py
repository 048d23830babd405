"""Candles to be kept in a catalogue, and a process whose children keep them and may be killed at any step of it.

Run as `python kept_candles.py crash FOLDER` or `python kept_candles.py race FOLDER`.
"""

import os
import signal
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from sptrader_desktop.adapters.candle_checks import Columns
from sptrader_desktop.adapters.candle_series import candles_of
from sptrader_desktop.adapters.catalogue_candles import CandleCatalogue
from sptrader_desktop.adapters.parquet_writer import file_name, parquet_bytes
from sptrader_desktop.core.candles import Candles, Prices
from sptrader_desktop.core.instruments import CATALOGUE
from sptrader_desktop.ports import CandleRequest

HOUR_US = 3_600_000_000
START = int(datetime(2024, 1, 29, tzinfo=UTC).timestamp()) * 1_000_000  # three days before a month ends
ASKED = CandleRequest("EURUSD", "1h")
STEPS = 18
EVENTS = ("open", "os.rename", "os.remove", "sqlite3.connect", "os.mkdir")


def put_into(folder: Path, candles: Candles) -> None:
    """As a file of their own, named after what they are."""
    (folder / file_name(candles)).write_bytes(parquet_bytes(candles, {}))


def hourly(hours: list[int] | range, seed: int = 0, *, ask: bool = False, volume: bool = False, symbol: str = "EURUSD") -> Candles:
    """The bars that open so many hours after START; their prices depend on the hour and the seed."""
    at = np.array(hours, np.int64)
    base = 110_000 + (at * 37 + seed * 1_009) % 977

    def prices(more: int) -> Prices:
        return Prices(base + more, base + 9 + more, base - 7 + more, base + 2 + more)

    amounts = (at % 50 + seed).astype(np.float64) + 0.1 if volume else None
    columns = Columns(START + at * HOUR_US, prices(0), prices(12) if ask else None, amounts)
    return candles_of(columns, CATALOGUE[symbol], "1h", "bid", f"hours of seed {seed}")


def mid_of(candles: Candles, more: int) -> Candles:
    """Another side of the same bars, so many ticks above."""
    prices = candles.prices
    raised = Prices(prices.open + more, prices.high + more, prices.low + more, prices.close + more)
    return replace(candles, side="mid", prices=raised, ask=None)


def crash(folder: Path) -> None:
    """Child n is killed at its n-th step (an opening, a renaming, a removal); after each of them what is there is told."""
    with TemporaryDirectory() as elsewhere:
        CandleCatalogue(Path(elsewhere)).keep(hourly([0]))  # loads here what every child would load by itself
    for step in range(STEPS):
        child = os.fork()
        if not child:
            left = [step]

            def killed(event: str, arguments: tuple[object, ...], left: list[int] = left) -> None:
                if event in EVENTS and str(arguments[0]).startswith(str(folder)):
                    left[0] -= 1
                    if left[0] < 0:
                        os.kill(os.getpid(), signal.SIGKILL)

            sys.addaudithook(killed)
            CandleCatalogue(folder).keep(hourly(range(200), 1 + step))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{step} {os.WTERMSIG(status)} {CandleCatalogue(folder).candles(ASKED).fingerprint}\n")


def race(folder: Path) -> None:
    """Two children keep every other hour each, in ten pieces that begin and end in the middle of months."""
    children = []
    for parity in (0, 1):
        child = os.fork()
        if not child:
            for piece in range(10):
                CandleCatalogue(folder).keep(hourly(range(parity + piece * 150, (piece + 1) * 150, 2), parity))
            os._exit(0)
        children.append(child)
    sys.stdout.write(f"{[os.waitpid(child, 0)[1] for child in children]}\n")


if __name__ == "__main__":
    {"crash": crash, "race": race}[sys.argv[1]](Path(sys.argv[2]))
