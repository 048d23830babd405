"""A bar within the range of the one before it, and the close that leaves that range: a pause, and its end."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from sptrader_desktop.sdk import events_where, main

__metadata_version__ = 2
__metadata__ = {
    "name": "inside_bar_breakout",
    "description": "inside_bar on the bar whose range lies within that of the bar before, its mother; breakout_up or breakout_down when"
    " the very next bar closes beyond the mother's range.",
    "parameters": {},
    "event_types": ["inside_bar", "breakout_up", "breakout_down"],
    "outputs": ["mother_high", "mother_low", "current_price"],
    "warm_up": "3",
}


class InsideBarBreakout:
    def evaluate(self, data: pd.DataFrame, indicators: Mapping[str, pd.Series]) -> pd.DataFrame:
        high, low, close = data["high"], data["low"], data["close"]
        size = high - low
        is_inside = (high <= high.shift(1)) & (low >= low.shift(1)) & (size < size.shift(1))
        was_inside = is_inside.shift(1, fill_value=False)
        up, down = was_inside & (close > high.shift(2)), was_inside & (close < low.shift(2))
        mother = np.where(up | down, 2, 1)
        mother_high = np.where(mother == 2, high.shift(2), high.shift(1))
        mother_low = np.where(mother == 2, low.shift(2), low.shift(1))
        inside = np.where(mother == 2, size.shift(1), size)
        # Strength is how much narrower than its mother the inside bar is.
        return events_where(
            data,
            {"inside_bar": is_inside, "breakout_up": up, "breakout_down": down},
            1 - inside / np.where(mother_high > mother_low, mother_high - mother_low, np.nan),
            mother_high=mother_high,
            mother_low=mother_low,
            current_price=close,
        )


if __name__ == "__main__":
    main(InsideBarBreakout, __metadata__)
