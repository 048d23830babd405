"""The MACD line crosses its signal line."""

from collections.abc import Mapping

import pandas as pd

from sptrader_desktop.sdk import events_where, falls_below, main, rises_above

__metadata_version__ = 2
__metadata__ = {
    "name": "macd_crossover",
    "description": "An event on the bar whose close brings the MACD line to the other side of its signal line.",
    "parameters": {
        "fast_period": {"type": "int", "default": 12, "min": 2, "max": 1000},
        "slow_period": {"type": "int", "default": 26, "min": 3, "max": 1000},
        "signal_period": {"type": "int", "default": 9, "min": 1, "max": 1000},
    },
    "required_indicators": [
        {
            "name": "macd",
            "type": "macd",
            "params": {"fast_period": "fast_period", "slow_period": "slow_period", "signal_period": "signal_period"},
        }
    ],
    "event_types": ["bullish_cross", "bearish_cross"],
    "outputs": ["macd", "signal", "histogram", "current_price"],
    "warm_up": "25 * (slow_period + signal_period) + 1",
}

# Strength is the histogram: a hundredth of a percent of the price is full.
FULL_STRENGTH_HISTOGRAM = 0.0001


class MACDCrossover:
    def __init__(self, fast_period: int = 12, slow_period: int = 26, signal_period: int = 9) -> None:
        if fast_period >= slow_period:
            raise ValueError(f"fast_period {fast_period} must be below slow_period {slow_period}: shorten it")
        self.signal_period = signal_period

    def evaluate(self, data: pd.DataFrame, indicators: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        lines, close = indicators["macd"], data["close"]
        macd, signal, histogram = lines["macd"], lines["signal"], lines["histogram"]
        return events_where(
            data,
            {"bullish_cross": rises_above(macd, signal, close), "bearish_cross": falls_below(macd, signal, close)},
            histogram.abs() / close / FULL_STRENGTH_HISTOGRAM,
            macd=macd,
            signal=signal,
            histogram=histogram,
            current_price=close,
        )


if __name__ == "__main__":
    main(MACDCrossover, __metadata__)
