"""Commodity channel index: how far the typical price is from its average, measured in mean deviations."""

import numpy as np
import pandas as pd

from sptrader_desktop.sdk import main, typical_ticks, window_sum

__metadata_version__ = 2
__metadata__ = {
    "name": "cci",
    "title": "Commodity Channel Index (CCI)",
    "family": "momentum",
    "description": "(typical price - its average) / (0.015 × its mean absolute deviation); no value where it stands still.",
    "parameters": {"period": {"type": "int", "default": 20, "min": 2, "max": 1000}},
    "outputs": ["cci"],
    "levels": [-100, 100],
    "warm_up": "period",
}


class CCI:
    def __init__(self, period: int = 20) -> None:
        self.period = period

    def calculate(self, data: pd.DataFrame) -> pd.Series:
        typical = typical_ticks(data).to_numpy()
        values = np.full(len(typical), np.nan)
        if len(typical) >= self.period:
            windows = np.lib.stride_tricks.sliding_window_view(typical, self.period)
            total = window_sum(pd.Series(typical), self.period).to_numpy()[self.period - 1 :]
            # Whole numbers all the way: everything is counted `period` times, so that no mean needs to be rounded.
            away = sum(np.abs(self.period * windows[:, bar] - total) for bar in range(self.period))
            with np.errstate(invalid="ignore"):
                values[self.period - 1 :] = (self.period * windows[:, -1] - total) * self.period / (0.015 * away)
        return pd.Series(values, index=data.index, name="cci")


if __name__ == "__main__":
    main(CCI, __metadata__)
