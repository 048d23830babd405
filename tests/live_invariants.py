"""What must hold in a simulated world after every step, and what must have come about when the faults are over."""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from sptrader_desktop.adapters.broker_lines import asked_in
from sptrader_desktop.adapters.redis_signals import GROUP, STREAM
from sptrader_desktop.core import facts
from sptrader_desktop.core.broker_messages import Cancel, Close, Place, Protect, Request
from sptrader_desktop.core.live_account import LiveAccount
from sptrader_desktop.core.reconciliation import held
from sptrader_desktop.runtime.live.clock import SECOND_US
from sptrader_desktop.runtime.live.fact_text import read_fact
from sptrader_desktop.runtime.live.paper_prices import PricedBroker
from sptrader_desktop.runtime.live.paper_state import snapshot_of
from sptrader_desktop.runtime.live.replay import UnkeptJournal
from sptrader_desktop.runtime.live.session import Session
from sptrader_desktop.runtime.live.steady_time import LATE_S
from tests.live_exit_invariants import ExitWatch
from tests.simulated_ledger import Holding, Ledger
from tests.simulated_redis import SimulatedRedis

if TYPE_CHECKING:
    from tests.live_world import Life

THROWN = re.compile(r"message (\S+) was thrown away")
GAP = re.compile(r"of (\S+) the messages (\d+) to (\d+) are missing")


