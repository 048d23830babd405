"""How long something has truly been waited for: an hour asleep, stopped or gained by setting the clock is no hour of listening."""

from collections.abc import Iterable

from sptrader_desktop.runtime.live.clock import SECOND_US, Clock

LATE_S = 1.0


class SteadyTime:
    """`look` often: whoever looks a second later than `every_s`, or finds the clock set by a second, begins to wait anew."""

    def __init__(self, clock: Clock, every_s: float) -> None:
        self._clock, self._every_s = clock, every_s
        self._at, self._own = clock.now(), clock.monotonic()
        self._since: dict[str, float] = {}  # in its own time

    def look(self) -> str:
        """What was wrong with the time since the last look."""
        before, self._at = self._at, self._clock.now()
        own, self._own = self._own, self._clock.monotonic()
        passed = self._own - own
        set_by = (self._at - before) / SECOND_US - passed
        if abs(set_by) < LATE_S and passed < self._every_s + LATE_S:
            return ""
        self._since.clear()
        return (
            f"the clock was set by {set_by:+.0f} s, or the computer slept"
            if abs(set_by) >= LATE_S
            else f"nothing went on for {passed:.0f} s"
        )

    def wait_for(self, name: str) -> None:
        self._since.setdefault(name, self._clock.monotonic())

    def waited(self, names: Iterable[str], microseconds: int) -> list[str]:
        """Those that were among `names` whenever it was asked, for so long."""
        now = self._clock.monotonic()
        self._since = {name: self._since.get(name, now) for name in names}
        return [name for name, since in self._since.items() if (now - since) * SECOND_US > microseconds]
