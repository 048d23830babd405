"""What is read off candles before anything is averaged: ranges, typical prices, trading days, the bars of a year."""

import numpy as np
import pandas as pd

from sptrader_desktop.core.calendar import DAY_US, week_trading_day
from sptrader_desktop.core.calendar import trading_day as day_of
from sptrader_desktop.core.instruments import CATALOGUE
from sptrader_desktop.core.timeframes import parse_timeframe
from sptrader_desktop.sdk.series import ticks


def true_range(data: pd.DataFrame) -> pd.Series:
    """The range of each bar with the close before it taken in; the first bar has none."""
    before = data["close"].shift(1)
    top, bottom = np.maximum(data["high"].to_numpy(), before.to_numpy()), np.minimum(data["low"].to_numpy(), before.to_numpy())
    return pd.Series(top - bottom, index=data.index)


def typical_ticks(data: pd.DataFrame) -> pd.Series:
    """High, low and close added up in ticks: three times the typical price, in whole numbers."""
    return pd.Series(ticks(data, "high") + ticks(data, "low") + ticks(data, "close"), index=data.index)


def typical_price(data: pd.DataFrame) -> pd.Series:
    """The mean of high, low and close."""
    ticks_per_one: int = data.attrs["ticks_per_one"]
    return typical_ticks(data) / (3 * ticks_per_one)


def trading_day(data: pd.DataFrame) -> pd.Series:
    """The date of each bar's trading day, which begins at 17:00 in New York the evening before.

    Stray bars of the weekend count to Monday, unless the symbol is one of ours that trades through it.
    """
    days = day_of(pd.DatetimeIndex(data.index).as_unit("us").asi8)
    days = days if _is_always_open(data) else week_trading_day(days)
    return pd.Series(days.astype("M8[D]").astype("M8[s]"), index=data.index)


def bars_per_year(data: pd.DataFrame) -> float:
    """How many bars of this length a year of 252 trading days has, of 365 where the symbol trades on all days or a bar spans several."""
    bar = parse_timeframe(data.attrs["timeframe"])
    days = 365 if bar > DAY_US or _is_always_open(data) else 252
    return days * DAY_US / bar


def _is_always_open(data: pd.DataFrame) -> bool:
    known = CATALOGUE.get(data.attrs["symbol"])
    return known is not None and known.charged_every_day
