"""All that a component imports of us: exact averages, crossings, event tables, longer timeframes, a `main` that runs the file alone."""

from sptrader_desktop.sdk.alone import load_data_from_env, main
from sptrader_desktop.sdk.higher import higher_bars, higher_timeframe, last_closed
from sptrader_desktop.sdk.series import average, crossed_above, crossed_below, events, ticks

__all__ = [
    "average",
    "crossed_above",
    "crossed_below",
    "events",
    "higher_bars",
    "higher_timeframe",
    "last_closed",
    "load_data_from_env",
    "main",
    "ticks",
]
