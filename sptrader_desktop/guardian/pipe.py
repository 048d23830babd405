"""What goes between the core and the broker: lines in their order, of orders only those that the gate lets out when they are written."""

from collections import deque
from dataclasses import dataclass

from sptrader_desktop.guardian.gate import Gate
from sptrader_desktop.guardian.lines import LineError, Message, parsed, text_of, written

ORDERS = {"place", "close", "protect"}
HARMLESS = {"hello", "cancel", "snapshot", "ping"}
MOST_WAITING = 256
MARK = "guardian-mark"


@dataclass(frozen=True, slots=True)
class _Waiting:
    line: bytes
    order: str = ""  # its id, where it is one
    shuttings: int = 0


class Pipe:
    """`take` is the only way out to the broker. After a mark the broker's answer shows that it read everything before it."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._waiting: deque[_Waiting] = deque()
        self._has_hello = False
        self._pings: deque[bool] = deque()  # on their way to the broker: whether it is our mark
        self.refusals: deque[bytes] = deque()  # for the core
        self.refused = 0

    @property
    def is_full(self) -> bool:
        return len(self._waiting) >= MOST_WAITING

    @property
    def is_drained(self) -> bool:
        return True not in self._pings

    def from_core(self, line: bytes) -> Message | None:
        """The message, if it is a hello; what cannot be understood, or is not allowed, is answered and goes nowhere."""
        try:
            message = parsed(line)
            do = text_of(message, "do")
            if do in ORDERS:
                self._put_order(line, text_of(message, "id"))
                return None
            if do not in HARMLESS:
                raise LineError(f"do {do} is unknown")
        except LineError as error:
            self.refusals.append(written({"is": "refused", "id": None, "why": str(error)[:200]}))
            return None
        if do == "ping":
            self._pings.append(False)
        self._has_hello |= do == "hello"
        self._waiting.append(_Waiting(line))
        return message if do == "hello" else None

    def _put_order(self, line: bytes, key: str) -> None:
        if self._gate.is_open:
            self._waiting.append(_Waiting(line, key, self._gate.shuttings))
        else:
            self._refuse(key)

    def mark(self) -> None:
        """Behind everything that waits; the orders among it will be refused, so that only what has left is before it.

        Before a hello none can have left, and a broker expects nothing else.
        """
        if not self._has_hello:
            return
        self._pings.append(True)
        self._waiting.append(_Waiting(written({"do": "ping", "id": MARK})))

    def take(self) -> tuple[bytes, bool] | None:
        """The next line for the broker and whether it is an order: ask in the moment of writing it, and write it or `put_back`."""
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.order or self._gate.lets_out(waiting.shuttings):
                self._taken = waiting
                return waiting.line, bool(waiting.order)
            self._refuse(waiting.order)
        return None

    def put_back(self) -> None:
        self._waiting.appendleft(self._taken)

    def from_broker(self, line: bytes) -> bytes | None:
        """What the core is to see of it: the answers to our marks are ours."""
        if b"pong" in line:
            message = parsed(line)
            if message.get("is") == "pong" and self._answers_a_mark(message):
                return None
        return line

    def _answers_a_mark(self, message: Message) -> bool:
        """By its id, where the broker repeats it, else by the order of the pings."""
        if "id" not in message:
            return bool(self._pings and self._pings.popleft())
        is_ours: bool = message["id"] == MARK
        if is_ours in self._pings:
            self._pings.remove(is_ours)
        return is_ours

    def _refuse(self, key: str) -> None:
        self.refused += 1
        self.refusals.append(written({"is": "refused", "id": key, "why": "gate"}))
