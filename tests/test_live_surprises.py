"""What the simulation found in the product: strangers on the account, time that stood still or was set, prices that no market has."""

import asyncio
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sptrader_desktop.core.broker_messages import Cancel, Place
from sptrader_desktop.ports import LivePrice
from sptrader_desktop.runtime.live.clock import SECOND_US
from sptrader_desktop.runtime.live.steady_time import LATE_S, SteadyTime
from tests.account_desk import MONDAY, SECOND, Desk
from tests.test_live_decisions import Evaluation, signal

HOUR_US = 3_600 * SECOND_US
LIMIT = ", order: {type: limit, offset: {type: pips, value: 10}}"


# Somebody else trades on the account


def strange(symbol: str, side: int, quantity: int = 500) -> Place:
    return Place(f"stranger {symbol} {side} {quantity}", symbol, -1, side, "market", quantity, -1, -1, -1, -1)


def test_after_a_stranger_s_order_a_cancel_names_the_order_that_is_meant() -> None:
    desk = Desk(order=LIMIT)
    desk.price("EURUSD", 110_000)
    desk.price("USDJPY", 150_000)
    desk.hear(desk.broker.ask(strange("USDJPY", 1), desk.clock.at))
    desk.price("USDJPY", 150_000)
    (placed,) = desk.act("EURUSD", enters=True)
    desk.command("flatten")
    assert [request.order for request in desk.sent if isinstance(request, Cancel)] == [placed.id]


def test_what_a_stranger_had_before_our_first_price_is_booked_at_its_own_time_and_comes_out_again_the_same() -> None:
    desk = Desk()
    at = desk.clock.at + SECOND
    for transaction in [*desk.broker.price("EURUSD", at, 110_000, 110_000), *desk.broker.ask(strange("EURUSD", 1), at)]:
        desk.engine.tell(transaction)
    desk.hear(desk.broker.price("EURUSD", at + SECOND, 110_000, 110_000))
    desk.engine.commit()
    position = desk.account.book.state.positions[0]
    assert (int(position["quantity"]), int(position["entry_time"])) == (500, at + SECOND)
    assert desk.recovered().book.state.positions.tobytes() == desk.account.book.state.positions.tobytes()


# Time that passed for others, or for nobody


@dataclass
class TwoClocks:
    """The wall's and one's own."""

    at: int = MONDAY
    own: float = 0.0

    def now(self) -> int:
        return self.at

    def monotonic(self) -> float:
        return self.own

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(f"nothing waits here ({seconds} s)")

    def go_on(self, seconds: float, set_by: float = 0.0) -> None:
        self.own += seconds
        self.at += round((seconds + set_by) * SECOND_US)


STEPS = st.lists(
    st.tuples(st.sampled_from([0.25, 0.25, 0.25, 0.9, 5.0, 600.0]), st.sampled_from([0.0, 0.0, 0.0, 2.0, -2.0, 3_600.0, -3_600.0]))
)


@given(STEPS, STEPS)
def test_nothing_has_waited_longer_than_somebody_listened_to_it(
    before: list[tuple[float, float]], after: list[tuple[float, float]]
) -> None:
    clock = TwoClocks()
    time = SteadyTime(clock, 0.25)
    for seconds, set_by in before:
        clock.go_on(seconds, set_by)
        time.look()
    time.waited(["it"], 0)
    listened = 0.0
    for seconds, set_by in after:
        clock.go_on(seconds, set_by)
        told = time.look()
        is_usual = not set_by and seconds <= 0.25 + LATE_S
        assert bool(told) is not is_usual
        listened = listened + seconds if is_usual else 0.0
        assert time.waited(["it"], round(listened * SECOND_US) + 1) == []


def test_who_waits_in_peace_waits_no_longer_than_that() -> None:
    clock = TwoClocks()
    time = SteadyTime(clock, 0.25)
    time.waited(["it"], 0)
    for _ in range(480):
        clock.go_on(0.25)
        time.look()
        assert time.waited(["it", "another"], 120 * SECOND_US) == []
    assert time.waited(["it", "another"], 120 * SECOND_US - 1) == ["it"]


def test_a_clock_that_is_set_back_does_not_hold_a_signal_for_an_hour() -> None:
    async def story() -> None:
        evaluation = Evaluation()
        await evaluation.orchestrator.start()
        await evaluation.take(signal("fast", 0))
        evaluation.clock._start -= HOUR_US
        await evaluation.clock.turn(1.0)
        assert evaluation.why() == ["the clock was set back: its bar is not over any more"]
        await evaluation.orchestrator.stop()

    asyncio.run(story())


# Prices


@pytest.mark.parametrize(("late", "bid", "ask"), [(-20, 109_000, 109_002), (20, 109_000, 109_002), (0, 110_008, 110_000)])
def test_a_price_that_is_old_of_a_time_to_come_or_crossed_says_nothing(late: int, bid: int, ask: int) -> None:
    desk = Desk()
    desk.price("EURUSD", 110_000, 2)
    desk.clock.at += SECOND
    before = desk.engine.markets["EURUSD"]
    desk.engine.price(LivePrice("EURUSD", desk.clock.at + late * SECOND, bid, ask))
    assert desk.engine.markets["EURUSD"] == before
    desk.engine.price(LivePrice("EURUSD", desk.clock.at, 110_003, 110_005))
    assert desk.engine.markets["EURUSD"].bid == 110_003


def test_after_the_clock_was_set_back_prices_are_believed_again() -> None:
    desk = Desk()
    desk.price("EURUSD", 110_000, 2)
    desk.clock.at -= HOUR_US
    desk.engine.price(LivePrice("EURUSD", desk.clock.at, 110_003, 110_005))
    assert desk.engine.markets["EURUSD"].at == desk.clock.at
