"""The weather of a simulated world: which faults a seed has in store, and how often. Not every seed has every fault."""

import random
from collections.abc import Callable
from typing import Any

from sptrader_desktop.core.money import FRACTION_ONE
from sptrader_desktop.runtime.live.paper_prices import Trick
from tests.simulated_disk import Fault, Moment

FAULTS_END, WORLD_ENDS = 11.0, 14.0
EVENTS = (
    "crash",
    "cut",
    "broker_dies",
    "guardian_dies",
    "redis_dies",
    "redis_keeps",
    "redis_forgets",
    "flush",
    "trim",
    "group_gone",
    "trick",
    "stop",
    "rearm",
    "person",
)
CHANCES = ("disk_crash", "disk_fails", "lost_answers", "doubles", "poison", "repeats", "skips", "silence", "no_prices")


class Weather:
    """Each question draws from dice of its own, so that an answer more in one place changes nothing in another."""

    def __init__(self, seed: int, time: Callable[[], float]) -> None:
        self._time = time
        self._dice = random.Random(f"{seed} faults")
        self.market = random.Random(f"{seed} market")
        swarm = random.Random(f"{seed} swarm")
        often = swarm.choice((0.2, 0.5, 0.8))
        self.events = {name: swarm.randint(1, 4) for name in EVENTS if swarm.random() < often}
        self.chances = {name: swarm.choice((0.01, 0.05, 0.2)) for name in CHANCES if swarm.random() < often}
        self.variant = swarm.randrange(4)
        self.room = swarm.choice((None, None, None, swarm.randint(2_000, 60_000)))
        self._lag = swarm.choice((0.0005, 0.01, 0.2))
        self.rearms = swarm.random() < 0.5
        self.frictions: dict[str, Any] = {}
        if swarm.random() < often:
            self.frictions |= {"latency_us": swarm.choice((0, 50_000, 400_000)), "partial": swarm.choice((0, FRACTION_ONE // 2))}
        if swarm.random() < often:
            self.frictions |= {"reject": FRACTION_ONE // 5}

    @property
    def is_over(self) -> bool:
        return self._time() >= FAULTS_END

    def schedule(self) -> list[tuple[float, str]]:
        drawn = [(self._dice.uniform(0.3, FAULTS_END - 0.1), name) for name, count in self.events.items() for _ in range(count)]
        return sorted(drawn)

    def _happens(self, name: str) -> bool:
        return not self.is_over and self._dice.random() < self.chances.get(name, 0.0)

    # The network

    def lag(self) -> float:
        return self._dice.uniform(0.0, 0.002 if self.is_over else self._lag)

    def lands(self) -> float | None:
        late = self._dice.choice((None, 0.01, 0.4, 2.5))
        return None if late is None else min(late, max(0.0, FAULTS_END - self._time()))

    def repeats(self) -> int:
        return self._dice.randint(1, 5) if self._happens("repeats") else 0

    def is_skipped(self) -> bool:
        return self._happens("skips")

    def loses_answer(self) -> bool:
        return self._happens("lost_answers")

    @property
    def is_silent(self) -> bool:
        """The core is not heard for a second and a half, now and then."""
        return "silence" in self.chances and not self.is_over and 1.5 < self._time() % 5 < 3.0

    @property
    def has_no_prices(self) -> bool:
        return "no_prices" in self.chances and not self.is_over and 2.0 < self._time() % 6 < 3.0

    # The disk and the processes

    def disk_fault(self, moment: Moment) -> Fault | None:
        if self._happens("disk_crash") and self._dice.random() < 0.3:
            return Fault.CRASH
        return Fault.FAILED_SYNC if moment is Moment.WRITTEN and self._happens("disk_fails") and self._dice.random() < 0.3 else None

    def survivors(self) -> int:
        return self._dice.choice((0, self._dice.randint(0, 400), 1 << 62))

    def pause(self) -> float:
        return self._dice.uniform(0.02, 0.6)

    def steps(self) -> int:
        return self._dice.randint(0, 12)

    # Publishers, people, tricks

    def doubles(self) -> bool:
        return self._happens("doubles")

    def poisons(self) -> bool:
        return self._happens("poison")

    def flattens(self) -> bool:
        return self._dice.random() < 0.5

    def trick(self) -> Trick:
        tricks: tuple[Trick, ...] = ("reject", "partial", "overfill", "fill_after_cancel")
        return self._dice.choice(tricks)

    def command(self) -> str:
        return self._dice.choice(("pause", "resume", "close", "cancel", "flatten", "rearm", "close", "cancel", "resume", "halt"))
