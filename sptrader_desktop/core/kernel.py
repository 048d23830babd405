"""One account through time: the stages of docs/bar-rules.md, in their order, as compiled functions over State.

`advance` runs any number of instants and may be entered again where it stopped: the backtest calls it with millions of
bars, replay and live with one. Nothing here reads a clock or a file.
"""

from sptrader_desktop.core.arithmetic import muldiv, total
from sptrader_desktop.core.borrow import borrowed, width
from sptrader_desktop.core.closes_inlined import closes_at
from sptrader_desktop.core.compiled import compiled, inlined
from sptrader_desktop.core.entries import consider_entries, fill_entries, touch_entries
from sptrader_desktop.core.exits import apply_exit_rules, fill_exits, on_agenda, order_close, protective_exits
from sptrader_desktop.core.money import FRACTION_ONE
from sptrader_desktop.core.portfolio import (
    cancel_pending,
    close_part,
    exit_side_price,
    move_trailing,
    notional_now,
    set_prices,
    settle_peak,
    unrealised,
)
from sptrader_desktop.core.prices import slipped
from sptrader_desktop.core.quiet import quiet_bars
from sptrader_desktop.core.records import LONG, RISK_HALT, STOP_OUT
from sptrader_desktop.core.risk import at_stop_out, breached, stays_open
from sptrader_desktop.core.tables import AT_CLOSE, AT_OPEN, BREACHED, FREE, LATCHED, Agenda, Log, Plan, Runs, State, Tape

DONE, LOG_FULL = 0, 1
NEVER = 2**62
YEAR_DAYS = 365


# Bars open


@inlined
def log_day(state: State, log: Log) -> None:
    """The day that ends, with its last equity; a day without a close of its own is none."""
    account = state.account[0]
    if account.instants > account.day_from:
        log.days[account.days, 0], log.days[account.days, 1] = account.day, account.equity
        account.days += 1
        account.day_from = account.instants


@inlined
def start_day(state: State, log: Log, day: int) -> None:
    account = state.account[0]
    if day <= account.day:
        return
    log_day(state, log)
    account.day, account.base, account.lost_day = day, account.equity, FREE


@inlined
def charge_financing(plan: Plan, state: State, symbol: int, weight: int) -> None:
    terms = plan.symbols[symbol]
    if weight == 0:
        return
    for i in range(state.account[0].positions):
        position = state.positions[i]
        if position.symbol == symbol:
            rate = terms.long_rate if position.side == LONG else terms.short_rate
            notional = notional_now(plan, state, symbol, position.quantity)
            amount = muldiv(notional, rate * weight, YEAR_DAYS * FRACTION_ONE)
            position.financing += amount
            state.account[0].cash = total(state.account[0].cash, amount)


@inlined
def open_bars(tape: Tape, agenda: Agenda, plan: Plan, state: State, log: Log) -> None:
    """The four stages of an opening instant, for every series marked `now`; `next` is the bar that opens."""
    for s in range(len(state.series)):
        series = state.series[s]
        if series.now and series.agenda < agenda.start[s + 1] and agenda.bar[series.agenda] == series.next:
            start_day(state, log, agenda.day[series.agenda])
    for s in range(len(state.series)):
        series = state.series[s]
        if series.now and series.agenda < agenda.start[s + 1] and agenda.bar[series.agenda] == series.next:
            charge_financing(plan, state, s, agenda.weight[series.agenda])
    for s in range(len(state.series)):
        series = state.series[s]
        if series.now:
            row = tape.start[s] + series.next
            set_prices(plan, state, s, tape.open[row], tape.ask_open[row])
            series.under, series.next = series.next, series.next + 1
    for s in range(len(state.series)):
        if state.series[s].now and plan.symbols[s].traded:
            fill_exits(tape, plan, state, log, s, state.series[s].under, False)
            fill_entries(tape, plan, state, log, s, state.series[s].under, AT_OPEN)


# Bars close


@inlined
def halt_on_breach(plan: Plan, state: State, log: Log) -> None:
    account, terms = state.account[0], plan.terms[0]
    peak = max(account.peak, account.equity)
    drawn_down = breached(peak - account.equity, terms.max_drawdown, peak)
    lost_day = breached(account.base - account.equity, terms.daily_loss, account.base)
    if not (drawn_down or lost_day):
        return
    if drawn_down and account.drawn_down == FREE:
        account.drawn_down = BREACHED
    if lost_day and account.lost_day == FREE:
        account.lost_day = BREACHED
    cancel_pending(state, log, -1, 0)
    for i in range(account.positions):
        order_close(state, i, state.positions[i].quantity, RISK_HALT, 0)


