"""Stops, targets and trailing levels at a broker that holds none: watched on every price, asked for once, at the levels it would have."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sptrader_desktop.core import facts
from sptrader_desktop.core.broker_messages import Protect, What
from sptrader_desktop.core.tables import FAR
from sptrader_desktop.runtime.live.bars_from_prices import Bar, Four
from sptrader_desktop.runtime.live.paper_prices import Frictions
from sptrader_desktop.runtime.live.parts import EvaluatedSet
from tests.account_desk import MINUTE, MONDAY, SECOND, Desk

STOP = "  stop_loss: {type: pips, value: 10}\n"
TARGET = "  take_profit: {type: pips, value: 12}\n"
SHARE = "  scale_out: true\n  partial_close_pct: 0.4\n"
START = 110_000
Fill = tuple[int, str, int]


def closed_at(desk: Desk) -> list[tuple[int, Fill, int]]:
    """(the number of the price, what was closed, at which price) of each close."""
    return [
        ((done.at - MONDAY) // SECOND, (done.position, done.reason, done.quantity), done.price)
        for done in desk.told
        if done.what is What.CLOSED
    ]


def traded(moves: list[int], entries: int, **asked: Any) -> Desk:
    """Entries at one price, each a little later than the other, and then a market of its own."""
    desk, price = Desk(is_eager=False, **asked), START
    desk.price("EURUSD", price, 4)
    for number in range(entries):
        assert desk.act("EURUSD", enters=True)
        desk.price("EURUSD", price + number, 4)
    for move in moves:
        price += move
        desk.price("EURUSD", price, 4)
    return desk


@settings(max_examples=60)
@given(
    st.sampled_from(["buy", "sell"]),
    st.sampled_from([STOP, TARGET, STOP + TARGET, STOP + TARGET + SHARE]),
    st.integers(1, 4),
    st.lists(st.integers(-900, 900), min_size=2, max_size=40),
)
def test_each_is_closed_for_the_same_reason_at_the_price_after_the_one_at_which_the_broker_would_have(
    side: str, exits: str, entries: int, moves: list[int]
) -> None:
    there = traded(moves, entries, side=side, exits=exits)
    here = traded(moves, entries, side=side, exits=exits, holds_stops=False)
    last, slip, width = entries + len(moves) + 1, 2, 4
    bids = [START, *(START + number for number in range(entries))]
    for move in moves:
        bids.append((bids[-1] if len(bids) > entries + 1 else START) + move)
    expected = [(at + 1, what) for at, what, _ in closed_at(there) if at < last]
    assert [(at, what) for at, what, _ in closed_at(here)] == expected
    for at, _, price in closed_at(here):
        assert price == (bids[at - 1] - slip if side == "buy" else bids[at - 1] + width + slip)
    assert not [request for request in here.sent if isinstance(request, Protect)]
    for position in {close.position for close in here.closes()}:
        assert sum(close.quantity for close in here.closes() if close.position == position) <= 10_000, "nothing is asked for twice"


TRAILING = "  trailing_stop: {activation_pct: 0, trail_pct: 0.001}\n"


def opened(**asked: Any) -> Desk:
    desk = Desk(is_eager=False, **asked)
    desk.price("EURUSD", START)
    assert desk.act("EURUSD", enters=True)
    desk.price("EURUSD", START)
    return desk


def close_bar(desk: Desk, price: int) -> None:
    """At the close a trailing level may move."""
    desk.price("EURUSD", price)
    four, opens = Four(*[price] * 4), desk.clock.at - MINUTE
    desk.engine.candle(Bar("EURUSD", "1m", opens, desk.clock.at, four, four, 1.0))
    desk.engine.decide(EvaluatedSet("EURUSD", opens, {"up": (), "leave": ()}, frozenset(), is_close_only=False))
    desk.send()


def level(desk: Desk, name: str) -> int:
    return int(desk.account.book.state.positions[name][0])


def test_a_trailing_level_is_moved_and_met_here() -> None:
    desk = opened(exits=STOP + TRAILING, holds_stops=False)
    close_bar(desk, 111_000)
    assert level(desk, "trail") == 110_889
    assert not desk.price("EURUSD", 110_890)
    assert desk.price("EURUSD", 110_889)
    assert not desk.price("EURUSD", 110_700), "it is on its way"
    assert desk.closed() == [(0, "trailing_stop", 10_000, 110_698)]
    assert not [request for request in desk.sent if isinstance(request, Protect)]
    assert desk.recovered().watched == desk.account.watched


def test_a_close_that_is_refused_is_asked_for_again_a_second_later_and_a_part_gets_its_target_back() -> None:
    desk = opened(exits=STOP + TARGET + SHARE, holds_stops=False)
    target = level(desk, "target")
    desk.broker.trick("reject", "no liquidity")
    assert desk.price("EURUSD", target)
    assert (len(desk.closes()), level(desk, "target")) == (1, target)
    desk.clock.at -= SECOND // 2
    assert not desk.price("EURUSD", target + 1)
    assert desk.price("EURUSD", target + 2)
    assert (len(desk.closes()), level(desk, "target")) == (2, FAR)
    desk.price("EURUSD", target + 3)
    assert desk.closed() == [(0, "partial", 4_000, target + 1)]
    assert not desk.price("EURUSD", target + 100), "what is left has no target"
    assert desk.price("EURUSD", level(desk, "stop"))


def test_a_persons_close_that_got_lost_behind_one_by_a_level_is_asked_again_when_that_is_refused_too() -> None:
    desk = opened(exits=STOP, holds_stops=False)
    assert desk.price("EURUSD", level(desk, "stop"), is_lost=True)
    desk.command("close", "0", is_lost=True)
    by_level, by_person = desk.closes()
    desk.engine.session.take(facts.RequestUnsettled(desk.clock.at, by_person.id))
    desk.engine.session.take(facts.RequestUnsettled(desk.clock.at, by_level.id))
    assert not desk.price("EURUSD", START), "the level is far"
    desk.engine.ask_again()
    desk.send()
    assert [(close.reason, close.quantity) for close in desk.closes()[2:]] == [("emergency", 10_000)]


def test_a_level_that_the_broker_will_not_take_is_told_watched_here_and_given_back_with_the_next_it_takes() -> None:
    desk = opened(exits=STOP + TRAILING)
    desk.broker.trick("no_protect", "too close")
    close_bar(desk, 111_000)
    assert desk.account.alarms == [
        "EURUSD: the broker does not hold the new stop of position 0 (too close): it is watched here, on every price, and only while this "
        "computer works"
    ]
    assert desk.account.watched.unkept == {0}
    close_bar(desk, 112_000)
    assert (desk.account.watched.unkept, len(desk.closes())) == (set(), 0)
    desk.broker.trick("no_protect")
    close_bar(desk, 113_000)
    assert level(desk, "trail") == 112_887
    assert desk.price("EURUSD", 112_880)
    assert [close.reason for close in desk.closes()] == ["trailing_stop"]
    desk.price("EURUSD", 112_880)
    assert desk.closed() == [(0, "trailing_stop", 10_000, 112_878)]
    assert desk.account.watched.unkept == set()


def test_a_broker_that_begins_to_hold_stops_holds_none_of_what_was_open_before() -> None:
    desk = opened(exits=STOP, holds_stops=False)
    desk.meet(holds_stops=True)
    assert desk.account.watched.unkept == {0}
    assert desk.price("EURUSD", level(desk, "stop"))
    assert len(desk.closes()) == 1


# Parts


def test_a_part_that_is_closed_while_another_is_on_its_way_is_closed_once_and_after_it() -> None:
    """As the backtest does where both fill at once: 40 % of 10,000, then 40 % of what that leaves."""
    desk = Desk(leave="close_partial", exits="  partial_close_pct: 0.4", frictions=Frictions(latency_us=3 * SECOND, stops_out=False))
    for _ in range(2):
        desk.price("EURUSD", START)
    desk.act("EURUSD", enters=True)
    for _ in range(5):
        desk.price("EURUSD", START)
    desk.act("EURUSD", leaves=True)
    desk.price("EURUSD", START)
    desk.act("EURUSD", leaves=True)
    for _ in range(8):
        desk.price("EURUSD", START)
    assert [(close.quantity, close.reason) for close in desk.closes()] == [(4_000, "partial"), (2_400, "partial")]
    assert [(what, quantity) for _, what, quantity, _ in desk.closed()] == [("partial", 4_000), ("partial", 2_400)]
    assert (level(desk, "quantity"), level(desk, "closing")) == (3_600, 0)
    assert not list(desk.account.lives.going())


@pytest.mark.parametrize("stopped", [0, 1, 2])
def test_where_one_is_stopped_and_others_meet_their_target_at_one_price_the_parts_are_the_brokers(stopped: int) -> None:
    found = []
    for holds_stops in (True, False):
        desk = traded([], 3, exits=STOP + TARGET + SHARE, holds_stops=holds_stops)
        books = [desk.account.book, desk.broker.book] if holds_stops else [desk.account.book]
        for book in books:
            book.state.positions["stop"][stopped] = 120_000
        for more in range(4):
            desk.price("EURUSD", 111_300 + more, 4)
        found.append([what for _, what, _ in closed_at(desk)])
    assert found[0] == found[1]
    assert {reason for _, reason, _ in found[0]} == {"partial", "stop_loss"}


def test_while_a_close_is_on_its_way_no_price_is_a_matter_of_ours() -> None:
    desk = opened(exits=STOP, holds_stops=False, frictions=Frictions(latency_us=3 * SECOND, stops_out=False))
    for _ in range(4):
        desk.price("EURUSD", START)
    stop = level(desk, "stop")
    assert [desk.price("EURUSD", stop - more) for more in range(3)] == [True, False, False]
    assert len(desk.closes()) == 1
