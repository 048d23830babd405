"""Wilder's average true range bar by bar: the same float operations in the same order as `core.atr`, so the same bits."""

from math import nan


class WilderNow:
    def __init__(self, period: int) -> None:
        self._period, self._bars, self._total, self._close = period, 0, 0, 0
        self.value = nan

    def add(self, high: int, low: int, close: int) -> float:
        if self._bars:
            true_range = max(high, self._close) - min(low, self._close)
            if self._bars <= self._period:
                self._total += true_range
                self.value = self._total / self._period if self._bars == self._period else nan
            else:
                self.value = (self.value * (self._period - 1) + true_range) / self._period
        self._bars += 1
        self._close = close
        return self.value
