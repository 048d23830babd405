"""One run of the rules over candles: allocates the tables, lets the kernel advance in slices, hands back what happened.

Between slices the caller hears how far it is and may stop it by raising; the log grows here when it is full.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from sptrader_desktop.core import kernel
from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.closes import close_instants
from sptrader_desktop.core.errors import RunError
from sptrader_desktop.core.money import fixed
from sptrader_desktop.core.plan import make_agenda, make_plan, make_tape
from sptrader_desktop.core.records import ASSESSED, END_OF_DATA, FILL, ORDER, TRADE, VERDICT, WORKING
from sptrader_desktop.core.rules import RuleHits
from sptrader_desktop.core.strategy import Strategy
from sptrader_desktop.core.tables import ACCOUNT, PENDING, POSITION, SERIES, Agenda, Ints, Log, Plan, Runs, State, Table, Tape
from sptrader_desktop.core.terms import IntrabarPolicy, Terms

SLICES = 200
LONG = 2_000_000  # bars; a shorter run is over before anyone could interrupt it
FIRST_ROWS = 1024
DAY_US = 86_400_000_000
PATIENCE_US = 4 * DAY_US  # a long weekend


@dataclass(frozen=True, slots=True)
class Progress:
    """`equity` in 1e-8 of the account currency."""

    fraction: float
    equity: int
    open_positions: int
    trades: int


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """All a run needs, already as arrays; one job may be run again and again, also with other plans."""

    tape: Tape
    agenda: Agenda
    plan: Plan
    capital: int

    def under(self, policy: IntrabarPolicy) -> "Job":
        terms = self.plan.terms.copy()
        terms["target_first"] = policy == "target_first"
        return replace(self, plan=self.plan._replace(terms=terms))


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """The tables of one run, cut to the rows used; `equity[i]` was recorded at `instants[i]`."""

    trades: Table
    fills: Table
    verdicts: Table
    orders: Table
    equity: Ints
    instants: Ints
    days: Ints
    account: Table

    @property
    def final_cash(self) -> int:
        return int(self.account["cash"][0])


def make_job(
    strategy: Strategy,
    terms: Terms,
    traded: Sequence[Candles],
    hits: Sequence[RuleHits],
    rates: Sequence[Candles] = (),
    finer: Mapping[str, Candles] | None = None,
    watched: Mapping[str, Ints] | None = None,
    tape: Tape | None = None,
) -> Job:
    """Raises RunError when a rate, a cost or a finer candle would make the result inexact. `tape` is that of the same candles, rates and
    finer candles, where one was made before: millions of finer bars are laid end to end once."""
    finer = finer or {}
    _check_finer(traded, finer)
    _check_ends(traded)
    plan = make_plan(strategy, terms, traded, rates)
    for s, candles in enumerate(traded):
        plan.symbols["has_finer"][s] = candles.symbol in finer
    _check_rates(plan, traded, rates)
    agenda = make_agenda(strategy, traded, hits, len(rates), watched)
    return Job(tape or make_tape(traded, rates, finer), agenda, plan, fixed(terms.capital))


def _check_finer(traded: Sequence[Candles], finer: Mapping[str, Candles]) -> None:
    for candles in traded:
        fine = finer.get(candles.symbol)
        if fine is None:
            continue
        if fine.bar_us >= candles.bar_us:
            raise RunError(f"{fine.source}: {fine.timeframe} is not finer than {candles.timeframe}: give candles of a shorter timeframe")
        if fine.side != candles.side or (fine.ask is None) != (candles.ask is None):
            raise RunError(f"{fine.source}: finer candles of {candles.symbol} must have the same sides as the candles they explain")


def _check_rates(plan: Plan, traded: Sequence[Candles], rates: Sequence[Candles]) -> None:
    """Every pair a conversion needs must be known from the first bar on and never be silent for longer than a long weekend."""
    series = (*traded, *rates)
    for s, candles in enumerate(traded):
        for leg in ("leg1", "leg2"):
            row = plan.symbols[s]
            if row[f"{leg}_kind"] and row[leg] != s:
                _check_cover(series[row[leg]], candles)


def _check_cover(pair: Candles, candles: Candles) -> None:
    first, last = int(candles.timestamp[0]), int(candles.timestamp[-1])
    name = pair.source or pair.symbol
    if pair.timestamp[0] > first:
        raise RunError(f"{name}: its rates begin after the candles of {candles.symbol}: give rates for the whole range")
    known = pair.timestamp[
        max(0, int(np.searchsorted(pair.timestamp, first, side="right")) - 1) : np.searchsorted(pair.timestamp, last, side="right")
    ]
    silent = np.diff(np.append(known, last)) - pair.bar_us
    hole = int(np.argmax(silent))
    if silent[hole] > _patience(pair):
        days = int(silent[hole]) // DAY_US
        since = np.datetime64(int(known[hole]), "us").astype("M8[m]")
        raise RunError(
            f"{name}: it has no rate for {days} days after {since}Z, while {candles.symbol} needs one: give rates without that hole"
        )


def _check_ends(traded: Sequence[Candles]) -> None:
    """A position in a symbol without candles would be carried at a dead price."""
    last = max(traded, key=lambda candles: candles.timestamp[-1])
    for candles in traded:
        if last.timestamp[-1] - candles.timestamp[-1] - candles.bar_us > _patience(candles):
            ends = np.datetime64(int(candles.timestamp[-1]), "us").astype("M8[D]")
            raise RunError(f"{candles.symbol} ends on {ends} and {last.symbol} goes on: end the run there with --to {ends}")


def _patience(candles: Candles) -> int:
    """For silence after a bar: the week that is under way when the hours end is not in the file yet."""
    return max(PATIENCE_US, candles.bar_us)


def start_state(job: Job) -> State:
    positions = 2 * len(job.plan.exits) * int(job.plan.entries["most"].max(initial=1)) + 8
    account, series = np.zeros(1, ACCOUNT), np.zeros(len(job.plan.symbols), SERIES)
    for name in ("cash", "equity", "peak", "trough", "base"):
        account[name] = job.capital
    account["day"] = -(2**40)
    series["under"] = -1
    series["agenda"] = job.agenda.start[:-1]
    return State(account, series, np.zeros(positions, POSITION), np.zeros(positions, PENDING))


def empty_log(job: Job, state: State, keep: bool = True) -> Log:
    """With `keep` off only orders, days and the account remain: what a sweep needs."""
    # Room for every hit from the start: memory that is never written costs nothing, copying full tables took longer than trading.
    hits = int(np.bitwise_count(job.agenda.entries).sum())
    at_once = len(state.positions) + len(state.pending) + job.plan.entries.size
    rows = max(FIRST_ROWS, 8 * at_once) + hits
    kept, traded = rows * keep, len(job.plan.exits)
    instants = int(job.tape.start[traded]) * keep
    days = int(np.count_nonzero(np.diff(job.agenda.day))) + 3
    return Log(
        np.zeros(kept, TRADE),
        np.zeros(kept * 2, FILL),
        np.zeros(kept, VERDICT),
        np.zeros(rows, ORDER),
        np.zeros(instants, np.int64),
        np.zeros((days, 2), np.int64),
        np.zeros(0, ASSESSED),
    )


def advance(job: Job, state: State, log: Log, until: int) -> Log:
    """Run to `until`, doubling the tables as they fill up."""
    with exact_or_refused():
        while kernel.advance(job.tape, job.agenda, job.plan, state, log, until) == kernel.LOG_FULL:
            log = _grown(log)
    return log


def run_variants(job: Job, start: State, state: State, log: Log, runs: Runs) -> Log:
    """As `start`, `advance` and `finish` for each of `runs`, whose exits take the place of the job's."""
    first = 0
    with exact_or_refused():
        while True:
            first = kernel.run_variants(job.tape, job.agenda, job.plan, start, state, log, runs, END_OF_DATA, first)
            if first == len(runs.ended):
                return log
            log = _grown(log)


