"""All that a component imports of this package: averages, windows, readings of candles, event tables, and `main` to run the file alone.

`SignalPublisher` is for scripts that publish their signals themselves.
"""

from sptrader_desktop.sdk.alone import main
from sptrader_desktop.sdk.candles import bars_per_year, trading_day, true_range, typical_price, typical_ticks
from sptrader_desktop.sdk.higher import higher_bars, higher_timeframe, last_closed
from sptrader_desktop.sdk.publisher import SignalPublisher
from sptrader_desktop.sdk.series import average, crossed_above, crossed_below, events, ticks
from sptrader_desktop.sdk.signals import above, at_close, below, events_where, falls_below, rises_above, session_clocks
from sptrader_desktop.sdk.smoothing import above_ema, ema, rsi, wilder
from sptrader_desktop.sdk.sources import load_data_from_env
from sptrader_desktop.sdk.windows import (
    bars_since_highest,
    bars_since_lowest,
    correlation,
    deviation,
    highest,
    lowest,
    mean,
    ratio,
    regression,
    weighted_average,
    window_sum,
)

__all__ = [
    "SignalPublisher",
    "above",
    "above_ema",
    "at_close",
    "average",
    "bars_per_year",
    "bars_since_highest",
    "bars_since_lowest",
    "below",
    "correlation",
    "crossed_above",
    "crossed_below",
    "deviation",
    "ema",
    "events",
    "events_where",
    "falls_below",
    "higher_bars",
    "higher_timeframe",
    "highest",
    "last_closed",
    "load_data_from_env",
    "lowest",
    "main",
    "mean",
    "ratio",
    "regression",
    "rises_above",
    "rsi",
    "session_clocks",
    "ticks",
    "trading_day",
    "true_range",
    "typical_price",
    "typical_ticks",
    "weighted_average",
    "wilder",
    "window_sum",
]
