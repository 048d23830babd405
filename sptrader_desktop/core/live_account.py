"""What the program believes of one account, from facts alone: bars, hits of rules, and what the broker did.

It decides by the kernel's own stages and fills nothing. The same facts in the same order give the same state, byte for byte; what is to be
asked of the broker comes back as requests, whose ids follow from the facts too.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sptrader_desktop.core import live_stages as stages
from sptrader_desktop.core.broker_messages import Cancel, Close, Place, Protect, Request, Transaction, What
from sptrader_desktop.core.errors import BrokerMismatchError
from sptrader_desktop.core.live_book import BarOpen, BarRange, Book
from sptrader_desktop.core.records import CANCELLED, EXIT_REASONS, EXPIRED, ORDER_KINDS, WORKING
from sptrader_desktop.core.tables import Table


class Hits(NamedTuple):
    """The rules that hold at the close of one bar, one bit each, and the ATR of each slot there."""

    series: int
    entries: int
    exits: int
    atr: Sequence[float]


_Closing = tuple[int, int, int, int]  # closing steps, reason, at this close, trailing level


class LiveAccount:
    def __init__(self, name: str, symbols: Sequence[str], book: Book) -> None:
        """`name` begins the id of every request, and tells this account's from all others at the same broker."""
        self.name, self.symbols, self.book = name, tuple(symbols), book
        self._fill_close = bool(book.plan.terms["fill_close"][0])
        self._orders: dict[str, int] = {}  # id of a placed order → its number here
        self._ids: list[str] = []  # and back
        self._ours: dict[int, int] = {}  # the broker's number of a position → ours
        self._theirs: dict[int, int] = {}
        self._asked = 0
        self.booked = 0  # number of the last transaction

    # Bars

    def open_bars(self, bars: Sequence[BarOpen]) -> None:
        self.book.make_room()
        self.book.open_bars(bars)
        stages.account_opens(self.book.lent)

    def close_bars(self, bars: Sequence[BarRange]) -> None:
        """The prices; what the broker did inside the bars is booked next, then it is decided."""
        self.book.make_room()
        self.book.close_bars(bars)

    def decide(self, hits: Sequence[Hits] = ()) -> list[Request]:
        """At the close that `close_bars` told. Where something may fill at it, `end_bars` follows when that is booked."""
        for s, entries, exits, atr in hits:
            self.book.agenda.entries[s], self.book.agenda.exits[s], self.book.agenda.atr[s] = entries, exits, atr
        before, placed = self._before(), int(self.book.account["orders"][0])
        if self._fill_close:
            stages.account_marks(self.book.lent)
            stages.account_decides(self.book.lent)
        else:
            stages.account_closes(self.book.lent)
        return self._requests(before, placed)

    def end_bars(self, filled: bool) -> list[Request]:
        """Only with fills at the close: marks again if there were any, which may find a breach."""
        before, placed = self._before(), int(self.book.account["orders"][0])
        stages.account_ends(self.book.lent, filled)
        return self._requests(before, placed)

    def finish(self) -> None:
        """When the broker has closed everything."""
        stages.account_finishes(self.book.lent)

    # What is asked of the broker

    def _before(self) -> tuple[Mapping[int, _Closing], tuple[int, ...]]:
        state, account = self.book.state, self.book.account[0]
        held = state.positions[: account["positions"]]
        waiting = state.pending["order"][: account["pending"]]
        closings = {int(row["number"]): _closing(row) for row in held} if len(held) else {}
        return closings, tuple(waiting.tolist())

    def _requests(self, before: tuple[Mapping[int, _Closing], tuple[int, ...]], placed: int) -> list[Request]:
        closings, waiting = before
        account, found = self.book.account[0], list[Request]()
        if waiting:
            states = self.book.log.orders["state"]
            found += [Cancel(self._next_id(), self._ids[order]) for order in waiting if states[order] == CANCELLED]
        for row in self.book.state.positions[: account["positions"]] if account["positions"] else ():
            found += self._about_position(row, closings[int(row["number"])])
        for order in range(placed, int(account["orders"])):
            found += self._about_order(order)
        return found

    def _about_position(self, row: Table, before: _Closing) -> list[Request]:
        closing, reason, at_close, trail = now = _closing(row)
        if now == before:
            return []
        position, found = self._theirs[int(row["number"])], list[Request]()
        if trail != before[3]:
            found.append(Protect(self._next_id(), position, trail))
        if closing and (closing, reason) != before[:2]:
            found.append(Close(self._next_id(), position, closing, EXIT_REASONS[reason], bool(at_close)))
        return found

    def _about_order(self, order: int) -> list[Request]:
        """One that was cancelled at the close that placed it is never sent."""
        row = self.book.log.orders[order]
        name = self._next_id()
        self._orders[name] = order
        self._ids.append(name)
        if row["state"] != WORKING:
            return []
        waiting = self.book.state.pending[self.book.waiting(order)]
        return [
            Place(
                name,
                self.symbols[row["symbol"]],
                int(row["rule"]),
                int(row["side"]),
                ORDER_KINDS[row["kind"]],
                int(row["quantity"]),
                int(row["level"]),
                int(row["expiry"]),
                int(waiting["stop_distance"]),
                int(waiting["target_distance"]),
            )
        ]

    def _next_id(self) -> str:
        self._asked += 1
        return f"{self.name}-{self._asked}"

    # What the broker did

    def book_transaction(self, done: Transaction) -> None:
        if done.n != self.booked + 1:
            raise BrokerMismatchError(f"transaction {done.n} came after {self.booked}: those between are missing, ask the broker again")
        self.book.make_room()
        match done.what:
            case What.FILLED:
                self._book_entry(done)
            case What.CLOSED:
                self._book_exit(done)
            case What.EXPIRED | What.CANCELLED | What.REJECTED:
                self._settle(done)
            case What.PROTECTED:
                self._protect(done)
            case What.FINANCED:
                row = self._position(done)
                row["financing"] += done.amount
                self.book.account["cash"] += done.amount
            case What.ACCEPTED | What.CANCEL_REJECTED:
                pass
        self.booked = done.n
        if self.book.account["cash"][0] != done.cash:
            raise BrokerMismatchError(
                f"after transaction {done.n} the broker holds {done.cash} and this account {self.book.account['cash'][0]} (1e-8): "
                "nothing is traded on until a person has looked"
            )

    def _book_entry(self, done: Transaction) -> None:
        index = self.book.waiting(self._orders[done.id])
        series = self.symbols.index(done.symbol)
        ours = int(self.book.account["opened"][0])
        self._ours[done.position], self._theirs[ours] = ours, done.position
        stages.book_entry(self.book.lent, index, done.price, self.book.present_bar(series), done.opened)

    def _book_exit(self, done: Transaction) -> None:
        row, series = self._position(done), self.symbols.index(done.symbol)
        row["ambiguous"], row["resolved"] = done.ambiguous, done.resolved
        index = self.book.position(int(row["number"]))
        reason = EXIT_REASONS.index(done.reason)
        stages.book_exit(self.book.lent, index, done.quantity, done.price, reason, self.book.present_bar(series))

    def _settle(self, done: Transaction) -> None:
        index = self.book.waiting(self._orders.get(done.id, -1))
        if index >= 0:
            outcome = EXPIRED if done.what is What.EXPIRED else CANCELLED
            stages.settle(self.book.lent, index, outcome, self.book.present_bar(self.symbols.index(done.symbol)))

    def _protect(self, done: Transaction) -> None:
        row = self._position(done)
        row["stop"], row["target"], row["trail"] = done.stop, done.target, done.trail
        row["ambiguous"], row["resolved"] = done.ambiguous, done.resolved

    def _position(self, done: Transaction) -> Table:
        row: Table = self.book.state.positions[self.book.position(self._ours[done.position])]
        return row


def _closing(row: Table) -> _Closing:
    return int(row["closing"]), int(row["closing_reason"]), int(row["closing_now"]), int(row["trail"])
