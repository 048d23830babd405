"""One account through time: which instant comes next, and the stages (`core.stages`) of each.

`advance` runs any number of instants and may be entered again where it stopped: the backtest calls it with millions of
bars, replay and live with one. Nothing here reads a clock or a file.
"""

from sptrader_desktop.core.borrow import borrowed, width
from sptrader_desktop.core.closes_inlined import closes_at
from sptrader_desktop.core.compiled import compiled, inlined, shared
from sptrader_desktop.core.portfolio import cancel_pending, close_part, exit_side_price
from sptrader_desktop.core.prices import slipped
from sptrader_desktop.core.quiet import quiet_bars
from sptrader_desktop.core.stages import decide, end_record, finish_close, open_bars, take_range
from sptrader_desktop.core.tables import Agenda, Log, Plan, Runs, State, Tape

DONE, LOG_FULL = 0, 1
NEVER = 2**62


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


@shared
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


@shared
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
    end_record(state, log)


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


@shared
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
