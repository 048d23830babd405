"""A broker that does what a script says, on a real socket, with a ledger that is the truth: late, partial, rejecting, slow, or gone.

It keeps every line with the connection and the moment it was read, and whether any close ever took a position beyond zero.
"""

import heapq
import itertools
import selectors
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sptrader_desktop.guardian.clock import now, now_ns
from sptrader_desktop.guardian.lines import LineBuffer, Message, parsed, written
from sptrader_desktop.guardian.pipe import MARK, ORDERS

CHUNK = 4096


@dataclass(slots=True)
class Script:
    """Seconds and counts. `accept_after` holds orders back, `per_line` is what each line takes to be read."""

    accept_after: float = 0.0
    close_after: float = 0.0
    per_line: float = 0.0
    reject_closes: int = 0
    partial_closes: int = 0
    swallow_closes: int = 0  # carried out, but the connection is lost before the answer
    fill_cancelled: int = 0  # so many cancels come too late: their order is filled


@dataclass(slots=True)
class Heard:
    connection: int
    at_ns: int
    message: Message


@dataclass(slots=True, eq=False)
class _Peer:
    sock: socket.socket
    number: int
    lines: LineBuffer = field(default_factory=LineBuffer)
    waiting: list[bytes] = field(default_factory=list)
    unsent: bytes = b""
    is_told: bool = False
    next_at: float = 0.0
    has_ended: bool = False


