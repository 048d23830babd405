"""Hull's moving average: smooth and quick at once."""

import pandas as pd

from sptrader_desktop.sdk import main, ticks, weighted_average

__metadata_version__ = 2
__metadata__ = {
    "name": "hma",
    "title": "Hull Moving Average (HMA)",
    "family": "trend",
    "description": "WMA over √period of 2 WMA over period / 2 - WMA over period; √period and period / 2 are rounded down.",
    "parameters": {
        "period": {"type": "int", "default": 20, "min": 2, "max": 10000},
        "source": {"type": "str", "default": "close", "choices": ["open", "high", "low", "close"]},
    },
    "outputs": ["hma"],
    "warm_up": "2 * period",
}


class HMA:
    def __init__(self, period: int = 20, source: str = "close") -> None:
        self.period = period
        self.source = source

    def calculate(self, data: pd.DataFrame) -> pd.Series:
        prices = pd.Series(ticks(data, self.source), index=data.index)
        quick = 2 * weighted_average(prices, self.period // 2) - weighted_average(prices, self.period)
        return (weighted_average(quick, int(self.period**0.5)) / data.attrs["ticks_per_one"]).rename("hma")


if __name__ == "__main__":
    main(HMA, __metadata__)
