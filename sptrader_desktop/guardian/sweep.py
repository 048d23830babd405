"""Until nothing works at the broker any more: ask it what there is, cancel and perhaps close that, look again, stay to see what lands late.

Only the broker's own snapshots count, never anybody's memory. One close at a time for each position, its size from the newest snapshot:
another is sent when the first was answered, or when it can no longer land.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sptrader_desktop.guardian.lines import LineError, Message, Name, count_of, list_of, name_of, text_of

SOON, LONG_WAIT = 0.01, 5.0
CANCEL_AGAIN = 1.0
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0
ENDS_A_CLOSE = {"closed", "rejected", "cancelled", "expired"}


@dataclass(frozen=True, slots=True)
class Terms:
    """Seconds. `unknown`: how late a request whose answer was lost may still land. `quarantine`: how long late arrivals are watched for."""

    silence: float = 1.0  # of the core
    window_silence: float = 3.0
    poll: float = 0.1
    quarantine: float = 120.0
    unknown: float = 30.0
    idle: float = 60.0


@dataclass(slots=True)
class _Close:
    position: Name
    until: float  # when it can no longer land
    is_accepted: bool = False


class Sweep:
    """`actions` are what to send now. It is `drained` when the broker has read everything that was let out before the gate shut."""

    def __init__(self, terms: Terms, new_id: Callable[[], str], *, flatten: bool, closes: dict[str, Name], since: int) -> None:
        self.flatten = flatten
        self._is_drained = True
        self.is_connected = False
        self._terms, self._new_id, self._last = terms, new_id, since
        self._due = 0.0
        self._asked: dict[str, tuple[float, bool]] = {}  # snapshots on their way: when asked, and whether all was drained by then
        self._orders: set[str] | None = None
        self._positions: set[Name] | None = None
        self._cancels: dict[str, float] = {}
        self._cancelled: set[str] = set()
        self._closes = {key: _Close(position, float("inf")) for key, position in closes.items()}
        self._pauses: dict[Name, tuple[float, float]] = {}  # after a rejection: until when, and how long the next one is
        self._rejected = self._closed = self._late = 0
        self._clear_since: float | None = None

    # What is said to it

    def connected(self, now: float, number: int) -> None:
        """What was sent before may have been read, or may not; it has its time to land from now on. `number` is the last heard of."""
        self.is_connected = True
        self._last = number
        self._due = now
        for close in self._closes.values():
            if not close.is_accepted:
                close.until = now + self._terms.unknown

    def drained(self, now: float, *, is_drained: bool) -> None:
        if is_drained and not self._is_drained:
            self._due = min(self._due, now)
        self._is_drained = is_drained

    def lost(self) -> None:
        self.is_connected = False
        self._asked.clear()
        self._cancels.clear()
        self._clear_since = None

    def again(self, now: float, *, flatten: bool) -> None:
        """Somebody asked once more, perhaps for more; what the broker was asked before does not count."""
        self.flatten |= flatten
        self._clear_since = None
        self._asked.clear()
        self._due = now

    def transaction(self, message: Message, now: float) -> None:
        self._last = max(self._last, count_of(message, "n"))
        what, key = text_of(message, "what"), message.get("id")
        if isinstance(key, str) and key in self._closes and what == "accepted":
            self._closes[key].is_accepted, self._closes[key].until = True, float("inf")  # what becomes of it will be said
        elif isinstance(key, str) and key in self._closes and what in ENDS_A_CLOSE:
            position = self._closes.pop(key).position
            if what == "closed":
                self._closed += 1
                self._pauses.pop(position, None)
            else:
                self._rejected += 1
                pause = self._pauses.get(position, (0.0, FIRST_PAUSE))[1]
                self._pauses[position] = (now + pause, min(2 * pause, LONGEST_PAUSE))
        self._due = min(self._due, now + SOON)

    def snapshot(self, message: Message, now: float) -> list[Message]:
        """Cancels first, then closes: the broker reads them in this order."""
        found = self._asked.pop(text_of(message, "id"), None)
        orders = {text_of(order, "id") for order in list_of(message, "orders")}
        sizes = {name_of(item, "position"): abs(count_of(item, "quantity")) for item in list_of(message, "positions")}
        positions = {position: size for position, size in sizes.items() if size}
        if found is None or count_of(message, "n") < self._last:
            self._due = min(self._due, now + SOON)
            return []
        self._note(orders, positions, found[1], now)
        sent = [self._cancel(order, now) for order in sorted(orders) if now - self._cancels.get(order, -CANCEL_AGAIN) >= CANCEL_AGAIN]
        if self.flatten:
            sent += [self._close(position, quantity, now) for position, quantity in positions.items() if self._may_close(position, now)]
        self._due = self._next_look(now)
        return sent

    # What it does

    def actions(self, now: float) -> list[Message]:
        overdue = [key for key, (at, _) in self._asked.items() if now - at > LONG_WAIT]
        if not self.is_connected or now < self._due or len(self._asked) > len(overdue):
            return []
        key = self._new_id()
        self._asked[key] = (now, self._is_drained)
        return [{"do": "snapshot", "id": key}]

    def closes(self) -> dict[str, Name]:
        return {key: close.position for key, close in self._closes.items()}

    @property
    def last_number(self) -> int:
        return self._last

    def _note(self, orders: set[str], positions: dict[Name, int], was_drained: bool, now: float) -> None:
        if self._clear_since is not None and (orders or (self.flatten and positions)):
            self._late += len(orders) + (len(positions) if self.flatten else 0)
        self._cancelled |= self._cancels.keys() - orders
        self._cancels = {order: at for order, at in self._cancels.items() if order in orders}
        self._closes = {key: close for key, close in self._closes.items() if now < close.until}
        self._orders, self._positions = orders, set(positions)
        is_clear = not orders and was_drained and (not self.flatten or not (positions or self._closes))
        if not is_clear:
            self._clear_since = None
        elif self._clear_since is None:
            self._clear_since = now

    def _cancel(self, order: str, now: float) -> Message:
        self._cancels[order] = now
        return {"do": "cancel", "id": self._new_id(), "order": order}

    def _may_close(self, position: Name, now: float) -> bool:
        is_closing = any(close.position == position for close in self._closes.values())
        return not is_closing and now >= self._pauses.get(position, (0.0, 0.0))[0]

    def _close(self, position: Name, quantity: int, now: float) -> Message:
        key = self._new_id()
        self._closes[key] = _Close(position, now + self._terms.unknown)
        return {"do": "close", "id": key, "position": position, "quantity": quantity, "reason": "emergency", "at_close": False}

    def _next_look(self, now: float) -> float:
        """After the quarantine only what the broker says of itself is followed."""
        if self.is_over(now):
            return float("inf")
        pauses = [until for position, (until, _) in self._pauses.items() if self._positions and position in self._positions and until > now]
        return min([now + self._terms.poll, *pauses])

    # What is told of it

    def is_clear(self) -> bool:
        return self._clear_since is not None

    def is_over(self, now: float) -> bool:
        return self._clear_since is not None and now - self._clear_since >= self._terms.quarantine

    def steps(self, working: int, now: float) -> dict[str, dict[str, Any]]:
        """`working` is what was known to work at the broker before it could be asked."""
        left = working if self._orders is None else len(self._orders)
        is_told = self._orders is not None and self.is_connected
        cancel = {"state": "done" if is_told and not left else "working", "confirmed": len(self._cancelled), "unconfirmed": left}
        steps = {"cancel": cancel, "flatten": self._flattening(), "verify": self._verifying(now)}
        if not self.is_connected:
            cancel["why"] = "no connection to the broker, trying again for ever"
        return steps

    def _flattening(self) -> dict[str, Any]:
        if not self.flatten:
            return {"state": "not asked"}
        is_done = self._positions is not None and not self._positions and not self._closes and self.is_connected
        left = None if self._positions is None else len(self._positions)
        counts = {"closed": self._closed, "rejected": self._rejected, "unanswered": len(self._closes), "open": left}
        return {"state": "done" if is_done else "working", **counts}

    def _verifying(self, now: float) -> dict[str, Any]:
        if self._clear_since is None:
            return {"state": "working", "late": self._late, "drained": self._is_drained}
        left = max(0.0, self._terms.quarantine - (now - self._clear_since))
        return {"state": "done" if not left else "watching", "late": self._late, "seconds_left": round(left, 1)}


def number_of(message: Message) -> int:
    """The broker's number in what it says, for whoever only follows it."""
    number = count_of(message, "n")
    if number < 0:
        raise LineError("n is negative")
    return number
