"""Whether orders may leave: only after a hello of the core, while everybody who is watched is heard, and while nobody has stopped it.

It knows no clock and no socket. Whoever writes an order asks `lets_out` immediately before it does.
"""

CORE, WINDOW = "core", "window"


class Gate:
    """`shuttings` counts how often it was shut: an order that waited while it was shut and opened again is not let out."""

    def __init__(self, silence: float, window_silence: float = 3.0) -> None:
        """A window that paints may be held up for longer than what trades."""
        self._silence, self._patience = silence, {WINDOW: window_silence}
        self._heard: dict[str, float] = {}
        self._silent: set[str] = set()
        self._is_stopped = False
        self._awaits_hello = True
        self._watched_at: float | None = None
        self.shuttings = 0

    @property
    def is_open(self) -> bool:
        return not (self._is_stopped or self._awaits_hello or self._silent)

    @property
    def silent(self) -> frozenset[str]:
        return frozenset(self._silent)

    def lets_out(self, shuttings: int) -> bool:
        return shuttings == self.shuttings and self.is_open

    def reasons(self) -> list[str]:
        """Why it is shut."""
        stopped = ["stopped"] if self._is_stopped else []
        waiting = ["hello of the core"] if self._awaits_hello else []
        return stopped + [f"heartbeat of {who}" for who in sorted(self._silent)] + waiting

    def watched(self, now: float) -> dict[str, float]:
        """Seconds since each was heard."""
        return {who: now - at for who, at in sorted(self._heard.items())}

    def beat(self, who: str, now: float) -> None:
        """Who beats once is watched from then on. Coming back alone opens nothing."""
        self._heard[who] = now
        self._silent.discard(who)

    def hello(self, now: float) -> None:
        """The core has begun anew, and knows that it did."""
        self.beat(CORE, now)
        self._awaits_hello = False

    def leave(self, who: str) -> None:
        """In good order; without a core nothing is let out."""
        self._heard.pop(who, None)
        self._silent.discard(who)
        if who == CORE:
            self._shut()

    def watch(self, now: float) -> list[str]:
        """Who has fallen silent since the last look. If it is this process that was away, then everybody has."""
        was_away = self._watched_at is not None and now - self._watched_at > self._silence
        self._watched_at = now
        heard = [(who, now - at) for who, at in self._heard.items() if who not in self._silent]
        fallen = [who for who, age in heard if was_away or age > self._patience.get(who, self._silence)]
        if fallen:
            self._shut()
            self._silent.update(fallen)
        return fallen

    def stop(self) -> None:
        self._shut()
        self._is_stopped = True

    def rearm(self) -> None:
        """A person decides, so that those who are gone are waited for no longer. It opens with the next hello of the core."""
        self._shut()
        self._is_stopped = False
        for who in self._silent:
            del self._heard[who]
        self._silent.clear()

    def disconnect(self) -> None:
        """The core's connection is gone, and with it what it knew."""
        self._shut()

    def _shut(self) -> None:
        self.shuttings += 1
        self._awaits_hello = True
