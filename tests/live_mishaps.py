"""Everything that goes wrong in a simulated world: one method for each name of `live_faults.EVENTS`, each over when the faults are."""

from typing import TYPE_CHECKING, Any

from sptrader_desktop.adapters.price_messages import STREAM as PRICES
from sptrader_desktop.adapters.redis_signals import GROUP, STREAM
from sptrader_desktop.core.broker_messages import Close, Place
from sptrader_desktop.core.errors import JournalBroken, SptraderError
from sptrader_desktop.runtime.live.clock import SECOND_US
from tests.simulated_disk import Crashed

if TYPE_CHECKING:
    from tests.live_world import World


class Mishaps:
    def __init__(self, world: "World") -> None:
        self._world, self._weather, self._loop = world, world.weather, world.loop
        self._snapshot: dict[str, Any] = {}
        self._strangers = 0
        self._cuts_order = False
        self.over_at = 0.0  # when all of it was over

    def happen(self, fault: str) -> None:
        self._world.tell(fault)
        getattr(self, f"_{fault}")()

    # The core

    def _crash(self) -> None:
        """Somewhere within what goes on at this instant."""
        self._crash_in(self._weather.steps())

    def _crash_in(self, steps: int) -> None:
        if steps:
            self._loop.call_soon(self._crash_in, steps - 1)
        else:
            self._world.kill()

    def _away(self) -> None:
        """For so long that signals expire meanwhile."""
        self._world.kill(self._weather.pause(2.0, 4.0))

    def _freeze(self) -> None:
        """Stopped as by SIGSTOP: all others go on."""
        if self._world.life is not None:
            self._loop.freeze(self._world.life.process, self._weather.pause(0.2, 3.0))

    def _service_fails(self) -> None:
        if self._world.life is not None:
            dice, live = self._weather.dice("service"), self._world.life.core.symbols
            service = dice.choice(live[dice.choice(sorted(live))].orchestrator.services)
            self._world.tell(f"{service.symbol} {service.name} {service.state}")
            service.fail(RuntimeError("something was wrong in it"))

    def _clock_set(self) -> None:
        self._world.clock.set_by += self._weather.dice("clock").choice((-3_600, -20, -2, 2, 20, 3_600)) * SECOND_US

    def _disk_fills(self) -> None:
        """For a while, and there is room again."""
        if self._world.disk.room is None:
            self._world.disk.room = self._weather.dice("room").randint(0, 600)
            self._loop.later(self._weather.pause(1.0, 3.0), setattr, self._world.disk, "room", None)

    # The lines and their ends

    def _cut(self) -> None:
        if self._world.guardian.bridge is not None:
            self._world.guardian.bridge.cut()

    def _order_cut(self) -> None:
        """The next order is on its way when the line breaks."""
        self._cuts_order = not self._weather.is_over

    def left(self, *, is_order: bool) -> None:
        if is_order and self._cuts_order:
            self._cuts_order = False
            self._world.tell("the line breaks behind an order")
            self._loop.call_soon(self._cut)

    def _stall(self) -> None:
        """One way of one line, the core's or the guardian's own: nothing is lost, and nothing comes for a while."""
        dice = self._weather.dice("stall")
        if self._world.broker.peers:
            peer = dice.choice(self._world.broker.peers)
            dice.choice((peer.up, peer.down)).stall(self._weather.pause(0.3, 4.0))

    def _broker_dies(self) -> None:
        if self._world.broker.is_up:
            self._world.broker.die()
            self._loop.later(self._weather.pause(), self._world.broker.live)

    def _guardian_dies(self) -> None:
        self._world.guardian.die()

    def _trick(self) -> None:
        trick = self._weather.trick()
        self._world.watch.has_surprises |= trick == "fill_after_cancel"
        self._world.broker.paper.trick(trick)

    def _stranger(self) -> None:
        """Somebody else trades on the account: a person at the broker's own window, or another program."""
        dice, broker = self._weather.dice("stranger"), self._world.broker
        if not broker.is_up:
            return
        self._strangers += 1
        self._world.watch.has_surprises = True
        name = f"stranger-{self._strangers}"
        held = broker.held()
        if held and dice.random() < 0.5:
            position, quantity = dice.choice(held)
            broker.carry_out(Close(name, position, dice.randint(1, quantity), "emergency", at_close=False))
        else:
            kind, level = dice.choice((("market", -1), ("limit", 109_980)))
            symbol = dice.choice(self._world.symbols)
            broker.carry_out(Place(name, symbol, -1, dice.choice((1, -1)), kind, dice.randint(1, 5_000), level, -1, -1, -1))

    # Redis

    def _redis_dies(self) -> None:
        self._world.redis.die()
        self._loop.later(self._weather.pause(), setattr, self._world.redis, "is_up", True)

    def _redis_hangs(self) -> None:
        self._world.redis.hang_until(self._loop.time() + self._weather.pause(0.2, 3.0))

    def _redis_keeps(self) -> None:
        self._snapshot = self._world.redis.copy()

    def _redis_forgets(self) -> None:
        if self._snapshot:
            self._redis_dies()
            self._world.redis.go_back(self._snapshot)
            self._world.watch.redis_lost(self._world.redis)

    def _flush(self) -> None:
        if not self._world.watch.shadow.place:  # where the core began is not written down yet
            return
        self._world.redis.ask(("DEL", STREAM))
        self._world.redis.ask(("DEL", PRICES))
        self._world.watch.redis_lost(self._world.redis)

    def _trim(self) -> None:
        self._world.redis.ask(("XTRIM", STREAM, "MAXLEN", 2))
        self._world.watch.redis_lost(self._world.redis)

    def _group_gone(self) -> None:
        if not self._world.watch.shadow.place:
            return
        self._world.redis.ask(("XGROUP", "DESTROY", STREAM, GROUP))

    # People

    def _stop(self) -> None:
        self._world.watch.is_stopped = True
        self._world.guardian.control(do="stop", flatten=self._weather.flattens(), by="a person")
        if self._weather.flattens():
            self._loop.later(min(1.0 + self._weather.pause(), self._weather.left), self._rearm)

    def _flatten_and_die(self) -> None:
        """Whoever has a part in it."""
        dice = self._weather.dice("flatten")
        self._world.watch.is_stopped = True
        self._world.guardian.control(do="stop", flatten=True, by="a person")
        for _ in range(2):
            dies = dice.choice((self._crash, self._guardian_dies, self._broker_dies, self._cut))
            self._loop.later(min(dice.uniform(0.0, 0.6), self._weather.left), dies)
        self._loop.later(min(1.0 + self._weather.pause(), self._weather.left), self._rearm)

    def _rearm(self) -> None:
        self._world.guardian.control(do="rearm", by="a person")
        self._world.watch.is_stopped = False
        self.command("rearm")

    def _person(self) -> None:
        what = self._weather.command()
        about = ""
        if what in {"close", "cancel"} and self._world.life is not None:
            account = self._world.life.session.account
            held = account.book.state.positions["number"][: account.book.account["positions"][0]].tolist()
            names = [name for name, _ in account.lives.going()]
            known = held if what == "close" else names
            if not known:
                return
            about = str(known[0])
        self.command(what, about)

    def command(self, what: str, about: str = "") -> None:
        if self._world.life is None or self._loop.is_frozen(self._world.life.process):
            return
        self._world.tell(f"a person: {what} {about}")
        try:
            self._world.life.core.command(what, about, "a person")
        except (SptraderError, Crashed) as error:
            if isinstance(error, JournalBroken | Crashed):
                self._world.kill()

    # The end of it all

    def clear(self) -> None:
        """From here on nothing goes wrong any more."""
        self._world.tell("peace")
        self._cuts_order = False
        self.over_at = self._loop.time()
        self._loop.thaw()
        self._world.redis.is_up = True
        self._world.disk.room = None
        if not self._world.broker.is_up:
            self._world.broker.live()
        if self._weather.rearms:
            self._rearm()
