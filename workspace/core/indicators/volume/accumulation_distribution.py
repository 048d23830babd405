"""Accumulation and distribution: volume counted by where in its bar the close stands.

Only its course means something, its level depends on where the data starts: `warm_up` is all.
"""

import pandas as pd

from sptrader_desktop.sdk import main, ratio

__metadata_version__ = 2
__metadata__ = {
    "name": "accumulation_distribution",
    "title": "Accumulation/Distribution Line",
    "family": "volume",
    "description": "The running sum of volume × ((close - low) - (high - close)) / (high - low); bars without a range add nothing.",
    "outputs": ["ad"],
    "warm_up": "all",
}


class AccumulationDistribution:
    def calculate(self, data: pd.DataFrame) -> pd.Series:
        high, low, close = data["high"], data["low"], data["close"]
        stands = ratio((close - low) - (high - close), high - low).fillna(0.0)
        return (stands * data["volume"]).cumsum().rename("ad")


if __name__ == "__main__":
    main(AccumulationDistribution, __metadata__)
