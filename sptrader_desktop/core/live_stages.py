"""The same stages as the backtest's, entered one event at a time: the account decides, a broker fills.

All take what `core.borrow.lend` wrote down of (tape, agenda, plan, state, log, told), in that order. Those that open or close bars take
them from what was told; before the others the caller has marked the series concerned as `now`. What a broker did is booked at the figures
it told.
"""

from typing import NamedTuple

from sptrader_desktop.core.arithmetic import total
from sptrader_desktop.core.borrow import taken, width
from sptrader_desktop.core.compiled import compiled, inlined
from sptrader_desktop.core.entries import entry_side_price
from sptrader_desktop.core.exits import fill_exits, protective_exits
from sptrader_desktop.core.kernel import close_all, has_room
from sptrader_desktop.core.portfolio import close_part, entry_price_of, open_position, settle_order, unrealised
from sptrader_desktop.core.prices import touched
from sptrader_desktop.core.records import ASSESSED as ASSESSED_ROW
from sptrader_desktop.core.records import FILL, MARKET, ORDER, TRADE, VERDICT
from sptrader_desktop.core.stages import (
    begin_days,
    charge_rolls,
    decide,
    end_close,
    end_record,
    fill_at_close,
    fill_at_open,
    fill_inside,
    halt_on_breach,
    mark,
    mark_closes,
    stop_out,
    take_closes,
    take_opens,
)
from sptrader_desktop.core.tables import (
    ACCOUNT,
    AT_OPEN,
    ENTRY,
    EXITS,
    PENDING,
    POSITION,
    SERIES,
    SYMBOL,
    TERMS,
    Agenda,
    Ints,
    Log,
    Plan,
    State,
    Tape,
)

_ints2 = ("int64", 2)
tape_of = taken(Tape, 0, {"blocks": _ints2, "ask_blocks": _ints2})
_next = len(Tape._fields)
agenda_of = taken(Agenda, _next, {"atr": ("float64", 2)})
_next += len(Agenda._fields)
plan_of = taken(Plan, _next, {"symbols": (SYMBOL, 1), "entries": (ENTRY, 2), "exits": (EXITS, 1), "terms": (TERMS, 1)})
_next += len(Plan._fields)
state_of = taken(State, _next, {"account": (ACCOUNT, 1), "series": (SERIES, 1), "positions": (POSITION, 1), "pending": (PENDING, 1)})
_next += len(State._fields)
log_of = taken(
    Log,
    _next,
    {
        "trades": (TRADE, 1),
        "fills": (FILL, 1),
        "verdicts": (VERDICT, 1),
        "orders": (ORDER, 1),
        "days": _ints2,
        "assessed": (ASSESSED_ROW, 1),
    },
)
_next += len(Log._fields)
NOTHING = -1


class Told(NamedTuple):
    """What opens or closes now, as the fields of a bar, in a row for each series whose first is its number; where nothing is, `NOTHING`."""

    bars: Ints


told_of = taken(Told, _next, {"bars": _ints2})


@compiled
def has_room_for_instant(lent: Ints) -> bool:
    log = log_of(lent)
    return bool(has_room(plan_of(lent), state_of(lent), log) and state_of(lent).account[0].days + 2 < len(log.days))


# Bars


@inlined
def clear_told(told: Told, s: int) -> None:
    for field in range(width(told.bars)):
        told.bars[s, field] = NOTHING


@inlined
def take_told_opens(tape: Tape, agenda: Agenda, state: State, told: Told) -> None:
    """The one row of a series is the bar under way; its number leads there. Series of which nothing is told are not concerned."""
    for s in range(len(state.series)):
        series = state.series[s]
        series.now = told.bars[s, 0] == s
        if series.now:
            tape.time[s], raw, ask = told.bars[s, 1], told.bars[s, 2], told.bars[s, 3]
            tape.open[s], tape.high[s], tape.low[s], tape.close[s] = raw, raw, raw, raw
            tape.ask_open[s], tape.ask_high[s], tape.ask_low[s], tape.ask_close[s] = ask, ask, ask, ask
            tape.start[s], tape.over_start[s], series.agenda = s - series.next, s - series.next, s
            agenda.bar[s], agenda.day[s], agenda.weight[s] = series.next, told.bars[s, 4], told.bars[s, 5]
            clear_told(told, s)


@inlined
def take_told_ranges(tape: Tape, agenda: Agenda, state: State, told: Told) -> None:
    """No rule holds until it is said which do."""
    for s in range(len(state.series)):
        series = state.series[s]
        series.now = told.bars[s, 0] == s
        if series.now:
            tape.time[s], tape.over[s] = told.bars[s, 1], told.bars[s, 2]
            tape.open[s], tape.high[s], tape.low[s], tape.close[s] = told.bars[s, 3], told.bars[s, 4], told.bars[s, 5], told.bars[s, 6]
            tape.ask_open[s], tape.ask_high[s] = told.bars[s, 7], told.bars[s, 8]
            tape.ask_low[s], tape.ask_close[s] = told.bars[s, 9], told.bars[s, 10]
            agenda.entries[s], agenda.exits[s] = 0, 0
            clear_told(told, s)


# The account


@compiled
def account_opens(lent: Ints) -> None:
    tape, agenda, state, log = tape_of(lent), agenda_of(lent), state_of(lent), log_of(lent)
    take_told_opens(tape, agenda, state, told_of(lent))
    begin_days(agenda, state, log)
    take_opens(tape, plan_of(lent), state)


@compiled
def account_hears_ranges(lent: Ints) -> None:
    """What a broker did inside the bars is booked before anything is decided."""
    take_told_ranges(tape_of(lent), agenda_of(lent), state_of(lent), told_of(lent))


