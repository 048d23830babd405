"""Keltner channel: an exponential average with average true ranges around it."""

import pandas as pd

from sptrader_desktop.sdk import ema, main, true_range, wilder

__metadata_version__ = 2
__metadata__ = {
    "name": "keltner",
    "title": "Keltner Channels",
    "family": "volatility",
    "description": "Lines `multiplier` average true ranges (Wilder's) away from the EMA of the close.",
    "parameters": {
        "period": {"type": "int", "default": 20, "min": 1, "max": 10000},
        "atr_period": {"type": "int", "default": 10, "min": 1, "max": 10000},
        "multiplier": {"type": "float", "default": 2, "min": 0.01, "max": 100},
    },
    "outputs": ["upper", "middle", "lower"],
    "warm_up": "max(20 * period, 45 * atr_period)",
}


class Keltner:
    def __init__(self, period: int = 20, atr_period: int = 10, multiplier: float = 2) -> None:
        self.period = period
        self.atr_period = atr_period
        self.multiplier = multiplier

    def calculate(self, data: pd.DataFrame) -> pd.DataFrame:
        middle = ema(data["close"], self.period)
        reach = self.multiplier * wilder(true_range(data), self.atr_period)
        return pd.DataFrame({"upper": middle + reach, "middle": middle, "lower": middle - reach})


if __name__ == "__main__":
    main(Keltner, __metadata__)