class ScriptedBroker:
    def __init__(self, path: Path, script: Script | None = None) -> None:
        self.path, self.script = path, script or Script()
        self.orders: dict[str, Message] = {}
        self.positions: dict[str, int] = {}
        self.transactions: list[Message] = []
        self.heard: list[Heard] = []
        self.crossed: list[Message] = []
        self._peers: list[_Peer] = []
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._selector = selectors.DefaultSelector()
        self._listener: socket.socket | None = None
        self._is_over = False
        self._commands: list[Callable[[], None]] = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    # For the test's thread

    def __enter__(self) -> "ScriptedBroker":
        self._listen()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over = True
        self._thread.join(10)
        assert not self._thread.is_alive()

    def go_away(self) -> None:
        self._do(self._gone)

    def come_back(self) -> None:
        self._do(self._listen)

    def hold(self, position: str, quantity: int) -> None:
        self._do(lambda: self.positions.__setitem__(position, quantity))

    def rest(self, order: str) -> None:
        """An order that works at the broker, and that nobody here remembers."""
        self._do(lambda: self._accept({"id": order, "kind": "limit", "quantity": 1, "symbol": "EURUSD", "side": 1, "level": 100}))

    def _do(self, command: Callable[[], None]) -> None:
        done = threading.Event()
        self._commands += [command, done.set]
        assert done.wait(10)

    def orders_heard(self) -> int:
        return sum(item.message["do"] in ORDERS for item in list(self.heard))

    def orders_after_the_gate(self) -> list[Message]:
        """On each connection what came after the guardian's mark and before a new hello: the order of bytes decides, no clock."""
        shut: set[int] = set()
        found = []
        for item in list(self.heard):
            do, key = item.message["do"], item.message.get("id")
            if do == "ping" and key == MARK:
                shut.add(item.connection)
            elif do == "hello":
                shut.discard(item.connection)
            elif do in ORDERS and item.connection in shut:
                found.append(item.message)
        return found

    def marks(self) -> int:
        return sum(item.message.get("id") == MARK for item in list(self.heard))

    # The loop

    def _listen(self) -> None:
        self.path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(self.path))
        self._listener.listen(64)
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ, None)

    def _gone(self) -> None:
        if self._listener:
            self._selector.unregister(self._listener)
            self._listener.close()
            self._listener = None
        for peer in list(self._peers):
            self._drop(peer)

    def _drop(self, peer: _Peer) -> None:
        if peer in self._peers:
            self._peers.remove(peer)
            if not peer.has_ended:
                self._selector.unregister(peer.sock)
            peer.sock.close()

    def _run(self) -> None:
        while not self._is_over:
            for key, _ in self._selector.select(0.001):
                if key.data is None:
                    self._accept_peer()
                else:
                    self._receive(key.data)
            while self._commands:
                self._commands.pop(0)()
            while self._due and self._due[0][0] <= now():
                heapq.heappop(self._due)[2]()
            for peer in list(self._peers):
                self._work(peer)
        self._gone()
        self._selector.close()

    def _later(self, seconds: float, work: Callable[[], None]) -> None:
        if seconds:
            heapq.heappush(self._due, (now() + seconds, next(self._numbers), work))
        else:
            work()

    def _accept_peer(self) -> None:
        assert self._listener
        sock, _ = self._listener.accept()
        sock.setblocking(False)
        peer = _Peer(sock, next(self._numbers))
        self._peers.append(peer)
        self._selector.register(sock, selectors.EVENT_READ, peer)

    def _receive(self, peer: _Peer) -> None:
        """What is not read yet stays with the system, as with any slow reader."""
        if peer.waiting or peer.has_ended:
            return
        try:
            data = peer.sock.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            self._drop(peer)
            return
        if not data:
            peer.has_ended = True
            self._selector.unregister(peer.sock)
            return
        peer.lines.feed(data)
        while (line := peer.lines.pop()) is not None:
            peer.waiting.append(line)

    def _work(self, peer: _Peer) -> None:
        while peer.waiting and now() >= peer.next_at and peer in self._peers:
            message = parsed(peer.waiting.pop(0))
            self.heard.append(Heard(peer.number, now_ns(), message))
            if self.script.per_line:
                peer.next_at = now() + self.script.per_line
            self._perform(peer, message)
        if peer in self._peers:
            self._flush(peer)
            if peer.has_ended and not peer.waiting:
                self._drop(peer)

    def _say(self, peer: _Peer, message: Message) -> None:
        peer.unsent += written(message)
        self._flush(peer)

    def _flush(self, peer: _Peer) -> None:
        try:
            while peer.unsent and peer in self._peers:
                peer.unsent = peer.unsent[peer.sock.send(peer.unsent) :]
        except BlockingIOError:
            pass
        except OSError:
            self._drop(peer)

    # What it does

    def _perform(self, peer: _Peer, message: Message) -> None:
        match message["do"]:
            case "hello":
                n = len(self.transactions)
                self._say(peer, {"is": "hello", "account": message["account"], "environment": "paper", "currency": "USD", "n": n})
                for transaction in self.transactions[message["since"] :]:
                    self._say(peer, transaction)
                peer.is_told = True
            case "place":
                self._later(self.script.accept_after, lambda: self._accept(message))
            case "cancel":
                self._cancel(message)
            case "close":
                self._close(message)
            case "snapshot":
                self._say(peer, self._snapshot(message["id"]))
            case "ping":
                self._say(peer, {"is": "pong"})

    def _tell(self, what: str, key: str, **figures: Any) -> None:
        message = {"is": "transaction", "n": len(self.transactions) + 1, "what": what, "id": key, **figures, "cash": 10**12}
        self.transactions.append(message)
        for peer in list(self._peers):
            if peer.is_told:
                self._say(peer, message)

    def _accept(self, order: Message) -> None:
        self._tell("accepted", order["id"])
        if order["kind"] == "market":
            self._fill(order)
        else:
            self.orders[order["id"]] = order

    def _fill(self, order: Message) -> None:
        self.positions[order["id"]] = order["quantity"]
        self._tell("filled", order["id"], position=order["id"], quantity=order["quantity"])

    def _cancel(self, message: Message) -> None:
        order = self.orders.pop(message["order"], None)
        if order is not None and self.script.fill_cancelled:
            self.script.fill_cancelled -= 1
            self._fill(order)
            order = None
        if order is None:
            self._tell("cancel_rejected", message["id"], order=message["order"])
        else:
            self._tell("cancelled", message["order"])

    def _close(self, message: Message) -> None:
        if self.script.reject_closes:
            self.script.reject_closes -= 1
            self._tell("rejected", message["id"], reason="market closed")
            return
        self._later(self.script.close_after, lambda: self._land(message))
        if self.script.swallow_closes:
            self.script.swallow_closes -= 1
            for peer in list(self._peers):
                self._drop(peer)

    def _land(self, message: Message) -> None:
        """Nothing here keeps a close from going too far: that nobody asks for too much is what is tested."""
        position, quantity = message["position"], message["quantity"]
        is_partial = self.script.partial_closes > 0 and quantity > 1
        if is_partial:
            self.script.partial_closes -= 1
            quantity //= 2
        left = self.positions.get(position, 0) - quantity
        if left < 0:
            self.crossed.append(message)
        self.positions.pop(position, None)
        if left:
            self.positions[position] = left
        self._tell("closed", message["id"], position=position, quantity=quantity)

    def _snapshot(self, key: str) -> Message:
        positions = [
            {"position": name, "symbol": "EURUSD", "side": 1, "quantity": quantity, "price": 100, "stop": 90, "target": None}
            for name, quantity in self.positions.items()
        ]
        orders = [
            {name: order.get(name) for name in ("id", "symbol", "side", "kind", "quantity", "level")} for order in self.orders.values()
        ]
        return {"is": "snapshot", "id": key, "n": len(self.transactions), "cash": 10**12, "positions": positions, "orders": orders}
