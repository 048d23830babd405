"""Wilder's directional movement: how strong a trend is, and which way.

A bar moves in the direction in which it outdoes the bar before it more; moves are compared as floats, as TA-Lib does. Where there is no
movement in either direction DX counts as zero, while TA-Lib keeps the old ADX. Wilder's averages start from the mean of their first window.
"""

import pandas as pd

from sptrader_desktop.sdk import main, ratio, true_range, wilder

__metadata_version__ = 2
__metadata__ = {
    "name": "adx",
    "title": "Average Directional Index (ADX)",
    "family": "trend",
    "description": "ADX averages 100 |+DI - -DI| / (+DI + -DI), 0 to 100; the DI are directional moves in percent of the true range.",
    "parameters": {"period": {"type": "int", "default": 14, "min": 1, "max": 10000}},
    "outputs": ["adx", "plus_di", "minus_di"],
    "levels": [25],
    "warm_up": "65 * period",
}


class ADX:
    def __init__(self, period: int = 14) -> None:
        self.period = period

    def calculate(self, data: pd.DataFrame) -> pd.DataFrame:
        up, down = data["high"].diff(), -data["low"].diff()
        plus = wilder(up.where((up > down) & (up > 0), 0.0).where(up.notna()), self.period)
        minus = wilder(down.where((down > up) & (down > 0), 0.0).where(down.notna()), self.period)
        moved = plus + minus
        strength = (100 * (plus - minus).abs() / moved).where(moved != 0, 0.0)
        wide = wilder(true_range(data), self.period)
        adx = wilder(strength, self.period)
        return pd.DataFrame({"adx": adx, "plus_di": 100 * ratio(plus, wide), "minus_di": 100 * ratio(minus, wide)})


if __name__ == "__main__":
    main(ADX, __metadata__)
