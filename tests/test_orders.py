"""The life of an order: the table of moves, and every order of many runs told as messages through it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sptrader_desktop.core.messages import OrderFilled, PlaceOrder, life, order_story, refusals
from sptrader_desktop.core.orders import LEGAL_MOVES, IllegalMoveError, OrderState, is_late, moved
from sptrader_desktop.core.simulation import run
from tests.markets import random_case
from tests.parity import job_of

states = st.sampled_from(list(OrderState))


def test_every_state_has_its_row_and_every_state_can_be_reached() -> None:
    assert set(LEGAL_MOVES) == set(OrderState)
    reached, new = {OrderState.CREATED}, {OrderState.CREATED}
    while new:
        new = {to for state in new for to in LEGAL_MOVES[state]} - reached
        reached |= new
    assert reached == set(OrderState)


@given(states, states)
def test_a_move_is_in_the_table_or_raises_with_what_would_be_legal(state: OrderState, to: OrderState) -> None:
    if to in LEGAL_MOVES[state]:
        assert moved(state, to) is to
    else:
        with pytest.raises(IllegalMoveError, match=f"an order that is {state} cannot become {to}; it may become "):
            moved(state, to)


@given(states)
def test_nothing_leaves_filled_or_rejected_and_nothing_returns_to_the_beginning(state: OrderState) -> None:
    assert LEGAL_MOVES[OrderState.FILLED] == LEGAL_MOVES[OrderState.REJECTED] == ()
    assert not {OrderState.CREATED, OrderState.SENT} & set(LEGAL_MOVES[state]) or state is OrderState.INTENT


def test_sent_may_become_whatever_a_broker_can_say() -> None:
    said = {OrderState.OPEN, OrderState.PARTIALLY_FILLED, OrderState.FILLED, OrderState.CANCELLED, OrderState.EXPIRED, OrderState.REJECTED}
    assert said <= set(LEGAL_MOVES[OrderState.SENT])


def test_a_fill_after_the_end_is_legal_and_late() -> None:
    for ended in (OrderState.CANCELLED, OrderState.EXPIRED, OrderState.LAPSED):
        assert is_late(ended, OrderState.FILLED)
    assert not is_late(OrderState.OPEN, OrderState.FILLED)
    assert not is_late(OrderState.REJECTED, OrderState.FILLED)


def test_every_order_of_many_runs_lived_a_legal_life() -> None:
    ends: set[OrderState] = set()
    for seed in range(60):
        job = job_of(case := random_case(seed))
        outcome, opens = run(job), [candles.timestamp for candles in case.candles]
        for order in range(len(outcome.orders)):
            story = order_story(outcome, order, opens)
            ends.add(life(story)[-1])
            assert isinstance(story[0], PlaceOrder)
            if isinstance(story[-1], OrderFilled):
                assert story[-1].quantity == story[0].quantity
        assert len(list(refusals(outcome))) + len(outcome.orders) == len(outcome.verdicts)
    assert ends == {OrderState.FILLED, OrderState.CANCELLED, OrderState.EXPIRED}
