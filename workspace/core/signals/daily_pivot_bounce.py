"""The bar reaches one of the day's pivot levels and closes away from it, back on the side it came from."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from sptrader_desktop.sdk import above, below, events_where, main

__metadata_version__ = 2
__metadata__ = {
    "name": "daily_pivot_bounce",
    "description": "An event on the bar whose wick touches a pivot level under its open and close, or over them: it closes away from it.",
    "parameters": {},
    "required_indicators": [{"name": "pivots", "type": "pivot_points"}],
    "event_types": ["bullish_bounce", "bearish_bounce"],
    "outputs": ["level", "level_number", "current_price"],
    "warm_up": "all",
}

# From the second support to the second resistance; the number of a level counts from the pivot.
LEVELS = {"s2": -2, "s1": -1, "pivot": 0, "r1": 1, "r2": 2}


class DailyPivotBounce:
    def evaluate(self, data: pd.DataFrame, indicators: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        levels = indicators["pivots"][list(LEVELS)].to_numpy()
        opens, high, low, close = (data[name].to_numpy()[:, None] for name in ("open", "high", "low", "close"))
        under = below(levels, np.minimum(opens, close)) & ~below(levels, low)
        over = above(levels, np.maximum(opens, close)) & ~above(levels, high)
        is_up, is_down = under.any(axis=1), over.any(axis=1)
        # The levels ascend: the nearest support is the last one under the body, the nearest resistance the first one over it.
        which = np.where(is_up, len(LEVELS) - 1 - under[:, ::-1].argmax(axis=1), over.argmax(axis=1))
        level = np.take_along_axis(levels, which[:, None], axis=1)
        # A bar that bounced off a support and off a resistance says nothing. Strength is the part of its range beyond the body.
        beyond = np.where(is_up[:, None], np.minimum(opens, close) - low, high - np.maximum(opens, close))
        return events_where(
            data,
            {"bullish_bounce": is_up & ~is_down, "bearish_bounce": is_down & ~is_up},
            np.divide(beyond, high - low, out=np.zeros_like(high), where=high > low)[:, 0],
            level=level[:, 0],
            level_number=np.array(list(LEVELS.values()))[which],
            current_price=close[:, 0],
        )


if __name__ == "__main__":
    main(DailyPivotBounce, __metadata__)
