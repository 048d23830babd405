"""What the simulation found in the product: strangers on the account, time that stood still or was set, prices that no market has."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sptrader_desktop.adapters.price_messages import prices_in
from sptrader_desktop.core.broker_messages import Cancel, Place
from sptrader_desktop.core.instruments import CATALOGUE
from sptrader_desktop.ports import LivePrice
from sptrader_desktop.runtime.live.clock import SECOND_US
from sptrader_desktop.runtime.live.price_intake import CONVINCING, PriceIntake
from sptrader_desktop.runtime.live.steady_time import LATE_S, SteadyTime
from tests.account_desk import MONDAY, SECOND, SYMBOLS, Desk
from tests.test_live_decisions import Evaluation, signal

MINUTE_US, HOUR_US = 60 * SECOND_US, 3_600 * SECOND_US
LIMITED = "risk: {daily_loss_limit: 0.02, max_drawdown: 0.03}"
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


POSSIBLE = (1.1, 1e-5, 1e4, 1e8, 7e8, 7e10)  # some of them, as ticks of one symbol or the other
TEXTS = ("1.1", "1e9", "NaN", "Infinity", "-1.1", "", "x" * 99, None, True)
VALUES: Any = st.sampled_from((*POSSIBLE, *TEXTS, 0, -1, 2**63, -(10**30), 10**400, 1e-300)) | st.floats()
TWO_SIDED: Any = st.fixed_dictionaries({"bid": st.sampled_from(POSSIBLE), "ask": VALUES}, optional={"time": VALUES})
QUOTES: Any = st.sampled_from(POSSIBLE) | VALUES | TWO_SIDED | st.lists(VALUES, max_size=2)
BODIES: Any = st.dictionaries(st.sampled_from(SYMBOLS), QUOTES).map(lambda found: json.dumps(found).encode()) | st.sampled_from(
    [b"", b"\xff\xfe", b"[" * 5_000, b'{"EURUSD":' * 3_000, b'{"EURUSD": 1e999999999}', b'{"EURUSD": -0}', b"9" * 9_999, b"null", b"NaN"]
)
FIELDS = st.sampled_from([b"data", b"EURUSD", b"USDJPY", b"\xff"])


@settings(max_examples=60)
@given(st.lists(st.tuples(st.dictionaries(FIELDS, BODIES, max_size=2), st.sampled_from((1, CONVINCING))), max_size=8), st.booleans())
def test_whatever_is_published_as_a_price_the_session_and_the_broker_go_on_and_come_out_the_same(
    entries: list[tuple[dict[bytes, bytes], int]], is_open: bool
) -> None:
    desk, alarms = Desk(), list[str]()
    intake = PriceIntake(desk.engine, desk.send, alarms.append)
    if is_open:
        desk.price("EURUSD", 110_000)
        desk.act("EURUSD", enters=True)
        desk.price("EURUSD", 110_000)
    for fields in (fields for fields, times in entries for _ in range(times)):
        desk.clock.at += SECOND
        for price in prices_in((f"{desk.clock.at // 1_000}-0".encode(), fields), SYMBOLS, CATALOGUE, desk.clock.at):
            desk.hear(desk.broker.price(price.symbol, price.stamp, price.price, price.ask))
            if intake.take(price):
                desk.act(price.symbol, enters=True)
            desk.send()
    assert len(alarms) <= 2 * len(entries)
    for _ in range(CONVINCING):
        assert intake.take(LivePrice("EURUSD", desk.clock.at, 110_000, 110_002)) or alarms
    desk.price("EURUSD", 110_000)
    assert desk.act("EURUSD", enters=True) or desk.account.barred or desk.account.book.account["positions"][0]
    assert desk.recovered().book.state.positions.tobytes() == desk.account.book.state.positions.tobytes()


def test_a_crossed_price_is_told_and_is_in_no_candle() -> None:
    desk, alarms = Desk(), list[str]()
    intake = PriceIntake(desk.engine, desk.send, alarms.append)
    assert not intake.take(LivePrice("EURUSD", desk.clock.at, 110_008, 110_000))
    assert alarms == ["EURUSD: a price of 110008 ticks is not believed: its ask, 110000, is lower"]
    assert intake.take(LivePrice("EURUSD", desk.clock.at, 110_000, 110_000))


def test_a_price_of_a_time_to_come_is_told_once_and_one_without_a_time_is_not_later_than_now() -> None:
    desk, alarms = Desk(), list[str]()
    intake = PriceIntake(desk.engine, desk.send, alarms.append)
    for _ in range(3):
        assert not intake.take(LivePrice("EURUSD", desk.clock.at + HOUR_US, 110_000, 110_002))
    assert alarms == ["EURUSD: a price of 110000 ticks is not believed: its time is 3,600 s ahead of this computer's clock"]
    later = f"{(desk.clock.at + HOUR_US) // 1_000}-0".encode()  # by the server's clock
    (price,) = prices_in((later, {b"EURUSD": b"1.1"}), SYMBOLS, CATALOGUE, desk.clock.at)
    assert price.stamp == desk.clock.at
    assert intake.take(price)


def test_good_and_doubtful_prices_by_turns_are_told_once_a_minute() -> None:
    desk, alarms = Desk(), list[str]()
    intake = PriceIntake(desk.engine, desk.send, alarms.append)
    for number in range(300):
        desk.clock.at += SECOND
        assert intake.take(LivePrice("EURUSD", desk.clock.at, 110_000, 110_002))
        assert not intake.take(LivePrice("EURUSD", desk.clock.at + 6 * SECOND, 110_000 + number, 110_400))
    assert len(alarms) == 5


def test_a_feed_that_stays_bad_for_hours_is_told_once_and_once_more_when_it_was_good_between() -> None:
    desk, alarms = Desk(), list[str]()
    intake = PriceIntake(desk.engine, desk.send, alarms.append)

    def bad_for(seconds: int) -> None:
        for _ in range(seconds):
            desk.clock.at += SECOND
            assert not intake.take(LivePrice("EURUSD", desk.clock.at + MINUTE_US, 110_000, 110_002))

    bad_for(7_200)
    assert len(alarms) == 1
    assert intake.take(LivePrice("EURUSD", desk.clock.at, 110_000, 110_002))
    bad_for(20)
    assert len(alarms) == 2
    assert intake.take(LivePrice("EURUSD", desk.clock.at, 110_000, 110_002))
    bad_for(20)
    assert len(alarms) == 2, "not within the minute"
    bad_for(7_200)
    assert len(alarms) == 3, "and not never"


def test_a_price_far_off_is_told_once_and_believed_when_it_stays() -> None:
    desk, alarms = Desk(), list[str]()
    intake = PriceIntake(desk.engine, desk.send, alarms.append)

    def take(price: int) -> bool:
        desk.clock.at += SECOND
        return intake.take(LivePrice("EURUSD", desk.clock.at, price, price))

    assert take(110_000)
    assert [take(11_000_001 + number) for number in range(CONVINCING - 1)] == [False] * (CONVINCING - 1)
    assert alarms == ["EURUSD: a price of 11000001 ticks is not believed: the one before it was 110000, and it stands alone"]
    assert take(110_001)
    desk.clock.at += MINUTE_US
    assert [take(1_000) for _ in range(CONVINCING)] == [False] * (CONVINCING - 1) + [True]
    assert len(alarms) == 2
    assert not take(2**46)


@settings(max_examples=30)
@given(st.lists(st.integers(-1_500, 1_200), min_size=1, max_size=25))
def test_a_limit_of_the_strategy_is_met_at_the_price_that_meets_it(steps: list[int]) -> None:
    """As when the account is told of every price."""
    found = []
    for is_eager in (True, False):
        desk, bid = Desk(is_eager=is_eager, exits=LIMITED), 110_000
        desk.price("EURUSD", bid)
        desk.act("EURUSD", enters=True)
        desk.price("EURUSD", bid)
        met = list[int]()
        for number, step in enumerate(steps):
            bid += step
            is_felt = desk.price("EURUSD", bid)
            if desk.account.barred and not met:
                met.append(number)
                assert is_felt
        found.append((met, desk.closed()))
    assert found[0] == found[1]


def test_after_the_clock_was_set_back_prices_are_believed_again() -> None:
    desk = Desk()
    desk.price("EURUSD", 110_000, 2)
    desk.clock.at -= HOUR_US
    desk.engine.price(LivePrice("EURUSD", desk.clock.at, 110_003, 110_005))
    assert desk.engine.markets["EURUSD"].at == desk.clock.at
