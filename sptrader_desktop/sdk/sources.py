"""The candles of a script run alone: which source the environment names, and the frame it gives.

What the variables mean is a public contract; everything that is missing or wrong is one sentence on the way out.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pandas as pd


def load_data_from_env() -> pd.DataFrame:
    """The candles that DATA_SOURCE and its variables name."""
    from sptrader_desktop.core.errors import SptraderError

    source = os.environ.get("DATA_SOURCE") or "parquet"
    load = _SOURCES.get(source)
    if load is None:
        raise SystemExit(f"DATA_SOURCE={source}: give one of {', '.join(_SOURCES)}")
    try:
        return load()
    except SptraderError as error:
        raise SystemExit(str(error)) from None


def _from_dataset() -> pd.DataFrame:
    """A bare file name is looked up in the workspace's data folder."""
    from sptrader_desktop.adapters.candle_files import load_candles
    from sptrader_desktop.adapters.component_frames import candle_frame

    example = "for example EURUSD_1h_2024-01-02_2024-05-31.parquet"
    return candle_frame(load_candles(_dataset(Path(_needed("TEST_DATASET", f"name a candle file, {example}")))))


def _from_cache() -> pd.DataFrame:
    """The candles that the program has written for components: `CACHE_DIR/CACHE_KEY.arrow`."""
    from sptrader_desktop.adapters.arrow_components import SUFFIX
    from sptrader_desktop.adapters.arrow_frames import read_candles

    folder, key = _needed("CACHE_DIR", "name the folder of CACHE_KEY"), _needed("CACHE_KEY", "name a file of CACHE_DIR without its ending")
    return read_candles(Path(folder) / f"{key}{SUFFIX}")


def _from_store() -> pd.DataFrame:
    """What a person named goes first: PostgreSQL where its address is set, else the server of candles where that is, else the catalogue."""
    from sptrader_desktop.adapters.component_frames import candle_frame
    from sptrader_desktop.compose_data import SOURCES, known_instruments
    from sptrader_desktop.ports import CandleRequest
    from sptrader_desktop.runtime.recipe_values import moment
    from sptrader_desktop.settings import load_settings

    symbol, timeframe = _needed("LIVE_SYMBOL", _SYMBOL), _needed("LIVE_TIMEFRAME", _TIMEFRAME)
    start, end = moment(os.environ.get("LIVE_FROM") or "", "LIVE_FROM"), moment(os.environ.get("LIVE_TO") or "", "LIVE_TO")
    settings = load_settings()
    store = "postgres" if settings.database_url else "http" if settings.market_data else "catalogue"
    with SOURCES[store](settings, known_instruments()) as source:
        return candle_frame(source.candles(CandleRequest(symbol, timeframe, start, end)))


def _from_prices() -> pd.DataFrame:
    """The realtime window as it is now: closed candles only."""
    from contextlib import closing

    from sptrader_desktop.adapters.component_frames import candle_frame
    from sptrader_desktop.compose_servers import open_realtime
    from sptrader_desktop.ports import CandleRequest
    from sptrader_desktop.settings import load_settings

    symbol, timeframe = _needed("REALTIME_SYMBOL", _SYMBOL), _needed("REALTIME_TIMEFRAME", _TIMEFRAME)
    text = _needed("REALTIME_WINDOW", "say how many closed candles at most, for example 100")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise SystemExit(f"REALTIME_WINDOW={text}: give a whole number of candles, for example 100")
    with closing(open_realtime(load_settings(), symbol, timeframe, int(text))) as window:
        return candle_frame(window.candles(CandleRequest(symbol, timeframe)))


_SYMBOL, _TIMEFRAME = "name a symbol, for example EURUSD", "name a timeframe, for example 1h"
_SOURCES: dict[str, Callable[[], pd.DataFrame]] = {
    "parquet": _from_dataset,
    "live": _from_store,
    "realtime": _from_prices,
    "cache": _from_cache,
}


def _needed(variable: str, what: str) -> str:
    value = os.environ.get(variable)
    if not value:
        raise SystemExit(f"{variable} is not set: {what}")
    return value


def _dataset(path: Path) -> Path:
    for folder in (Path(), *Path.cwd().parents, Path.cwd()):
        for candidate in (folder / path, folder / "data" / path):
            if candidate.is_file():
                return candidate
    return path
