"""How late the window's loop is, measured always: a beat comes every 20 ms, and whatever keeps it waiting is what a person feels.

A stall of s ms makes the next beat between s − 20 and s ms late.
"""

import math
import time
from collections import deque
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QObject, Qt, QTimer, Signal

BEAT_MS = 20
WINDOW_S = 10
STALL_MS = 50.0
PER_OCTAVE, OCTAVES, LEAST_MS = 8, 22, 0.01  # buckets from 0.01 ms to 40 s, each 9 % wide


@dataclass(frozen=True, slots=True)
class Lag:
    """All in milliseconds: the longest of the last second, of the last ten, of the session; what 999 of 1000 beats of the session kept."""

    last: float
    recent: float
    longest: float
    p999: float
    stalls: int  # beats of the session that were more than 50 ms late


class LagRecord:
    """Counts in buckets: as small after a week as after a second."""

    def __init__(self) -> None:
        self._counts = np.zeros(PER_OCTAVE * OCTAVES + 1, np.int64)
        self._seconds: deque[float] = deque([0.0], maxlen=WINDOW_S)
        self._longest, self._stalls = 0.0, 0

    def add(self, ms: float) -> None:
        bucket = math.ceil(PER_OCTAVE * math.log2(ms / LEAST_MS)) if ms > LEAST_MS else 0
        self._counts[min(bucket, len(self._counts) - 1)] += 1
        self._seconds[-1] = max(self._seconds[-1], ms)
        self._longest = max(self._longest, ms)
        self._stalls += ms > STALL_MS

    def summary(self) -> Lag:
        return Lag(self._seconds[-1], max(self._seconds), self._longest, self.percentile(0.999), self._stalls)

    def next_second(self) -> None:
        self._seconds.append(0.0)

    def percentile(self, share: float) -> float:
        """The upper edge of the bucket in which it lies, and never more than the longest."""
        total = int(self._counts.sum())
        if not total:
            return 0.0
        bucket = int(np.searchsorted(np.cumsum(self._counts), math.ceil(share * total)))
        return min(float(LEAST_MS * 2 ** (bucket / PER_OCTAVE)), self._longest)


class LoopLag(QObject):
    """`measured` comes once a second."""

    measured = Signal(object)  # Lag

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.record = LagRecord()
        self._due = 0.0
        self._beats = 0
        self._beat = QTimer(self, interval=BEAT_MS, timerType=Qt.TimerType.PreciseTimer)
        self._beat.timeout.connect(self._on_beat)

    def start(self) -> None:
        self._due = time.monotonic() + BEAT_MS / 1000
        self._beat.start()

    def stop(self) -> None:
        self._beat.stop()

    def forget(self) -> None:
        """Count afresh from here."""
        self.record = LagRecord()
        self.start()

    def _on_beat(self) -> None:
        now = time.monotonic()
        self.record.add(max(0.0, 1000 * (now - self._due)))
        self._due = now + BEAT_MS / 1000
        self._beats += 1
        if self._beats * BEAT_MS >= 1000:
            self._beats = 0
            self.measured.emit(self.record.summary())
            self.record.next_second()
