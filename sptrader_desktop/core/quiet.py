"""Bars on which nothing can happen, taken at full speed.

With one symbol in its account's own currency and no working order, a bar within a trading day matters before its decisions only if it
reaches a stop or target, moves a trailing level or brings equity near a limit. These loops prove that it does none of that, with bounds
that err towards "it might", and only mark. What is decided at an agenda bar, and the first bar they cannot dismiss, is left to the
ordinary stages.
"""

from typing import NamedTuple

from sptrader_desktop.core.arithmetic import SAFE, product
from sptrader_desktop.core.closes_inlined import closes_at
from sptrader_desktop.core.compiled import compiled, inlined
from sptrader_desktop.core.money import FRACTION_ONE
from sptrader_desktop.core.portfolio import set_prices, settle_peak
from sptrader_desktop.core.prices import tighter
from sptrader_desktop.core.records import LONG
from sptrader_desktop.core.tables import BLOCK_BARS, FAR, HIGHEST, LEAST_CLOSE, LOWEST, MOST_CLOSE, Agenda, Ints, Log, Plan, State, Tape

UPWARD = 1.000000001  # outweighs the rounding of a float bound


class Bounds(NamedTuple):
    """A bar is quiet while low > lower, high < upper, close strictly between close_low and close_high, and equity > floor."""

    lower: int
    upper: int
    close_low: int
    close_high: int
    base: int
    slope: int
    floor: int


@inlined
def is_quiet(plan: Plan, state: State) -> bool:
    if len(state.series) != 1 or plan.symbols[0].leg1_kind != 0 or state.account[0].pending > 0:
        return False
    for i in range(state.account[0].positions):
        if state.positions[i].closing > 0:
            return False
    return True


@inlined
def first_bar(state: State) -> int:
    """The bar under way, whose close and range are still to come, or else the next."""
    series = state.series[0]
    return int(series.under if series.under >= 0 else series.next)


@inlined
def quiet_end(tape: Tape, agenda: Agenda, plan: Plan, state: State, until: int) -> int:
    """One past the last bar that may be taken whole: before the next agenda bar, a time exit's close, and `until`."""
    series, first, end = state.series[0], first_bar(state), tape.start[1]
    if series.agenda < agenda.start[1]:
        end = min(end, agenda.bar[series.agenda])
    for i in range(state.account[0].positions):
        if plan.exits[0].time_exit > 0:
            end = min(end, first + plan.exits[0].time_exit - state.positions[i].closes - 1)
    if end > first and closes_at(tape, 0, end - 1) > until:
        low, high = first, end
        while low < high:
            middle = (low + high) // 2
            if closes_at(tape, 0, middle) <= until:
                low = middle + 1
            else:
                high = middle
        end = low
    return int(end)


@inlined
def may_mark(tape: Tape, agenda: Agenda, state: State, bar: int, until: int) -> bool:
    """An agenda bar on which no day begins and nothing is charged is like any other until its close has been marked."""
    row = state.series[0].agenda
    if row >= agenda.start[1] or agenda.bar[row] != bar:
        return False
    return bool(agenda.weight[row] == 0 and agenda.day[row] <= state.account[0].day and closes_at(tape, 0, bar) <= until)


@compiled
def drawdown_floor(peak: int, limit: int) -> int:
    """Equity above this cannot breach the drawdown limit while the peak stands."""
    if limit < 0:
        return -FAR
    return int(float(peak) * (1.0 - float(limit) / FRACTION_ONE) * UPWARD) + 1


@inlined
def ceiling_worth(state: State, slope: int) -> float:
    """What the position is worth at twice the last price: no quiet close is above it."""
    return abs(float(slope)) * 2.0 * float(state.series[0].last)


