"""Double exponential moving average: twice the EMA less the EMA of the EMA, which lags less."""

import pandas as pd

from sptrader_desktop.sdk import ema, main

__metadata_version__ = 2
__metadata__ = {
    "name": "dema",
    "title": "Double Exponential Moving Average (DEMA)",
    "family": "trend",
    "description": "2 EMA - EMA of EMA.",
    "parameters": {
        "period": {"type": "int", "default": 20, "min": 1, "max": 10000},
        "source": {"type": "str", "default": "close", "choices": ["open", "high", "low", "close"]},
    },
    "outputs": ["dema"],
    "warm_up": "20 * period",
}


class DEMA:
    def __init__(self, period: int = 20, source: str = "close") -> None:
        self.period = period
        self.source = source

    def calculate(self, data: pd.DataFrame) -> pd.Series:
        once = ema(data[self.source], self.period)
        return (2 * once - ema(once, self.period)).rename("dema")


if __name__ == "__main__":
    main(DEMA, __metadata__)
