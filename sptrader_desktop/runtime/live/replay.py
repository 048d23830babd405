"""Candles through the live path: the account decides, the paper broker fills, and nothing is between them but requests and transactions."""

from collections.abc import Iterable

import numpy as np

from sptrader_desktop.core import facts
from sptrader_desktop.core.broker_messages import Transaction
from sptrader_desktop.core.live_account import LiveAccount
from sptrader_desktop.core.live_book import Book
from sptrader_desktop.core.simulation import Job, Outcome, exact_or_refused, recorded_instants
from sptrader_desktop.runtime.live.market_replay import Closes, Opens, market
from sptrader_desktop.runtime.live.paper import PaperBroker


class Replay:
    """Zero latency, full fills: what happens here is what the backtest says would."""

    def __init__(self, job: Job, symbols: tuple[str, ...]) -> None:
        slots = job.agenda.atr.shape[1]
        self.job = job
        self.account = LiveAccount("replay", symbols, Book(job.plan, job.capital, slots), latches=False)
        self.broker = PaperBroker(symbols, Book(job.plan, job.capital, slots, job.tape))
        self._fills_at_close = bool(job.plan.terms["fill_close"][0])
        self._traded = len(job.plan.exits)
        self._equity: list[int] = []

    def run(self) -> Outcome:
        with exact_or_refused():
            for instant in market(self.job):
                if isinstance(instant, Opens):
                    self.open(instant)
                else:
                    self.close(instant)
            self._book(self.broker.close_all("end_of_data"))
            self._apply(facts.ReplayEnded())
        self._equity[-1] = int(self.account.book.account["equity"][0])
        return self._outcome()

    def open(self, instant: Opens) -> None:
        self._apply(facts.BarsOpened(instant.at, instant.bars))
        self._book(self.broker.open_bars(instant.bars))

    def close(self, instant: Closes) -> None:
        done = self.broker.close_bars(instant.bars, fills_at_close=self._fills_at_close)
        self._apply(facts.BarsClosed(instant.at, instant.bars))
        self._book(done)
        self._apply(facts.Decided(instant.at, tuple(hits for hits in instant.hits if hits.series < self._traded)))
        if self._fills_at_close:
            done = self.broker.fill_at_close()
            self._book(done)
            self._apply(facts.CloseFilled(instant.at, bool(done)))
        if any(bar.series < self._traded for bar in instant.bars):
            self._equity.append(int(self.account.book.account["equity"][0]))

    def _apply(self, fact: facts.Fact) -> None:
        for request in self.account.apply(fact):
            self._book(self.broker.ask(request))

    def _book(self, done: Iterable[Transaction]) -> None:
        for transaction in done:
            self._apply(facts.TransactionSeen(transaction))

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
