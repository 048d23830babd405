"""Averaged candles: the close is the mean of four prices, the open the mean of the open and close before."""

import numpy as np

from sptrader_desktop.core.candles import Prices
from sptrader_desktop.present.pyramid import Level

# An open is half the one before: after so many bars nothing of the first one is left in a float64.
MEMORY = 64


def heikin_ashi(prices: Prices, start: int, stop: int) -> Level:
    """Bars `start` up to `stop` in float ticks. The first bar of all opens at the mean of its open and close."""
    begin = max(0, start - MEMORY)
    window = slice(begin, stop)
    opened, high, low, closed = (column[window].astype(np.float64) for column in (prices.open, prices.high, prices.low, prices.close))
    mean = (opened + high + low + closed) / 4
    average = np.empty_like(mean)
    if len(mean):
        average[0] = (opened[0] + closed[0]) / 2
        average[1:] = mean[:-1] / 2
        _halve(average)
    highest, lowest = np.maximum(np.maximum(high, average), mean), np.minimum(np.minimum(low, average), mean)
    return Level(average, highest, lowest, mean).cut(start - begin, stop - begin)


def _halve(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    """values[i] += values[i - 1] / 2, from left to right: in six passes, since each pass doubles how far back it has looked."""
    distance, weight = 1, 0.5
    while distance < min(MEMORY, len(values)):
        values[distance:] += weight * values[:-distance].copy()
        distance, weight = 2 * distance, weight * weight