@inlined
def stop_out(plan: Plan, state: State) -> None:
    """Equity at or under half the used margin: the largest loser goes at its next open, one at each instant."""
    account = state.account[0]
    if account.positions == 0 or account.stopped_out:
        return
    notional = 0
    for i in range(account.positions):
        notional = total(notional, notional_now(plan, state, state.positions[i].symbol, state.positions[i].quantity))
    if not at_stop_out(account.equity, notional, plan.terms[0].leverage):
        return
    worst = -1
    for i in range(account.positions):
        if stays_open(state, i) and (worst < 0 or state.positions[i].open_profit < state.positions[worst].open_profit):
            worst = i
    if worst >= 0:
        order_close(state, worst, state.positions[worst].quantity, STOP_OUT, 0)
        account.stopped_out = 1


@inlined
def mark(plan: Plan, state: State, log: Log) -> None:
    account = state.account[0]
    for i in range(account.positions):
        if state.series[state.positions[i].symbol].now and plan.exits[state.positions[i].symbol].trails:
            move_trailing(plan, state, i)
    account.equity = total(account.cash, unrealised(plan, state))
    halt_on_breach(plan, state, log)
    stop_out(plan, state)


@inlined
def traded_now(plan: Plan, state: State) -> bool:
    """Rates alone move prices and nothing else."""
    for s in range(len(state.series)):
        if state.series[s].now and plan.symbols[s].traded:
            return True
    return False


@inlined
def take_range(tape: Tape, plan: Plan, state: State, log: Log) -> None:
    """Stages 1 to 3 of a closing instant: touches, protective exits, mark.

    The equity recorded last moves the peak only now: it could still have been replaced.
    """
    for s in range(len(state.series)):
        if state.series[s].now and plan.symbols[s].traded:
            touch_entries(tape, plan, state, log, s)
    for s in range(len(state.series)):
        if state.series[s].now and plan.symbols[s].traded:
            protective_exits(tape, plan, state, log, s)
    for s in range(len(state.series)):
        series = state.series[s]
        if series.now:
            row = tape.start[s] + series.under
            set_prices(plan, state, s, tape.close[row], tape.ask_close[row])
    if traded_now(plan, state):
        settle_peak(state)
        state.account[0].stopped_out = 0
        mark(plan, state, log)


@inlined
def decide(tape: Tape, agenda: Agenda, plan: Plan, state: State, log: Log) -> None:
    """Stages 4 and 5: exit rules of every symbol, then entries one by one."""
    for s in range(len(state.series)):
        if state.series[s].now and plan.symbols[s].traded:
            apply_exit_rules(agenda, plan, state, s)
    for s in range(len(state.series)):
        if state.series[s].now and plan.symbols[s].traded:
            consider_entries(tape, agenda, plan, state, log, s)


@inlined
def finish_close(tape: Tape, agenda: Agenda, plan: Plan, state: State, log: Log) -> None:
    """Stages 6 and 7: fills at the close where the terms say so, then the record."""
    account, filled = state.account[0], False
    for s in range(len(state.series)):
        if not (state.series[s].now and plan.symbols[s].traded):
            continue
        if plan.terms[0].fill_close:
            filled |= fill_exits(tape, plan, state, log, s, state.series[s].under, True)
            filled |= fill_entries(tape, plan, state, log, s, state.series[s].under, AT_CLOSE)
    if filled:
        mark(plan, state, log)
    if traded_now(plan, state):
        record(state, log)
    for i in range(account.positions):
        state.positions[i].closing_now = 0
    for s in range(len(state.series)):
        series = state.series[s]
        if series.now:
            series.agenda += on_agenda(agenda, state, s) >= 0
            series.under = -1
            account.bars += plan.symbols[s].traded


@inlined
def record(state: State, log: Log) -> None:
    account = state.account[0]
    if len(log.equity) > 0:
        log.equity[account.instants] = account.equity
    account.instants += 1
    if account.drawn_down == BREACHED:
        account.drawn_down = LATCHED
    if account.lost_day == BREACHED:
        account.lost_day = LATCHED


# Time


@inlined
def next_instant(tape: Tape, state: State) -> tuple[int, bool]:
    """(time, is it a closing instant): closes before opens when both fall together."""
    closing, opening = NEVER, NEVER
    for s in range(len(state.series)):
        series = state.series[s]
        if series.under >= 0:
            closing = min(closing, closes_at(tape, s, series.under))
        elif tape.start[s] + series.next < tape.start[s + 1]:
            opening = min(opening, tape.time[tape.start[s] + series.next])
    return min(closing, opening), closing <= opening


