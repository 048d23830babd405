"""Floor traders' pivot points from the trading day before, New York 17:00 to 17:00.

The first trading day of the data may have begun before it and gives no levels: they start with the third.
"""

import pandas as pd

from sptrader_desktop.sdk import main, trading_day

__metadata_version__ = 2
__metadata__ = {
    "name": "pivot_points",
    "title": "Pivot Points",
    "family": "trend",
    "description": "The mean of yesterday's high, low and close, with two resistances and supports; the same all day.",
    "outputs": ["pivot", "r1", "s1", "r2", "s2"],
    "warm_up": "all",
}


class PivotPoints:
    def calculate(self, data: pd.DataFrame) -> pd.DataFrame:
        day = trading_day(data)
        days = data.groupby(day.to_numpy()).agg(high=("high", "max"), low=("low", "min"), close=("close", "last"))
        days.iloc[:1] = float("nan")
        before = days.shift(1).reindex(day).set_axis(data.index)
        high, low = before["high"], before["low"]
        pivot = (high + low + before["close"]) / 3
        wide = high - low
        return pd.DataFrame({"pivot": pivot, "r1": 2 * pivot - low, "s1": 2 * pivot - high, "r2": pivot + wide, "s2": pivot - wide})


if __name__ == "__main__":
    main(PivotPoints, __metadata__)
