"""The bars that are measured on: the very ones of the peers where their folder is at hand, else a seeded walk of our own."""

import importlib.util
import os
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sptrader_desktop.core.candles import Candles, Prices
from sptrader_desktop.core.instruments import CATALOGUE

MINUTE_US = 60_000_000
TICKS = 100_000
COLUMNS = ("open", "high", "low", "close")


def peers_folder() -> Path | None:
    """SPTRADER_PEERS, else `peers` in the reference data."""
    reference = Path(os.environ.get("SPTRADER_REFERENCE", Path(__file__).resolve().parents[2] / "shared"))
    folder = Path(os.environ.get("SPTRADER_PEERS", reference / "peers")).absolute()
    return folder if (folder / "peers.py").is_file() else None


def minute_frame(rows: int) -> pd.DataFrame:
    folder = peers_folder()
    frame: pd.DataFrame = _peers_bars(folder).make(rows) if folder else own_frame(rows)
    return frame


def _peers_bars(folder: Path) -> Any:
    spec = importlib.util.spec_from_file_location("peers_bars", folder / "bars.py")
    if spec is None or spec.loader is None:
        raise SystemExit(f"{folder / 'bars.py'} cannot be loaded: point SPTRADER_PEERS at a folder with peers.py and bars.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def own_frame(rows: int) -> pd.DataFrame:
    """A walk in whole ticks: about six a minute, wicks of three, without a trend."""
    rng = np.random.default_rng(20_260_101)
    close = 110_000 + np.cumsum(rng.integers(-10, 11, rows))
    open_ = np.append(110_000, close[:-1])
    columns = {
        "open": open_,
        "high": np.maximum(open_, close) + rng.integers(0, 7, rows),
        "low": np.minimum(open_, close) - rng.integers(0, 7, rows),
        "close": close,
    }
    index = pd.date_range("2015-01-01", periods=rows, freq="1min", name="timestamp")
    return pd.DataFrame({name: column / TICKS for name, column in columns.items()} | {"volume": 1.0}, index=index)


@cache
def minute_candles(rows: int) -> Candles:
    """In memory and with a fingerprint, as after loading a file."""
    frame = minute_frame(rows)
    prices = Prices(*(np.rint(frame[name].to_numpy() * TICKS).astype(np.int64) for name in COLUMNS))
    stamps = np.asarray(frame.index, "datetime64[us]").astype(np.int64)
    return Candles(CATALOGUE["EURUSD"], "1m", MINUTE_US, stamps, prices, source="benchmark", fingerprint=f"benchmark {rows}")
