"""A filter: on which side of its average the last finished bar of a longer timeframe closed."""

from collections.abc import Mapping

import pandas as pd

from sptrader_desktop.sdk import above, average, below, events_where, higher_bars, last_closed, main

__metadata_version__ = 2
__metadata__ = {
    "name": "higher_timeframe_trend",
    "description": "Holds on every bar: uptrend or downtrend, as the last finished longer bar closed above or below the average of these.",
    "parameters": {
        "timeframe": {"type": "str", "default": "4h", "description": "longer than the candles' own, as 4h, 1d or 1w"},
        "period": {"type": "int", "default": 20, "min": 1, "max": 1000, "description": "of the average, in bars of the longer timeframe"},
    },
    "event_types": ["uptrend", "downtrend"],
    "outputs": ["higher_close", "higher_average"],
    "warm_up": "all",
}

# Strength is the way from average to close: one percent of the average is full.
FULL_STRENGTH_DISTANCE = 0.01


class HigherTimeframeTrend:
    def __init__(self, timeframe: str = "4h", period: int = 20) -> None:
        self.timeframe, self.period = timeframe, period

    def evaluate(self, data: pd.DataFrame, indicators: Mapping[str, pd.Series]) -> pd.DataFrame:
        bars = higher_bars(data, self.timeframe)
        close = last_closed(data, bars["close"], self.timeframe)
        mean = last_closed(data, average(bars, "close", self.period), self.timeframe)
        return events_where(
            data,
            {"uptrend": above(close, mean), "downtrend": below(close, mean)},
            (close - mean).abs() / mean / FULL_STRENGTH_DISTANCE,
            higher_close=close,
            higher_average=mean,
        )


if __name__ == "__main__":
    main(HigherTimeframeTrend, __metadata__)
