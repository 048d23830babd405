"""How often something may be started again before whoever is above it must act: a few times within a minute."""

from collections import deque

from sptrader_desktop.runtime.live.clock import Clock

MOST, WINDOW_S = 3, 60.0


class RestartIntensity:
    def __init__(self, clock: Clock, most: int = MOST, window_s: float = WINDOW_S) -> None:
        self._clock, self._most, self._window_s = clock, most, window_s
        self._times: deque[float] = deque()

    def allows(self) -> bool:
        """One more restart, which counts if it is allowed."""
        now = self._clock.monotonic()
        while self._times and now - self._times[0] >= self._window_s:
            self._times.popleft()
        if len(self._times) >= self._most:
            return False
        self._times.append(now)
        return True

    def clear(self) -> None:
        self._times.clear()
