"""What happened on one bar: fills, working orders and open positions, read from the tables of the run."""

import numpy as np

from sptrader_desktop.core import records as rec
from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.explained import FillSeen, FillStage, OrderSeen, PositionSeen, Reading, SidePrices
from sptrader_desktop.core.prices import AMBIGUOUS, bar_exit, protective_level, tighter
from sptrader_desktop.core.simulation import Job, Outcome
from sptrader_desktop.core.tables import FAR, State, Table

PROTECTIVE = (rec.STOP_LOSS, rec.TAKE_PROFIT, rec.TRAILING_STOP, rec.PARTIAL)


def side_prices(candles: Candles, terms: Table, bar: int) -> tuple[SidePrices, SidePrices]:
    """(bid, ask) of one bar."""
    raw, ask = candles.prices, candles.ask or candles.prices
    names = SidePrices._fields
    return (
        SidePrices(*(int(getattr(raw, name)[bar] + terms["bid_shift"]) for name in names)),
        SidePrices(*(int(getattr(ask, name)[bar] + terms["ask_shift"]) for name in names)),
    )


# Fills


def fills_of(
    outcome: Outcome, job: Job, before: State, symbol: int, bar: int, stages: tuple[int, int], sides: tuple[SidePrices, SidePrices]
) -> tuple[FillSeen, ...]:
    """`stages`: how many fills the account had before the close and after the close's touches and protective exits."""
    fills = outcome.fills
    found = np.flatnonzero((fills["symbol"] == symbol) & (fills["bar"] == bar))
    exits = np.cumsum(fills["reason"] >= 0) - 1  # every exit fill has its trade row, in the same order
    seen = []
    for index in found:
        stage: FillStage = "open" if index < stages[0] else "inside" if index < stages[1] else "close"
        fill = fills[index]
        if fill["reason"] < 0:
            seen.append(_entry_fill(fill, outcome.orders[fill["order"]], stage))
        else:
            prices = sides[0] if fill["side"] == rec.SHORT else sides[1]
            entry = fills[(fills["position"] == fill["position"]) & (fills["reason"] < 0)][0]
            seen.append(_exit_fill(fill, outcome.trades[exits[index]], entry, job, before, stage, prices))
    return tuple(seen)


def _entry_fill(fill: Table, order: Table, stage: FillStage) -> FillSeen:
    kind, level = rec.ORDER_KINDS[order["kind"]], int(order["level"])
    gapped = stage == "open" and order["kind"] != rec.MARKET
    reading: Reading | None = "gap" if gapped else "level" if order["kind"] != rec.MARKET else None
    return FillSeen(
        stage,
        int(fill["side"]),
        int(fill["quantity"]),
        int(fill["price"]),
        int(fill["commission"]),
        order_kind=kind,
        level=None if order["kind"] == rec.MARKET else level,
        reading=reading,
    )


def _exit_fill(fill: Table, trade: Table, entry: Table, job: Job, before: State, stage: FillStage, prices: SidePrices) -> FillSeen:
    level, reading = None, None
    if stage == "inside" and fill["reason"] in PROTECTIVE:
        level, reading = _protective_reading(fill, trade, entry, job, before, prices)
    return FillSeen(
        stage,
        int(fill["side"]),
        int(fill["quantity"]),
        int(fill["price"]),
        int(fill["commission"]),
        reason=rec.EXIT_REASONS[fill["reason"]],
        level=level,
        reading=reading,
        profit=int(trade["gross"] - trade["commission"] + trade["financing"]),
    )


