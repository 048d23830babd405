"""All that a component imports of this package: exact averages, crossings, event tables, and a `main` that runs the file alone."""

from sptrader_desktop.sdk.alone import load_data_from_env, main
from sptrader_desktop.sdk.series import average, crossed_above, crossed_below, events, ticks

__all__ = ["average", "crossed_above", "crossed_below", "events", "load_data_from_env", "main", "ticks"]
