"""Looking for worlds in which something goes wrong, and for the least of it that is needed."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

import pytest

from tests.live_world import World
from tests.planted_bugs import DRAWN, Mix, Plant


@dataclass(frozen=True, slots=True)
class Find:
    """A world that is not as it must be, without all the faults that it is so without."""

    seed: int
    error: str
    without: tuple[str, ...]
    world: World

    def __str__(self) -> str:
        weather = self.world.weather
        drawn = f"World({self.seed}, without={self.without!r}): {self.error}\n{weather.events} {weather.chances} {weather.frictions}"
        return "\n".join([drawn, *self.world.story])


def tried(seed: int, without: Collection[str] = (), mix: Mix = DRAWN) -> tuple[World, str]:
    """What was wrong; nothing if nothing was."""
    world = mix.world(seed, without=without, change=mix.weather)
    try:
        world.run()
    except AssertionError as error:
        return world, str(error) or "a check failed"
    return world, ""


def found(seed: int) -> Find | None:
    world, error = tried(seed)
    return shrunk(seed, world, error) if error else None


def shrunk(seed: int, world: World, error: str) -> Find:
    without: list[str] = []
    for name in world.weather.names:
        smaller, other = tried(seed, [*without, name])
        if other:
            without, world, error = [*without, name], smaller, other
    return Find(seed, error, tuple(without), world)


def first_seen(plant: Plant, seeds: Iterable[int], mix: Mix = DRAWN) -> int | None:
    """The first world in which it shows, and nothing does without it."""
    for seed in seeds:
        with pytest.MonkeyPatch.context() as patch:
            plant(patch)
            error = tried(seed, mix=mix)[1]
        if error and not tried(seed, mix=mix)[1]:
            return seed
    return None


@dataclass(slots=True)
class Campaign:
    """What many worlds came to. `caught`: in how many worlds a planted bug showed first."""

    happened: Counter[str] = field(default_factory=Counter)
    finds: list[int] = field(default_factory=list)
    caught: dict[str, int] = field(default_factory=dict)
    worlds: int = 0

    def try_one(self, seed: int) -> Find | None:
        world, error = tried(seed)
        self.worlds += 1
        self.happened.update(world.weather.events)
        self.happened.update(fills=world.watch.ledger.fills, outcomes=len(world.watch.judged), lives=world.lives)
        if not error:
            return None
        self.finds.append(seed)
        return shrunk(seed, world, error)

    def summary(self) -> list[str]:
        lines = []
        if self.worlds:
            counted = {name: self.happened[name] for name in ("lives", "fills", "outcomes")}
            faults = sum(self.happened.values()) - sum(counted.values())
            told = ", ".join(f"{count:,} {name}" for name, count in counted.items())
            lines.append(f"simulation: {self.worlds:,} worlds, {faults:,} faults, {told}; went wrong: {self.finds or 'none'}")
        if self.caught:
            took = sorted(self.caught.values())
            lines.append(f"planted bugs: {len(took)} caught, in {took[len(took) // 2]} worlds (median), {took[-1]} at the most")
            lines += [f"  {count:5,} {name}" for name, count in self.caught.items()]
        return lines
