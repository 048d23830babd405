"""The guardian's loop: sockets and files for `Guard`. Control comes first in every turn, so that no flood keeps a stop waiting."""

import contextlib
import os
import selectors
import signal
import socket
import sys
from collections import deque
from datetime import UTC, datetime

from sptrader_desktop.guardian.bridge import Bridge
from sptrader_desktop.guardian.clock import now, now_ns
from sptrader_desktop.guardian.connections import Connection, begun
from sptrader_desktop.guardian.guard import Guard
from sptrader_desktop.guardian.hot_key import HotKey
from sptrader_desktop.guardian.latch import Account, Latch, read_account, read_latch, write_account, write_latch
from sptrader_desktop.guardian.lines import LONGEST_OF_BROKER, LineError, Message, parsed, written
from sptrader_desktop.guardian.places import Places, address_of
from sptrader_desktop.guardian.precedence import settle
from sptrader_desktop.guardian.sweep import Terms

TURN, LINES_A_TURN, FAREWELL = 0.05, 32, 1.0
MOST_CLIENTS = 64
MOST_DRAINING = 32  # connections whose broker has not read yet what was let out: one that never reads takes no more of them
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0


class Server:
    def __init__(self, places: Places, broker: str, terms: Terms, control: socket.socket, orders: socket.socket, name: str) -> None:
        self._places, self._address, self._terms = places, address_of(broker), terms
        self._selector = selectors.DefaultSelector()
        self._control, self._orders = control, orders
        self._clients: list[Connection] = []
        self._bridge: Bridge | None = None
        self._draining: list[Bridge] = []
        self._leaving: deque[tuple[float, socket.socket]] = deque()  # refused, and closed when they have heard why
        self._own: Connection | None = None
        self._pause, self._try_at = FIRST_PAUSE, 0.0
        self._is_asked_to_end = False
        self._said = ""
        self._hot_key = HotKey(places.folder)
        self._needed_at = now()
        self.guard = Guard(terms, self, name, read_latch(places.latch), read_account(places.account), broker)

    # The loop

    def run(self) -> None:
        for listener in (self._control, self._orders):
            self._selector.register(listener, selectors.EVENT_READ, listener)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)
        self._hot_key.start()
        settle()
        is_more = False
        while not self._is_asked_to_end:
            ready = self._selector.select(0 if is_more else TURN)
            is_more = self._turn([(key.data, mask) for key, mask in ready])
        for place in (self._places.control, self._places.orders):
            place.unlink(missing_ok=True)

    def _turn(self, ready: list[tuple[Connection | socket.socket, int]]) -> bool:
        """What fell silent is found before anything is heard: if this process slept, everything it hears is old."""
        self.guard.tick(now(), now_ns())
        for item, mask in sorted(ready, key=lambda each: each[0] is not self._control and each[0] not in self._clients):
            if isinstance(item, Connection):
                item.ready(mask)
                if item in self._clients:
                    item.work(LINES_A_TURN)
            elif item is self._control:
                self._accept_client()
            else:
                self._accept_core()
        self._let_go()
        self._reach_broker()
        own = [self._own] if self._own else []
        bridges = [self._bridge] if self._bridge else []
        connections: list[Connection] = [*self._clients, *own]
        have_more = [item.work(LINES_A_TURN) for item in connections]
        have_more += [item.work(LINES_A_TURN) for item in (*bridges, *self._draining)]
        self._leave_when_idle()
        return any(have_more)

    def _end(self, *_: object) -> None:
        self._is_asked_to_end = True

    def _leave_when_idle(self) -> None:
        """Nobody is watched, nothing is left to do: the latch, if there is one, is on disk."""
        if self._bridge or self._draining or not self.guard.is_idle(now()):
            self._needed_at = now()
        elif now() - self._needed_at > self._terms.idle:
            self._is_asked_to_end = True

    # Who comes

    def _accept_client(self) -> None:
        while (sock := _accepted(self._control)) is not None:
            self._add_client(sock)

    def _add_client(self, sock: socket.socket) -> None:
        if len(self._clients) >= MOST_CLIENTS:
            self._clients[0].close()
        client = Connection(
            self._selector, sock, lambda line: self._heard(client, line), lambda: self._clients.remove(client), most_unsent=1 << 20
        )
        self._clients.append(client)
        client.ready(selectors.EVENT_READ)
        client.work(LINES_A_TURN)

    def _heard(self, client: Connection, line: bytes) -> None:
        self._clients.remove(client)
        self._clients.append(client)  # the first is the one that has been silent for longest
        try:
            message = parsed(line)
            before = self.guard.gate.reasons()
            answer = self.guard.control(message, now(), now_ns()) | {"pid": os.getpid(), "hot_key": self._hot_key.told()}
            if self.guard.gate.reasons() != before:
                self._log(f"{message.get('do')} {message.get('from') or message.get('by')}: shut by {self.guard.gate.reasons()}")
        except LineError as error:
            answer = {"is": "refused", "why": str(error)}
        client.write(written(answer))

    def _accept_core(self) -> None:
        core = _accepted(self._orders)
        if core is None:
            return
        has_room = not self._bridge and len(self._draining) < MOST_DRAINING
        broker = begun(*self._address) if has_room else None
        if broker is None:
            why = {"is": "refused", "id": None, "why": "another core is connected"} if self._bridge else {"is": "lost", "what": "broker"}
            self._say_last(core, why)
            return
        self._bridge = Bridge(
            self._selector,
            core,
            broker,
            self.guard.gate,
            self._core_hello,
            self._core_gone,
            self._bridge_ended,
        )

    def _say_last(self, sock: socket.socket, message: Message) -> None:
        """Closed at once it would take the words along, if something unread had come meanwhile."""
        sock.settimeout(0.0)
        with contextlib.suppress(OSError):
            sock.send(written(message))
            sock.shutdown(socket.SHUT_WR)
        self._leaving.append((now() + FAREWELL, sock))

    def _let_go(self) -> None:
        while self._leaving and (self._leaving[0][0] < now() or len(self._leaving) > MOST_CLIENTS):
            self._leaving.popleft()[1].close()

    def _core_hello(self, hello: Message) -> None:
        before = self.guard.account
        self.guard.core_hello(hello, now())
        if self._own and before and self.guard.account and before.name != self.guard.account.name:
            self._own.close()

    def _core_gone(self) -> None:
        self.guard.core_gone()
        if self._bridge:
            self._draining.append(self._bridge)
            self._bridge = None
        self._log("the core's connection is gone")

    def _bridge_ended(self, bridge: Bridge) -> None:
        if bridge in self._draining:
            self._draining.remove(bridge)

    # The guardian's own connection to the broker

    def _reach_broker(self) -> None:
        if self._own is not None or self.guard.account is None or now() < self._try_at:
            return
        self._try_at = now() + self._pause
        self._pause = min(2 * self._pause, LONGEST_PAUSE)
        found = begun(*self._address)
        if found is not None:
            sock, is_connecting = found
            self._own = Connection(
                self._selector, sock, self._broker_said, self._broker_lost, longest=LONGEST_OF_BROKER, is_connecting=is_connecting
            )
            self.guard.broker_connected()

    def _broker_said(self, line: bytes) -> None:
        try:
            self.guard.broker_line(parsed(line), now())
            self._pause = FIRST_PAUSE
        except LineError as error:
            self._log(f"the broker said what nobody understands: {error}")
            if self._own:
                self._own.close()

    def _broker_lost(self) -> None:
        self._own = None
        self.guard.broker_lost()

    # What the guard does

    def keep(self, latch: Latch | None) -> str:
        try:
            write_latch(self._places.latch, latch)
        except OSError as error:
            self._log(f"{self._places.latch}: {error.strerror}")
            return f"{self._places.latch} cannot be written ({error.strerror})"
        return ""

    def remember(self, account: Account) -> None:
        try:
            write_account(self._places.account, account)
        except OSError as error:
            self._log(f"{self._places.account}: {error.strerror}")

    def to_broker(self, message: Message) -> None:
        if self._own:
            self._own.write(written(message))

    def to_core(self, message: Message) -> None:
        if self._bridge:
            self._bridge.tell_core(message)

    def mark(self) -> None:
        if self._bridge:
            self._bridge.mark()

    def is_drained(self) -> bool:
        return not self._draining and (self._bridge is None or self._bridge.is_drained)

    def refused(self) -> int:
        """Orders of the core that is connected."""
        return self._bridge.pipe.refused if self._bridge else 0

    def _log(self, text: str) -> None:
        if text != self._said:
            self._said = text
            with contextlib.suppress(OSError):  # a full disk must not end what guards
                sys.stderr.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {text}\n")
                sys.stderr.flush()


def _accepted(listener: socket.socket) -> socket.socket | None:
    try:
        return listener.accept()[0]
    except OSError:
        return None
