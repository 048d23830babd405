"""The paper broker's rules, without clock, file or socket: requests and market go in, numbered transactions come out.

It fills by the kernel's own stages on tables of its own, so that what it does to a replayed bar is what a backtest does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sptrader_desktop.core import live_stages as stages
from sptrader_desktop.core.broker_messages import Cancel, Close, Place, Protect, Request, Transaction, What
from sptrader_desktop.core.live_book import BarOpen, BarRange, Book
from sptrader_desktop.core.records import CANCELLED, EXIT_REASONS, EXPIRED, ORDER_KINDS, WORKING
from sptrader_desktop.core.tables import AT_CLOSE, AT_OPEN, INSIDE

_Levels = tuple[int, ...]  # stop, target, trail, ambiguous, resolved


@dataclass(slots=True)
class _Seen:
    """What was told before: how many fills and trades, which orders wait, and of each open position its levels and financing."""

    fills: int = 0
    trades: int = 0
    tables: bytes = b""
    waiting: set[int] = field(default_factory=set)
    levels: dict[int, _Levels] = field(default_factory=dict)
    financing: dict[int, int] = field(default_factory=dict)


class PaperBroker:
    def __init__(self, symbols: Sequence[str], book: Book) -> None:
        self.symbols, self.book, self.n = tuple(symbols), book, 0
        self._ids: list[str] = []  # of each order by its number here
        self._orders: dict[str, int] = {}
        self._closes: dict[int, str] = {}  # position → id of the close that was asked for
        self._series: dict[int, int] = {}  # position → its symbol's place
        self._seen = _Seen()
        self._cash = int(book.account["cash"][0])

    # The market

    def open_bars(self, bars: Sequence[BarOpen]) -> list[Transaction]:
        self._ready()
        self.book.open_bars(bars)
        stages.broker_opens(self.book.lent)
        return self._told(AT_OPEN)

    def close_bars(self, bars: Sequence[BarRange], *, fills_at_close: bool) -> list[Transaction]:
        self._ready()
        self.book.close_bars(bars)
        stages.broker_closes(self.book.lent, not fills_at_close)
        return self._told(INSIDE)

    def fill_at_close(self) -> list[Transaction]:
        self._ready()
        stages.broker_fills_at_close(self.book.lent)
        stages.broker_ends(self.book.lent)
        return self._told(AT_CLOSE)

    def close_all(self, reason: str) -> list[Transaction]:
        """At the last prices: the end of a replay."""
        self._ready()
        stages.broker_finishes(self.book.lent, EXIT_REASONS.index(reason))
        return self._told(AT_CLOSE)

    # Requests

    def ask(self, request: Request) -> list[Transaction]:
        self._ready()
        self._seen.tables = b""  # whatever becomes of it is something new
        match request:
            case Place():
                return [self._place(request)]
            case Close():
                return [self._close(request)]
            case Cancel():
                return [self._cancel(request)]
            case Protect():
                return [self._protect(request)]

    def _place(self, request: Place) -> Transaction:
        account, s = self.book.account[0], self.symbols.index(request.symbol)
        if account["pending"] >= len(self.book.state.pending):
            return self._tell(What.REJECTED, request.id, s, reason="too many orders")
        number, kind = int(account["orders"]), ORDER_KINDS.index(request.kind)
        row = self.book.log.orders[number]
        row["symbol"], row["rule"], row["side"], row["kind"] = s, request.rule, request.side, kind
        row["quantity"], row["level"], row["expiry"] = request.quantity, request.level, request.expiry
        row["state"], row["settled_bar"] = WORKING, -1
        waiting = self.book.state.pending[account["pending"]]
        waiting["order"], waiting["symbol"], waiting["rule"], waiting["side"], waiting["kind"] = number, s, request.rule, request.side, kind
        waiting["quantity"], waiting["level"], waiting["bars_left"] = request.quantity, request.level, request.expiry
        waiting["stop_distance"], waiting["target_distance"] = request.stop_distance, request.target_distance
        self.book.account["pending"] += 1
        self.book.account["orders"] += 1
        self._seen.waiting.add(number)
        self._ids.append(request.id)
        self._orders[request.id] = number
        return self._tell(What.ACCEPTED, request.id, s)

    def _close(self, request: Close) -> Transaction:
        index = self.book.position(request.position)
        if index < 0:
            return self._tell(What.REJECTED, request.id, 0, position=request.position, reason="there is no such position")
        row = self.book.state.positions[index]
        row["closing"] = min(request.quantity, int(row["quantity"]))
        row["closing_reason"], row["closing_now"] = EXIT_REASONS.index(request.reason), request.at_close
        self._closes[request.position] = request.id
        return self._tell(What.ACCEPTED, request.id, int(row["symbol"]), position=request.position)

    def _cancel(self, request: Cancel) -> Transaction:
        number = self._orders.get(request.order, -1)
        index = self.book.waiting(number)
        if index < 0:
            return self._tell(What.CANCEL_REJECTED, request.id, 0, reason="there is no such order working")
        s = int(self.book.state.pending["symbol"][index])
        stages.settle(self.book.lent, index, CANCELLED, self.book.present_bar(s))
        self._seen.waiting.discard(number)
        return self._tell(What.CANCELLED, request.order, s)

    def _protect(self, request: Protect) -> Transaction:
        index = self.book.position(request.position)
        if index < 0:
            return self._tell(What.REJECTED, request.id, 0, position=request.position, reason="there is no such position")
        row = self.book.state.positions[index]
        row["trail"] = request.trail
        return self._protected(request.id, row)

    # Telling

    def _ready(self) -> None:
        self.book.make_room()

    def _told(self, opened: int) -> list[Transaction]:
        """Everything the stages have done since the last time, in its order; what was opened was opened so."""
        tables, seen = self._tables(), self._seen
        if tables == seen.tables:
            return []
        fills = int(self.book.account["fills"][0])
        told = self._financed()
        told += [self._filled(self.book.log.fills[index], opened) for index in range(seen.fills, fills)]
        seen.fills = fills
        told += self._settled() + self._changed()
        seen.tables = tables
        return told

    def _tables(self) -> bytes:
        """All that a transaction can come from: nothing new is told while it is the same."""
        account, state = self.book.account[0], self.book.state
        held, waiting = state.positions[: account["positions"]], state.pending[: account["pending"]]
        return bytes(f"{account['fills']} ", "ascii") + held.tobytes() + waiting.tobytes()

    def _financed(self) -> list[Transaction]:
        """Before anything filled: what a roll charged is part of what a close pays out."""
        log, account, told = self.book.log, self.book.account[0], list[Transaction]()
        now = {int(row["number"]): int(row["financing"]) for row in self.book.state.positions[: account["positions"]]}
        closed: dict[int, int] = {}
        for row in log.trades[self._seen.trades : int(account["trades"])]:
            closed[int(row["position"])] = closed.get(int(row["position"]), 0) + int(row["financing"])
        for position, before in self._seen.financing.items():
            charged = now.get(position, 0) + closed.get(position, 0) - before
            if charged:
                self._cash += charged
                told.append(self._tell(What.FINANCED, "", self._series[position], position=position, amount=charged))
        self._seen.financing = now
        return told

    def _filled(self, fill: Any, opened: int) -> Transaction:
        s, position = int(fill["symbol"]), int(fill["position"])
        figures = {
            "position": position,
            "side": int(fill["side"]),
            "quantity": int(fill["quantity"]),
            "price": int(fill["price"]),
            "commission": int(fill["commission"]),
        }
        self._cash -= int(fill["commission"])
        if fill["reason"] < 0:
            self._series[position] = s
            return self._tell(What.FILLED, self._ids[fill["order"]], s, opened=opened, **figures)
        trade = self.book.log.trades[self._seen.trades]
        self._seen.trades += 1
        self._cash += int(trade["gross"])
        asked = self._closes.get(position, "")
        marks = {"ambiguous": int(trade["ambiguous"]), "resolved": int(trade["resolved"])}
        return self._tell(What.CLOSED, asked, s, reason=EXIT_REASONS[fill["reason"]], **figures, **marks)

    def _settled(self) -> list[Transaction]:
        account, told = self.book.account[0], list[Transaction]()
        waiting = set(self.book.state.pending["order"][: account["pending"]].tolist())
        for number in sorted(self._seen.waiting - waiting):
            row = self.book.log.orders[number]
            if row["state"] in (EXPIRED, CANCELLED):
                what = What.EXPIRED if row["state"] == EXPIRED else What.CANCELLED
                told.append(self._tell(what, self._ids[number], int(row["symbol"])))
        self._seen.waiting = waiting
        return told

    def _changed(self) -> list[Transaction]:
        held = self.book.state.positions[: self.book.account["positions"][0]]
        before, self._seen.levels = self._seen.levels, {}
        told = []
        for row in held:
            number = int(row["number"])
            if before.get(number) != _levels(row):
                told.append(self._protected("", row))
            self._seen.levels[number] = _levels(row)
        return told

    def _protected(self, name: str, row: Any) -> Transaction:
        self._seen.levels[int(row["number"])] = levels = _levels(row)
        figures = dict(zip(("stop", "target", "trail", "ambiguous", "resolved"), levels, strict=True))
        return self._tell(What.PROTECTED, name, int(row["symbol"]), position=int(row["number"]), **figures)

    def _tell(self, what: What, name: str, s: int, **figures: Any) -> Transaction:
        self.n += 1
        at = int(self.book.tape.time[s])
        return Transaction(self.n, what, name, at, self.symbols[s], cash=self._cash, **figures)


def _levels(row: Any) -> _Levels:
    return int(row["stop"]), int(row["target"]), int(row["trail"]), int(row["ambiguous"]), int(row["resolved"])
