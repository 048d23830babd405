"""The weather of a simulated world: which faults a seed has in store, and how often. Not every seed has every fault."""

import random
from collections.abc import Callable, Collection
from typing import Any

from sptrader_desktop.core.money import FRACTION_ONE
from sptrader_desktop.runtime.live.paper_prices import Trick
from tests.simulated_disk import Fault, Moment

TRAILING = 3  # the variant of the strategy that moves its levels
REST_S = 3.0  # so long after the last fault all must be well
LASTS = (5.0, 9.0, 11.0)  # seconds of faults; a world does not end where a bar does
EVENTS = (
    "crash",
    "away",
    "cut",
    "order_cut",
    "stall",
    "broker_dies",
    "guardian_dies",
    "redis_dies",
    "redis_hangs",
    "redis_keeps",
    "redis_forgets",
    "flush",
    "trim",
    "group_gone",
    "trick",
    "stranger",
    "stop",
    "flatten_and_die",
    "rearm",
    "person",
    "service_fails",
    "freeze",
    "clock_set",
    "disk_fills",
)
CHANCES = (
    "disk_crash",
    "disk_fails",
    "slow_disk",
    "lost_answers",
    "doubles",
    "late_signals",
    "poison",
    "repeats",
    "skips",
    "echoes",
    "swaps",
    "silence",
    "no_prices",
    "bad_prices",
)
TO_THE_END = ("room", "lag", "frictions", "rejects", "no_stops")  # from the first moment on
BAD_PRICES = ("crossed", "nothing", "negative", "no number", "no JSON", "absurd", "old", "from the future")


class Weather:
    """Each question has dice of its own, so that an answer more in one place changes nothing in another. `without`: what is left out."""

    def __init__(self, seed: int, time: Callable[[], float], without: Collection[str] = ()) -> None:
        self._seed, self._time = seed, time
        self._cups: dict[str, random.Random] = {}
        swarm = self.dice("swarm")
        often = swarm.choice((0.05, 0.15, 0.3, 0.6))
        events = {name: swarm.randint(1, 4) for name in EVENTS if swarm.random() < often}
        chances = {name: swarm.choice((0.01, 0.05, 0.2)) for name in CHANCES if swarm.random() < often}
        self.events = {name: count for name, count in events.items() if name not in without}
        self.chances = {name: chance for name, chance in chances.items() if name not in without}
        self.variant = swarm.randrange(4)
        room = swarm.choice((None, None, None, swarm.randint(2_000, 60_000)))
        self.room = None if "room" in without else room
        lag = swarm.choice((0.0005, 0.01, 0.2))
        self._lag = 0.0005 if "lag" in without else lag
        self.rearms = swarm.random() < 0.5
        self.ends = swarm.choice(LASTS)
        self.frictions: dict[str, Any] = {}
        if swarm.random() < often and "frictions" not in without:
            self.frictions |= {"latency_us": swarm.choice((0, 50_000, 400_000)), "partial": swarm.choice((0, FRACTION_ONE // 2))}
        if swarm.random() < often and "rejects" not in without:
            self.frictions |= {"reject": FRACTION_ONE // 5}
        self.holds_stops = "no_stops" in without or self.dice("no stops").random() < 0.7

    @property
    def names(self) -> list[str]:
        """All that can be left out of it."""
        return [*self.events, *self.chances, *TO_THE_END]

    @property
    def is_over(self) -> bool:
        return self._time() >= self.ends

    @property
    def left(self) -> float:
        return max(0.0, self.ends - self._time())

    def dice(self, name: str) -> random.Random:
        found = self._cups.get(name)
        if found is None:
            found = self._cups[name] = random.Random(f"{self._seed} {name}")
        return found

    def schedule(self) -> list[tuple[float, str]]:
        return sorted((self.dice(name).uniform(0.3, self.ends - 0.1), name) for name, count in self.events.items() for _ in range(count))

    def happens(self, name: str) -> bool:
        chance = self.chances.get(name)
        return chance is not None and self.dice(name).random() < chance and not self.is_over

    # The network

    def lag(self) -> float:
        return self.dice("lag").random() * (0.002 if self.is_over else self._lag)

    def lands(self) -> float | None:
        late = self.dice("lands").choice((None, 0.01, 0.4, 2.5, 2.5))
        return None if late is None else min(late, self.left)

    def repeats(self) -> int:
        return self.dice("repeated").randint(1, 5) if self.happens("repeats") else 0

    def is_skipped(self) -> bool:
        return self.happens("skips")

    def is_told_again(self) -> bool:
        return self.happens("echoes")

    def is_swapped(self) -> bool:
        return self.happens("swaps")

    def loses_answer(self) -> bool:
        return self.happens("lost_answers")

    @property
    def is_silent(self) -> bool:
        """The core is not heard for a second and a half, now and then."""
        return "silence" in self.chances and not self.is_over and 1.5 < self._time() % 5 < 3.0

    @property
    def has_no_prices(self) -> bool:
        return "no_prices" in self.chances and not self.is_over and 2.0 < self._time() % 6 < 3.0

    # The disk and the processes

    def disk_fault(self, moment: Moment) -> Fault | None:
        if self.happens("disk_crash") and self.dice("disk").random() < 0.3:
            return Fault.CRASH
        return Fault.FAILED_SYNC if moment is Moment.WRITTEN and self.happens("disk_fails") and self.dice("disk").random() < 0.3 else None

    def takes_time(self) -> float:
        return min(self.left, self.dice("slow").choice((0.05, 0.3, 1.5))) if self.happens("slow_disk") else 0.0

    def survivors(self) -> int:
        dice = self.dice("survivors")
        return dice.choice((0, dice.randint(0, 400), 1 << 62))

    def pause(self, least: float = 0.02, most: float = 0.6) -> float:
        """Over with the faults."""
        return min(self.dice("pause").uniform(least, most), self.left + 0.02)

    def steps(self) -> int:
        return self.dice("steps").randint(0, 12)

    # Publishers, people, tricks

    def flattens(self) -> bool:
        return self.dice("flattens").random() < 0.5

    def trick(self) -> Trick:
        tricks: tuple[Trick, ...] = ("reject", "partial", "overfill", "fill_after_cancel")
        own: tuple[Trick, ...] = ("no_protect", "no_protect") if self.variant == TRAILING and self.holds_stops else ()
        return self.dice("which trick").choice((*tricks, *own))

    def command(self) -> str:
        commands = ("pause", "resume", "close", "cancel", "flatten", "rearm", "close", "cancel", "resume", "halt")
        return self.dice("command").choice(commands)
