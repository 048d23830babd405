"""The live session without any wire: what came in becomes facts, facts become requests, and each is written down before it leaves.

Whoever holds the wires calls one method for each thing that came, then `commit`, sends what it gives, and acknowledges last.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import nan

import numpy as np

from sptrader_desktop.core import facts
from sptrader_desktop.core.atr_now import WilderNow
from sptrader_desktop.core.broker_messages import Cancel, Close, Place, Protect, Request, Snapshot, Transaction, Welcome
from sptrader_desktop.core.calendar import trading_day
from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.live_account import EVERY, LiveAccount
from sptrader_desktop.core.live_book import BarOpen, BarRange, Hits
from sptrader_desktop.core.plan import atr_periods
from sptrader_desktop.core.reconciliation import differences
from sptrader_desktop.core.risk_tree import NodeLimits
from sptrader_desktop.core.rules_now import Event, holds_now, signals_named
from sptrader_desktop.core.strategy import Condition, Strategy
from sptrader_desktop.ports import LivePrice
from sptrader_desktop.runtime.live.bars_from_prices import AHEAD_US, Bar
from sptrader_desktop.runtime.live.clock import SECOND_US, Clock
from sptrader_desktop.runtime.live.parts import EvaluatedSet
from sptrader_desktop.runtime.live.session import Session
from sptrader_desktop.runtime.live.spreads import Spreads

TAKEN = "taken"
DISK_FULL = "the disk is full, and only what lessens risk is written"
_WORDS = {Place: "an entry", Close: "a close", Protect: "a new level", Cancel: "a cancel"}
MOST_NAMED = 5  # differences in one sentence


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as the services know it."""

    request: Request
    symbol: str

    @property
    def id(self) -> str:
        return self.request.id

    @property
    def opens(self) -> bool:
        return isinstance(self.request, Place)


@dataclass(slots=True)
class Market:
    """The last price of a symbol, and whether the account has seen it."""

    at: int
    bid: int
    ask: int
    is_seen: bool = False


