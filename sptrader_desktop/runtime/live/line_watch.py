"""How long a broker may say nothing, and how often it is asked what it holds: of one line at a time, by the clock."""

from sptrader_desktop.core.broker_messages import Asked, AskSnapshot, Ping
from sptrader_desktop.runtime.live.clock import Clock

PING_S, SILENCE_S, COMPARE_S = 1.0, 3.0, 60.0
AGAIN_S, LONGEST_AGAIN_S = 1.0, 60.0


class LineWatch:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heard_at = self._pinged_at = self._compared_at = clock.monotonic()
        self._number = 0
        self._again_at, self._again_s = 0.0, AGAIN_S

    def opened(self) -> None:
        self._again_s = AGAIN_S
        self._heard_at = self._pinged_at = self._clock.monotonic()
        self.compare()

    def heard(self) -> None:
        self._heard_at = self._clock.monotonic()

    def compare(self) -> None:
        """As soon as everything is heard."""
        self._compared_at = self._clock.monotonic() - COMPARE_S

    @property
    def is_silent(self) -> bool:
        """Pings go out all the time, so that who lives has something to say. After a sleep of ours everything heard is old, too."""
        return self._clock.monotonic() - self._heard_at > SILENCE_S

    def may_ask_again(self) -> bool:
        """What was not carried out, less and less often: a market that is closed stays so for days."""
        now = self._clock.monotonic()
        if now < self._again_at:
            return False
        is_long_ago = now - self._again_at > LONGEST_AGAIN_S
        self._again_s = AGAIN_S if is_long_ago else min(2 * self._again_s, LONGEST_AGAIN_S)
        self._again_at = now + self._again_s
        return True

    def questions(self, *, is_synced: bool) -> list[Asked]:
        """What is to be asked now."""
        now, found = self._clock.monotonic(), list[Asked]()
        if now - self._pinged_at >= PING_S:
            self._pinged_at = now
            found.append(Ping("core"))
        if is_synced and now - self._compared_at >= COMPARE_S:
            self._compared_at = now
            self._number += 1
            found.append(AskSnapshot(f"core-{self._number}"))
        return found
