"""Candle files in which averages cross: slow waves, and walks as rough as a market's."""

from pathlib import Path

import numpy as np

from tests.candle_builders import HOUR_US, parquet


def waves(folder: Path, symbol: str, one: int, middle: int, first: str = "2024-02-01", bars: int = 600) -> Path:
    """Hourly candles around `middle` ticks, where `one` ticks are a price of 1; slow waves, so that averages cross."""
    hours = np.arange(bars)
    close = middle + np.rint(middle / 200 * np.sin(hours / 25)).astype(np.int64) + hours % 3
    opens = np.concatenate([close[:1], close[:-1]])
    reach = middle // 2_000
    high, low = np.maximum(opens, close) + reach, np.minimum(opens, close) - reach
    stamps = (np.datetime64(first, "us") + hours * np.timedelta64(HOUR_US, "us")).astype(np.int64)
    columns = {"timestamp": stamps, "open": opens / one, "high": high / one, "low": low / one, "close": close / one}
    return parquet(folder / f"{symbol}_1h_{first}.parquet", columns)


def walk(folder: Path, symbol: str, one: int, middle: int, seed: int, bars: int = 700) -> Path:
    rng = np.random.default_rng(seed)
    close = middle + np.cumsum(rng.integers(-40, 41, bars))
    opens = np.concatenate([close[:1], close[:-1]]) + rng.integers(-3, 4, bars)
    high, low = np.maximum(opens, close) + rng.integers(0, 30, bars), np.minimum(opens, close) - rng.integers(0, 30, bars)
    stamps = (np.datetime64("2024-02-01", "us") + np.arange(bars) * np.timedelta64(HOUR_US, "us")).astype(np.int64)
    columns = {name: values / one for name, values in (("open", opens), ("high", high), ("low", low), ("close", close))}
    return parquet(folder / f"{symbol}_1h_walk.parquet", {"timestamp": stamps, **columns})
