"""What trading tells the world outside, on the event bus: orders, positions, limits and the portfolio, in decimal strings."""

from collections.abc import Iterator
from typing import Any

from sptrader_desktop.core.broker_messages import Place, Request, Transaction, What
from sptrader_desktop.core.instruments import Instrument
from sptrader_desktop.present.numbers import iso_time, price_unit, quantity_unit

Told = dict[str, Any]
STOPS = frozenset({"stop_loss", "trailing_stop"})
_OF_ORDERS = {
    What.ACCEPTED: "ORDER_CREATED",
    What.FILLED: "ORDER_FILLED",
    What.CANCELLED: "ORDER_CANCELLED",
    What.EXPIRED: "ORDER_CANCELLED",
    What.REJECTED: "ORDER_CANCELLED",
}


def trade_events(done: Transaction, asked: Request | None, instrument: Instrument, *, is_gone: bool) -> Iterator[Told]:
    """Of one transaction; `is_gone`: nothing is left of its position."""
    if isinstance(asked, Place) and done.what in _OF_ORDERS:
        yield _told(_OF_ORDERS[done.what], done, instrument)
    if done.what is What.FILLED:
        yield _told("POSITION_OPENED", done, instrument)
    elif done.what is What.CLOSED:
        yield _told("POSITION_CLOSED" if is_gone else "POSITION_MODIFIED", done, instrument)
        if done.reason in STOPS:
            yield _told("STOP_LOSS_HIT", done, instrument)
    elif done.what is What.PROTECTED:
        yield _told("POSITION_MODIFIED", done, instrument)


def breach_event(at: int, scope: str, why: str) -> Told:
    return {"kind": "RISK_LIMIT_BREACHED", "at": iso_time(at), "scope": scope, "why": why}


def portfolio_update(at: int, portfolio: Told) -> Told:
    """The six figures, as the state of a session tells them."""
    return {"kind": "portfolio_update", "at": iso_time(at), **portfolio}


def _told(kind: str, done: Transaction, instrument: Instrument) -> Told:
    found = {"kind": kind, "at": iso_time(done.at), "symbol": instrument.symbol, "order": done.id, "transaction": done.n}
    if done.position >= 0:
        found["position"] = done.position
    if done.quantity:
        found["side"] = "buy" if done.side > 0 else "sell"
        found["quantity"] = quantity_unit(instrument).text(done.quantity)
        found["price"] = price_unit(instrument).text(done.price)
    return found | ({"reason": done.reason} if done.reason else {})
