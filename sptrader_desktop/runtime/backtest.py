"""A backtest from candles to figures: components give events, rules give hits, the kernel gives trades, metrics measure them."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from sptrader_desktop.core import metrics
from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.errors import RunError
from sptrader_desktop.core.money import fixed
from sptrader_desktop.core.results import Band, Events, Request, Result
from sptrader_desktop.core.rules import RuleHits, conditions, rule_hits
from sptrader_desktop.core.simulation import Job, Outcome, Progress, make_job, run
from sptrader_desktop.core.strategy import Strategy
from sptrader_desktop.core.terms import Terms
from sptrader_desktop.ports import ComponentJob, ComponentRunner


def backtest(
    request: Request, runner: ComponentRunner, report: Callable[[Progress], None] | None = None, before: Result | None = None
) -> Result:
    """`before` is a run over the same candles: what it found of them is not looked for again."""
    _refuse_twice_traded(request)
    events = signal_events(request.strategy, request.traded, runner)
    hits = _hits_before(before, request.strategy, events) or tuple(
        rule_hits(request.strategy, found, len(candles)) for found, candles in zip(events, request.traded, strict=True)
    )
    tape = before.job.tape if before else None
    job = make_job(request.strategy, request.terms, request.traded, hits, request.rates, request.finer, tape=tape)
    outcome = run(job, report)
    return Result(request, events, hits, job, outcome, ambiguity_band(job, outcome, request.terms), measure(request, outcome))


def what_if(before: Result, strategy: Strategy, runner: ComponentRunner) -> Result:
    """Another strategy asked the same; nothing of its candles is prepared again."""
    return backtest(replace(before.request, strategy=strategy), runner, before=before)


def _hits_before(before: Result | None, strategy: Strategy, events: Sequence[Events]) -> tuple[RuleHits, ...]:
    """Those of the run before where the same conditions look at the very same events: a stop that was moved changes neither. To Python
    true is 1; to a condition, and as it is written, it is not."""
    if before is None or repr(conditions(before.request.strategy)) != repr(conditions(strategy)):
        return ()
    is_same = all(
        now.keys() == then.keys() and all(now[name] is then[name] for name in now) for now, then in zip(events, before.events, strict=True)
    )
    return before.hits if is_same else ()


def signal_events(strategy: Strategy, traded: Sequence[Candles], runner: ComponentRunner) -> tuple[Events, ...]:
    """All signals of all symbols are asked for at once, so that they can run side by side."""
    answers = iter(runner.run([ComponentJob(use.component, use.params, candles) for candles in traded for use in strategy.signals]))
    return tuple({use.name: next(answers).events() for use in strategy.signals} for _ in traded)


def ambiguity_band(job: Job, outcome: Outcome, terms: Terms) -> Band:
    """Only when a bar was ambiguous can the other reading differ; then it is run in full."""
    ambiguous, resolved = (int(np.count_nonzero(outcome.trades[name])) for name in ("ambiguous", "resolved"))
    own = other = outcome.final_cash - job.capital
    if ambiguous:
        other = run(job.under("target_first" if terms.intrabar == "stop_first" else "stop_first")).final_cash - job.capital
    first, second = (own, other) if terms.intrabar == "stop_first" else (other, own)
    return Band(ambiguous, resolved, first, second)


def measure(request: Request, outcome: Outcome) -> metrics.Metrics:
    stamps = [candles.timestamp for candles in request.traded]
    opened = stamps[0] if len(stamps) == 1 else np.unique(np.concatenate(stamps))
    every_day = any(candles.instrument.charged_every_day for candles in request.traded)
    curve = metrics.EquityCurve(opened, outcome.instants, outcome.equity, of_one_symbol=len(stamps) == 1)
    return metrics.measure(outcome.trades, curve, fixed(request.terms.capital), every_day)


def _refuse_twice_traded(request: Request) -> None:
    symbols = [candles.symbol for candles in request.traded]
    twice = next((symbol for symbol in symbols if symbols.count(symbol) > 1), None)
    if twice:
        raise RunError(f"{twice} is given twice: one account trades each symbol from one source, remove one of the files")
