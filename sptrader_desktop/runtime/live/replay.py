"""Candles through the live path: the account decides, the paper broker fills, and nothing is between them but requests and transactions.

Components have answered for the whole history before; what they said is published bar by bar, and rules are asked bar by bar.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count

import numpy as np

from sptrader_desktop.core import facts
from sptrader_desktop.core.broker_messages import Transaction
from sptrader_desktop.core.live_account import LiveAccount
from sptrader_desktop.core.live_book import Book, Hits
from sptrader_desktop.core.results import Events, Request, Result
from sptrader_desktop.core.rules import EventTable, rule_hits
from sptrader_desktop.core.rules_now import Event, rule_bits
from sptrader_desktop.core.simulation import Job, Outcome, Progress, exact_or_refused, make_job, recorded_instants
from sptrader_desktop.core.strategy import Strategy
from sptrader_desktop.ports import ComponentRunner, Journal, JournalEntry
from sptrader_desktop.runtime.backtest import ambiguity_band, measure, signal_events
from sptrader_desktop.runtime.live.market_replay import market
from sptrader_desktop.runtime.live.paper import PaperBroker
from sptrader_desktop.runtime.live.session import Session

TOLD_EVERY = 5_000  # instants
MOST_UNWRITTEN = 400  # facts: where nothing is asked for, many bars are one commit


class UnkeptJournal:
    """Nobody goes on with a replay: what would be written down is only counted."""

    def __init__(self) -> None:
        self._seq = 0

    def append(self, entries: Sequence[tuple[str, bytes]]) -> int:
        self._seq += len(entries)
        return self._seq

    def read(self, after: int = 0) -> Iterator[JournalEntry]:  # noqa: ARG002  # there is nothing after anything
        return iter(())

    @property
    def head(self) -> tuple[int, bytes]:
        return self._seq, b""

    def hash_of(self, seq: int) -> bytes | None:  # noqa: ARG002  # there is nothing to be found again
        return None

    def knows(self, name: str) -> bool:  # noqa: ARG002  # no signal has an outcome in a replay
        return False

    @property
    def is_full(self) -> bool:
        return False

    def tidy(self) -> None:
        pass

    def close(self) -> None:
        pass


class Replay:
    """Zero latency, full fills: what happens here is what the backtest says would."""

    def __init__(self, job: Job, symbols: tuple[str, ...], journal: Journal | None = None) -> None:
        self.job = job
        self.session = Session(new_account(job, "replay", symbols, latches=False), journal or UnkeptJournal())
        self.account = self.session.account
        self.broker = PaperBroker(symbols, Book(job.plan, job.capital, job.agenda.atr.shape[1], job.tape))
        self._fills_at_close = bool(job.plan.terms["fill_close"][0])
        self._traded = len(job.plan.exits)
        self._has_rates = len(symbols) > self._traded
        self._equity: list[int] = []

    def run(self, hits: "HitsOf | None" = None, report: Callable[[Progress], None] | None = None) -> Outcome:
        """`hits` says which rules hold at a close; without it the job's own agenda does."""
        last = int(self.job.tape.time.max())
        first = int(self.job.tape.time.min())
        with exact_or_refused():
            for number, (fact, known) in enumerate(market(self.job)):
                if isinstance(fact, facts.BarsOpened):
                    self._open(fact)
                else:
                    self._close(fact, hits(known) if hits else known)
                if report and number % TOLD_EVERY == 0:
                    account = self.account.book.account[0]
                    share = (fact.at - first) / max(1, last - first)
                    report(Progress(min(share, 1.0), int(account["equity"]), int(account["positions"]), int(account["trades"])))
            self._end()
            self.session.take(facts.ReplayEnded())
        self.session.commit()
        self._equity[-1] = self.account.equity
        return self._outcome()

    def _open(self, opened: facts.BarsOpened) -> None:
        self.session.take(opened)
        if done := self.broker.open_bars(opened.bars):
            self._book(done)

    def _close(self, closed: facts.BarsClosed, hits: Sequence[Hits]) -> None:
        done = self.broker.close_bars(closed.bars, fills_at_close=self._fills_at_close)
        self.session.take(closed)
        if done:
            self._book(done)
        self.session.take(
            facts.Decided(closed.at, tuple([each for each in hits if each.series < self._traded] if self._has_rates else hits))
        )
        if self.session.is_due(MOST_UNWRITTEN):
            self._send()
        if self._fills_at_close:
            done = self.broker.fill_at_close()
            self._book(done)
            self.session.take(facts.CloseFilled(closed.at, bool(done)))
            if self.session.is_due(MOST_UNWRITTEN):
                self._send()
        if not self._has_rates or any(bar.series < self._traded for bar in closed.bars):
            self._equity.append(self.account.book.figure["equity"][0])

    def _end(self) -> None:
        self._book(self.broker.close_all("end_of_data"))

    def _book(self, done: Iterable[Transaction]) -> None:
        for transaction in done:
            self.session.take(facts.TransactionSeen(transaction))

    def _send(self) -> None:
        """What was asked for is written down before the broker hears of it."""
        for request in self.session.commit():
            self._book(self.broker.ask(request))

    def _outcome(self) -> Outcome:
        book = self.account.book
        used, log = book.account[0], book.log
        return Outcome(
            trades=log.trades[: used["trades"]],
            fills=log.fills[: used["fills"]],
            verdicts=log.verdicts[: used["verdicts"]],
            orders=log.orders[: used["orders"]],
            equity=np.array(self._equity, np.int64),
            instants=recorded_instants(self.job),
            days=log.days[: used["days"]],
            account=book.account,
        )


