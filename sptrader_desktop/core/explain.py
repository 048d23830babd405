"""Why a bar did what it did, or did not: the run is made again up to the bar's close and its decisions are taken apart.

The account is brought to just before the close; from there the close is decided as often as there are questions, with other
limits and with conditions that did not hold. What was recorded is compared first: an explanation never disagrees with its run.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from sptrader_desktop.core import records as rec
from sptrader_desktop.core import simulation
from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.closes import close_instant
from sptrader_desktop.core.errors import RunError
from sptrader_desktop.core.explain_checks import checks_of, limit_need, share_of
from sptrader_desktop.core.explain_conditions import event_needs, first_failing, look
from sptrader_desktop.core.explain_facts import fills_of, order_of, orders_of, positions_of, side_prices
from sptrader_desktop.core.explained import ConditionSeen, EntrySeen, ExitSeen, Explanation, Marks, Need, OrderSeen
from sptrader_desktop.core.resample import closes_in_series
from sptrader_desktop.core.results import Result
from sptrader_desktop.core.simulation import Job, Outcome
from sptrader_desktop.core.tables import Agenda, Log, Plan, State, Table


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """The account just before bar `bar` of symbol number `symbol` closes; `row` is the bar's on the agenda."""

    job: Job
    before: State
    log: Log
    symbol: int
    bar: int
    row: int
    closes_at: int

    def decided(self, log: Log, plan: Plan, agenda: Agenda) -> tuple[State, Log]:
        """The closing instant up to and including its decisions, on copies: fills at the close would hide what the rules saw."""
        terms = plan.terms.copy()
        terms["fill_close"] = 0
        job = replace(self.job, plan=plan._replace(terms=terms), agenda=agenda)
        state = State(*(table.copy() for table in self.before))
        log = log._replace(assessed=np.zeros(plan.entries.size, rec.ASSESSED))
        return state, simulation.advance(job, state, log, self.closes_at)

    def judged(self, rule: int, plan: Plan) -> Table:
        """What the checks say of one entry rule, its conditions taken as held."""
        agenda = self.job.agenda._replace(entries=self.job.agenda.entries.copy())
        agenda.entries[self.row] |= 1 << rule
        nothing = {name: getattr(self.log, name)[:0] for name in ("trades", "fills", "verdicts", "equity")}
        _, log = self.decided(self.log._replace(orders=self.log.orders.copy(), **nothing), plan, agenda)
        row: Table = log.assessed[self.symbol * self.job.plan.entries.shape[1] + rule]
        return row


def explain(result: Result, symbol: str, bar: int) -> Explanation:
    number = _symbol_number(result.request.traded, symbol)
    candles = result.request.traded[number]
    if not 0 <= bar < len(candles):
        raise RunError(f"bar {bar} of {symbol} does not exist: its bars are 0 to {len(candles) - 1}")
    moment = _moment_of(result, number, bar)
    state, log = moment.decided(_copied(moment.log), moment.job.plan, moment.job.agenda)
    _check_agreement(result.outcome, state, log, moment.closes_at)
    bid, ask = side_prices(candles, moment.job.plan.symbols[number], bar)
    stages = int(moment.before.account["fills"][0]), int(state.account["fills"][0])
    return Explanation(
        instrument=candles.instrument,
        currency=result.request.terms.currency,
        timeframe=candles.timeframe,
        bar=bar,
        opened_at=int(candles.timestamp[bar]),
        closed_at=moment.closes_at,
        bid=bid,
        ask=ask,
        fills=fills_of(result.outcome, moment.job, moment.before, number, bar, stages, (bid, ask)),
        orders=orders_of(result.outcome, candles, number, bar),
        marks=_marks(state.account[0]),
        positions=positions_of(state, number),
        time_exit=result.request.strategy.exits.time_exit,
        exits=_exits(result, number, bar),
        entries=_entries(result, moment),
    )


def bar_at(candles: Candles, at: int) -> int:
    """The bar that contains an instant, in microseconds UTC; outside the candles and between them, RunError says what there is."""
    first, last = int(candles.timestamp[0]), _over_at(candles, len(candles) - 1)
    if not first <= at < last:
        span = f"from {_moment_text(first)} to {_moment_text(last - 1)}"
        raise RunError(f"{_moment_text(at)} is outside the {candles.symbol} candles: give a time {span}")
    bar = int(np.searchsorted(candles.timestamp, at, side="right")) - 1
    if at < _over_at(candles, bar):
        return bar
    before, after = (_moment_text(int(stamp)) for stamp in candles.timestamp[bar : bar + 2])
    raise RunError(
        f"no {candles.symbol} bar contains {_moment_text(at)}: the nearest bars open at {before} and at {after}, give one of these"
    )


def _over_at(candles: Candles, bar: int) -> int:
    return int(closes_in_series(candles.timestamp[bar : bar + 2], candles.timeframe)[0])


def _symbol_number(traded: Sequence[Candles], symbol: str) -> int:
    symbols = [candles.symbol for candles in traded]
    if symbol not in symbols:
        raise RunError(f"the run does not trade {symbol}: give one of {', '.join(symbols)}")
    return symbols.index(symbol)


