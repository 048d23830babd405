"""A broker and a network in virtual time around the guardian: late, partial, rejected, lost; and the guardian is killed."""

import heapq
import itertools
import random
from collections.abc import Callable
from typing import Any

from sptrader_desktop.guardian.guard import Guard
from sptrader_desktop.guardian.latch import Account, Latch
from sptrader_desktop.guardian.lines import Message
from sptrader_desktop.guardian.sweep import Terms

STEP = 0.1
FAULTS_END, WORLD_ENDS = 20.0, 75.0
LATEST = 20.0  # what a lost connection had underway lands by then, or never


class World:
    """Is the outside of the guard too: its disk and its connection. `crossed` are closes that landed on less than they asked for."""

    def __init__(self, seed: int, terms: Terms | None = None) -> None:
        self.chance = random.Random(seed)
        self.terms = terms or Terms(quarantine=5.0)
        self.now = 0.0
        self.orders: set[str] = {f"order-{number}" for number in range(self.chance.randint(0, 5))}
        self.positions = {number: self.chance.randint(1, 100) for number in range(self.chance.randint(0, 4))}
        self.transactions: list[Message] = []
        self.crossed: list[Message] = []
        self.opened = 1000
        self.ids: list[str] = []
        self.disk: Latch | None = None
        self.lives = self.connection = 0
        self.is_up = False
        self.delay = self.chance.choice([0.0, 0.01, 0.3])
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self.guard = self._new_guard()

    # The outside of the guard

    def keep(self, latch: Latch | None) -> str:
        self.disk = latch
        return ""

    def remember(self, account: Account) -> None:
        raise AssertionError(f"no core said {account}")

    def to_broker(self, message: Message) -> None:
        if self.is_up:
            self.ids.append(message.get("id", f"hello-{len(self.ids)}"))
            connection = self.connection
            self._later(self.delay, lambda: self._arrive(message, connection))

    def to_core(self, message: Message) -> None:
        pass

    def mark(self) -> None:
        pass

    def is_drained(self) -> bool:
        return True

    def refused(self) -> int:
        return 0

    # Time

    def run(self) -> None:
        """Stopped with everything to be closed at a random moment, then faults, then peace."""
        stop_at = self.chance.uniform(0, 2)
        for step in range(int(WORLD_ENDS / STEP)):
            self.now = step * STEP
            while self._due and self._due[0][0] <= self.now:
                heapq.heappop(self._due)[2]()
            if stop_at <= self.now:
                stop_at = WORLD_ENDS
                self.guard.control({"do": "stop", "flatten": True, "by": "a test"}, self.now, 0)
            if self.now < FAULTS_END:
                self._go_wrong()
            if not self.is_up and self.chance.random() < 0.2:
                self._connect()
            self.guard.tick(self.now, 0)

    def _go_wrong(self) -> None:
        draw = self.chance.random()
        if draw < 0.02:
            self._drop()
        elif draw < 0.03:
            self._drop()
            self.guard = self._new_guard()
        elif draw < 0.05:
            self.orders.add(f"late-{self.now:.1f}")
            self._tell("accepted", f"late-{self.now:.1f}")
        elif draw < 0.07 and self.orders:
            self._fill(min(self.orders))

    def _new_guard(self) -> Guard:
        self.lives += 1
        return Guard(self.terms, self, f"life-{self.lives}", self.disk, Account("paper-1", self.chance.choice([0, 0, 10_000])))

    def _later(self, seconds: float, work: Callable[[], None]) -> None:
        heapq.heappush(self._due, (self.now + seconds, next(self._numbers), work))

    # The network

    def _connect(self) -> None:
        self.is_up = True
        self.connection += 1
        self.guard.broker_connected()

    def _drop(self) -> None:
        if self.is_up:
            self.is_up = False
            self.guard.broker_lost()

    def _arrive(self, message: Message, connection: int) -> None:
        if self.is_up and connection == self.connection:
            self._perform(message)
        elif self.chance.random() < 0.7 and message["do"] not in {"hello", "snapshot"}:
            self._later(self.chance.uniform(0, LATEST), lambda: self._perform(message))

    def _say(self, message: Message) -> None:
        def deliver(connection: int = self.connection) -> None:
            if self.is_up and connection == self.connection:
                self.guard.broker_line(message, self.now)

        if self.is_up:
            self._later(self.delay, deliver)

    # The broker

    def _perform(self, message: Message) -> None:
        match message["do"]:
            case "hello" if message["since"] > len(self.transactions):
                self._say({"is": "refused", "id": None, "why": "that was never told here"})
                self._later(self.delay, self._drop)
            case "hello":
                self._say({"is": "hello", "account": "paper-1", "environment": "paper", "currency": "USD", "n": len(self.transactions)})
                for transaction in self.transactions[message["since"] :]:
                    self._say(transaction)
            case "snapshot":
                positions = [{"position": name, "quantity": quantity} for name, quantity in self.positions.items()]
                orders = [{"id": order} for order in sorted(self.orders)]
                found = {"n": len(self.transactions), "cash": 0, "positions": positions, "orders": orders}
                self._say({"is": "snapshot", "id": message["id"], **found})
            case "cancel":
                self._cancel(message)
            case "close":
                if self.chance.random() < 0.5:
                    self._tell("accepted", message["id"], position=message["position"])
                self._later(self.chance.choice([0.0, 0.0, 0.05, 2.0]), lambda: self._close(message))

    def _tell(self, what: str, key: str, **figures: Any) -> None:
        self.transactions.append({"is": "transaction", "n": len(self.transactions) + 1, "what": what, "id": key, **figures, "cash": 0})
        self._say(self.transactions[-1])

    def _fill(self, order: str) -> None:
        self.orders.discard(order)
        self.opened += 1
        self.positions[self.opened] = self.chance.randint(1, 100)
        self._tell("filled", order)

    def _cancel(self, message: Message) -> None:
        order = message["order"]
        if order not in self.orders or (self.now < FAULTS_END and self.chance.random() < 0.3):
            self._tell("cancel_rejected", message["id"], order=order)
        else:
            self.orders.discard(order)
            self._tell("cancelled", order)

    def _close(self, message: Message) -> None:
        position, quantity = message["position"], message["quantity"]
        if self.now < FAULTS_END and self.chance.random() < 0.2:
            self._tell("rejected", message["id"])
            return
        if quantity > self.positions.get(position, 0):
            self.crossed.append(message)
            return
        done = quantity if quantity == 1 or self.now > FAULTS_END else self.chance.randint(1, quantity)
        self.positions[position] -= done
        if not self.positions[position]:
            del self.positions[position]
        self._tell("closed", message["id"], position=position, quantity=done)
