"""Where a price axis is labelled: whole multiples of 1, 2 or 5 times a power of ten, so that a label never needs to be rounded."""

from math import ceil, floor, log10

import numpy as np

from sptrader_desktop.present.chart_frame import Frame, from_scale

MOST = 60


def nice_step(least: float) -> float:
    """The smallest of 1, 2 and 5 times a power of ten that is at least as large."""
    power = 10.0 ** floor(log10(least))
    return next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= least * (1 - 1e-9))


def price_marks(frame: Frame, gap: int, least: float = 1.0) -> list[float]:
    """Values at least `gap` device pixels apart, ascending; never closer than `least`, which is 1 for ticks."""
    low, high = from_scale(frame.low, frame.is_log), from_scale(frame.high, frame.is_log)
    room = frame.height // gap
    if room < 1 or not np.isfinite([low, high]).all() or high <= low:
        return []
    step = max(nice_step((high - low) / room), least)
    values = _multiples(low, high, step)
    if not frame.is_log:
        return values
    # Equal steps crowd at the top of a logarithmic scale: those that would touch are left out, the roundest stay.
    kept: list[float] = []
    for value in sorted(values, key=lambda value: -_roundness(value, step)):
        if all(abs(frame.y_of(value) - frame.y_of(other)) >= gap for other in kept):
            kept.append(value)
    return sorted(kept)


def _multiples(low: float, high: float, step: float) -> list[float]:
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return [n * step for n in range(first, min(last, first + MOST) + 1)]


def _roundness(value: float, step: float) -> int:
    count = round(value / step)
    return 6 if count == 0 else next((power for power in range(5, 0, -1) if count % 10**power == 0), 0)


def places_of(step: float) -> int:
    """The decimals that tell one multiple of a step from the next."""
    return max(0, -floor(log10(step) + 1e-9)) if step > 0 else 0
