"""Bollinger bands: an average with standard deviations (of the population) around it."""

import pandas as pd

from sptrader_desktop.sdk import average, deviation, main, ratio

__metadata_version__ = 2
__metadata__ = {
    "name": "bollinger",
    "title": "Bollinger Bands",
    "family": "volatility",
    "description": "Average ± `deviations` σ; width is their distance over the average, percent_b 0 on the lower and 1 on the upper band.",
    "parameters": {
        "period": {"type": "int", "default": 20, "min": 2, "max": 10000},
        "deviations": {"type": "float", "default": 2, "min": 0.01, "max": 100},
        "source": {"type": "str", "default": "close", "choices": ["open", "high", "low", "close"]},
    },
    "outputs": ["upper", "middle", "lower", "width", "percent_b"],
    "warm_up": "period",
}


class Bollinger:
    def __init__(self, period: int = 20, deviations: float = 2, source: str = "close") -> None:
        self.period = period
        self.deviations = deviations
        self.source = source

    def calculate(self, data: pd.DataFrame) -> pd.DataFrame:
        middle = average(data, self.source, self.period)
        reach = self.deviations * deviation(data[self.source], self.period)
        return pd.DataFrame(
            {
                "upper": middle + reach,
                "middle": middle,
                "lower": middle - reach,
                "width": 2 * reach / middle,
                "percent_b": 0.5 + ratio(data[self.source] - middle, 2 * reach),
            }
        )


if __name__ == "__main__":
    main(Bollinger, __metadata__)
