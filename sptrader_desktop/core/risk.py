"""The risk tree and the size of an entry: every figure is computed, the first failing question gives the verdict."""

from typing import NamedTuple

from sptrader_desktop.core.arithmetic import at_least, muldiv_floor, total
from sptrader_desktop.core.compiled import compiled, inlined
from sptrader_desktop.core.money import FRACTION_ONE
from sptrader_desktop.core.portfolio import notional_now, quote_value, ratio
from sptrader_desktop.core.prices import protective_level
from sptrader_desktop.core.records import (
    ALREADY_IN,
    DAILY_LOSS,
    HALTED,
    MARGIN,
    MAX_DRAWDOWN,
    MAX_POSITIONS,
    NO_ATR,
    OPPOSITE,
    PLACED,
    ZERO_SIZE,
)
from sptrader_desktop.core.tables import LATCHED, RISK, STEPS, Plan, State


class Assessment(NamedTuple):
    """What the questions compared; explain shows all of it, the run keeps the verdict."""

    verdict: int
    wanted: int
    quantity: int
    opposite: int
    same_side: int
    open_total: int
    drop: int
    peak: int
    day_loss: int
    day_base: int
    notional: int
    largest: int


@compiled
def breached(loss: int, limit: int, base: int) -> bool:
    """loss ≥ limit × base; a base that is gone is a breach, a limit of −1 is none."""
    if limit < 0:
        return False
    if base <= 0:
        return True
    return loss > 0 and at_least(loss, FRACTION_ONE, limit, base)


@inlined
def stays_open(state: State, index: int) -> bool:
    """A position ordered fully closed counts as closed."""
    return bool(state.positions[index].closing < state.positions[index].quantity)


@inlined
def steps_for(plan: Plan, state: State, symbol: int, equity: int, fraction: int, one: int, price: int) -> int:
    """How many steps a fraction of equity buys when each costs `price`; every step of the way rounds down."""
    if equity <= 0 or price <= 0:
        return 0
    budget = muldiv_floor(equity, fraction, one)
    numerator, denominator = ratio(plan, state, symbol, state.series[symbol].last)
    if numerator != denominator:
        budget = muldiv_floor(budget, denominator, numerator)
    return budget // quote_value(price, 1, plan.symbols[symbol].unit_value)


@inlined
def wanted_steps(plan: Plan, state: State, symbol: int, rule: int, stop_distance: int) -> int:
    entry, exits, equity = plan.entries[symbol, rule], plan.exits[symbol], state.account[0].equity
    close = state.series[symbol].last
    if entry.size_mode == STEPS:
        return int(entry.size)
    if entry.size_mode == RISK:
        stop = protective_level(-entry.side, close, exits.stop_kind, exits.stop_value, stop_distance)
        return steps_for(plan, state, symbol, equity, entry.size, entry.size_one, entry.side * (close - stop))
    return steps_for(plan, state, symbol, equity, entry.size, entry.size_one, close)


@inlined
def counts(state: State, symbol: int, side: int) -> tuple[int, int, int]:
    """(against, with, whole account): positions that stay open plus pending entries."""
    against, along, together = 0, 0, 0
    for i in range(state.account[0].positions):
        if stays_open(state, i):
            together += 1
            if state.positions[i].symbol == symbol:
                along += state.positions[i].side == side
                against += state.positions[i].side != side
    for i in range(state.account[0].pending):
        together += 1
        if state.pending[i].symbol == symbol:
            along += state.pending[i].side == side
            against += state.pending[i].side != side
    return against, along, together


@inlined
def committed(plan: Plan, state: State) -> int:
    """Notional of what stays open and of every pending entry, at the last prices."""
    notional = 0
    for i in range(state.account[0].positions):
        if stays_open(state, i):
            position = state.positions[i]
            notional = total(notional, notional_now(plan, state, position.symbol, position.quantity - position.closing))
    for i in range(state.account[0].pending):
        notional = total(notional, notional_now(plan, state, state.pending[i].symbol, state.pending[i].quantity))
    return notional


@compiled
def over_margin(notional: int, leverage: int, equity: int) -> bool:
    if equity <= 0:
        return True
    return not at_least(leverage, equity, 100, notional)


@inlined
def assess(plan: Plan, state: State, symbol: int, rule: int, stop_distance: int, atr_known: bool) -> Assessment:
    """Judge one entry on the figures of the mark; nothing changes."""
    account, terms, entry = state.account[0], plan.terms[0], plan.entries[symbol, rule]
    against, along, open_total = counts(state, symbol, entry.side)
    drop, day_loss = max(account.peak, account.equity) - account.equity, account.base - account.equity
    peak = max(account.peak, account.equity)
    wanted, notional, largest = 0, 0, -1
    if atr_known:
        wanted = wanted_steps(plan, state, symbol, rule, stop_distance)
        notional = total(committed(plan, state), notional_now(plan, state, symbol, wanted))
        if terms.position_limit >= 0:
            largest = steps_for(plan, state, symbol, account.equity, terms.position_limit, FRACTION_ONE, state.series[symbol].last)
    quantity = min(wanted, largest) if terms.position_limit >= 0 else wanted
    verdict = PLACED
    if against > 0:
        verdict = OPPOSITE
    elif along >= entry.most:
        verdict = ALREADY_IN
    elif not atr_known:
        verdict = NO_ATR
    elif account.drawn_down == LATCHED or account.lost_day == LATCHED:
        verdict = HALTED
    elif terms.max_positions >= 0 and open_total >= terms.max_positions:
        verdict = MAX_POSITIONS
    elif breached(drop, terms.max_drawdown, peak):
        verdict = MAX_DRAWDOWN
    elif breached(day_loss, terms.daily_loss, account.base):
        verdict = DAILY_LOSS
    elif over_margin(notional, terms.leverage, account.equity):
        verdict = MARGIN
    elif quantity <= 0:
        verdict = ZERO_SIZE
    if verdict == OPPOSITE or verdict == ALREADY_IN or verdict == NO_ATR:
        wanted = 0
    return Assessment(verdict, wanted, quantity, against, along, open_total, drop, peak, day_loss, account.base, notional, largest)


@compiled
def at_stop_out(equity: int, notional: int, leverage: int) -> bool:
    """Equity at or under half of the used margin, notional / leverage."""
    if equity <= 0:
        return True
    return at_least(notional, 50, leverage, equity)