HitsOf = Callable[[Sequence[Hits]], Sequence[Hits]]


def new_account(job: Job, name: str, symbols: Sequence[str], *, latches: bool, history: bool = True) -> LiveAccount:
    return LiveAccount(name, symbols, Book(job.plan, job.capital, job.agenda.atr.shape[1]), latches=latches, history=history)


def replay(
    request: Request, runner: ComponentRunner, report: Callable[[Progress], None] | None = None, journal: Journal | None = None
) -> Result:
    """As `runtime.backtest.backtest`, by the live path."""
    events = signal_events(request.strategy, request.traded, runner)
    hits = tuple(rule_hits(request.strategy, found, len(candles)) for found, candles in zip(events, request.traded, strict=True))
    job = make_job(request.strategy, request.terms, request.traded, hits, request.rates, request.finer)
    symbols = tuple(candles.symbol for candles in (*request.traded, *request.rates))
    published = Published(request.strategy, events)
    outcome = Replay(job, symbols, journal).run(published.hits, report)
    return Result(request, events, hits, job, outcome, ambiguity_band(job, outcome, request.terms), measure(request, outcome))


class Published:
    """What signals said, bar by bar, as it would come through the stream."""

    def __init__(self, strategy: Strategy, events: Sequence[Events]) -> None:
        self._strategy = strategy
        self._said = [map(_events_by_bar(found).get, count()) for found in events]
        self._when_silent = rule_bits(strategy, {})

    def hits(self, known: Sequence[Hits]) -> Sequence[Hits]:
        """`known` brings the ATR, of rates too; whether a rule holds is asked here."""
        silent = self._when_silent
        found: list[Hits] = []
        for hits in known:
            if hits.series < len(self._said):
                said = next(self._said[hits.series])
                bits = rule_bits(self._strategy, said) if said else silent
                found.append(hits if hits[1:3] == bits else Hits(hits.series, *bits, hits.atr))
        return tuple(found)


def _events_by_bar(found: Events) -> dict[int, dict[str, list[Event]]]:
    by_bar: dict[int, dict[str, list[Event]]] = {}
    for name, table in found.items():
        for bar, event in _events_of(table):
            by_bar.setdefault(bar, {}).setdefault(name, []).append(event)
    return by_bar


def _events_of(table: EventTable) -> Iterator[tuple[int, Event]]:
    columns = {name: column.tolist() for name, column in table.metadata.items()}
    for row, (bar, kind, strength) in enumerate(zip(table.bar.tolist(), table.type.tolist(), table.strength.tolist(), strict=True)):
        yield bar, Event(kind, strength, {name: column[row] for name, column in columns.items()})
