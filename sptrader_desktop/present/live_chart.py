"""What the chart of a traded symbol is made of: the bars that the session told, the one that is forming, and the levels of what is open."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np

from sptrader_desktop.core.candles import Candles, Prices
from sptrader_desktop.core.instruments import Instrument
from sptrader_desktop.core.orders import OrderState
from sptrader_desktop.core.timeframes import parse_timeframe
from sptrader_desktop.present.live_view import grouped, micros
from sptrader_desktop.present.numbers import amount

State = Mapping[str, Any]
FOUR = ("open", "high", "low", "close")
WAITING = frozenset({OrderState.SENT, OrderState.OPEN, OrderState.PARTIALLY_FILLED, OrderState.CANCEL_PENDING})


class Level(NamedTuple):
    ticks: int
    text: str
    role: str


def candles_of(instrument: Instrument, timeframe: str, rows: Sequence[Sequence[str]]) -> Candles:
    """As the session told them: a time and four prices each."""
    stamps = np.array([micros(row[0]) for row in rows], np.int64)
    columns = [np.array([ticks(instrument, row[place]) for row in rows], np.int64) for place in range(1, 5)]
    return Candles(instrument, timeframe, parse_timeframe(timeframe), stamps, Prices(*columns), source="live")


def with_forming(closed: Candles, told: Mapping[str, Any] | None) -> Candles:
    """With the bar that is not over yet as the last one."""
    if told is None or (len(closed) and micros(told["at"]) <= closed.timestamp[-1]):
        return closed
    row = [ticks(closed.instrument, told[name]) for name in FOUR]
    prices = closed.prices
    columns = (prices.open, prices.high, prices.low, prices.close)
    grown = [np.append(column, np.int64(value)) for column, value in zip(columns, row, strict=True)]
    stamps = np.append(closed.timestamp, np.int64(micros(told["at"])))
    return Candles(closed.instrument, closed.timeframe, closed.bar_us, stamps, Prices(*grown), source=closed.source)


def of_symbol(told: Sequence[Mapping[str, Any]], symbol: str) -> Mapping[str, Any] | None:
    return next((row for row in told if row["symbol"] == symbol), None)


def ticks(instrument: Instrument, price: str) -> int:
    return int(Decimal(price) * instrument.ticks_per_one)


def levels(state: State, instrument: Instrument) -> list[Level]:
    """Entry, stop, trailing stop and target of each open position, orders that wait for a price, and where it is worth what now."""
    found = list[Level]()
    for row in state["positions"]:
        if row["symbol"] != instrument.symbol:
            continue
        profit = amount(int(Decimal(row["profit"]) * 10**8), signed=True)
        name = f"{row['side']} {grouped(row['quantity'])}"
        held = "" if row["is_stop_at_broker"] else ", not at the broker"
        found.append(Level(ticks(instrument, row["entry_price"]), f"{name} from {row['entry_price']}  {profit}", "accent"))
        for key, words, role in (
            ("stop", f"stop{held}", "down"),
            ("trailing", f"trailing stop{held}", "warning"),
            ("target", "target", "up"),
        ):
            if row[key] is not None:
                found.append(Level(ticks(instrument, row[key]), f"{words} {row[key]}", role))
    for order in state["orders"]:
        if order["symbol"] == instrument.symbol and order["level"] is not None and order["state"] in WAITING:
            words = f"{order['side']} {order['kind']} {grouped(order['quantity'])} at {order['level']}"
            found.append(Level(ticks(instrument, order["level"]), words, "muted"))
    return found


def levels_words(found: Sequence[Level]) -> str:
    """For whoever hears the chart instead of seeing it."""
    return "; ".join(level.text for level in found) or "nothing is open"