class Watch:
    """`shadow` is an account that knows only what is on the disk: what is asked of anybody must follow from it."""

    def __init__(self, ledger: Ledger, new_account: Callable[[], LiveAccount], time: Callable[[], float], quarantine_us: int) -> None:
        self.ledger = ledger
        self.shadow = Session(new_account(), UnkeptJournal())
        self._new_account, self._time, self._quarantine_s = new_account, time, quarantine_us / SECOND_US
        self.exits = ExitWatch(self.shadow, time)
        self.wrong: AssertionError | None = None
        self.is_stopped = False
        self.entries = 0
        self.intents: dict[str, Request] = {}
        self.sent: dict[str, float] = {}  # when
        self.judged: dict[str, str] = {}  # what became of each signal
        self.acted_on: set[str] = set()
        self.names: dict[str, str] = {}  # id in the stream → the signal's own
        self._lost: set[str] = set()
        self._numbers: dict[str, tuple[str, int]] = {}  # of signals, by their publishers
        self._thrown: set[str] = set()
        self._first: dict[str, int] = {}  # of publishers, as they became known
        self._missing: list[tuple[str, int, int]] = []  # as it was told
        self.has_lost = False
        self.may_differ = False  # the broker's books are another's, or nobody's
        self.has_surprises = False  # orders of others, or that it told as over, are at work there

    def note(self, error: AssertionError) -> None:
        self.wrong = self.wrong or error

    def raise_what_is_wrong(self) -> None:
        if self.wrong is not None:
            raise self.wrong

    # The journal

    def kept(self, entries: Sequence[tuple[str, bytes]], account: LiveAccount | None, *, was_full: bool) -> None:
        known = len(self.intents)
        for kind, body in entries:
            self._learn(read_fact(kind, body))
        entered = [request for request in list(self.intents.values())[known:] if isinstance(request, Place)]
        assert not (was_full and entered), f"{entered} while the disk is full"
        if account is not None:
            self._compare(account)

    def _learn(self, fact: facts.Fact) -> None:
        self.entries += 1
        if isinstance(fact, facts.SignalJudged):
            assert fact.id not in self.judged, f"{fact.id} is judged twice"
            self.judged[fact.id] = fact.outcome
        if isinstance(fact, facts.SignalsRead):
            self._first = dict(fact.numbers) | self._first
        if isinstance(fact, facts.Decided | facts.Acted):
            assert not self.acted_on & set(fact.signals), f"{fact.signals} are acted on twice"
            self.acted_on |= set(fact.signals)
        if isinstance(fact, facts.TransactionSeen):
            booked = self.shadow.account.booked
            assert fact.transaction.n == booked + 1, f"transaction {fact.transaction.n} is written down after {booked}"
        if isinstance(fact, facts.RequestUnsettled) and fact.id in self.sent:
            waited = self._time() - self.sent[fact.id]
            assert waited > self._quarantine_s - LATE_S, f"{fact.id} is given up after {waited} s, and may still be done"
        self.shadow.take(fact)
        for request in self.shadow.commit():
            assert request.id not in self.intents, f"{request.id} names two requests"
            self.intents[request.id] = request
            self.exits.asked(request)
        self.exits.learned(fact)

    def _compare(self, account: LiveAccount) -> None:
        assert state_of(account) == state_of(self.shadow.account), "what is written down comes to another state than what is believed"
        assert self.may_differ or self.has_surprises or not account.mismatch, f"the books differ: {account.mismatch}"
        if account.mismatch and self.may_differ:  # it knows
            return
        n = account.booked
        assert int(account.book.account["cash"][0]) == self.ledger.cash[n], f"another cash than the broker's after transaction {n}"
        assert holdings(account) == self.ledger.held[n], f"other positions than the broker's after transaction {n}"
        self.exits.look()

    def began(self, session: Session) -> None:
        """Nothing that was on the disk is gone; what is there and nobody heard of is learned now."""
        assert session.journal.head[0] >= self.entries, "what was on the disk is gone"
        for entry in list(session.journal.read(self.entries)):
            self._learn(read_fact(entry.kind, entry.body))
        self.exits.began()
        self._compare(session.account)

    # Lines

    def left(self, line: bytes, *, is_order: bool, is_open: bool) -> None:
        """To the broker, by the core."""
        message = asked_in(line)
        if not isinstance(message, Request):
            return
        assert self.intents.get(message.id) == message, f"{message} is sent, and not written down"
        assert message.id not in self.sent or isinstance(message, Cancel), f"{message.id} is sent twice"
        assert not is_order or (is_open and not self.is_stopped), f"{message.id} passes a gate that is shut"
        self.sent[message.id] = self._time()

    def came(self, request: Request) -> None:
        is_anothers = request.id.startswith(("guardian-", "stranger-"))
        assert is_anothers or request.id in self.sent, f"{request.id} comes to the broker from nowhere"

    # Signals

    def published(self, stream_id: str, name: str) -> None:
        self.names[stream_id] = name

    def numbered(self, name: str, publisher: str, number: int) -> None:
        self._numbers[name] = publisher, number

    def alarmed(self, text: str) -> None:
        self._thrown |= {self.names.get(stream_id, "") for stream_id in THROWN.findall(text)}
        self._missing += [(name, int(first), int(last)) for name, first, last in GAP.findall(text)]
        assert self.has_lost or "are missing" not in text or STREAM not in text, f"{text}, and nothing was lost"

    def redis_lost(self, redis: SimulatedRedis) -> None:
        """What had no outcome and is there no more."""
        there = {entry[0].decode() for entry in redis.ask(("XRANGE", STREAM, "-", "+"))}
        self.has_lost |= not there >= self.names.keys()
        self._lost |= {name for stream_id, name in self.names.items() if stream_id not in there} - self.judged.keys()

    def acked(self, stream_id: str) -> None:
        name = self.names.get(stream_id, "")
        assert not name or name in self.judged or name in self._lost, f"{name} is acknowledged before its outcome is written down"

    # The end

    def settled(self, life: "Life", redis: SimulatedRedis, paper: PricedBroker) -> None:
        account, core = life.session.account, life.core
        again = Session(self._new_account(), life.journal)
        again.recover()
        assert state_of(again.account) == state_of(account), "the journal comes to another state"
        if account.halted:
            return
        assert core.is_synced.is_set(), "it has not heard all that the broker did"
        assert account.booked == self.ledger.n, f"transaction {account.booked} of {self.ledger.n} is booked"
        assert not account.lives.unknown(), f"{account.lives.unknown()} are unknown"
        self.exits.rested()
        self._agree_with(paper, account)
        coming = {item.request.id for item in paper.way}  # may find its position closed by a stop, and comes too late then
        going = [life_of.request for name, life_of in account.lives.going() if name not in coming]
        closes = {request.position for request in going if isinstance(request, Close)}
        asked = {account.symbol_of(position) for position in closes}
        assert "" not in asked
        late = set(self.names.values()) - {""} - self.judged.keys() - self._lost
        assert not late, f"{sorted(late)} have no outcome"
        self._all_losses_are_told()
        there = {entry[0].decode() for entry in redis.ask(("XRANGE", STREAM, "-", "+"))}
        left = {row[0].decode() for row in redis.ask(("XPENDING", STREAM, GROUP, "-", "+", 10_000, "core"))}
        assert not left & there, f"{sorted(left & there)} are not acknowledged"

    def _all_losses_are_told(self) -> None:
        """But for what nothing came after, and what was said before anybody knew that publisher."""
        for name in self._lost - self.judged.keys() - {""}:
            publisher, number = self._numbers[name]
            if number < self._first.get(publisher, 0):
                continue
            is_told = name in self._thrown or any(first <= number <= last for of, first, last in self._missing if of == publisher)
            assert is_told or number >= self.shadow.numbers.get(publisher, 0), (
                f"{name}, {number} of {publisher}, is lost, and nobody says so"
            )

    def _agree_with(self, paper: PricedBroker, account: LiveAccount) -> None:
        theirs = snapshot_of(paper, "end")
        assert {p.position: (p.symbol, p.side, p.quantity, p.price) for p in theirs.positions} == holdings(account)
        watched = {position.position for position in theirs.positions if account.watched.watches(account.ours(position.position))}
        unprotected = [position.position for position in theirs.positions if position.stop is None and position.position not in watched]
        assert not unprotected, f"{unprotected} have no stop at the broker"
        assert theirs.cash == int(account.book.account["cash"][0])
        if account.undone.is_empty and not any(isinstance(life.request, Protect) for _, life in account.lives.going()):
            ours_there = {position.position: position for position in theirs.positions if position.position not in watched}
            assert ours_there.items() <= held(account).items(), "other levels than the broker's"
        ours = {name for name, life in account.lives.going() if life.quantity and not isinstance(life.request, Close)}
        working = {order.id for order in theirs.orders if not order.id.startswith("stranger")}
        working -= self.ledger.ended  # what it told as ended and fills later is its own affair
        assert working == ours, f"{sorted(working)} work, and we believe {sorted(ours)}"


