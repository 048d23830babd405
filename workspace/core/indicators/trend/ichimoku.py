"""Ichimoku Kinko Hyo without its chikou span, which is tomorrow's close drawn on today's bar."""

import pandas as pd

from sptrader_desktop.sdk import highest, lowest, main

__metadata_version__ = 2
__metadata__ = {
    "name": "ichimoku",
    "title": "Ichimoku Cloud",
    "family": "trend",
    "description": "Middles of three ranges; the spans are those of `displacement` bars ago, as a chart shows them at this bar.",
    "parameters": {
        "tenkan_period": {"type": "int", "default": 9, "min": 1, "max": 10000},
        "kijun_period": {"type": "int", "default": 26, "min": 1, "max": 10000},
        "senkou_period": {"type": "int", "default": 52, "min": 1, "max": 10000},
        "displacement": {"type": "int", "default": 26, "min": 0, "max": 10000},
    },
    "outputs": ["tenkan", "kijun", "senkou_a", "senkou_b"],
    "warm_up": "max(tenkan_period, kijun_period, senkou_period) + displacement",
}


def _middle(data: pd.DataFrame, period: int) -> pd.Series:
    return (highest(data["high"], period) + lowest(data["low"], period)) / 2


class Ichimoku:
    def __init__(self, tenkan_period: int = 9, kijun_period: int = 26, senkou_period: int = 52, displacement: int = 26) -> None:
        self.tenkan_period = tenkan_period
        self.kijun_period = kijun_period
        self.senkou_period = senkou_period
        self.displacement = displacement

    def calculate(self, data: pd.DataFrame) -> pd.DataFrame:
        tenkan, kijun = _middle(data, self.tenkan_period), _middle(data, self.kijun_period)
        ahead = (tenkan + kijun) / 2
        return pd.DataFrame(
            {
                "tenkan": tenkan,
                "kijun": kijun,
                "senkou_a": ahead.shift(self.displacement),
                "senkou_b": _middle(data, self.senkou_period).shift(self.displacement),
            }
        )


if __name__ == "__main__":
    main(Ichimoku, __metadata__)