def _moment_text(at: int) -> str:
    return datetime.fromtimestamp(at // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# The run, made again


def _moment_of(result: Result, number: int, bar: int) -> Moment:
    asked = result.request
    candles = asked.traded[number]
    watched = {candles.symbol: np.array([bar], np.int64)}
    job = simulation.make_job(asked.strategy, asked.terms, asked.traded, result.hits, asked.rates, asked.finer, watched, result.job.tape)
    closes_at = close_instant(job.tape, number, bar)
    state = simulation.start_state(job)
    log = simulation.advance(job, state, simulation.empty_log(job, state), closes_at - 1)
    start = int(job.agenda.start[number])
    row = start + int(np.searchsorted(job.agenda.bar[start : job.agenda.start[number + 1]], bar))
    return Moment(job, state, log, number, bar, row, closes_at)


def _copied(log: Log) -> Log:
    return Log(*(table.copy() for table in log))


def _check_agreement(outcome: Outcome, state: State, log: Log, until: int) -> None:
    """All verdicts up to this close, and every fill and trade that the remade run has had so far."""
    account = state.account[0]
    recorded = outcome.verdicts[: np.count_nonzero(outcome.verdicts["time"] <= until)]
    pairs = (
        ("verdict", recorded, log.verdicts[: account["verdicts"]]),
        ("fill", outcome.fills[: account["fills"]], log.fills[: account["fills"]]),
        ("trade", outcome.trades[: account["trades"]], log.trades[: account["trades"]]),
    )
    for what, theirs, ours in pairs:
        shared = min(len(theirs), len(ours))
        differing = np.flatnonzero(theirs[:shared] != ours[:shared])
        if len(differing) or len(theirs) != len(ours):
            row = int(differing[0]) if len(differing) else shared
            _disagree(f"{what} {row + 1} {_difference(theirs, ours, row)}")


def _difference(theirs: Table, ours: Table, row: int) -> str:
    if row >= len(ours):
        return "was recorded but does not follow from its rules"
    if row >= len(theirs):
        return "follows from its rules but was not recorded"
    name = next(name for name in ours.dtype.names or () if ours[name][row] != theirs[name][row])
    return f"has {name} {theirs[name][row]} where its rules give {ours[name][row]}"


def _disagree(what: str) -> None:
    raise RunError(f"the explanation disagrees with the run: {what}; its strategy, candles or engine have changed since, run it again")


def _marks(account: Table) -> Marks:
    equity, base = int(account["equity"]), int(account["base"])
    peak = max(int(account["peak"]), equity)
    drawdown, loss = peak - equity, base - equity
    return Marks(equity, drawdown, share_of(drawdown, peak), loss, share_of(loss, base))


# The rules


def _look(result: Result, number: int, bar: int, kind: str, rule: int) -> ConditionSeen:
    strategy, hits = result.request.strategy, result.hits[number]
    held, rules = (hits.entries, strategy.entries) if kind == "entry" else (hits.exits, strategy.exits.rules)
    seen = look(rules[rule].when, result.events[number], bar, result.request.traded[number].timestamp)
    if seen.passed != held[rule, bar]:
        _disagree(f"the conditions of {kind} rule {rule + 1} {'hold' if seen.passed else 'do not hold'}, in the run it was the other way")
    return seen


def _exits(result: Result, number: int, bar: int) -> tuple[ExitSeen, ...]:
    rules = result.request.strategy.exits.rules
    return tuple(ExitSeen(rule.action, _look(result, number, bar, "exit", r)) for r, rule in enumerate(rules))


def _entries(result: Result, moment: Moment) -> tuple[EntrySeen, ...]:
    return tuple(_entry(result, moment, rule) for rule in range(len(result.request.strategy.entries)))


def _entry(result: Result, moment: Moment, rule: int) -> EntrySeen:
    number, bar, entry = moment.symbol, moment.bar, result.request.strategy.entries[rule]
    seen = _look(result, number, bar, "entry", rule)
    judged = moment.judged(rule, moment.job.plan)
    checks = checks_of(result.request.strategy, moment.job.plan, moment.before, judged, moment.row, moment.job.agenda)
    verdict = rec.VERDICTS[judged["verdict"]]
    failed = next((check for check in checks if check.passed is False), None)
    if (failed.name if failed else "placed") != verdict:
        _disagree(f"entry rule {rule + 1} was judged '{verdict}', its checks give '{failed.name if failed else 'placed'}'")
    blocker = failed if seen.passed else first_failing(seen)
    order = _placed_order(result, moment, rule) if blocker is None else None
    needs = _needs(result, moment, rule, judged, seen.passed)
    return EntrySeen(entry.side, entry.reverse, seen, checks, verdict, int(judged["quantity"]), order, blocker, needs)


def _needs(result: Result, moment: Moment, rule: int, judged: Table, held: bool) -> tuple[Need, ...]:
    """Only one of the two may stand in the way: conditions whose checks pass, or one check of conditions that hold."""
    if not held:
        entry, placed = result.request.strategy.entries[rule], judged["verdict"] == rec.PLACED
        return event_needs(entry.when, result.events[moment.symbol], moment.bar) if placed else ()
    need = limit_need(moment.job.plan, judged, lambda plan: int(moment.judged(rule, plan)["verdict"]))
    return () if need is None else (need,)


def _placed_order(result: Result, moment: Moment, rule: int) -> OrderSeen:
    verdicts = result.outcome.verdicts
    own = (verdicts["symbol"] == moment.symbol) & (verdicts["bar"] == moment.bar) & (verdicts["rule"] == rule)
    return order_of(result.outcome, result.request.traded[moment.symbol], int(verdicts["order"][own][0]))
