"""Stops, targets and trailing levels that no broker holds: they are watched here, on every price, and the close is asked for once.

The levels, their order and the share that a target closes are those of `core.exits` for a bar of one price.
"""

from dataclasses import dataclass, field

from sptrader_desktop.core.live_book import Book
from sptrader_desktop.core.live_worth import Worth
from sptrader_desktop.core.money import FRACTION_ONE
from sptrader_desktop.core.records import LONG, PARTIAL, STOP_LOSS, TAKE_PROFIT, TRAILING_STOP
from sptrader_desktop.core.tables import FAR, Table

BY_LEVEL = frozenset({STOP_LOSS, TRAILING_STOP, TAKE_PROFIT})
AGAIN_US = 1_000_000


@dataclass(slots=True)
class WatchedExits:
    """`unkept` are positions of which the broker would not take a level, though it holds others."""

    holds_stops: bool = True
    unkept: set[int] = field(default_factory=set)
    again_at: dict[int, int] = field(default_factory=dict)  # position → from when a close that did not come about is asked for again
    parted: dict[int, dict[int, int]] = field(default_factory=dict)  # series → targets that a partial close in flight takes away
    parting: set[int] = field(default_factory=set)  # positions of which a target, and no rule, asked for a part

    @property
    def is_idle(self) -> bool:
        return self.holds_stops and not self.unkept

    def watches(self, number: int) -> bool:
        return not self.holds_stops or number in self.unkept

    def is_touched(self, book: Book, worth: Worth, s: int, at: int) -> bool:
        return any(self._reached(row, worth, at) is not None for row in _of(book, s))

    def order(self, book: Book, worth: Worth, s: int, at: int) -> None:
        """Mark what is to be closed at the present price of a series, oldest first."""
        cut = set[int]()
        for row in _of(book, s):
            reason = None if int(row["number"]) in cut else self._reached(row, worth, at)
            if reason == TAKE_PROFIT and book.plan.exits[s]["scale_out"]:
                cut |= self._part(book, s)
            elif reason is not None:
                _close(row, int(row["quantity"]), reason)

    def closed(self, number: int, s: int, reason: int, *, is_gone: bool) -> None:
        if reason == PARTIAL:
            self.parted.pop(s, None)
            self.parting.discard(number)
        if is_gone:
            self.unkept.discard(number)
            self.parting.discard(number)
            self.again_at.pop(number, None)

    def refused(self, book: Book, number: int, reason: int, at: int) -> bool:
        """A close will not come; gives whether its level brings it again. The targets that a part would have ended are there again."""
        index, is_part = book.position(number), number in self.parting
        self.parting.discard(number)
        if not self.watches(number) or index < 0:
            return False
        self.again_at[number] = at + AGAIN_US
        s = int(book.state.positions["symbol"][index])
        targets = self.parted.pop(s, {}) if is_part else {}
        for row in _of(book, s):
            row["target"] = targets.get(int(row["number"]), int(row["target"]))
        is_there = abs(int(book.state.positions["target"][index])) < FAR
        return is_part and is_there if reason == PARTIAL else reason in BY_LEVEL

    def _reached(self, row: Table, worth: Worth, at: int) -> int | None:
        """Why it is to be closed now; nothing while it is being closed."""
        number, side, stop, trail = (int(row[name]) for name in ("number", "side", "stop", "trail"))
        is_resting = at < self.again_at.get(number, at) <= at + AGAIN_US  # more than that is a clock that was set back
        if row["closing"] >= row["quantity"] or not self.watches(number) or is_resting:
            return None
        price = worth.exit_price(int(row["symbol"]), side)
        if side * (price - (max(stop, trail) if side == LONG else min(stop, trail))) <= 0:
            return TRAILING_STOP if side * (trail - stop) > 0 else STOP_LOSS
        return TAKE_PROFIT if side * (price - int(row["target"])) >= 0 else None

    def _part(self, book: Book, s: int) -> set[int]:
        """A share of all that is open of the symbol; what is left has no target. Another part that is under way comes first."""
        rows = [row for row in _of(book, s) if row["closing"] < row["quantity"]]
        if any(row["closing"] for row in rows):
            return set()
        self.parted[s] = {int(row["number"]): int(row["target"]) for row in rows}
        left, cut = sum(int(row["quantity"]) for row in rows) * int(book.plan.exits[s]["partial"]) // FRACTION_ONE, set[int]()
        for row in rows:
            row["target"], part = int(row["side"]) * FAR, min(left, int(row["quantity"]))
            if part:
                _close(row, part, PARTIAL)
                cut.add(int(row["number"]))
            left -= part
        self.parting |= cut
        return cut


def _of(book: Book, s: int) -> list[Table]:
    held = book.state.positions[: book.account["positions"][0]]
    return [row for row in held if row["symbol"] == s]


def _close(row: Table, quantity: int, reason: int) -> None:
    row["closing"], row["closing_reason"], row["closing_now"] = quantity, reason, 0