def finish(job: Job, state: State, log: Log) -> None:
    with exact_or_refused():
        kernel.finish(job.tape, job.plan, state, log, END_OF_DATA)


@contextmanager
def exact_or_refused() -> Iterator[None]:
    """What the compiled rules raise, as a person should read it."""
    try:
        yield
    except LookupError as error:
        raise RunError(f"{error}: give rates that begin before the first candle with --rates PATH") from None
    except OverflowError as error:
        raise RunError(f"{error}: lower the size or the capital") from None
    except ValueError as error:
        raise RunError(f"{error}: lower the slippage or the spread") from None


def _grown(log: Log) -> Log:
    return log._replace(**{name: _doubled(getattr(log, name)) for name in ("trades", "fills", "verdicts", "orders")})


def _doubled(table: Table) -> Table:
    return np.concatenate([table, np.zeros(len(table), table.dtype)])


def run(job: Job, report: Callable[[Progress], None] | None = None) -> Outcome:
    state = start_state(job)
    log = empty_log(job, state)
    for fraction, until in _slices(job, SLICES if report or len(job.tape.time) > LONG else 1):
        log = advance(job, state, log, until)
        if report:
            account = state.account[0]
            report(Progress(fraction, int(account["equity"]), int(account["positions"]), int(account["trades"])))
    finish(job, state, log)
    return _outcome(job, state, log)


def _slices(job: Job, count: int) -> list[tuple[float, int]]:
    """Equal spans of time; the last one has no end."""
    first, last = int(job.tape.time.min()), int(job.tape.time.max())
    spans = [(i / count, first + (last - first) * i // count) for i in range(1, count)]
    return [*spans, (1.0, kernel.NEVER - 1)]


def _outcome(job: Job, state: State, log: Log) -> Outcome:
    used = state.account[0]
    return Outcome(
        trades=log.trades[: used["trades"]],
        fills=log.fills[: used["fills"]],
        verdicts=log.verdicts[: used["verdicts"]],
        orders=log.orders[: used["orders"]],
        equity=log.equity[: used["instants"]],
        instants=recorded_instants(job),
        days=log.days[: used["days"]],
        account=state.account,
    )


def recorded_instants(job: Job) -> Ints:
    """When each equity value was recorded: every close of a traded symbol, once."""
    traded = len(job.plan.exits)
    closes = [close_instants(job.tape, s) for s in range(traded)]
    return closes[0] if traded == 1 else np.unique(np.concatenate(closes))


def working_orders(outcome: Outcome) -> int:
    return int(np.count_nonzero(outcome.orders["state"] == WORKING))
