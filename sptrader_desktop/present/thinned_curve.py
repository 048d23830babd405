"""A curve of any length as what its width can show: the first, lowest, highest and last value of each column, so that no peak is lost."""

import numpy as np
from numpy.typing import NDArray


def thinned(instants: NDArray[np.int64], values: NDArray[np.float64], span: tuple[int, int], width: int) -> list[tuple[int, float]]:
    """(column, value) from left to right; `instants` ascend and lie in `span`."""
    first, last = span
    columns = np.minimum((instants - first) * width // max(1, last - first), width - 1)
    starts = np.append(0, np.flatnonzero(np.diff(columns)) + 1)
    ends = np.append(starts[1:], len(columns)) - 1
    lows, highs = np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
    rows = zip(columns[starts].tolist(), values[starts].tolist(), lows.tolist(), highs.tolist(), values[ends].tolist(), strict=True)
    points: list[tuple[int, float]] = []
    for column, start, low, high, end in rows:
        points += [(column, value) for value in ((start, low, high, end) if low < high else (start,))]
    return points
