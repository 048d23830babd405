"""Wilder's parabolic stop and reverse: a stop that hastens after the trend until it is touched.

It starts with the direction of the larger of the first two directional moves. A stop can have been set at any earlier bar: `warm_up` is
all. A Python loop, since each bar asks the one before it.
"""

import pandas as pd

from sptrader_desktop.sdk import main

__metadata_version__ = 2
__metadata__ = {
    "name": "parabolic_sar",
    "title": "Parabolic Stop and Reverse (SAR)",
    "family": "trend",
    "description": "The stop in force on each bar, after a touch the new one; direction is 1 with the stop below the price, else -1.",
    "parameters": {
        "step": {"type": "float", "default": 0.02, "min": 0.0001, "max": 1},
        "maximum": {"type": "float", "default": 0.2, "min": 0.0001, "max": 1},
    },
    "outputs": ["sar", "direction"],
    "warm_up": "all",
}


def _follow(highs: list[float], lows: list[float], step: float, maximum: float) -> tuple[list[float], list[float]]:
    stops, directions = [float("nan")] * len(highs), [float("nan")] * len(highs)
    if len(highs) < 2:
        return stops, directions
    down = lows[0] - lows[1]
    is_long = down <= 0 or down <= highs[1] - highs[0]
    stop, extreme = (lows[0], highs[1]) if is_long else (highs[0], lows[1])
    pace = step = min(step, maximum)
    high_before, low_before = highs[1], lows[1]
    for bar in range(1, len(highs)):
        high, low = highs[bar], lows[bar]
        if low <= stop if is_long else high >= stop:
            is_long = not is_long
            stop = min(extreme, low_before, low) if is_long else max(extreme, high_before, high)
            pace, extreme = step, high if is_long else low
        elif high > extreme if is_long else low < extreme:
            pace, extreme = min(pace + step, maximum), high if is_long else low
        stops[bar], directions[bar] = stop, 1.0 if is_long else -1.0
        stop += pace * (extreme - stop)
        # The stop for the next bar lies beyond neither of the last two.
        stop = min(stop, low_before, low) if is_long else max(stop, high_before, high)
        high_before, low_before = high, low
    return stops, directions


class ParabolicSAR:
    def __init__(self, step: float = 0.02, maximum: float = 0.2) -> None:
        self.step = step
        self.maximum = maximum

    def calculate(self, data: pd.DataFrame) -> pd.DataFrame:
        stops, directions = _follow(data["high"].to_list(), data["low"].to_list(), self.step, self.maximum)
        return pd.DataFrame({"sar": stops, "direction": directions}, index=data.index)


if __name__ == "__main__":
    main(ParabolicSAR, __metadata__)
