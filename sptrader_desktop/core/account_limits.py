"""The tree of limits at work on one account's tables: measured on every price, asked before every entry, and what follows from a breach."""

from collections.abc import Callable, Collection, Iterator, Sequence

from sptrader_desktop.core import live_stages as stages
from sptrader_desktop.core.live_book import Book
from sptrader_desktop.core.live_worth import NodeFigures, Worth
from sptrader_desktop.core.records import CANCELLED, RISK_HALT, WORKING
from sptrader_desktop.core.risk_tree import WHOLE, Gauge, NodeLimits, RiskTree


class AccountLimits:
    """`bar` is told of a scope in which nothing may be opened any more, and why. Where no limit is set nothing is done at all."""

    def __init__(self, book: Book, symbols: Sequence[str], bar: Callable[[str, str], None]) -> None:
        self.tree = RiskTree(int(book.plan.terms["leverage"][0]))
        self.earned = [0] * len(symbols)  # what each series has added to the cash
        self.day_before = 0  # what the trading day had won or lost when a person re-armed: from there limits count, the day does not
        self.refusals: list[str] = []  # why entries of the last decision were not asked for, though its rules held
        self._book, self._symbols, self._bar = book, tuple(symbols), bar

    @property
    def are_set(self) -> bool:
        return bool(self.tree.nodes)

    def nodes(self, worth: Worth | None = None, without: Collection[int] = ()) -> dict[str, NodeFigures]:
        worth = worth or Worth(self._book.plan, self._book.state)
        whole, apart = worth.nodes(self.earned, without)
        return {WHOLE: whole, **dict(zip(self._symbols, apart, strict=True))}

    def gauges(self) -> Iterator[Gauge]:
        return self.tree.gauges(self.nodes()) if self.are_set else iter(())

    def limit(self, limits: Collection[NodeLimits], at: int) -> None:
        self.tree.limit([each for each in limits if each.scope in {WHOLE, *self._symbols}], self.nodes())
        self.meet(at)

    def rearm(self, scope: str) -> None:
        if self.are_set:
            self.tree.rearm(self.nodes(), scope)

    def figures(self) -> dict[str, NodeFigures]:
        """As they stand, where anything is limited."""
        return self.nodes() if self.are_set else {}

    def begin_day(self, figures: dict[str, NodeFigures]) -> None:
        """`figures` are the last of the day before."""
        self.day_before = 0
        if figures:
            self.tree.roll(figures)

    def meet(self, at: int) -> None:
        """What is breached opens nothing any more, keeps no entry waiting, and is closed where that was asked for."""
        if not self.are_set:
            return
        for breach in self.tree.check(self.nodes(), at):
            self._shut(breach.scope, breach.words)
        flattened = self.tree.flattened()
        for row in self._book.state.positions[: self._book.account["positions"][0]] if flattened else ():
            if not flattened.isdisjoint((WHOLE, self._symbols[row["symbol"]])) and row["closing"] < row["quantity"]:
                self._book.order_close(int(row["number"]), RISK_HALT)

    def would_breach(self, worth: Worth) -> bool:
        return self.are_set and self.tree.would_breach(self.nodes(worth))

    def refuse_beyond(self, placed: int, at: int) -> None:
        """One entry after the other, from order `placed` on: those beyond a limit are not asked for, and do not count for the next."""
        orders = self._book.log.orders[: self._book.account["orders"][0]]
        unjudged = {order for order in range(placed, len(orders)) if orders["state"][order] == WORKING}
        for order in sorted(unjudged):
            unjudged.discard(order)
            if orders["state"][order] != WORKING:  # one before it was beyond the rate
                continue
            symbol = self._symbols[orders["symbol"][order]]
            why, breach = self.tree.refusal(symbol, self.nodes(without=unjudged), at)
            if why:
                cancel_order(self._book, order)
                self.refusals.append(why)
            else:
                self.tree.count(symbol, at)
            if breach is not None:
                self._shut(*breach)

    def _shut(self, scope: str, words: str) -> None:
        self._bar(scope, words)
        entries = self._book.agenda.entries
        for s, symbol in enumerate(self._symbols):
            if scope in {WHOLE, symbol}:
                entries[s] = 0
                waiting = self._book.state.pending[: self._book.account["pending"][0]]
                for order in waiting["order"][waiting["symbol"] == s].tolist():
                    cancel_order(self._book, order)


def cancel_order(book: Book, order: int) -> None:
    index = book.waiting(order)
    if index >= 0:
        stages.settle(book.lent, index, CANCELLED, book.present_bar(int(book.state.pending["symbol"][index])))