@inlined
def is_too_large(plan: Plan, state: State) -> bool:
    """Might a sum or product here leave 64 bits? Then the ordinary stages, which check each, decide."""
    worth = abs(float(state.account[0].cash))
    for i in range(state.account[0].positions):
        position = state.positions[i]
        price = max(float(position.entry_price), 2.0 * float(state.series[0].last))
        worth += float(position.quantity) * float(plan.symbols[0].unit_value) * price
    return worth * 2.0 >= SAFE


@inlined
def other_floor(plan: Plan, state: State, slope: int) -> int:
    """Equity above this cannot breach the daily loss, nor half the margin while the price stays under twice the last."""
    account, terms = state.account[0], plan.terms[0]
    floor = int(ceiling_worth(state, slope) * 50.0 / float(terms.leverage) * UPWARD) + 1
    if terms.daily_loss >= 0:
        base = float(account.base)
        floor = max(floor, int(base * (1.0 - float(terms.daily_loss) / FRACTION_ONE) * UPWARD) + 1 if account.base > 0 else FAR)
    return floor


@inlined
def trail_trigger(plan: Plan, state: State, index: int) -> int:
    """The nearest exit-side close that could move the position's trailing level."""
    position = state.positions[index]
    if abs(position.trail) < FAR:
        return int(position.peak + position.side)
    gain = product(plan.exits[0].activation, position.entry_price) // FRACTION_ONE
    if position.side * (position.peak - position.entry_price) >= gain:
        return int(-position.side * FAR)  # far enough already: the next mark sets the level whatever the close
    return int(position.entry_price + position.side * gain)


@inlined
def quiet_bounds(plan: Plan, state: State) -> Bounds:
    """All positions of one symbol share a side, so equity is a straight line over the exit side's close."""
    account, side, unit_value = state.account[0], state.positions[0].side, plan.symbols[0].unit_value
    shift = plan.symbols[0].bid_shift if side == LONG else plan.symbols[0].ask_shift
    near_stop, near_target, trigger = -side * FAR, side * FAR, side * FAR
    base, slope = account.cash, 0
    for i in range(account.positions):
        position = state.positions[i]
        worth = product(side * unit_value, position.quantity)
        base, slope = base - product(worth, position.entry_price), slope + worth
        near_stop = tighter(side, near_stop, tighter(side, position.stop, position.trail))
        near_target = min(near_target, position.target) if side == LONG else max(near_target, position.target)
        if plan.exits[0].trails:
            found = trail_trigger(plan, state, i)
            trigger = min(trigger, found) if side == LONG else max(trigger, found)
    lower, upper = (near_stop, near_target) if side == LONG else (near_target, near_stop)
    close_low, close_high = (-FAR, trigger) if side == LONG else (trigger, FAR)
    ceiling = 2 * state.series[0].last
    base += product(slope, shift)
    return Bounds(
        lower - shift, upper - shift, close_low - shift, min(close_high, ceiling) - shift, base, slope, other_floor(plan, state, slope)
    )


@inlined
def is_quiet_block(blocks: Ints, block: int, bounds: Bounds, floor: int, peak: int) -> bool:
    """Every bar of it is quiet, and none brings a new peak."""
    if blocks[block, LOWEST] <= bounds.lower or blocks[block, HIGHEST] >= bounds.upper:
        return False
    least, most = blocks[block, LEAST_CLOSE], blocks[block, MOST_CLOSE]
    if most >= bounds.close_high or least <= bounds.close_low:
        return False
    one, other = bounds.base + bounds.slope * least, bounds.base + bounds.slope * most
    return bool(min(one, other) > floor and max(one, other) <= peak)


