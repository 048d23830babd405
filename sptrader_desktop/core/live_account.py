"""What the program believes of one account, from facts alone: bars, prices, hits of rules, what the broker did, what a person asked for.

It decides by the kernel's own stages and fills nothing. The same facts in the same order give the same state, byte for byte; what is to be
asked of the broker comes back as requests, whose ids follow from the facts too. What is over is forgotten, by the same facts at the same
place: only the journal grows.
"""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from sptrader_desktop.core import facts
from sptrader_desktop.core import live_stages as stages
from sptrader_desktop.core.account_commands import PAUSED, obey
from sptrader_desktop.core.account_limits import AccountLimits
from sptrader_desktop.core.broker_messages import Cancel, Close, Place, Protect, Request, Transaction, What
from sptrader_desktop.core.calendar import trading_day
from sptrader_desktop.core.errors import BrokerMismatchError
from sptrader_desktop.core.live_book import BarOpen, BarRange, Book, Hits
from sptrader_desktop.core.live_worth import Seen, Worth
from sptrader_desktop.core.order_lives import OVER, REMEMBERED, OrderLives
from sptrader_desktop.core.own_ids import OwnIds
from sptrader_desktop.core.position_marks import Marks, PositionMarks
from sptrader_desktop.core.records import CANCELLED, EXIT_REASONS, EXPIRED, ORDER_KINDS, WORKING
from sptrader_desktop.core.risk_tree import WHOLE
from sptrader_desktop.core.tables import FREE, Table
from sptrader_desktop.core.undone import Undone, will_not_be
from sptrader_desktop.core.watched_exits import WatchedExits

_Before = tuple[Sequence[Marks], tuple[int, ...], int]
EVERY = WHOLE  # in place of a symbol
PAPER = "paper"
MOVES = frozenset({What.FILLED, What.CLOSED})
ALARMS = 200


