"""Volume-weighted average price of the trading day, New York 17:00 to 17:00.

The first trading day of the data may have begun before it and has no values.
"""

import pandas as pd

from sptrader_desktop.sdk import main, ratio, trading_day, typical_price

__metadata_version__ = 2
__metadata__ = {
    "name": "vwap",
    "title": "Volume-Weighted Average Price (VWAP)",
    "family": "volume",
    "description": "The typical prices since the roll, weighted with their volumes; no value before the day's first volume.",
    "outputs": ["vwap"],
    "warm_up": "all",
}


class VWAP:
    def calculate(self, data: pd.DataFrame) -> pd.Series:
        day = trading_day(data).to_numpy()
        traded = data["volume"].groupby(day).cumsum()
        paid = (typical_price(data) * data["volume"]).groupby(day).cumsum()
        return ratio(paid, traded).where(day != day[:1]).rename("vwap")


if __name__ == "__main__":
    main(VWAP, __metadata__)
