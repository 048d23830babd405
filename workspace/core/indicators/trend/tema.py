"""Triple exponential moving average: lags less than the double one."""

import pandas as pd

from sptrader_desktop.sdk import ema, main

__metadata_version__ = 2
__metadata__ = {
    "name": "tema",
    "title": "Triple Exponential Moving Average (TEMA)",
    "family": "trend",
    "description": "3 EMA - 3 EMA of EMA + EMA of EMA of EMA.",
    "parameters": {
        "period": {"type": "int", "default": 20, "min": 1, "max": 10000},
        "source": {"type": "str", "default": "close", "choices": ["open", "high", "low", "close"]},
    },
    "outputs": ["tema"],
    "warm_up": "25 * period",
}


class TEMA:
    def __init__(self, period: int = 20, source: str = "close") -> None:
        self.period = period
        self.source = source

    def calculate(self, data: pd.DataFrame) -> pd.Series:
        once = ema(data[self.source], self.period)
        twice = ema(once, self.period)
        return (3 * once - 3 * twice + ema(twice, self.period)).rename("tema")


if __name__ == "__main__":
    main(TEMA, __metadata__)
