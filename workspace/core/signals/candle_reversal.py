"""Single candles that turn a move round: pin bars, which were refused at an extreme, and engulfing bars, which take the last one back."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from sptrader_desktop.sdk import events_where, main

__metadata_version__ = 2
__metadata__ = {
    "name": "candle_reversal",
    "description": "A pin bar's wick is `wick` of its range or more; an engulfing bar's body covers the one before, of other colour.",
    "parameters": {"wick": {"type": "float", "default": 0.66, "min": 0.4, "max": 0.95}},
    "event_types": ["bullish_pin_bar", "bearish_pin_bar", "bullish_engulfing", "bearish_engulfing"],
    "outputs": ["wick_below", "wick_above", "range", "current_price"],
    "warm_up": "2",
}


class CandleReversal:
    def __init__(self, wick: float = 0.66) -> None:
        self.wick = wick

    def evaluate(self, data: pd.DataFrame, indicators: Mapping[str, pd.Series]) -> pd.DataFrame:
        opens, high, low, close = (data[name] for name in ("open", "high", "low", "close"))
        size = (high - low).where(high > low)
        wick_below, wick_above = (np.minimum(opens, close) - low) / size, (high - np.maximum(opens, close)) / size
        last_open, last_close = opens.shift(1), close.shift(1)
        up = (last_close < last_open) & (opens <= last_close) & (close >= last_open)
        down = (last_close > last_open) & (opens >= last_close) & (close <= last_open)
        is_bullish = (wick_below >= self.wick) | up
        # Strength is where in its range the bar closed, seen from the end it was turned away from.
        return events_where(
            data,
            {
                "bullish_pin_bar": wick_below >= self.wick,
                "bearish_pin_bar": wick_above >= self.wick,
                "bullish_engulfing": up,
                "bearish_engulfing": down,
            },
            np.where(is_bullish, close - low, high - close) / size,
            wick_below=wick_below,
            wick_above=wick_above,
            range=size,
            current_price=close,
        )


if __name__ == "__main__":
    main(CandleReversal, __metadata__)
