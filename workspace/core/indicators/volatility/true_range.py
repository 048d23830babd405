"""The range of each bar with the close before it taken in, so that gaps count; the first bar has none."""

import pandas as pd

from sptrader_desktop.sdk import main, true_range

__metadata_version__ = 2
__metadata__ = {
    "name": "true_range",
    "title": "True Range",
    "family": "volatility",
    "description": "max(high, close before) - min(low, close before).",
    "outputs": ["true_range"],
    "warm_up": "2",
}


class TrueRange:
    def calculate(self, data: pd.DataFrame) -> pd.Series:
        return true_range(data).rename("true_range")


if __name__ == "__main__":
    main(TrueRange, __metadata__)
