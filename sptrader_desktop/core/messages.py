"""What is said between core and the world. Actions are imperative: core asks. Facts are past tense and never change: something happened.

The kernel writes tables; `order_story` tells a row of them as the messages that live trading would have exchanged.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sptrader_desktop.core.orders import OrderState, moved
from sptrader_desktop.core.records import CANCELLED, EXPIRED, ORDER, ORDER_KINDS, PLACED, VERDICTS
from sptrader_desktop.core.simulation import Outcome
from sptrader_desktop.core.tables import Ints


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """`at` in microseconds UTC, quantities in steps, prices in ticks; `level` and `expiry` are −1 where there is none."""

    at: int
    order: int
    symbol: int
    side: int
    kind: str
    quantity: int
    level: int
    expiry: int


@dataclass(frozen=True, slots=True)
class EntryRefused:
    """The conditions of rule `rule` held, and `verdict` says why nothing was ordered."""

    at: int
    symbol: int
    rule: int
    verdict: str


@dataclass(frozen=True, slots=True)
class OrderFilled:
    """`order` is −1 for an exit, which then has a `reason`."""

    at: int
    order: int
    position: int
    symbol: int
    side: int
    quantity: int
    price: int
    commission: int
    reason: str


@dataclass(frozen=True, slots=True)
class OrderCancelled:
    at: int
    order: int


@dataclass(frozen=True, slots=True)
class OrderExpired:
    at: int
    order: int


Message = PlaceOrder | EntryRefused | OrderFilled | OrderCancelled | OrderExpired

# Which state each message brings its order to.
BRINGS: dict[type, OrderState] = {
    PlaceOrder: OrderState.OPEN,
    OrderFilled: OrderState.FILLED,
    OrderCancelled: OrderState.CANCELLED,
    OrderExpired: OrderState.EXPIRED,
}


def order_story(outcome: Outcome, order: int, opens: Sequence[Ints]) -> tuple[Message, ...]:
    """What happened to one entry order, first to last; `opens` are the bars' open stamps of each traded symbol."""
    row = {name: int(outcome.orders[name][order]) for name in ORDER.names or ()}
    symbol = row["symbol"]
    asked = PlaceOrder(
        row["decided_time"], order, symbol, row["side"], ORDER_KINDS[row["kind"]], row["quantity"], row["level"], row["expiry"]
    )
    settled = int(opens[symbol][row["settled_bar"]])
    if row["state"] == CANCELLED:
        return asked, OrderCancelled(settled, order)
    if row["state"] == EXPIRED:
        return asked, OrderExpired(settled, order)
    fill = outcome.fills[np.flatnonzero(outcome.fills["order"] == order)[0]]
    position, side, quantity, price, commission = (int(fill[name]) for name in ("position", "side", "quantity", "price", "commission"))
    return asked, OrderFilled(settled, order, position, symbol, side, quantity, price, commission, "")


def refusals(outcome: Outcome) -> Iterator[EntryRefused]:
    """Every entry whose conditions held and that was not ordered."""
    for row in outcome.verdicts[outcome.verdicts["verdict"] != PLACED]:
        yield EntryRefused(int(row["time"]), int(row["symbol"]), int(row["rule"]), VERDICTS[row["verdict"]])


def life(story: Sequence[Message]) -> list[OrderState]:
    """The states an order went through; an illegal move raises. In a simulation nothing lies between intent, sent and open."""
    states = [OrderState.CREATED]
    for message in story:
        for to in (OrderState.INTENT, OrderState.SENT, OrderState.OPEN) if isinstance(message, PlaceOrder) else (BRINGS[type(message)],):
            states.append(moved(states[-1], to))
    return states
