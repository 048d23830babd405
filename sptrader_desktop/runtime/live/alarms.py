"""What a person has to hear without having asked: the last alarms, those of the account among them, and what became of no order."""

import logging
from collections.abc import Callable

from sptrader_desktop.runtime.live.clock import SECOND_US, Clock
from sptrader_desktop.runtime.live.engine import DISK_FULL, Engine

log = logging.getLogger("sptrader.live")
KEPT = 200
MINUTE_US = 60 * SECOND_US
UNKNOWN_TOO_LONG_US = 10 * SECOND_US


class Seldom:
    """Once a minute for each key."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: dict[str, int] = {}

    def may(self, key: str) -> bool:
        now = self._clock.now()
        is_due = key not in self._last or abs(now - self._last[key]) >= MINUTE_US  # a clock may be set back
        if is_due:
            self._last[key] = now
        return is_due


class Alarms:
    """`heard` is told of each as it comes; the same once more in a row says nothing new."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine, self._clock = engine, clock
        self.last: list[tuple[int, str]] = []
        self.heard: Callable[[int, str], None] = _nobody
        self._told = 0  # of those of the account
        self._was_full = False
        self._told_unknown: set[str] = set()

    def tell(self, text: str) -> None:
        if not self.last or self.last[-1][1] != text:
            log.warning("%s", text)
            self.last.append((self._clock.now(), text))
            self.heard(*self.last[-1])
            del self.last[:-KEPT]

    def tell_found(self) -> None:
        """What the account and the journal came upon since they were asked last."""
        account = self._engine.account
        untold, self._told = account.alarmed - self._told, account.alarmed
        for text in account.alarms[-untold:] if untold else ():
            self.tell(text)
        is_full = self._engine.session.journal.is_full
        if is_full != self._was_full:
            self._was_full = is_full
            self.tell(f"{DISK_FULL}: make room" if is_full else "there is room on the disk again, and entries are written")

    def tell_unknown(self) -> None:
        """Each order once, when it has been waited for in vain for long."""
        lives = self._engine.account.lives
        self._told_unknown &= {name for name, _ in lives.going()}
        for name in lives.unknown():
            if self._clock.now() - lives[name].asked_at > UNKNOWN_TOO_LONG_US and name not in self._told_unknown:
                self._told_unknown.add(name)
                self.tell(f"what became of {name} is not known; it reserves what it asked for until the broker tells")


def _nobody(_at: int, _text: str) -> None:
    pass