@inlined
def scan(high: Ints, low: Ints, close: Ints, blocks: Ints, first: int, end: int, bounds: Bounds, limit: int, state: State, log: Log) -> int:
    """Mark bars from `first` until one is not quiet; gives its index. Peak and trough follow one bar behind, as the record does.

    Without a peak only the least equity of a block matters, so it is taken whole; never the last bars, whose equity may be replaced.
    """
    account = state.account[0]
    equity, peak, trough = account.equity, account.peak, account.trough
    floor = max(bounds.floor, drawdown_floor(max(peak, equity), limit))
    worst, keep = account.worst, len(log.equity) > 0
    lower, upper, close_low, close_high, base, slope = (
        bounds.lower,
        bounds.upper,
        bounds.close_low,
        bounds.close_high,
        bounds.base,
        bounds.slope,
    )
    in_blocks = 0 if keep else min(end - BLOCK_BARS, len(blocks) * BLOCK_BARS)
    j = first
    while j < end:
        while j % BLOCK_BARS == 0 and j < in_blocks and equity <= peak and is_quiet_block(blocks, j // BLOCK_BARS, bounds, floor, peak):
            one = base + slope * blocks[j // BLOCK_BARS, LEAST_CLOSE]
            other = base + slope * blocks[j // BLOCK_BARS, MOST_CLOSE]
            trough = min(trough, equity, one, other)
            j += BLOCK_BARS
            equity = base + slope * close[j - 1]
        if low[j] <= lower or high[j] >= upper:
            break
        price = close[j]
        if price >= close_high or price <= close_low:
            break
        if equity > peak:
            worst = max(worst, float(peak - trough) / float(peak))
            peak, trough = equity, equity
            floor = max(bounds.floor, drawdown_floor(peak, limit))
        elif equity < trough:
            trough = equity
        now = base + slope * price
        if now <= floor:
            break
        equity = now
        if keep:
            log.equity[account.instants + j - first] = equity
        j += 1
    account.equity, account.peak, account.trough = equity, peak, trough
    account.worst = max(worst, float(peak - trough) / float(peak))
    return j


@inlined
def mark_positions(tape: Tape, plan: Plan, state: State, log: Log, first: int, end: int) -> int:
    bounds, limit = quiet_bounds(plan, state), plan.terms[0].max_drawdown
    if state.positions[0].side == LONG:
        stop = scan(tape.high, tape.low, tape.close, tape.blocks, first, end, bounds, limit, state, log)
    else:
        stop = scan(tape.ask_high, tape.ask_low, tape.ask_close, tape.ask_blocks, first, end, bounds, limit, state, log)
    for i in range(state.account[0].positions):
        state.positions[i].closes += stop - first
    return stop


@inlined
def stand_at_close(state: State, bar: int) -> None:
    """Take back what its decisions and its record are still to do."""
    account, series = state.account[0], state.series[0]
    account.instants -= 1
    account.bars -= 1
    account.stopped_out = 0
    series.under, series.now = bar, 1
    for i in range(account.positions):
        state.positions[i].closes -= 1


@inlined
def quiet_bars(tape: Tape, agenda: Agenda, plan: Plan, state: State, log: Log, until: int) -> bool:
    """Gives true when an agenda bar now stands marked at its close, with only its decisions and its record to come."""
    if not is_quiet(plan, state):
        return False
    account, series = state.account[0], state.series[0]
    first, end = first_bar(state), quiet_end(tape, agenda, plan, state, until)
    decided_at = -1
    if len(log.assessed) == 0 and may_mark(tape, agenda, state, end, until):
        decided_at, end = end, end + 1
    if end <= first or series.last == 0 or (account.positions == 0 and series.under >= 0):
        return False  # a bar at whose open the last position left still needs its mark
    if is_too_large(plan, state):
        return False
    if account.positions == 0:
        settle_peak(state)
        if len(log.equity) > 0:
            for row in range(account.instants, account.instants + end - first):
                log.equity[row] = account.equity
        stop = end
    else:
        stop = mark_positions(tape, plan, state, log, first, end)
    if stop == first:
        return False
    account.instants += stop - first
    account.bars += stop - first
    series.next, series.under = stop, -1
    set_prices(plan, state, 0, tape.close[stop - 1], tape.ask_close[stop - 1])
    if stop - 1 != decided_at:
        return False
    stand_at_close(state, decided_at)
    return True
