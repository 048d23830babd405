"""Money flow index: a relative strength index in which each bar weighs with the money that changed hands."""

import pandas as pd

from sptrader_desktop.sdk import main, ratio, typical_price, typical_ticks, window_sum

__metadata_version__ = 2
__metadata__ = {
    "name": "mfi",
    "title": "Money Flow Index (MFI)",
    "family": "volume",
    "description": "Flows of bars with a rising typical price in percent of all flows of `period` changes, 0 to 100.",
    "parameters": {"period": {"type": "int", "default": 14, "min": 1, "max": 10000}},
    "outputs": ["mfi"],
    "levels": [20, 80],
    "warm_up": "period + 1",
}


class MFI:
    def __init__(self, period: int = 14) -> None:
        self.period = period

    def calculate(self, data: pd.DataFrame) -> pd.Series:
        change = typical_ticks(data).diff()
        flow = typical_price(data) * data["volume"]
        rising = window_sum(flow.where(change > 0, 0.0).where(change.notna()), self.period)
        falling = window_sum(flow.where(change < 0, 0.0).where(change.notna()), self.period)
        return (100 * ratio(rising, rising + falling)).rename("mfi")


if __name__ == "__main__":
    main(MFI, __metadata__)