class Engine:
    """`half_spread` in ticks for prices that are mids."""

    def __init__(self, session: Session, strategy: Strategy, clock: Clock, half_spread: Mapping[str, tuple[int, int]]) -> None:
        self.session, self.strategy = session, strategy
        self.clock, self._half_spread = clock, half_spread
        self.account: LiveAccount = session.account
        self.markets: dict[str, Market] = {}
        self.spreads = Spreads()
        self.bars: dict[str, Bar] = {}
        self._series = {symbol: s for s, symbol in enumerate(self.account.symbols)}
        self._closing: set[str] = set()
        self._periods = atr_periods(strategy)
        self._atr = {symbol: [WilderNow(period) for period in self._periods] for symbol in self.account.symbols}
        self._averaged: dict[str, int] = {}  # the open of the last bar that averages remember
        self._needed = [(rule.when, signals_named(rule.when)) for rule in strategy.entries]
        self._needed_to_leave = [(rule.when, signals_named(rule.when)) for rule in strategy.exits.rules]

    # The market

    def price(self, price: LivePrice) -> bool:
        """Whether it was written down at once, since it ends a position that no broker ends, or breaches a limit. What is older than the
        last one, of a time that has not come, or crossed, says nothing of the market now."""
        now, known = self.clock.now(), self.markets.get(price.symbol)
        below, above = (0, 0) if price.ask is not None else self._half_spread[price.symbol]
        ask = price.price if price.ask is None else price.ask
        if ask < price.price or price.stamp > now + AHEAD_US or (known is not None and price.stamp < known.at <= now):
            return False
        if price.ask is not None:
            self.spreads.add(price.symbol, ask - price.price, now)
        market = self.markets[price.symbol] = Market(min(price.stamp, now), price.price - below, ask + above)
        if not self.account.feels(self._series[price.symbol], market.bid, market.ask, market.at):
            return False
        self.see_prices({price.symbol})
        return True

    def ahead(self, price: LivePrice) -> str:
        """Why it cannot have been made yet, or nothing."""
        seconds = (price.stamp - self.clock.now()) / SECOND_US
        return f"its time is {seconds:,.0f} s ahead of this computer's clock" if seconds * SECOND_US > AHEAD_US else ""

    def see_prices(self, symbols: Collection[str] | None = None) -> None:
        """Prices that the account has not seen yet become facts: before anything is decided, and now and then for the limits' sake."""
        for symbol, market in self.markets.items():
            if market.is_seen or not (symbols is None or symbol in symbols):
                continue
            market.is_seen = True
            s = self._series[symbol]
            if self.account.book.series["under"][s] < 0:
                self._open(s, market.at, market.bid, market.ask)
            self.session.take(facts.PriceSeen(self.clock.now(), s, market.bid, market.ask))

    def candle(self, bar: Bar) -> None:
        """A bar is over; what is decided on it comes later, or never."""
        s, ask = self._series[bar.symbol], bar.ask or bar.prices
        if bar.symbol in self._closing:
            self._decide(bar.symbol, 0, 0, ())  # nobody decided on the bar before
        if self.account.book.series["under"][s] < 0:
            self._open(s, bar.opens, bar.prices.open, ask.open)
        self.bars[bar.symbol] = bar
        self._average(bar.symbol, bar.opens, bar.prices.high, bar.prices.low, bar.prices.close)
        self.session.take(facts.BarsClosed(bar.closes, (BarRange(s, bar.opens, bar.closes, *bar.prices, *ask),)))
        self._closing.add(bar.symbol)

    def late_candle(self, symbol: str, held: Candles) -> None:
        """The last of `held` is of a time that is over: only averages remember it, and with it those before it of which nobody told."""
        is_next = self._averaged.get(symbol) == (int(held.timestamp[-2]) if len(held) > 1 else None)
        if not is_next:
            self._atr[symbol] = [WilderNow(period) for period in self._periods]
        columns = held.timestamp, held.prices.high, held.prices.low, held.prices.close
        for row in zip(*(column[-1 if is_next else 0 :].tolist() for column in columns), strict=True):
            self._average(symbol, *row)

    def _average(self, symbol: str, opens: int, high: int, low: int, close: int) -> None:
        self._averaged[symbol] = opens
        for atr in self._atr[symbol]:
            atr.add(high, low, close)

    @property
    def is_exposed(self) -> bool:
        account = self.account.book.account[0]
        return bool(account["positions"] or account["pending"])

    def _open(self, s: int, at: int, bid: int, ask: int) -> None:
        day = int(trading_day(np.array([at], np.int64))[0])
        self.session.take(facts.BarsOpened(at, (BarOpen(s, at, bid, ask, day, 0),)))

    # Decisions

    def decide(self, found: EvaluatedSet, shut: str = "") -> str:
        """What signals say of a bar, or, without one, of now. A rule that names one nobody heard of does not hold, nor does its `not`.
        `shut` says why nothing can be entered now.

        Gives what became of the signals: `TAKEN`, or why nothing was decided by them, or not what their rules ask for.
        """
        events = {
            name: [Event(signal.kind, signal.strength, signal.metadata) for signal in signals] for name, signals in found.signals.items()
        }
        entries = _bits(self._needed, events, found.missing)
        why = self._shut(found, shut) if entries else ""
        if why:
            entries = 0
        exits = _bits(self._needed_to_leave, events, found.missing)
        named = tuple(signal.id for signals in found.signals.values() for signal in signals)
        if found.bar_time is None:
            acts = self._act(found.symbol, entries, exits, named)
            return _outcome(why, is_exit=bool(exits)) if acts else f"{found.symbol} has no price yet"
        if found.symbol not in self._closing or self.bars[found.symbol].opens != found.bar_time:
            return "its bar is decided already"
        self._decide(found.symbol, entries, exits, named)
        return _outcome(why, is_exit=bool(exits))

    def _shut(self, found: EvaluatedSet, shut: str) -> str:
        """The first reason why an entry is as if its rule did not hold."""
        barred = self.account.barred
        if self.session.journal.is_full:
            return DISK_FULL
        if shut or EVERY in barred or found.symbol in barred:
            return shut or barred.get(EVERY) or barred[found.symbol]
        return f"{found.symbol} may only close" if found.is_close_only else ""

    def _decide(self, symbol: str, entries: int, exits: int, named: tuple[str, ...]) -> None:
        self._closing.discard(symbol)
        self.session.take(facts.Decided(self.clock.now(), (self._hits(symbol, entries, exits),), named))

    def _act(self, symbol: str, entries: int, exits: int, named: tuple[str, ...]) -> bool:
        self.see_prices({symbol})
        if self.account.book.series["under"][self._series[symbol]] < 0:
            return False
        self.session.take(facts.Acted(self.clock.now(), self._hits(symbol, entries, exits), named))
        return True

    def _hits(self, symbol: str, entries: int, exits: int) -> Hits:
        return Hits(self._series[symbol], entries, exits, tuple(atr.value for atr in self._atr[symbol]) or (nan,))

    # Signals, the broker, people

    def judge(
        self, signal_id: str, outcome: str, *, place: str = "", name: str = "", symbol: str = "", publisher: str = "", number: int = -1
    ) -> None:
        self.session.take(facts.SignalJudged(self.clock.now(), signal_id, place, outcome, name, symbol, publisher, number))

    def note_read(self, read: str, place: str, numbers: Mapping[str, int]) -> None:
        """So far the stream was read; nothing new is nothing to write down."""
        known = self.session.numbers
        fresh = tuple((name, number) for name, number in numbers.items() if number > known.get(name, -1))
        if fresh or read != self.session.read_to:
            self.session.take(facts.SignalsRead(self.clock.now(), read, place, fresh))

    def tell(self, transaction: Transaction) -> None:
        """One that was told before is nothing new."""
        if transaction.n > self.account.booked:
            self.session.take(facts.TransactionSeen(transaction))

    def meet(self, broker: Welcome) -> str:
        """Why it is not ours, or nothing."""
        known, booked = self.session.broker, self.account.booked
        if broker.account != self.account.name:
            return f"the broker speaks for account {broker.account}, and this is {self.account.name}"
        ours = (self.account.environment, known.currency if known else broker.currency)
        if (broker.environment, broker.currency) != ours:
            return f"the broker's account is {broker.environment} in {broker.currency}, and this session trades {' in '.join(ours)}"
        if broker.n < booked:
            return f"the broker knows {broker.n} transactions, and {booked} of it are booked here: it lost its books, or is another one"
        if known is None or known.holds_stops != broker.holds_stops:
            at = self.clock.now()
            tag = f"{at // SECOND_US:x}" if known is None and broker.n else ""  # it had requests of a journal that is gone
            self.session.take(facts.BrokerMet(at, broker.environment, broker.currency, broker.holds_stops, tag))
        return ""

    def compare(self, theirs: Snapshot) -> None:
        """Where the books differ, and did not before, entries end with it."""
        found = differences(self.account, theirs)
        if found and not self.account.mismatch:
            self.session.take(facts.BrokerDiffers(self.clock.now(), "; ".join(found[:MOST_NAMED])))

    def take_over(self, theirs: Snapshot, by: str) -> None:
        self.session.take(facts.TakenOver(self.clock.now(), by, theirs))

    def refused(self, request_id: str, why: str = "") -> bool:
        """It never reached the broker, and never will. Whether that is news."""
        lives = self.account.lives
        is_news = request_id in lives.unknown() and not lives.is_asked_again(request_id)
        if is_news:
            self.session.take(facts.RequestUnsettled(self.clock.now(), request_id, why))
        return is_news

    def ask_again(self) -> None:
        self.session.take(facts.AskedAgain(self.clock.now()))

    def lapse(self, long_unknown: Iterable[str]) -> None:
        """Only while the broker is heard without a gap."""
        for name in long_unknown:
            self.refused(name)

    def limit(self, limits: tuple[NodeLimits, ...]) -> None:
        if limits != self.account.limits.tree.limits:
            self.session.take(facts.LimitsSet(self.clock.now(), limits))

    def command(self, what: str, about: str, by: str) -> None:
        self.session.take(facts.Commanded(self.clock.now(), what, by, about))

    def claim(self, since: int) -> list[Asked]:
        """What was asked for since then: to be sent after the next commit."""
        return self._named(self.session.claim(since))

    def commit(self) -> list[Asked]:
        return self._named(self.session.commit())

    def _named(self, requests: Iterable[Request]) -> list[Asked]:
        return [Asked(request, self._symbol_of(request)) for request in requests]

    def words(self, request_id: str) -> str:
        """What was asked, as people say it."""
        life = self.account.lives.get(request_id)
        if life is None:
            return request_id
        symbol = self._symbol_of(life.request)
        return f"{symbol and f'{symbol}: '}{_WORDS[type(life.request)]} ({request_id})"

    def entry_of(self, request_id: str) -> str:
        """The symbol, where it was asked to open something."""
        life = self.account.lives.get(request_id)
        return life.request.symbol if life is not None and isinstance(life.request, Place) else ""

    def _symbol_of(self, request: Request) -> str:
        if isinstance(request, Place):
            return request.symbol
        if isinstance(request, Close | Protect):
            return self.account.symbol_of(request.position)
        life = self.account.lives.get(request.order)
        return life.request.symbol if life is not None and isinstance(life.request, Place) else ""


def _outcome(why: str, *, is_exit: bool) -> str:
    """Of what was decided; `why` nothing is opened by it, although a rule to enter held."""
    if not why:
        return TAKEN
    return f"{TAKEN}; nothing is opened: {why}" if is_exit else f"nothing is opened: {why}"


def _bits(needed: Sequence[tuple[Condition, frozenset[str]]], events: Mapping[str, Sequence[Event]], missing: Iterable[str]) -> int:
    absent = frozenset(missing)
    return sum((not (named & absent) and holds_now(when, events)) << number for number, (when, named) in enumerate(needed))