def holdings(account: LiveAccount) -> dict[int, Holding]:
    """By the broker's numbers."""
    rows = account.book.state.positions[: account.book.account["positions"][0]]
    names = ("number", "symbol", "side", "quantity", "entry_price")
    found: dict[int, Any] = {}
    for row in rows:
        number, symbol, side, quantity, price = (int(row[name]) for name in names)
        found[account._theirs[number]] = (account.symbols[symbol], side, quantity, price)
    return found


def state_of(account: LiveAccount) -> bytes:
    book, used = account.book, account.book.account[0]
    tables = [book.account, book.series, book.state.positions[: used["positions"]], book.state.pending[: used["pending"]]]
    tables += [book.log.orders[: used["orders"]], book.log.trades[: used["trades"]], book.log.fills[: used["fills"]]]
    told = (account.barred, account.halted, account.mismatch, account.alarms, account.alarmed, account.booked, account.equity, account.at)
    undone = account.undone.closes, sorted(account.undone.levels), sorted(account.foreign)
    watched = sorted(account.watched.unkept), account.watched.again_at, account.watched.parted, sorted(account.watched.parting)
    lives = [(name, str(life.state), life.filled) for name, life in account.lives.going()]
    return b"".join(table.tobytes() for table in tables) + repr((told, undone, watched, lives)).encode()
