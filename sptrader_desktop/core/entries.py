"""How positions begin: judging an entry at the close that decides it, placing its order, filling it at opens and touches."""

from sptrader_desktop.core.borrow import width
from sptrader_desktop.core.closes_inlined import closes_at
from sptrader_desktop.core.compiled import inlined
from sptrader_desktop.core.exits import on_agenda, order_close
from sptrader_desktop.core.portfolio import cancel_pending, entry_price_of, open_position, settle_order
from sptrader_desktop.core.prices import distance_level, distance_ticks, touched
from sptrader_desktop.core.records import (
    ALREADY_IN,
    DAILY_LOSS,
    EXPIRED,
    HALTED,
    LIMIT,
    LONG,
    MARGIN,
    MARKET,
    MAX_DRAWDOWN,
    MAX_POSITIONS,
    OPPOSITE,
    PLACED,
    REVERSE,
    WORKING,
)
from sptrader_desktop.core.risk import Assessment, assess
from sptrader_desktop.core.tables import AT_OPEN, ATR, INSIDE, Agenda, Log, Plan, State, Tape


@inlined
def entry_side_price(state: State, symbol: int, side: int) -> int:
    return int(state.series[symbol].ask if side == LONG else state.series[symbol].bid)


@inlined
def fill_entries(tape: Tape, plan: Plan, state: State, log: Log, symbol: int, bar: int, opened: int) -> bool:
    """Market entries, and at an open the limit and stop entries it gapped over, at the series' present prices."""
    filled, i = False, 0
    while i < state.account[0].pending:
        order = state.pending[i]
        price = entry_side_price(state, symbol, order.side)
        gapped = opened == AT_OPEN and order.kind != MARKET and touched(order.kind, order.side, order.level, price, price)
        if order.symbol == symbol and (order.kind == MARKET or gapped):
            open_position(tape, plan, state, log, i, entry_price_of(plan, order.kind, symbol, order.side, price), bar, opened)
            filled = True
        else:
            i += 1
    return filled


@inlined
def touch_entries(tape: Tape, plan: Plan, state: State, log: Log, symbol: int) -> None:
    bar, terms = state.series[symbol].under, plan.symbols[symbol]
    row, i = tape.start[symbol] + bar, 0
    while i < state.account[0].pending:
        order = state.pending[i]
        if order.symbol != symbol or order.kind == MARKET:
            i += 1
            continue
        high, low = tape.high[row] + terms.bid_shift, tape.low[row] + terms.bid_shift
        if order.side == LONG:
            high, low = tape.ask_high[row] + terms.ask_shift, tape.ask_low[row] + terms.ask_shift
        if touched(order.kind, order.side, order.level, high, low):
            open_position(tape, plan, state, log, i, entry_price_of(plan, order.kind, symbol, order.side, order.level), bar, INSIDE)
            continue
        if order.bars_left > 0:
            order.bars_left -= 1
            if order.bars_left == 0:
                settle_order(state, log, i, EXPIRED, bar)
                continue
        i += 1


@inlined
def atr_at(agenda: Agenda, row: int, kind: int, slot: int) -> float:
    return agenda.atr[row, slot] if kind == ATR and row >= 0 else 0.0


@inlined
def reverse_opposite(state: State, log: Log, symbol: int, side: int) -> None:
    for i in range(state.account[0].positions):
        position = state.positions[i]
        if position.symbol == symbol and position.side != side:
            order_close(state, i, position.quantity, REVERSE, 1)
    if state.account[0].pending > 0:
        cancel_pending(state, log, symbol, -side)


@inlined
def judge(agenda: Agenda, plan: Plan, state: State, symbol: int, rule: int, row: int) -> tuple[Assessment, int, int, int]:
    """(assessment, offset, stop distance, target distance) of one entry rule at the close of this bar; nothing changes."""
    entry, exits = plan.entries[symbol, rule], plan.exits[symbol]
    offset_atr = atr_at(agenda, row, entry.offset_kind, entry.offset_atr)
    stop_atr = atr_at(agenda, row, exits.stop_kind, exits.stop_atr)
    target_atr = atr_at(agenda, row, exits.target_kind, exits.target_atr)
    known = offset_atr == offset_atr and stop_atr == stop_atr and target_atr == target_atr  # an unknown ATR is not a number
    offset, stop, target = 0, 0, 0
    if known:
        offset = distance_ticks(entry.offset_kind, entry.offset_value, entry.offset_multiple, offset_atr)
        stop = distance_ticks(exits.stop_kind, exits.stop_value, exits.stop_multiple, stop_atr)
        target = distance_ticks(exits.target_kind, exits.target_value, exits.target_multiple, target_atr)
    return assess(plan, state, symbol, rule, stop, known), offset, stop, target


