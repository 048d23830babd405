"""The paper broker behind sockets: what came in one turn of the loop is done, committed once, and only then told.

Everybody who said hello is told every transaction in its order, from the one it named; who reads slowly is told slowly and holds up nobody.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from sptrader_desktop.adapters.broker_line_values import BrokerLineError
from sptrader_desktop.adapters.broker_lines import LONGEST_ASKED, Fault, Price, asked_in, line_of
from sptrader_desktop.adapters.paper_broker_faults import Faults
from sptrader_desktop.adapters.sqlite_paper_ledger import Answered, PaperLedger
from sptrader_desktop.core.broker_messages import (
    Answer,
    Asked,
    AskSnapshot,
    Cancel,
    Close,
    Hello,
    Ping,
    Place,
    Pong,
    Protect,
    Refused,
    Request,
    Transaction,
    Welcome,
)
from sptrader_desktop.core.errors import SptraderError
from sptrader_desktop.core.simulation import exact_or_refused
from sptrader_desktop.runtime.live.paper_prices import PricedBroker
from sptrader_desktop.runtime.live.paper_state import snapshot_of, state_of

QUIET_S = 1.0  # prices alone are written down so often
AHEAD_US = 5_000_000  # a price of later than that would make all true ones look late
ENVIRONMENT = "paper"
LONGEST_WHY = 300

_Said = Asked | Price | Fault


class Peer(asyncio.Protocol):
    """One connection. `told` is the number of the last transaction it was told; there is none before its hello."""

    def __init__(self, server: "BrokerServer") -> None:
        self.server = server
        self.has_greeted, self.told = False, 0
        self.dropped: set[int] = set()
        self.doubled: set[int] = set()
        self._transport: asyncio.Transport | None = None
        self._unread = b""
        self._is_paused = False
        self._answers: deque[tuple[int, bytes]] = deque()  # and after which transaction each may be told
        self._lines: deque[bytes] = deque()  # transactions that follow `told`

    # The connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.server.peers.append(self)

    def connection_lost(self, _: Exception | None) -> None:
        self._transport = None
        self.server.left(self)

    def data_received(self, data: bytes) -> None:
        *lines, self._unread = (self._unread + data).split(b"\n")
        for line in lines:
            self.server.heard(self, line)
        if len(self._unread) > LONGEST_ASKED:
            self.server.heard(self, self._unread)
            self._unread = b""

    def pause_writing(self) -> None:
        self._is_paused = True

    def resume_writing(self) -> None:
        self._is_paused = False
        self.server.soon()

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def cut(self) -> None:
        """What was not sent yet is lost."""
        if self._transport is not None:
            self._transport.abort()

    def refuse(self, why: str) -> None:
        """Whoever does not speak the protocol is not listened to any longer."""
        if self._transport is not None:
            self._transport.write(line_of(Refused(None, why[:LONGEST_WHY])))
            self._transport.close()

    # Telling

    def answer(self, message: Answer, after: int = 0) -> None:
        self._answers.append((after, line_of(message)))

    def repeat(self, lines: Iterable[bytes], after: int) -> None:
        self._answers += [(after, line) for line in lines]

    def pump(self, last: int, lines_after: Callable[[int], Sequence[bytes]]) -> None:
        """All that it may be told now and has room for."""
        while self._transport is not None and self.is_open and not self._is_paused:
            if self._answers and (not self.has_greeted or self._answers[0][0] <= self.told):
                self._transport.write(self._answers.popleft()[1])
            elif self.has_greeted and self.told < last:
                self._tell_next(self._transport, lines_after)
            else:
                return

    def _tell_next(self, transport: asyncio.Transport, lines_after: Callable[[int], Sequence[bytes]]) -> None:
        if not self._lines:
            self._lines += lines_after(self.told)
        line = self._lines.popleft()
        self.told += 1
        if self.told not in self.dropped:
            transport.write(line * (1 + (self.told in self.doubled)))
        self.dropped.discard(self.told)
        self.doubled.discard(self.told)


class BrokerServer:
    """`fresh` gives the broker by the terms as they are now, or raises; `failed` is called when nothing may go on.

    `has_clock`: a request's time is this computer's, else the market's.
    """

    def __init__(
        self,
        account: tuple[str, str],
        broker: PricedBroker,
        ledger: PaperLedger,
        fresh: Callable[[PricedBroker], PricedBroker],
        failed: Callable[[SptraderError], None],
        *,
        has_clock: bool,
        faults: Faults | None,
    ) -> None:
        self.peers: list[Peer] = []
        self._account, self._broker, self._ledger, self._fresh, self._failed = account, broker, ledger, fresh, failed
        self._has_clock, self._faults = has_clock, faults
        self._inbox: deque[tuple[Peer | None, _Said]] = deque()
        self._told: list[Transaction] = []
        self._answered: dict[str, Answered] = {}
        self._is_changed = self._is_due = False
        self._written_at = 0.0
        self._loop = asyncio.get_running_loop()

    # What comes

    def heard(self, peer: Peer, line: bytes) -> None:
        if not peer.is_open:
            return
        try:
            self._put(peer, asked_in(line))
        except BrokerLineError as error:
            peer.refuse(str(error))

    def prices(self, prices: Iterable[Price]) -> None:
        for price in prices:
            self._put(None, price)

    def left(self, peer: Peer) -> None:
        """What it asked before it left is still done."""
        self.peers.remove(peer)

    def _put(self, peer: Peer | None, said: _Said) -> None:
        late = self._faults.lateness() if self._faults and isinstance(said, Request) else 0.0
        if late:
            self._loop.call_later(late, self._put_now, peer, said)
        else:
            self._put_now(peer, said)

    def _put_now(self, peer: Peer | None, said: _Said) -> None:
        self._inbox.append((peer, said))
        self.soon()

    def soon(self, seconds: float = 0.0) -> None:
        if not self._is_due:
            self._is_due = True
            self._loop.call_later(seconds, self.turn)

    # One turn

    def turn(self) -> None:
        """The only place in which anything is done."""
        self._is_due = False
        silent = self._faults.silent_until - self._loop.time() if self._faults else 0.0
        if silent > 0:
            self.soon(silent)
            return
        try:
            with exact_or_refused():
                while self._inbox:
                    self._perform(*self._inbox.popleft())
            self._commit()
            for peer in list(self.peers):
                self._pump(peer)
        except SptraderError as error:
            self._failed(error)

    def _perform(self, peer: Peer | None, said: _Said) -> None:
        if isinstance(said, Price):
            self._take_price(peer, said)
        elif peer is None:
            pass
        elif isinstance(said, Fault):
            self._arm(peer, said)
        elif isinstance(said, Ping):
            peer.answer(Pong(self._broker.n), self._broker.n)
        elif isinstance(said, Hello):
            self._greet(peer, said)
        elif not peer.has_greeted:
            peer.refuse("say hello first")
        elif isinstance(said, AskSnapshot):
            peer.answer(snapshot_of(self._broker, said.id), self._broker.n)
        else:
            self._carry_out(peer, said)

    def _take_price(self, peer: Peer | None, price: Price) -> None:
        if peer is not None and self._has_clock:
            peer.refuse("prices come from elsewhere")
            return
        now = self._now()
        if now is not None and price.at > now + AHEAD_US:
            return
        self._note(self._broker.price(price.symbol, price.at, price.raw, price.ask, now))
        self._is_changed = True

    def _arm(self, peer: Peer, fault: Fault) -> None:
        if self._faults is None:
            peer.refuse("faults are for tests: it was not started with --faults")
            return
        try:
            self._faults.arm(fault, self._broker, self._loop.time())
        except BrokerLineError as error:
            peer.refuse(str(error))
            return
        for trade in self._faults.trades:
            self._note(self._broker.ask(trade, self._now()))
        self._faults.trades.clear()
        peer.answer(Pong(), self._broker.n)

    def _greet(self, peer: Peer, hello: Hello) -> None:
        account, currency = self._account
        if hello.account != account:
            peer.refuse(f"this is account {account}")
        elif hello.since > self._broker.n:
            peer.answer(Welcome(account, ENVIRONMENT, currency, self._broker.n))  # whoever knows of more is to see that it is less
            peer.pump(0, self._ledger.lines_after)
            peer.refuse(f"there are only {self._broker.n} transactions: {hello.since} was never told here")
        elif peer.has_greeted:
            peer.refuse("hello was said before")
        else:
            try:
                self._broker = self._fresh(self._broker)
            except SptraderError as error:
                peer.refuse(str(error))
                return
            peer.answer(Welcome(account, ENVIRONMENT, currency, self._broker.n, self._broker.holds_stops))
            peer.has_greeted, peer.told = True, hello.since

    def _carry_out(self, peer: Peer, request: Place | Close | Cancel | Protect) -> None:
        """Once for each id, for ever; who asks again is told again what became of it."""
        if request.id in self._answered or self._ledger.became_of(request.id) is not None:
            self._commit()
            peer.repeat(self._ledger.became_of(request.id) or (), self._broker.n)
            return
        if self._faults and self._faults.ends_connection("before_accept"):
            peer.cut()
            return
        first = self._broker.n + 1
        self._note(self._broker.ask(request, self._now()))
        self._answered[request.id] = request.id, first, self._broker.n
        if self._faults and self._faults.ends_connection("after_accept"):
            self._commit()
            self._cut_all()

    def _now(self) -> int | None:
        return time.time_ns() // 1000 if self._has_clock else None

    def _note(self, told: list[Transaction]) -> None:
        self._told += self._faults.skewed(told) if self._faults else told

    # On the disk, then told

    def _commit(self) -> None:
        if self._told or self._answered or (self._is_changed and self._loop.time() - self._written_at >= QUIET_S):
            self.write_down()

    def write_down(self) -> None:
        self._ledger.commit(self._told, list(self._answered.values()), state_of(self._broker))
        told, self._told, self._is_changed, self._written_at = self._told, [], False, self._loop.time()
        self._answered.clear()
        if self._faults:
            self._go_wrong(self._faults, told)

    def _go_wrong(self, faults: Faults, told: Sequence[Transaction]) -> None:
        for item in told:
            for peer in self.peers:
                peer.dropped |= {item.n} if faults.dropped else set()
                peer.doubled |= {item.n} if faults.duplicated else set()
            faults.dropped, faults.duplicated = max(0, faults.dropped - 1), max(0, faults.duplicated - 1)
        if faults.is_mid_fill(told):
            self._cut_all()

    def _cut_all(self) -> None:
        for peer in list(self.peers):
            peer.cut()

    def _pump(self, peer: Peer) -> None:
        """Nobody is told what is not on the disk: the ledger alone knows the transactions that there are."""
        wait = max(self._faults.untold_until, self._faults.silent_until) - self._loop.time() if self._faults else 0.0
        if wait > 0:
            self._loop.call_later(wait, self.soon)
            return
        peer.pump(self._ledger.n, self._ledger.lines_after)
