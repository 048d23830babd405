"""Equity and drawdown as vector pictures without colours of their own: the page's style says those, in light and in dark."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sptrader_desktop.core.money import MONEY_ONE
from sptrader_desktop.present.numbers import amount, clock, share
from sptrader_desktop.present.thinned_curve import thinned

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 900, 240, 96, 24, 12
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Svg(NamedTuple):
    """`body` holds numbers and words made here only; `words` say what it shows."""

    box: str
    body: str
    words: str


def equity_picture(instants: Ints, equity: Ints, capital: int, currency: str) -> Svg | None:
    if not len(equity):
        return None
    low, high = min(int(equity.min()), capital), max(int(equity.max()), capital)
    words = f"From {amount(capital)} to {amount(int(equity[-1]))} {currency}; lowest {amount(low)}, highest {amount(high)}."
    lines = [(capital / MONEY_ONE, amount(capital)), (low / MONEY_ONE, amount(low)), (high / MONEY_ONE, amount(high))]
    return _picture(instants, equity / MONEY_ONE, lines, words, "curve")


def drawdown_picture(instants: Ints, equity: Ints, capital: int) -> Svg | None:
    if not len(equity):
        return None
    peaks = np.maximum(np.maximum.accumulate(equity), capital)
    fall = (equity - peaks) / peaks
    words = f"The largest is {share(float(-fall.min()))} of the highest equity before it."
    return _picture(instants, fall, [(0.0, share(0.0)), (float(fall.min()), share(float(fall.min())))], words, "fall")


def _picture(instants: Ints, values: Floats, lines: list[tuple[float, str]], words: str, kind: str) -> Svg:
    low, high = min(value for value, _ in lines), max(value for value, _ in lines)
    span = (high - low) or 1.0

    def y(value: float) -> float:
        return TOP + (high - value) / span * (HEIGHT - TOP - BOTTOM)

    body = []
    drawn: list[float] = []
    for value, label in lines:
        body.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>')
        if all(abs(y(value) - other) > 14 for other in drawn):
            body.append(f'<text x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{label}</text>')
            drawn.append(y(value))
    curve = thinned(instants, values, (int(instants[0]), int(instants[-1])), WIDTH - LEFT)
    points = " ".join(f"{LEFT + x},{y(value):.1f}" for x, value in curve)
    body.append(f'<polyline class="{kind}" points="{points}"/>')
    for x, anchor, stamp in ((LEFT, "start", instants[0]), (WIDTH, "end", instants[-1])):
        body.append(f'<text x="{x}" y="{HEIGHT - 6}" text-anchor="{anchor}">{clock(int(stamp))}{" UTC" if anchor == "end" else ""}</text>')
    return Svg(f"0 0 {WIDTH} {HEIGHT}", "".join(body), words)
