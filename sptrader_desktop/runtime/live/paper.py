"""The paper broker's rules, without clock, file or socket: requests and market go in, numbered transactions come out.

It fills by the kernel's own stages on tables of its own, so that what it does to a replayed bar is what a backtest does. Here it is given
candles; `runtime.live.paper_prices` gives it prices. What was told is forgotten: the tables hold what is open and what waits, nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sptrader_desktop.core import live_stages as stages
from sptrader_desktop.core.broker_messages import Cancel, Close, Place, Protect, Request, Transaction, What
from sptrader_desktop.core.live_book import BarOpen, BarRange, Book
from sptrader_desktop.core.records import CANCELLED, EXIT_REASONS, EXPIRED, ORDER_KINDS, WORKING
from sptrader_desktop.core.tables import AT_CLOSE, AT_OPEN, INSIDE, PENDING, POSITION

_Levels = tuple[int, ...]  # stop, target, trail, ambiguous, resolved
NOWHERE = -1  # the series of what has none
HELD, WAITING = POSITION.itemsize, PENDING.itemsize


@dataclass(slots=True)
class _Seen:
    """What was told before: trades of this step, which orders wait, and of each open position its levels and financing."""

    trades: int = 0
    tables: bytes | None = None
    waiting: set[int] = field(default_factory=set)
    levels: dict[int, _Levels] = field(default_factory=dict)
    financing: dict[int, int] = field(default_factory=dict)


class PaperBroker:
    def __init__(self, symbols: Sequence[str], book: Book, *, holds_stops: bool = True) -> None:
        self.symbols, self.book, self.n, self.holds_stops = tuple(symbols), book, 0, holds_stops
        self.ids: dict[int, str] = {}  # of each working order by its number here; numbers are used again
        self._orders: dict[str, int] = {}
        self.closes: dict[int, tuple[str, int, int]] = {}  # position → the close that was asked for: id, reason, steps not closed yet
        self._series: dict[int, int] = {}  # position → its symbol's place
        self._seen = _Seen()
        self._cash = int(book.account["cash"][0])
        self._held, self._waiting = book.state.positions.view(np.uint8).data, book.state.pending.view(np.uint8).data

    def _resume(self, n: int) -> None:
        """Once the tables hold what was kept: what was told of them follows."""
        used, state = self.book.account[0], self.book.state
        self.n, self._cash = n, int(used["cash"])
        for row in state.positions[: used["positions"]]:
            number = int(row["number"])
            self._series[number], self._seen.levels[number] = int(row["symbol"]), _levels(row)
            self._seen.financing[number] = int(row["financing"])

    # The market

    def open_bars(self, bars: Sequence[BarOpen]) -> list[Transaction]:
        self.book.make_room()
        self.book.tell(bars)
        stages.broker_opens(self.book.lent)
        return self._told(AT_OPEN)

    def close_bars(self, bars: Sequence[BarRange], *, fills_at_close: bool) -> list[Transaction]:
        self.book.make_room()
        self.book.tell(bars)
        stages.broker_closes(self.book.lent, not fills_at_close)
        return self._told(INSIDE)

    def fill_at_close(self) -> list[Transaction]:
        self.book.make_room()
        stages.broker_fills_at_close(self.book.lent)
        stages.broker_ends(self.book.lent)
        return self._told(AT_CLOSE)

    def close_all(self, reason: str) -> list[Transaction]:
        """At the last prices: the end of a replay."""
        self.book.make_room()
        stages.broker_finishes(self.book.lent, EXIT_REASONS.index(reason))
        return self._told(AT_CLOSE)

    # Requests

    def ask(self, request: Request) -> list[Transaction]:
        self.book.make_room()
        self._seen.tables = None  # whatever becomes of it is something new
        match request:
            case Place():
                return [self._place(request)]
            case Close():
                return self._close(request)
            case Cancel():
                return [self._cancel(request)]
            case Protect():
                return [self._protect(request)]

    def _place(self, request: Place) -> Transaction:
        s = self.symbols.index(request.symbol)
        if self.book.account["pending"][0] >= len(self.book.state.pending):
            return self._tell(What.REJECTED, request.id, s, reason="too many orders")
        self._wait(request)
        return self._tell(What.ACCEPTED, request.id, s)

    def _wait(self, request: Place) -> None:
        """The order works from now on."""
        account, s = self.book.account[0], self.symbols.index(request.symbol)
        number = next(number for number in range(len(self.ids) + 1) if number not in self.ids)
        row = self.book.log.orders[number]
        row["symbol"], row["state"], row["settled_bar"] = s, WORKING, -1
        waiting = self.book.state.pending[account["pending"]]
        waiting["order"], waiting["symbol"], waiting["rule"], waiting["side"] = number, s, request.rule, request.side
        waiting["kind"], waiting["level"] = ORDER_KINDS.index(request.kind), request.level
        waiting["quantity"], waiting["bars_left"] = request.quantity, request.expiry
        waiting["stop_distance"], waiting["target_distance"] = request.stop_distance, request.target_distance
        self.book.account["pending"] += 1
        self.book.account["orders"] = max(int(account["orders"]), number + 1)
        self._seen.waiting.add(number)
        self.ids[number], self._orders[request.id] = request.id, number

    def _close(self, request: Close) -> list[Transaction]:
        index = self.book.position(request.position)
        if index < 0:
            return [self._no_such_position(request)]
        return [*self._order_close(request, index), self._tell(What.ACCEPTED, request.id, self._series[request.position], request.position)]

    def _order_close(self, request: Close, index: int) -> list[Transaction]:
        """From now on; one at a time for each position."""
        row, reason = self.book.state.positions[index], EXIT_REASONS.index(request.reason)
        row["closing"] = min(request.quantity, int(row["quantity"]))
        row["closing_reason"], row["closing_now"] = reason, request.at_close
        before = self.closes.pop(request.position, None)
        self.closes[request.position] = request.id, reason, request.quantity
        return [self._given_up(before[0], request.position, "another close came after it")] if before else []

    def _cancel(self, request: Cancel) -> Transaction:
        number = self._orders.get(request.order, -1)
        index = self.book.waiting(number)
        if index < 0:
            return self._tell(What.CANCEL_REJECTED, request.id, NOWHERE, reason="there is no such order working")
        s = int(self.book.state.pending["symbol"][index])
        stages.settle(self.book.lent, index, CANCELLED, self.book.present_bar(s))
        self._forget({number})
        return self._tell(What.CANCELLED, request.order, s)

    def _protect(self, request: Protect) -> Transaction:
        index = self.book.position(request.position)
        if index < 0:
            return self._no_such_position(request)
        if not self.holds_stops:
            return self._tell(What.REJECTED, request.id, self._series[request.position], request.position, reason="stops are not held here")
        row = self.book.state.positions[index]
        for name in ("stop", "target", "trail"):
            level = getattr(request, name)
            if level is not None:
                row[name] = level
        return self._protected(request.id, row)

    # Telling

    def _told(self, opened: int) -> list[Transaction]:
        """Everything the stages have done since the last time, in its order; what was opened was opened so."""
        figure, seen = self.book.figure, self._seen
        fills, held, waiting = figure["fills"][0], figure["positions"][0], figure["pending"][0]
        # All that a transaction can come from besides fills: nothing new is told while it is the same.
        tables = self._held[: held * HELD].tobytes() if held else b""
        if waiting:
            tables += self._waiting[: waiting * WAITING].tobytes()
        if not fills and tables == seen.tables:
            return []
        seen.tables, seen.trades = tables, 0
        told = self._financed()
        told += [self._filled(self.book.log.fills[index], opened) for index in range(fills)]
        self.book.account["fills"] = self.book.account["trades"] = 0
        told += self._settled()
        return told + self._changed()

    def _financed(self) -> list[Transaction]:
        """Before anything filled: what a roll charged is part of what a close pays out."""
        log, account, told = self.book.log, self.book.account[0], list[Transaction]()
        now = {int(row["number"]): int(row["financing"]) for row in self.book.state.positions[: account["positions"]]}
        closed: dict[int, int] = {}
        for row in log.trades[: int(account["trades"])]:
            closed[int(row["position"])] = closed.get(int(row["position"]), 0) + int(row["financing"])
        for position, before in self._seen.financing.items():
            charged = now.get(position, 0) + closed.get(position, 0) - before
            if charged:
                self._cash += charged
                told.append(self._tell(What.FINANCED, "", self._series[position], position, amount=charged))
        self._seen.financing = now
        return told

    def _filled(self, fill: Any, opened: int) -> Transaction:
        s, position = int(fill["symbol"]), int(fill["position"])
        figures = {
            "side": int(fill["side"]),
            "quantity": int(fill["quantity"]),
            "price": int(fill["price"]),
            "commission": int(fill["commission"]),
        }
        self._cash -= int(fill["commission"])
        if fill["reason"] < 0:
            self._series[position] = s
            return self._tell(What.FILLED, self.ids[fill["order"]], s, position, opened=opened, **figures)
        trade = self.book.log.trades[self._seen.trades]
        self._seen.trades += 1
        self._cash += int(trade["gross"])
        marks = {"ambiguous": int(trade["ambiguous"]), "resolved": int(trade["resolved"])}
        name = self._closed_for(position, int(fill["reason"]), int(fill["quantity"]))
        return self._tell(What.CLOSED, name, s, position, reason=EXIT_REASONS[fill["reason"]], **figures, **marks)

    def _closed_for(self, position: int, reason: int, quantity: int) -> str:
        """The id of the close that asked for it, if one did."""
        name, wanted, left = self.closes.get(position, ("", -1, 0))
        if reason != wanted:
            return ""
        if left > quantity:
            self.closes[position] = name, wanted, left - quantity
        else:
            self.closes.pop(position)
        return name

    def _settled(self) -> list[Transaction]:
        account, told = self.book.account[0], list[Transaction]()
        waiting = set(self.book.state.pending["order"][: account["pending"]].tolist())
        gone = self._seen.waiting - waiting
        for number in sorted(gone):
            row = self.book.log.orders[number]
            if row["state"] in (EXPIRED, CANCELLED):
                what = What.EXPIRED if row["state"] == EXPIRED else What.CANCELLED
                told.append(self._tell(what, self.ids[number], int(row["symbol"])))
        self._forget(gone)
        return told

    def _forget(self, settled: set[int]) -> None:
        self._seen.waiting -= settled
        for number in settled:
            del self._orders[self.ids.pop(number)]

    def _changed(self) -> list[Transaction]:
        held = self.book.state.positions[: self.book.account["positions"][0]]
        before, self._seen.levels = self._seen.levels, {}
        told = []
        for row in held:
            number = int(row["number"])
            if self.holds_stops and before.get(number) != _levels(row):
                told.append(self._protected("", row))
            self._seen.levels[number] = _levels(row)
        ended = self._series.keys() - self._seen.levels.keys()
        told += [self._given_up(self.closes.pop(p)[0], p, "the position has ended") for p in sorted(ended & self.closes.keys())]
        for position in ended:
            del self._series[position]
        return told

    def _protected(self, name: str, row: Any) -> Transaction:
        self._seen.levels[int(row["number"])] = levels = _levels(row)
        figures = dict(zip(("stop", "target", "trail", "ambiguous", "resolved"), levels, strict=True))
        return self._tell(What.PROTECTED, name, int(row["symbol"]), int(row["number"]), **figures)

    def _given_up(self, name: str, position: int, why: str) -> Transaction:
        return self._tell(What.CANCELLED, name, self._series[position], position, reason=why)

    def _no_such_position(self, request: Close | Protect) -> Transaction:
        return self._tell(What.REJECTED, request.id, NOWHERE, request.position, reason="there is no such position")

    def _tell(self, what: What, name: str, s: int, position: int = -1, **figures: Any) -> Transaction:
        self.n += 1
        symbol = "" if s == NOWHERE else self.symbols[s]
        return Transaction(self.n, what, name, self._at(s), symbol, position, cash=self._cash, **figures)

    def _at(self, s: int, /) -> int:
        return int(self.book.tape.time[s] if s != NOWHERE else self.book.tape.time.max())


def _levels(row: Any) -> _Levels:
    return int(row["stop"]), int(row["target"]), int(row["trail"]), int(row["ambiguous"]), int(row["resolved"])