@compiled
def account_marks(lent: Ints) -> None:
    mark_closes(tape_of(lent), plan_of(lent), state_of(lent), log_of(lent))


@compiled
def account_sees(lent: Ints) -> int:
    """A price between closes: equity now. It moves no peak and no trailing level, and still meets the limits."""
    plan, state, log = plan_of(lent), state_of(lent), log_of(lent)
    take_closes(tape_of(lent), plan, state)
    account = state.account[0]
    recorded, account.equity = account.equity, total(account.cash, unrealised(plan, state))
    halt_on_breach(plan, state, log)
    seen, account.equity = account.equity, recorded
    return int(seen)


@compiled
def account_decides(lent: Ints) -> None:
    decide(tape_of(lent), agenda_of(lent), plan_of(lent), state_of(lent), log_of(lent))


@compiled
def account_ends(lent: Ints, again: bool) -> None:
    """`again`: something filled at the close."""
    agenda, plan, state, log = agenda_of(lent), plan_of(lent), state_of(lent), log_of(lent)
    if again:
        mark(plan, state, log)
    end_close(agenda, plan, state, log)


@compiled
def account_closes(lent: Ints) -> None:
    """All of a close at once, where nothing fills there."""
    tape, agenda, plan, state, log = tape_of(lent), agenda_of(lent), plan_of(lent), state_of(lent), log_of(lent)
    mark_closes(tape, plan, state, log)
    decide(tape, agenda, plan, state, log)
    end_close(agenda, plan, state, log)


@compiled
def account_finishes(lent: Ints) -> None:
    """Everything is closed: the last equity becomes the cash."""
    state, log = state_of(lent), log_of(lent)
    end_record(state, log)


@compiled
def book_entry(lent: Ints, index: int, price: int, bar: int, opened: int) -> None:
    open_position(tape_of(lent), plan_of(lent), state_of(lent), log_of(lent), index, price, bar, opened)


@compiled
def book_exit(lent: Ints, index: int, quantity: int, price: int, reason: int, bar: int) -> None:
    close_part(tape_of(lent), plan_of(lent), state_of(lent), log_of(lent), index, quantity, price, reason, bar)


@compiled
def settle(lent: Ints, index: int, outcome: int, bar: int) -> None:
    settle_order(state_of(lent), log_of(lent), index, outcome, bar)


# The broker


@compiled
def broker_opens(lent: Ints) -> None:
    tape, agenda, plan, state, log = tape_of(lent), agenda_of(lent), plan_of(lent), state_of(lent), log_of(lent)
    take_told_opens(tape, agenda, state, told_of(lent))
    charge_rolls(agenda, plan, state)
    take_opens(tape, plan, state)
    fill_at_open(tape, plan, state, log)


@compiled
def broker_closes(lent: Ints, ends: bool) -> None:
    """`ends` where nothing fills at the close."""
    tape, agenda, plan, state, log = tape_of(lent), agenda_of(lent), plan_of(lent), state_of(lent), log_of(lent)
    take_told_ranges(tape, agenda, state, told_of(lent))
    fill_inside(tape, plan, state, log)
    take_closes(tape, plan, state)
    if ends:
        end_close(agenda, plan, state, log)


@compiled
def broker_fills_at_close(lent: Ints) -> bool:
    return bool(fill_at_close(tape_of(lent), plan_of(lent), state_of(lent), log_of(lent)))


@compiled
def broker_ends(lent: Ints) -> None:
    end_close(agenda_of(lent), plan_of(lent), state_of(lent), log_of(lent))


@compiled
def broker_finishes(lent: Ints, reason: int) -> None:
    close_all(tape_of(lent), plan_of(lent), state_of(lent), log_of(lent), reason)


# The broker, price by price: each is a bar of one price


@compiled
def broker_takes_price(lent: Ints) -> None:
    """Financing, the price itself, ordered exits. Entries follow one by one, since a broker may fill them in parts."""
    tape, agenda, plan, state, log = tape_of(lent), agenda_of(lent), plan_of(lent), state_of(lent), log_of(lent)
    take_told_opens(tape, agenda, state, told_of(lent))
    charge_rolls(agenda, plan, state)
    take_opens(tape, plan, state)
    for s in range(len(state.series)):
        if state.series[s].now and plan.symbols[s].traded:
            fill_exits(tape, plan, state, log, s, state.series[s].under, False)


@compiled
def broker_fills_entry(lent: Ints, index: int) -> bool:
    """Whether the working entry filled at its series' present price: a market order does, another if the price passes its level."""
    plan, state = plan_of(lent), state_of(lent)
    order = state.pending[index]
    price, bar = entry_side_price(state, order.symbol, order.side), state.series[order.symbol].under
    if order.kind != MARKET and not touched(order.kind, order.side, order.level, price, price):
        return False
    fill = entry_price_of(plan, order.kind, order.symbol, order.side, price)
    open_position(tape_of(lent), plan, state, log_of(lent), index, fill, bar, AT_OPEN)
    return True


@compiled
def broker_guards(lent: Ints, stops_out: bool) -> None:
    """Stops and targets at the price; where the account is at its end, the largest loser is ordered out."""
    tape, plan, state, log = tape_of(lent), plan_of(lent), state_of(lent), log_of(lent)
    account = state.account[0]
    for s in range(len(state.series)):
        if state.series[s].now and plan.symbols[s].traded:
            protective_exits(tape, plan, state, log, s)
    account.equity = total(account.cash, unrealised(plan, state))
    if stops_out:
        account.stopped_out = 0
        stop_out(plan, state)
    end_close(agenda_of(lent), plan, state, log)
