"""How positions end: ordered closes, exit rules, and a bar's stops and targets, read through finer candles where both were touched."""

from sptrader_desktop.core.arithmetic import muldiv_floor
from sptrader_desktop.core.closes_inlined import closes_at
from sptrader_desktop.core.compiled import inlined
from sptrader_desktop.core.money import FRACTION_ONE
from sptrader_desktop.core.portfolio import close_oldest, close_part, exit_side_price, opened_inside
from sptrader_desktop.core.prices import (
    AMBIGUOUS,
    NO_EXIT,
    bar_exit,
    entry_bar_exit,
    reaches_stop,
    reaches_target,
    slipped,
    stop_reason,
    tighter,
    touched,
)
from sptrader_desktop.core.records import LONG, PARTIAL, SHORT, SIGNAL_EXIT, STOP_LOSS, TAKE_PROFIT, TIME_EXIT
from sptrader_desktop.core.risk import stays_open
from sptrader_desktop.core.tables import (
    AT_CLOSE,
    CLOSE_LONG,
    CLOSE_PARTIAL,
    CLOSE_SHORT,
    FAR,
    Agenda,
    Log,
    Plan,
    State,
    Tape,
)


@inlined
def order_close(state: State, index: int, quantity: int, reason: int, at_this_close: int) -> None:
    """A full close keeps its first reason and replaces a partial one."""
    position = state.positions[index]
    if position.closing < position.quantity:
        position.closing, position.closing_reason, position.closing_now = quantity, reason, at_this_close


@inlined
def fill_exits(tape: Tape, plan: Plan, state: State, log: Log, symbol: int, bar: int, only_now: bool) -> bool:
    """Ordered exits at the series' present prices; at a close only those decided there."""
    filled, i = False, 0
    while i < state.account[0].positions:
        position = state.positions[i]
        if position.symbol != symbol or position.closing == 0 or (only_now and not position.closing_now):
            i += 1
            continue
        price = slipped(-position.side, exit_side_price(state, symbol, position.side), plan.symbols[symbol].slippage)
        whole = position.closing == position.quantity
        close_part(tape, plan, state, log, i, position.closing, price, position.closing_reason, bar)
        filled = True
        i += 0 if whole else 1
    return filled


@inlined
def order_partial(plan: Plan, state: State, symbol: int) -> None:
    open_quantity = 0
    for i in range(state.account[0].positions):
        if state.positions[i].symbol == symbol:
            open_quantity += state.positions[i].quantity - state.positions[i].closing
    wanted = muldiv_floor(open_quantity, plan.exits[symbol].partial, FRACTION_ONE)
    for i in range(state.account[0].positions):
        position = state.positions[i]
        if position.symbol == symbol and wanted > 0 and stays_open(state, i):
            part = min(wanted, position.quantity - position.closing)
            order_close(state, i, position.closing + part, PARTIAL, 1)
            wanted -= part


@inlined
def on_agenda(agenda: Agenda, state: State, symbol: int) -> int:
    """The agenda row of the bar that closes now, −1 when there is none."""
    row = state.series[symbol].agenda
    if row < agenda.start[symbol + 1] and agenda.bar[row] == state.series[symbol].under:
        return int(row)
    return -1


@inlined
def exit_hits(agenda: Agenda, state: State, symbol: int) -> int:
    row = on_agenda(agenda, state, symbol)
    return agenda.exits[row] if row >= 0 else 0


@inlined
def apply_exit_rules(agenda: Agenda, plan: Plan, state: State, symbol: int) -> None:
    account, hits = state.account[0], exit_hits(agenda, state, symbol)
    for rule in range(len(plan.actions)):
        if not (hits >> rule) & 1:
            continue
        action = plan.actions[rule]
        if action == CLOSE_PARTIAL:
            order_partial(plan, state, symbol)
            continue
        for i in range(account.positions):
            position = state.positions[i]
            spared = (action == CLOSE_LONG and position.side == SHORT) or (action == CLOSE_SHORT and position.side == LONG)
            if position.symbol == symbol and not spared:
                order_close(state, i, position.quantity, SIGNAL_EXIT, 1)
    for i in range(account.positions):
        position = state.positions[i]
        if position.symbol == symbol:
            position.closes += 1
            if plan.exits[symbol].time_exit > 0 and position.closes >= plan.exits[symbol].time_exit:
                order_close(state, i, position.quantity, TIME_EXIT, 1)


@inlined
def exit_range(tape: Tape, plan: Plan, symbol: int, side: int, row: int) -> tuple[int, int, int]:
    """Open, high and low of the side on which a position leaves."""
    if side == LONG:
        shift = plan.symbols[symbol].bid_shift
        return tape.open[row] + shift, tape.high[row] + shift, tape.low[row] + shift
    shift = plan.symbols[symbol].ask_shift
    return tape.ask_open[row] + shift, tape.ask_high[row] + shift, tape.ask_low[row] + shift


@inlined
def fine_range(tape: Tape, plan: Plan, symbol: int, side: int, row: int) -> tuple[int, int, int]:
    if side == LONG:
        shift = plan.symbols[symbol].bid_shift
        return tape.fine_open[row] + shift, tape.fine_high[row] + shift, tape.fine_low[row] + shift
    shift = plan.symbols[symbol].ask_shift
    return tape.fine_ask_open[row] + shift, tape.fine_ask_high[row] + shift, tape.fine_ask_low[row] + shift


