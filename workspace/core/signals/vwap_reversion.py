"""The close comes back towards the day's VWAP from far away, measured in standard deviations."""

from collections.abc import Mapping

import pandas as pd

from sptrader_desktop.sdk import events_where, falls_below, main, rises_above, trading_day

__metadata_version__ = 2
__metadata__ = {
    "name": "vwap_reversion",
    "description": "An event on the bar whose close comes back to within `deviations` standard deviations of the VWAP of its trading day.",
    "parameters": {
        "period": {"type": "int", "default": 20, "min": 2, "max": 5000, "description": "of the standard deviation"},
        "deviations": {"type": "float", "default": 1.5, "min": 0.1, "max": 10},
    },
    "required_indicators": [
        {"name": "vwap", "type": "vwap"},
        {"name": "deviation", "type": "standard_deviation", "params": {"period": "period"}},
    ],
    "event_types": ["bullish_reversal", "bearish_reversal"],
    "outputs": ["vwap", "distance", "current_price"],
    "warm_up": "all",
}


class VWAPReversion:
    def __init__(self, period: int = 20, deviations: float = 1.5) -> None:
        self.deviations = deviations

    def evaluate(self, data: pd.DataFrame, indicators: Mapping[str, pd.Series]) -> pd.DataFrame:
        close, vwap = data["close"], indicators["vwap"]
        distance = (close - vwap) / indicators["deviation"].where(indicators["deviation"] > 0)
        # When a new day begins the VWAP comes to the price, not the price to it.
        day = trading_day(data)
        same_day = day == day.shift(1)
        # Strength is how far beyond the asked distance the bar before was: twice as far is full.
        return events_where(
            data,
            {
                "bullish_reversal": same_day & rises_above(distance, -self.deviations),
                "bearish_reversal": same_day & falls_below(distance, self.deviations),
            },
            distance.shift(1).abs() / self.deviations - 1,
            vwap=vwap,
            distance=distance,
            current_price=close,
        )


if __name__ == "__main__":
    main(VWAPReversion, __metadata__)
