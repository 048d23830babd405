"""One fault each in a simulated world that is calm otherwise: what must be known, told and asked again then, and what must not."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sptrader_desktop.adapters.redis_signals import STREAM
from sptrader_desktop.core.broker_messages import Cancel, Place, Transaction, What
from sptrader_desktop.core.facts import BarsClosed
from sptrader_desktop.core.live_account import EVERY
from sptrader_desktop.core.orders import OrderState
from sptrader_desktop.core.records import EXIT_REASONS
from sptrader_desktop.core.signals import Signal, write_signal
from sptrader_desktop.runtime.live.clock import SECOND_US
from sptrader_desktop.runtime.live.fact_text import read_fact
from sptrader_desktop.runtime.live.paper_terms import open_broker
from tests.live_session import NOON
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
            weather.lag, weather.ends, weather.rearms, weather.holds_stops = (lambda: 0.0005), 11.0, False, True

        super().__init__(seed, change=calm)
        self.is_frozen = False
        self.watch.may_differ = True
        self._last: Any = None
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

    def _begin_core(self) -> None:
        super()._begin_core()
        assert self.account is not None

    def _publish(self) -> None:
        if self._speaks:
            super()._publish()

    def _price(self, symbol: str) -> None:
        if self.is_frozen and self.loop.time() < 10:
            self.loop.later(0.1, self._price, symbol)
        else:
            super()._price(symbol)

    def cut(self, *, lands: float | None) -> None:
        """The line breaks; what is on its way lands so many seconds later, or never."""
        weather: Any = self.weather
        weather.lands = lambda: lands
        self.mishaps._cut()

    def say(self, name: str, word: str = "up", seq: int | None = None, publisher: str = "q") -> None:
        """On EURUSD, to act on arrival."""
        now = self.clock.now()
        self._add(name, write_signal(Signal(name, word, "event", 1.0, now, {}, "EURUSD", None, None, seq, publisher, now + 2_500_000)))

    def alarmed(self, at: int, text: str) -> None:
        super().alarmed(at, text)
        self.alarms.append(text)

    @property
    def account(self) -> Any:
        """Of the core that lives, or lived last."""
        self._last = self._last if self.life is None else self.life.session.account
        return self._last

    @property
    def outcomes(self) -> dict[str, str]:
        return self.watch.judged


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


# The line to the broker


def test_a_broker_that_says_nothing_is_given_up_and_nothing_is_entered_until_it_speaks() -> None:
    world = CalmWorld(speaks=False)
    seen: list[str] = []

    def look() -> None:
        assert world.life is not None
        seen.append(world.life.core.line_fault if not world.life.core.is_synced.is_set() else "synced")

    world.at(0.6, lambda: world.say("before"))
    world.at(2.0, lambda: setattr(world.broker, "is_silent", True))
    world.at(4.0, look)
    world.at(5.8, look)
    world.at(5.9, lambda: world.say("while it is silent"))
    world.at(8.0, world.broker.speak)
    world.at(10.0, lambda: world.say("after"))
    world.run()
    silent = "the broker has said nothing for 3 s: its line is given up, and another one tried"
    assert seen == ["synced", silent]
    assert silent in world.alarms
    assert world.outcomes == {
        "before": "taken",
        "while it is silent": "nothing is opened: not all is known of what the broker did",
        "after": "taken",
    }


def test_the_last_transaction_is_missed_even_if_none_follows_it() -> None:
    world = CalmWorld(speaks=False)

    def lose_the_answer() -> None:
        world.is_frozen = True
        for peer in world.broker.peers:
            peer.told += 2  # what comes of the order is left out
        world.say("entry")

    world.at(2.0, lose_the_answer)
    world.at(3.9, lambda: _booked_all(world))
    world.run()
    assert any(text.startswith("transactions up to") for text in world.alarms)


def _booked_all(world: CalmWorld) -> None:
    assert world.account.booked == world.broker.paper.n > 0


def order(world: CalmWorld, name: str = "sim-1") -> Any:
    return world.account.lives[name]


def test_a_cancel_whose_answer_was_lost_is_asked_again_until_its_order_is_over() -> None:
    world = CalmWorld(variant=3, speaks=False)
    world.is_frozen = False

    def cancel_and_lose_it() -> None:
        assert order(world).state is OrderState.OPEN
        world.mishaps.command("cancel", "sim-1")
        world.cut(lands=None)

    world.at(1.0, lambda: setattr(world, "is_frozen", True))
    world.at(1.1, lambda: world.say("entry"))
    world.at(1.5, cancel_and_lose_it)
    world.at(1.6, lambda: order_is(world, OrderState.CANCEL_PENDING))
    world.at(3.0, lambda: order_is(world, OrderState.CANCELLED))
    world.run()
    assert not world.watch.ledger.fills


def order_is(world: CalmWorld, state: OrderState) -> None:
    assert order(world).state is state


@pytest.mark.parametrize("restarts", [False, True])
def test_an_order_that_comes_after_its_cancel_was_answered_is_cancelled_once_more(restarts: bool) -> None:
    world = CalmWorld(variant=3, speaks=False)
    cancels: list[str] = []
    came = world.broker._came

    def count(request: Any) -> None:
        came(request)
        if isinstance(request, Cancel):
            cancels.append(request.id)

    world.broker._came = count

    def slow_down() -> None:
        for peer in world.broker.peers:
            peer.up._lag = lambda: 0.3

    def lose_the_order() -> None:
        world.cut(lands=1.2)

    def cancel() -> None:
        order_is(world, OrderState.SENT)
        world.mishaps.command("cancel", "sim-1")

    world.at(1.0, lambda: setattr(world, "is_frozen", True))
    world.at(1.05, slow_down)
    world.at(1.1, lambda: world.say("entry"))
    world.at(1.12, lose_the_order)
    world.at(1.9, cancel)
    if restarts:
        world.at(2.0, world.kill)
    world.at(4.0, lambda: order_is(world, OrderState.CANCELLED))
    world.run()
    assert len(set(cancels)) == 2
    assert not world.watch.ledger.fills


def close_fails(world: CalmWorld, why: str) -> None:
    if why == "no line":
        world.cut(lands=None)
    elif why == "the gate is shut":
        world.guardian.control(do="stop", flatten=False, by="a person")
    else:
        world.broker.paper.trick("reject")


@pytest.mark.parametrize("why", ["no line", "the gate is shut", "the broker refuses"])
def test_an_exit_that_was_not_carried_out_is_asked_again_until_it_is(why: str) -> None:
    world = CalmWorld(speaks=False)
    world.at(1.0, lambda: world.say("entry"))
    world.at(1.9, lambda: setattr(world, "is_frozen", True))
    world.at(2.0, lambda: close_fails(world, why))
    world.at(2.01, lambda: world.say("leave", "leave"))
    world.at(2.4, lambda: is_held(world, 1))
    world.at(2.5, lambda: setattr(world, "is_frozen", False))
    if why == "the gate is shut":
        world.at(4.0, world.mishaps._rearm)
    world.run()
    is_held(world, 0)
    assert [int(reason) for reason in world.account.book.log.trades["reason"][:1]] == [EXIT_REASONS.index("signal_exit")]


def is_held(world: CalmWorld, count: int) -> None:
    assert world.account.book.account["positions"][0] == count


# Where the broker's books are others


def give(world: CalmWorld, amount: int) -> None:
    """The broker pays, and does not tell."""
    world.broker.paper._cash += amount
    world.broker.paper.book.account["cash"] += amount
    world.watch.ledger.untold += amount


def vanish(world: CalmWorld) -> None:
    """A position is gone at the broker, and nobody was told."""
    book, paper = world.broker.paper.book, world.broker.paper
    assert book.account["positions"][0], "there is one to lose"
    number = int(book.state.positions["number"][0])
    book.account["positions"] = 0
    paper._seen.levels.pop(number)
    paper._seen.financing.pop(number, None)
    paper._series.pop(number)
    world.watch.ledger.held[-1].clear()


def is_barred(world: CalmWorld, words: str) -> None:
    assert words in world.account.barred[EVERY], world.account.barred
    assert world.account.mismatch


def is_well(world: CalmWorld) -> None:
    assert not world.account.mismatch
    assert not world.account.barred


@pytest.mark.parametrize("restarts", [False, True])
def test_cash_that_differs_bars_entries_until_a_person_takes_the_brokers_books_over(restarts: bool) -> None:
    world = CalmWorld(speaks=False)
    world.at(1.0, lambda: world.say("entry"))
    world.at(3.0, lambda: give(world, 7))
    world.at(3.5, lambda: world.say("leave", "leave"))
    world.at(5.0, lambda: is_barred(world, "the broker holds"))
    world.at(5.1, lambda: world.say("barred"))
    if restarts:
        world.at(6.0, world.kill)
    world.at(7.0, world.mishaps._rearm)
    world.at(8.4, lambda: is_well(world))
    world.at(9.0, lambda: world.say("again"))
    world.run()
    is_well(world)
    assert "the books here are the broker's, at the word of a person" in world.alarms
    assert world.outcomes["barred"].startswith("nothing is opened: after transaction")
    assert world.outcomes["again"] == "taken"
    assert world.watch.ledger.fills == 2


def test_a_position_that_vanished_at_the_broker_is_seen_when_the_line_is_back_and_goes_when_a_person_says_so() -> None:
    world = CalmWorld(speaks=False)
    world.at(1.0, lambda: world.say("entry"))
    world.at(2.0, lambda: setattr(world, "is_frozen", True))
    world.at(2.1, lambda: vanish(world))
    world.at(2.2, lambda: world.cut(lands=None))
    world.at(4.0, lambda: is_barred(world, "and the broker does not"))
    world.at(5.0, world.mishaps._rearm)
    world.at(6.0, lambda: is_well(world))
    world.at(10.5, lambda: world.say("again"))
    world.run()
    is_well(world)
    assert world.outcomes["again"] == "taken"
    assert world.watch.ledger.fills == 2


@pytest.mark.parametrize("name", ["stranger-1", "sim-99"])
def test_a_stranger_s_working_order_is_told_and_let_be_and_one_of_our_form_means_that_the_books_differ(name: str) -> None:
    """Entries go on beside it until it fills, which bars its symbol alone. Another copy of this account would use our names."""
    world = CalmWorld(speaks=False)
    is_ours = name == "sim-99"
    order = Place(name, "EURUSD", -1, 1, "limit", 500, 50_000, -1, -1, -1)
    world.at(2.0, lambda: world.broker._note(world.broker.paper.ask(order, world.clock.now())))
    world.at(3.0, lambda: world.cut(lands=None))
    world.at(6.0, lambda: world.say("entry"))
    world.at(7.0, world.kill)
    if is_ours:
        world.at(10.5, lambda: world.broker.carry_out(Cancel("stranger-2", name)))
    world.run()
    assert world.outcomes["entry"].startswith("nothing is opened: order" if is_ours else "taken")
    assert bool(world.account.mismatch) is is_ours
    assert world.account.foreign == (set() if is_ours else {name})
    told = [text for text in world.alarms if name in text]
    assert any(("works at the broker, and not here" if is_ours else "is somebody else's and is let be") in text for text in told)


def test_a_clock_that_was_ahead_and_is_set_right_costs_one_bar_and_is_told() -> None:
    """Bars are told and decided again, and the broker fills again, an hour before that clock's time has passed."""
    world = CalmWorld(speaks=False)
    bars: list[tuple[float, int]] = []

    def look() -> None:
        facts = [read_fact(entry.kind, entry.body) for entry in world.life.journal.read()] if world.life else []
        known = [bar for fact in facts if isinstance(fact, BarsClosed) for bar in fact.bars if bar.series == 0]
        bars.extend((world.loop.time(), bar.at) for bar in known[len(bars) :])

    for tenth in range(5, 140):
        world.at(tenth / 10, look)
    world.at(4.0, lambda: setattr(world.clock, "set_by", 3_600 * SECOND_US))
    world.at(7.5, lambda: setattr(world.clock, "set_by", 0))
    world.at(7.9, lambda: world.say("entry"))
    world.at(10.0, lambda: world.say("leave", "leave"))
    world.run()
    ahead = [at for seen, at in bars if 4.5 < seen < 7.5]
    assert ahead
    assert min(ahead) > NOON + 3_500 * SECOND_US
    healed = [(at - NOON) // SECOND_US for seen, at in bars if seen > 7.5]
    assert healed[:2] == [8, 10]
    assert world.outcomes == {"entry": "taken", "leave": "taken"}
    assert world.watch.ledger.fills == 1
    assert not world.account.book.account["positions"][0]
    assert any("EURUSD: the clock was ahead and is set right" in text for text in world.alarms)


def test_a_transaction_that_cannot_be_booked_leaves_nothing_stuck() -> None:
    """About a position that nobody here knows: what follows is still booked."""
    world = CalmWorld(speaks=False)

    def tell_of_a_stranger(symbol: str) -> None:
        paper = world.broker.paper
        paper.n += 1
        world.broker._note([Transaction(paper.n, What.FINANCED, "", 0, symbol, 99, cash=paper._cash)])

    world.at(1.0, lambda: world.say("entry"))
    world.at(2.0, lambda: tell_of_a_stranger("EURUSD"))
    world.at(2.1, lambda: world.say("leave", "leave"))
    world.at(4.0, lambda: is_barred(world, "position 99, which is not known to be open"))
    world.at(4.1, lambda: _booked_all(world))
    world.at(5.0, world.mishaps._rearm)
    world.at(6.0, lambda: is_well(world))
    world.at(7.0, lambda: world.say("again"))
    world.run()
    assert world.outcomes["again"] == "taken"
    assert world.watch.ledger.fills == 2


# A broker that is not ours


def test_a_broker_that_lost_its_books_halts_everything_in_words() -> None:
    world = CalmWorld()

    def lose_the_books() -> None:
        broker = world.broker
        broker.paper, broker.told, broker.asked = open_broker(world._terms()), [], {}
        world.mishaps._cut()

    def look() -> None:
        assert "it lost its books, or is another one" in world.account.halted
        assert "then re-arm" in world.account.halted
        assert world.life is not None
        assert not world.life.core.is_synced.is_set()

    sent: list[int] = []
    world.at(3.9, lambda: _booked_some(world))
    world.at(4.0, lose_the_books)
    world.at(5.0, look)
    world.at(5.1, lambda: sent.append(len(world.watch.sent)))
    world.at(5.2, world.kill)
    world.at(7.0, world.mishaps._rearm)
    world.at(13.0, look)
    world.at(13.1, lambda: sent.append(len(world.watch.sent)))
    world.run()
    assert sent[0] == sent[1]
    assert world.broker.paper.n == 0


def _booked_some(world: CalmWorld) -> None:
    assert world.account.booked > 0


@pytest.mark.parametrize("seed", [1, 2])
def test_a_broker_of_another_kind_is_never_sent_anything(seed: int) -> None:
    world = CalmWorld(seed)
    world.broker.environment = "live"
    world.at(5.0, lambda: world.mishaps.command("flatten"))
    world.run()
    assert "and this session trades paper" in world.account.halted
    assert not world.watch.sent
    assert not world.broker.told