@inlined
def entry_level(plan: Plan, state: State, symbol: int, rule: int, offset: int) -> int:
    """A buy limit waits below the deciding close, a buy stop above; sells mirror."""
    entry = plan.entries[symbol, rule]
    if entry.kind == MARKET:
        return -1
    direction = -entry.side if entry.kind == LIMIT else entry.side
    return distance_level(direction, state.series[symbol].last, entry.offset_kind, entry.offset_value, offset)


@inlined
def place(
    tape: Tape, plan: Plan, state: State, log: Log, symbol: int, rule: int, quantity: int, offset: int, stop: int, target: int
) -> int:
    account, entry, series = state.account[0], plan.entries[symbol, rule], state.series[symbol]
    if account.pending >= len(state.pending):
        raise OverflowError("more working entries than the strategy allows")
    level, number = entry_level(plan, state, symbol, rule, offset), account.orders
    order = state.pending[account.pending]
    order.order, order.symbol, order.rule, order.side, order.kind = number, symbol, rule, entry.side, entry.kind
    order.quantity, order.level, order.bars_left = quantity, level, entry.expiry
    order.stop_distance, order.target_distance = stop, target
    row = log.orders[number]
    row.symbol, row.rule, row.side, row.kind, row.quantity, row.level = symbol, rule, entry.side, entry.kind, quantity, level
    row.decided_bar, row.decided_time = series.under, closes_at(tape, symbol, series.under)
    row.state, row.settled_bar, row.expiry = WORKING, -1, entry.expiry
    account.pending += 1
    account.orders += 1
    return int(number)


@inlined
def consider_entries(tape: Tape, agenda: Agenda, plan: Plan, state: State, log: Log, symbol: int) -> None:
    row = on_agenda(agenda, state, symbol)
    if row < 0:
        return
    asked = len(log.assessed) > 0
    for rule in range(width(plan.entries)):
        hit = (agenda.entries[row] >> rule) & 1
        if not (hit or asked):
            continue
        entry = plan.entries[symbol, rule]
        if hit and entry.reverse:
            reverse_opposite(state, log, symbol, entry.side)
        found, offset, stop, target = judge(agenda, plan, state, symbol, rule, row)
        if asked:
            write_assessment(plan, state, log, symbol, rule, hit, found, offset, stop, target)
        if not hit:
            continue
        number = -1
        if found.verdict == PLACED:
            number = place(tape, plan, state, log, symbol, rule, found.quantity, offset, stop, target)
        write_verdict(tape, plan, state, log, symbol, rule, found, number)


@inlined
def failing_figures(plan: Plan, symbol: int, rule: int, found: Assessment) -> tuple[int, int]:
    """The two numbers the failing question compared: counts, money, or steps; a limit that is a fraction is given with its base."""
    if found.verdict == OPPOSITE:
        return found.opposite, 0
    if found.verdict == ALREADY_IN:
        return found.same_side, int(plan.entries[symbol, rule].most)
    if found.verdict == MAX_POSITIONS:
        return found.open_total, int(plan.terms[0].max_positions)
    if found.verdict == MAX_DRAWDOWN or found.verdict == HALTED:
        return found.drop, found.peak
    if found.verdict == DAILY_LOSS:
        return found.day_loss, found.day_base
    if found.verdict == MARGIN:
        return found.notional, found.peak - found.drop
    return found.wanted, 0


@inlined
def write_verdict(tape: Tape, plan: Plan, state: State, log: Log, symbol: int, rule: int, found: Assessment, number: int) -> None:
    account, bar = state.account[0], state.series[symbol].under
    if len(log.verdicts) > 0:
        out = log.verdicts[account.verdicts]
        out.time, out.symbol, out.bar = closes_at(tape, symbol, bar), symbol, bar
        out.rule, out.verdict, out.wanted, out.order = rule, found.verdict, found.wanted, number
        out.quantity = found.quantity if found.verdict == PLACED else 0
        out.figure, out.limit = failing_figures(plan, symbol, rule, found)
    account.verdicts += 1


@inlined
def write_assessment(
    plan: Plan, state: State, log: Log, symbol: int, rule: int, hit: int, found: Assessment, offset: int, stop: int, target: int
) -> None:
    row = log.assessed[symbol * width(plan.entries) + rule]
    row.symbol, row.rule, row.hit, row.bar = symbol, rule, hit, state.series[symbol].under
    row.verdict, row.wanted, row.quantity = found.verdict, found.wanted, found.quantity
    row.opposite, row.same_side, row.open_total = found.opposite, found.same_side, found.open_total
    row.drop, row.peak, row.day_loss, row.day_base = found.drop, found.peak, found.day_loss, found.day_base
    row.notional, row.largest, row.equity = found.notional, found.largest, state.account[0].equity
    row.offset, row.stop_distance, row.target_distance = offset, stop, target
