"""Historical volatility: the standard deviation of returns, in percent a year."""

import numpy as np
import pandas as pd

from sptrader_desktop.sdk import bars_per_year, deviation, main

__metadata_version__ = 2
__metadata__ = {
    "name": "historical_volatility",
    "title": "Historical Volatility",
    "family": "volatility",
    "description": "100 × the sample deviation of `period` log returns of the close × √(bars of a year of 252 trading days).",
    "parameters": {"period": {"type": "int", "default": 20, "min": 2, "max": 10000}},
    "outputs": ["volatility"],
    "warm_up": "period + 1",
}


class HistoricalVolatility:
    def __init__(self, period: int = 20) -> None:
        self.period = period

    def calculate(self, data: pd.DataFrame) -> pd.Series:
        closes = data["close"]
        returns = np.log1p(closes.diff() / closes.shift(1))
        return (100 * deviation(returns, self.period, ddof=1) * np.sqrt(bars_per_year(data))).rename("volatility")


if __name__ == "__main__":
    main(HistoricalVolatility, __metadata__)