class LiveAccount:
    """`latches`: a breached limit stays until a person re-arms; a replay lets the daily one go with its day, as a backtest does.
    `history`: every row of the log stays, for whoever reports. `remembered` requests that are over are known by more than their ids."""

    MADE: ClassVar = {"_apply", "_marks"}

    def __init__(
        self, name: str, symbols: Sequence[str], book: Book, *, latches: bool, history: bool = False, remembered: int = REMEMBERED
    ) -> None:
        self.name, self.symbols, self.book, self.latches = name, tuple(symbols), book, latches
        self.history, self.lives = history, OrderLives(remembered)
        self.barred: dict[str, str] = {}  # symbol or EVERY → why nothing may be entered
        self.halted = ""  # why nothing at all may be sent
        self.foreign: set[str] = set()  # orders of others on this account: known, shown and let be
        self.mismatch = ""  # why these books are not the broker's: nothing but taking those over ends it
        self.alarms: list[str] = []  # the last ones
        self.alarmed = 0  # how many there ever were
        self.booked = 0  # number of the last transaction
        self.equity = int(book.account["equity"][0])
        self.at = 0
        self.environment = PAPER  # that of the broker; with any other than "paper" only signed signals count
        self.limits, self.watched, self.undone = AccountLimits(book, self.symbols, self._bar), WatchedExits(), Undone()
        self._fill_close = bool(book.plan.terms["fill_close"][0])
        self._series = {symbol: s for s, symbol in enumerate(self.symbols)}
        self._marks = PositionMarks(book.state.positions)
        self.ids = OwnIds(name)
        self._ours: dict[int, int] = {}  # the broker's number of an open position → ours
        self._theirs: dict[int, int] = {}
        self._unexplained = 0  # the first row of the verdicts of the last decision
        self._traded = len(book.plan.exits)
        self._closing: dict[int, BarRange] = {}  # closed, and nothing decided yet
        self._is_as_closed = False  # nothing has moved the tables since
        self._apply: dict[type, Callable[[Any], list[Request]]] = {
            facts.BarsOpened: self._open_bars,
            facts.BarsClosed: self._close_bars,
            facts.Decided: self._decide,
            facts.CloseFilled: self._end_bars,
            facts.PriceSeen: self._see,
            facts.Acted: self._act,
            facts.TransactionSeen: self._book,
            facts.RequestUnsettled: self._lapse,
            facts.AskedAgain: self._ask_again,
            facts.Commanded: self._obey,
            facts.LimitsSet: self._limit,
            facts.BrokerMet: self._meet,
            facts.ReplayEnded: self._finish,
        }

    def apply(self, fact: facts.Fact) -> list[Request]:
        """What is to be asked of the broker because of it; facts that change no account ask for nothing."""
        change = self._apply.get(type(fact))
        return [] if change is None else self.ask(change, fact)

    def ask(self, change: Callable[..., list[Request]], *about: object) -> list[Request]:
        """What a change of these books asks for is asked by them from then on."""
        self.lives.forget()
        if not self.history and self.book.is_crowded:
            self.ids.keep(self.book.forget())
        self.book.make_room()
        requests = change(*about)
        for request in requests:
            self.lives.ask(request, self.at)
        return requests

    def alarm(self, text: str) -> None:
        self.alarms.append(text)
        del self.alarms[:-ALARMS]
        self.alarmed += 1

    # Bars and prices

    def _open_bars(self, fact: facts.BarsOpened) -> list[Request]:
        self.at = fact.at
        self._is_as_closed = False
        days = self.book.figure["day"]
        day, figures = days[0], self.limits.figures()
        self.book.tell(fact.bars)
        stages.account_opens(self.book.lent)
        if days[0] != day:
            self.limits.begin_day(figures)
        return []

    def _close_bars(self, fact: facts.BarsClosed) -> list[Request]:
        self.at = fact.at
        self.book.tell(fact.bars)
        stages.account_hears_ranges(self.book.lent)
        for bar in fact.bars:
            self._closing[bar.series] = bar
        self._is_as_closed = len(self._closing) == len(fact.bars)
        return []

    def _decide(self, fact: facts.Decided) -> list[Request]:
        """Of the bars that closed last: those of which something is said, and rates."""
        if self._is_as_closed and len(fact.hits) == self._traded:
            self._closing = {}
        else:
            said = {hits.series for hits in fact.hits}
            self.book.tell([bar for s, bar in self._closing.items() if s in said or s >= self._traded])
            stages.account_hears_ranges(self.book.lent)
            self._closing = {s: bar for s, bar in self._closing.items() if s < self._traded and s not in said}
        self._take_hits(fact.hits)
        before = self._before()
        if self._fill_close or self.limits.are_set:
            stages.account_marks(self.book.lent)
            self.limits.meet(self.at)
            stages.account_decides(self.book.lent)
            if not self._fill_close:
                stages.account_ends(self.book.lent, False)
        else:
            stages.account_closes(self.book.lent)
        return self._asked_since(before)

    def _end_bars(self, fact: facts.CloseFilled) -> list[Request]:
        before = self._before()
        stages.account_ends(self.book.lent, fact.filled)
        self.limits.meet(self.at)
        return self._asked_since(before)

    def _see(self, fact: facts.PriceSeen) -> list[Request]:
        self.at = fact.at
        self._is_as_closed = False
        before = self._before()
        self.book.see(fact.series, fact.raw, fact.ask)
        self.equity = stages.account_sees(self.book.lent)
        self.limits.meet(self.at)
        if not self.watched.is_idle:
            self.watched.order(self.book, self._worth(), fact.series, self.at)
        return self._asked_since(before)

    def _act(self, fact: facts.Acted) -> list[Request]:
        """Decides as a close does, on one symbol, without being one: no bar is counted towards a time exit."""
        self.at = fact.at
        self._is_as_closed = False
        before = self._before()
        self.book.act(fact.hits.series, fact.at)
        self._take_hits((fact.hits,))
        stages.account_decides(self.book.lent)
        return self._asked_since(before)

    def _take_hits(self, found: Sequence[Hits]) -> None:
        """What is barred is as if no rule for an entry held."""
        self.limits.refusals, self._unexplained = [], self.book.figure["verdicts"][0]
        for s, entries, exits, atr in found:
            is_barred = self.barred and (EVERY in self.barred or self.symbols[s] in self.barred)
            self.book.rules_hold(s, 0 if is_barred else entries, exits, atr)

    @property
    def verdicts(self) -> Table:
        """Those of the last decision."""
        rows: Table = self.book.log.verdicts[self._unexplained : self.book.account["verdicts"][0]]
        return rows

    def _finish(self, _fact: facts.ReplayEnded) -> list[Request]:
        stages.account_finishes(self.book.lent)
        self.equity = int(self.book.account["equity"][0])
        return []

    # What is asked of the broker

    def _before(self) -> _Before:
        figure = self.book.figure
        waiting = figure["pending"][0]
        orders = tuple(self.book.state.pending["order"][:waiting].tolist()) if waiting else ()
        return self._marks.now(figure["positions"][0]), orders, figure["orders"][0]

    def _asked_since(self, before: _Before) -> list[Request]:
        (closings, waiting, placed), figure = before, self.book.figure
        found: list[Request] = []
        if self.latches:
            self._latch()
        if self.limits.are_set:
            self.limits.refuse_beyond(placed, self.at)
        if waiting:
            states = self.book.log.orders["state"]
            found += [Cancel(self.next_id(), self.ids.of_row(order)) for order in waiting if states[order] == CANCELLED]
        marks = self._marks.now(figure["positions"][0])
        if marks != closings:
            for row, was, now in self._marks.changed(closings, marks):
                found += self._about_position(row, was, now)
        for order in range(placed, figure["orders"][0]):
            found += self._about_order(order)
        return found

    def _latch(self) -> None:
        account = self.book.account[0]
        for limit, words in (("drawn_down", "the drawdown limit was reached"), ("lost_day", "the day's loss limit was reached")):
            if account[limit] != FREE and EVERY not in self.barred:
                self.barred[EVERY] = words
                self.alarm(f"{words}: no entries until a person re-arms")

    def _about_position(self, row: Table, before: Marks, now: Marks) -> list[Request]:
        number, trail, closing, reason, at_close = now
        position, found = self._theirs[number], list[Request]()
        if trail != before[1] and self.watched.holds_stops:
            found.append(Protect(self.next_id(), position, trail))
        if closing and (closing, reason) != before[2:4] and not (closing < row["quantity"] and self.lives.is_closing(position)):
            found.append(Close(self.next_id(), position, closing, EXIT_REASONS[reason], bool(at_close)))
        return found

    def _about_order(self, order: int) -> list[Request]:
        """One that was cancelled at the close that placed it is never sent."""
        row = self.book.log.orders[order]
        name = self.next_id()
        self.ids.placed(name)
        if row["state"] != WORKING:
            return []
        waiting = self.book.state.pending[self.book.waiting(order)]
        kind, level, expiry = ORDER_KINDS[row["kind"]], int(row["level"]), int(row["expiry"])
        distances = int(waiting["stop_distance"]), int(waiting["target_distance"])
        symbol, rule, side = self.symbols[row["symbol"]], int(row["rule"]), int(row["side"])
        return [Place(name, symbol, rule, side, kind, int(row["quantity"]), level, expiry, *distances)]

    def next_id(self) -> str:
        return self.ids.next()

    # What the broker did

    def _book(self, fact: facts.TransactionSeen) -> list[Request]:
        """It was told, whatever it comes to: what cannot be booked leaves the books wrong, and that is known from then on."""
        done, found = fact.transaction, list[Request]()
        if done.n != self.booked + 1:
            raise BrokerMismatchError(f"transaction {done.n} came after {self.booked}: those between are missing, ask the broker again")
        self.booked = done.n
        is_late, cash = self.lives.tell(done), int(self.book.account["cash"][0])
        match done.what:
            case What.FILLED:
                self._book_entry(done, is_late)
            case What.CLOSED:
                self._book_exit(done)
            case What.EXPIRED | What.CANCELLED | What.REJECTED:
                self.foreign.discard(done.id)
                self._settle(done)
            case What.PROTECTED:
                self._protect(done)
            case What.FINANCED:
                self._position(done)["financing"] += done.amount
                self.book.account["cash"] += done.amount
            case What.ACCEPTED:
                if done.position < 0 and self.lives.get(done.id) is None and not self.ids.are_like(done.id):
                    self.foreign.add(done.id)
                    self.alarm(f"{done.symbol}: order {done.id} is somebody else's and is let be; if it fills, that bars the symbol")
                found += self._end_late(done, is_late or self._is_forgotten(done.id))
            case What.CANCEL_REJECTED:
                pass
        if done.symbol:
            self.limits.earned[self._series[done.symbol]] += int(self.book.account["cash"][0]) - cash
        if self.book.account["cash"][0] != done.cash and not self.mismatch:
            raise BrokerMismatchError(
                f"after transaction {done.n} the broker holds {done.cash} and this account {self.book.account['cash'][0]} (1e-8): "
                "nothing is traded on until a person has looked"
            )
        found += self._close_rest(done) if done.what is What.CLOSED else []
        is_moved = done.what in MOVES and (self.limits.are_set or not self.watched.is_idle)
        return found + (self._after(done) if is_moved else [])

    def _end_late(self, done: Transaction, is_late: bool) -> list[Request]:
        """An order that works at the broker, and that nobody here waits for any more, is cancelled, once more if it must be."""
        name, life = done.id, self.lives.get(done.id)
        if not (self._is_forgotten(name) and done.position < 0 if life is None else isinstance(life.request, Place)):
            return []
        if is_late:
            self._bar(done.symbol, f"{done.symbol}: order {name} works at the broker after it was given up for lost")
        is_wanted = self.book.waiting(self.ids.row(name)) >= 0
        is_over = life is not None and life.state in OVER
        return [] if is_wanted or is_over or self.lives.is_cancelling(name) else [Cancel(self.next_id(), name)]

    def _is_forgotten(self, name: str) -> bool:
        """It was ours, and over so long ago that nothing else is known of it: who accepts it now was never heard of it before."""
        return self.lives.get(name) is None and self.ids.gave(name)

    def _close_rest(self, done: Transaction) -> list[Request]:
        """A part that was to be closed while another was on its way goes when that has come, so that neither is closed twice."""
        index = self.book.position(self._ours.get(done.position, -1))
        if index < 0 or not done.id or self.lives.is_closing(done.position):
            return []
        row = self.book.state.positions[index]
        closing, reason = int(row["closing"]), int(row["closing_reason"])
        return [Close(self.next_id(), done.position, closing, EXIT_REASONS[reason], False)] if closing else []

    def _after(self, done: Transaction) -> list[Request]:
        """What was filled may pass a limit, or a level at once."""
        before = self._before()
        self.limits.meet(self.at)
        self.watched.order(self.book, self._worth(), self._series[done.symbol], self.at)
        return self._asked_since(before)

    def _book_entry(self, done: Transaction, is_late: bool) -> None:
        """A part of an order is a position of its own, and the rest waits on."""
        series, order = self._series[done.symbol], self.ids.row(done.id)
        if self.book.present_bar(series) < 0:  # somebody else was here before the first price
            day = int(trading_day(np.array([done.at], np.int64))[0])
            self._open_bars(facts.BarsOpened(done.at, (BarOpen(series, done.at, done.price, done.price, day, 0),)))
        index = self.book.waiting(order)
        left = int(self.book.state.pending["quantity"][index]) - done.quantity if index >= 0 else 0
        if index < 0 or left < 0 or is_late:
            self._bar(done.symbol, f"{done.symbol} was filled by what nobody waited for (transaction {done.n})")
        if index < 0 or left < 0:
            index = self.book.add_waiting(order, series, done.side, done.quantity)
        if order < 0:
            self.ids.placed(done.id, is_own=False)
        rest = self.book.state.pending[index].copy()
        self.book.state.pending["quantity"][index] = done.quantity
        ours = int(self.book.account["opened"][0])
        self._ours[done.position], self._theirs[ours] = ours, done.position
        stages.book_entry(self.book.lent, index, done.price, self.book.present_bar(series), done.opened)
        if left > 0:
            rest["quantity"] = left
            self.book.wait_on(rest, index)

    def _book_exit(self, done: Transaction) -> None:
        row = self._position(done)
        row["ambiguous"], row["resolved"] = done.ambiguous, done.resolved
        number, reason, s = int(row["number"]), EXIT_REASONS.index(done.reason), self._series[done.symbol]
        stages.book_exit(self.book.lent, self.book.position(number), done.quantity, done.price, reason, self.book.present_bar(s))
        is_gone = self.book.position(number) < 0
        self.watched.closed(number, s, reason, is_gone=is_gone)
        if is_gone:
            self._part_from(done.position)

    def _part_from(self, position: int) -> None:
        del self._theirs[self._ours.pop(position)]

    def _settle(self, done: Transaction) -> None:
        index = self.book.waiting(self.ids.row(done.id))
        if index >= 0:
            outcome = EXPIRED if done.what is What.EXPIRED else CANCELLED
            stages.settle(self.book.lent, index, outcome, self.book.present_bar(self._series[done.symbol]))
        life = self.lives.get(done.id)
        if life is not None:
            will_not_be(self, life, done.reason)

    def _ask_again(self, fact: facts.AskedAgain) -> list[Request]:
        self.at, before = fact.at, self._before()
        levels = self.undone.order(self.book)
        return self._asked_since(before) + [Protect(self.next_id(), self._theirs[number], trail) for number, trail in levels]

    def _protect(self, done: Transaction) -> None:
        row = self._position(done)
        if done.id:
            self.watched.unkept.discard(int(row["number"]))
        row["stop"], row["target"], row["trail"] = done.stop, done.target, done.trail
        row["ambiguous"], row["resolved"] = done.ambiguous, done.resolved

    def _position(self, done: Transaction) -> Table:
        index = self.book.position(self._ours.get(done.position, -1))
        if index < 0:
            raise BrokerMismatchError(f"transaction {done.n} is about position {done.position}, which is not known to be open")
        row: Table = self.book.state.positions[index]
        return row

    def symbol_of(self, position: int) -> str:
        """By the broker's number; nothing where it is not open."""
        index = self.book.position(self._ours.get(position, -1))
        return self.symbols[self.book.state.positions["symbol"][index]] if index >= 0 else ""

    def _lapse(self, fact: facts.RequestUnsettled) -> list[Request]:
        self.lives.lapse(fact.id)
        index = self.book.waiting(self.ids.row(fact.id))
        if index >= 0:
            stages.settle(self.book.lent, index, CANCELLED, self.book.present_bar(int(self.book.state.pending["symbol"][index])))
        will_not_be(self, self.lives[fact.id], "it never came there")
        return []

    # Where the broker's books are others

    def doubt(self, why: str) -> None:
        """Nothing is entered until they are taken over."""
        self.mismatch = self.mismatch or why
        self.barred[EVERY] = self.mismatch
        self.alarm(f"{why}: see what happened, then re-arm, which takes the broker's books over")

    def theirs(self, number: int) -> int:
        """The broker's number of one of our positions."""
        return self._theirs[number]

    def ours(self, position: int) -> int:
        return self._ours.get(position, -1)

    def drop(self, position: int) -> None:
        """By the broker's number: it is gone, and nobody saw how."""
        index, count = self.book.position(self.ours(position)), int(self.book.account["positions"][0])
        self._part_from(position)
        rows = self.book.state.positions
        rows[index : count - 1] = rows[index + 1 : count].copy()
        self.book.account["positions"] -= 1

    def give_up(self, done: Transaction) -> None:
        """What the broker does not know is over."""
        self.lives.tell(done)
        self._settle(done)

    def adopt(self, done: Transaction) -> None:
        """A position that the broker holds."""
        self._book_entry(done, is_late=False)

    def _bar(self, symbol: str, words: str) -> None:
        """More than a pause, which would end without a re-arming."""
        if self.barred.get(symbol, PAUSED).startswith(PAUSED):
            self.barred[symbol] = words
        self.alarm(f"{words}: no entries until a person re-arms")

    # What a person asked for

    def _obey(self, fact: facts.Commanded) -> list[Request]:
        self.at = fact.at
        before = self._before()
        obey(self, fact)
        return self._asked_since(before)

    def row_of(self, name: str) -> int:
        """Where in the log's orders it is now, −1 where it is not."""
        return self.ids.row(name)

    # Limits, and levels that are watched here

    def feels(self, s: int, raw: int, ask: int, at: int) -> bool:
        """Whether this price would end a position or breach a limit, if the account were told of it."""
        if not self.book.account["positions"][0]:
            return False
        worth = self._worth(Seen(s, raw, ask))
        is_touched = not self.watched.is_idle and self.watched.is_touched(self.book, worth, s, at)
        return is_touched or worth.would_halt() or self.limits.would_breach(worth)

    def _worth(self, seen: Seen | None = None) -> Worth:
        return Worth(self.book.plan, self.book.state, seen)

    def _limit(self, fact: facts.LimitsSet) -> list[Request]:
        before = self._before()
        self.limits.limit(fact.limits, self.at)
        return self._asked_since(before)

    def _meet(self, fact: facts.BrokerMet) -> list[Request]:
        """A broker that begins to hold stops holds none of what was open before."""
        if fact.tag:
            self.ids.begin_with(fact.tag)
        if fact.holds_stops and not self.watched.holds_stops:
            self.watched.unkept |= set(self.book.state.positions["number"][: self.book.account["positions"][0]].tolist())
        self.watched.holds_stops = fact.holds_stops
        return []