def _protective_reading(fill: Table, trade: Table, entry: Table, job: Job, before: State, prices: SidePrices) -> tuple[int, Reading]:
    """A share closed at another position's target has that target's price as its level."""
    side, (stop, target, inside) = int(trade["side"]), _levels(fill, trade, entry, job, before)
    if fill["reason"] == rec.PARTIAL:
        level, gapped = int(fill["price"]), fill["price"] == prices.open
    elif fill["reason"] == rec.TAKE_PROFIT:
        level, gapped = target, side * (prices.open - target) >= 0
    else:
        level, gapped = stop, side * (prices.open - stop) <= 0
    if gapped and not inside:
        return level, "gap"
    unsure = inside or bar_exit(side, stop, target, prices.open, prices.high, prices.low)[0] == AMBIGUOUS
    if not unsure or not (trade["ambiguous"] or trade["resolved"]):
        return level, "level"
    if trade["resolved"]:
        return level, "finer"
    return level, "target_first" if job.plan.terms["target_first"][0] else "stop_first"


def _levels(fill: Table, trade: Table, entry: Table, job: Job, before: State) -> tuple[int, int, bool]:
    """(stop, target, opened inside the bar) of the position a protective exit closed; `entry` is the fill that opened it."""
    side = int(trade["side"])
    held = before.positions[: before.account["positions"][0]]
    for position in held[held["number"] == fill["position"]]:
        return tighter(side, int(position["stop"]), int(position["trail"])), int(position["target"]), False
    waiting = before.pending[: before.account["pending"][0]]
    order, exits = waiting[waiting["order"] == entry["order"]][0], job.plan.exits[trade["symbol"]]
    price = int(trade["entry_price"])
    stop = protective_level(-side, price, exits["stop_kind"], exits["stop_value"], order["stop_distance"])
    target = protective_level(side, price, exits["target_kind"], exits["target_value"], order["target_distance"])
    return stop, target, True


# Orders and positions


def orders_of(outcome: Outcome, candles: Candles, symbol: int, bar: int) -> tuple[OrderSeen, ...]:
    """Those decided earlier that still worked when this bar opened, or filled at its open."""
    orders = outcome.orders
    settled = np.where(orders["settled_bar"] < 0, len(candles), orders["settled_bar"])
    found = np.flatnonzero((orders["symbol"] == symbol) & (orders["decided_bar"] < bar) & (settled >= bar))
    return tuple(order_of(outcome, candles, int(number), bar) for number in found)


def order_of(outcome: Outcome, candles: Candles, number: int, until: int | None = None) -> OrderSeen:
    """Without `until` to the end of its life; with it, an order settled on a later bar is still working."""
    row = outcome.orders[number]
    settled = row["state"] != rec.WORKING and (until is None or row["settled_bar"] <= until)
    state = row["state"] if settled else rec.WORKING
    fills = outcome.fills[outcome.fills["order"] == number] if state == rec.FILLED else outcome.fills[:0]
    return OrderSeen(
        number=number,
        kind=rec.ORDER_KINDS[row["kind"]],
        side=int(row["side"]),
        quantity=int(row["quantity"]),
        level=None if row["kind"] == rec.MARKET else int(row["level"]),
        decided_at=int(row["decided_time"]),
        state=rec.ORDER_STATES[state],
        settled_at=int(candles.timestamp[row["settled_bar"]]) if settled else None,
        fill_price=int(fills["price"][0]) if len(fills) else None,
    )


def positions_of(state: State, symbol: int) -> tuple[PositionSeen, ...]:
    rows = state.positions[: state.account["positions"][0]]
    return tuple(_position(row) for row in rows[rows["symbol"] == symbol])


def _position(row: Table) -> PositionSeen:
    stop, trailing, target = (int(row[name]) if abs(row[name]) < FAR else None for name in ("stop", "trail", "target"))
    return PositionSeen(
        side=int(row["side"]),
        quantity=int(row["quantity"]),
        entry_price=int(row["entry_price"]),
        entry_time=int(row["entry_time"]),
        stop=stop,
        trailing=trailing,
        target=target,
        open_profit=int(row["open_profit"]),
        closes=int(row["closes"]),
        closing=int(row["closing"]),
        closing_reason=rec.EXIT_REASONS[row["closing_reason"]] if row["closing"] else None,
    )
