"""The stages of docs/bar-rules.md, in their order, as compiled functions over State; who calls them decides how time passes.

The kernel runs them one after another. Live they are run by two: the account decides, the broker fills (`core.live_stages`).
"""

from sptrader_desktop.core.arithmetic import muldiv, total
from sptrader_desktop.core.compiled import inlined
from sptrader_desktop.core.entries import consider_entries, fill_entries, touch_entries
from sptrader_desktop.core.exits import apply_exit_rules, fill_exits, on_agenda, order_close, protective_exits
from sptrader_desktop.core.money import FRACTION_ONE
from sptrader_desktop.core.portfolio import cancel_pending, move_trailing, notional_now, set_prices, settle_peak, unrealised
from sptrader_desktop.core.records import LONG, RISK_HALT, STOP_OUT
from sptrader_desktop.core.risk import at_stop_out, breached, stays_open
from sptrader_desktop.core.tables import AT_CLOSE, AT_OPEN, BREACHED, FREE, LATCHED, Agenda, Log, Plan, State, Tape

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
def opens_on_agenda(agenda: Agenda, state: State, s: int) -> bool:
    """`next` is the bar that opens."""
    series = state.series[s]
    return bool(series.now and series.agenda < agenda.start[s + 1] and agenda.bar[series.agenda] == series.next)


@inlined
def begin_days(agenda: Agenda, state: State, log: Log) -> None:
    for s in range(len(state.series)):
        if opens_on_agenda(agenda, state, s):
            start_day(state, log, agenda.day[state.series[s].agenda])


@inlined
def charge_rolls(agenda: Agenda, plan: Plan, state: State) -> None:
    for s in range(len(state.series)):
        if opens_on_agenda(agenda, state, s):
            charge_financing(plan, state, s, agenda.weight[state.series[s].agenda])


@inlined
def take_opens(tape: Tape, plan: Plan, state: State) -> None:
    for s in range(len(state.series)):
        series = state.series[s]
        if series.now:
            row = tape.start[s] + series.next
            set_prices(plan, state, s, tape.open[row], tape.ask_open[row])
            series.under, series.next = series.next, series.next + 1


@inlined
def fill_at_open(tape: Tape, plan: Plan, state: State, log: Log) -> None:
    for s in range(len(state.series)):
        if state.series[s].now and plan.symbols[s].traded:
            fill_exits(tape, plan, state, log, s, state.series[s].under, False)
            fill_entries(tape, plan, state, log, s, state.series[s].under, AT_OPEN)


@inlined
def open_bars(tape: Tape, agenda: Agenda, plan: Plan, state: State, log: Log) -> None:
    """The four stages of an opening instant, for every series marked `now`."""
    begin_days(agenda, state, log)
    charge_rolls(agenda, plan, state)
    take_opens(tape, plan, state)
    fill_at_open(tape, plan, state, log)


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
def fill_inside(tape: Tape, plan: Plan, state: State, log: Log) -> None:
    """What the range of the bars that close now did: touches, then protective exits."""
    for s in range(len(state.series)):
        if state.series[s].now and plan.symbols[s].traded:
            touch_entries(tape, plan, state, log, s)
    for s in range(len(state.series)):
        if state.series[s].now and plan.symbols[s].traded:
            protective_exits(tape, plan, state, log, s)


@inlined
def take_closes(tape: Tape, plan: Plan, state: State) -> None:
    for s in range(len(state.series)):
        series = state.series[s]
        if series.now:
            row = tape.start[s] + series.under
            set_prices(plan, state, s, tape.close[row], tape.ask_close[row])


@inlined
def mark_closes(tape: Tape, plan: Plan, state: State, log: Log) -> None:
    """The equity recorded last moves the peak only now: it could still have been replaced."""
    take_closes(tape, plan, state)
    if traded_now(plan, state):
        settle_peak(state)
        state.account[0].stopped_out = 0
        mark(plan, state, log)


@inlined
def take_range(tape: Tape, plan: Plan, state: State, log: Log) -> None:
    """Stages 1 to 3 of a closing instant."""
    fill_inside(tape, plan, state, log)
    mark_closes(tape, plan, state, log)


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
def fill_at_close(tape: Tape, plan: Plan, state: State, log: Log) -> bool:
    filled = False
    for s in range(len(state.series)):
        if state.series[s].now and plan.symbols[s].traded:
            filled |= fill_exits(tape, plan, state, log, s, state.series[s].under, True)
            filled |= fill_entries(tape, plan, state, log, s, state.series[s].under, AT_CLOSE)
    return filled


@inlined
def finish_close(tape: Tape, agenda: Agenda, plan: Plan, state: State, log: Log) -> None:
    """Stages 6 and 7: fills at the close where the terms say so, then the record."""
    if plan.terms[0].fill_close and fill_at_close(tape, plan, state, log):
        mark(plan, state, log)
    end_close(agenda, plan, state, log)


@inlined
def end_close(agenda: Agenda, plan: Plan, state: State, log: Log) -> None:
    account = state.account[0]
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


@inlined
def end_record(state: State, log: Log) -> None:
    """Nothing is open any more: the last equity value becomes the cash."""
    account = state.account[0]
    account.equity = account.cash
    if account.instants > 0:
        account.instants -= 1
        record(state, log)
        settle_peak(state)
        log_day(state, log)