@inlined
def first_fine_row(tape: Tape, symbol: int, time: int) -> int:
    """The first finer bar of the symbol that opens at `time` or later."""
    low, high = tape.fine_start[symbol], tape.fine_start[symbol + 1]
    while low < high:
        middle = (low + high) // 2
        if tape.fine_time[middle] < time:
            low = middle + 1
        else:
            high = middle
    return int(low)


@inlined
def walk_finer(tape: Tape, plan: Plan, state: State, index: int, stop: int, inside: bool) -> tuple[int, int]:
    """Read an ambiguous bar through finer candles: (exit or NO_EXIT, price) when they tell, (AMBIGUOUS, 0) when they do not."""
    position = state.positions[index]
    symbol, side = position.symbol, position.side
    bar = state.series[symbol].under
    row, waiting = first_fine_row(tape, symbol, tape.time[tape.start[symbol] + bar]), inside
    end = closes_at(tape, symbol, bar)
    while row < tape.fine_start[symbol + 1] and tape.fine_time[row] < end:
        open_, high, low = fine_range(tape, plan, symbol, side, row)
        if waiting:
            _, entry_high, entry_low = fine_range(tape, plan, symbol, -side, row)
            if touched(position.touch_kind, side, position.touch, entry_high, entry_low):
                waiting = False
                if reaches_stop(side, stop, high, low) or reaches_target(side, position.target, high, low):
                    return AMBIGUOUS, 0
        else:
            found, price = bar_exit(side, stop, position.target, open_, high, low)
            if found != NO_EXIT:
                return found, price
        row += 1
    # Finer bars that show the entry and nothing after it tell that it stays open; else they contradict the bar, and tell nothing.
    return (NO_EXIT, 0) if inside and not waiting else (AMBIGUOUS, 0)


@inlined
def read_exit(tape: Tape, plan: Plan, state: State, index: int, stop: int) -> tuple[int, int]:
    """What the bar did to one position: STOP_LOSS, TAKE_PROFIT or NO_EXIT and the price; ambiguity is settled and counted here."""
    position, target_first = state.positions[index], plan.terms[0].target_first
    symbol, side, target = position.symbol, position.side, position.target
    bar = state.series[symbol].under
    open_, high, low = exit_range(tape, plan, symbol, side, tape.start[symbol] + bar)
    inside = opened_inside(state, index, bar)
    if not inside:
        found, price = bar_exit(side, stop, target, open_, high, low)
        if found != AMBIGUOUS:
            return found, price
    elif not (reaches_stop(side, stop, high, low) or reaches_target(side, target, high, low)):
        return NO_EXIT, 0
    if plan.symbols[symbol].has_finer:
        found, price = walk_finer(tape, plan, state, index, stop, inside)
        if found != AMBIGUOUS:
            position.resolved = 1
            return found, price
    position.ambiguous = 1
    if inside:
        return entry_bar_exit(side, stop, target, high, low, target_first)
    return (TAKE_PROFIT, target) if target_first else (STOP_LOSS, stop)


@inlined
def meet_target(tape: Tape, plan: Plan, state: State, log: Log, index: int, price: int) -> None:
    """Close whole, or with scale_out a share of the symbol's open steps; what is left has no target."""
    position, bar = state.positions[index], state.series[state.positions[index].symbol].under
    symbol = position.symbol
    exits = plan.exits[symbol]
    if not exits.scale_out:
        close_part(tape, plan, state, log, index, position.quantity, price, TAKE_PROFIT, bar)
        return
    total = 0
    for i in range(state.account[0].positions):
        if state.positions[i].symbol == symbol:
            total += state.positions[i].quantity
            state.positions[i].target = state.positions[i].side * FAR
    close_oldest(tape, plan, state, log, symbol, muldiv_floor(total, exits.partial, FRACTION_ONE), price, bar)


@inlined
def protective_exits(tape: Tape, plan: Plan, state: State, log: Log, symbol: int) -> None:
    """Stage 2 for one symbol, oldest position first; numbers tell positions apart while the list shrinks."""
    bar, last = state.series[symbol].under, -1
    while True:
        index = next_position(state, symbol, last)
        if index < 0:
            return
        position = state.positions[index]
        last = position.number
        if (position.opened == AT_CLOSE and position.entry_bar == bar) or position.cut_bar == bar:
            continue
        stop = tighter(position.side, position.stop, position.trail)
        found, price = read_exit(tape, plan, state, index, stop)
        if found == STOP_LOSS:
            reason = stop_reason(position.side, position.stop, position.trail)
            price = slipped(-position.side, price, plan.symbols[symbol].slippage)
            close_part(tape, plan, state, log, index, position.quantity, price, reason, bar)
        elif found == TAKE_PROFIT:
            meet_target(tape, plan, state, log, index, price)


@inlined
def next_position(state: State, symbol: int, after: int) -> int:
    for i in range(state.account[0].positions):
        if state.positions[i].symbol == symbol and state.positions[i].number > after:
            return i
    return -1
