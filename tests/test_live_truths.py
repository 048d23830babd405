"""One fault each in a simulated world that is calm otherwise: what must be known, told and asked again then, and what must not."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sptrader_desktop.adapters.redis_signals import STREAM
from sptrader_desktop.core.signals import Signal, write_signal
from tests.live_world import World


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(before)


class CalmWorld(World):
    """Nothing goes wrong by itself; a test says what does, and when. `speaks`: signals come all the time."""

    def __init__(self, seed: int = 1, *, variant: int = 0, speaks: bool = True) -> None:
        def calm(weather: Any) -> None:
            weather.events, weather.chances, weather.frictions, weather.room, weather.variant = {}, {}, {}, None, variant
            weather.lag = lambda: 0.0005

        super().__init__(seed, change=calm)
        self.alarms: list[str] = []
        self._speaks = speaks
        self._plans: list[tuple[float, Callable[[], object]]] = []

    def at(self, seconds: float, do: Callable[[], object]) -> None:
        self._plans.append((seconds, do))

    async def _live(self) -> None:
        for seconds, do in self._plans:
            self.loop.later(seconds, self._do, do)
        await super()._live()

    def _do(self, do: Callable[[], object]) -> None:
        with self._watched():
            do()

    def _publish(self) -> None:
        if self._speaks:
            super()._publish()

    def say(self, name: str, word: str = "up", seq: int | None = None, publisher: str = "q") -> None:
        """On EURUSD, to act on arrival."""
        now = self.clock.now()
        self._add(name, write_signal(Signal(name, word, "event", 1.0, now, {}, "EURUSD", None, None, seq, publisher, now + 2_500_000)))

    def alarmed(self, at: int, text: str) -> None:
        super().alarmed(at, text)
        self.alarms.append(text)

    @property
    def account(self) -> Any:
        assert self.life is not None, "the core lives"
        return self.life.session.account

    @property
    def outcomes(self) -> dict[str, str]:
        return self.watch.shadow.judged


# The stream of signals


def test_what_is_published_before_the_first_signal_was_judged_is_judged_whatever_became_of_the_group() -> None:
    world = CalmWorld(speaks=False)

    def lose_the_group_and_speak() -> None:
        world.redis.ask(("DEL", STREAM))
        world.say("first")

    world.at(0.5, world.kill)
    world.at(0.501, lose_the_group_and_speak)
    world.run()
    assert world.outcomes.keys() == {"first"}


def test_the_numbers_of_publishers_outlive_the_core_and_what_is_lost_meanwhile_is_counted_exactly() -> None:
    world = CalmWorld(speaks=False)
    world.watch.has_lost = True
    for number in (1, 2, 3):
        world.at(0.5 + number / 10, lambda number=number: world.say(f"q{number}", seq=number))  # type: ignore[misc]
    world.at(1.5, world.kill)
    world.at(1.5, lambda: world.say("q7", seq=7))
    world.at(3.0, world.kill)
    world.at(4.0, lambda: world.say("q8", seq=8))
    world.at(5.0, lambda: world.say("q5", seq=5))
    world.run()
    told = [text for text in world.alarms if "are missing" in text]
    assert told == [f"{STREAM}: of q the messages 4 to 6 are missing"]
    assert world.outcomes["q5"] == "a later one of its publisher came before it"
