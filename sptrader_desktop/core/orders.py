"""The life of an order: every legal move in one table; whatever is not in it raises.

`SENT` is a real state: the broker may have the order or not, and it reserves exposure until the broker says which. A backtest
passes through it in no time, live may stay there for minutes.
"""

from enum import StrEnum

from sptrader_desktop.core.errors import SptraderError


class OrderState(StrEnum):
    CREATED = "created"
    INTENT = "intent"
    SENT = "sent"
    OPEN = "open"
    PARTIALLY_FILLED = "partially_filled"
    CANCEL_PENDING = "cancel_pending"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    LAPSED = "lapsed"


class IllegalMoveError(SptraderError):
    """An order was told to do what no order can: stop, look at the journal, do not trade on."""


S = OrderState
BROKER_STATES = (S.OPEN, S.PARTIALLY_FILLED, S.FILLED, S.CANCELLED, S.EXPIRED, S.REJECTED)

LEGAL_MOVES: dict[OrderState, tuple[OrderState, ...]] = {
    S.CREATED: (S.REJECTED, S.INTENT),
    S.INTENT: (S.LAPSED, S.SENT),
    S.SENT: (*BROKER_STATES, S.CANCEL_PENDING, S.LAPSED),  # lapsed only on a gap-free broker log past the quarantine
    S.OPEN: (S.PARTIALLY_FILLED, S.FILLED, S.CANCELLED, S.EXPIRED, S.REJECTED, S.CANCEL_PENDING),
    S.PARTIALLY_FILLED: (S.PARTIALLY_FILLED, S.FILLED, S.CANCELLED, S.EXPIRED, S.CANCEL_PENDING),
    # a cancel may lose the race, be refused, or find the order gone
    S.CANCEL_PENDING: (S.OPEN, S.PARTIALLY_FILLED, S.FILLED, S.CANCELLED, S.EXPIRED, S.REJECTED),
    S.FILLED: (),
    S.REJECTED: (),
    # the broker has the last word: a late fill is booked, alarmed, and makes the symbol close-only
    S.CANCELLED: (S.PARTIALLY_FILLED, S.FILLED),
    S.EXPIRED: (S.PARTIALLY_FILLED, S.FILLED),
    S.LAPSED: (S.OPEN, S.PARTIALLY_FILLED, S.FILLED),
}

LATE = frozenset({S.CANCELLED, S.EXPIRED, S.LAPSED})


def moved(state: OrderState, to: OrderState) -> OrderState:
    """`to`, if an order in `state` may become it."""
    if to not in LEGAL_MOVES[state]:
        allowed = ", ".join(LEGAL_MOVES[state]) or "nothing more"
        raise IllegalMoveError(f"an order that is {state} cannot become {to}; it may become {allowed}")
    return to


def is_late(state: OrderState, to: OrderState) -> bool:
    """A legal move nobody wants: it is booked, and it raises the alarm."""
    return state in LATE and to in LEGAL_MOVES[state]