@inlined
def choose(tape: Tape, state: State, time: int, closing: bool) -> None:
    """Mark the series that close, or open, at this time."""
    for s in range(len(state.series)):
        series = state.series[s]
        series.now = 0
        if closing and series.under >= 0:
            series.now = closes_at(tape, s, series.under) == time
        elif not closing and series.under < 0 and tape.start[s] + series.next < tape.start[s + 1]:
            series.now = tape.time[tape.start[s] + series.next] == time


@inlined
def has_room(plan: Plan, state: State, log: Log) -> bool:
    """Can the tables take whatever one instant may add? Each rule may place an order for each symbol, and each order fill and close."""
    account = state.account[0]
    most = len(state.positions) + len(state.pending) + len(plan.entries) * width(plan.entries)
    kept = len(log.trades) == 0 or (account.trades + 3 * most < len(log.trades) and account.fills + 5 * most < len(log.fills))
    judged = len(log.verdicts) == 0 or account.verdicts + most < len(log.verdicts)
    return bool(kept and judged and account.orders + most < len(log.orders))


@compiled
def run_instants(tape: Tape, agenda: Agenda, plan: Plan, state: State, log: Log, until: int) -> int:
    while True:
        if not has_room(plan, state, log):
            return LOG_FULL
        if not quiet_bars(tape, agenda, plan, state, log, until):
            time, closing = next_instant(tape, state)
            if time > until or (time == until and not closing):
                return DONE
            choose(tape, state, time, closing)
            if not closing:
                open_bars(tape, agenda, plan, state, log)
                continue
            take_range(tape, plan, state, log)
        decide(tape, agenda, plan, state, log)
        finish_close(tape, agenda, plan, state, log)


@compiled
def advance(tape: Tape, agenda: Agenda, plan: Plan, state: State, log: Log, until: int) -> int:
    """Run every instant before `until` (an opening instant at `until` itself is not run, a closing one is)."""
    return run_instants(borrowed(tape), borrowed(agenda), borrowed(plan), borrowed(state), borrowed(log), until)


@compiled
def close_all(tape: Tape, plan: Plan, state: State, log: Log, reason: int) -> None:
    account = state.account[0]
    cancel_pending(state, log, -1, 0)
    for s in range(len(state.series)):
        i = 0
        while i < account.positions:
            position = state.positions[i]
            if position.symbol != s:
                i += 1
                continue
            price = slipped(-position.side, exit_side_price(state, s, position.side), plan.symbols[s].slippage)
            close_part(tape, plan, state, log, i, position.quantity, price, reason, state.series[s].next - 1)
    account.equity = account.cash
    if account.instants > 0:
        account.instants -= 1
        record(state, log)
        settle_peak(state)
        log_day(state, log)


@compiled
def finish(tape: Tape, plan: Plan, state: State, log: Log, reason: int) -> None:
    """End of data: cancel what waits, close what is open at each symbol's last close, record the final equity."""
    close_all(borrowed(tape), borrowed(plan), borrowed(state), borrowed(log), reason)


# Many runs


@inlined
def begin(agenda: Agenda, start: State, state: State) -> None:
    """The other two tables are written before they are read."""
    state.account[0] = start.account[0]
    for s in range(len(state.series)):
        state.series[s] = start.series[s]
        state.series[s].agenda = agenda.start[s]


@inlined
def write_ended(state: State, log: Log, runs: Runs, row: int) -> None:
    account, out, first = state.account[0], runs.ended[row], row * len(log.days)
    out.cash, out.trades, out.days, out.worst = account.cash, account.trades, account.days, account.worst
    for day in range(account.days):
        runs.days[first + day, 0], runs.days[first + day, 1] = log.days[day, 0], log.days[day, 1]


@compiled
def run_all(
    tape: Tape,
    agenda: Agenda,
    plan: Plan,
    start: State,
    state: State,
    log: Log,
    runs: Runs,
    reason: int,
    first: int,
) -> int:
    for row in range(first, len(runs.ended)):
        for s in range(len(plan.exits)):
            plan.exits[s] = runs.exits[row * len(plan.exits) + s]
        begin(agenda, start, state)
        if run_instants(tape, agenda, plan, state, log, NEVER - 1) == LOG_FULL:
            return row
        close_all(tape, plan, state, log, reason)
        write_ended(state, log, runs, row)
    return len(runs.ended)


@compiled
def run_variants(tape: Tape, agenda: Agenda, plan: Plan, start: State, state: State, log: Log, runs: Runs, reason: int, first: int) -> int:
    """From `start` to the end of data for each of `runs`, from `first` on. Gives the one that the log had no room for, or their number."""
    return run_all(
        borrowed(tape), borrowed(agenda), borrowed(plan), borrowed(start), borrowed(state), borrowed(log), borrowed(runs), reason, first
    )
