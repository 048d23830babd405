"""Within a trend the price dips to a faster average and closes back on the trend's side."""

from collections.abc import Mapping

import pandas as pd

from sptrader_desktop.sdk import above, below, events_where, main

__metadata_version__ = 2
__metadata__ = {
    "name": "average_pullback",
    "description": "An event on the bar that touches the weighted average and closes beyond it, as the slow triangular average slopes.",
    "parameters": {
        "pullback_period": {"type": "int", "default": 10, "min": 2, "max": 5000},
        "trend_period": {"type": "int", "default": 50, "min": 3, "max": 5000},
    },
    "required_indicators": [
        {"name": "wma", "type": "wma", "params": {"period": "pullback_period"}},
        {"name": "trima", "type": "trima", "params": {"period": "trend_period"}},
    ],
    "event_types": ["buy_pullback", "sell_pullback"],
    "outputs": ["wma", "trima", "current_price"],
    "warm_up": "trend_period + 1",
}


class AveragePullback:
    """The weighted average must itself lie on the trend's side of the triangular one: deeper dips are turns, not pullbacks."""

    def __init__(self, pullback_period: int = 10, trend_period: int = 50) -> None:
        if pullback_period >= trend_period:
            raise ValueError(f"pullback_period {pullback_period} must be below trend_period {trend_period}: shorten it")

    def evaluate(self, data: pd.DataFrame, indicators: Mapping[str, pd.Series]) -> pd.DataFrame:
        close, high, low = data["close"], data["high"], data["low"]
        wma, trima = indicators["wma"], indicators["trima"]
        slope = trima.diff()
        rising, falling = above(slope, 0, trima) & above(wma, trima), below(slope, 0, trima) & below(wma, trima)
        # Strength is the share of the bar's range that lies between the average and the close.
        return events_where(
            data,
            {
                "buy_pullback": rising & ~above(low, wma) & above(close, wma),
                "sell_pullback": falling & ~below(high, wma) & below(close, wma),
            },
            (close - wma).abs() / (high - low),
            wma=wma,
            trima=trima,
            current_price=close,
        )


if __name__ == "__main__":
    main(AveragePullback, __metadata__)
