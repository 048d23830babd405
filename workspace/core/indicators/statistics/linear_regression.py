"""The straight line through the last prices, by least squares."""

import pandas as pd

from sptrader_desktop.sdk import main, regression

__metadata_version__ = 2
__metadata__ = {
    "name": "linear_regression",
    "title": "Linear Regression",
    "family": "statistics",
    "description": "The line's rise per bar, its price at this bar, and r2, the share of the variance it explains.",
    "parameters": {
        "period": {"type": "int", "default": 20, "min": 2, "max": 10000},
        "source": {"type": "str", "default": "close", "choices": ["open", "high", "low", "close"]},
    },
    "outputs": ["slope", "value", "r2"],
    "warm_up": "period",
}


class LinearRegression:
    def __init__(self, period: int = 20, source: str = "close") -> None:
        self.period = period
        self.source = source

    def calculate(self, data: pd.DataFrame) -> pd.DataFrame:
        return regression(data[self.source], self.period)


if __name__ == "__main__":
    main(LinearRegression, __metadata__)
