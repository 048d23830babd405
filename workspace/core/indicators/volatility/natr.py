"""Average true range in percent of the close, comparable between symbols and years."""

import pandas as pd

from sptrader_desktop.sdk import main, true_range, wilder

__metadata_version__ = 2
__metadata__ = {
    "name": "natr",
    "title": "Normalized Average True Range (NATR)",
    "family": "volatility",
    "description": "100 ATR / close, with Wilder's average.",
    "parameters": {"period": {"type": "int", "default": 14, "min": 1, "max": 10000}},
    "outputs": ["natr"],
    "warm_up": "45 * period",
}


class NATR:
    def __init__(self, period: int = 14) -> None:
        self.period = period

    def calculate(self, data: pd.DataFrame) -> pd.Series:
        return (100 * wilder(true_range(data), self.period) / data["close"]).rename("natr")


if __name__ == "__main__":
    main(NATR, __metadata__)
