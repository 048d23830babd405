"""What a watcher of a live session is shown of its past: signals with what became of them, orders, the equity, from facts alone.

A restart applies the same facts, so the feeds are there again; only types and strengths, which no fact holds, are not.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from sptrader_desktop.core import facts
from sptrader_desktop.core.broker_messages import Close, HeldPosition, Place, Transaction, What
from sptrader_desktop.core.instruments import Instrument
from sptrader_desktop.core.money import money_text
from sptrader_desktop.core.records import VERDICTS
from sptrader_desktop.core.tables import FAR
from sptrader_desktop.present.live_figures import Levels
from sptrader_desktop.present.numbers import iso_time, price_unit, quantity_unit
from sptrader_desktop.present.report_reasons import MEANING
from sptrader_desktop.present.trade_events import breach_event, trade_events

if TYPE_CHECKING:
    from sptrader_desktop.core.live_account import LiveAccount
    from sptrader_desktop.core.order_lives import Life

Told = dict[str, Any]
PAUSED = "paused"  # how the account says that a person barred something for a while
SIGNALS, ORDERS, POINTS, BARS = 200, 100, 2_000, 1_000
APART_US = 1_000_000  # of two points of the equity
TAKEN = "taken"


class LiveFeeds:
    """`hear` is given each fact after it was applied. `told` hears of each event as it happens; during recovery nobody listens."""

    MADE: ClassVar = {"instruments", "_said"}

    def __init__(self, account: "LiveAccount", instruments: Sequence[Instrument]) -> None:
        self.account = account
        self.instruments = {item.symbol: item for item in instruments}
        self.signals: deque[Told] = deque(maxlen=SIGNALS)
        self.equity: deque[tuple[str, str]] = deque(maxlen=POINTS)  # written out once: they are told again every second
        self._pointed = -APART_US
        self.bars: dict[str, deque[tuple[int, ...]]] = {symbol: deque(maxlen=BARS) for symbol in self.instruments}  # opens, and four prices
        self.kept: dict[int, Levels] = {}
        self.seen_at: dict[str, int] = {}
        self.told: Callable[[Told], None] = _nobody
        self.told_abroad: Callable[[Told], None] = _nobody
        self._barred: dict[str, str] = {}
        self._orders: dict[str, str] = {}  # id of what was asked → symbol, the last ones
        self._ours: dict[int, int] = {}  # the broker's number of a position → ours
        self._said: dict[str, tuple[str, float]] = {}
        self._why: dict[str, str] = {}
        self._by: dict[str, tuple[str, ...]] = {}  # id of what was asked last → the signals of the decision
        self.revised = 0  # how often it was known later what became of a signal

    def spoken(self, signal_id: str, kind: str, strength: float) -> None:
        """Before it is judged."""
        self._said[signal_id] = (kind, strength)
        while len(self._said) > SIGNALS:
            del self._said[next(iter(self._said))]

    def hear(self, fact: facts.Fact) -> None:
        match fact:
            case facts.PriceSeen():
                self.seen_at[self.account.symbols[fact.series]] = fact.at
                self._point(fact.at, self.account.equity)
            case facts.BarsClosed():
                for bar in fact.bars:
                    symbol = self.account.symbols[bar.series]
                    self.seen_at[symbol] = fact.at
                    self.bars[symbol].append((bar.at, bar.open, bar.high, bar.low, bar.close))
            case facts.BarsOpened():
                self.seen_at |= {self.account.symbols[bar.series]: fact.at for bar in fact.bars}
            case facts.Decided():
                self._ask(fact.signals, {self.account.symbols[hits.series] for hits in fact.hits})
                self._explain(fact.signals, any(hits.entries for hits in fact.hits), any(hits.exits for hits in fact.hits))
                self._point(fact.at, int(self.account.book.account["equity"][0]))
            case facts.Acted():
                self._ask(fact.signals, {self.account.symbols[fact.hits.series]})
                self._explain(fact.signals, bool(fact.hits.entries), bool(fact.hits.exits))
            case facts.SignalJudged():
                self._judge(fact)
            case facts.TransactionSeen():
                self._book(fact.transaction)
            case _:
                self._hear_of_session(fact)
        if self.account.barred != self._barred:
            self._tell_breaches()

    def _hear_of_session(self, fact: facts.Fact) -> None:
        match fact:
            case facts.TakenOver():
                self._take_over(fact.snapshot.positions)
            case facts.RequestUnsettled():
                self._not_sent(fact)
            case facts.LimitsSet():
                self._tell("state", fact.at, f"limits were set: {len(fact.limits)}" if fact.limits else "no limits are set any more")
            case facts.BrokerMet():
                words = "holds stops" if fact.holds_stops else "holds no stops: they are watched here"
                self._tell("state", fact.at, f"the broker's account is of the environment {fact.environment}, and {words}")
            case facts.Commanded():
                self._tell("state", fact.at, f"{fact.by}: {fact.what}{f' {fact.about}' if fact.about else ''}")
            case _:
                pass

    def _tell_breaches(self) -> None:
        barred, before = self.account.barred, self._barred
        self._barred = dict(barred)
        for scope, why in barred.items():
            if before.get(scope) != why and not why.startswith(PAUSED):
                self.told_abroad(breach_event(self.account.at, scope, why))

    def orders(self) -> list[tuple[str, str, "Life"]]:
        """(id, symbol, life) of what is under way and of what was over last, oldest first."""
        lives, found = self.account.lives, dict(self._orders)
        found |= {name: self._symbol(life) for name, life in lives.going() if isinstance(life.request, Place | Close)}
        known = [(name, symbol, lives.get(name)) for name, symbol in found.items()]
        return [(name, symbol, life) for name, symbol, life in known if life is not None]

    def _symbol(self, life: "Life") -> str:
        request = life.request
        if isinstance(request, Place):
            return request.symbol
        return self.account.symbol_of(request.position) if isinstance(request, Close) else ""

    # Equity

    def _point(self, at: int, value: int) -> None:
        if at - self._pointed >= APART_US:
            self._pointed = at
            self.equity.append((iso_time(at), money_text(value)))

    # Signals

    def _explain(self, signals: Sequence[str], is_entry: bool, is_exit: bool) -> None:
        """Why signals that were taken led to orders, or to none: the verdicts that this decision added."""
        words = [_verdict(int(row["rule"]), VERDICTS[row["verdict"]]) for row in self.account.verdicts]
        words += [f"not sent: {why}" for why in self.account.limits.refusals]
        if is_entry and not words:
            words.append("no entries now" + (f": {why}" if (why := "; ".join(self.account.barred.values())) else ""))
        if is_exit:
            words.append("an exit rule held")
        for signal_id in signals:
            self._why[signal_id] = "; ".join(words) or "no rule held"

    def _ask(self, signals: tuple[str, ...], symbols: set[str]) -> None:
        """What a decision just asked for goes back to its signals if it is not sent."""
        account = self.account
        for name, life in account.lives.going() if signals else ():
            if life.asked_at == account.at and isinstance(life.request, Place | Close) and self._symbol(life) in symbols:
                self._by.setdefault(name, signals)
        while len(self._by) > ORDERS:
            del self._by[next(iter(self._by))]

    def _not_sent(self, fact: facts.RequestUnsettled) -> None:
        signals = self._by.pop(fact.id, ())
        for place, row in enumerate(self.signals) if fact.why else ():
            if row["id"] in signals:
                self.signals[place] = row | {"why": "; ".join(filter(None, (row["why"], f"not sent: {fact.why}")))}
                self.revised += 1
        if not fact.why:  # else whoever refused it says so
            self._tell("order", self.account.at, f"{fact.id} never reached the broker: it is over", id=fact.id)

    def _judge(self, fact: facts.SignalJudged) -> None:
        first, _, rest = fact.outcome.partition("; ")
        is_taken, explained = first == TAKEN, self._why.pop(fact.id, "")
        why = "; ".join(word for word in (explained, rest) if word) if is_taken else fact.outcome
        kind, strength = self._said.pop(fact.id, ("", None))
        row = {
            "at": iso_time(fact.at),
            "id": fact.id,
            "name": fact.name,
            "symbol": fact.symbol,
            "type": kind,
            "strength": strength,
            "outcome": TAKEN if is_taken else "rejected",
            "why": why,
        }
        self.signals.append(row)
        self._tell("signal", fact.at, f"{fact.symbol} {fact.name} {row['outcome']}{f': {why}' if why else ''}".strip(), signal=row)

    # The broker

    def _book(self, done: Transaction) -> None:
        life = self.account.lives.get(done.id)
        if life is not None and isinstance(life.request, Place | Close):
            self._orders.pop(done.id, None)
            self._orders[done.id] = done.symbol or self._symbol(life)
            while len(self._orders) > ORDERS:
                del self._orders[next(iter(self._orders))]
        match done.what:
            case What.FILLED:
                self._open(done)
            case What.PROTECTED if done.position in self._ours:
                self.kept[self._ours[done.position]] = Levels(done.stop, done.target, done.trail)
            case What.CLOSED if not self.account.symbol_of(done.position):
                self.kept.pop(self._ours.pop(done.position, -1), None)
            case _:
                pass
        instrument = self.instruments.get(done.symbol)
        if instrument is not None:
            is_gone = not self.account.symbol_of(done.position)
            for event in trade_events(done, None if life is None else life.request, instrument, is_gone=is_gone):
                self.told_abroad(event)
        if done.what is not What.PROTECTED or done.id:
            kind = "fill" if done.what in {What.FILLED, What.CLOSED} else "order"
            self._tell(kind, done.at, self._words(done), id=done.id, symbol=done.symbol, what=str(done.what))

    def _open(self, done: Transaction) -> None:
        """The newest position is the one that this fill made, or the account refused to book it and its stop is not known."""
        count = int(self.account.book.account["positions"][0])
        row = self.account.book.state.positions[count - 1] if count else None
        if row is not None and (row["entry_price"], row["quantity"], row["side"]) == (done.price, done.quantity, done.side):
            self._ours[done.position] = int(row["number"])

    def _take_over(self, positions: Sequence[HeldPosition]) -> None:
        """The account holds what the broker does, by numbers of its own."""
        self._ours = {item.position: self.account.ours(item.position) for item in positions}
        for item in positions:
            stop, target, trail = (sign * item.side * FAR for sign in (-1, 1, -1))
            levels = Levels(item.stop or stop, item.target or target, item.trail or trail)
            self.kept[self._ours[item.position]] = levels

    def _words(self, done: Transaction) -> str:
        instrument = self.instruments.get(done.symbol)
        what = str(done.what).replace("_", " ")
        if instrument is None:
            return f"{what} {done.id}{f': {done.reason}' if done.reason else ''}"
        if done.what is What.FINANCED:
            return f"{done.symbol} financing {money_text(done.amount)}"
        if done.what not in {What.FILLED, What.CLOSED}:
            return f"{done.symbol} {what} {done.id}{f': {done.reason}' if done.reason else ''}"
        side = "buy" if done.side > 0 else "sell"
        figures = f"{quantity_unit(instrument).text(done.quantity)} at {price_unit(instrument).text(done.price)}"
        return f"{done.symbol} {what}: {side} {figures}{f' ({done.reason})' if done.reason else ''}"

    def _tell(self, kind: str, at: int, text: str, **figures: Any) -> None:
        self.told({"is": "event", "at": iso_time(at), "kind": kind, "text": text, **figures})


def _verdict(rule: int, verdict: str) -> str:
    """Rules are numbered from 1, as people count them."""
    return f"entry {rule + 1} ordered" if verdict == "placed" else f"entry {rule + 1} not ordered: {MEANING[verdict]}"


def _nobody(_event: Told) -> None:
    pass
