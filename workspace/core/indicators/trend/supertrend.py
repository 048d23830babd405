"""Supertrend: a line that trails the price at a distance of average true ranges and turns when the close crosses it.

The line never steps back, so it can rest on a bar of any age: `warm_up` is all. A Python loop, since each bar asks the one before it.
"""

import pandas as pd

from sptrader_desktop.sdk import main, true_range, wilder

__metadata_version__ = 2
__metadata__ = {
    "name": "supertrend",
    "title": "Supertrend",
    "family": "trend",
    "description": "A line `multiplier` ATRs off that never steps back; direction is 1 with the line below the price, else -1.",
    "parameters": {
        "period": {"type": "int", "default": 10, "min": 1, "max": 10000},
        "multiplier": {"type": "float", "default": 3, "min": 0.01, "max": 100},
    },
    "outputs": ["supertrend", "direction"],
    "warm_up": "all",
}


def _trail(closes: list[float], supports: list[float], resistances: list[float], start: int) -> tuple[list[float], list[float]]:
    nothing = [float("nan")] * min(start, len(closes))
    lines, directions = nothing.copy(), nothing.copy()
    support, resistance, direction = float("-inf"), float("inf"), 1.0
    before = closes[start] if start < len(closes) else 0.0
    for close, lower, upper in zip(closes[start:], supports[start:], resistances[start:], strict=True):
        support = lower if lower > support or before < support else support
        resistance = upper if upper < resistance or before > resistance else resistance
        if close > resistance:
            direction = 1.0
        elif close < support:
            direction = -1.0
        lines.append(support if direction > 0 else resistance)
        directions.append(direction)
        before = close
    return lines, directions


class Supertrend:
    def __init__(self, period: int = 10, multiplier: float = 3) -> None:
        self.period = period
        self.multiplier = multiplier

    def calculate(self, data: pd.DataFrame) -> pd.DataFrame:
        middle = (data["high"] + data["low"]) / 2
        reach = self.multiplier * wilder(true_range(data), self.period)
        lines, directions = _trail(data["close"].to_list(), (middle - reach).to_list(), (middle + reach).to_list(), self.period)
        return pd.DataFrame({"supertrend": lines, "direction": directions}, index=data.index)


if __name__ == "__main__":
    main(Supertrend, __metadata__)
