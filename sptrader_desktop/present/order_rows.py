"""The orders of a run as a table: every entry order with what became of it, and every exit that was filled."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sptrader_desktop.core.records import (
    EXIT_REASONS,
    EXPIRED,
    FILLED,
    LIMIT,
    LONG,
    MARKET,
    ORDER_KINDS,
    ORDER_STATES,
    PARTIAL,
    STOP,
    STOP_LOSS,
    TAKE_PROFIT,
    TRAILING_STOP,
    WORKING,
)
from sptrader_desktop.present.column_makers import Ints, count, money, per_symbol, price_scale, quantity_scale, times, word
from sptrader_desktop.present.columns import NOTHING, Column, Columns
from sptrader_desktop.present.listing import Listing, stamps_of, symbols_of
from sptrader_desktop.present.numbers import counted
from sptrader_desktop.present.result_orders import exit_decisions
from sptrader_desktop.present.selection import Zone
from sptrader_desktop.present.zone_clock import clock_in

if TYPE_CHECKING:
    from sptrader_desktop.core.results import Result

ENTRY, EXIT = 0, 1
NO_REASON = len(EXIT_REASONS)
REASONS = (*EXIT_REASONS, "")
SHOWN_REASONS = (*(name.replace("_", " ") for name in EXIT_REASONS), "–")


class _Orders(NamedTuple):
    """One row for each order, in the order of the bars in which they were settled and in them as they were filled."""

    settled: Ints
    place: Ints
    symbol: Ints
    side: Ints
    purpose: Ints
    kind: Ints
    quantity: Ints
    level: Ints
    price: Ints
    state: Ints
    reason: Ints
    commission: Ints
    decided: Ints
    trade: Ints
    expiry: Ints


def order_listing(result: "Result", zone: Zone) -> Listing:
    both = zip(_entries(result), _exits(result), strict=True)
    joined = _Orders(*(np.concatenate(columns) for columns in both))
    rows = np.lexsort((joined.place, joined.settled))
    orders = _Orders(*(column[rows] for column in joined))
    table = Columns((*_columns(result, orders, zone), _story(result, orders, zone)))
    return Listing(table, symbols_of(result), orders.symbol, orders.settled, orders.settled)


def _entries(result: "Result") -> _Orders:
    orders, fills = result.outcome.orders, result.outcome.fills
    filled = np.flatnonzero(fills["reason"] < 0)
    number = fills["order"][filled]
    # What was not filled comes after what was.
    place, price, commission = np.full(len(orders), len(fills)), np.full(len(orders), NOTHING), np.zeros(len(orders), np.int64)
    place[number], price[number], commission[number] = filled, fills["price"][filled], fills["commission"][filled]
    is_settled = orders["settled_bar"] >= 0
    settled = np.where(is_settled, stamps_of(result, orders["symbol"], orders["settled_bar"]), orders["decided_time"])
    none = np.full(len(orders), NOTHING)
    return _Orders(
        settled,
        place,
        orders["symbol"],
        orders["side"],
        np.full(len(orders), ENTRY),
        orders["kind"],
        orders["quantity"],
        np.where(orders["kind"] == MARKET, NOTHING, orders["level"]),
        price,
        orders["state"],
        np.full(len(orders), NO_REASON),
        commission,
        orders["decided_time"],
        none,
        orders["expiry"],
    )


def _exits(result: "Result") -> _Orders:
    fills = result.outcome.fills
    places = np.flatnonzero(fills["reason"] >= 0)
    own = fills[places]
    decided = exit_decisions(result, own)
    reason, none = own["reason"], np.full(len(own), NOTHING)
    kind = np.select(
        [np.isin(reason, (STOP_LOSS, TRAILING_STOP)), (reason == TAKE_PROFIT) | ((reason == PARTIAL) & (decided == NOTHING))],
        [STOP, LIMIT],
        MARKET,
    )
    numbers = np.arange(1, len(own) + 1)
    filled = np.full(len(own), FILLED)
    return _Orders(
        own["time"],
        places,
        own["symbol"],
        own["side"],
        np.full(len(own), EXIT),
        kind,
        own["quantity"],
        none,
        own["price"],
        filled,
        reason,
        own["commission"],
        decided,
        numbers,
        none,
    )


def _columns(result: "Result", orders: _Orders, zone: Zone) -> tuple[Column, ...]:
    instruments = [candles.instrument for candles in result.request.traded]
    prices, quantities = [price_scale(item) for item in instruments], [quantity_scale(item) for item in instruments]
    return (
        times("settled_at", "Settled", orders.settled, zone, "the bar in which it was filled, cancelled or expired"),
        word("symbol", "Symbol", orders.symbol, symbols_of(result)),
        word("side", "Side", np.where(orders.side == LONG, 0, 1), ("buy", "sell")),
        word("purpose", "Purpose", orders.purpose, ("entry", "exit")),
        word("kind", "Kind", orders.kind, ORDER_KINDS),
        per_symbol("quantity", "Quantity", orders.quantity, orders.symbol, quantities, "units of the symbol"),
        per_symbol("level", "Level", orders.level, orders.symbol, prices, "at which a limit or stop entry waited"),
        per_symbol("price", "Price", orders.price, orders.symbol, prices, "at which it was filled"),
        word("state", "State", orders.state, ORDER_STATES),
        word("reason", "Reason", orders.reason, REASONS, "why a position was closed", shown=SHOWN_REASONS),
        money("commission", "Commission", orders.commission, result.request.terms.currency, "paid", is_signed=False),
        times("decided_at", "Decided", orders.decided, zone, "the close at which it was ordered; stops and targets decide nothing anew"),
        count("trade", "Trade", orders.trade, "the trade that an exit made"),
    )


def _story(result: "Result", orders: _Orders, zone: Zone) -> Column:
    prices = [price_scale(candles.instrument).shown for candles in result.request.traded]

    def text(row: int) -> str:
        price, at = prices[orders.symbol[row]], clock_in(int(orders.settled[row]), zone)
        if orders.purpose[row] == EXIT:
            ordered = orders.decided[row] != NOTHING
            why = f"ordered at the close of {clock_in(int(orders.decided[row]), zone)}" if ordered else "set with the entry"
            return f"{SHOWN_REASONS[orders.reason[row]]}, {why}; filled at {price(int(orders.price[row]))} in the bar of {at}"
        waited = "" if orders.kind[row] == MARKET else f" at {price(int(orders.level[row]))}"
        asked = f"{ORDER_KINDS[orders.kind[row]]}{waited} at the close of {clock_in(int(orders.decided[row]), zone)}"
        match orders.state[row]:
            case state if state == FILLED:
                return f"{asked}; filled at {price(int(orders.price[row]))} in the bar of {at}"
            case state if state == EXPIRED:
                return f"{asked}; not reached within {counted(int(orders.expiry[row]), 'bar')}, expired in the bar of {at}"
            case state if state == WORKING:
                return f"{asked}; still working when the candles ended"
        return f"{asked}; cancelled in the bar of {at}"

    return Column("story", "Story", np.arange(len(orders.settled)), text, text, tip="what became of it")
