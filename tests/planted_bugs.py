"""What a live session could do wrong, planted one at a time: each is a patch, and a simulation that does not see it is worth nothing."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from sptrader_desktop.adapters import guarded_broker
from sptrader_desktop.core import facts, order_lives, undone, watched_exits
from sptrader_desktop.core.broker_messages import Cancel, Close, Place, Protect, Request, Transaction, Welcome, What
from sptrader_desktop.core.errors import JournalBroken
from sptrader_desktop.core.live_account import LiveAccount
from sptrader_desktop.core.live_book import Book
from sptrader_desktop.core.money import FRACTION_ONE
from sptrader_desktop.core.order_lives import OrderLives
from sptrader_desktop.core.orders import OrderState, moved
from sptrader_desktop.core.sequences import Unjudged
from sptrader_desktop.core.undone import Undone
from sptrader_desktop.core.watched_exits import WatchedExits
from sptrader_desktop.guardian.gate import Gate
from sptrader_desktop.guardian.pipe import Pipe, _Waiting
from sptrader_desktop.runtime.journal_chain import decode
from sptrader_desktop.runtime.journal_names import names_in
from sptrader_desktop.runtime.live import core as core_module
from sptrader_desktop.runtime.live.clock import SECOND_US
from sptrader_desktop.runtime.live.core import LiveCore
from sptrader_desktop.runtime.live.engine import Engine
from sptrader_desktop.runtime.live.fact_text import read_fact
from sptrader_desktop.runtime.live.paper_prices import PricedBroker
from sptrader_desktop.runtime.live.session import Session
from sptrader_desktop.runtime.live.strategy_evaluation import StrategyEvaluationService
from tests import live_world
from tests.simulated_disk import SimulatedDisk, SimulatedJournal

Plant = Callable[[pytest.MonkeyPatch], None]
_judge, _hear, _alarm = LiveCore._judge, LiveCore._hear, LiveCore.alarm
_commit, _take, _tell = Session.commit, Session.take, Engine.tell
_book, _book_entry, _told = LiveAccount._book, LiveAccount._book_entry, PricedBroker._tell
_lapse, _ask, _lives_tell = Engine.lapse, OrderLives.ask, OrderLives.tell
_reopen, _keep_here, _protect = undone._reopen, undone._keep_here, LiveAccount._protect
_refused, _undone_order = WatchedExits.refused, Undone.order


def _patched(owner: Any, name: str, to: Any) -> Plant:
    return lambda patch: patch.setattr(owner, name, to, raising=False)


def _judge_and_ack(self: LiveCore, signal_id: str, outcome: str, name: str = "") -> None:
    handed = self._handed.get(signal_id)
    _judge(self, signal_id, outcome, name)
    if handed is not None:
        self.engine.session.journal.tidy()
        self._feed._link._redis.ask(("XACK", "signals:live", "orchestrator_group", *handed.stream_ids))  # type: ignore[attr-defined]


def _commit_and_ack_all(self: LiveCore) -> Any:
    self._due_acks += self._acks
    self._acks.clear()
    self._ack_now.set()
    asked = self.engine.commit()
    self.alarms.tell_found()
    return asked


def _hear_and_resend(self: LiveCore, answer: Any) -> None:
    _hear(self, answer)
    if isinstance(answer, Welcome) and self._line is not None:
        for name in self.engine.account.lives.unknown():
            self._line.send(self.engine.account.lives[name].request)


def _alarm_and_give_up(self: LiveCore, text: str) -> None:
    _alarm(self, text)
    if "is gone" in text:
        for name in self.engine.account.lives.unknown():
            self.engine.refused(name)


def _take_and_count(self: Session, fact: facts.Fact) -> None:
    _take(self, fact)
    if isinstance(fact, facts.SignalJudged):
        vars(self).setdefault("_of_this_life", set()).add(fact.id)


def _know_the_last(self: SimulatedJournal, name: str) -> bool:
    entries = [(entry.kind, entry.body) for last, encoded in self._commits[-3:] for entry in decode(last, encoded)]
    return name in names_in(entries)


def _judge_by_this_life(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Session, "MADE", Session.MADE | {"_of_this_life"})
    patch.setattr(Session, "take", _take_and_count)
    patch.setattr(Session, "is_judged", lambda self, name: name in vars(self).get("_of_this_life", ()))


def _recover_but_the_last(self: Session) -> int:
    entries = list(self.journal.read())[:-1]
    for entry in entries:
        self._apply(read_fact(entry.kind, entry.body))
    return len(entries)


def _commit_late(self: Session) -> list[Request]:
    late: list[tuple[str, bytes]] = getattr(self, "late", [])
    if late:
        self.journal.append(late)
    self.late = self._entries  # type: ignore[attr-defined]
    self._entries = []
    requests, self._requests = self._requests, []
    return requests


def _commit_whatever_comes(self: Session) -> list[Request]:
    try:
        return _commit(self)
    except JournalBroken:
        requests, self._requests = self._requests, []
        return requests


def _tell_all(self: Engine, transaction: Transaction) -> None:
    self.session.take(facts.TransactionSeen(transaction))


def _tell_not_all(self: Engine, transaction: Transaction) -> None:
    if transaction.what is not What.PROTECTED:
        _tell(self, transaction)


def _enter_wholly(self: LiveAccount, done: Transaction, is_late: bool) -> None:
    index = self.book.waiting(self.row_of(done.id))
    whole = int(self.book.state.pending["quantity"][index]) if index >= 0 else done.quantity
    _book_entry(self, replace(done, quantity=whole), is_late)


def _enter_unless_late(self: LiveAccount, done: Transaction, is_late: bool) -> None:
    if not is_late:
        _book_entry(self, done, is_late)


def _book_to_the_cent(self: LiveAccount, fact: facts.TransactionSeen) -> list[Request]:
    found = _book(self, fact)
    self.book.account["cash"] = self.book.account["cash"] // 1_000_000 * 1_000_000
    return found


def _tell_too_much(self: PricedBroker, what: What, name: str, s: int, position: int = -1, **figures: Any) -> Transaction:
    if what is What.FILLED:
        self._cash += 1
    return _told(self, what, name, s, position, **figures)


def _put_order_always(self: Pipe, line: bytes, key: str) -> None:
    self._waiting.append(_Waiting(line, key, self._gate.shuttings))


def _ignore_the_gate(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Pipe, "_put_order", _put_order_always)
    patch.setattr(Gate, "lets_out", lambda *_: True)


def _ignore_shuttings(patch: pytest.MonkeyPatch) -> None:
    """An order that was let in before the stop leaves after it."""
    patch.setattr(Gate, "stop", lambda self: setattr(self, "_is_stopped", False))


def _next_id_again(self: LiveAccount) -> str:
    self.ids._given = (self.ids._given + 1) % 3
    return f"{self.name}-{self.ids._given}"


def _ask_and_know(self: OrderLives, request: Request, at: int) -> None:
    """As it was once: whoever is to be cancelled is unknown no longer."""
    _ask(self, request, at)
    if isinstance(request, Cancel) and request.order in self._open and (order := self[request.order]).state is OrderState.SENT:
        order.state = moved(order.state, OrderState.CANCEL_PENDING)


def _place_of_the_batch(self: LiveCore) -> str:
    position = self._feed.position
    if self._handed or position is None:
        return self.engine.session.place
    return position.stream_id if position.entries is None else f"{position.stream_id}|{position.entries}"


async def _next_of_any(self: StrategyEvaluationService) -> None:
    deadlines = [collected.deadline for collected in self._bars.values()]
    if self._changed.is_set() or not deadlines:
        await self._changed.wait()
        return
    timer = asyncio.ensure_future(self._clock.sleep((min(deadlines) - self._clock.now()) / SECOND_US))
    change = asyncio.ensure_future(self._changed.wait())
    try:
        await asyncio.wait({timer, change}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        timer.cancel()
        change.cancel()


async def _trade_at_once(self: LiveCore) -> None:
    await self.orchestrator.start()
    await asyncio.gather(self._read_signals(), self.orchestrator.run())


def _never_full(_: SimulatedJournal) -> bool:
    return False


def _write_and_never_sync(patch: pytest.MonkeyPatch) -> None:
    def write(self: SimulatedDisk, content: bytes) -> bool:
        self.unsynced += content
        return True

    patch.setattr(SimulatedDisk, "write", write)
    patch.setattr(SimulatedDisk, "sync", lambda _: None)


def _life_without_adoption(self: OrderLives, done: Transaction) -> bool:
    life = self._lives.get(done.id)
    if done.what is What.ACCEPTED and life is not None and life.state is OrderState.LAPSED:
        return False
    return _lives_tell(self, done)


def _life_without_partial(self: OrderLives, done: Transaction) -> bool:
    """The first part of an order is taken for all of it."""
    life = self._lives.get(done.id)
    if done.what is What.FILLED and life is not None and isinstance(life.request, Place):
        done = replace(done, quantity=life.left)
    return _lives_tell(self, done)


def _reopen_and_forget(self: undone.Wanting, request: Close, left: int) -> None:
    _reopen(self, request, left)
    self.undone.closes.clear()


def _forget_what_is_undone(self: Undone, _: Book) -> list[tuple[int, int]]:
    self.closes, self.levels = {}, set()
    return []


def _order_without_levels(self: Undone, book: Book) -> list[tuple[int, int]]:
    _undone_order(self, book)
    return []


def _keep_nowhere(self: undone.Wanting, request: Protect, why: str) -> None:
    _keep_here(self, request, why)
    self.watched.unkept.clear()


def _protect_and_watch_on(self: LiveAccount, done: Transaction) -> None:
    before = set(self.watched.unkept)
    _protect(self, done)
    self.watched.unkept |= before


def _refused_and_left(self: WatchedExits, book: Book, number: int, reason: int, at: int) -> bool:
    """A part that a rule asked for is waited for as if a level had."""
    return _refused(self, book, number, reason, at) or self.watches(number)


def _refused_without_target(self: WatchedExits, book: Book, number: int, reason: int, at: int) -> bool:
    self.parted.clear()
    return _refused(self, book, number, reason, at) or self.watches(number)


@dataclass(frozen=True, slots=True)
class Mix:
    """The worlds in which a bug shows soon; as they are drawn, unless it says otherwise."""

    weather: Callable[[Any], None] = lambda _: None
    world: type[live_world.World] = live_world.World


DRAWN = Mix()


def _only(chances: dict[str, float] | None = None, *, lag: float = 0.0005, **events: int) -> Callable[[Any], None]:
    """These faults, so often, and no others."""

    def change(weather: Any) -> None:
        weather.events, weather.chances, weather.frictions, weather.room, weather._lag = events, chances or {}, {}, None, lag

    return change


def _undoing(variant: int, *, holds_stops: bool, **events: int) -> Mix:
    """Every third order is refused, and whatever else there is."""

    def change(weather: Any) -> None:
        _only({}, **events)(weather)
        weather.variant, weather.holds_stops, weather.frictions = variant, holds_stops, {"reject": FRACTION_ONE // 3}

    return Mix(change)


WATCHED, PARTS, TRAILING = _undoing(0, holds_stops=False), _undoing(2, holds_stops=False), _undoing(3, holds_stops=True, trick=12, cut=4)

# Those that the drawn worlds show late or not at all.
MIXES: dict[str, Mix] = {
    # What was read together and not decided yet is lost when the group forgets who has it and then the core dies.
    "place behind what was not taken yet": Mix(_only({"poison": 0.3, "doubles": 0.2}, lag=0.2, crash=4, group_gone=4)),
    "undone close forgotten": WATCHED,
    "undone close asked again and lost": WATCHED,
    "undone close never asked again": WATCHED,
    "part by a rule left to a level": PARTS,
    "target of an undone part gone": PARTS,
    "undone level watched by nobody": TRAILING,
    "undone level never asked again": TRAILING,
    "level that the broker took watched on": TRAILING,
    "watched level passed": WATCHED,
    "watched level met at the beat": WATCHED,
    "watched level given up when its close was refused": WATCHED,
}

PLANTED: dict[str, Plant] = {
    "ack before commit": _patched(LiveCore, "_judge", _judge_and_ack),
    "ack although the commit failed": _patched(LiveCore, "_committed", _commit_and_ack_all),
    "resend on reconnect": _patched(LiveCore, "_hear", _hear_and_resend),
    "unknown taken as rejected": _patched(LiveCore, "alarm", _alarm_and_give_up),
    "given up without quarantine": _patched(Engine, "lapse", lambda self, _: _lapse(self, self.account.lives.unknown())),
    "never given up": _patched(Engine, "lapse", lambda *_: None),
    "read, not judged and lost untold": _patched(Unjudged, "spans", lambda _: []),
    "dedupe off": _patched(Session, "is_judged", lambda *_: False),
    "redelivery decided twice": _judge_by_this_life,
    "outcomes of long ago not known": _patched(SimulatedJournal, "knows", _know_the_last),
    "transaction gap ignored": _patched(core_module, "max", lambda *_: 1 << 60),
    "transaction booked twice": _patched(Engine, "tell", _tell_all),
    "transaction left out": _patched(Engine, "tell", _tell_not_all),
    "commit after send": _patched(Session, "commit", _commit_late),
    "sent although the commit failed": _patched(Session, "commit", _commit_whatever_comes),
    "never synced": _write_and_never_sync,
    "recover skips the last entry": _patched(Session, "recover", _recover_but_the_last),
    "place in the stream forgotten": _patched(live_world, "position_of", lambda _: None),
    "place behind what was not taken yet": _patched(LiveCore, "place", property(_place_of_the_batch)),
    "partial fills booked whole": _patched(LiveAccount, "_book_entry", _enter_wholly),
    "part of an order taken for all of it": _patched(OrderLives, "tell", _life_without_partial),
    "late order not adopted": _patched(OrderLives, "tell", _life_without_adoption),
    "late fill dropped": _patched(LiveAccount, "_book_entry", _enter_unless_late),
    "cash rounded": _patched(LiveAccount, "_book", _book_to_the_cent),
    "broker pays too much": _patched(PricedBroker, "_tell", _tell_too_much),
    "gate ignored": _ignore_the_gate,
    "stop ignored": _ignore_shuttings,
    "no hello after the gate was re-armed": _patched(guarded_broker, "HELLO", "never"),
    "ids used again": _patched(LiveAccount, "next_id", _next_id_again),
    "unknown forgotten by its cancel": _patched(OrderLives, "ask", _ask_and_know),
    "late refusal is a mismatch": _patched(order_lives, "ENDINGS", frozenset()),
    "entries on a full disk": _patched(SimulatedJournal, "is_full", property(_never_full)),
    "wait for a bar behind the first": _patched(StrategyEvaluationService, "_next", _next_of_any),
    "undone close forgotten": _patched(undone, "_reopen", _reopen_and_forget),
    "undone close asked again and lost": _patched(Undone, "order", _forget_what_is_undone),
    "undone close never asked again": _patched(LiveCore, "_ask_again", lambda _: None),
    "part by a rule left to a level": _patched(WatchedExits, "refused", _refused_and_left),
    "target of an undone part gone": _patched(WatchedExits, "refused", _refused_without_target),
    "undone level watched by nobody": _patched(undone, "_keep_here", _keep_nowhere),
    "undone level never asked again": _patched(Undone, "order", _order_without_levels),
    "level that the broker took watched on": _patched(LiveAccount, "_protect", _protect_and_watch_on),
    "watched level passed": _patched(WatchedExits, "order", lambda *_: None),
    "watched level met at the beat": _patched(WatchedExits, "is_touched", lambda *_: False),
    "watched level given up when its close was refused": _patched(watched_exits, "AGAIN_US", 1 << 60),
    "halted and never begun again": _patched(LiveCore, "_trade", _trade_at_once),
}
